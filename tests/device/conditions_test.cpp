#include "device/conditions.hpp"

#include <catch2/catch.hpp>
#include <cmath>

#include "core/error.hpp"
#include "device/blend.hpp"

using namespace gaincal;
using namespace gaincal::device;
using Catch::Contains;
using Catch::WithinAbs;
using Catch::WithinRel;

namespace {

/// A circuit of which every part follows temperature and supply: products of polynomials of order 2, so that parabolas
/// between three points of each axis are exact, and a leakage that doubles every 10 K.
CircuitModel circuit_at(double temperature_C, double supply_V, double shift) {
  const double t = temperature_C / 100, s = supply_V - 0.9;
  const double follows = (1 + 0.3 * t - 0.2 * t * t) * (1 + 2 * s + 3 * s * s) + shift;
  CircuitModel model;
  std::vector<double> v, i, a;
  for (int k = 0; k <= 18; ++k) {
    v.push_back(0.05 * k);
    i.push_back(1e-6 * follows * (v.back() - 0.45));
    a.push_back(1e-16 * follows * v.back());
  }
  model.cell.i_table_A = MonotoneCurve(v, i);
  model.cell.a_table_C = MonotoneCurve(v, a);
  model.cell.v_max_V = 0.9;
  model.cell.i_cubic_A = {0.45, {0.0, 1e-6 * follows, 0.0, 0.0}};
  model.score_readout.positive = {6e4 * follows, 0.0, 15e-9};
  model.score_readout.t_table_s = MonotoneCurve({0.0, 1e-13}, {0.0, 6e-9 * follows});
  model.score_readout.e_table_J = MonotoneCurve({0.0, 1e-13}, {1e-13 * follows, 2e-13 * follows});
  model.output_readout = model.score_readout;
  model.output_readout.is_signed = true;
  const double q_sign_C = 1e-15 * follows, half_C = 1e-18;
  model.output_readout.q_sign_C = q_sign_C;
  model.output_readout.t_table_s = MonotoneCurve(
      {q_sign_C - 1e-13, q_sign_C - half_C, q_sign_C + half_C, q_sign_C + 1e-13}, {-7e-9, -1e-9, 1e-9, 7e-9});
  model.write = {{0.0, 0.9}, {0.001 * follows, 0.9 + 0.001 * follows}, {1e-15 * follows, 2e-15 * follows}, 0.0, 0.0};
  const double rate = std::exp2(temperature_C / 10);
  model.leak.tau_s = 5e-3 / rate;
  model.leak.v_inf_V = 0.45;
  model.leak.v0_V = {0.0, 0.45, 0.9};
  model.leak.age_s = {0.0, 1e-3, 5e-3};
  for (const double v0 : model.leak.v0_V)
    for (const double age : model.leak.age_s) model.leak.v_V.push_back(v0 + (0.45 - v0) * 1e-3 * age * rate);
  model.read_energy.e_edge_J = MonotoneCurve({0.0, 0.9}, {1e-15 * follows, 1e-15 * follows});
  model.read_energy.p_W = MonotoneCurve({0.0, 0.9}, {1e-6 * follows, 2e-6 * follows});
  model.mismatch.cell_gain_sigma = 0.03;
  return model;
}

ConditionSet sample_set() {
  ConditionSet set;
  set.nominal = {"tt", 27.0, 0.9};
  set.corners = {"tt", "ss"};
  set.temperatures_C = {-40.0, 27.0, 85.0};
  set.supplies_V = {0.8, 0.9, 1.0};
  for (std::size_t c = 0; c < 2; ++c)
    for (const double temperature : set.temperatures_C)
      for (const double supply : set.supplies_V)
        set.models.push_back(circuit_at(temperature, supply, c == 0 ? 0.0 : -0.2));
  return set;
}

ModelChoice choice_of(const std::string& words, bool strict = false) {
  ModelChoice choice = parse_model_choice(words, "test");
  choice.strict = strict;
  return choice;
}

}  // namespace

TEST_CASE("interpolation weights are exact for parabolas and one on a point", "[device]") {
  const std::vector<double> points = {-40, 0, 27, 85, 125};
  for (const double x : {-40.0, -21.0, 27.0, 60.0, 111.0, 125.0}) {
    double sum = 0.0, square = 0.0;
    for (const auto& [i, weight] : interpolation_weights(points, x)) {
      sum += weight;
      square += weight * points[i] * points[i];
    }
    CHECK_THAT(sum, WithinAbs(1.0, 1e-12));
    CHECK_THAT(square, WithinAbs(x * x, 1e-9));
  }
  CHECK(interpolation_weights(points, 27.0) == std::vector<std::pair<std::size_t, double>>{{2, 1.0}});
  CHECK(interpolation_weights({0.9}, 0.9) == std::vector<std::pair<std::size_t, double>>{{0, 1.0}});
  CHECK_THAT(interpolation_weights({0.0, 1.0}, 0.25)[0].second, WithinAbs(0.75, 1e-15));
}

