#include "energy/sheet.hpp"

#include <cmath>
#include <iomanip>
#include <ostream>
#include <sstream>

namespace gaincal::energy {
namespace {

constexpr double kMm2 = 1e6;

std::string csv_text(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string result = "\"";
  for (const char letter : text) result += letter == '"' ? std::string("\"\"") : std::string(1, letter);
  return result + '"';
}

}  // namespace

std::string shown(const Sheet::Column& column, const Sheet::Cell& cell) {
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  const double value = std::get<double>(cell);
  if (std::isnan(value)) return "-";
  if (column.unit == Unit::square_metre) return format_quantity(value * kMm2, Unit::none, 3) + " mm2";
  if (column.unit == Unit::none && std::abs(value) >= 1000.0) {
    if (std::abs(value) < 1e6) return std::to_string(std::llround(value));
    const std::string hertz = format_quantity(value, Unit::hertz, 3);  // for its prefix
    return hertz.substr(0, hertz.size() - 2);
  }
  return format_quantity(value, column.unit, 3);
}

void print_sheet(std::ostream& stream, const Sheet& sheet) {
  constexpr std::size_t kWidest = 70;  // longer texts stand below the table
  std::vector<std::size_t> width;
  for (std::size_t c = 0; c < sheet.columns.size(); ++c) {
    width.push_back(sheet.columns[c].name.size());
    for (const auto& row : sheet.rows) width[c] = std::max(width[c], shown(sheet.columns[c], row[c]).size());
  }
  const auto line = [&](const auto& text) {
    std::string all = " ";
    for (std::size_t c = 0; c < sheet.columns.size(); ++c) {
      if (width[c] > kWidest) continue;
      const std::string cell = text(c);
      const std::string fill(width[c] - std::min(width[c], cell.size()), ' ');
      all += ' ';
      all += sheet.columns[c].is_text ? cell + fill : fill + cell;
      all += ' ';
    }
    all.erase(all.find_last_not_of(' ') + 1);
    stream << all << "\n";
  };
  stream << sheet.title << "\n";
  line([&](std::size_t c) { return sheet.columns[c].name; });
  for (const auto& row : sheet.rows) line([&](std::size_t c) { return shown(sheet.columns[c], row[c]); });
  for (std::size_t c = 0; c < sheet.columns.size(); ++c)
    for (const auto& row : sheet.rows)
      if (width[c] > kWidest && row[c] != row[0])
        stream << "  " << shown(sheet.columns[0], row[0]) << ", " << sheet.columns[c].name << ": "
               << shown(sheet.columns[c], row[c]) << "\n";
  for (const std::string& note : sheet.notes) stream << "  " << note << "\n";
}

std::string sheet_csv(const Sheet& sheet) {
  std::ostringstream text;
  text << std::setprecision(10);
  for (std::size_t c = 0; c < sheet.columns.size(); ++c) {
    const std::string unit(unit_symbol(sheet.columns[c].unit));
    text << (c > 0 ? "," : "") << csv_text(sheet.columns[c].name + (unit.empty() ? "" : " [" + unit + "]"));
  }
  text << "\n";
  for (const auto& row : sheet.rows) {
    for (std::size_t c = 0; c < row.size(); ++c) {
      if (c > 0) text << ",";
      if (const auto* word = std::get_if<std::string>(&row[c]))
        text << csv_text(*word);
      else if (!std::isnan(std::get<double>(row[c])))
        text << std::get<double>(row[c]);
    }
    text << "\n";
  }
  return text.str();
}

void add_sheet(store::Dataset& dataset, const Sheet& sheet) {
  store::Table table;
  table.name = sheet.id;
  table.description = sheet.title;
  store::Axis rows{"row", "1", {}, {}, ""};
  for (std::size_t r = 0; r < sheet.rows.size(); ++r) rows.values.push_back(static_cast<double>(r));
  for (std::size_t c = 0; c < sheet.columns.size(); ++c) {
    const Sheet::Column& column = sheet.columns[c];
    if (!column.is_text) {
      const std::string unit(unit_symbol(column.unit));
      store::Quantity quantity{column.name, unit.empty() ? "1" : unit, "", {}};
      for (const auto& row : sheet.rows) quantity.values.push_back(std::get<double>(row[c]));
      table.quantities.push_back(std::move(quantity));
      continue;
    }
    std::string lines;
    std::vector<std::string> words;
    for (const auto& row : sheet.rows) {
      words.push_back(std::get<std::string>(row[c]));
      lines += words.back() + "\n";
    }
    if (rows.labels.empty()) {
      rows.labels = words;
      rows.description = column.name;
    } else {
      dataset.attributes[sheet.id + ": " + column.name] = lines;
    }
  }
  table.axes = {rows};
  dataset.tables.push_back(std::move(table));
}

}  // namespace gaincal::energy
