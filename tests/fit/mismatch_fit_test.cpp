#include <catch2/catch.hpp>
#include <cmath>
#include <functional>

#include "core/random.hpp"
#include "fit/fit.hpp"
#include "fit/synthetic.hpp"

using namespace gaincal;
using Catch::WithinRel;

namespace {

constexpr std::size_t kSamples = 4000;
constexpr double kTmax_s = 15e-9;

store::Table over_samples(const std::string& name, const std::string& axis, const std::string& unit,
                          const std::vector<double>& at, const std::string& quantity, const std::string& quantity_unit,
                          const std::function<double(double, std::size_t)>& value) {
  store::Table table;
  table.name = name;
  std::vector<double> samples(kSamples);
  for (std::size_t i = 0; i < kSamples; ++i) samples[i] = static_cast<double>(i);
  table.axes = {{axis, unit, at}, {"sample", "1", samples}};
  store::Quantity values{quantity, quantity_unit, "", {}};
  for (const double x : at)
    for (std::size_t i = 0; i < kSamples; ++i) values.values.push_back(value(x, i));
  table.quantities = {values};
  return table;
}

/// Cells that differ by a gain and an offset, converters by an offset.
store::Dataset differing(double gain_sigma, double offset_sigma_A, double score_sigma_C, double output_sigma_C) {
  const tests::SyntheticCircuit circuit;
  store::Dataset dataset = tests::synthetic_dataset(circuit);
  const auto normal = [](std::uint64_t stream) {
    return [random = CounterRandom(3, stream)](std::size_t sample) { return random.normal(sample); };
  };
  dataset.tables.push_back(
      over_samples("cell_mismatch", "v_store", "V", {0.0, 0.3, 0.6, 0.9}, "q_bl", "C", [&](double v, std::size_t s) {
        return circuit.charge_C(v, kTmax_s) * (1 + gain_sigma * normal(1)(s)) + kTmax_s * offset_sigma_A * normal(2)(s);
      }));
  dataset.tables.push_back(
      over_samples("readout_unsigned_mismatch", "q_in", "C", {50e-15, 120e-15}, "t_out", "s",
                   [&](double q, std::size_t s) { return circuit.score(q + score_sigma_C * normal(3)(s)); }));
  dataset.tables.push_back(over_samples("readout_signed_mismatch", "q_in", "C", {-90e-15, 90e-15}, "t_out", "s",
                                        [&](double q, std::size_t s) {
                                          const double moved = q + output_sigma_C * normal(4)(s);
                                          return moved < 0 ? -circuit.negative(-moved) : circuit.positive(moved);
                                        }));
  return dataset;
}

}  // namespace

TEST_CASE("mismatch of cells and converters is recovered from samples", "[fit]") {
  const auto report = fit::fit_circuit(differing(0.03, 20e-9, 2e-15, 1e-15), tests::synthetic_facts());
  REQUIRE(report.usable());
  const device::MismatchModel& mismatch = report.model.mismatch;
  // The standard error of a sigma of 4000 samples is 1.1 %.
  CHECK_THAT(mismatch.cell_gain_sigma, WithinRel(0.03, 0.05));
  CHECK_THAT(mismatch.cell_offset_sigma_A, WithinRel(20e-9, 0.05));
  CHECK_THAT(mismatch.score_offset_sigma_C, WithinRel(2e-15, 0.05));
  CHECK_THAT(mismatch.output_offset_sigma_C, WithinRel(1e-15, 0.05));
  CHECK(mismatch.samples == kSamples);
}

TEST_CASE("cells that differ only in gain have no offset to speak of, and the other way round", "[fit]") {
  const auto gain = fit::fit_circuit(differing(0.03, 0.0, 0.0, 0.0), tests::synthetic_facts()).model.mismatch;
  CHECK_THAT(gain.cell_gain_sigma, WithinRel(0.03, 0.05));
  CHECK(gain.cell_offset_sigma_A < 1e-12);
  CHECK(gain.score_offset_sigma_C < 1e-24);
  const auto offset = fit::fit_circuit(differing(0.0, 20e-9, 0.0, 0.0), tests::synthetic_facts()).model.mismatch;
  CHECK(offset.cell_gain_sigma < 1e-6);
  CHECK_THAT(offset.cell_offset_sigma_A, WithinRel(20e-9, 0.05));
}

TEST_CASE("a dataset without chips gives no mismatch", "[fit]") {
  const auto report = fit::fit_circuit(tests::synthetic_dataset(), tests::synthetic_facts());
  CHECK(report.model.mismatch.samples == 0);
  CHECK(report.model.mismatch.cell_gain_sigma == 0.0);
}

TEST_CASE("failed chips are left out and counted, too few are told", "[fit]") {
  store::Dataset dataset = differing(0.03, 20e-9, 2e-15, 1e-15);
  store::Table& table = tests::table_of(dataset, "cell_mismatch");
  table.quantities[0].values[5] = std::nan("");
  const auto report = fit::fit_circuit(dataset, tests::synthetic_facts());
  CHECK(report.usable());
  for (const fit::Outcome& outcome : report.outcomes)
    if (outcome.quantity == "cell mismatch") {
      CHECK(outcome.excluded == 1);
      CHECK(outcome.quality.points == 4 * kSamples - 1);
    }
  std::fill(table.quantities[0].values.begin(), table.quantities[0].values.end(), std::nan(""));
  const auto none = fit::fit_circuit(dataset, tests::synthetic_facts());
  REQUIRE_FALSE(none.usable());
  CHECK(none.first_failure()->quantity == "cell mismatch");
  CHECK(none.first_failure()->status == fit::FitStatus::too_few_points);
}
