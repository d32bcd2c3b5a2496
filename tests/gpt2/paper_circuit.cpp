#include "paper_circuit.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace gaincal::tests {
namespace {

constexpr double kUnit_C = 1e-15;  // of the paper's dimensionless charge
constexpr double kTmax_s = 15e-9, kTToken_s = 65e-9;
constexpr double kLeakPerToken = 1.6e-4;

}  // namespace

device::MonotoneCurve sampled(double from, double to, int points, const std::function<double(double)>& f) {
  std::vector<double> x, y;
  for (int i = 0; i < points; ++i) {
    x.push_back(from + (to - from) * i / (points - 1));
    y.push_back(f(x.back()));
  }
  return {x, y};
}

device::CircuitModel paper_circuit() {
  device::CircuitModel model;
  const device::Cubic paper{0.45, {0.52136361, 13.61226063, -2.62044562, 46.05483778}};
  const auto current = [paper](double v) { return paper(v) * kUnit_C / kTmax_s; };
  model.cell.i_table_A = sampled(0.0, 0.9, 181, current);
  model.cell.a_table_C = sampled(0.0, 0.9, 2, [](double) { return 0.0; });
  model.cell.v_max_V = 0.9;
  model.cell.t_pulse_max_s = kTmax_s;
  const auto width = [](double full_scale) {
    return [full_scale](double q_C) { return std::clamp(q_C / kUnit_C / full_scale, -1.0, 1.0) * kTmax_s; };
  };
  const auto energy = sampled(-1e-13, 1e-13, 2, [](double) { return 1e-15; });
  model.score_readout.positive = {kTmax_s / (80 * kUnit_C), 0.0, kTmax_s};
  model.score_readout.t_table_s =
      sampled(-160e-15, 160e-15, 641, [&](double q_C) { return std::max(0.0, width(80)(q_C)); });
  model.score_readout.e_table_J = energy;
  model.output_readout.is_signed = true;
  model.output_readout.positive = model.output_readout.negative = {kTmax_s / (40 * kUnit_C), 0.0, kTmax_s};
  model.output_readout.t_table_s = sampled(-80e-15, 80e-15, 641, width(40));
  model.output_readout.e_table_J = energy;
  for (int level = 0; level < 8; ++level) model.write.v_target_V.push_back(0.9 * level / 7);
  model.write.v_stored_V = model.write.v_target_V;
  model.write.e_write_J.assign(8, 1e-15);
  model.leak.tau_s = kPaperCircuitLayers * kTToken_s / kLeakPerToken;
  model.leak.v_inf_V = 0.45;
  model.leak.v0_V = {0.0, 0.9};
  for (int i = 0; i < 65; ++i) model.leak.age_s.push_back(i * 16 * kPaperCircuitLayers * kTToken_s);
  for (const double v0 : model.leak.v0_V)
    for (const double age : model.leak.age_s) model.leak.v_V.push_back(model.leak.exponential_V(v0, age));
  model.read_energy.e_edge_J = model.read_energy.p_W = energy;
  model.rows = 64;
  model.query_levels = 16;
  model.counter_levels = 32;
  model.t_token_s = kTToken_s;
  return model;
}

}  // namespace gaincal::tests
