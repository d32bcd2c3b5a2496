#include "exporters/sample_model.hpp"

#include <cmath>

namespace gaincal::tests {
namespace {

using device::MonotoneCurve;

constexpr double kTmax_s = 15e-9;

/// Cubic through the origin of v - 0.45 V that comes near the currents of the levels.
device::Cubic near_cubic(double scale) {
  return {0.45, {0.04e-6 * scale, 3.2e-6 * scale, 0.6e-6 * scale, 18e-6 * scale}};
}

device::ReadoutModel readout(bool is_signed, double slope_s_per_C, double offset_s) {
  device::ReadoutModel model;
  model.is_signed = is_signed;
  model.positive = {slope_s_per_C, -offset_s / slope_s_per_C, kTmax_s};
  model.negative = {0.98 * slope_s_per_C, -0.9 * offset_s / slope_s_per_C, kTmax_s};
  if (is_signed) model.q_sign_C = 1.5e-15;
  std::vector<double> q, t, e;
  // Bent a little, as the real ones are, and steep at zero: the width does not reach 0.
  const double q_max_C = 300e-15;
  for (int k = is_signed ? -60 : -4; k <= 60; ++k) {
    const double x = q_max_C * k / 60.0;
    const double bent = 1.0 + 0.02 * std::sin(9.0 * x / q_max_C);
    q.push_back(x);
    if (is_signed)
      t.push_back(k == 0 ? 0.0 : (k > 0 ? 1 : -1) * std::abs(model.hard_sigmoid_s(x)) * bent);
    else
      t.push_back(k <= 0 ? 0.0 : model.hard_sigmoid_s(x) * bent);
    t.back() = std::min(std::max(t.back(), -kTmax_s), kTmax_s);
    e.push_back(277e-15 + 270e-15 * std::abs(x) / q_max_C);
  }
  model.t_table_s = MonotoneCurve(q, t);
  model.e_table_J = MonotoneCurve(q, e);
  model.hard_sigmoid_quality = {60e-12, 134e-12, 70e-12, 150e-12, kTmax_s, 31, 12};
  model.table_quality = {2e-12, 5e-12, 9e-12, 21e-12, kTmax_s, 31, 12};
  return model;
}

}  // namespace

store::ModelFile sample_model_file() {
  store::ModelFile file;
  file.provenance.command_line = "gaincal fit dataset.h5 --out model.h5";
  file.provenance.netlist_hash = "0123456789abcdef0123456789abcdef";
  file.provenance.ngspice_version = "ngspice-39";
  file.provenance.seed = 7;
  device::CircuitModel& model = file.model;
  model.design_name = "gc28_paper";
  model.technology_name = "gc28";

  const std::vector<double> v = {0.0, 0.9 / 7, 1.8 / 7, 2.7 / 7, 3.6 / 7, 4.5 / 7, 5.4 / 7, 0.9};
  std::vector<double> knots = v;
  knots.insert(knots.begin(), -0.03);
  knots.push_back(0.93);
  model.cell.i_table_A = MonotoneCurve(
      knots, {-3.50e-6, -3.26e-6, -2.18e-6, -1.00e-6, -0.21e-6, 0.10e-6, 0.72e-6, 1.79e-6, 2.87e-6, 3.10e-6});
  model.cell.a_table_C = MonotoneCurve(knots, {-0.37e-15, -0.36e-15, -0.31e-15, -0.24e-15, -0.15e-15, -0.08e-15,
                                               -0.01e-15, 0.03e-15, 0.05e-15, 0.06e-15});
  model.cell.i_cubic_A = near_cubic(1.0);
  model.cell.a_cubic_C = {0.45, {-0.11e-15, 0.5e-15, -0.3e-15, -0.2e-15}};
  model.cell.cubic_quality = {0.9e-15, 2.4e-15, 1.0e-15, 2.7e-15, 49e-15, 128, 60};
  model.cell.table_quality = {0.02e-15, 0.06e-15, 0.04e-15, 0.11e-15, 49e-15, 128, 60};
  model.cell.v_min_V = -0.03;
  model.cell.v_max_V = 0.93;
  model.cell.t_pulse_max_s = kTmax_s;

  model.score_readout = readout(false, 0.0601e6, 0.64e-9);
  model.output_readout = readout(true, 0.0599e6, 1.16e-9);

  for (std::size_t k = 0; k < v.size(); ++k) {
    model.write.v_target_V.push_back(v[k]);
    model.write.v_stored_V.push_back(v[k] + 0.005 * (static_cast<double>(k) / 7 - 0.5));
    model.write.e_write_J.push_back(4e-15 + 1e-15 * v[k]);
  }
  model.write.v_spread_V = 1e-4;
  model.write.t_settle_s = 3.3e-9;

  model.leak.tau_s = 5e-3;
  model.leak.v_inf_V = 0.45;
  model.leak.v0_V = v;
  model.leak.age_s = {0.0, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2};
  for (const double v0 : v)
    for (const double age : model.leak.age_s)
      model.leak.v_V.push_back(model.leak.v_inf_V + (v0 - model.leak.v_inf_V) * std::exp(-std::sqrt(age / 8e-3)));
  model.leak.exponential_quality = {4e-3, 11e-3, 5e-3, 12e-3, 0.9, 48, 20};
  model.leak.table_quality = {0.0, 0.0, 0.4e-3, 1.1e-3, 0.9, 48, 20};

  model.read_energy.e_edge_J = MonotoneCurve({0.0, 0.45, 0.9}, {1.1e-15, 1.2e-15, 1.4e-15});
  model.read_energy.p_W = MonotoneCurve({0.0, 0.45, 0.9}, {3.0e-6, 0.3e-6, 0.1e-6});
  model.read_energy.quality = {0.1e-15, 0.3e-15, 0.1e-15, 0.4e-15, 50e-15, 128, 60};
  model.rows = 64;
  model.query_levels = 16;
  model.counter_levels = 32;
  model.t_token_s = 65e-9;
  model.energy_constants = {{"digital control and routing", 4e-9, device::Origin::paper, "Leroux et al. 2025"}};
  return file;
}

store::ModelFile sample_model_set_file() {
  store::ModelFile file = sample_model_file();
  device::ConditionSet& set = file.conditions;
  set.nominal = {"tt", 27.0, 0.9};
  set.corners = {"tt", "ss"};
  set.temperatures_C = {-40.0, 27.0, 85.0};
  set.supplies_V = {0.8, 0.9, 1.0};
  for (std::size_t c = 0; c < 2; ++c)
    for (const double temperature_C : set.temperatures_C)
      for (const double supply_V : set.supplies_V) {
        // Everything moves; charges and knots are shifted, leakage doubles every 10 K.
        const double factor = 1 - 0.1 * static_cast<double>(c) + 0.002 * (temperature_C - 27) + 0.5 * (supply_V - 0.9);
        const double rate = std::exp2((temperature_C - 27) / 10);
        device::CircuitModel model = file.model;
        const auto moved = [&](const MonotoneCurve& curve, double shift, double gain) {
          std::vector<double> at = curve.x(), y = curve.y();
          for (double& each : at) each += shift;
          for (double& each : y) each *= gain;
          return MonotoneCurve(at, y);
        };
        model.cell.i_table_A = moved(model.cell.i_table_A, 0.0, factor);
        model.cell.a_table_C = moved(model.cell.a_table_C, 0.0, factor);
        for (double& each : model.cell.i_cubic_A.coeff) each *= factor;
        for (device::ReadoutModel* each : {&model.score_readout, &model.output_readout}) {
          each->t_table_s = moved(each->t_table_s, 1e-15 * (factor - 1), 1.0);
          each->e_table_J = moved(each->e_table_J, 0.0, factor);
          each->positive.slope_s_per_C *= factor;
          each->negative.q0_C *= factor;
        }
        model.output_readout.q_sign_C += 1e-15 * (factor - 1);
        for (double& each : model.write.v_stored_V) each *= factor;
        model.leak.tau_s /= rate;
        for (std::size_t i = 0; i < model.leak.v_V.size(); ++i) {
          const double v0_V = model.leak.v0_V[i / model.leak.age_s.size()];
          model.leak.v_V[i] = v0_V + (model.leak.v_V[i] - v0_V) * rate / 64;
        }
        model.read_energy.p_W = moved(model.read_energy.p_W, 0.0, factor);
        set.models.push_back(std::move(model));
      }
  return file;
}

exporters::Source sample_source(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "model.h5";
  store::write_model(path, sample_model_file());
  return exporters::read_source(path, "gaincal export model.h5");
}

}  // namespace gaincal::tests
