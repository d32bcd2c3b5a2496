#include "fit/fit.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <functional>

#include "core/error.hpp"
#include "fit/synthetic.hpp"

using namespace gaincal;
using Catch::Contains;
using Catch::WithinAbs;
using Catch::WithinRel;
using device::FitQuality;

namespace {

fit::FitReport fitted(const store::Dataset& dataset) { return fit::fit_circuit(dataset, tests::synthetic_facts()); }

/// rms and max recomputed point by point from the tables.
struct BruteForce {
  double rms = 0.0, max = 0.0;
};

BruteForce over_grid(const store::Table& table, const std::vector<std::string>& quantities,
                     const std::function<double(double, double)>& model) {
  BruteForce result;
  const auto &x = table.axes[0].values, &y = table.axes[1].values;
  for (std::size_t i = 0; i < x.size(); ++i)
    for (std::size_t j = 0; j < y.size(); ++j) {
      double value = 0.0;
      for (const std::string& name : quantities) value += table.quantity(name).values[i * y.size() + j];
      const double residual = value - model(x[i], y[j]);
      result.rms += residual * residual / static_cast<double>(x.size() * y.size());
      result.max = std::max(result.max, std::abs(residual));
    }
  result.rms = std::sqrt(result.rms);
  return result;
}

BruteForce over_line(const store::Table& table, bool is_signed, const std::function<double(double)>& model) {
  BruteForce result;
  const auto& q = table.axes[0].values;
  for (std::size_t i = 0; i < q.size(); ++i) {
    const double sign = is_signed ? table.quantity("sign").values[i] : 1.0;
    const double residual = sign * table.quantity("t_out").values[i] - model(q[i]);
    result.rms += residual * residual / static_cast<double>(q.size());
    result.max = std::max(result.max, std::abs(residual));
  }
  result.rms = std::sqrt(result.rms);
  return result;
}

void check_quality(const FitQuality& quality, const BruteForce& seen, const BruteForce& held_out) {
  CHECK_THAT(quality.rms, WithinRel(seen.rms, 1e-9) || WithinAbs(seen.rms, 1e-24));
  CHECK(quality.max == seen.max);
  CHECK_THAT(quality.held_out_rms, WithinRel(held_out.rms, 1e-9) || WithinAbs(held_out.rms, 1e-24));
  CHECK(quality.held_out_max == held_out.max);
}

}  // namespace

TEST_CASE("the cell fit recovers both cubics", "[fit]") {
  const tests::SyntheticCircuit circuit;
  const auto report = fitted(tests::synthetic_dataset(circuit));
  REQUIRE(report.usable());
  const device::CellModel& cell = report.model.cell;
  for (std::size_t k = 0; k < 4; ++k) {
    CHECK_THAT(cell.i_cubic_A.coeff[k], WithinRel(circuit.i_A.coeff[k], 1e-8));
    CHECK_THAT(cell.a_cubic_C.coeff[k], WithinRel(circuit.a_C.coeff[k], 1e-6));
  }
  CHECK(cell.i_cubic_A.x0 == 0.45);
  CHECK(cell.v_min_V == 0.0);
  CHECK_THAT(cell.v_max_V, WithinAbs(0.9, 1e-15));
  CHECK(cell.t_pulse_max_s == 15e-9);
  CHECK(cell.cubic_quality.held_out_max < 1e-9 * cell.cubic_quality.full_scale);
  CHECK(cell.table_quality.held_out_max < 2e-3 * cell.table_quality.full_scale);
  CHECK_THAT(cell.table_quality.full_scale, WithinRel(std::abs(circuit.charge_C(0.9, 15e-9)), 1e-12));
}

TEST_CASE("the converter fits recover both hard sigmoids and the sign threshold", "[fit]") {
  const tests::SyntheticCircuit circuit;
  const auto report = fitted(tests::synthetic_dataset(circuit));
  const auto same = [](const device::HardSigmoid& a, const device::HardSigmoid& b) {
    CHECK_THAT(a.slope_s_per_C, WithinRel(b.slope_s_per_C, 1e-9));
    CHECK_THAT(a.q0_C, WithinRel(b.q0_C, 1e-9));
    CHECK_THAT(a.t_max_s, WithinRel(b.t_max_s, 1e-9));
  };
  same(report.model.score_readout.positive, circuit.score);
  same(report.model.output_readout.positive, circuit.positive);
  same(report.model.output_readout.negative, circuit.negative);
  CHECK_THAT(report.model.output_readout.q_sign_C, WithinAbs(circuit.q_sign_C, 5e-15));  // half a step of the sweep
}

