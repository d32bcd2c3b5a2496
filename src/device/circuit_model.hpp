#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "device/curve.hpp"

namespace gaincal::device {

/// Residuals of a fitted form against SPICE, in the unit of the fitted quantity.
struct FitQuality {
  double rms = 0.0;  ///< on the points that the fit saw
  double max = 0.0;
  double held_out_rms = 0.0;  ///< on points that it did not see
  double held_out_max = 0.0;
  double full_scale = 0.0;  ///< what the residuals are to be compared with
  std::size_t points = 0;
  std::size_t held_out_points = 0;
};

/// A fitted coefficient. The interval takes the residuals for independent: it says how well the points hold the
/// coefficient, not how well the form suits the circuit.
struct Coefficient {
  std::string name, unit;
  double value = 0.0;
  double half_width = 0.0;  ///< of the 95 % confidence interval; NaN where the points do not determine it
};

/// The points that a form was compared on, for plots of its residuals.
struct FormPoints {
  std::string x_unit, y_unit;  ///< SI
  std::vector<double> x, y;    ///< arguments; y: zeros where there is one
  std::vector<double> simulated, predicted;
  std::vector<std::uint8_t> held_out;  ///< 1: the fit did not see the point
};

/// One form that was tried for one quantity.
struct FormScore {
  std::string quantity;  ///< "cell charge"
  std::string form;      ///< "polynomial 3"
  std::string unit;      ///< of the residuals
  std::string status;    ///< "converged", or why there is no fit
  bool selected = false;
  bool overfitted = false;  ///< held-out error far above that on the points that the fit saw
  FitQuality quality;
  std::size_t parameters = 0;
  /// Akaike's criterion, corrected for few points; NaN where a form has as many parameters as points.
  double aic = 0.0;
  /// Held-out rms with the points weighted as a run uses them; NaN where no operands were captured.
  double operand_rms = std::numeric_limits<double>::quiet_NaN();
  std::vector<Coefficient> coefficients;  ///< of closed forms
  FormPoints points;                      ///< of the selected form
};

/// Charge that one read pulls off the bit line: q_C = x_s i(v) + a(v) for x_s > 0, and 0 for x_s = 0.
///
/// Positive charge lowers the bit line and counts as positive weight. v is the stored voltage, x_s the pulse width.
struct CellModel {
  Cubic i_cubic_A, a_cubic_C;  ///< the paper's form
  /// What is evaluated: through the fitted slope and edge charge at each simulated voltage, or through finely sampled
  /// values of a closed form where that predicts unseen points better.
  MonotoneCurve i_table_A, a_table_C;
  FitQuality cubic_quality, table_quality;  ///< of the charge, C
  double v_min_V = 0.0, v_max_V = 0.0;      ///< fitted range
  double t_pulse_max_s = 0.0;               ///< Tmax

  /// With the table form. v clamped to the fitted range.
  double current_A(double v_V) const { return i_table_A(v_V); }
  double edge_charge_C(double v_V) const { return a_table_C(v_V); }
  double charge_C(double v_V, double x_s) const { return x_s > 0 ? x_s * current_A(v_V) + edge_charge_C(v_V) : 0.0; }
};

/// HardSigmoid: t_s = clamp(slope_s_per_C (q - q0_C), 0, t_max_s).
struct HardSigmoid {
  double slope_s_per_C = 0.0;
  double q0_C = 0.0;
  double t_max_s = 0.0;
  double operator()(double q_C) const;
};

/// Charge-to-pulse converter. Unsigned: width 0 for q below threshold. Signed: the width follows |q| and a sign bit
/// says which side; the two sides are fitted apart. Widths below are in s, of the signed converter sign times width.
struct ReadoutModel {
  bool is_signed = false;
  HardSigmoid positive, negative;  ///< negative: of -q, signed converter only
  double q_sign_C = 0.0;           ///< below it the sign is negative
  /// Width over q_C. The shortest pulse of a signed converter is not 0: two knots close together carry its jump.
  MonotoneCurve t_table_s;
  FitQuality hard_sigmoid_quality, table_quality;  ///< of the width, s
  MonotoneCurve e_table_J;                         ///< energy of one conversion over q_C

  double width_s(double q_C) const { return t_table_s(q_C); }
  double hard_sigmoid_s(double q_C) const;
  double energy_J(double q_C) const { return e_table_J(q_C); }

