#include "size/size.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <exception>
#include <nlopt.hpp>
#include <utility>

#include "core/error.hpp"
#include "core/files.hpp"
#include "core/log.hpp"
#include "netlist/settings.hpp"

namespace gaincal::size {
namespace {

using netlist::Design;

constexpr double kRange = 4.0;    // of a size up and down where none is given
constexpr double kStep = 0.03;    // of a difference, of the logarithm of a size
constexpr double kLeast = 10.0;   // weight of a figure that shall be small beside the moves of the sizes
constexpr double kFailed = 10.0;  // at least the distance from its targets of a candidate that cannot be simulated
constexpr double kMeant = 0.1;    // of the tolerance: what the optimiser may miss a target by

std::string text_of(const Target& target, double value) {
  return format_quantity(value, figures()[target.figure].unit);
}

std::string size_text(const Variable& variable, double value) { return format_quantity(value, variable.unit); }

Candidate candidate_of(const Source& source, const std::vector<std::string>& assignments) {
  std::vector<std::string> overrides = source.overrides;
  overrides.insert(overrides.end(), assignments.begin(), assignments.end());
  try {
    return {netlist::parse_design(source.toml, source.file, overrides), ""};
  } catch (const UsageError& failure) {
    return {{}, failure.what()};
  }
}

/// The parts that the targets ask for.
std::vector<Part> parts_of(const Problem& problem) {
  std::vector<Part> parts;
  for (const Part part : kParts) {
    bool needed = false;
    for (const Target& target : problem.targets) needed = needed || figures()[target.figure].needs(part);
    for (const std::size_t figure : problem.least) needed = needed || figures()[figure].needs(part);
    if (needed) parts.push_back(part);
  }
  return parts;
}

/// Whether a setting of the design changes a part; what is in none of their tables changes all.
bool changes(const std::string& key, Part part) {
  for (const Part other : kParts)
    if (key.starts_with(table_of(other) + ".")) return other == part;
  return true;
}

/// The quantity that a key of a design file holds, in the unit that its text has.
struct Held {
  double value;
  Unit unit;
};
Held held_at(const Source& source, const std::string& key) {
  netlist::SettingsTable table = netlist::SettingsTable::parse(source.toml, source.file.string(), source.overrides);
  std::size_t begin = 0;
  for (std::size_t dot; (dot = key.find('.', begin)) != std::string::npos; begin = dot + 1)
    table = table.table(key.substr(begin, dot - begin));
  const std::string word = table.text(key.substr(begin));
  for (const Unit unit : {Unit::metre, Unit::farad, Unit::ampere, Unit::second, Unit::volt}) {
    try {
      const double value = parse_quantity(word, unit, key);
      if (value > 0 && word.find(unit_symbol(unit)) != std::string::npos) return {value, unit};
    } catch (const UsageError&) {  // another unit
    }
  }
  throw UsageError(table.where(key.substr(begin)) + ": '" + word +
                   "' is no positive quantity with a unit; sizes, capacitors, currents, times and voltages can vary");
}

using Point = std::vector<double>;  // logarithms of the sizes

/// A problem as the optimiser sees it: the moves of the sizes, squared, and figures that shall be small, subject to the
/// targets. Figures come from SPICE, those of a point and of its differences at once.
class Search {
 public:
  Search(const Problem& problem, Point start)
      : problem_(problem), start_(std::move(start)), parts_(parts_of(problem)) {}

  std::vector<std::string> assignments(const Point& x) const {
    std::vector<std::string> list;
    for (std::size_t k = 0; k < x.size(); ++k)
      list.push_back(problem_.variables[k].key + "=" + format_quantity(std::exp(x[k]), problem_.variables[k].unit, 12));
    return list;
  }

  double objective(const Point& x, Point& gradient) {
    const Known& here = at(x);
    if (gradient.empty()) return cost(here);
    const std::vector<Measured>& beside = differences(x);
    for (std::size_t k = 0; k < x.size(); ++k) {
      gradient[k] = 2 * (x[k] - start_[k]);
      if (!beside[k].failure.empty()) continue;
      for (const std::size_t figure : problem_.least)
        gradient[k] += kLeast * (least(beside[k], figure) - least(here.measured, figure)) / step(x, k);
    }
    return cost(here);
  }

