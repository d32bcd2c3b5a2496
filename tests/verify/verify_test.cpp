#include "verify/verify.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <set>

#include "core/error.hpp"
#include "verify/mismatch_check.hpp"
#include "verify/small_circuit.hpp"

using namespace gaincal;
using verify::Level;

namespace {

verify::Verification run(Level level, std::size_t sets, unsigned workers = 0) {
  const tests::SmallCircuit& circuit = tests::small_circuit();
  const auto operands = verify::random_operands(circuit.design, circuit.file.model, sets, 7);
  return verify::verify(circuit.design, circuit.file.model, operands, {level, workers, false});
}

}  // namespace

TEST_CASE("the fitted models agree with transistors at every level", "[verify]") {
  struct Expected {
    Level level;
    std::size_t kinds, outputs;
  };
  for (const Expected& expected : {Expected{Level::cell, 1, 2}, Expected{Level::column, 2, 2},
                                   Expected{Level::array, 2, 16}, Expected{Level::tile, 2, 16}}) {
    const verify::Verification result = run(expected.level, 2);
    REQUIRE(result.comparisons.size() == expected.kinds);
    for (const verify::Comparison& comparison : result.comparisons) {
      INFO(comparison.name);
      CHECK(comparison.outputs.size() == expected.outputs);
      CHECK(comparison.failed() == 0);
      CHECK(comparison.chosen_lsb().max < 0.5);
      if (comparison.has_pulse) {
        CHECK(comparison.lsb().max < 0.5);
        CHECK(comparison.within_one().value == 1.0);
      }
    }
    CHECK(result.within(0.5, 1.0));
  }
}

TEST_CASE("an array column is the column simulated alone", "[verify]") {
  const verify::Verification columns = run(Level::column, 2), arrays = run(Level::array, 2);
  for (std::size_t kind = 0; kind < 2; ++kind)
    for (const verify::Output& alone : columns.comparisons[kind].outputs) {
      const verify::Output& among = arrays.comparisons[kind].outputs[alone.set * 8 + alone.column];
      CHECK(among.q_held_C == alone.q_held_C);
      CHECK(among.q_spice_C == Approx(alone.q_spice_C).margin(0.05 * arrays.comparisons[kind].lsb_C));
      CHECK(among.t_spice_s == Approx(alone.t_spice_s).margin(0.1 * arrays.comparisons[kind].lsb_s));
    }
}

TEST_CASE("a comparison does not depend on the number of workers", "[verify]") {
  const verify::Verification one = run(Level::column, 3, 1), two = run(Level::column, 3, 2);
  for (std::size_t kind = 0; kind < 2; ++kind)
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(one.comparisons[kind].outputs[i].q_spice_C == two.comparisons[kind].outputs[i].q_spice_C);
      CHECK(one.comparisons[kind].outputs[i].t_spice_s == two.comparisons[kind].outputs[i].t_spice_s);
    }
}

TEST_CASE("limits that an output misses are told", "[verify]") {
  verify::Verification result;
  result.comparisons.resize(1);
  verify::Output off;
  off.count_model = 1;
  result.comparisons[0].outputs = {verify::Output{}, off};
  CHECK(result.within(0.5, 1.0));
  CHECK_FALSE(result.within(0.6, 1.0));
  result.comparisons[0].outputs[0].failure = "no convergence";
  CHECK_FALSE(result.within(0.0, 0.0));
}

TEST_CASE("mismatch spreads a column as the model says", "[verify]") {
  const tests::SmallCircuit& circuit = tests::small_circuit();
  auto operands = verify::random_operands(circuit.design, circuit.file.model, 1, 7);
  // Six cells of some weight and two near zero: the middle of the range, where random rows so few seldom come.
  verify::OperandSet& set = operands.sets.front();
  set.q_code.assign(8, 15);
  for (std::size_t i = 0; i < 64; ++i) {
    set.k_level[i] = i % 8 < 6 ? 5 : 3;
    set.v_level[i] = i / 8 < 6 ? 6 : 3;
  }
  const verify::MismatchCheck check =
      verify::check_mismatch(circuit.design, circuit.file.model, circuit.file.model.mismatch, operands, 40, 3, 0);
  REQUIRE(check.columns.size() == 2);
  for (const verify::ChipSpread& column : check.columns) {
    INFO(column.title);
    CHECK(column.compared == 40);
    CHECK(std::set<std::string>(column.failures.begin(), column.failures.end()) == std::set<std::string>{""});
    CHECK(column.sigma_spice_lsb > 0.0);
    // Both sigmas are from 40 samples: 11 % each.
    CHECK(column.sigma_model_lsb == Approx(column.sigma_spice_lsb).epsilon(0.5));
  }
  CHECK_THROWS_AS(verify::check_mismatch(circuit.design, circuit.file.model, {}, operands, 2, 3, 0), UsageError);
}

TEST_CASE("levels have names", "[verify]") {
  CHECK(verify::parse_level("tile") == Level::tile);
  CHECK_THROWS_WITH(verify::parse_level("chip"), Catch::Matchers::Contains("choose cell, column, array or tile"));
}