TEST_CASE("an instance between fitted conditions is what the circuit is there", "[device]") {
  const ConditionSet set = sample_set();
  const CircuitModel nominal = circuit_at(27, 0.9, 0.0);
  RangeGuard guard;
  const CircuitModel model = instance_of(nominal, set, choice_of("ss,61C,0.83V"), guard);
  const CircuitModel expected = circuit_at(61, 0.83, -0.2);
  CHECK(guard.clamped() == 0);
  for (const double v : {0.0, 0.13, 0.9}) {
    CHECK_THAT(model.cell.charge_C(v, 7e-9), WithinRel(expected.cell.charge_C(v, 7e-9), 1e-12));
    CHECK_THAT(model.cell.i_cubic_A(v), WithinRel(expected.cell.i_cubic_A(v), 1e-12));
    CHECK_THAT(model.read_energy.energy_J(v, 3e-9), WithinRel(expected.read_energy.energy_J(v, 3e-9), 1e-12));
    // 2^(T / 10) over the charge of a leaking cell: exact in the geometric mean, far off in the arithmetic one.
    CHECK_THAT(model.leak.voltage_V(v, 2e-3), WithinAbs(expected.leak.voltage_V(v, 2e-3), 1e-12));
  }
  CHECK_THAT(model.leak.tau_s, WithinRel(expected.leak.tau_s, 1e-12));
  CHECK_THAT(model.score_readout.width_s(4e-14), WithinRel(expected.score_readout.width_s(4e-14), 1e-12));
  CHECK_THAT(model.score_readout.energy_J(4e-14), WithinRel(expected.score_readout.energy_J(4e-14), 1e-12));
  CHECK_THAT(model.output_readout.q_sign_C, WithinRel(expected.output_readout.q_sign_C, 1e-12));
  CHECK_THAT(model.write.v_stored_V[1], WithinRel(expected.write.v_stored_V[1], 1e-12));
}

TEST_CASE("the jump of a signed converter moves as a whole between conditions", "[device]") {
  RangeGuard guard;
  const CircuitModel model = instance_of(circuit_at(27, 0.9, 0.0), sample_set(), choice_of("61C,0.83V"), guard);
  const double q_sign_C = circuit_at(61, 0.83, 0.0).output_readout.q_sign_C;
  CHECK_THAT(model.output_readout.width_s(q_sign_C - 2e-18), WithinAbs(-1e-9, 1e-12));
  CHECK_THAT(model.output_readout.width_s(q_sign_C + 2e-18), WithinAbs(1e-9, 1e-12));
}

TEST_CASE("an instance at a fitted condition is its model", "[device]") {
  const ConditionSet set = sample_set();
  RangeGuard guard;
  const CircuitModel model = instance_of(circuit_at(27, 0.9, 0.0), set, choice_of("ss,85C"), guard);
  const CircuitModel& fitted = set.models[set.index(1, 2, 1)];
  CHECK(model.cell.i_table_A.y() == fitted.cell.i_table_A.y());
  CHECK(model.leak.v_V == fitted.leak.v_V);
}

TEST_CASE("the nominal instance is the nominal model, though the set holds a coarser one", "[device]") {
  const CircuitModel nominal = circuit_at(27, 0.9, 0.05);
  for (const char* words : {"", "tt", "tt,27C,0.9V"}) {
    RangeGuard guard;
    const CircuitModel model = instance_of(nominal, sample_set(), choice_of(words), guard);
    CHECK(model.cell.i_table_A.y() == nominal.cell.i_table_A.y());
  }
}

TEST_CASE("mismatch belongs to a chip", "[device]") {
  RangeGuard guard;
  const CircuitModel nominal = circuit_at(27, 0.9, 0.0);
  CHECK(instance_of(nominal, sample_set(), choice_of("ss"), guard).mismatch.cell_gain_sigma == 0.0);
  CHECK(instance_of(nominal, sample_set(), choice_of("ss,chip7"), guard).mismatch.cell_gain_sigma == 0.03);
  CircuitModel plain = nominal;
  plain.mismatch = {};
  CHECK_THROWS_WITH(instance_of(plain, sample_set(), choice_of("chip7"), guard),
                    Contains("no mismatch to draw chip 7 from") && Contains("--mismatch-samples"));
}

