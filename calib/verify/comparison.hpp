#pragma once

#include <array>
#include <cstddef>
#include <iosfwd>
#include <string>
#include <vector>

#include "store/table.hpp"

namespace gaincal::verify {

/// A share of outputs and its 95 % confidence interval (Wilson).
struct Share {
  double value = 0.0, low = 0.0, high = 0.0;
};
Share share_of(std::size_t part, std::size_t all);

/// Model minus SPICE over the outputs that SPICE computed; NaN where there is none.
struct ErrorStatistics {
  std::size_t count = 0;
  double bias = 0.0, sigma = 0.0, rms = 0.0, max = 0.0;  ///< max of the absolute value
};
ErrorStatistics error_statistics(const std::vector<double>& model, const std::vector<double>& spice);

/// What one output is: SPICE and the models on the same operands. SI; NaN where SPICE failed.
struct Output {
  std::size_t set = 0, column = 0;
  double full_pulses = 0.0;  ///< X, full-length pulses of its rows together
  double q_cubic_C = 0.0;    ///< what the bit line collects of cells in the paper's form
  double q_held_C = 0.0;     ///< sum of charges of the chosen cell model, bit line held
  double q_model_C = 0.0;    ///< what the bit line collects of it
  double q_spice_C = 0.0;
  bool charge_counts = true;  ///< false: beyond the charges that the bit line is fitted to, where a converter saturates
  double t_model_s = 0.0, t_spice_s = 0.0;  ///< pulse, of a signed converter with its sign; 0 for a cell
  double value_model = 0.0, value_spice = 0.0;
  int count_model = 0, count_spice = 0;  ///< digital output; scores rounded to the pulse widths of a query
  std::string failure;                   ///< of SPICE; empty: none
};

/// Outputs of one kind. The LSB is one count of the output.
struct Comparison {
  std::string name;       ///< of its table: "column_score"
  std::string title;      ///< "score columns, unsigned converter"
  bool has_pulse = true;  ///< false: cells, whose charge alone is compared
  double lsb_C = 0.0, lsb_s = 0.0, lsb_value = 0.0;
  std::vector<Output> outputs;

  std::size_t failed() const;
  ErrorStatistics charge() const;  ///< C, of the outputs whose charge counts
  ErrorStatistics width() const;   ///< s
  ErrorStatistics lsb() const;     ///< of the value before it is counted
  std::size_t beyond() const;      ///< outputs whose charge does not count
  /// Charge, of cells in the paper's form and in the chosen one, both on the same bit line model; LSB.
  ErrorStatistics cubic_lsb() const, chosen_lsb() const;
  /// Outputs whose counts differ by exactly `counts` of them.
  std::size_t off_by(int counts) const;
  std::size_t compared() const { return outputs.size() - failed(); }
  Share exact() const { return share_of(off_by(0), compared()); }
  Share within_one() const { return share_of(off_by(0) + off_by(1), compared()); }
};

/// Over axis `output`: operands' set and column, and every number of Output.
store::Table comparison_table(const Comparison& comparison);

/// One line: errors of the pulses and shares.
void print_comparison_line(std::ostream& stream, const Comparison& comparison);

/// Errors in charge, width and LSB, shares off by 0, 1, 2.. LSB with their intervals, and where the worst come from.
///
/// labels  of the operand sets
void print_comparison(std::ostream& stream, const Comparison& comparison, const std::vector<std::string>& labels);

}  // namespace gaincal::verify
