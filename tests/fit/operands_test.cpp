#include "fit/operands.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>

#include "core/error.hpp"
#include "fit/fit.hpp"
#include "fit/synthetic.hpp"

using namespace gaincal;
using Catch::Contains;
using Catch::WithinAbs;
using Catch::WithinRel;

namespace {

/// Two queries of two rows, each against three keys.
store::Dataset captured() {
  const store::Axis set{"set", "1", {0, 1}}, row{"row", "1", {0, 1}}, token{"token", "1", {0, 1, 2}};
  store::Table queries, cells;
  queries.name = "queries";
  queries.axes = {set, row};
  queries.quantities = {{"q_code", "1", "", {15, 0, 3, 15}}};
  cells.name = "cells";
  cells.axes = {set, token, row};
  cells.quantities = {{"k_level", "1", "", {0, 1, 7, 2, 7, 3, 1, 0, 1, 7, 4, 4}}};
  store::Dataset dataset;
  dataset.schema = store::kResultsSchema;
  dataset.tables = {queries, cells};
  return dataset;
}

double count_at(const fit::Operands& operands, std::size_t level, std::size_t code) {
  return operands.count[level * operands.width_s.size() + code - 1];
}

const device::FormScore& form_of(const fit::FitReport& report, const std::string& quantity, const std::string& form) {
  for (const device::FormScore& each : report.model.forms)
    if (each.quantity == quantity && each.form == form) return each;
  FAIL("no form " << form);
  return report.model.forms.front();
}

/// A cell that no cubic follows.
store::Dataset wavy_dataset() {
  store::Dataset dataset = tests::synthetic_dataset();
  for (const char* name : {"cell_read", "cell_read_check"}) {
    const store::Table& table = dataset.table(name);
    std::vector<double>& q_C = tests::values_of(dataset, name, "q_bl");
    for (std::size_t i = 0; i < q_C.size(); ++i) {
      const double v = table.axes[0].values[i / table.axes[1].values.size()];
      const double x = table.axes[1].values[i % table.axes[1].values.size()];
      q_C[i] += 2e-7 * x * std::sin(12 * v);
    }
  }
  return dataset;
}

}  // namespace

TEST_CASE("operands are counted by level and code, pulses of no width are no reads", "[fit]") {
  const fit::Operands operands = fit::read_operands(captured(), netlist::default_design());
  CHECK(operands.v_level_V.size() == 8);
  CHECK(operands.width_s.size() == 15);
  CHECK(operands.width_s.back() == 15e-9);
  CHECK(count_at(operands, 0, 15) == 2);  // set 0 token 0 row 0; set 1 token 0 row 1
  CHECK(count_at(operands, 7, 15) == 3);  // set 0 tokens 1 and 2 row 0; set 1 token 1 row 1
  CHECK(count_at(operands, 1, 3) == 2);
  CHECK(count_at(operands, 4, 3) == 1);
  CHECK(count_at(operands, 4, 15) == 1);
  CHECK(std::accumulate(operands.count.begin(), operands.count.end(), 0.0) == 9);  // three of twelve under code 0
}

TEST_CASE("operands of another design or without a read are refused", "[fit]") {
  store::Dataset dataset = captured();
  dataset.tables[0].quantities[0].values[0] = 16;
  CHECK_THROWS_WITH(fit::read_operands(dataset, netlist::default_design()),
                    Contains("table queries: a code is not one of the design's 16"));
  dataset = captured();
  dataset.tables[1].quantities[0].values[3] = 8;
  CHECK_THROWS_WITH(fit::read_operands(dataset, netlist::default_design()),
                    Contains("table cells: a code is not one of the design's 8"));
  dataset = captured();
  std::fill(dataset.tables[0].quantities[0].values.begin(), dataset.tables[0].quantities[0].values.end(), 0.0);
  CHECK_THROWS_WITH(fit::read_operands(dataset, netlist::default_design()), Contains("no cell is read"));
  dataset = captured();
  dataset.tables.pop_back();
  CHECK_THROWS_WITH(fit::read_operands(dataset, netlist::default_design()), Contains("no table cells"));
}

