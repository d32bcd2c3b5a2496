#include "sweep/self_test.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <sstream>

#include "core/error.hpp"
#include "netlist/decks.hpp"
#include "sweep/measures.hpp"
#include "sweep/run_points.hpp"

using namespace gaincal;
using namespace gaincal::sweep;
using Catch::Matchers::Contains;

namespace {

const SelfTest& test_of(const std::string& name) {
  for (const SelfTest& test : self_tests())
    if (test.name == name) return test;
  throw Error("no circuit " + name);
}

SelfTestResult run(const std::string& name, bool corners = false) {
  SelfTestResult result = run_self_test(test_of(name), "", {0, corners});
  for (const std::string& failure : result.failures) CHECK(failure.empty());
  return result;
}

/// Value of the figure whose name begins so, at a condition.
double figure(const SelfTestResult& result, const std::string& name, std::size_t condition = 0) {
  for (std::size_t f = 0; f < result.figures.size(); ++f)
    if (result.figures[f].name.starts_with(name)) return result.values[condition][f];
  throw Error("no figure " + name);
}

}  // namespace

TEST_CASE("signed cells push and pull, published ones pull only", "[sweep][circuits]") {
  for (const char* name : {"cell_6t", "cell_6t_rail", "cell_oxide"}) {
    const SelfTestResult result = run(name);
    INFO(name);
    CHECK(figure(result, "charge of a read at the highest") > 10e-15);
    CHECK(figure(result, "charge of a read at the lowest") < -10e-15);
    CHECK(figure(result, "charge is zero") == Approx(0.45).margin(0.06));
    CHECK_THAT(result.pins, Contains("wbl ww wwb rw rwb bl vdd gnd sn"));
  }
  for (const char* name : {"cell_3t", "cell_2t"}) {
    const SelfTestResult result = run(name);
    INFO(name);
    CHECK(figure(result, "charge of a read at the highest") > 10e-15);
    CHECK(std::abs(figure(result, "charge of a read at the lowest")) < 1e-15);
  }
}

TEST_CASE("select FETs at the bit line disturb the storage node less than at the rails", "[sweep][circuits]") {
  CHECK(figure(run("cell_6t"), "stored voltage moved") < 0.1 * figure(run("cell_6t_rail"), "stored voltage moved"));
}

TEST_CASE("converters have no offset and no wrong sign at any corner once calibrated", "[sweep][circuits]") {
  for (const char* name : {"readout_unsigned", "readout_signed"}) {
    const SelfTestResult result = run(name, true);
    CHECK(result.conditions.size() == 15);
    for (std::size_t k = 0; k < result.conditions.size(); ++k) {
      INFO(name << " " << result.conditions[k]);
      CHECK(figure(result, "width at zero charge", k) < 0.25e-9);
      CHECK(figure(result, "wrong signs", k) == 0);
      CHECK(figure(result, "width from the line at 10", k) < 0.1e-9);
      CHECK(figure(result, "width beyond saturation", k) == Approx(15e-9).margin(0.05e-9));
    }
  }
}

TEST_CASE("periphery does its work within half a step", "[sweep][circuits]") {
  const SelfTestResult write = run("write_path");
  CHECK(figure(write, "DAC output") < 1e-3);
  CHECK(figure(write, "stored from its level before closing") < 2e-3);
  const SelfTestResult pulse = run("pulse_width");
  CHECK(figure(pulse, "width from its code") < 50e-12);
  CHECK(figure(pulse, "energy") > 1e-15);
  CHECK(figure(run("counter16"), "counts off") == 0);
}

