#include "fit/leak_forms.hpp"

#include <algorithm>
#include <cmath>

#include "fit/parts.hpp"
#include "fit/regression.hpp"

namespace gaincal::fit {
namespace {

using Eigen::Index;
using Eigen::VectorXd;

constexpr double kHalfRange_V = 0.45;

/// ln tau, v_inf and, where stretched, ln beta.
double retained(const VectorXd& p, double v0_V, double age_s) {
  const double beta = p.size() > 2 ? std::exp(p(2)) : 1.0;
  const double ratio = std::pow(age_s / std::exp(p(0)), beta);
  return p(1) + (v0_V - p(1)) * std::exp(-ratio);
}

Regression fit_retained(const Points& seen, const VectorXd& start) {
  const auto residuals = [&](const VectorXd& p, VectorXd& residual) {
    for (std::size_t i = 0; i < seen.size(); ++i)
      residual(static_cast<Index>(i)) = seen.value[i] - retained(p, seen.x[i], seen.y[i]);
  };
  return fit_nonlinear(residuals, start, seen.size());
}

std::vector<device::Coefficient> named(const VectorXd& value, const Regression& fit) {
  const auto width = [&](Index k) { return fit.status == FitStatus::converged ? fit.half_width(k) : std::nan(""); };
  std::vector<device::Coefficient> list = {{"tau", "s", std::exp(value(0)), std::exp(value(0)) * width(0)},
                                           {"v_inf", "V", value(1), width(1)}};
  if (value.size() > 2) list.push_back({"beta", "1", std::exp(value(2)), std::exp(value(2)) * width(2)});
  return list;
}

void add_polynomials(FormChoice& choice) {
  const Points& seen = choice.seen();
  const double last_s = *std::max_element(seen.y.begin(), seen.y.end());
  const Index points = static_cast<Index>(seen.size());
  VectorXd lost(points);
  for (Index i = 0; i < points; ++i)
    lost(i) = seen.value[static_cast<std::size_t>(i)] - seen.x[static_cast<std::size_t>(i)];
  for (const std::size_t order : kOrders) {
    const Index terms = static_cast<Index>(order + 1);
    Eigen::MatrixXd columns(points, terms);
    for (Index i = 0; i < points; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const double u = (seen.x[at] - kZeroWeight_V) / kHalfRange_V, grown = std::log1p(seen.y[at] / last_s);
      for (Index k = 0; k < terms; ++k) columns(i, k) = grown * std::pow(u, static_cast<double>(k));
    }
    const Regression fit = fit_linear(columns, lost);
    if (fit.status != FitStatus::converged) {
      choice.add_failed(polynomial_name(order), order + 1, fit.status);
      continue;
    }
    std::vector<device::Coefficient> list;
    for (Index k = 0; k < terms; ++k) {
      const double factor = std::pow(kHalfRange_V, static_cast<double>(-k));
      const std::string unit = k == 0 ? "V" : k == 1 ? "1" : std::string("V^-").append(std::to_string(k - 1));
      list.push_back(
          {std::string("c").append(std::to_string(k)), unit, fit.coeff(k) * factor, fit.half_width(k) * factor});
    }
    choice.add(
        polynomial_name(order), order + 1,
        [coeff = fit.coeff, terms, last_s](double v0, double age) {
          double value = 0.0;
          for (Index k = terms; k-- > 0;) value = value * ((v0 - kZeroWeight_V) / kHalfRange_V) + coeff(k);
          return v0 + value * std::log1p(age / last_s);
        },
        std::move(list));
  }
}

}  // namespace

LeakForms fit_leak_forms(const Points& seen, const Points& held_out, const device::LeakModel& leak,
                         FitStatus exponential_status, double full_scale_V) {
  const std::string plain = "exponential", stretched = "stretched exponential", table = "bilinear table";
  FormChoice choice("retention", "V", seen, held_out, full_scale_V);
  const bool found = exponential_status == FitStatus::converged || exponential_status == FitStatus::at_search_limit;
  if (!found) {
    choice.add_failed(plain, 2, exponential_status);
    choice.add_failed(stretched, 3, exponential_status);
  } else {
    add_polynomials(choice);
    const Eigen::Vector2d exponential(std::log(leak.tau_s), leak.v_inf_V);
    choice.add(
        plain, 2, [leak](double v0, double age) { return leak.exponential_V(v0, age); },
        named(exponential, fit_retained(seen, exponential)));
    const Regression fit = fit_retained(seen, Eigen::Vector3d(exponential(0), exponential(1), 0.0));
    if (fit.status == FitStatus::converged)
      choice.add(
          stretched, 3, [coeff = fit.coeff](double v0, double age) { return retained(coeff, v0, age); },
          named(fit.coeff, fit));
    else
      choice.add_failed(stretched, 3, fit.status);
  }
  if (leak.v_V.empty())
    choice.add_failed(table, 0, FitStatus::too_few_points);
  else
    choice.add(table, seen.size(), [leak](double v0, double age) { return leak.voltage_V(v0, age); });
  const FittedForm* chosen = choice.select();
  LeakForms result;
  if (chosen != nullptr && chosen->score.form != table) result.chosen_V = chosen->function;
  result.scores = choice.scores();
  return result;
}

}  // namespace gaincal::fit
