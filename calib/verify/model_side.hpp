#pragma once

// Private to calib/verify: what the fitted models make of an operand set.
#include <vector>

#include "netlist/array_decks.hpp"
#include "verify/comparison.hpp"
#include "verify/operands.hpp"

namespace gaincal::verify {

/// An operand set as volts and seconds.
struct Stage {
  netlist::StoredArray keys;      ///< (D, T)
  netlist::StoredArray values;    ///< (T, D)
  std::vector<double> t_query_s;  ///< (D)
  std::vector<double> t_score_s;  ///< (T) pulses of the model's converters
};
Stage stage_of(const netlist::Design& design, const device::CircuitModel& model, const Operands& operands,
               const OperandSet& set);

/// Operands of one column of an array.
std::vector<netlist::RowOperand> column_rows(const netlist::StoredArray& stored, const std::vector<double>& t_pulse_s,
                                             std::size_t column);

/// The model's side of one column's output.
Output column_output(const device::CircuitModel& model, bool is_signed, const std::vector<netlist::RowOperand>& rows);

/// SPICE's side: charge and signed width into an output.
void set_spice(const device::CircuitModel& model, bool is_signed, double q_C, double t_s, Output& output);

/// An empty comparison of an array's outputs with its LSB.
Comparison make_comparison(const device::CircuitModel& model, bool is_signed, const std::string& level);

}  // namespace gaincal::verify