TEST_CASE("the table of a signed converter keeps its jump between two points of the sweep", "[fit]") {
  const tests::SyntheticCircuit circuit;
  const auto report = fitted(tests::synthetic_dataset(circuit));
  const device::ReadoutModel& readout = report.model.output_readout;
  // Points of the sweep at -9 fC and 1 fC around the threshold; the jump stands in their middle.
  CHECK_THAT(readout.width_s(-4.1e-15), WithinAbs(-circuit.negative(4.1e-15), 1e-12));
  CHECK_THAT(readout.width_s(-3.9e-15), WithinAbs(circuit.positive(-3.9e-15), 1e-12));
  CHECK_THAT(readout.width_s(6e-15), WithinAbs(circuit.positive(6e-15), 1e-12));
  double before = -1.0;
  for (double q = -320e-15; q < 320e-15; q += 0.05e-15) {
    CHECK(readout.width_s(q) >= before);
    before = readout.width_s(q);
  }
}

TEST_CASE("leak, write and read energy are recovered", "[fit]") {
  const tests::SyntheticCircuit circuit;
  const auto report = fitted(tests::synthetic_dataset(circuit));
  const device::CircuitModel& model = report.model;
  CHECK_THAT(model.leak.tau_s, WithinRel(circuit.tau_s, 1e-6));
  CHECK_THAT(model.leak.v_inf_V, WithinAbs(circuit.v_inf_V, 1e-8));
  CHECK(model.leak.exponential_quality.held_out_max < 1e-8);
  CHECK(model.leak.age_s.front() == 0.0);
  CHECK_THAT(model.leak.voltage_V(0.9, 5e-3), WithinAbs(0.3 + 0.6 / std::exp(1.0), 1e-12));
  REQUIRE(model.write.v_stored_V.size() == 8);
  for (std::size_t i = 0; i < 8; ++i) {
    CHECK_THAT(model.write.v_stored_V[i], WithinAbs(0.9 * static_cast<double>(i) / 7 + 2e-3, 1e-12));
    CHECK_THAT(model.write.v_target_V[i], WithinAbs(0.9 * static_cast<double>(i) / 7, 1e-12));
    CHECK_THAT(model.write.e_write_J[i], WithinRel(1e-15 * (static_cast<double>(i) + 3.5), 1e-9));
  }
  CHECK_THAT(model.write.v_spread_V, WithinAbs(3.5e-5, 1e-12));
  CHECK_THAT(model.write.t_settle_s, WithinRel(2e-9, 1e-12));
  for (const double v : {0.0, 0.31, 0.9}) {
    CHECK_THAT(model.read_energy.energy_J(v, 7e-9), WithinRel(circuit.read_energy_J(v, 7e-9), 1e-9));
    CHECK_THAT(model.read_energy.word_line_J(v), WithinRel(0.25 * model.read_energy.e_edge_J(v), 1e-9));
  }
}

TEST_CASE("every statement of quality equals its recomputation from the tables", "[fit]") {
  store::Dataset dataset = tests::synthetic_dataset();
  // Something that no form can follow, so that the residuals are not only rounding.
  for (store::Table& table : dataset.tables)
    for (store::Quantity& quantity : table.quantities)
      if (quantity.name != "sign")
        for (std::size_t i = 0; i < quantity.values.size(); ++i)
          quantity.values[i] *= 1 + 1e-4 * std::sin(static_cast<double>(i * i));
  const auto report = fitted(dataset);
  REQUIRE(report.usable());
  const device::CircuitModel& model = report.model;
  const auto quality_of_grid = [&](const FitQuality& quality, const std::string& name,
                                   const std::vector<std::string>& quantities,
                                   const std::function<double(double, double)>& form) {
    check_quality(quality, over_grid(dataset.table(name), quantities, form),
                  over_grid(dataset.table(name + "_check"), quantities, form));
  };
  quality_of_grid(model.cell.table_quality, "cell_read", {"q_bl"},
                  [&](double v, double x) { return model.cell.charge_C(v, x); });
  quality_of_grid(model.cell.cubic_quality, "cell_read", {"q_bl"},
                  [&](double v, double x) { return x * model.cell.i_cubic_A(v) + model.cell.a_cubic_C(v); });
  quality_of_grid(model.leak.exponential_quality, "cell_leak", {"v_cell"},
                  [&](double v, double age) { return model.leak.exponential_V(v, age); });
  quality_of_grid(model.leak.table_quality, "cell_leak", {"v_cell"},
                  [&](double v, double age) { return model.leak.voltage_V(v, age); });
  quality_of_grid(model.read_energy.quality, "cell_read", {"e_supply", "e_word_line"},
                  [&](double v, double x) { return model.read_energy.energy_J(v, x); });
  const auto quality_of_line = [&](const FitQuality& quality, bool is_signed,
                                   const std::function<double(double)>& form) {
    const std::string name = is_signed ? "readout_signed" : "readout_unsigned";
    check_quality(quality, over_line(dataset.table(name), is_signed, form),
                  over_line(dataset.table(name + "_check"), is_signed, form));
  };
  const device::ReadoutModel &score = model.score_readout, &output = model.output_readout;
  quality_of_line(score.table_quality, false, [&](double q) { return score.width_s(q); });
  quality_of_line(score.hard_sigmoid_quality, false, [&](double q) { return score.hard_sigmoid_s(q); });
  quality_of_line(output.table_quality, true, [&](double q) { return output.width_s(q); });
  quality_of_line(output.hard_sigmoid_quality, true, [&](double q) { return output.hard_sigmoid_s(q); });
}