  /// Value in -1..1 (0..1 unsigned) of a pulse, its width with the sign, as a calibrated counter sees it:
  ///
  ///   sign (|width| - t0) / (t_max - t0), 0 where |width| < t0
  ///
  /// with t0 and t_max of the side that the sign names; t0 is the fitted width at zero charge (-slope q0 of the side's
  /// HardSigmoid, at least 0).
  double value(double width_s) const;
};

/// What the counter makes of a value in -1..1: levels / 2 - 1 counts at most to either side, value 2 / (levels - 1) a
/// count, half a count rounded to even.
int count_of(double value, std::size_t counter_levels);

/// Charge that a column really collects: its bit line moves while the cells pour, and their currents with it.
///
///   q_eff = sum_k c_k(X) q^k, k = 0..3,   c_k(X) = sum_j coeff[k][j] X^j, j = 0..3,   X = sum_r x_r / Tmax
///
/// q      sum over the rows of the charges on a held bit line, clamped to the fitted range (the converter saturates
///        inside it)
/// X      full-length pulses that the rows of the array carry together, clamped likewise: the same for every column of a
///        read
/// coeff  in fC^(1-k), so that q and q_eff are in fC here; exactly q_eff = q where nothing is fitted
struct BitLineModel {
  std::array<std::array<double, 4>, 4> coeff{{{}, {1.0, 0.0, 0.0, 0.0}, {}, {}}};
  double q_min_C = -std::numeric_limits<double>::infinity(), q_max_C = std::numeric_limits<double>::infinity();
  double full_pulses_max = std::numeric_limits<double>::infinity();
  FitQuality quality;  ///< of the collected charge, C

  /// c_k at one X, for reads of many columns at once.
  std::array<double, 4> coefficients(double full_pulses) const;
  double collected_charge_C(double q_C, double full_pulses) const;
};

/// Differences between the cells and the columns of one chip, from Monte Carlo: one draw for each cell or column.
struct MismatchModel {
  double cell_gain_sigma = 0.0;        ///< relative, of the charge of a read
  double cell_offset_sigma_A = 0.0;    ///< current beside i(v), the same at every stored voltage
  double score_offset_sigma_C = 0.0;   ///< of an unsigned converter, referred to its charge
  double output_offset_sigma_C = 0.0;  ///< of a signed converter, likewise
  std::size_t samples = 0;             ///< that the sigmas are from: their standard error is 1 / sqrt(2 samples)
};

/// What a written level becomes: level index 0..n-1 -> stored voltage after the write transistors close.
struct WriteModel {
  std::vector<double> v_target_V;  ///< (levels) what the DAC drives
  std::vector<double> v_stored_V;  ///< (levels) what the cell holds, mean over the previous content
  std::vector<double> e_write_J;   ///< (levels) energy of one cell write, mean over the previous content
  double v_spread_V = 0.0;         ///< largest deviation by previous content
  double t_settle_s = 0.0;         ///< slowest settling to within half of the spread of a level, all transitions
};

/// Stored voltage over age.
struct LeakModel {
  double tau_s = 0.0;  ///< exponential form: v(t) = v_inf + (v0 - v_inf) exp(-t / tau)
  double v_inf_V = 0.0;
  std::vector<double> age_s;                      ///< (ages) of the table, first 0
  std::vector<double> v0_V;                       ///< (starts)
  std::vector<double> v_V;                        ///< (starts, ages) row-major
  FitQuality exponential_quality, table_quality;  ///< of the voltage, V

  /// Bilinear in the table; clamped at its ends.
  double voltage_V(double v_start_V, double at_age_s) const;
  /// The exponential form.
  double exponential_V(double v_start_V, double at_age_s) const;
};

/// Energy of a cell read: e_J = e_edge(v) + p(v) x_s for x_s > 0; drawn from the supply and the word-line drivers.
struct ReadEnergyModel {
  MonotoneCurve e_edge_J, p_W;
  FitQuality quality;  ///< J
  /// Share of e_edge_J that the drivers of both read word lines spend; empty: not told apart.
  MonotoneCurve e_word_line_J = {};

  double energy_J(double v_V, double x_s) const { return x_s > 0 ? e_edge_J(v_V) + x_s * p_W(v_V) : 0.0; }
  double word_line_J(double v_V) const { return e_word_line_J.empty() ? 0.0 : e_word_line_J(v_V); }
};

/// Where a figure that no netlist of ours yields comes from.
enum class Origin { paper, extracted, assumed };

/// Energy per token and head of a part that has no netlist.
struct EnergyConstant {
  std::string part;  ///< e.g. "digital control and routing"
  double energy_J = 0.0;
  Origin origin = Origin::paper;
  std::string source;
};

/// One phase of a token in one layer; a token takes their sum.
struct Phase {
  std::string name;  ///< e.g. "score pulse"
  double duration_s = 0.0;
  Origin origin = Origin::assumed;
};

/// Everything that the simulator needs to know of a circuit; the content of model.h5.
struct CircuitModel {
  std::string design_name, technology_name;
  CellModel cell;
  ReadoutModel score_readout;   ///< unsigned, K array columns
  ReadoutModel output_readout;  ///< signed, V array columns
  WriteModel write;
  LeakModel leak;
  ReadEnergyModel read_energy;
  BitLineModel score_bit_line;   ///< K array columns
  BitLineModel output_bit_line;  ///< V array columns
  MismatchModel mismatch;
  std::size_t rows = 0;            ///< cells on a bit line that the readouts were sized for
  std::size_t query_levels = 0;    ///< pulse widths, 16
  std::size_t counter_levels = 0;  ///< levels of the signed converter's counter, both signs, 32
  double t_token_s = 0.0;          ///< one token through one layer
  std::vector<EnergyConstant> energy_constants;
  std::vector<Phase> phases;     ///< in order
  std::vector<FormScore> forms;  ///< tried, with their scores; of each quantity one is selected
};

}  // namespace gaincal::device
