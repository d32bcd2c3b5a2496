#include "fit/forms.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <sstream>

#include "fit/fit.hpp"
#include "fit/synthetic.hpp"
#include "sweep/characterize.hpp"

using namespace gaincal;
using namespace gaincal::fit;
using Catch::Contains;
using Catch::WithinAbs;
using Catch::WithinRel;
using device::FormScore;

namespace {

FitReport fitted(const store::Dataset& dataset) { return fit_circuit(dataset, tests::synthetic_facts()); }

const FormScore& form_of(const FitReport& report, const std::string& quantity, const std::string& form) {
  for (const FormScore& each : report.model.forms)
    if (each.quantity == quantity && each.form == form) return each;
  FAIL("no form " << quantity << ", " << form);
  return report.model.forms.front();
}

std::string selected(const FitReport& report, const std::string& quantity) {
  std::string name;
  for (const FormScore& each : report.model.forms)
    if (each.quantity == quantity && each.selected) name += each.form;
  return name;
}

double coefficient(const FormScore& form, const std::string& name) {
  for (const device::Coefficient& each : form.coefficients)
    if (each.name == name) return each.value;
  FAIL("no coefficient " << name << " in " << form.form);
  return 0.0;
}

/// y = x^2 at x = 0, 0.1 .. 1, the points between held out.
FormChoice parabola() {
  Points seen, held_out;
  for (int i = 0; i <= 10; ++i) {
    seen.add(0.1 * i, 0.0, 0.01 * i * i);
    if (i < 10) held_out.add(0.1 * i + 0.05, 0.0, std::pow(0.1 * i + 0.05, 2));
  }
  return {"thing", "V", seen, held_out, 1.0};
}

}  // namespace

TEST_CASE("the form with the smallest held-out error is selected, not that with the smallest on seen points", "[fit]") {
  FormChoice choice = parabola();
  const auto through_points_only = [](double x, double) {
    return x * x + 0.3 * std::pow(std::sin(10 * 3.141592653589793 * x), 2);
  };
  choice.add("memory", 2, through_points_only);
  choice.add("shifted", 4, [](double x, double) { return x * x + 0.02; });
  const FittedForm* best = choice.select();
  REQUIRE(best != nullptr);
  CHECK(best->score.form == "shifted");
  const auto scores = choice.scores();
  CHECK(scores[0].overfitted);
  CHECK_FALSE(scores[0].selected);
  CHECK_FALSE(scores[1].overfitted);
  CHECK_THAT(scores[1].quality.held_out_rms, WithinRel(0.02, 1e-9));
}

TEST_CASE("of forms that predict equally well the one with the fewest parameters is selected", "[fit]") {
  FormChoice choice = parabola();
  choice.add("rich", 9, [](double x, double) { return x * x + 0.0200; });
  choice.add("poor", 3, [](double x, double) { return x * x + 0.0205; });
  choice.add("worse", 1, [](double x, double) { return x * x + 0.0400; });
  CHECK(choice.select()->score.form == "poor");
}

TEST_CASE("a choice among forms of which none could be fitted is none", "[fit]") {
  FormChoice choice = parabola();
  choice.add_failed("polynomial 7", 8, FitStatus::too_few_points);
  CHECK(choice.select() == nullptr);
  CHECK(choice.scores()[0].status == "too few points");
}

TEST_CASE("a sampled curve follows its function and keeps corners and jumps", "[fit]") {
  const auto function = [](double x) { return x < 0.3 ? -1.0 : std::clamp(2 * x, 0.0, 1.5); };
  const device::MonotoneCurve curve = sampled_curve(function, 0.0, 1.0, {0.3, 0.75});
  for (const double x : {0.0, 0.1, 0.2999, 0.3001, 0.5, 0.7499, 0.7501, 0.9, 1.0})
    CHECK_THAT(curve(x), WithinAbs(function(x), 1e-12));
}

TEST_CASE("on circuits made of closed forms those are selected and evaluated", "[fit]") {
  const tests::SyntheticCircuit circuit;
  const auto report = fitted(tests::synthetic_dataset(circuit));
  CHECK(selected(report, "cell charge") == "polynomial 3");
  CHECK(selected(report, "score width") == "hard sigmoid");
  CHECK(selected(report, "retention") == "exponential");
  for (double v = 0.0; v <= 0.9; v += 0.0173)
    CHECK_THAT(report.model.cell.charge_C(v, 7e-9), WithinAbs(circuit.charge_C(v, 7e-9), 1e-19));
  for (double q = -60e-15; q < 300e-15; q += 3.7e-15)
    CHECK_THAT(report.model.score_readout.width_s(q), WithinAbs(circuit.score(q), 1e-15));
  for (double age = 0.0; age < 30e-3; age += 0.77e-3)
    CHECK_THAT(report.model.leak.voltage_V(0.9, age), WithinAbs(0.3 + 0.6 * std::exp(-age / 5e-3), 2e-5));
  CHECK_THAT(coefficient(form_of(report, "cell charge", "polynomial 5"), "i3"), WithinRel(1.05e-5, 1e-6));
  CHECK_THAT(coefficient(form_of(report, "cell charge", "polynomial 5"), "i5"), WithinAbs(0.0, 1e-12));
  CHECK_THAT(coefficient(form_of(report, "retention", "stretched exponential"), "beta"), WithinAbs(1.0, 1e-6));
  CHECK_THAT(coefficient(form_of(report, "score width", "hard sigmoid"), "slope"), WithinRel(0.0601e6, 1e-9));
}

