#include "sweep/self_test.hpp"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <ostream>
#include <sstream>

#include "core/error.hpp"
#include "core/units.hpp"
#include "netlist/decks.hpp"
#include "netlist/embedded.hpp"
#include "sweep/run_points.hpp"

namespace gaincal::sweep {
namespace {

using netlist::Design;

constexpr double kTemperatures_C[] = {-40.0, 27.0, 125.0};

struct Condition {
  std::string corner;
  double temperature_C;
};

std::vector<Condition> conditions(const Design& design, bool corners) {
  std::vector<Condition> list = {{design.corner, design.temperature_C}};
  if (!corners) return list;
  for (const auto& [corner, content] : design.technology.corners)
    for (const double temperature_C : kTemperatures_C)
      if (corner != design.corner || temperature_C != design.temperature_C) list.push_back({corner, temperature_C});
  return list;
}

Design load(const SelfTest& test, const std::string& design_file) {
  Design design =
      design_file.empty() ? netlist::default_design(test.overrides) : netlist::load_design(design_file, test.overrides);
  if (design.cell.type == "2t") design.lines.v_reference_V = design.technology.supply_V;
  return design;
}

/// The `.subckt` lines of a template's subcircuits, without their first word.
std::string pins(const SelfTest& test) {
  std::string list;
  for (const std::string& subcircuit : test.subcircuits) {
    std::istringstream lines{std::string(netlist::embedded_file(test.file))};
    std::string line;
    while (std::getline(lines, line) && !line.starts_with(".subckt " + subcircuit + " ")) {
    }
    if (!lines) throw Error(test.file + ": no subcircuit " + subcircuit);
    list.append(list.empty() ? "" : "; ").append(line, 8);
  }
  return list;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  if (at == std::string::npos) throw Error("the retention deck has no line '" + from + "'");
  return text.replace(at, from.size(), to);
}

}  // namespace

SelfTestResult run_self_test(const SelfTest& test, const std::string& design_file, const SelfTestOptions& options) {
  const Design design = load(test, design_file);
  const std::vector<Condition> list = conditions(design, options.corners);
  const auto outcomes = run_points(list.size(), test.figures.size(),
                                   [&](spice::Simulator& simulator, std::size_t k) {
                                     Design here = design;
                                     here.corner = list[k].corner;
                                     here.temperature_C = list[k].temperature_C;
                                     return test.measure(simulator, here);
                                   },
                                   {options.workers, 10 * design.grids.point_timeout_s, test.name});
  SelfTestResult result{test.name, test.summary, pins(test), test.figures, {}, {}, {}};
  for (std::size_t k = 0; k < list.size(); ++k) {
    result.conditions.push_back(list[k].corner + " " + format_quantity(list[k].temperature_C, Unit::none) + " C");
    result.values.push_back(outcomes[k].values);
    result.failures.push_back(outcomes[k].failure);
  }
  return result;
}

RetentionTable run_retention(const SelfTest& test, const std::string& design_file, const SelfTestOptions& options) {
  const Design design = load(test, design_file);
  RetentionTable table;
  table.name = test.name;
  table.ages_s = {1e-3, 1e-2, 1e-1, 1.0, 10.0};
  for (std::size_t level = 0; level < design.weight_levels; ++level)
    table.v_start_V.push_back(design.level_voltage_V(level));
  const std::size_t ages = table.ages_s.size(), points = table.v_start_V.size() * ages;
  const auto outcomes =
      run_points(points, 2,
                 [&](spice::Simulator& simulator, std::size_t point) {
                   const netlist::Deck deck =
                       netlist::cell_leak_deck(design, table.v_start_V[point / ages], table.ages_s[point % ages]);
                   const auto end_V = [&](const std::string& text) {
                     simulator.load(text);
                     simulator.run(deck.analysis);
                     return simulator.value("v(sn)");
                   };
                   return std::vector<double>{end_V(deck.text),
                                              end_V(replaced(deck.text, "gmin=1e-20 abstol=1e-17 chgtol=1e-19",
                                                             "gmin=1e-21 abstol=1e-18 chgtol=1e-20 reltol=1e-4"))};
                 },
                 {options.workers, design.grids.point_timeout_s, test.name + " retention"});
  for (std::size_t level = 0; level < table.v_start_V.size(); ++level) {
    table.v_store_V.emplace_back();
    table.v_tight_V.emplace_back();
    for (std::size_t age = 0; age < ages; ++age) {
      const PointOutcome& outcome = outcomes[level * ages + age];
      table.v_store_V.back().push_back(outcome.values[0]);
      table.v_tight_V.back().push_back(outcome.values[1]);
    }
  }
  return table;
}

store::Table table_of(const SelfTestResult& result) {
  const std::size_t count = result.conditions.size();
  store::Table table;
  table.name = "circuit_" + result.name;
  table.description = result.summary + "; pins: " + result.pins;
  store::Axis axis{"condition", "1", {}, result.conditions, "corner and temperature; first the design's own"};
  for (std::size_t k = 0; k < count; ++k) axis.values.push_back(static_cast<double>(k));
  table.axes = {std::move(axis)};
  for (std::size_t f = 0; f < result.figures.size(); ++f) {
    const Figure& figure = result.figures[f];
    // Printed units with a prefix are SI units behind it; percent, counts and the like are pure numbers.
    const std::string unit = figure.scale < 1e-2 ? figure.unit.substr(1) : "1";
    store::Quantity quantity{"figure_" + std::to_string(f), unit, figure.name, {}};
    for (std::size_t k = 0; k < count; ++k) quantity.values.push_back(result.values[k][f]);
    table.quantities.push_back(std::move(quantity));
  }
  for (const std::string& failure : result.failures) table.failed.push_back(failure.empty() ? 0 : 1);
  table.reason = result.failures;
  return table;
}

store::Table table_of(const RetentionTable& retention) {
  store::Table table;
  table.name = "retention_" + retention.name;
  table.description = "stored voltage over age, at two sets of tolerances";
  table.axes = {{"v_store", "V", retention.v_start_V, {}, "at the start"}, {"age", "s", retention.ages_s, {}, ""}};
  table.quantities = {{"v_cell", "V", "stored voltage", {}},
                      {"v_cell_tight", "V", "the same with ten times smaller floors", {}}};
  for (std::size_t level = 0; level < retention.v_start_V.size(); ++level)
    for (std::size_t age = 0; age < retention.ages_s.size(); ++age) {
      table.quantities[0].values.push_back(retention.v_store_V[level][age]);
      table.quantities[1].values.push_back(retention.v_tight_V[level][age]);
    }
  return table;
}

void print_self_test(std::ostream& stream, const SelfTestResult& result) {
  stream << result.name << ": " << result.summary << "\n  pins: " << result.pins << "\n";
  stream << "  " << std::left << std::setw(52) << "figure" << std::right << std::setw(12) << result.conditions.front()
         << std::setw(12) << "worst"
         << "  at\n";
  for (std::size_t f = 0; f < result.figures.size(); ++f) {
    const Figure& figure = result.figures[f];
    std::size_t worst = 0;
    for (std::size_t k = 1; k < result.values.size(); ++k) {
      if (!result.failures[k].empty()) continue;
      if (!result.failures[worst].empty()) worst = k;
      const double value = result.values[k][f], before = result.values[worst][f];
      if (figure.smallest_is_worst ? value < before : value > before) worst = k;
    }
    stream << "  " << std::left << std::setw(52) << (figure.name + ", " + figure.unit) << std::right
           << std::setprecision(4) << std::setw(12) << result.values[0][f] / figure.scale << std::setw(12)
           << result.values[worst][f] / figure.scale << "  " << result.conditions[worst] << "\n";
  }
  for (std::size_t k = 0; k < result.failures.size(); ++k)
    if (!result.failures[k].empty())
      stream << "  failed at " << result.conditions[k] << ": " << result.failures[k] << "\n";
}

void print_retention(std::ostream& stream, const RetentionTable& table) {
  stream << table.name << ": stored voltage in mV over age (in brackets: change with ten times smaller floors, uV)\n"
         << std::setw(10) << "start";
  for (const double age_s : table.ages_s) stream << std::setw(20) << format_quantity(age_s, Unit::second);
  stream << "\n" << std::fixed;
  for (std::size_t level = 0; level < table.v_start_V.size(); ++level) {
    stream << std::setw(10) << std::setprecision(1) << table.v_start_V[level] * 1e3;
    for (std::size_t age = 0; age < table.ages_s.size(); ++age) {
      std::ostringstream cell;
      cell << std::fixed << std::setprecision(2) << table.v_store_V[level][age] * 1e3 << " (" << std::setprecision(1)
           << (table.v_tight_V[level][age] - table.v_store_V[level][age]) * 1e6 << ")";
      stream << std::setw(20) << cell.str();
    }
    stream << "\n";
  }
  stream << std::defaultfloat;
}

}  // namespace gaincal::sweep