  /// Distance from a target, of either sign; 0 is on it, and below 0 an inequality holds.
  double constraint(std::size_t target, const Point& x, Point& gradient) {
    const double here = off(at(x).measured, target);
    if (gradient.empty()) return here;
    const std::vector<Measured>& beside = differences(x);
    for (std::size_t k = 0; k < x.size(); ++k)
      gradient[k] = beside[k].failure.empty() ? (off(beside[k], target) - here) / step(x, k) : 0.0;
    return here;
  }

  /// What is known of a point, simulated where it is not yet.
  struct Known {
    Point x;
    Measured measured;
    std::vector<Measured> beside;  ///< by variable; empty: not simulated
  };
  Known& at(const Point& x) {
    for (Known& known : known_)
      if (known.x == x) return known;
    known_.push_back(
        {x, measure({candidate_of(problem_.source, assignments(x))}, {parts_}, {true, problem_.workers})[0], {}});
    ++simulated_;
    log_point(known_.back().measured);
    return known_.back();
  }

  bool met(const Measured& measured) const {
    return measured.failure.empty() && farthest(measured) <= problem_.tolerance;
  }
  /// The best of all points: one that meets the targets with the least objective, else the nearest to them.
  Point best() {
    const Known* best = nullptr;
    std::pair<double, double> rank;
    for (const Known& known : known_) {
      if (!known.measured.failure.empty()) continue;
      const std::pair here(std::max(farthest(known.measured), problem_.tolerance), cost(known));
      if (best == nullptr || here < rank) best = &known, rank = here;
    }
    return best->x;  // the start works
  }
  std::size_t simulated() const { return simulated_; }

 private:
  double off(const Measured& measured, std::size_t target) const {
    const Target& asked = problem_.targets[target];
    if (!measured.failure.empty())
      return std::max(kFailed, 2 * std::abs(asked.offset(known_.front().measured.values[asked.figure])));
    return asked.relation == Relation::at_least ? -asked.offset(measured.values[asked.figure])
                                                : asked.offset(measured.values[asked.figure]);
  }
  /// What is made small: moves of the sizes, and figures.
  double cost(const Known& known) const {
    double sum = 0.0;
    for (std::size_t k = 0; k < known.x.size(); ++k) sum += (known.x[k] - start_[k]) * (known.x[k] - start_[k]);
    for (const std::size_t figure : problem_.least) sum += kLeast * least(known.measured, figure);
    return sum;
  }
  double farthest(const Measured& measured) const {
    double most = 0.0;
    for (const Target& target : problem_.targets)
      most = std::max(most, target.distance(measured.values[target.figure]));
    return most;
  }
  double least(const Measured& measured, std::size_t figure) const {
    if (!measured.failure.empty()) return kFailed;
    return measured.values[figure] / std::abs(known_.front().measured.values[figure]);
  }
  /// Of a difference: inwards at the upper bound.
  double step(const Point& x, std::size_t k) const {
    return x[k] + kStep > std::log(problem_.variables[k].high) ? -kStep : kStep;
  }
  const std::vector<Measured>& differences(const Point& x) {
    Known& here = at(x);
    if (!here.beside.empty()) return here.beside;
    std::vector<Candidate> candidates;
    std::vector<std::vector<Part>> parts;
    for (std::size_t k = 0; k < x.size(); ++k) {
      Point moved = x;
      moved[k] += step(x, k);
      candidates.push_back(candidate_of(problem_.source, assignments(moved)));
      parts.emplace_back();
      for (const Part part : parts_)
        if (changes(problem_.variables[k].key, part)) parts.back().push_back(part);
    }
    here.beside = measure(candidates, parts, {true, problem_.workers});
    simulated_ += candidates.size();
    for (std::size_t k = 0; k < x.size(); ++k) {
      for (const Part part : parts_)
        if (std::find(parts[k].begin(), parts[k].end(), part) == parts[k].end())
          copy_part(part, here.measured, here.beside[k]);
      if (here.beside[k].failure.empty()) here.beside[k].failure = here.measured.failure;  // of a part that is the same
      if (!here.beside[k].failure.empty())
        log_warning(problem_.variables[k].key + " counts as without influence here: " + here.beside[k].failure);
    }
    return here.beside;
  }
  void log_point(const Measured& measured) const {
    std::string line = std::to_string(simulated_) + " candidates:";
    if (!measured.failure.empty()) line.append(" failed, ").append(measured.failure);
    const char* separator = " ";
    for (const Target& target : problem_.targets) {
      if (!measured.failure.empty()) continue;
      line.append(std::exchange(separator, ", "))
          .append(figures()[target.figure].name)
          .append(" ")
          .append(text_of(target, measured.values[target.figure]));
    }
    log_info(line);
  }

