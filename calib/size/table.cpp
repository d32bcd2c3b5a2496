#include <cmath>
#include <iomanip>
#include <ostream>

#include "size/size.hpp"

namespace gaincal::size {
namespace {

constexpr int kName = 26, kColumn = 14;

std::string value_text(const Figure& figure, double value) { return format_quantity(value, figure.unit); }

/// Figures that were simulated.
std::vector<std::size_t> shown(const Sizing& sizing) {
  std::vector<std::size_t> list;
  for (std::size_t f = 0; f < figures().size(); ++f)
    if (sizing.figures[f] == sizing.figures[f]) list.push_back(f);
  return list;
}

/// The corner that is farthest on the wrong side of the target of a figure, or the largest (smallest) without one; the
/// number of corners where none could be simulated.
std::size_t worst_corner(const Problem& problem, std::size_t f, const CornerFigures& corners) {
  const auto badness = [&](std::size_t k) {
    const double value = corners.measured[k].values[f];
    for (const Target& target : problem.targets)
      if (target.figure == f)
        return target.relation == Relation::equal     ? std::abs(target.offset(value))
               : target.relation == Relation::at_most ? target.offset(value)
                                                      : -target.offset(value);
    return figures()[f].smallest_is_worst ? -value : value;
  };
  std::size_t worst = corners.corners.size();
  for (std::size_t k = 0; k < corners.corners.size(); ++k)
    if (corners.measured[k].failure.empty() && (worst == corners.corners.size() || badness(k) > badness(worst)))
      worst = k;
  return worst;
}

void cell(std::ostream& stream, const std::string& text) { stream << std::right << std::setw(kColumn) << text; }
void name(std::ostream& stream, const std::string& text) { stream << "  " << std::left << std::setw(kName) << text; }

}  // namespace

void print_sizing(std::ostream& stream, const Problem& problem, const std::vector<double>& before, const Sizing& sizing,
                  const CornerFigures& corners) {
  name(stream, "size");
  for (const char* heading : {"design", "sized", "from", "to"}) cell(stream, heading);
  stream << "\n";
  for (std::size_t k = 0; k < problem.variables.size(); ++k) {
    const Variable& variable = problem.variables[k];
    name(stream, variable.key);
    for (const double value : {variable.start, sizing.sizes[k], variable.low, variable.high})
      cell(stream, format_quantity(value, variable.unit));
    stream << "\n";
  }
  for (std::size_t k = problem.variables.size(); k < sizing.assignments.size(); ++k) {
    const std::size_t equals = sizing.assignments[k].find('=');
    name(stream, sizing.assignments[k].substr(0, equals));
    cell(stream, "calibrated");
    cell(stream, sizing.assignments[k].substr(equals + 1));
    stream << "\n";
  }
  stream << "\n";
  name(stream, "figure");
  for (const char* heading : {"design", "sized", "worst corner"}) cell(stream, heading);
  stream << "  at  target\n";
  for (const std::size_t f : shown(sizing)) {
    const Figure& figure = figures()[f];
    const std::size_t worst = worst_corner(problem, f, corners);
    name(stream, figure.name);
    cell(stream, value_text(figure, before[f]));
    cell(stream, value_text(figure, sizing.figures[f]));
    cell(stream, worst == corners.corners.size() ? "-" : value_text(figure, corners.measured[worst].values[f]));
    stream << "  " << std::left << std::setw(2) << (worst == corners.corners.size() ? "-" : corners.corners[worst]);
    for (const Target& target : problem.targets)
      if (target.figure == f)
        stream << "  " << target.text()
               << (target.distance(sizing.figures[f]) <= problem.tolerance ? "  met" : "  MISSED");
    stream << "\n";
  }
  for (std::size_t k = 0; k < corners.corners.size(); ++k)
    if (!corners.measured[k].failure.empty())
      stream << "  corner " << corners.corners[k] << " failed: " << corners.measured[k].failure << "\n";
}

void print_trade(std::ostream& stream, const Problem& problem, const Target& traded,
                 const std::vector<std::pair<double, Sizing>>& sizings) {
  if (sizings.empty()) return;
  stream << "Trade-off over " << figures()[traded.figure].name << ", the other targets as above\n";
  name(stream, "");
  for (const auto& [value, sizing] : sizings) cell(stream, value_text(figures()[traded.figure], value));
  stream << "\n";
  name(stream, "targets");
  for (const auto& [value, sizing] : sizings) cell(stream, sizing.met ? "met" : "MISSED");
  stream << "\n";
  for (std::size_t k = 0; k < problem.variables.size(); ++k) {
    name(stream, problem.variables[k].key);
    for (const auto& [value, sizing] : sizings)
      cell(stream, format_quantity(sizing.sizes[k], problem.variables[k].unit));
    stream << "\n";
  }
  for (const std::size_t f : shown(sizings.front().second)) {
    name(stream, figures()[f].name);
    for (const auto& [value, sizing] : sizings) cell(stream, value_text(figures()[f], sizing.figures[f]));
    stream << "\n";
  }
}

}  // namespace gaincal::size
