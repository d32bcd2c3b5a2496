#include "store/model_file.hpp"

#include <catch2/catch.hpp>
#include <cmath>

#include "core/error.hpp"
#include "reference.hpp"
#include "store/samples.hpp"

using namespace gaincal;
using Catch::Contains;

namespace {

void check_equal(const device::FitQuality& a, const device::FitQuality& b) {
  CHECK(a.rms == b.rms);
  CHECK(a.max == b.max);
  CHECK(a.held_out_rms == b.held_out_rms);
  CHECK(a.held_out_max == b.held_out_max);
  CHECK(a.full_scale == b.full_scale);
  CHECK(a.points == b.points);
  CHECK(a.held_out_points == b.held_out_points);
}

void check_equal(const device::MonotoneCurve& a, const device::MonotoneCurve& b) {
  CHECK(a.x() == b.x());
  CHECK(a.y() == b.y());
}

void check_equal(const device::Cubic& a, const device::Cubic& b) {
  CHECK(a.x0 == b.x0);
  CHECK(a.coeff == b.coeff);
}

void check_equal(const device::HardSigmoid& a, const device::HardSigmoid& b) {
  CHECK(a.slope_s_per_C == b.slope_s_per_C);
  CHECK(a.q0_C == b.q0_C);
  CHECK(a.t_max_s == b.t_max_s);
}

void check_equal(const device::ReadoutModel& a, const device::ReadoutModel& b) {
  CHECK(a.is_signed == b.is_signed);
  check_equal(a.positive, b.positive);
  check_equal(a.negative, b.negative);
  CHECK(a.q_sign_C == b.q_sign_C);
  check_equal(a.t_table_s, b.t_table_s);
  check_equal(a.hard_sigmoid_quality, b.hard_sigmoid_quality);
  check_equal(a.table_quality, b.table_quality);
  check_equal(a.e_table_J, b.e_table_J);
}

}  // namespace