  const Problem& problem_;
  Point start_;
  std::vector<Part> parts_;
  std::deque<Known> known_;  // references to it stay
  std::size_t simulated_ = 0;
};

/// What NLopt calls. Its C code cannot be thrown through: an exception waits until it has stopped.
struct Calls {
  Search& search;
  const Problem& problem;
  nlopt::opt& optimiser;
  std::exception_ptr failure = nullptr;

  template <typename Body>
  double guarded(const Body& body) {
    try {
      return body();
    } catch (...) {
      failure = std::current_exception();
      optimiser.force_stop();
      return 0.0;
    }
  }
};
struct TargetCall {
  Calls& calls;
  std::size_t target;
};

double call_objective(const Point& x, Point& gradient, void* data) {
  Calls& calls = *static_cast<Calls*>(data);
  return calls.guarded([&] {
    // Met: nothing else is asked.
    if (calls.problem.least.empty() && calls.search.met(calls.search.at(x).measured)) {
      calls.optimiser.force_stop();
      std::fill(gradient.begin(), gradient.end(), 0.0);
      return 0.0;
    }
    return calls.search.objective(x, gradient);
  });
}

double call_constraint(const Point& x, Point& gradient, void* data) {
  const TargetCall& call = *static_cast<const TargetCall*>(data);
  return call.calls.guarded([&] { return call.calls.search.constraint(call.target, x, gradient); });
}

void optimise(const Problem& problem, Search& search, Point x) {
  nlopt::opt optimiser(nlopt::LD_SLSQP, static_cast<unsigned>(x.size()));
  Calls calls{search, problem, optimiser};
  std::deque<TargetCall> targets;
  Point low, high;
  for (const Variable& variable : problem.variables) {
    low.push_back(std::log(variable.low));
    high.push_back(std::log(variable.high));
  }
  optimiser.set_lower_bounds(low);
  optimiser.set_upper_bounds(high);
  optimiser.set_min_objective(call_objective, &calls);
  for (std::size_t k = 0; k < problem.targets.size(); ++k) {
    targets.push_back({calls, k});
    const double near = kMeant * problem.tolerance;
    if (problem.targets[k].relation == Relation::equal)
      optimiser.add_equality_constraint(call_constraint, &targets.back(), near);
    else
      optimiser.add_inequality_constraint(call_constraint, &targets.back(), near);
  }
  optimiser.set_maxeval(problem.max_steps);
  optimiser.set_xtol_rel(1e-4);
  double objective = 0.0;
  try {
    optimiser.optimize(x, objective);
  } catch (const nlopt::forced_stop&) {       // met, or a failure of ours
  } catch (const nlopt::roundoff_limited&) {  // SPICE's differences are no finer: what is known counts
  } catch (const std::runtime_error&) {       // targets that contradict each other: the nearest counts
  }
  if (calls.failure) std::rethrow_exception(calls.failure);
}

}  // namespace

double Target::offset(double found) const { return (found - value) / (value == 0 ? 1.0 : std::abs(value)); }

double Target::distance(double found) const {
  const double off = offset(found);
  return relation == Relation::equal ? std::abs(off) : std::max(0.0, relation == Relation::at_most ? off : -off);
}

std::string Target::text() const {
  const char* sign = relation == Relation::equal ? "=" : relation == Relation::at_most ? "<=" : ">=";
  return figures()[figure].name + sign + text_of(*this, value);
}

Target parse_target(const std::string& text) {
  const std::string where = "--target " + text;
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0)
    throw UsageError(where + ": no relation; write FIGURE=VALUE, FIGURE<=VALUE or FIGURE>=VALUE");
  Target target;
  std::string name = text.substr(0, equals);
  if (name.ends_with('<') || name.ends_with('>')) {
    target.relation = name.back() == '<' ? Relation::at_most : Relation::at_least;
    name.pop_back();
  }
  while (name.ends_with(' ')) name.pop_back();
  target.figure = figure_named(name, where);
  const Unit unit = figures()[target.figure].unit;
  target.value = parse_quantity(text.substr(equals + 1), unit, where);
  if (target.value == 0 && (target.relation == Relation::equal || unit != Unit::none))
    throw UsageError(where + ": nothing is within a share of 0; give a small limit with <=");
  return target;
}

