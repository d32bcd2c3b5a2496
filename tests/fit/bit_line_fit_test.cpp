#include <catch2/catch.hpp>
#include <cmath>

#include "core/random.hpp"
#include "fit/parts.hpp"
#include "fit/synthetic.hpp"

using namespace gaincal;
using Catch::Matchers::WithinAbs;

namespace {

device::CellModel cell() {
  device::CellModel model;
  model.i_table_A = device::MonotoneCurve({0.0, 0.9}, {-2e-6, 2e-6});
  model.a_table_C = device::MonotoneCurve({0.0, 0.9}, {0.0, 0.0});
  model.t_pulse_max_s = 15e-9;
  return model;
}

/// Columns of 16 random rows and what `line` collects of them.
void add_columns(store::Dataset& dataset, const std::string& name, std::size_t count,
                 const device::BitLineModel& line) {
  constexpr std::size_t kRows = 16;
  store::Table operands, columns;
  operands.name = name + "_operands";
  columns.name = name;
  store::Axis column{"column", "1", {}}, row{"row", "1", {}};
  for (std::size_t r = 0; r < kRows; ++r) row.values.push_back(static_cast<double>(r));
  store::Quantity v{"v_store", "V", "", {}}, t{"t_pulse", "s", "", {}}, q{"q_column", "C", "", {}};
  const CounterRandom random(3, name.size());
  for (std::size_t i = 0; i < count; ++i) {
    column.values.push_back(static_cast<double>(i));
    double held_C = 0.0, full_pulses = 0.0;
    for (std::size_t r = 0; r < kRows; ++r) {
      const std::uint64_t at = 2 * (i * kRows + r);
      v.values.push_back(0.9 * random.uniform(at));
      const double active = static_cast<double>(i % 8 + 1) / 8.0;
      t.values.push_back(random.uniform(at + 1) < active ? 15e-9 * random.uniform(at + 1) / active : 0.0);
      held_C += cell().charge_C(v.values.back(), t.values.back());
      full_pulses += t.values.back() / 15e-9;
    }
    q.values.push_back(line.collected_charge_C(held_C, full_pulses));
  }
  operands.axes = {column, row};
  operands.quantities = {v, t};
  columns.axes = {column};
  columns.quantities = {q};
  dataset.tables.push_back(operands);
  dataset.tables.push_back(columns);
}

device::BitLineModel fit_line(const store::Dataset& dataset, std::vector<fit::Outcome>& outcomes) {
  std::vector<device::FormScore> scores;
  return fit::fit_bit_line(dataset, false, cell(), outcomes, scores);
}

}  // namespace

TEST_CASE("the fit of a bit line recovers the one that made the columns", "[fit]") {
  device::BitLineModel truth;
  truth.coeff[0] = {0.0, 0.05, -0.001, 0.0};
  truth.coeff[1] = {0.98, -0.005, 1e-4, 0.0};
  truth.coeff[2] = {1e-4, 2e-5, 0.0, 0.0};
  truth.coeff[3] = {-3e-6, 1e-7, 0.0, 0.0};
  store::Dataset dataset;
  add_columns(dataset, "bit_line_score", 60, truth);
  add_columns(dataset, "bit_line_score_check", 30, truth);
  std::vector<fit::Outcome> outcomes;
  const device::BitLineModel fitted = fit_line(dataset, outcomes);
  REQUIRE(outcomes.size() == 1);
  CHECK(outcomes[0].form == "cubic in charge");
  for (std::size_t k = 0; k < 4; ++k)
    for (std::size_t j = 0; j < 4; ++j) CHECK_THAT(fitted.coeff[k][j], WithinAbs(truth.coeff[k][j], 1e-9));
  CHECK(fitted.q_max_C < 1e-12);
  CHECK(fitted.full_pulses_max < 16.0);
  CHECK(fitted.quality.points == 60);
}

TEST_CASE("a bit line that holds still stays still, and failed columns are left out", "[fit]") {
  store::Dataset dataset;
  add_columns(dataset, "bit_line_score", 20, {});
  add_columns(dataset, "bit_line_score_check", 20, {});
  tests::values_of(dataset, "bit_line_score", "q_column")[4] = NAN;
  std::vector<fit::Outcome> outcomes;
  const device::BitLineModel fitted = fit_line(dataset, outcomes);
  CHECK(outcomes[0].form == "held");
  CHECK(outcomes[0].excluded == 1);
  CHECK(fitted.coeff == device::BitLineModel{}.coeff);
}

TEST_CASE("a dataset without columns gives a bit line that holds still", "[fit]") {
  std::vector<fit::Outcome> outcomes;
  CHECK(fit_line({}, outcomes).coeff == device::BitLineModel{}.coeff);
  CHECK(outcomes.empty());
}
