#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <string>

#include "core/error.hpp"
#include "fit/forms.hpp"
#include "fit/least_squares.hpp"
#include "fit/parts.hpp"
#include "fit/regression.hpp"

namespace gaincal::fit {
namespace {

constexpr double kC_per_fC = 1e-15;

/// Powers k of the charge and j of the pulses.
struct Term {
  std::size_t charge, pulse;
};
std::string name_of(const Term& term) {
  return std::string("q^").append(std::to_string(term.charge)).append(" X^").append(std::to_string(term.pulse));
}

/// Forms from the plainest on; each is q_eff = q + sum of its terms. No charge is collected where no row has a pulse.
struct Form {
  const char* name;
  std::vector<Term> terms;
};
const std::vector<Form>& forms() {
  static const std::vector<Form> all = {
      {"held", {}},
      {"gain over pulses", {{1, 0}, {1, 1}}},
      {"cubic in charge", {{1, 0}, {1, 1}, {1, 2}, {0, 1}, {0, 2}, {2, 0}, {2, 1}, {3, 0}, {3, 1}}}};
  return all;
}

/// Columns: the charge that the cells would pour into a held line, full pulses, and what the line collected.
Points column_points(const store::Dataset& dataset, const std::string& name, const device::CellModel& cell,
                     std::size_t& excluded) {
  const store::Table &table = dataset.table(name), &operands = dataset.table(name + "_operands");
  const store::Quantity &q_C = table.quantity("q_column"), &v_V = operands.quantity("v_store"),
                        &t_s = operands.quantity("t_pulse");
  if (q_C.unit != "C" || v_V.unit != "V" || t_s.unit != "s")
    throw Error("table " + name + ": q_column, v_store and t_pulse are to be in C, V and s; rerun 'gaincal sweep'");
  const std::size_t columns = table.axis("column").values.size(), rows = operands.axis("row").values.size();
  if (operands.points() != columns * rows)
    throw Error("table " + name + "_operands: has not the columns of table " + name + "; rerun 'gaincal sweep'");
  Points points;
  points.x_unit = "C";
  excluded = 0;
  for (std::size_t i = 0; i < columns; ++i) {
    if (table.point_failed(i) || !std::isfinite(q_C.values[i])) {
      ++excluded;
      continue;
    }
    double held_C = 0.0, full_pulses = 0.0;
    for (std::size_t row = i * rows; row < (i + 1) * rows; ++row) {
      held_C += cell.charge_C(v_V.values[row], t_s.values[row]);
      full_pulses += t_s.values[row] / cell.t_pulse_max_s;
    }
    points.add(held_C, full_pulses, q_C.values[i]);
  }
  return points;
}

/// A bit line of one form: least squares of what it collects beyond q.
struct Fitted {
  FitStatus status = FitStatus::too_few_points;
  device::BitLineModel line;
  std::vector<device::Coefficient> coefficients;
};

Fitted fit_form(const Form& form, const Points& points) {
  Fitted fitted;
  const auto [low, high] = std::minmax_element(points.x.begin(), points.x.end());
  fitted.line.q_min_C = *low;
  fitted.line.q_max_C = *high;
  fitted.line.full_pulses_max = *std::max_element(points.y.begin(), points.y.end());
  if (form.terms.empty()) {
    fitted.status = FitStatus::converged;
    return fitted;
  }
  const auto n = static_cast<Eigen::Index>(points.size()), p = static_cast<Eigen::Index>(form.terms.size());
  Eigen::MatrixXd columns(n, p);
  Eigen::VectorXd value(n);
  for (Eigen::Index i = 0; i < n; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const double q_fC = points.x[at] / kC_per_fC;
    for (Eigen::Index k = 0; k < p; ++k) {
      const Term& term = form.terms[static_cast<std::size_t>(k)];
      columns(i, k) =
          std::pow(q_fC, static_cast<double>(term.charge)) * std::pow(points.y[at], static_cast<double>(term.pulse));
    }
    value(i) = points.value[at] / kC_per_fC - q_fC;
  }
  const Regression regression = fit_linear(columns, value);
  fitted.status = regression.status;
  if (regression.status != FitStatus::converged) return fitted;
  for (Eigen::Index k = 0; k < p; ++k) {
    const Term& term = form.terms[static_cast<std::size_t>(k)];
    fitted.line.coeff[term.charge][term.pulse] += regression.coeff(k);
    fitted.coefficients.push_back({name_of(term),
                                   std::string("fC^").append(std::to_string(1 - static_cast<int>(term.charge))),
                                   fitted.line.coeff[term.charge][term.pulse], regression.half_width(k)});
  }
  return fitted;
}

Residuals residuals_of(const Points& points, const device::BitLineModel& line) {
  Residuals residuals;
  for (std::size_t i = 0; i < points.size(); ++i)
    residuals.add(points.value[i] - line.collected_charge_C(points.x[i], points.y[i]));
  return residuals;
}

}  // namespace

device::BitLineModel fit_bit_line(const store::Dataset& dataset, bool is_signed, const device::CellModel& cell,
                                  std::vector<Outcome>& outcomes, std::vector<device::FormScore>& scores) {
  const std::string table = is_signed ? "bit_line_output" : "bit_line_score";
  if (!dataset.has_table(table)) return {};
  Outcome outcome{is_signed ? "output bit line" : "score bit line", "", "C", FitStatus::converged, {}, 0, 0, ""};
  const Points seen = column_points(dataset, table, cell, outcome.excluded);
  const Points held_out = dataset.has_table(table + "_check")
                              ? column_points(dataset, table + "_check", cell, outcome.held_out_excluded)
                              : Points{};
  if (seen.size() == 0) {
    outcome.status = FitStatus::too_few_points;
    outcomes.push_back(outcome);
    return {};
  }
  FormChoice choice(outcome.quantity, "C", seen, held_out, seen.full_scale());
  std::vector<device::BitLineModel> lines;
  for (const Form& form : forms()) {
    const Fitted fitted = fit_form(form, seen);
    lines.push_back(fitted.line);
    if (fitted.status == FitStatus::converged)
      choice.add(
          form.name, form.terms.size(),
          [line = fitted.line](double q_C, double X) { return line.collected_charge_C(q_C, X); }, fitted.coefficients);
    else
      choice.add_failed(form.name, form.terms.size(), fitted.status);
  }
  const FittedForm* chosen = choice.select();
  const std::vector<device::FormScore> tried = choice.scores();
  scores.insert(scores.end(), tried.begin(), tried.end());
  const auto selected =
      std::find_if(tried.begin(), tried.end(), [](const device::FormScore& score) { return score.selected; });
  device::BitLineModel line = lines[static_cast<std::size_t>(selected - tried.begin())];
  outcome.form = chosen->score.form;
  line.quality = outcome.quality =
      quality_of(residuals_of(seen, line), residuals_of(held_out, line), seen.full_scale());
  outcomes.push_back(outcome);
  return line;
}

}  // namespace gaincal::fit
