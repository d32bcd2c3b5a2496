#pragma once

#include <utility>
#include <vector>

#include "device/circuit_model.hpp"

namespace gaincal::device {

/// Weights of the values of an axis at x: of the parabola through the three nearest points, of the line through two.
/// Exactly 1 for a point of the axis. Points of no weight are left out.
///
/// points  rising, at least one   x  within them
std::vector<std::pair<std::size_t, double>> interpolation_weights(const std::vector<double>& points, double x);

/// A model and its weight.
struct Share {
  double weight = 0.0;
  const CircuitModel* model = nullptr;
};

/// The weighted mean of models of one circuit, part by part: curves at the knots of all of them, coefficients one by
/// one. Two parts are smoother in another coordinate and are taken there:
///
///   signed converter   over the charge from its sign threshold, so that the jump moves as a whole
///   retention          the rate of leaking, as a geometric mean by voltage, as leakage is exponential in the
///                      temperature; a cell then passes the voltages of the fastest model at its own speed
///
/// shares  weights sum to 1; the first model gives what all share: sizes, bit lines, mismatch, phases, constants
CircuitModel blend(const std::vector<Share>& shares);

}  // namespace gaincal::device
