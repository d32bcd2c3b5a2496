#include "size/problem.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "core/files.hpp"
#include "netlist/settings.hpp"

namespace gaincal::size {
namespace {

constexpr double kRange = 4.0;  // of a size up and down where none is given

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

}  // namespace

Candidate candidate_of(const Source& source, const std::vector<std::string>& assignments) {
  std::vector<std::string> overrides = source.overrides;
  overrides.insert(overrides.end(), assignments.begin(), assignments.end());
  try {
    return {netlist::parse_design(source.toml, source.file, overrides), ""};
  } catch (const UsageError& failure) {
    return {{}, failure.what()};
  }
}

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

bool changes(const std::string& key, Part part) {
  for (const Part other : kParts)
    if (key.starts_with(table_of(other) + ".")) return other == part;
  return true;
}

double Target::offset(double found) const { return (found - value) / (value == 0 ? 1.0 : std::abs(value)); }

double Target::distance(double found) const {
  const double off = offset(found);
  return relation == Relation::equal ? std::abs(off) : std::max(0.0, relation == Relation::at_most ? off : -off);
}

std::string Target::text() const {
  const char* sign = relation == Relation::equal ? "=" : relation == Relation::at_most ? "<=" : ">=";
  return figures()[figure].name + sign + format_quantity(value, figures()[figure].unit);
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
      throw UsageError(where + ": leaves out what the design has, " + format_quantity(held.value, held.unit) +
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

std::string sized_design(const Problem& problem, const Sizing& sizing, const std::filesystem::path& out) {
  const Source& source = problem.source;
  std::vector<std::string> assignments = source.overrides;
  assignments.insert(assignments.end(), sizing.assignments.begin(), sizing.assignments.end());
  const netlist::Design design = candidate_of(source, {}).design;
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
