#include <algorithm>
#include <cmath>

#include "core/units.hpp"
#include "report/sections.hpp"

namespace gaincal::report {
namespace {

constexpr double kMostShown = 5.0;  // of a figure, beside its value at the design's own condition

/// A value with the prefix of its unit.
std::string shown(double value, const std::string& unit) {
  if (std::isnan(value)) return "-";
  if (unit == "V/rtHz") return format_quantity(value, Unit::volt) + "/rtHz";
  for (const Unit known : {Unit::volt, Unit::coulomb, Unit::second, Unit::joule})
    if (unit == unit_symbol(known)) return format_quantity(value, known);
  return format_quantity(value, Unit::none);
}

struct Range {
  double own, least, most;
  std::size_t at_least = 0, at_most = 0;
};

Range range_of(const store::Quantity& quantity) {
  const std::vector<double>& values = quantity.values;
  Range range{values.at(0), values[0], values[0]};
  for (std::size_t k = 0; k < values.size(); ++k) {
    if (std::isnan(values[k])) continue;
    if (!(range.least <= values[k])) range.least = values[k], range.at_least = k;
    if (!(range.most >= values[k])) range.most = values[k], range.at_most = k;
  }
  return range;
}

/// The name in lines of about 22 letters, broken between words.
std::string wrapped(const std::string& name) {
  constexpr std::size_t kLine = 22;
  std::string text;
  std::size_t line = 0;
  for (std::size_t begin = 0; begin < name.size();) {
    const std::size_t end = std::min(name.find(' ', begin), name.size());
    if (line > 0) {
      const bool fits = line + 1 + end - begin <= kLine;
      text += fits ? ' ' : '\n';
      line = fits ? line + 1 : 0;
    }
    text.append(name, begin, end - begin);
    line += end - begin;
    begin = end + 1;
  }
  return text;
}

/// How far the figures of a circuit go over the conditions, as shares of what they are at its own.
Panel panel_of(const store::Table& table, const std::string& name) {
  Panel panel{table.name, name, "share of the own value", ""};
  BarGroup bars{"", Colour::table, {}, {}, {}, {}};
  for (const store::Quantity& quantity : table.quantities) {
    const Range range = range_of(quantity);
    const double one = range.least / range.own, other = range.most / range.own;
    const double low = std::min(one, other), high = std::max(one, other);
    if (!(low >= 0 && high <= kMostShown)) continue;
    panel.categories.push_back(wrapped(quantity.description));
    const double half = std::max(0.0, 0.01 - 0.5 * (high - low));  // what does not move stays visible
    bars.from.push_back(low - half);
    bars.to.push_back(high + half);
    bars.labels.push_back(shown(range.own, quantity.unit));
  }
  panel.bars = {std::move(bars)};
  return panel;
}

void add_rows(DataTable& table, const store::Table& circuit, const std::string& name) {
  const std::vector<std::string> conditions = labels_of(circuit);
  for (const store::Quantity& quantity : circuit.quantities) {
    const Range range = range_of(quantity);
    table.rows.push_back({name, quantity.description, DataTable::Cell(shown(range.own, quantity.unit), range.own),
                          DataTable::Cell(shown(range.least, quantity.unit), range.least), conditions[range.at_least],
                          DataTable::Cell(shown(range.most, quantity.unit), range.most), conditions[range.at_most]});
  }
}

Panel retention_of(const store::Table& table, const std::string& name) {
  Panel panel{table.name, "Retention of " + name, "age (s)", "stored voltage (V)", true};
  const store::Axis &starts = table.axis("v_store"), &ages = table.axis("age");
  const std::vector<double>& v_V = table.quantity("v_cell").values;
  for (std::size_t level = 0; level < starts.values.size(); ++level) {
    Series series{"", Series::Style::line, kLineColours[level % std::size(kLineColours)], ages.values, {}};
    for (std::size_t age = 0; age < ages.values.size(); ++age)
      series.y.push_back(v_V[level * ages.values.size() + age]);
    panel.series.push_back(std::move(series));
  }
  return panel;
}

}  // namespace

Section circuits_section(const Sources& sources) {
  Section section{"circuits", "Every circuit over corners and temperature"};
  Figure spread{
      "What each circuit does, as a share of its value at the design's own condition, which stands at the end of the "
      "bar: the bar reaches from the least to the largest over all corners and temperatures. Long bars are what a "
      "process must be watched for; figures that change sign or grow more than five times stand in the table alone.",
      {}};
  Figure retention{
      "Stored voltage over age, one line for each written level, with leak currents as they are: lines that stay flat "
      "keep their level. A cell whose lines meet has forgotten.",
      {}};
  DataTable table{"circuits_table",
                  "Figures of the circuits, and where they are least and most",
                  {"circuit", "figure", "own", "least", "at", "most", "at"},
                  {}};
  if (sources.circuits)
    for (const store::Table& each : sources.circuits->tables) {
      const std::string name = each.name.substr(each.name.find('_') + 1);
      if (each.name.starts_with("circuit_")) {
        spread.panels.push_back(panel_of(each, name));
        add_rows(table, each, name);
      } else if (each.name.starts_with("retention_")) {
        retention.panels.push_back(retention_of(each, name));
      }
    }
  if (spread.panels.empty()) {
    section.blocks.push_back(
        Missing{"figures of the circuits, circuits.h5", "gaincal netlist --self-test all --out DIR/circuits.h5"});
    return section;
  }
  section.blocks.push_back(std::move(spread));
  section.blocks.push_back(std::move(table));
  if (!retention.panels.empty()) section.blocks.push_back(std::move(retention));
  return section;
}

}  // namespace gaincal::report
