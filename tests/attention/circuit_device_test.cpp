#include <catch2/catch.hpp>
#include <cmath>

#include "attention/attend.hpp"
#include "attention/random_head.hpp"
#include "core/error.hpp"

using namespace gaincal::attention;
using Catch::Matchers::Contains;
using Catch::Matchers::WithinAbs;
using gaincal::device::CircuitModel;
using gaincal::device::MonotoneCurve;

namespace {

/// A circuit in round figures, shaped like the fitted one: offsets of both converters, sides that differ.
CircuitModel round_figures() {
  CircuitModel model;
  model.cell.i_table_A = MonotoneCurve({0.0, 0.9}, {-3e-6, 3e-6});  // a line
  model.cell.a_table_C = MonotoneCurve({0.0, 0.9}, {-0.4e-15, 0.1e-15});
  model.cell.t_pulse_max_s = 15e-9;
  for (int level = 0; level < 8; ++level) {
    model.write.v_target_V.push_back(0.9 / 7 * level);
    model.write.v_stored_V.push_back(0.9 / 7 * level + 0.001);
  }
  model.leak.age_s = {0.0, 1e-3};
  model.leak.v0_V = {0.0, 1.0};
  model.leak.v_V = {0.0, 0.1, 1.0, 0.9};
  // 15 ns at 250 fC: 0.06 ns/fC from 0 fC, no width below.
  model.score_readout.t_table_s = MonotoneCurve({-300e-15, 0.0, 250e-15, 600e-15}, {0.0, 0.0, 15e-9, 15e-9});
  model.output_readout.is_signed = true;
  model.output_readout.positive = {0.06e6, -20e-15, 15e-9};  // 1.2 ns at zero charge
  model.output_readout.negative = {0.05e6, -20e-15, 14e-9};  // 1.0 ns
  model.output_readout.t_table_s = MonotoneCurve({-400e-15, -260e-15, -0.01e-15, 0.01e-15, 230e-15, 400e-15},
                                                 {-14e-9, -14e-9, -1e-9, 1.2e-9, 15e-9, 15e-9});
  model.rows = 64;
  model.query_levels = 16;
  model.counter_levels = 32;
  return model;
}

/// Linear look-up between two points of a sampled curve.
double at(const PulseCurve& curve, double q) {
  const double u = (q - double{curve.q_min}) / double{curve.q_step};
  const auto i = static_cast<std::size_t>(u);
  const double f = u - static_cast<double>(i);
  return (1.0 - f) * double{curve.table[i]} + f * double{curve.table[i + 1]};
}

}  // namespace

TEST_CASE("a circuit's charges follow the written level as it leaks", "[attention]") {
  const CircuitModel model = round_figures();
  const AnalogDevice device = make_circuit_device(model, 1000, 1e-6);
  CHECK(device.query_levels == 16);
  CHECK(device.weight_levels == 8);
  for (const int level : {0, 3, 7}) {
    for (const int age : {0, 500, 999}) {
      const double v0 = 0.9 / 7 * level + 0.001;
      const double v = std::min(v0 + (0.1 - 0.2 * v0) * age / 1000.0, 0.9);  // cells are fitted up to 0.9 V
      CHECK_THAT(device.read(age, level), WithinAbs(15.0 * (-3.0 + 6.0 * v / 0.9), 1e-5));  // fC
      CHECK_THAT(device.edge(age, level), WithinAbs(-0.4 + 0.5 * v / 0.9, 1e-6));
    }
  }
}

TEST_CASE("a circuit's score is the width over the longest pulse", "[attention]") {
  const CircuitModel model = round_figures();
  const PulseCurve score = make_circuit_device(model, 10, 0.0).score;
  for (const double q_fC : {-299.0, -10.0, 0.0, 1.3, 100.0, 249.9, 260.0, 599.0}) {
    const double width = model.score_readout.width_s(q_fC * 1e-15) / 15e-9;
    CHECK_THAT(at(score, q_fC), WithinAbs(width, 1.0 / 2048));
  }
}

