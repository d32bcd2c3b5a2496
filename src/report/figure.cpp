#include "report/figure.hpp"

#include <cmath>
#include <iomanip>
#include <sstream>

namespace gaincal::report {

std::string csv_quoted(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string result = "\"";
  for (const char letter : text) {
    if (letter == '"') result += '"';
    result += letter;
  }
  return result + '"';
}

std::string csv_of(const Panel& panel) {
  std::ostringstream text;
  text << std::setprecision(10);
  if (!panel.categories.empty()) {
    text << "group,category,from," << csv_quoted(panel.x_label) << "\n";
    for (const BarGroup& group : panel.bars)
      for (std::size_t i = 0; i < panel.categories.size(); ++i)
        if (!std::isnan(group.to[i]))
          text << csv_quoted(group.name) << "," << csv_quoted(panel.categories[i]) << "," << group.from[i] << ","
               << group.to[i] << "\n";
    return text.str();
  }
  text << "series," << csv_quoted(panel.x_label) << "," << csv_quoted(panel.y_label) << "\n";
  for (const Series& series : panel.series)
    for (std::size_t i = 0; i < series.x.size(); ++i)
      if (!std::isnan(series.y[i])) text << csv_quoted(series.name) << "," << series.x[i] << "," << series.y[i] << "\n";
  return text.str();
}

}  // namespace gaincal::report
