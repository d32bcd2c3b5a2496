#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "report/sections.hpp"

namespace gaincal::report {
namespace {

using Style = Series::Style;

constexpr double kFemto = 1e15, kPico = 1e12;
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

void add_columns(Figure& figure, const store::Table& table, const std::string& id, const std::string& title) {
  const auto scaled = [&](const char* name, double factor) {
    std::vector<double> values = table.quantity(name).values;
    for (double& value : values) value *= factor;
    return values;
  };
  const std::vector<double> q_spice = scaled("q_spice", kFemto), q_model = scaled("q_model", kFemto);
  std::vector<double> difference;
  const std::vector<double>&t_spice = table.quantity("t_spice").values, &t_model = table.quantity("t_model").values;
  double low = kNone, high = kNone;
  for (std::size_t i = 0; i < t_spice.size(); ++i) {
    difference.push_back((t_model[i] - t_spice[i]) * kPico);
    low = std::fmin(low, std::fmin(q_spice[i], q_model[i]));
    high = std::fmax(high, std::fmax(q_spice[i], q_model[i]));
  }
  figure.panels.push_back({"column_" + id,
                           title + ": charge of whole columns",
                           "SPICE (fC)",
                           "sum of the fitted cells (fC)",
                           false,
                           {{"equal", Style::thin_line, Colour::muted, {low, high}, {low, high}},
                            {"a column", Style::open_points, Colour::table, q_spice, q_model}}});
  figure.panels.push_back({"column_" + id + "_width",
                           title + ": model minus SPICE",
                           "charge (fC)",
                           "width (ps)",
                           false,
                           {{"exact", Style::thin_line, Colour::muted, {low, high}, {0, 0}},
                            {"a column", Style::open_points, Colour::table, q_spice, difference}}});
}

std::vector<double> width_errors_ps(const store::Table& table) {
  const std::vector<double>&spice = table.quantity("t_spice").values, &model = table.quantity("t_model").values;
  std::vector<double> errors;
  for (std::size_t i = 0; i < spice.size(); ++i) errors.push_back((model[i] - spice[i]) * kPico);
  return errors;
}

std::vector<DataTable::Cell> error_row(const std::string& name, const std::vector<double>& errors) {
  double sum = 0.0, squares = 0.0, largest = 0.0, count = 0.0;
  for (const double error : errors) {
    if (std::isnan(error)) continue;
    sum += error;
    squares += error * error;
    largest = std::max(largest, std::abs(error));
    count += 1.0;
  }
  return {name, number_cell(count, 0), number_cell(sum / count, 1), number_cell(std::sqrt(squares / count), 1),
          number_cell(largest, 1)};
}

}  // namespace

Section column_section(const Sources& sources) {
  Section section{"columns", "Columns of transistors against the model"};
  Figure figure{
      "Each point is a column of cells with random operands and its converter, simulated as one circuit of "
      "transistors, against the sum of the fitted parts. On the diagonal the charges agree; the right-hand "
      "panels show what is left in the width of the pulse, and the last one how often. One step of the pulses is about "
      "1 ns.",
      {}};
  Panel errors{"column_errors", "Error of the width", "model minus SPICE (ps)", "share of columns (%)"};
  DataTable table{"column_errors_table",
                  "Model minus SPICE over the columns",
                  {"converter", "columns", "mean (ps)", "rms (ps)", "largest (ps)"},
                  {}};
  for (const auto& [id, title, colour] :
       {std::tuple{"score", "Unsigned", Colour::table}, std::tuple{"output", "Signed", Colour::held_out}}) {
    const std::string name = std::string("column_") + id;
    const store::Table* columns = find_table(sources.verify, name);
    if (columns == nullptr) columns = find_table(sources.results, name);
    if (columns == nullptr) continue;
    add_columns(figure, *columns, id, title);
    const std::vector<double> error = width_errors_ps(*columns);
    errors.series.push_back(histogram(title, colour, error, 12));
    table.rows.push_back(error_row(title, error));
  }
  if (figure.panels.empty()) {
    section.blocks.push_back(Missing{"the column check of results.h5, or verify.h5", kFlow});
    return section;
  }
  figure.panels.push_back(std::move(errors));
  section.blocks.push_back(std::move(figure));
  section.blocks.push_back(std::move(table));
  return section;
}

}  // namespace gaincal::report
