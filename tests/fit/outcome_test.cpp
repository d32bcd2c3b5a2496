#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <sstream>

#include "fit/fit.hpp"
#include "fit/synthetic.hpp"

using namespace gaincal;
using Catch::Contains;
using Catch::WithinRel;
using fit::FitStatus;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

fit::FitReport fitted(const store::Dataset& dataset) { return fit::fit_circuit(dataset, tests::synthetic_facts()); }

const fit::Outcome& outcome(const fit::FitReport& report, const std::string& quantity, const std::string& form) {
  for (const fit::Outcome& candidate : report.outcomes)
    if (candidate.quantity == quantity && candidate.form == form) return candidate;
  FAIL("no outcome " << quantity << ", " << form);
  return report.outcomes.front();
}

/// Keeps only the first voltages of the read table.
void keep_voltages(store::Dataset& dataset, std::size_t count) {
  store::Table& table = tests::table_of(dataset, "cell_read");
  const std::size_t widths = table.axes[1].values.size();
  table.axes[0].values.resize(count);
  for (store::Quantity& quantity : table.quantities) quantity.values.resize(count * widths);
}

}  // namespace

TEST_CASE("failed and non-finite points are left out and counted", "[fit]") {
  store::Dataset dataset = tests::synthetic_dataset();
  store::Table& read = tests::table_of(dataset, "cell_read");
  read.failed.assign(read.points(), 0);
  read.failed[3] = 1;  // its value is finite and wrong
  tests::values_of(dataset, "cell_read", "q_bl")[3] = 1e-12;
  tests::values_of(dataset, "cell_read", "q_bl")[20] = kNaN;
  tests::values_of(dataset, "cell_read", "q_bl")[21] = INFINITY;
  tests::values_of(dataset, "cell_read_check", "q_bl")[7] = kNaN;
  tests::values_of(dataset, "readout_unsigned", "t_out")[10] = kNaN;
  tests::values_of(dataset, "cell_leak_check", "v_cell")[0] = kNaN;
  tests::values_of(dataset, "cell_write", "v_stored")[9] = kNaN;
  const auto report = fitted(dataset);
  REQUIRE(report.usable());
  const tests::SyntheticCircuit circuit;
  for (std::size_t k = 0; k < 4; ++k)
    CHECK_THAT(report.model.cell.i_cubic_A.coeff[k], WithinRel(circuit.i_A.coeff[k], 1e-8));
  const fit::Outcome& cubic = outcome(report, "cell charge", "cubic");
  CHECK(cubic.excluded == 3);
  CHECK(cubic.held_out_excluded == 1);
  CHECK(cubic.quality.points == 149);
  CHECK(cubic.quality.held_out_points == 64);
  CHECK(outcome(report, "score width", "hard sigmoid").excluded == 1);
  CHECK(outcome(report, "score width", "monotone table").quality.points == 36);
  CHECK(outcome(report, "retention", "exponential").held_out_excluded == 1);
  CHECK(outcome(report, "stored voltage", "mean of a level").quality.points == 63);
  std::ostringstream text;
  fit::print_report(text, report);
  CHECK_THAT(text.str(), Contains("cell charge, cubic: 3 points and 1 held-out points failed"));
}

TEST_CASE("pulses of no width are not fitted", "[fit]") {
  store::Dataset dataset = tests::synthetic_dataset();
  store::Table& read = tests::table_of(dataset, "cell_read");
  read.axes[1].values.front() = 0.0;
  for (std::size_t i = 0; i < read.points(); i += read.axes[1].values.size())
    for (store::Quantity& quantity : read.quantities) quantity.values[i] = 0.0;
  const auto report = fitted(dataset);
  CHECK(report.model.cell.table_quality.points == 133);
  CHECK_THAT(report.model.cell.i_cubic_A.coeff[1], WithinRel(2.65e-6, 1e-8));
}

TEST_CASE("three voltages make a table and no cubic, one makes neither", "[fit]") {
  store::Dataset dataset = tests::synthetic_dataset();
  keep_voltages(dataset, 3);
  auto report = fitted(dataset);
  CHECK_FALSE(report.usable());
  CHECK(outcome(report, "cell charge", "cubic").status == FitStatus::too_few_points);
  CHECK(outcome(report, "cell charge", "monotone table").status == FitStatus::converged);
  CHECK(report.first_failure() == &outcome(report, "cell charge", "cubic"));
  keep_voltages(dataset, 1);
  report = fitted(dataset);
  CHECK(outcome(report, "cell charge", "monotone table").status == FitStatus::too_few_points);
  CHECK(report.model.cell.i_table_A.empty());
}

