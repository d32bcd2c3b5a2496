#include "fit/readout_forms.hpp"

#include <algorithm>
#include <cmath>

#include "fit/regression.hpp"

namespace gaincal::fit {
namespace {

using device::Coefficient;
using device::HardSigmoid;
using Eigen::Index;
using Eigen::VectorXd;

constexpr double kFirstSoftness = 0.01;  // of t_max: what the search starts from

Points points_of(const LineSamples& samples) {
  Points points;
  points.x_unit = "C";
  for (std::size_t i = 0; i < samples.x.size(); ++i) points.add(samples.x[i], 0.0, samples.y[i]);
  return points;
}

/// Charges and widths about 1, so that a search needs no other scale.
struct Scale {
  double q_C, t_s;
};

/// slope, q0, t_max, ln w_0, ln w_1 in those units; of a HardSigmoid the first three (two without saturation).
double soft_width(const VectorXd& p, double q) {
  const double u = p(0) * (q - p(1)) / p(2), low = std::exp(p(3)), high = std::exp(p(4));
  return p(2) * (low * softplus(u / low) - high * softplus((u - 1) / high));
}

std::vector<Coefficient> named(const Regression& fit, const VectorXd& value, const Scale& scale,
                               const std::string& prefix) {
  const char* names[] = {"slope", "q0", "t_max", "w_0", "w_1"};
  const char* units[] = {"s C^-1", "C", "s", "1", "1"};
  const double factors[] = {scale.t_s / scale.q_C, scale.q_C, scale.t_s, 1.0, 1.0};
  std::vector<Coefficient> list;
  for (Index k = 0; k < value.size(); ++k) {
    const bool is_log = k >= 3, fitted = fit.status == FitStatus::converged && k < fit.half_width.size();
    const double shown = is_log ? std::exp(value(k)) : value(k) * factors[k];
    const double width = fitted ? fit.half_width(k) * (is_log ? shown : factors[k]) : std::nan("");
    list.push_back({prefix + names[k], units[k], shown, width});
  }
  return list;
}

template <typename Width>
Regression fit_side(const LineSamples& samples, const Scale& scale, const VectorXd& start, Width width) {
  const auto residuals = [&](const VectorXd& p, VectorXd& residual) {
    for (std::size_t i = 0; i < samples.x.size(); ++i)
      residual(static_cast<Index>(i)) = samples.y[i] / scale.t_s - width(p, samples.x[i] / scale.q_C);
  };
  return fit_nonlinear(residuals, start, samples.x.size());
}

/// A side's coefficients in units of `scale`.
VectorXd scaled(const HardSigmoid& sigmoid, const Scale& scale) {
  return Eigen::Vector3d(sigmoid.slope_s_per_C * scale.q_C / scale.t_s, sigmoid.q0_C / scale.q_C,
                         sigmoid.t_max_s / scale.t_s);
}

/// Intervals of a HardSigmoid that is found already. Where no point saturates, t_max is set and has none.
std::vector<Coefficient> hard_coefficients(const ReadoutSide& side, const Scale& scale, const std::string& prefix) {
  const VectorXd all = scaled(side.hard.sigmoid, scale);
  const VectorXd start = side.hard.saturates ? all : VectorXd(all.head(2));
  const Regression fit = fit_side(side.samples, scale, start, [&](const VectorXd& p, double q) {
    const double t_max = p.size() > 2 ? p(2) : all(2);
    return std::clamp(p(0) * (q - p(1)), 0.0, std::max(t_max, 0.0));
  });
  return named(fit, all, scale, prefix);
}

void add_polynomials(FormChoice& choice, const Scale& scale) {
  const Points& seen = choice.seen();
  const Index points = static_cast<Index>(seen.size());
  for (const std::size_t order : kOrders) {
    const Index terms = static_cast<Index>(order + 1);
    Eigen::MatrixXd columns(points, terms);
    for (Index i = 0; i < points; ++i)
      for (Index k = 0; k < terms; ++k)
        columns(i, k) = std::pow(seen.x[static_cast<std::size_t>(i)] / scale.q_C, static_cast<double>(k));
    const Regression fit = fit_linear(columns, Eigen::Map<const VectorXd>(seen.value.data(), points));
    if (fit.status != FitStatus::converged) {
      choice.add_failed(polynomial_name(order), order + 1, fit.status);
      continue;
    }
    std::vector<Coefficient> list;
    for (Index k = 0; k < terms; ++k) {
      const double factor = std::pow(scale.q_C, static_cast<double>(-k));
      list.push_back({std::string("t").append(std::to_string(k)),
                      k == 0 ? "s" : std::string("s C^-").append(std::to_string(k)), fit.coeff(k) * factor,
                      fit.half_width(k) * factor});
    }
    choice.add(
        polynomial_name(order), order + 1,
        [coeff = fit.coeff, terms, q_C = scale.q_C](double q, double) {
          double value = 0.0;
          for (Index k = terms; k-- > 0;) value = value * (q / q_C) + coeff(k);
          return value;
        },
        std::move(list));
  }
}

void add_soft_sigmoid(FormChoice& choice, const device::ReadoutModel& readout, const Scale& scale,
                      const ReadoutSide& positive, const ReadoutSide& negative) {
  const std::string form = "soft sigmoid";
  const std::size_t parameters = readout.is_signed ? 10 : 5;
  std::vector<VectorXd> sides;
  std::vector<Coefficient> list;
  for (const ReadoutSide* side : {&positive, &negative}) {
    if (side == &negative && !readout.is_signed) break;
    if (side->hard.status != FitStatus::converged) return choice.add_failed(form, parameters, side->hard.status);
    VectorXd start(5);
    start << scaled(side->hard.sigmoid, scale), std::log(kFirstSoftness), std::log(kFirstSoftness);
    const Regression fit = fit_side(side->samples, scale, start, soft_width);
    if (fit.status != FitStatus::converged) return choice.add_failed(form, parameters, fit.status);
    sides.push_back(fit.coeff);
    const std::string prefix = !readout.is_signed ? "" : side == &positive ? "positive_" : "negative_";
    for (Coefficient& each : named(fit, fit.coeff, scale, prefix)) list.push_back(std::move(each));
  }
  std::vector<double> corners;
  if (readout.is_signed) corners.push_back(readout.q_sign_C);
  choice.add(
      form, parameters,
      [sides, scale, q_sign_C = readout.q_sign_C](double q, double) {
        if (sides.size() > 1 && q < q_sign_C) return -scale.t_s * soft_width(sides[1], -q / scale.q_C);
        return scale.t_s * soft_width(sides[0], q / scale.q_C);
      },
      std::move(list), std::move(corners));
}

void add_hard_sigmoid(FormChoice& choice, const device::ReadoutModel& readout, const Scale& scale,
                      const ReadoutSide& positive, const ReadoutSide& negative) {
  const std::string form = "hard sigmoid";
  const std::size_t parameters = readout.is_signed ? 6 : 3;
  const bool first = positive.hard.status == FitStatus::converged;
  const bool second = !readout.is_signed || negative.hard.status == FitStatus::converged;
  if (!first || !second) return choice.add_failed(form, parameters, (first ? negative : positive).hard.status);
  std::vector<Coefficient> list = hard_coefficients(positive, scale, readout.is_signed ? "positive_" : "");
  const auto end_C = [](const HardSigmoid& side) { return side.q0_C + side.t_max_s / side.slope_s_per_C; };
  std::vector<double> corners = {readout.positive.q0_C, end_C(readout.positive)};
  if (readout.is_signed) {
    for (Coefficient& each : hard_coefficients(negative, scale, "negative_")) list.push_back(std::move(each));
    corners = {readout.q_sign_C, end_C(readout.positive), -end_C(readout.negative)};
    // A side that would reach no width before the sign changes bends there too.
    if (readout.positive.q0_C > readout.q_sign_C) corners.push_back(readout.positive.q0_C);
    if (-readout.negative.q0_C < readout.q_sign_C) corners.push_back(-readout.negative.q0_C);
  }
  choice.add(
      form, parameters, [readout](double q, double) { return readout.hard_sigmoid_s(q); }, std::move(list),
      std::move(corners));
}

}  // namespace

ReadoutForms fit_readout_forms(const std::string& quantity, const device::ReadoutModel& readout,
                               const LineSamples& seen, const LineSamples& held_out, const ReadoutSide& positive,
                               const ReadoutSide& negative) {
  const Points points = points_of(seen);
  const Scale scale{std::max(std::abs(seen.x.front()), std::abs(seen.x.back())), points.full_scale()};
  FormChoice choice(quantity, "s", points, points_of(held_out), scale.t_s);
  add_polynomials(choice, scale);
  add_hard_sigmoid(choice, readout, scale, positive, negative);
  add_soft_sigmoid(choice, readout, scale, positive, negative);
  // The knots of the table rather than the points: they hold the jump of a signed converter.
  const std::vector<double>&knots_C = readout.t_table_s.x(), &knots_s = readout.t_table_s.y();
  choice.add(
      "linear table", seen.x.size(), [=](double q, double) { return interpolated(knots_C, knots_s, q); }, {}, knots_C);
  const std::string monotone = "monotone table";
  choice.add(monotone, seen.x.size(), [curve = readout.t_table_s](double q, double) { return curve(q); });

  ReadoutForms result;
  const FittedForm* chosen = choice.select();
  if (chosen != nullptr && chosen->score.form != monotone)
    result.chosen_curve_s = sampled_curve([&](double q) { return chosen->function(q, 0.0); }, seen.x.front(),
                                          seen.x.back(), chosen->corners);
  result.scores = choice.scores();
  return result;
}

}  // namespace gaincal::fit