TEST_CASE("a model comes back bit for bit", "[store]") {
  const tests::ScratchFolder scratch;
  const store::ModelFile written = tests::sample_model();
  store::write_model(scratch.path() / "model.h5", written);
  const store::ModelFile read = store::read_model(scratch.path() / "model.h5");
  CHECK(read.provenance.command_line == written.provenance.command_line);
  CHECK(read.provenance.seed == written.provenance.seed);
  const device::CircuitModel &a = read.model, &b = written.model;
  CHECK(a.design_name == b.design_name);
  CHECK(a.technology_name == b.technology_name);
  check_equal(a.cell.i_cubic_A, b.cell.i_cubic_A);
  check_equal(a.cell.a_cubic_C, b.cell.a_cubic_C);
  check_equal(a.cell.i_table_A, b.cell.i_table_A);
  check_equal(a.cell.a_table_C, b.cell.a_table_C);
  check_equal(a.cell.cubic_quality, b.cell.cubic_quality);
  check_equal(a.cell.table_quality, b.cell.table_quality);
  CHECK(a.cell.v_min_V == b.cell.v_min_V);
  CHECK(a.cell.v_max_V == b.cell.v_max_V);
  CHECK(a.cell.t_pulse_max_s == b.cell.t_pulse_max_s);
  check_equal(a.score_readout, b.score_readout);
  check_equal(a.output_readout, b.output_readout);
  CHECK(a.write.v_target_V == b.write.v_target_V);
  CHECK(a.write.v_stored_V == b.write.v_stored_V);
  CHECK(a.write.e_write_J == b.write.e_write_J);
  CHECK(a.write.v_spread_V == b.write.v_spread_V);
  CHECK(a.write.t_settle_s == b.write.t_settle_s);
  CHECK(a.leak.tau_s == b.leak.tau_s);
  CHECK(a.leak.v_inf_V == b.leak.v_inf_V);
  CHECK(a.leak.age_s == b.leak.age_s);
  CHECK(a.leak.v0_V == b.leak.v0_V);
  CHECK(a.leak.v_V == b.leak.v_V);
  check_equal(a.leak.exponential_quality, b.leak.exponential_quality);
  check_equal(a.leak.table_quality, b.leak.table_quality);
  check_equal(a.read_energy.e_edge_J, b.read_energy.e_edge_J);
  check_equal(a.read_energy.p_W, b.read_energy.p_W);
  check_equal(a.read_energy.quality, b.read_energy.quality);
  check_equal(a.read_energy.e_word_line_J, b.read_energy.e_word_line_J);
  CHECK(a.rows == b.rows);
  CHECK(a.query_levels == b.query_levels);
  CHECK(a.counter_levels == b.counter_levels);
  CHECK(a.t_token_s == b.t_token_s);
  REQUIRE(a.energy_constants.size() == b.energy_constants.size());
  for (std::size_t i = 0; i < b.energy_constants.size(); ++i) {
    CHECK(a.energy_constants[i].part == b.energy_constants[i].part);
    CHECK(a.energy_constants[i].energy_J == b.energy_constants[i].energy_J);
    CHECK(a.energy_constants[i].origin == b.energy_constants[i].origin);
    CHECK(a.energy_constants[i].source == b.energy_constants[i].source);
  }
  REQUIRE(a.phases.size() == b.phases.size());
  for (std::size_t i = 0; i < b.phases.size(); ++i) {
    CHECK(a.phases[i].name == b.phases[i].name);
    CHECK(a.phases[i].duration_s == b.phases[i].duration_s);
    CHECK(a.phases[i].origin == b.phases[i].origin);
  }
  REQUIRE(a.forms.size() == b.forms.size());
  for (std::size_t i = 0; i < b.forms.size(); ++i) {
    const device::FormScore &form = a.forms[i], &expected = b.forms[i];
    CHECK(form.quantity == expected.quantity);
    CHECK(form.form == expected.form);
    CHECK(form.unit == expected.unit);
    CHECK(form.status == expected.status);
    CHECK(form.selected == expected.selected);
    CHECK(form.overfitted == expected.overfitted);
    CHECK(form.parameters == expected.parameters);
    CHECK(form.aic == expected.aic);
    check_equal(form.quality, expected.quality);
    REQUIRE(form.coefficients.size() == expected.coefficients.size());
    for (std::size_t k = 0; k < expected.coefficients.size(); ++k) {
      CHECK(form.coefficients[k].name == expected.coefficients[k].name);
      CHECK(form.coefficients[k].unit == expected.coefficients[k].unit);
      CHECK(form.coefficients[k].value == expected.coefficients[k].value);
      CHECK(form.coefficients[k].half_width == expected.coefficients[k].half_width);
    }
    CHECK((form.operand_rms == expected.operand_rms || std::isnan(expected.operand_rms)));
    CHECK(form.points.x_unit == expected.points.x_unit);
    CHECK(form.points.y_unit == expected.points.y_unit);
    CHECK(form.points.x == expected.points.x);
    CHECK(form.points.y == expected.points.y);
    CHECK(form.points.simulated == expected.points.simulated);
    CHECK(form.points.predicted == expected.points.predicted);
    CHECK(form.points.held_out == expected.points.held_out);
  }
  CHECK(a.score_bit_line.coeff == b.score_bit_line.coeff);
  CHECK(a.output_bit_line.coeff == b.output_bit_line.coeff);
  check_equal(a.score_bit_line.quality, b.score_bit_line.quality);
  CHECK(a.score_bit_line.q_min_C == b.score_bit_line.q_min_C);
  CHECK(a.score_bit_line.q_max_C == b.score_bit_line.q_max_C);
  CHECK(a.score_bit_line.full_pulses_max == b.score_bit_line.full_pulses_max);
  CHECK(b.output_bit_line.q_max_C == a.output_bit_line.q_max_C);
  CHECK(a.mismatch.cell_gain_sigma == b.mismatch.cell_gain_sigma);
  CHECK(a.mismatch.cell_offset_sigma_A == b.mismatch.cell_offset_sigma_A);
  CHECK(a.mismatch.score_offset_sigma_C == b.mismatch.score_offset_sigma_C);
  CHECK(a.mismatch.output_offset_sigma_C == b.mismatch.output_offset_sigma_C);
  CHECK(a.mismatch.samples == b.mismatch.samples);
}