TEST_CASE("a circuit's output loses the width at zero charge and keeps the range", "[attention]") {
  const CircuitModel model = round_figures();
  const AnalogDevice device = make_circuit_device(model, 10, 0.0);
  CHECK(device.output_levels == 32);
  CHECK(device.counter_max == 15);
  CHECK_THAT(at(device.output, 0.0), WithinAbs(0.0, 1e-3));
  CHECK_THAT(at(device.output, 390.0), WithinAbs(1.0, 1e-6));
  CHECK_THAT(at(device.output, -390.0), WithinAbs(-1.0, 1e-6));
  for (const double q_fC : {-200.0, -100.0, -20.0, 20.0, 100.0, 200.0}) {
    const double width_ns = 1e9 * model.output_readout.width_s(q_fC * 1e-15);
    const double value = q_fC > 0 ? (width_ns - 1.2) / (15.0 - 1.2) : (width_ns + 1.0) / (14.0 - 1.0);
    CHECK_THAT(at(device.output, q_fC), WithinAbs(value, 1.0 / 2048));
  }
}

TEST_CASE("a circuit's mismatch and bit lines come in femtocoulomb", "[attention]") {
  CircuitModel model = round_figures();
  model.mismatch = {0.02, 50e-9, 0.4e-15, 0.6e-15};
  model.score_bit_line.coeff[1][1] = -1e-3;
  const Variation variation = chip_variation(model);
  CHECK(variation.cell_gain_sigma == 0.02);
  CHECK_THAT(variation.cell_offset_sigma, WithinAbs(50e-9 * 15e-9 * 1e15, 1e-9));
  CHECK_THAT(variation.score_offset_sigma, WithinAbs(0.4, 1e-9));
  CHECK_THAT(variation.output_offset_sigma, WithinAbs(0.6, 1e-9));
  const AnalogDevice device = make_circuit_device(model, 10, 0.0);
  CHECK(device.score_bit_line.coeff[1][1] == -1e-3);
  CHECK_FALSE(device.variation.any());
}

TEST_CASE("a circuit's counter stops at 15", "[attention]") {
  const AnalogDevice device = make_circuit_device(round_figures(), 64, 0.0);
  const Matrix top = Matrix::Constant(40, 64, 1.0f);
  for (const float sign : {1.0f, -1.0f}) {
    const Matrix v = Matrix::Constant(40, 64, sign > 0 ? 0.9f : 0.0f);
    Matrix out(40, 64);
    attend_reference(device, {}, top, top, v, out);
    CHECK_THAT(out(39, 5), WithinAbs(sign * 30.0 / 31.0, 1e-6));
    for (const KernelVersion version : gaincal::tests::kernel_versions()) {
      Matrix tuned(40, 64);
      attend(device, {}, top, top, v, tuned, nullptr, version);
      CHECK(tuned == out);
    }
  }
}

TEST_CASE("a circuit model that lacks a quantity is refused by name", "[attention]") {
  const auto make = [](const CircuitModel& model) { return make_circuit_device(model, 10, 0.0); };
  CircuitModel no_levels = round_figures();
  no_levels.write.v_stored_V.clear();
  CHECK_THROWS_WITH(make(no_levels), Contains("write") && Contains("0 levels"));
  CircuitModel no_score = round_figures();
  no_score.score_readout.t_table_s = {};
  CHECK_THROWS_WITH(make(no_score), Contains("score_readout"));
  CircuitModel no_cell = round_figures();
  no_cell.cell.i_table_A = {};
  CHECK_THROWS_WITH(make(no_cell), Contains("cell"));
  CircuitModel no_leak = round_figures();
  no_leak.leak.v_V.clear();
  CHECK_THROWS_WITH(make(no_leak), Contains("leak has no table"));
  CircuitModel no_range = round_figures();
  no_range.output_readout.positive.t_max_s = 1e-9;
  CHECK_THROWS_WITH(make(no_range), Contains("output_readout"));
  CHECK_THROWS_AS(make_circuit_device(round_figures(), 0, 0.0), gaincal::Error);
}
