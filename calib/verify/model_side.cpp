#include "verify/model_side.hpp"

#include <algorithm>
#include <cmath>

namespace gaincal::verify {
namespace {

/// Value of a pulse in 0..1, or -1..1 of the signed converter.
double value_of(const device::CircuitModel& model, bool is_signed, double t_s) {
  return is_signed ? model.output_readout.value(t_s) : std::clamp(t_s / model.cell.t_pulse_max_s, 0.0, 1.0);
}

int counted(const device::CircuitModel& model, bool is_signed, double value) {
  if (is_signed) return device::count_of(value, model.counter_levels);
  return static_cast<int>(std::nearbyint(value * static_cast<double>(model.query_levels - 1)));
}

}  // namespace

Stage stage_of(const netlist::Design& design, const device::CircuitModel& model, const Operands& operands,
               const OperandSet& set) {
  const std::size_t D = operands.rows, T = operands.tokens;
  Stage stage;
  stage.keys = {D, T, std::vector<double>(D * T)};
  stage.values = {T, D, std::vector<double>(T * D)};
  for (std::size_t t = 0; t < T; ++t)
    for (std::size_t d = 0; d < D; ++d) {
      const auto stored_V = [&](std::uint8_t level) {
        return model.leak.voltage_V(model.write.v_stored_V[level], set.age[t] * operands.t_token_s);
      };
      stage.keys.v_store_V[d * T + t] = stored_V(set.k_level[t * D + d]);
      stage.values.v_store_V[t * D + d] = stored_V(set.v_level[t * D + d]);
    }
  for (const std::uint8_t code : set.q_code)
    stage.t_query_s.push_back(design.t_max_s * static_cast<double>(code) /
                              static_cast<double>(design.query_levels - 1));
  for (std::size_t t = 0; t < T; ++t)
    stage.t_score_s.push_back(
        std::max(0.0, column_output(model, false, column_rows(stage.keys, stage.t_query_s, t)).t_model_s));
  return stage;
}

std::vector<netlist::RowOperand> column_rows(const netlist::StoredArray& stored, const std::vector<double>& t_pulse_s,
                                             std::size_t column) {
  std::vector<netlist::RowOperand> rows;
  for (std::size_t row = 0; row < stored.rows; ++row) rows.push_back({stored.at(row, column), t_pulse_s[row]});
  return rows;
}

Output column_output(const device::CircuitModel& model, bool is_signed, const std::vector<netlist::RowOperand>& rows) {
  const device::CellModel& cell = model.cell;
  double cubic_C = 0.0;
  Output output;
  for (const netlist::RowOperand& row : rows) {
    output.full_pulses += row.t_pulse_s / cell.t_pulse_max_s;
    if (!(row.t_pulse_s > 0)) continue;
    output.q_held_C += cell.charge_C(row.v_store_V, row.t_pulse_s);
    cubic_C += row.t_pulse_s * cell.i_cubic_A(row.v_store_V) + cell.a_cubic_C(row.v_store_V);
  }
  const device::BitLineModel& line = is_signed ? model.output_bit_line : model.score_bit_line;
  const device::ReadoutModel& readout = is_signed ? model.output_readout : model.score_readout;
  output.q_cubic_C = line.collected_charge_C(cubic_C, output.full_pulses);
  output.q_model_C = line.collected_charge_C(output.q_held_C, output.full_pulses);
  output.charge_counts = output.q_held_C >= line.q_min_C && output.q_held_C <= line.q_max_C;
  output.t_model_s = readout.width_s(output.q_model_C);
  output.value_model = value_of(model, is_signed, output.t_model_s);
  output.count_model = counted(model, is_signed, output.value_model);
  return output;
}

void set_spice(const device::CircuitModel& model, bool is_signed, double q_C, double t_s, Output& output) {
  output.q_spice_C = q_C;
  output.t_spice_s = t_s;
  output.value_spice = value_of(model, is_signed, t_s);
  if (std::isfinite(t_s)) output.count_spice = counted(model, is_signed, output.value_spice);
}

Comparison make_comparison(const device::CircuitModel& model, bool is_signed, const std::string& level) {
  Comparison comparison;
  comparison.name = level + (is_signed ? "_output" : "_score");
  comparison.title = is_signed ? "V columns, signed converter" : "K columns, unsigned converter";
  const device::HardSigmoid& side = is_signed ? model.output_readout.positive : model.score_readout.positive;
  comparison.lsb_value = is_signed ? 2.0 / static_cast<double>(model.counter_levels - 1)
                                   : 1.0 / static_cast<double>(model.query_levels - 1);
  comparison.lsb_s = comparison.lsb_value * side.t_max_s;
  comparison.lsb_C = comparison.lsb_s / side.slope_s_per_C;
  return comparison;
}

}  // namespace gaincal::verify
