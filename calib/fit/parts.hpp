#pragma once

// The parts of fit_circuit: each fits one part of the model from its tables and appends its outcomes.
#include <vector>

#include "fit/design_facts.hpp"
#include "fit/outcome.hpp"
#include "store/table.hpp"

namespace gaincal::fit {

/// Centre of the cubic: zero weight of the paper's cell (Leroux 2025).
inline constexpr double kZeroWeight_V = 0.45;

/// Read charge from `cell_read`: for each stored voltage v a straight line over the pulse width x,
///
///   q_C(v, x) = x i(v) + a(v),
///
/// then i and a over v as a monotone curve through the values, and over all points at once as the paper's cubic about
/// kZeroWeight_V and in further forms (`forms`); the one that predicts best is what the model evaluates.
device::CellModel fit_cell(const store::Dataset& dataset, const DesignFacts& facts, std::vector<Outcome>& outcomes,
                           std::vector<device::FormScore>& forms);

/// Read energy from `cell_read`, supply and word lines together: e_J(v, x) = e_edge(v) + p(v) x, as for the charge.
device::ReadEnergyModel fit_read_energy(const store::Dataset& dataset, std::vector<Outcome>& outcomes);

/// A converter from `readout_unsigned` or `readout_signed`; the form that predicts best is what the model evaluates.
device::ReadoutModel fit_readout(const store::Dataset& dataset, bool is_signed, const DesignFacts& facts,
                                 std::vector<Outcome>& outcomes, std::vector<device::FormScore>& forms);

/// Clamped line through (q, t), least squares by alternating between the choice of the points on its sloping part and
/// the line through them; saturation is the mean of the points beyond.
///
/// q_C, t_s         (points) finite
/// t_pulse_max_s    saturation where no point shows it
struct HardSigmoidFit {
  FitStatus status = FitStatus::too_few_points;
  device::HardSigmoid sigmoid;
  bool saturates = false;  ///< a point shows the saturated width
};
HardSigmoidFit fit_hard_sigmoid(const std::vector<double>& q_C, const std::vector<double>& t_s, double t_pulse_max_s);

/// Stored voltages from `cell_write`.
device::WriteModel fit_write(const store::Dataset& dataset, std::vector<Outcome>& outcomes);

/// Retention from `cell_leak`: one exponential for all starts, a stretched one, and the table itself; the form that
/// predicts best is what the model evaluates.
device::LeakModel fit_leak(const store::Dataset& dataset, std::vector<Outcome>& outcomes,
                           std::vector<device::FormScore>& forms);

/// A bit line from `bit_line_score` or `bit_line_output` and the cell that was fitted before; one that holds still
/// where the table is missing. The form that predicts best is what the model evaluates, clamped to the charges that
/// were fitted.
device::BitLineModel fit_bit_line(const store::Dataset& dataset, bool is_signed, const device::CellModel& cell,
                                  std::vector<Outcome>& outcomes, std::vector<device::FormScore>& forms);

/// Mismatch from `cell_mismatch`, `readout_unsigned_mismatch` and `readout_signed_mismatch`; none where they are not
/// there. Over the stored voltages the variance of the charge of the longest read follows
///
///   var q(v) = gain_sigma^2 q(v)^2 + (offset_sigma t_max)^2,   neither below 0;
///
/// that of a converter is the root mean square, over its charges, of its width's through the slope of its HardSigmoid.
device::MismatchModel fit_mismatch(const store::Dataset& dataset, const device::CircuitModel& model,
                                   std::vector<Outcome>& outcomes);

}  // namespace gaincal::fit
