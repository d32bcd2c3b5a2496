#include "device/range_guard.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"

namespace gaincal::device {
namespace {

constexpr double kRounding = 1e-9;  // of the range: no query is outside by that

std::string range_text(double low, double high, Unit unit) {
  return format_quantity(low, unit) + " to " + format_quantity(high, unit);
}

}  // namespace

double RangeGuard::inside(std::string_view quantity, Unit unit, double x, double low, double high) {
  ++queries_;
  const double slack = kRounding * std::max({std::abs(low), std::abs(high), high - low});
  if (x >= low - slack && x <= high + slack) return std::clamp(x, low, high);
  if (strict_)
    throw Error(std::string(quantity) + " " + format_quantity(x, unit) + " lies outside the fitted range " +
                range_text(low, high, unit) + "; sweep further, or leave out --strict to take the nearer end");
  auto place =
      std::find_if(outside_.begin(), outside_.end(), [&](const Outside& each) { return each.quantity == quantity; });
  if (place == outside_.end()) place = outside_.insert(place, {std::string(quantity), unit, 0, x, x, low, high});
  ++place->count;
  place->lowest = std::min(place->lowest, x);
  place->highest = std::max(place->highest, x);
  return x < low ? low : high;
}

std::size_t RangeGuard::clamped() const {
  std::size_t count = 0;
  for (const Outside& each : outside_) count += each.count;
  return count;
}

std::string RangeGuard::summary() const {
  if (outside_.empty()) return "";
  std::string text = std::to_string(clamped()) + " of " + std::to_string(queries_) +
                     (queries_ == 1 ? " query" : " queries") + " outside the fitted range clamped to it:";
  const char* separator = " ";
  for (const Outside& each : outside_) {
    text += separator + each.quantity + " ";
    if (each.lowest < each.low) text += "down to " + format_quantity(each.lowest, each.unit);
    if (each.lowest < each.low && each.highest > each.high) text += " and ";
    if (each.highest > each.high) text += "up to " + format_quantity(each.highest, each.unit);
    text += " (fitted " + range_text(each.low, each.high, each.unit) + ")";
    separator = ", ";
  }
  return text;
}

}  // namespace gaincal::device