TEST_CASE("models of all conditions come back bit for bit", "[store]") {
  const tests::ScratchFolder scratch;
  const store::ModelFile written = tests::sample_model_set();
  store::write_model(scratch.path() / "model.h5", written);
  const store::ModelFile read = store::read_model(scratch.path() / "model.h5");
  const device::ConditionSet &a = read.conditions, &b = written.conditions;
  CHECK(device::condition_text(a.nominal) == device::condition_text(b.nominal));
  CHECK(a.corners == b.corners);
  CHECK(a.temperatures_C == b.temperatures_C);
  CHECK(a.supplies_V == b.supplies_V);
  REQUIRE(a.models.size() == b.models.size());
  for (std::size_t i = 0; i < b.models.size(); ++i) {
    check_equal(a.models[i].cell.i_table_A, b.models[i].cell.i_table_A);
    check_equal(a.models[i].output_readout, b.models[i].output_readout);
    CHECK(a.models[i].leak.v_V == b.models[i].leak.v_V);
    CHECK(a.models[i].rows == b.models[i].rows);
  }
  REQUIRE(a.errors.size() == b.errors.size());
  for (std::size_t i = 0; i < b.errors.size(); ++i) {
    CHECK(device::condition_text(a.errors[i].at) == device::condition_text(b.errors[i].at));
    CHECK(a.errors[i].quantity == b.errors[i].quantity);
    CHECK(a.errors[i].unit == b.errors[i].unit);
    CHECK(a.errors[i].rms == b.errors[i].rms);
    CHECK(a.errors[i].max == b.errors[i].max);
    CHECK(a.errors[i].full_scale == b.errors[i].full_scale);
    CHECK(a.errors[i].points == b.errors[i].points);
  }
}

TEST_CASE("an instance of a model file is the one that was asked for, or its lack is told", "[store]") {
  const tests::ScratchFolder scratch;
  const std::filesystem::path path = scratch.path() / "model.h5";
  const store::ModelFile written = tests::sample_model_set();
  store::write_model(path, written);
  const auto instance = [&](const std::string& words, bool strict = false) {
    device::ModelChoice choice = device::parse_model_choice(words, "test");
    choice.strict = strict;
    return store::read_instance(path, choice).model;
  };
  const device::ConditionSet& set = written.conditions;
  check_equal(instance("ss,85C,0.81V").cell.i_table_A, set.models[set.index(1, 2, 0)].cell.i_table_A);
  check_equal(instance("").cell.i_table_A, written.model.cell.i_table_A);
  CHECK_THROWS_WITH(instance("ff"), Contains("model.h5: no corner 'ff'; there are tt, ss"));
  CHECK_THROWS_WITH(instance("ss,99C", true), Contains("model.h5: temperature 99 degC"));
  tests::CapturedStderr captured;
  check_equal(instance("ss,99C,0.81V").cell.i_table_A, set.models[set.index(1, 2, 0)].cell.i_table_A);
  CHECK_THAT(captured.text(), Contains("model.h5: 1 of 2 queries outside the fitted range clamped"));
}

TEST_CASE("a model of which a part was not fitted keeps its empty tables", "[store]") {
  const tests::ScratchFolder scratch;
  store::write_model(scratch.path() / "model.h5", {});
  const store::ModelFile read = store::read_model(scratch.path() / "model.h5");
  CHECK(read.model.cell.i_table_A.empty());
  CHECK(read.model.write.v_stored_V.empty());
  CHECK(read.model.leak.v_V.empty());
  CHECK(read.model.energy_constants.empty());
  CHECK(read.model.phases.empty());
  CHECK(read.model.forms.empty());
}

TEST_CASE("a model with parts of different lengths is refused and nothing is written", "[store]") {
  const tests::ScratchFolder scratch;
  store::ModelFile file = tests::sample_model();
  file.model.write.v_stored_V.pop_back();
  CHECK_THROWS_WITH(store::write_model(scratch.path() / "model.h5", file), Contains("/write/v_stored has 2 values"));
  CHECK(std::filesystem::is_empty(scratch.path()));
}
