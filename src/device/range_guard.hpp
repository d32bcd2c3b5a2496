#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/units.hpp"

namespace gaincal::device {

/// Keeps queries of a model inside what was fitted: outside it the nearer end is taken and counted, or refused.
class RangeGuard {
 public:
  explicit RangeGuard(bool strict = false) : strict_(strict) {}

  /// x, or the nearer of low and high (rounding of either is let through).
  ///
  /// Throws  Error naming quantity, value and range where x lies outside and the guard is strict
  double inside(std::string_view quantity, Unit unit, double x, double low, double high);

  std::size_t queries() const { return queries_; }
  std::size_t clamped() const;
  /// "12 of 4096 queries outside the fitted range were clamped: age up to 6 ms (fitted to 5 ms)"; empty where none was.
  std::string summary() const;

 private:
  struct Outside {
    std::string quantity;
    Unit unit;
    std::size_t count = 0;
    double lowest, highest;  ///< of the values outside
    double low, high;        ///< fitted range
  };
  bool strict_;
  std::size_t queries_ = 0;
  std::vector<Outside> outside_;
};

}  // namespace gaincal::device
