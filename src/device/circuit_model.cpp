#include "device/circuit_model.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace gaincal::device {
namespace {

/// Index of the interval of `knots` that holds x, and the place in it, 0..1; clamped at the ends.
struct Place {
  std::size_t interval;
  double fraction;
};
Place find_place(const std::vector<double>& knots, double x) {
  if (knots.size() < 2 || !(x > knots.front())) return {0, 0.0};
  if (x >= knots.back()) return {knots.size() - 2, 1.0};
  const std::size_t i = static_cast<std::size_t>(std::upper_bound(knots.begin(), knots.end(), x) - knots.begin()) - 1;
  return {i, (x - knots[i]) / (knots[i + 1] - knots[i])};
}

}  // namespace

double HardSigmoid::operator()(double q_C) const { return std::clamp(slope_s_per_C * (q_C - q0_C), 0.0, t_max_s); }

double ReadoutModel::hard_sigmoid_s(double q_C) const {
  if (is_signed && q_C < q_sign_C) return -negative(-q_C);
  return positive(q_C);
}

double ReadoutModel::value(double width_s) const {
  const HardSigmoid& side = width_s < 0 ? negative : positive;
  const double t0_s = std::max(0.0, -side.slope_s_per_C * side.q0_C);
  return std::copysign(std::clamp((std::abs(width_s) - t0_s) / (side.t_max_s - t0_s), 0.0, 1.0), width_s);
}

int count_of(double value, std::size_t counter_levels) {
  const int most = static_cast<int>(counter_levels / 2) - 1;
  const double counts = std::nearbyint(value * 0.5 * static_cast<double>(counter_levels - 1));
  return std::clamp(static_cast<int>(counts), -most, most);
}

std::array<double, 4> BitLineModel::coefficients(double full_pulses) const {
  std::array<double, 4> c{};
  full_pulses = std::min(full_pulses, full_pulses_max);
  for (std::size_t k = 0; k < c.size(); ++k)
    for (std::size_t j = coeff[k].size(); j-- > 0;) c[k] = c[k] * full_pulses + coeff[k][j];
  return c;
}

double BitLineModel::collected_charge_C(double q_C, double full_pulses) const {
  constexpr double kC_per_fC = 1e-15;
  const std::array<double, 4> c = coefficients(full_pulses);
  const double q_fC = std::clamp(q_C, q_min_C, q_max_C) / kC_per_fC;
  return kC_per_fC * (c[0] + q_fC * (c[1] + q_fC * (c[2] + q_fC * c[3])));
}

double LeakModel::voltage_V(double v_start_V, double at_age_s) const {
  assert(!age_s.empty() && v_V.size() == age_s.size() * v0_V.size() && "the table is filled");
  const Place row = find_place(v0_V, v_start_V), column = find_place(age_s, at_age_s);
  const std::size_t next_row = std::min(row.interval + 1, v0_V.size() - 1);
  const std::size_t next_column = std::min(column.interval + 1, age_s.size() - 1);
  const auto along_age = [&](std::size_t start) {
    const double* v = &v_V[start * age_s.size()];
    return (1 - column.fraction) * v[column.interval] + column.fraction * v[next_column];
  };
  return (1 - row.fraction) * along_age(row.interval) + row.fraction * along_age(next_row);
}

double LeakModel::exponential_V(double v_start_V, double at_age_s) const {
  return v_inf_V + (v_start_V - v_inf_V) * std::exp(-at_age_s / tau_s);
}

}  // namespace gaincal::device
