#include <algorithm>
#include <cmath>
#include <string>

#include "attention/analog_device.hpp"
#include "core/error.hpp"

namespace gaincal::attention {

namespace {

constexpr std::size_t kCurvePoints = 2049;
constexpr double kfC_per_C = 1e15;

/// Samples y(q_C) uniformly over the range of a readout's table.
template <class Function>
PulseCurve sample(const device::MonotoneCurve& range, const Function& y) {
  const double q_min_C = range.x().front();
  const double q_step_C = (range.x().back() - q_min_C) / static_cast<double>(kCurvePoints - 1);
  PulseCurve curve;
  curve.q_min = static_cast<float>(q_min_C * kfC_per_C);
  curve.q_step = static_cast<float>(q_step_C * kfC_per_C);
  curve.table.resize(kCurvePoints);
  for (std::size_t i = 0; i < kCurvePoints; ++i) {
    curve.table[i] = static_cast<float>(y(q_min_C + static_cast<double>(i) * q_step_C));
  }
  return curve;
}

void check_readout(const char* name, const device::ReadoutModel& readout) {
  if (readout.t_table_s.empty()) {
    throw Error(std::string("circuit model: ") + name + " has no width table; rerun 'gaincal fit'");
  }
}

}  // namespace

AnalogDevice make_circuit_device(const device::CircuitModel& model, std::size_t window, double t_token_s,
                                 TileMap tile_map) {
  const std::size_t levels = model.write.v_stored_V.size();
  if (levels < 2 || levels > static_cast<std::size_t>(kMaxLevels) || model.write.v_target_V.size() != levels) {
    throw Error("circuit model: write has " + std::to_string(levels) + " levels; 2..256 are possible");
  }
  check_readout("score_readout", model.score_readout);
  check_readout("output_readout", model.output_readout);
  if (model.cell.i_table_A.empty() || model.cell.a_table_C.empty() || !(model.cell.t_pulse_max_s > 0.0)) {
    throw Error("circuit model: cell has no current, edge charge or pulse width; rerun 'gaincal fit'");
  }
  if (model.leak.v_V.empty()) throw Error("circuit model: leak has no table; rerun 'gaincal fit'");
  for (const auto* side : {&model.output_readout.positive, &model.output_readout.negative}) {
    if (!(side->t_max_s > std::max(0.0, -side->slope_s_per_C * side->q0_C))) {
      throw Error("circuit model: output_readout saturates below its width at zero charge; rerun 'gaincal fit'");
    }
  }
  const double t_max_s = model.cell.t_pulse_max_s;

  AnalogDevice device;
  device.window = window;
  device.tile_map = tile_map;
  device.query_levels = static_cast<int>(model.query_levels);
  device.weight_levels = static_cast<int>(levels);
  device.output_levels = static_cast<int>(model.counter_levels);
  device.counter_max = device.output_levels == 0 ? 0 : device.output_levels / 2 - 1;
  device.v_max_V = model.write.v_target_V.back();
  device.read.resize(static_cast<Eigen::Index>(window), device.weight_levels);
  device.edge.resize(static_cast<Eigen::Index>(window), device.weight_levels);
  for (Eigen::Index age = 0; age < device.read.rows(); ++age) {
    for (std::size_t l = 0; l < levels; ++l) {
      const double v_V = model.leak.voltage_V(model.write.v_stored_V[l], static_cast<double>(age) * t_token_s);
      const auto column = static_cast<Eigen::Index>(l);
      device.read(age, column) = static_cast<float>(model.cell.current_A(v_V) * t_max_s * kfC_per_C);
      device.edge(age, column) = static_cast<float>(model.cell.edge_charge_C(v_V) * kfC_per_C);
    }
  }
  device.score = sample(model.score_readout.t_table_s,
                        [&](double q_C) { return std::max(0.0, model.score_readout.t_table_s(q_C)) / t_max_s; });
  device.output = sample(model.output_readout.t_table_s,
                         [&](double q_C) { return model.output_readout.value(model.output_readout.width_s(q_C)); });
  device.score_bit_line = model.score_bit_line;
  device.output_bit_line = model.output_bit_line;
  check_device(device);
  return device;
}

Variation chip_variation(const device::CircuitModel& model) {
  Variation variation;
  variation.cell_gain_sigma = model.mismatch.cell_gain_sigma;
  variation.cell_offset_sigma = model.mismatch.cell_offset_sigma_A * model.cell.t_pulse_max_s * kfC_per_C;
  variation.score_offset_sigma = model.mismatch.score_offset_sigma_C * kfC_per_C;
  variation.output_offset_sigma = model.mismatch.output_offset_sigma_C * kfC_per_C;
  return variation;
}

}  // namespace gaincal::attention