TEST_CASE("held-out figures come from the held-out tables and from nothing else", "[fit]") {
  const store::Dataset clean = tests::synthetic_dataset();
  store::Dataset shifted = clean;
  for (double& q : tests::values_of(shifted, "cell_read_check", "q_bl")) q += 3e-15;
  for (double& t : tests::values_of(shifted, "readout_unsigned_check", "t_out")) t += 2e-9;
  for (double& v : tests::values_of(shifted, "cell_leak_check", "v_cell")) v += 0.1;
  const auto before = fitted(clean).model, after = fitted(shifted).model;
  CHECK(after.cell.i_cubic_A.coeff == before.cell.i_cubic_A.coeff);
  REQUIRE(after.forms.size() == before.forms.size());  // the choice may differ, the fits may not
  for (std::size_t i = 0; i < before.forms.size(); ++i) {
    CHECK(after.forms[i].quality.rms == before.forms[i].quality.rms);
    for (std::size_t k = 0; k < before.forms[i].coefficients.size(); ++k)
      CHECK(after.forms[i].coefficients[k].value == before.forms[i].coefficients[k].value);
  }
  CHECK_THAT(after.cell.cubic_quality.held_out_rms, WithinRel(3e-15, 1e-6));
  CHECK_THAT(after.cell.cubic_quality.held_out_max, WithinRel(3e-15, 1e-6));
  CHECK_THAT(after.score_readout.hard_sigmoid_quality.held_out_max, WithinRel(2e-9, 1e-6));
  CHECK(after.leak.tau_s == before.leak.tau_s);
  CHECK_THAT(after.leak.exponential_quality.held_out_rms, WithinRel(0.1, 1e-6));
  CHECK(after.cell.table_quality.held_out_points == 65);
  CHECK(after.cell.table_quality.points == 152);
}

TEST_CASE("a missing table, axis, quantity or unit is an error that names it", "[fit]") {
  const auto failure_after = [](const std::function<void(store::Dataset&)>& spoil) {
    store::Dataset dataset = tests::synthetic_dataset();
    spoil(dataset);
    try {
      fitted(dataset);
    } catch (const Error& failure) {
      return std::string(failure.what());
    }
    return std::string("no failure");
  };
  for (const std::string name :
       {"cell_read", "cell_read_check", "cell_write", "cell_leak", "cell_leak_check", "readout_unsigned",
        "readout_unsigned_check", "readout_signed", "readout_signed_check"})
    CHECK_THAT(failure_after([&](auto& d) { tests::table_of(d, name).name.append("_lost"); }),
               Contains("no table " + name + " "));
  CHECK_THAT(failure_after([](auto& d) { tests::table_of(d, "cell_read").axes[0].name.append("x"); }),
             Contains("table cell_read: its axes are not v_store, t_pulse"));
  CHECK_THAT(failure_after([](auto& d) { tests::table_of(d, "cell_leak").quantities[0].name.append("x"); }),
             Contains("table cell_leak: no quantity v_cell"));
  CHECK_THAT(failure_after([](auto& d) { tests::table_of(d, "cell_read").quantities[0].unit.insert(0, "f"); }),
             Contains("q_bl is in 'fC' where 'C' is needed"));
  CHECK_THAT(failure_after([](auto& d) {
               std::swap(tests::table_of(d, "readout_signed").axes[0].values[3],
                         tests::table_of(d, "readout_signed").axes[0].values[4]);
             }),
             Contains("axis q_in does not rise at index 4"));
}

TEST_CASE("a token takes the sum of the phases of the design", "[fit]") {
  const netlist::Design design = netlist::default_design();
  const fit::DesignFacts facts = fit::design_facts(design);
  CHECK(facts.rows == 64);
  CHECK(facts.t_max_s == 15e-9);
  REQUIRE(facts.phases.size() == netlist::token_phases(design).size());
  double sum_s = 0.0;
  for (const device::Phase& phase : facts.phases) sum_s += phase.duration_s;
  CHECK(facts.t_token_s == sum_s);
  CHECK(facts.energy_constants.size() == 2);
}
