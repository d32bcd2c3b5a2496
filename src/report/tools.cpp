#include <cmath>
#include <iomanip>
#include <limits>
#include <sstream>

#include "report/sections.hpp"

namespace gaincal::report {

std::string fixed_text(double value, int digits) {
  if (std::isnan(value)) return "-";
  std::ostringstream text;
  text << std::fixed << std::setprecision(digits) << value;
  return text.str();
}

DataTable::Cell number_cell(double value, int digits) { return {fixed_text(value, digits), value}; }

const store::Table* find_table(const std::optional<store::Dataset>& file, const std::string& name) {
  return file && file->has_table(name) ? &file->table(name) : nullptr;
}

std::vector<std::string> labels_of(const store::Table& table) {
  const store::Axis& axis = table.axes.at(0);
  if (axis.labels.size() == axis.values.size()) return axis.labels;
  std::vector<std::string> labels;
  for (const double value : axis.values) labels.push_back(fixed_text(value, 0));
  return labels;
}

std::vector<double> values_or_none(const store::Table& table, const std::string& name) {
  for (const store::Quantity& quantity : table.quantities)
    if (quantity.name == name) return quantity.values;
  return std::vector<double>(table.points(), std::numeric_limits<double>::quiet_NaN());
}

BarGroup bars(const std::string& name, Colour colour, const std::vector<double>& values, int digits) {
  BarGroup group{name, colour, std::vector<double>(values.size(), 0.0), values, {}, {}};
  for (const double value : values) group.labels.push_back(fixed_text(value, digits));
  return group;
}

std::vector<double> scaled(std::vector<double> values, double factor) {
  for (double& value : values) value *= factor;
  return values;
}

Series histogram(const std::string& name, Colour colour, const std::vector<double>& values, int bins) {
  Series series{name, Series::Style::line, colour, {}, {}};
  double low = INFINITY, high = -INFINITY;
  std::size_t finite = 0;
  for (const double value : values)
    if (std::isfinite(value)) {
      low = std::fmin(low, value);
      high = std::fmax(high, value);
      ++finite;
    }
  if (finite == 0) return series;
  if (!(high > low)) high = low + std::fmax(1e-12, std::abs(low) * 1e-6);
  std::vector<double> counts(static_cast<std::size_t>(bins), 0.0);
  const double width = (high - low) / bins;
  for (const double value : values)
    if (std::isfinite(value))
      counts[std::min(counts.size() - 1, static_cast<std::size_t>((value - low) / width))] += 1.0;
  const auto corner = [&](double x, double y) {
    series.x.push_back(x);
    series.y.push_back(y);
  };
  corner(low, 0.0);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double share = 100.0 * counts[i] / static_cast<double>(finite);
    corner(low + width * static_cast<double>(i), share);
    corner(low + width * static_cast<double>(i + 1), share);
  }
  corner(high, 0.0);
  return series;
}

void add_sheet(Section& section, const energy::Sheet& sheet) {
  DataTable table{sheet.id, sheet.title, {}, {}};
  for (const energy::Sheet::Column& column : sheet.columns) table.columns.push_back(column.name);
  for (const auto& row : sheet.rows) {
    std::vector<DataTable::Cell> cells;
    for (std::size_t c = 0; c < row.size(); ++c) {
      const std::string text = energy::shown(sheet.columns[c], row[c]);
      if (const auto* number = std::get_if<double>(&row[c]))
        cells.emplace_back(text, *number);
      else
        cells.emplace_back(text);
    }
    table.rows.push_back(std::move(cells));
  }
  table.csv = energy::sheet_csv(sheet);
  section.blocks.push_back(std::move(table));
  for (const std::string& note : sheet.notes) section.blocks.push_back(Paragraph{note, true});
}

}  // namespace gaincal::report