Source read_source(const std::filesystem::path& file, const std::vector<std::string>& overrides) {
  Source source{read_file(file), file, overrides};
  netlist::parse_design(source.toml, source.file, source.overrides);  // throws here where it is no design
  return source;
}

Variable parse_variable(const std::string& text, const Source& source) {
  const std::string where = "--vary " + text;
  const std::size_t equals = text.find('=');
  Variable variable;
  variable.key = text.substr(0, equals);
  const Held held = held_at(source, variable.key);
  variable.unit = held.unit;
  variable.start = held.value;
  variable.low = held.value / kRange;
  variable.high = held.value * kRange;
  if (equals != std::string::npos) {
    const std::string range = text.substr(equals + 1);
    const std::size_t colon = range.find(':');
    if (colon == std::string::npos) throw UsageError(where + ": no range; write KEY=LOW:HIGH or KEY alone");
    variable.low = parse_quantity(range.substr(0, colon), held.unit, where);
    variable.high = parse_quantity(range.substr(colon + 1), held.unit, where);
    if (!(variable.low > 0 && variable.low < variable.high))
      throw UsageError(where + ": is no range of positive quantities; write LOW:HIGH with LOW below HIGH");
    if (held.value < variable.low || held.value > variable.high)
      throw UsageError(where + ": leaves out what the design has, " + size_text(variable, held.value) +
                       "; widen it or change the design with --set");
    return variable;
  }
  // A size may start at the least that the technology has.
  const netlist::Technology& technology = netlist::parse_design(source.toml, source.file, source.overrides).technology;
  const std::string name = variable.key.substr(variable.key.rfind('.') + 1);
  if (name.starts_with("w_")) variable.low = std::max(variable.low, technology.minimum_width_m);
  if (name.starts_with("l_")) variable.low = std::max(variable.low, technology.minimum_length_m);
  return variable;
}

std::vector<Variable> default_variables(const Source& source, const std::vector<Target>& targets) {
  std::vector<Variable> variables;
  for (const Part part : kParts) {
    if (std::none_of(targets.begin(), targets.end(),
                     [&](const Target& target) { return figures()[target.figure].part == part; }))
      continue;
    const std::vector<const char*> keys = part == Part::cell
                                              ? std::vector<const char*>{"l_n", "l_p"}
                                              : std::vector<const char*>{"i_ramp", "i_bias", "c_bit_line"};
    for (const char* key : keys) variables.push_back(parse_variable(table_of(part) + "." + key, source));
  }
  return variables;
}

void check(const Problem& problem) {
  const std::vector<Part> parts = parts_of(problem);
  std::size_t equations = 0;
  for (const Target& target : problem.targets) equations += target.relation == Relation::equal;
  if (equations > problem.variables.size())
    throw UsageError("--target: " + std::to_string(equations) + " equations for " +
                     std::to_string(problem.variables.size()) + " sizes; --vary more of them or give limits");
  for (std::size_t k = 0; k < problem.variables.size(); ++k) {
    const std::string& key = problem.variables[k].key;
    if (std::none_of(parts.begin(), parts.end(), [&](Part part) { return changes(key, part); }))
      throw UsageError("--vary " + key + ": no target depends on it; leave it out or add a target of its part");
    for (std::size_t other = 0; other < k; ++other)
      if (problem.variables[other].key == key) throw UsageError("--vary " + key + ": is given twice; leave one out");
  }
}