TEST_CASE("a retention of seconds is no artefact of tolerances", "[sweep][circuits]") {
  const RetentionTable cmos = run_retention(test_of("cell_6t"), "", {0, false}),
                       oxide = run_retention(test_of("cell_oxide"), "", {0, false});
  for (const RetentionTable* table : {&cmos, &oxide})
    for (std::size_t level = 0; level < table->v_start_V.size(); ++level)
      for (std::size_t age = 0; age < table->ages_s.size(); ++age)
        CHECK(table->v_tight_V[level][age] == Approx(table->v_store_V[level][age]).margin(0.05e-3));
  const auto lost_V = [](const RetentionTable& table, std::size_t age) {
    return std::abs(table.v_store_V.back()[age] - table.v_start_V.back());
  };
  REQUIRE(cmos.ages_s[3] == 1.0);
  CHECK(lost_V(cmos, 3) > 50e-3);
  CHECK(lost_V(oxide, 4) < 1e-3);
}

TEST_CASE("a circuit that the design cannot take is refused by the field", "[sweep][circuits]") {
  SelfTest test = test_of("write_path");
  test.overrides = {"storage.levels=4"};
  const SelfTestResult result = run_self_test(test, "", {1, false});
  CHECK_THAT(result.failures[0], Contains("storage.levels: the DAC has 3 bits"));
  test.overrides = {"cell.type=\"7t\""};
  CHECK_THROWS_WITH(run_self_test(test, "", {1, false}), Contains("cell.type: '7t' is unknown"));
}

TEST_CASE("a column loses a little of its charge to the moving bit line, more to many rows", "[sweep][circuits]") {
  for (const char* name : {"column_unsigned", "column_signed"}) {
    const SelfTestResult result = run(name);
    INFO(name);
    CHECK(figure(result, "rows of full reads") == (name == std::string("column_unsigned") ? 8.0 : 4.0));
    CHECK(figure(result, "bit line moved") == Approx(0.139).margin(0.003));  // saturation charge over its capacitor
    const double few = figure(result, "charge lost by them"), many = figure(result, "the same of all rows");
    CHECK(few > 0.01);
    CHECK(many > few);
    CHECK(many < 0.1);
    CHECK(figure(result, "pulse of half") == Approx(7.5e-9).epsilon(0.05));
  }
}

TEST_CASE("the jitter of a converter is what transient noise of the same density makes", "[sweep][circuits]") {
  const SelfTestResult result = run("readout_unsigned");
  const double density_V_rtHz = figure(result, "noise at the comparator");
  const double expected_s = figure(result, "jitter of the pulse by the comparator");
  constexpr double kStep_s = 20e-12;
  constexpr std::size_t kRuns = 80;
  const netlist::Design design = netlist::default_design();
  netlist::Deck deck = netlist::readout_unsigned_deck(design, 0.5 * design.saturation_charge_C(design.score_readout));
  const std::string quiet = "Vref ref 0 {v_reference+v_trim}";
  const std::size_t at = deck.text.find(quiet);
  REQUIRE(at != std::string::npos);
  // White up to 1 / (2 step): samples of this sigma, one a step, in series with the comparator's reference.
  std::ostringstream noisy;
  noisy << "Vref ref 0 dc {v_reference+v_trim} trnoise(" << density_V_rtHz / std::sqrt(2 * kStep_s) << " " << kStep_s
        << " 0 0)";
  deck.text.replace(at, quiet.size(), noisy.str());
  const auto outcomes = run_points(kRuns, 1,
                                   [&](spice::Simulator& simulator, std::size_t) {
                                     return std::vector<double>{measure_readout(simulator, design, deck, false)[0]};
                                   },
                                   {0, 120, ""});
  double sum_s = 0.0, squares_s2 = 0.0;
  for (const PointOutcome& outcome : outcomes) {
    REQUIRE(outcome.failure.empty());
    sum_s += outcome.values[0];
  }
  for (const PointOutcome& outcome : outcomes) squares_s2 += std::pow(outcome.values[0] - sum_s / kRuns, 2);
  const double sigma_s = std::sqrt(squares_s2 / (kRuns - 1));
  INFO("SPICE " << sigma_s << " s, estimate " << expected_s << " s");
  CHECK(sigma_s / expected_s == Approx(1.0).margin(0.3));  // of 80 samples sigma is known to 8 %
}