TEST_CASE("a stretched exponential is recovered", "[fit]") {
  store::Dataset dataset = tests::synthetic_dataset();
  for (const std::string name : {"cell_leak", "cell_leak_check"}) {
    const store::Table& table = tests::table_of(dataset, name);
    const auto &v0 = table.axes[0].values, &age = table.axes[1].values;
    std::vector<double>& v = tests::values_of(dataset, name, "v_cell");
    for (std::size_t i = 0; i < v.size(); ++i)
      v[i] = 0.3 + (v0[i / age.size()] - 0.3) * std::exp(-std::pow(age[i % age.size()] / 4e-3, 0.7));
  }
  const auto report = fitted(dataset);
  const FormScore& form = form_of(report, "retention", "stretched exponential");
  CHECK(form.selected);
  CHECK_THAT(coefficient(form, "tau"), WithinRel(4e-3, 1e-6));
  CHECK_THAT(coefficient(form, "beta"), WithinRel(0.7, 1e-6));
  CHECK_THAT(coefficient(form, "v_inf"), WithinAbs(0.3, 1e-7));
}

TEST_CASE("forms without points enough are listed with the reason and never selected", "[fit]") {
  store::Dataset dataset = tests::synthetic_dataset();
  store::Table& read = tests::table_of(dataset, "cell_read");
  read.axes[0].values.resize(5);
  for (store::Quantity& quantity : read.quantities) quantity.values.resize(5 * read.axes[1].values.size());
  read.quantities[0].values[3] = std::numeric_limits<double>::quiet_NaN();
  const auto report = fitted(dataset);
  CHECK(form_of(report, "cell charge", "polynomial 5").status == "too few points");
  CHECK(form_of(report, "cell charge", "polynomial 7").status == "too few points");
  CHECK(form_of(report, "cell charge", "polynomial 3").status == "converged");
  CHECK(form_of(report, "cell charge", "polynomial 3").quality.points == 39);  // one is not a number
  CHECK_FALSE(form_of(report, "cell charge", "polynomial 7").selected);
  std::ostringstream text;
  print_forms(text, report);
  CHECK_THAT(text.str(), Contains("too few points") && Contains("AIC") && Contains("+-"));
}

TEST_CASE("a current that does not rise everywhere is said to", "[fit]") {
  store::Dataset dataset = tests::synthetic_dataset();
  const std::size_t widths = tests::table_of(dataset, "cell_read").axes[1].values.size();
  std::vector<double>& q = tests::values_of(dataset, "cell_read", "q_bl");
  for (std::size_t j = 0; j < widths; ++j) q[12 * widths + j] = q[6 * widths + j];
  const auto report = fitted(dataset);
  const auto noted = [](const Outcome& each) { return each.note.find("does not rise") != std::string::npos; };
  CHECK(std::any_of(report.outcomes.begin(), report.outcomes.end(), noted));
}

TEST_CASE("the selected form of the real cell is at least five times better than the cubic on unseen charge", "[fit]") {
  netlist::Design design = netlist::default_design();
  design.weight_levels = 2;
  design.grids.cell_voltages = 19;
  design.grids.cell_widths = 2;
  design.grids.cell_check_voltages = 8;
  design.grids.cell_check_widths = 2;
  design.grids.charges = 13;
  design.grids.check_charges = 4;
  design.grids.columns = 0;  // the cell alone is asked
  design.grids.check_columns = 0;
  design.grids.leak_starts = 3;
  design.grids.leak_check_starts = 1;
  design.grids.leak_ages = 4;
  const auto report = fit_circuit(sweep::characterize(design, {2, false}), design_facts(design));
  const FormScore& cubic = form_of(report, "cell charge", "polynomial 3");
  const FormScore& pair = form_of(report, "cell charge", "softplus pair");
  REQUIRE(cubic.status == "converged");
  CHECK(5 * report.model.cell.table_quality.held_out_rms < cubic.quality.held_out_rms);
  CHECK(5 * report.model.cell.table_quality.held_out_max < cubic.quality.held_out_max);
  CHECK(5 * pair.quality.held_out_rms < cubic.quality.held_out_rms);
}