Sizing search(const Problem& problem, const std::vector<double>& start) {
  check(problem);
  Point x;
  for (std::size_t k = 0; k < problem.variables.size(); ++k)
    x.push_back(std::clamp(std::log(start.empty() ? problem.variables[k].start : start[k]),
                           std::log(problem.variables[k].low), std::log(problem.variables[k].high)));
  Search search(problem, x);
  const Measured& at_start = search.at(x).measured;
  if (!at_start.failure.empty())
    throw Error(problem.source.file.string() + ": the design to start from does not work: " + at_start.failure +
                "; correct it with --set");
  for (const std::size_t figure : problem.least)
    if (at_start.values[figure] == 0)
      throw UsageError("--least " + figures()[figure].name + ": is 0 already; leave it out");
  optimise(problem, search, x);
  const Point best = search.best();

  Sizing sizing;
  for (std::size_t k = 0; k < problem.variables.size(); ++k) {
    const Variable& variable = problem.variables[k];
    std::string text = size_text(variable, std::exp(best[k]));
    const double rounded = parse_quantity(text, variable.unit, variable.key);
    if (rounded < variable.low || rounded > variable.high)
      text = format_quantity(std::clamp(rounded, variable.low, variable.high), variable.unit, 12);
    sizing.sizes.push_back(parse_quantity(text, variable.unit, variable.key));
    sizing.assignments.push_back(variable.key + "=" + text);
  }
  const std::vector<Part> parts = parts_of(problem);
  const Measured calibrated =
      measure({candidate_of(problem.source, sizing.assignments)}, {parts}, {true, problem.workers})[0];
  sizing.assignments.insert(sizing.assignments.end(), calibrated.calibration.begin(), calibrated.calibration.end());
  const Measured written =
      measure({candidate_of(problem.source, sizing.assignments)}, {parts}, {false, problem.workers})[0];
  if (!written.failure.empty())
    throw Error(problem.source.file.string() + ": the sizes found fail: " + written.failure);
  sizing.figures = written.values;
  sizing.met = search.met(written);
  sizing.candidates = search.simulated() + 2;
  return sizing;
}

std::vector<double> measure_source(const Problem& problem) {
  const Measured found = measure({candidate_of(problem.source, {})}, {parts_of(problem)}, {false, problem.workers})[0];
  if (!found.failure.empty())
    throw Error(problem.source.file.string() + ": the design does not work: " + found.failure +
                "; correct it with --set");
  return found.values;
}

CornerFigures measure_corners(const Problem& problem, const Sizing& sizing) {
  CornerFigures result;
  const Candidate sized = candidate_of(problem.source, sizing.assignments);
  std::vector<Candidate> candidates = {sized};
  result.corners = {sized.design.corner};
  for (const auto& [corner, content] : sized.design.technology.corners) {
    if (corner == sized.design.corner) continue;
    result.corners.push_back(corner);
    candidates.push_back(sized);
    candidates.back().design.corner = corner;
  }
  result.measured = measure(candidates, std::vector(candidates.size(), parts_of(problem)), {true, problem.workers});
  return result;
}

std::string sized_design(const Problem& problem, const Sizing& sizing, const std::filesystem::path& out) {
  const Source& source = problem.source;
  std::vector<std::string> assignments = source.overrides;
  assignments.insert(assignments.end(), sizing.assignments.begin(), sizing.assignments.end());
  const Design design = candidate_of(source, {}).design;
  const std::filesystem::path there = std::filesystem::absolute(out).parent_path();
  const auto move = [&](const char* key, const std::filesystem::path& path) {
    assignments.push_back(std::string(key) + "=" +
                          std::filesystem::proximate(std::filesystem::absolute(path), there).string());
  };
  netlist::SettingsTable settings = netlist::SettingsTable::parse(source.toml, source.file.string(), source.overrides);
  const std::filesystem::path technology = source.file.parent_path() / settings.text("technology");
  if (std::filesystem::is_regular_file(technology)) move("technology", technology);
  if (design.workload) {
    move("workload.softmax", design.workload->softmax);
    move("workload.linear", design.workload->linear);
    move("workload.text", design.workload->text);
    move("workload.calibration_text", design.workload->calibration_text);
  }
  std::string heading = "# Sized by gaincal for";
  for (const Target& target : problem.targets) heading.append(" ").append(target.text());
  return heading + "\n" + netlist::with_settings(source.toml, source.file.string(), assignments);
}

}  // namespace gaincal::size
