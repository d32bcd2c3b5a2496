#include <algorithm>
#include <iostream>

#include "cli/command.hpp"
#include "core/files.hpp"
#include "core/log.hpp"
#include "core/units.hpp"
#include "size/size.hpp"

namespace gaincal::cli {
namespace {

using size::Problem;
using size::Sizing;
using size::Target;

constexpr const char* kUsage =
    "gaincal size DESIGN --target FIGURE=VALUE [--target FIGURE<=VALUE ..] [--vary KEY[=LOW:HIGH] ..] [--out FILE]";
// Of the first target, where no --trade is given.
constexpr double kTraded[] = {0.7, 1.0, 1.4};

std::vector<std::string> words(const po::variables_map& values, const char* option) {
  return values.count(option) > 0 ? values[option].as<std::vector<std::string>>() : std::vector<std::string>();
}

void list_figures() {
  for (const size::Figure& figure : size::figures())
    std::cout << figure.name << std::string(20 - figure.name.size(), ' ') << figure.summary
              << (figure.unit == Unit::none ? "" : ", in " + std::string(unit_symbol(figure.unit))) << "\n";
}

Problem problem_of(const po::variables_map& values) {
  Problem problem;
  problem.source = size::read_source(required<std::string>(values, "design", kUsage), words(values, "set"));
  for (const std::string& text : words(values, "target")) problem.targets.push_back(size::parse_target(text));
  if (problem.targets.empty())
    throw UsageError("size: no target; give e.g. --target full_scale_charge=25fC ('gaincal size --list')");
  for (const std::string& name : words(values, "least")) problem.least.push_back(size::figure_named(name, "--least"));
  for (const std::string& text : words(values, "vary"))
    problem.variables.push_back(size::parse_variable(text, problem.source));
  if (problem.variables.empty()) problem.variables = size::default_variables(problem.source, problem.targets);
  problem.tolerance = parse_share(values["tolerance"].as<std::string>(), "--tolerance");
  if (problem.tolerance < 1e-3) throw UsageError("--tolerance: is finer than sizes of four digits; give 0.1% or more");
  problem.max_steps = values["steps"].as<int>();
  if (problem.max_steps < 1) throw UsageError("--steps: give 1 or more");
  problem.workers = values["workers"].as<unsigned>();
  size::check(problem);
  return problem;
}

using Values = std::vector<double>;

/// The target that is traded and its values: `FIGURE=V1,V2,..`, or the first one around its own.
std::pair<Target, Values> traded(const po::variables_map& values, const Problem& problem) {
  const Target& first = problem.targets[0];
  if (values.count("trade") == 0) {
    Values list;
    for (const double factor : kTraded)
      if (first.value != 0) list.push_back(factor * first.value);
    return {first, list};
  }
  const std::string text = values["trade"].as<std::string>();
  if (text == "none") return {first, {}};
  const std::size_t equals = text.find('=');
  const std::string name = text.substr(0, equals);
  for (const Target& target : problem.targets) {
    if (size::figures()[target.figure].name != name || equals == std::string::npos) continue;
    Values list;
    for (std::size_t begin = equals + 1; begin <= text.size();) {
      const std::size_t end = std::min(text.find(',', begin), text.size());
      list.push_back(size::parse_target(name + "=" + text.substr(begin, end - begin)).value);
      begin = end + 1;
    }
    return {target, list};
  }
  throw UsageError("--trade " + text + ": trades no target; write FIGURE=V1,V2,.. of a figure that has a --target");
}

/// Each solved from the sizes of the one before, outwards from the target's own value. One that fails is left out.
std::vector<std::pair<double, Sizing>> trade(const Problem& problem, const Sizing& sizing, const Target& target,
                                             Values list) {
  std::sort(list.begin(), list.end());
  std::vector<std::pair<double, Sizing>> result;
  const auto solve = [&](double value, Values& start) {
    if (value == target.value) {
      result.emplace_back(value, sizing);
      return;
    }
    Problem other = problem;
    for (Target& changed : other.targets)
      if (changed.figure == target.figure && changed.relation == target.relation) changed.value = value;
    const std::string at = "trade-off at " + format_quantity(value, size::figures()[target.figure].unit);
    log_info(at);
    try {
      result.emplace_back(value, size::search(other, start));
      start = result.back().second.sizes;
    } catch (const Error& failure) {
      log_warning(at + ": " + failure.what());
    }
  };
  const auto middle = std::lower_bound(list.begin(), list.end(), target.value);
  Values start = sizing.sizes;
  for (auto value = middle; value != list.end(); ++value) solve(*value, start);
  start = sizing.sizes;
  for (auto value = middle; value != list.begin();) solve(*--value, start);
  std::sort(result.begin(), result.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  return result;
}

}  // namespace

int run_size(const std::vector<std::string>& arguments) {
  po::options_description options("options");
  options.add_options()("design", po::value<std::string>(), "design file to start from")(
      "list", "list the figures that a target can name")("target", po::value<std::vector<std::string>>(),
                                                         "FIGURE=VALUE, FIGURE<=VALUE or FIGURE>=VALUE")(
      "least", po::value<std::vector<std::string>>(), "figure that shall be as small as the targets allow")(
      "vary", po::value<std::vector<std::string>>(),
      "KEY or KEY=LOW:HIGH of the design file (read lengths of the cell; currents and bit line of a converter)")(
      "tolerance", po::value<std::string>()->default_value("1%"), "of a target")(
      "steps", po::value<int>()->default_value(12), "of the search, at most")(
      "trade", po::value<std::string>(),
      "FIGURE=V1,V2,..: other values of a target, or none (first target x 0.7, 1.4)")(
      "set", po::value<std::vector<std::string>>(), "key=value in the design, e.g. --set cell.cst=8fF")(
      "out", po::value<std::string>(), "design file to write")("force", "overwrite --out")(
      "workers", po::value<unsigned>()->default_value(0), "worker processes (0: one per core)");
  const auto values = parse_arguments(kUsage, options, {"design"}, arguments);
  if (!values) return 0;
  if (values->count("list") > 0) {
    list_figures();
    return 0;
  }
  const Problem problem = problem_of(*values);
  const auto [target, list] = traded(*values, problem);
  const std::string out = values->count("out") > 0 ? (*values)["out"].as<std::string>() : "";
  if (!out.empty()) {
    refuse_overwrite(out, values->count("force") > 0);
    size::sized_design(problem, {}, out);  // what cannot be written is known before the search
  }
  const std::vector<double> before = size::measure_source(problem);
  const Sizing sizing = size::search(problem);
  size::print_sizing(std::cout, problem, before, sizing, size::measure_corners(problem, sizing));
  if (!out.empty()) {
    write_text(out, size::sized_design(problem, sizing, out));
    std::cout << "\n" << out << "\n";
  }
  if (!list.empty()) {
    std::cout << std::endl;
    size::print_trade(std::cout, problem, target, trade(problem, sizing, target, list));
  }
  return sizing.met ? 0 : static_cast<int>(ExitCode::outside_limit);
}

}  // namespace gaincal::cli
