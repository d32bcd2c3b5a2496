#include "fit/cell_forms.hpp"

#include <algorithm>
#include <cmath>

#include "fit/parts.hpp"
#include "fit/regression.hpp"

namespace gaincal::fit {
namespace {

using device::Coefficient;
using Eigen::Index;
using Eigen::VectorXd;

constexpr double kHalfRange_V = 0.45;  // scale of v - v_zero: any number of that size serves

std::string per_volt(const std::string& unit, std::size_t power) {
  return power == 0 ? unit : std::string(unit).append(" V^-").append(std::to_string(power));
}

double polynomial(const VectorXd& coeff, Index first, Index terms, double u) {
  double value = 0.0;
  for (Index k = terms; k-- > 0;) value = value * u + coeff(first + k);
  return value;
}

/// Coefficients of x i(u) + a(u), i first, with u = (v - v_zero) / kHalfRange_V and x in units of the longest pulse.
Regression fit_polynomials(const Points& seen, double x_scale_s, std::size_t order) {
  const Index terms = static_cast<Index>(order + 1), points = static_cast<Index>(seen.size());
  Eigen::MatrixXd columns(points, 2 * terms);
  for (Index i = 0; i < points; ++i) {
    const auto at = static_cast<std::size_t>(i);
    double power = std::sqrt(seen.weight_of(at));
    for (Index k = 0; k < terms; ++k, power *= (seen.x[at] - kZeroWeight_V) / kHalfRange_V) {
      columns(i, k) = power * seen.y[at] / x_scale_s;
      columns(i, terms + k) = power;
    }
  }
  VectorXd value = Eigen::Map<const VectorXd>(seen.value.data(), points);
  for (Index i = 0; i < points; ++i) value(i) *= std::sqrt(seen.weight_of(static_cast<std::size_t>(i)));
  Regression fit = fit_linear(columns, value);
  for (VectorXd* each : {&fit.coeff, &fit.half_width})
    for (Index k = 0; k < terms; ++k) {
      const double volts = std::pow(kHalfRange_V, static_cast<double>(k));
      (*each)(k) /= volts * x_scale_s;
      (*each)(terms + k) /= volts;
    }
  return fit;
}

std::vector<Coefficient> named(const Regression& fit, std::size_t order) {
  std::vector<Coefficient> list;
  for (const auto& [name, unit, first] : {std::tuple{"i", "A", std::size_t{0}}, std::tuple{"a", "C", order + 1}})
    for (std::size_t k = 0; k <= order; ++k) {
      const Index at = static_cast<Index>(first + k);
      list.push_back(
          {std::string(name).append(std::to_string(k)), per_volt(unit, k), fit.coeff(at), fit.half_width(at)});
    }
  return list;
}

/// One side of a push-pull cell at overdrive `drive_V`; p = ln k, v_t, ln w, ln b, ln c.
double side(const VectorXd& p, Index first, double drive_V) {
  const double w = std::exp(p(first + 2)), s = w * softplus(drive_V / w);
  return std::exp(p(first)) * s * s / (1 + std::exp(p(first + 3)) * s + std::exp(p(first + 4)) * s * s);
}

constexpr Index kSideTerms = 5, kEdgeTerms = 4;

/// Charge in units of full scale, x in units of the longest pulse, voltages in V from kZeroWeight_V.
double softplus_charge(const VectorXd& p, double u_V, double x) {
  const double rising = side(p, 0, u_V - p(1)), falling = side(p, kSideTerms, p(kSideTerms + 1) - u_V);
  return x * (rising - falling) + polynomial(p, 2 * kSideTerms, kEdgeTerms, u_V / kHalfRange_V);
}

void add_softplus_pair(FormChoice& choice, const std::vector<double>& i_A, double x_scale_s) {
  const std::string form = "softplus pair";
  constexpr std::size_t kTerms = 2 * kSideTerms + kEdgeTerms;
  const Points& seen = choice.seen();
  if (seen.size() < kTerms || i_A.size() < kSideTerms)
    return choice.add_failed(form, kTerms, FitStatus::too_few_points);
  const double scale = choice.full_scale();
  const double up = i_A.back() * x_scale_s / scale, down = -i_A.front() * x_scale_s / scale;
  // A cell that does not push and pull has no two sides to start from.
  if (!(up > 0) || !(down > 0)) return choice.add_failed(form, kTerms, FitStatus::not_converged);
  VectorXd start = VectorXd::Zero(kTerms);
  const auto begin_side = [&](Index first, double current) {
    const double s = kHalfRange_V, b = 1.0, c = 1.0;
    start(first) = std::log(current * (1 + b * s + c * s * s) / (s * s));
    start(first + 2) = std::log(0.05);
    start(first + 3) = std::log(b);
    start(first + 4) = std::log(c);
  };
  begin_side(0, up);
  begin_side(kSideTerms, down);
  const auto residuals = [&](const VectorXd& p, VectorXd& residual) {
    for (std::size_t i = 0; i < seen.size(); ++i)
      residual(static_cast<Index>(i)) =
          std::sqrt(seen.weight_of(i)) *
          (seen.value[i] / scale - softplus_charge(p, seen.x[i] - kZeroWeight_V, seen.y[i] / x_scale_s));
  };
  const Regression fit = fit_nonlinear(residuals, start, seen.size());
  if (fit.status != FitStatus::converged) return choice.add_failed(form, kTerms, fit.status);
  std::vector<Coefficient> list;
  for (const auto& [name, first, sign] : {std::tuple{"rise", Index{0}, 1.0}, std::tuple{"fall", kSideTerms, 1.0}}) {
    const auto add = [&](const std::string& what, const std::string& unit, Index at, double factor, bool is_log) {
      const double value = is_log ? std::exp(fit.coeff(first + at)) * factor : fit.coeff(first + at) + kZeroWeight_V;
      const double width = fit.half_width(first + at);
      list.push_back({std::string(name).append("_").append(what), unit, value, is_log ? value * width : width});
    };
    add("k", "A V^-2", 0, scale / x_scale_s, true);
    add("v_t", "V", 1, 1.0, false);
    add("w", "V", 2, 1.0, true);
    add("b", "V^-1", 3, 1.0, true);
    add("c", "V^-2", 4, 1.0, true);
  }
  for (Index k = 0; k < kEdgeTerms; ++k) {
    const double factor = scale / std::pow(kHalfRange_V, static_cast<double>(k));
    list.push_back({std::string("a").append(std::to_string(k)), per_volt("C", static_cast<std::size_t>(k)),
                    fit.coeff(2 * kSideTerms + k) * factor, fit.half_width(2 * kSideTerms + k) * factor});
  }
  choice.add(
      form, kTerms,
      [coeff = fit.coeff, scale, x_scale_s](double v_V, double x_s) {
        return scale * softplus_charge(coeff, v_V - kZeroWeight_V, x_s / x_scale_s);
      },
      std::move(list));
}

}  // namespace

CellForms fit_cell_forms(const Points& seen, const Points& held_out, const std::vector<double>& v_V,
                         const std::vector<double>& i_A, const std::vector<double>& a_C, double full_scale_C) {
  CellForms result;
  result.i_cubic_A.x0 = result.a_cubic_C.x0 = kZeroWeight_V;
  FormChoice choice("cell charge", "C", seen, held_out, full_scale_C);
  const double x_scale_s = seen.size() == 0 ? 1.0 : *std::max_element(seen.y.begin(), seen.y.end());
  for (const std::size_t order : kOrders) {
    const std::size_t terms = order + 1;
    Regression fit;
    // Several widths at one voltage do not tell more about the shape over the voltage.
    if (v_V.size() >= terms) fit = fit_polynomials(seen, x_scale_s, order);
    if (order == 3) result.cubic_status = fit.status;
    if (fit.status != FitStatus::converged) {
      choice.add_failed(polynomial_name(order), 2 * terms, fit.status);
      continue;
    }
    if (order == 3)
      for (std::size_t k = 0; k < 4; ++k) {
        result.i_cubic_A.coeff[k] = fit.coeff(static_cast<Index>(k));
        result.a_cubic_C.coeff[k] = fit.coeff(static_cast<Index>(4 + k));
      }
    choice.add(
        polynomial_name(order), 2 * terms,
        [coeff = fit.coeff, n = static_cast<Index>(terms)](double v, double x) {
          return x * polynomial(coeff, 0, n, v - kZeroWeight_V) + polynomial(coeff, n, n, v - kZeroWeight_V);
        },
        named(fit, order));
  }
  add_softplus_pair(choice, i_A, x_scale_s);
  const std::string linear = "linear table", monotone = "monotone table";
  if (v_V.size() < 2) {
    for (const std::string& form : {linear, monotone})
      choice.add_failed(form, 2 * v_V.size(), FitStatus::too_few_points);
  } else {
    choice.add(linear, 2 * v_V.size(),
               [=](double v, double x) { return x * interpolated(v_V, i_A, v) + interpolated(v_V, a_C, v); });
    choice.add(monotone, 2 * v_V.size(),
               [i = device::MonotoneCurve(v_V, i_A), a = device::MonotoneCurve(v_V, a_C)](double v, double x) {
                 return x * i(v) + a(v);
               });
  }
  const FittedForm* chosen = choice.select();
  if (chosen != nullptr && chosen->score.form != monotone) result.chosen_charge_C = chosen->function;
  result.scores = choice.scores();
  return result;
}

}  // namespace gaincal::fit