TEST_CASE("weights of points have mean one and follow the nearest operands", "[fit]") {
  fit::Operands operands;
  operands.v_level_V = {0.0, 0.9};
  operands.width_s = {1e-9, 15e-9};
  operands.count = {0, 30, 10, 0};
  const std::vector<double> weight = operands.weights({0.0, 0.05, 0.9, 0.9}, {1e-9, 14e-9, 2e-9, 15e-9});
  CHECK_THAT(std::accumulate(weight.begin(), weight.end(), 0.0), WithinAbs(4.0, 1e-12));
  CHECK_THAT(weight[1] / weight[2], WithinRel(3.0, 1e-12));
  CHECK(weight[0] == weight[3]);
  CHECK(weight[0] > 0);
  CHECK(weight[0] < 2e-3);
}

TEST_CASE("a fit weighted with operands is better where they are, and chosen by that", "[fit]") {
  const store::Dataset dataset = wavy_dataset();
  fit::DesignFacts plain = tests::synthetic_facts(), weighted = plain;
  fit::Operands& operands = weighted.operands;
  for (int l = 0; l < 8; ++l) operands.v_level_V.push_back(0.9 * l / 7);
  for (int c = 1; c < 16; ++c) operands.width_s.push_back(1e-9 * c);
  operands.count.assign(8 * 15, 0.0);
  for (std::size_t c = 0; c < 15; ++c) operands.count[3 * 15 + c] = operands.count[4 * 15 + c] = 100;  // middle levels
  const fit::FitReport a = fit::fit_circuit(dataset, plain), b = fit::fit_circuit(dataset, weighted);
  const auto middle_error = [](const fit::FitReport& report) {
    const tests::SyntheticCircuit circuit;
    double worst = 0.0;
    for (double v = 0.38; v < 0.52; v += 0.01)
      worst = std::max(worst, std::abs(report.model.cell.i_cubic_A(v) - circuit.i_A(v) - 2e-7 * std::sin(12 * v)));
    return worst;
  };
  CHECK(middle_error(b) < 0.5 * middle_error(a));
  CHECK(std::isnan(form_of(a, "cell charge", "polynomial 3").operand_rms));
  const device::FormScore& cubic = form_of(b, "cell charge", "polynomial 3");
  CHECK(cubic.operand_rms < cubic.quality.held_out_rms);
  CHECK(std::isnan(form_of(b, "score width", "hard sigmoid").operand_rms));
}

TEST_CASE("the points of a selected form give its residuals", "[fit]") {
  const fit::FitReport report = fit::fit_circuit(wavy_dataset(), tests::synthetic_facts());
  for (const device::FormScore& form : report.model.forms) {
    const device::FormPoints& points = form.points;
    INFO(form.quantity << ", " << form.form);
    if (!form.selected) {
      CHECK(points.x.empty());
      continue;
    }
    REQUIRE(points.x.size() == form.quality.points + form.quality.held_out_points);
    double seen = 0.0, held_out = 0.0;
    for (std::size_t i = 0; i < points.x.size(); ++i)
      (points.held_out[i] != 0 ? held_out : seen) += std::pow(points.simulated[i] - points.predicted[i], 2);
    CHECK_THAT(std::sqrt(seen / static_cast<double>(form.quality.points)),
               WithinRel(form.quality.rms, 1e-9) || WithinAbs(form.quality.rms, 1e-25));
    CHECK_THAT(std::sqrt(held_out / static_cast<double>(form.quality.held_out_points)),
               WithinRel(form.quality.held_out_rms, 1e-9) || WithinAbs(form.quality.held_out_rms, 1e-25));
    CHECK(points.x_unit == (form.quantity == "score width" || form.quantity == "output width" ? "C" : "V"));
  }
}
