#include <filesystem>
#include <sstream>

#include "cli/command.hpp"
#include "cli/sweep_plan.hpp"
#include "cli/sweep_run.hpp"
#include "core/files.hpp"
#include "core/log.hpp"
#include "store/table.hpp"
#include "sweep/characterize.hpp"

namespace gaincal::cli {
namespace {

constexpr const char* kUsage =
    "gaincal sweep DESIGN.toml --out dataset.h5 [--corners all] [--temperatures -40C,27C,85C] [--supplies 0.85V,0.9V] "
    "[--mismatch-samples N] [--workers N] [--force] | gaincal sweep PLAN.toml [--out FOLDER] | "
    "gaincal sweep status|merge|slurm PLAN.toml";

/// Before the simulations, not after them.
void refuse_missing_folder(const std::filesystem::path& out) {
  if (out.has_parent_path() && !std::filesystem::is_directory(out.parent_path()))
    throw UsageError(out.string() + ": the folder does not exist; create it");
}

std::vector<std::string> words(const std::string& list) {
  std::vector<std::string> result;
  std::istringstream stream(list);
  for (std::string word; std::getline(stream, word, ',');) result.push_back(word);
  return result;
}

/// What the command line says beats the design file.
void choose_conditions(netlist::Design& design, const po::variables_map& values) {
  const auto given = [&](const char* name, auto parse) {
    if (values.count(name) > 0) parse(words(values[name].as<std::string>()), std::string("--") + name);
  };
  netlist::Conditions& conditions = design.conditions;
  given("corners", [&](const auto& list, const std::string& where) {
    conditions.corners = netlist::parse_corners(list, design.technology, where);
  });
  given("temperatures", [&](const auto& list, const std::string& where) {
    conditions.temperatures_C = netlist::parse_temperatures_C(list, where);
  });
  given("supplies", [&](const auto& list, const std::string& where) {
    conditions.supplies_V = netlist::parse_supplies_V(list, where);
  });
  if (values.count("mismatch-samples") > 0) conditions.mismatch_samples = values["mismatch-samples"].as<std::size_t>();
}

void report(const store::Dataset& dataset) {
  std::size_t points = 0, failed = 0;
  for (const store::Table& table : dataset.tables)
    for (std::size_t point = 0; point < table.points(); ++point) {
      ++points;
      if (!table.point_failed(point)) continue;
      if (++failed <= 3)
        log_warning(table.name + ": point " + std::to_string(point) + " failed: " + table.reason[point]);
    }
  log_info(std::to_string(points) + " points in " + std::to_string(dataset.tables.size()) + " tables, " +
           std::to_string(failed) + " failed");
}

}  // namespace

int run_sweep(const std::vector<std::string>& arguments) {
  if (!arguments.empty() && is_sweep_subcommand(arguments.front()))
    return run_sweep_subcommand(arguments.front(), {arguments.begin() + 1, arguments.end()});
  po::options_description options("options");
  options.add_options()("file", po::value<std::string>(), "design, or plan (a file with a [circuit])")(
      "out", po::value<std::string>(), "dataset to write; for a plan the folder (default: out/ and its file name)")(
      "workers", po::value<unsigned>()->default_value(0), "worker processes (0: one per core)")(
      "corners", po::value<std::string>(), "of a design: also at these corners, e.g. tt,ss,ff, or all")(
      "temperatures", po::value<std::string>(), "of a design: also at these, e.g. -40C,27C,85C")(
      "supplies", po::value<std::string>(), "of a design: also at these, e.g. 0.85V,0.9V,0.95V")(
      "mismatch-samples", po::value<std::size_t>(), "of a design: chips with mismatch; default: as it says, or none")(
      "seed", po::value<std::uint64_t>()->default_value(1), "of the mismatch of a design")(
      "force", "overwrite --out; of a plan: compute finished shards again");
  options.add(plan_options());
  const auto values = parse_arguments(kUsage, options, {"file"}, arguments);
  if (!values) return 0;
  const std::string file = required<std::string>(*values, "file", kUsage);
  if (is_plan_file(file)) {
    for (const char* name : {"corners", "temperatures", "supplies", "mismatch-samples"})
      if (values->count(name) > 0)
        throw UsageError(std::string("--") + name + " is for a design; " + file + " is a plan, set it there");
    return run_plan(file, *values);
  }
  const std::string out = required<std::string>(*values, "out", kUsage);
  refuse_overwrite(out, values->count("force") > 0);
  refuse_missing_folder(out);
  netlist::Design design = netlist::load_design(file);
  choose_conditions(design, *values);
  sweep::CharacterizeOptions sweep_options;
  sweep_options.workers = (*values)["workers"].as<unsigned>();
  sweep_options.seed = (*values)["seed"].as<std::uint64_t>();
  store::Dataset dataset = sweep::characterize(design, sweep_options);
  dataset.provenance.command_line = command_line();
  store::write_dataset(out, dataset);
  report(dataset);
  return 0;
}

}  // namespace gaincal::cli