TEST_CASE("a corner that a model lacks is refused, and those it has are listed", "[device]") {
  RangeGuard guard;
  const CircuitModel nominal = circuit_at(27, 0.9, 0.0);
  CHECK_THROWS_WITH(instance_of(nominal, sample_set(), choice_of("sff"), guard),
                    Contains("no corner 'sff'; there are tt, ss"));
  ConditionSet one;
  one.nominal = {"tt", 27.0, 0.9};
  CHECK_THROWS_WITH(instance_of(nominal, one, choice_of("ss"), guard),
                    Contains("holds one condition, corner tt, 27 degC, 0.9 V; sweep the design with --corners"));
  CHECK_THROWS_WITH(instance_of(nominal, {}, choice_of("85C"), guard), Contains("holds one condition; sweep"));
}

TEST_CASE("a temperature outside the fitted range is clamped and counted, or refused", "[device]") {
  const ConditionSet set = sample_set();
  const CircuitModel nominal = circuit_at(27, 0.9, 0.0);
  RangeGuard guard, strict(true);
  const CircuitModel model = instance_of(nominal, set, choice_of("ss,120C"), guard);
  CHECK(model.leak.v_V == set.models[set.index(1, 2, 1)].leak.v_V);
  CHECK_THAT(guard.summary(), Contains("1 of 2 queries") && Contains("temperature up to 120 degC"));
  CHECK_THROWS_WITH(instance_of(nominal, set, choice_of("ss,120C"), strict), Contains("temperature 120 degC"));
}

TEST_CASE("words of a choice are told apart by what they look like", "[device]") {
  const ModelChoice choice = parse_model_choice("ss,-40C,0.85V,chip7", "model.h5@..");
  CHECK(choice.corner == "ss");
  CHECK(choice.temperature_C == -40.0);
  CHECK(choice.supply_V == 0.85);
  CHECK(choice.chip == 7u);
  CHECK(choice_text(choice) == "corner ss, -40 degC, 0.85 V, chip 7");
  ModelChoice given;
  given.corner = "ff";
  given.chip = 3;
  const ModelChoice over = parse_model_choice("ss", "", given);
  CHECK(over.corner == "ss");
  CHECK(over.chip == 3u);
  CHECK_THROWS_WITH(parse_model_choice("ss,ff", "model.h5@ss,ff"), Contains("model.h5@ss,ff: 'ff' is the second"));
  CHECK_THROWS_AS(parse_model_choice("ss,,85C", ""), UsageError);
}

TEST_CASE("between two temperatures a cell leaks at the geometric mean of their speeds", "[device]") {
  // A rate that grows exponentially with the voltage: v(t) = -ln(exp(-v0) + k t) in units of the slope.
  constexpr double kSlope_V = 0.04;
  const auto leaking = [&](double per_s) {
    CircuitModel model;
    model.leak.tau_s = 1 / per_s;
    for (int i = 0; i <= 400; ++i) model.leak.v0_V.push_back(-0.4 + 1e-3 * i);
    model.leak.age_s = {0.0};
    for (int j = 0; j <= 400; ++j) model.leak.age_s.push_back(1e-3 * std::pow(10.0, 6.0 * j / 400 - 6.0));
    for (const double v0 : model.leak.v0_V)
      for (const double age : model.leak.age_s)
        model.leak.v_V.push_back(-kSlope_V * std::log(std::exp(-v0 / kSlope_V) + per_s * age));
    return model;
  };
  const CircuitModel cold = leaking(50), hot = leaking(5e5), expected = leaking(5e3);
  const CircuitModel between = blend({{0.5, &cold}, {0.5, &hot}});
  double largest_V = 0.0, lost_V = 0.0;
  for (const double v0 : {-0.35, -0.2, -0.1, -0.05, 0.0})
    for (const double age : {1e-5, 1e-4, 3e-4, 1e-3}) {
      largest_V = std::max(largest_V, std::abs(between.leak.voltage_V(v0, age) - expected.leak.voltage_V(v0, age)));
      lost_V = std::max(lost_V, v0 - expected.leak.voltage_V(v0, age));
    }
  CHECK(lost_V > 0.05);
  CHECK(largest_V < 0.01 * lost_V);
}
