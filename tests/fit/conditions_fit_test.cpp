#include "fit/conditions_fit.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <sstream>

#include "core/error.hpp"
#include "fit/conditions_synthetic.hpp"
#include "fit/fit.hpp"

using namespace gaincal;
using Catch::Contains;
using Catch::WithinAbs;
using Catch::WithinRel;

namespace {

const fit::FitReport& fitted() {
  static const fit::FitReport report = fit::fit_circuit(tests::conditions_dataset(), tests::conditions_facts());
  return report;
}

device::CircuitModel instance(const std::string& words) {
  device::RangeGuard guard(true);
  return device::instance_of(fitted().model, fitted().conditions, device::parse_model_choice(words, "test"), guard);
}

}  // namespace

TEST_CASE("each condition is fitted from its own tables, the nominal one is the nominal model", "[fit]") {
  REQUIRE(fitted().usable());
  const device::ConditionSet& set = fitted().conditions;
  CHECK(set.corners == std::vector<std::string>{"tt", "ss"});
  CHECK(set.temperatures_C == std::vector<double>{-40, 27, 85});
  REQUIRE(set.models.size() == 6);
  const tests::SyntheticCircuit hot = tests::circuit_at("ss", 85);
  const device::CircuitModel& model = set.models[set.index(1, 2, 0)];
  CHECK_THAT(model.cell.i_cubic_A.coeff[1], WithinRel(hot.i_A.coeff[1], 1e-8));
  CHECK_THAT(model.score_readout.positive.slope_s_per_C, WithinRel(hot.score.slope_s_per_C, 1e-8));
  CHECK_THAT(model.leak.tau_s, WithinRel(hot.tau_s, 1e-6));
  CHECK(set.models[set.index(0, 1, 0)].forms.size() == fitted().model.forms.size());
  CHECK(fitted().model.cell.i_cubic_A.coeff == set.models[set.index(0, 1, 0)].cell.i_cubic_A.coeff);
}

TEST_CASE("the stated interpolation error is that of the interpolated model on the left-out points", "[fit]") {
  const device::ConditionSet& set = fitted().conditions;
  CHECK(set.errors.size() == 4 * 8);  // two corners at two temperatures, eight quantities
  const device::CircuitModel model = instance("ss,56C");
  const tests::SyntheticCircuit circuit = tests::circuit_at("ss", 56);
  const store::Dataset tables = tests::synthetic_dataset(circuit);
  const store::Table& check = tables.table("cell_read_check");
  double max_C = 0.0;
  for (const double v : check.axes[0].values)
    for (const double x : check.axes[1].values)
      max_C = std::max(max_C, std::abs(circuit.charge_C(v, x) - model.cell.charge_C(v, x)));
  bool found = false;
  for (const device::InterpolationError& error : set.errors)
    if (error.quantity == "cell charge" && error.at.corner == "ss" && error.at.temperature_C == 56) {
      found = true;
      CHECK_THAT(error.max, WithinRel(max_C, 1e-9));
      CHECK(error.rms <= error.max);
      CHECK(error.points == check.points());
      CHECK(error.full_scale == fitted().model.cell.table_quality.full_scale);
    }
  CHECK(found);
}

TEST_CASE("what follows the temperature smoothly is interpolated within a thousandth of full scale", "[fit]") {
  // Not the signed converter and the energies: these tables are coarse at its jump and at their kinks.
  const std::vector<std::string> smooth = {"cell charge", "read energy", "retention", "stored voltage", "score width"};
  for (const device::InterpolationError& error : fitted().conditions.errors) {
    if (std::find(smooth.begin(), smooth.end(), error.quantity) == smooth.end()) continue;
    INFO(error.quantity << " at " << condition_text(error.at));
    CHECK(error.full_scale > 0);
    CHECK(error.max < 2e-3 * error.full_scale);
  }
}

TEST_CASE("the report of conditions names the worst of each part and every left-out condition", "[fit]") {
  std::ostringstream text;
  fit::print_conditions(text, fitted().conditions);
  CHECK_THAT(text.str(), Contains("6 conditions: 2 corners, 3 temperatures, 1 supplies") &&
                             Contains("corner ss, 56 degC, 0.9 V") && Contains("largest: "));
  std::ostringstream nothing;
  fit::print_conditions(nothing, {});
  CHECK(nothing.str().empty());
}

TEST_CASE("a condition that cannot be fitted is named, and no condition is given", "[fit]") {
  store::Dataset dataset = tests::conditions_dataset();
  std::vector<double>& width_s = tests::values_of(dataset, "conditions_readout_unsigned", "t_out");
  width_s[width_s.size() - 10] *= 0.5;  // of the last condition
  const fit::FitReport report = fit::fit_circuit(dataset, tests::conditions_facts());
  REQUIRE_FALSE(report.usable());
  CHECK(report.first_failure()->status == fit::FitStatus::not_monotone);
  CHECK_THAT(report.first_failure()->note, Contains("at corner ss, 85 degC, 0.9 V: a shorter pulse"));
  CHECK(report.conditions.models.empty());
}

TEST_CASE("tables of other conditions than those beside them are refused", "[fit]") {
  store::Dataset dataset = tests::conditions_dataset();
  tests::table_of(dataset, "conditions_cell_leak").axes[1].values[0] = -30;
  CHECK_THROWS_WITH(fit::fit_circuit(dataset, tests::conditions_facts()),
                    Contains("table conditions_cell_leak: its conditions are not those of the tables beside it"));
  dataset = tests::conditions_dataset();
  tests::table_of(dataset, "conditions_cell_read").axes[0].name = "process";
  CHECK_THROWS_WITH(fit::fit_circuit(dataset, tests::conditions_facts()),
                    Contains("its first axes are not corner, temperature, supply"));
}
