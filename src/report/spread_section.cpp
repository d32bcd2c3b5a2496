#include <algorithm>
#include <cmath>
#include <map>

#include "energy/tokens.hpp"
#include "report/sections.hpp"

namespace gaincal::report {
namespace {

using Style = Series::Style;

constexpr double kFemto = 1e15;

std::size_t axis_index(const store::Table& table, const std::string& name) {
  for (std::size_t i = 0; i < table.axes.size(); ++i)
    if (table.axes[i].name == name) return i;
  return table.axes.size();
}

/// The table of reads with these two axes, or null.
const store::Table* reads_over(const std::optional<store::Dataset>& file, const std::string& axis) {
  if (!file) return nullptr;
  for (const store::Table& table : file->tables) {
    bool has_charge = false;
    for (const store::Quantity& quantity : table.quantities) has_charge = has_charge || quantity.name == "q_bl";
    if (has_charge && axis_index(table, axis) < table.axes.size() && axis_index(table, "v_store") < table.axes.size())
      return &table;
  }
  return nullptr;
}

/// Place of each point on each axis, visited in order.
template <typename Visit>
void each_point(const store::Table& table, const Visit& visit) {
  std::vector<std::size_t> place(table.axes.size(), 0);
  for (std::size_t point = 0; point < table.points(); ++point) {
    visit(point, place);
    for (std::size_t axis = table.axes.size(); axis-- > 0;) {
      if (++place[axis] < table.axes[axis].values.size()) break;
      place[axis] = 0;
    }
  }
}

std::string label_at(const store::Axis& axis, std::size_t i) {
  return axis.labels.size() == axis.values.size() ? axis.labels[i] : fixed_text(axis.values[i], 0);
}

/// Charge of the longest read over the stored voltage: a line for each place of `axis`, at the middle of the others.
Panel lines_over(const store::Table& table, const std::string& axis, const std::string& id, const std::string& title,
                 const std::string& unit) {
  Panel panel{id, title, "stored voltage (V)", "charge (fC)"};
  const std::size_t v = axis_index(table, "v_store"), over = axis_index(table, axis), t = axis_index(table, "t_pulse");
  const std::vector<double>& charge = table.quantity("q_bl").values;
  std::map<std::size_t, Series> lines;
  each_point(table, [&](std::size_t point, const std::vector<std::size_t>& place) {
    for (std::size_t i = 0; i < place.size(); ++i) {
      const std::size_t count = table.axes[i].values.size();
      if (i != v && i != over && place[i] != (i == t ? count - 1 : axis == "corner" ? count / 2 : 0)) return;
    }
    Series& line = lines[place[over]];
    line.name = label_at(table.axes[over], place[over]) + unit;
    line.colour = kLineColours[place[over] % std::size(kLineColours)];
    line.x.push_back(table.axes[v].values[place[v]]);
    line.y.push_back(charge[point] * kFemto);
  });
  for (auto& [place, line] : lines) panel.series.push_back(std::move(line));
  return panel;
}

/// Percentiles of the charge between the samples, over the stored voltage.
Panel fan(const store::Table& table, DataTable& spread) {
  Panel panel{"mismatch_fan", "Read charge between chips and cells", "stored voltage (V)", "charge (fC)"};
  const std::size_t v = axis_index(table, "v_store"), t = axis_index(table, "t_pulse");
  const std::vector<double>& charge = table.quantity("q_bl").values;
  std::map<std::size_t, std::vector<double>> samples;
  each_point(table, [&](std::size_t point, const std::vector<std::size_t>& place) {
    if (t < place.size() && place[t] + 1 != table.axes[t].values.size()) return;
    if (std::isfinite(charge[point])) samples[place[v]].push_back(charge[point] * kFemto);
  });
  struct Quantile {
    const char* name;
    double share;
    Style style;
    Colour colour;
  };
  constexpr Quantile kQuantiles[] = {{"1 % and 99 %", 0.01, Style::thin_line, Colour::muted},
                                     {"", 0.99, Style::thin_line, Colour::muted},
                                     {"16 % and 84 %", 0.16, Style::dashed, Colour::table},
                                     {"", 0.84, Style::dashed, Colour::table},
                                     {"median", 0.5, Style::line, Colour::spice}};
  for (const Quantile& quantile : kQuantiles) {
    Series series{quantile.name, quantile.style, quantile.colour, {}, {}};
    for (const auto& [place, values] : samples) {
      series.x.push_back(table.axes[v].values[place]);
      series.y.push_back(energy::percentile(values, quantile.share));
    }
    panel.series.push_back(std::move(series));
  }
  for (const auto& [place, values] : samples) {
    double mean = 0.0, square = 0.0;
    for (const double value : values) mean += value / static_cast<double>(values.size());
    for (const double value : values) square += (value - mean) * (value - mean);
    const double sigma = values.size() > 1 ? std::sqrt(square / static_cast<double>(values.size() - 1)) : 0.0;
    spread.rows.push_back({number_cell(table.axes[v].values[place], 3), number_cell(mean, 3), number_cell(sigma, 3),
                           number_cell(static_cast<double>(values.size()), 0)});
  }
  return panel;
}

}  // namespace

Section spread_section(const Sources& sources) {
  Section section{"spread", "Corners and mismatch"};
  const store::Table* corners = reads_over(sources.corners, "corner");
  const store::Table* mismatch = reads_over(sources.mismatch, "sample");
  if (corners != nullptr) {
    Figure figure{
        "Charge of the longest read over the stored voltage, at each process corner and, where it was swept, each "
        "temperature. Corners in which the two kinds of transistor differ move the voltage at which a cell weighs "
        "nothing; the others change how strong it is.",
        {lines_over(*corners, "corner", "corner_charge", "Read charge by corner", "")}};
    if (axis_index(*corners, "temperature") < corners->axes.size())
      figure.panels.push_back(
          lines_over(*corners, "temperature", "temperature_charge", "Read charge by temperature", " degC"));
    section.blocks.push_back(std::move(figure));
  } else {
    section.blocks.push_back(Missing{"reads over corners, corners/dataset.h5",
                                     "gaincal sweep data/plans/gain_cell_corners.toml --out DIR/corners"});
  }
  if (mismatch != nullptr) {
    DataTable table{"mismatch_spread",
                    "Spread of the read charge between samples",
                    {"stored voltage (V)", "mean (fC)", "sigma (fC)", "samples"},
                    {}};
    Panel panel = fan(*mismatch, table);
    section.blocks.push_back(Figure{
        "Charge of a read in Monte Carlo samples, which differ in the thresholds and strengths of their transistors: "
        "68 % of them lie between the dashed lines, 98 % between the thin ones. Where the fan crosses zero charge, the "
        "sign of a weak weight is left to chance.",
        {std::move(panel)}});
    section.blocks.push_back(std::move(table));
  } else {
    section.blocks.push_back(Missing{"Monte Carlo samples of the cell, mismatch/dataset.h5",
                                     "gaincal sweep data/plans/gain_cell_monte_carlo.toml --out DIR/mismatch"});
  }
  return section;
}

}  // namespace gaincal::report
