#include "verify/comparison.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <sstream>

using namespace gaincal;
using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;

namespace {

verify::Output output(int count_model, int count_spice, double error_lsb) {
  verify::Output o;
  o.count_model = count_model;
  o.count_spice = count_spice;
  o.value_spice = 0.1;
  o.value_model = 0.1 + error_lsb / 16;
  o.q_spice_C = 1e-15;
  o.q_model_C = (1 + error_lsb) * 1e-15;
  o.q_cubic_C = (1 + 10 * error_lsb) * 1e-15;
  return o;
}

verify::Comparison sample() {
  verify::Comparison comparison;
  comparison.name = "column_score";
  comparison.title = "columns";
  comparison.lsb_C = 1e-15;
  comparison.lsb_value = 1.0 / 16;
  comparison.outputs = {output(3, 3, 0.1), output(3, 4, -0.2), output(7, 5, 2.0), output(0, 0, 0.0)};
  verify::Output failed = output(1, 0, 0.0);
  failed.failure = "no convergence";
  failed.q_spice_C = failed.t_spice_s = failed.value_spice = std::numeric_limits<double>::quiet_NaN();
  comparison.outputs.push_back(failed);
  return comparison;
}

}  // namespace

TEST_CASE("errors are model minus SPICE, over what SPICE computed", "[verify]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const verify::ErrorStatistics s = verify::error_statistics({3.0, 5.0, 1.0}, {0.0, 1.0, nan});
  CHECK(s.count == 2);
  CHECK_THAT(s.bias, WithinRel(3.5, 1e-14));
  CHECK_THAT(s.rms, WithinRel(std::sqrt(12.5), 1e-14));
  CHECK_THAT(s.sigma, WithinRel(std::sqrt(0.5), 1e-12));
  CHECK(s.max == 4.0);
  CHECK(std::isnan(verify::error_statistics({1.0}, {nan}).rms));
}

TEST_CASE("a share has Wilson's interval", "[verify]") {
  const verify::Share share = verify::share_of(9, 10);  // 0.596 .. 0.982, Newcombe 1998
  CHECK(share.value == 0.9);
  CHECK_THAT(share.low, WithinAbs(0.5958, 5e-4));
  CHECK_THAT(share.high, WithinAbs(0.9821, 5e-4));
  CHECK(verify::share_of(5, 5).high == 1.0);
  CHECK(std::isnan(verify::share_of(0, 0).value));
}

TEST_CASE("outputs are counted by how far they are off, failures apart", "[verify]") {
  const verify::Comparison comparison = sample();
  CHECK(comparison.compared() == 4);
  CHECK(comparison.failed() == 1);
  CHECK(comparison.off_by(0) == 2);
  CHECK(comparison.off_by(1) == 1);
  CHECK(comparison.off_by(2) == 1);
  CHECK(comparison.exact().value == 0.5);
  CHECK(comparison.within_one().value == 0.75);
  CHECK_THAT(comparison.lsb().max, WithinRel(2.0, 1e-9));
  CHECK_THAT(comparison.cubic_lsb().rms / comparison.chosen_lsb().rms, WithinRel(10.0, 1e-9));
}

TEST_CASE("a charge beyond what the bit line is fitted to is not compared, its pulse is", "[verify]") {
  verify::Comparison comparison = sample();
  comparison.outputs[2].charge_counts = false;
  CHECK(comparison.beyond() == 1);
  CHECK(comparison.charge().count == 3);
  CHECK_THAT(comparison.chosen_lsb().max, WithinRel(0.2, 1e-9));
  CHECK(comparison.off_by(2) == 1);
}

TEST_CASE("the worst outputs are named by their operands", "[verify]") {
  std::ostringstream text;
  verify::print_comparison(text, sample(), {"the only set"});
  CHECK_THAT(text.str(), Catch::Matchers::Contains("2.000 LSB  the only set, column 0") &&
                             Catch::Matchers::Contains("4 compared, 1 failed") &&
                             Catch::Matchers::Contains("10.0 times smaller"));
  const store::Table table = verify::comparison_table(sample());
  CHECK(table.points() == 5);
  CHECK(table.point_failed(4));
  CHECK(std::isnan(table.quantity("count_spice").values[4]));
}