TEST_CASE("one pulse width cannot tell current from edge charge, and that is reported", "[fit]") {
  store::Dataset dataset = tests::synthetic_dataset();
  store::Table& read = tests::table_of(dataset, "cell_read");
  const std::size_t widths = read.axes[1].values.size();
  read.failed.assign(read.points(), 1);
  for (std::size_t i = widths - 1; i < read.points(); i += widths) read.failed[i] = 0;
  const auto report = fitted(dataset);
  CHECK(outcome(report, "cell charge", "line over width").status == FitStatus::too_few_points);
  CHECK_THAT(outcome(report, "cell charge", "line over width").note, Contains("19 voltages have fewer than two"));
  CHECK(outcome(report, "read energy", "line over width").status == FitStatus::too_few_points);
}

TEST_CASE("a charge that bends over the width is said to", "[fit]") {
  store::Dataset dataset = tests::synthetic_dataset();
  const auto widths = tests::table_of(dataset, "cell_read").axes[1].values;
  std::vector<double>& q = tests::values_of(dataset, "cell_read", "q_bl");
  for (std::size_t i = 0; i < q.size(); ++i) q[i] *= 1 - 1e7 * widths[i % widths.size()];
  const auto report = fitted(dataset);
  CHECK_THAT(outcome(report, "cell charge", "line over width").note, Contains("not affine in the width"));
  CHECK(outcome(fitted(tests::synthetic_dataset()), "cell charge", "line over width").note.empty());
}

TEST_CASE("a converter that steps back is not monotone", "[fit]") {
  store::Dataset dataset = tests::synthetic_dataset();
  tests::values_of(dataset, "readout_unsigned", "t_out")[20] *= 0.9;
  tests::values_of(dataset, "readout_signed", "sign")[10] = 1;  // a wrong sign at a large negative charge
  const auto report = fitted(dataset);
  CHECK(outcome(report, "score width", "monotone table").status == FitStatus::not_monotone);
  CHECK_THAT(outcome(report, "score width", "monotone table").note, Contains("a shorter pulse at 140 fC"));
  CHECK(outcome(report, "output width", "hard sigmoid").status == FitStatus::not_monotone);
  CHECK(report.model.score_readout.t_table_s.empty());
}

TEST_CASE("picoseconds of a simulator's noise in saturation are no step back", "[fit]") {
  store::Dataset dataset = tests::synthetic_dataset();
  tests::values_of(dataset, "readout_unsigned", "t_out")[35] -= 1e-12;
  CHECK(fitted(dataset).usable());
}

TEST_CASE("a converter with one point on a side is reported", "[fit]") {
  store::Dataset dataset = tests::synthetic_dataset();
  for (double& sign : tests::values_of(dataset, "readout_signed", "sign")) sign = 1;
  tests::values_of(dataset, "readout_signed", "sign").front() = -1;
  CHECK(outcome(fitted(dataset), "output width", "monotone table").status == FitStatus::too_few_points);
}

TEST_CASE("a start of which a point failed leaves the leak table as a whole", "[fit]") {
  store::Dataset dataset = tests::synthetic_dataset();
  tests::values_of(dataset, "cell_leak", "v_cell")[70] = kNaN;
  const auto report = fitted(dataset);
  CHECK(report.model.leak.v0_V.size() == 9);
  CHECK(report.model.leak.v_V.size() == 9 * report.model.leak.age_s.size());
  CHECK_THAT(outcome(report, "retention", "bilinear table").note, Contains("1 starts left out"));
  CHECK_THAT(report.model.leak.tau_s, WithinRel(5e-3, 1e-6));
}

TEST_CASE("a cell that does not leak puts tau at the end of the search", "[fit]") {
  store::Dataset dataset = tests::synthetic_dataset(tests::SyntheticCircuit{.tau_s = 1e9});
  const auto report = fitted(dataset);
  CHECK(outcome(report, "retention", "exponential").status == FitStatus::at_search_limit);
  CHECK(report.usable());
  CHECK(report.model.leak.tau_s > 10.0);
}

TEST_CASE("a level whose writes all failed is reported", "[fit]") {
  store::Dataset dataset = tests::synthetic_dataset();
  for (std::size_t j = 0; j < 8; ++j) tests::values_of(dataset, "cell_write", "v_stored")[16 + j] = kNaN;
  const auto report = fitted(dataset);
  CHECK(outcome(report, "stored voltage", "mean of a level").status == FitStatus::too_few_points);
  CHECK(report.model.write.v_stored_V.empty());
}

TEST_CASE("the report states residuals in the units of the field and in percent", "[fit]") {
  store::Dataset dataset = tests::synthetic_dataset();
  for (double& q : tests::values_of(dataset, "cell_read_check", "q_bl")) q += 0.5e-15;
  const auto report = fitted(dataset);
  std::ostringstream text;
  fit::print_report(text, report);
  char expected[64];
  std::snprintf(expected, sizeof expected, "0.5000 %7.3f%%",
                0.5e-15 / report.model.cell.cubic_quality.full_scale * 100);
  CHECK_THAT(text.str(), Contains(expected));
  for (const char* word :
       {"cell charge", "score width", "output width", "retention", "fC", "ns", "mV", "fJ", "held-out"})
    CHECK_THAT(text.str(), Contains(word));
}
