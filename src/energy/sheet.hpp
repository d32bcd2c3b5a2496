#pragma once

#include <iosfwd>
#include <string>
#include <variant>
#include <vector>

#include "core/units.hpp"
#include "store/table.hpp"

namespace gaincal::energy {

/// A table of results as the terminal, a CSV file, HDF5 and the report show it.
struct Sheet {
  struct Column {
    std::string name;
    Unit unit = Unit::none;
    bool is_text = false;
  };
  using Cell = std::variant<double, std::string>;  ///< SI; NaN: no value

  std::string id;     ///< lower case and '_': file and table names
  std::string title;  ///< what it shows
  std::vector<Column> columns;
  std::vector<std::vector<Cell>> rows;
  std::vector<std::string> notes = {};  ///< what to know about the figures
};

/// A cell as people read it: 3 digits, prefix and unit; areas in mm2; "-" for NaN.
std::string shown(const Sheet::Column& column, const Sheet::Cell& cell);

/// Aligned columns; long text columns come last on the line.
void print_sheet(std::ostream& stream, const Sheet& sheet);

/// Header `name [unit]`, SI numbers with 10 digits.
std::string sheet_csv(const Sheet& sheet);

/// Rows as an axis `row` with the first text column as labels, numbers as quantities. Other text columns become
/// attributes `<id>: <column>` of the dataset, one line a row.
void add_sheet(store::Dataset& dataset, const Sheet& sheet);

}  // namespace gaincal::energy
