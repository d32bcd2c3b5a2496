#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace gaincal::report {

/// Colours by role, so that one thing has one colour in every figure.
enum class Colour { spice, held_out, table, closed_form, accent, muted };

/// Points or a line; x and y of equal length in the units of the panel's labels; NaN leaves a gap.
struct Series {
  enum class Style { points, open_points, line, dashed, thin_line };
  std::string name;  ///< in the key; empty: not in the key
  Style style = Style::line;
  Colour colour = Colour::table;
  std::vector<double> x, y;
};

/// Horizontal bars, one for each category of the panel; NaN leaves one out.
struct BarGroup {
  std::string name;
  Colour colour = Colour::table;
  std::vector<double> from, to;     ///< (categories)
  std::vector<double> error = {};   ///< (categories) half length of an error bar, or empty
  std::vector<std::string> labels;  ///< (categories) written at the end of the bar
};

/// One coordinate system: curves, or bars over named categories.
struct Panel {
  std::string id;  ///< lower case and '_': names of files and of elements in the page
  std::string title;
  std::string x_label, y_label;  ///< with units
  bool log_x = false;
  std::vector<Series> series = {};
  std::vector<std::string> categories = {};  ///< non-empty: bars, from top to bottom
  std::vector<BarGroup> bars = {};
  bool log_y = false;
};

/// Panels side by side under one caption, which says what to see.
struct Figure {
  std::string caption;
  std::vector<Panel> panels;
};

/// The data of a panel as comma-separated values with one header line: series, x, y; of bars: group, category, from,
/// to. Texts are quoted where needed; numbers have 10 digits.
std::string csv_of(const Panel& panel);

/// A text as a CSV field, in quotes where it needs them.
std::string csv_quoted(const std::string& text);

}  // namespace gaincal::report
