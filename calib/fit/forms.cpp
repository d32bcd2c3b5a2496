#include "fit/forms.hpp"

#include <algorithm>
#include <cmath>

#include "fit/least_squares.hpp"
#include "fit/regression.hpp"

namespace gaincal::fit {
namespace {

constexpr double kNegligible = 1e-6;       // of full scale: below it a smaller error is rounding
constexpr double kFarAbove = 3.0;          // held-out over training error of an overfitted form
constexpr double kWorthMentioning = 1e-3;  // of full scale: an error below is no matter of overfitting
constexpr std::size_t kSamples = 512;
constexpr double kCornerWidth = 1e-5;  // of the range

Residuals residuals_of(const Points& points, const std::function<double(double, double)>& function) {
  Residuals residuals;
  for (std::size_t i = 0; i < points.size(); ++i) residuals.add(points.value[i] - function(points.x[i], points.y[i]));
  return residuals;
}

double weighted_rms(const Points& points, const std::function<double(double, double)>& function) {
  double sum = 0.0, weights = 0.0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    sum += points.weight_of(i) * std::pow(points.value[i] - function(points.x[i], points.y[i]), 2);
    weights += points.weight_of(i);
  }
  return weights > 0 ? std::sqrt(sum / weights) : 0.0;
}

void append(device::FormPoints& all, const Points& points, const std::function<double(double, double)>& function,
            bool held_out) {
  for (std::size_t i = 0; i < points.size(); ++i) {
    all.x.push_back(points.x[i]);
    all.y.push_back(points.y[i]);
    all.simulated.push_back(points.value[i]);
    all.predicted.push_back(function(points.x[i], points.y[i]));
    all.held_out.push_back(held_out ? 1 : 0);
  }
}

}  // namespace

void Points::add(double x_value, double y_value, double measured) {
  x.push_back(x_value);
  y.push_back(y_value);
  value.push_back(measured);
}

double Points::full_scale() const {
  double largest = 0.0;
  for (const double each : value) largest = std::max(largest, std::abs(each));
  return largest;
}

FormChoice::FormChoice(std::string quantity, std::string unit, Points seen, Points held_out, double full_scale)
    : quantity_(std::move(quantity)),
      unit_(std::move(unit)),
      seen_(std::move(seen)),
      held_out_(std::move(held_out)),
      full_scale_(full_scale) {}

void FormChoice::add(const std::string& form, std::size_t parameters, std::function<double(double, double)> function,
                     std::vector<device::Coefficient> coefficients, std::vector<double> corners) {
  FittedForm fitted;
  device::FormScore& score = fitted.score;
  score.quantity = quantity_;
  score.form = form;
  score.unit = unit_;
  score.status = status_name(FitStatus::converged);
  score.parameters = parameters;
  score.quality = quality_of(residuals_of(seen_, function), residuals_of(held_out_, function), full_scale_);
  score.aic = corrected_aic(weighted_rms(seen_, function), seen_.size(), parameters);
  if (!held_out_.weight.empty()) score.operand_rms = weighted_rms(held_out_, function);
  score.overfitted = held_out_.size() > 0 && score.quality.held_out_rms > kFarAbove * score.quality.rms &&
                     score.quality.held_out_rms > kWorthMentioning * full_scale_;
  score.coefficients = std::move(coefficients);
  fitted.function = std::move(function);
  fitted.corners = std::move(corners);
  forms_.push_back(std::move(fitted));
}

void FormChoice::add_failed(const std::string& form, std::size_t parameters, FitStatus status) {
  FittedForm failed;
  failed.score.quantity = quantity_;
  failed.score.form = form;
  failed.score.unit = unit_;
  failed.score.status = status_name(status);
  failed.score.parameters = parameters;
  failed.score.quality.full_scale = full_scale_;
  failed.score.aic = std::nan("");
  forms_.push_back(std::move(failed));
}

const FittedForm* FormChoice::select() {
  const bool by_held_out = held_out_.size() > 0;
  const auto error = [&](const FittedForm& form) {
    if (!by_held_out) return form.score.aic;
    return held_out_.weight.empty() ? form.score.quality.held_out_rms : form.score.operand_rms;
  };
  FittedForm* best = nullptr;
  for (FittedForm& form : forms_)
    if (form.usable() && std::isfinite(error(form)) && (best == nullptr || error(form) < error(*best))) best = &form;
  if (best == nullptr) return nullptr;
  if (by_held_out) {
    const double standard_error = 1 / std::sqrt(2.0 * static_cast<double>(held_out_.size()));
    const double enough = std::max((1 + 2 * standard_error) * error(*best), kNegligible * full_scale_);
    const double largest = std::max(2 * best->score.quality.held_out_max, kNegligible * full_scale_);
    for (FittedForm& form : forms_)
      if (form.usable() && error(form) <= enough && form.score.quality.held_out_max <= largest &&
          (form.score.parameters < best->score.parameters ||
           (form.score.parameters == best->score.parameters && &form > best)))
        best = &form;
  }
  best->score.selected = true;
  device::FormPoints& points = best->score.points;
  points.x_unit = seen_.x_unit;
  points.y_unit = seen_.y_unit;
  append(points, seen_, best->function, false);
  append(points, held_out_, best->function, true);
  return best;
}

std::vector<device::FormScore> FormChoice::scores() const {
  std::vector<device::FormScore> scores;
  for (const FittedForm& form : forms_) scores.push_back(form.score);
  return scores;
}

std::string polynomial_name(std::size_t order) { return std::string("polynomial ").append(std::to_string(order)); }

double softplus(double z) { return std::max(z, 0.0) + std::log1p(std::exp(-std::abs(z))); }

double interpolated(const std::vector<double>& x, const std::vector<double>& y, double at) {
  if (!(at > x.front())) return y.front();
  if (!(at < x.back())) return y.back();
  const std::size_t i = static_cast<std::size_t>(std::upper_bound(x.begin(), x.end(), at) - x.begin());
  return y[i - 1] + (y[i] - y[i - 1]) * (at - x[i - 1]) / (x[i] - x[i - 1]);
}

device::MonotoneCurve sampled_curve(const std::function<double(double)>& function, double low, double high,
                                    const std::vector<double>& corners) {
  const double near = kCornerWidth * (high - low);
  std::vector<double> x;
  for (std::size_t i = 0; i <= kSamples; ++i) {
    const double at = i == kSamples ? high : low + (high - low) * static_cast<double>(i) / kSamples;
    const bool apart =
        std::none_of(corners.begin(), corners.end(), [&](double corner) { return std::abs(at - corner) < 4 * near; });
    if (apart || i == 0 || i == kSamples) x.push_back(at);
  }
  // Two knots on either side keep what happens at a corner out of the slopes beyond it.
  for (const double corner : corners)
    for (const double steps : {-2.0, -1.0, 1.0, 2.0})
      if (const double at = corner + steps * near; at > low && at < high) x.push_back(at);
  std::sort(x.begin(), x.end());
  x.erase(std::unique(x.begin(), x.end()), x.end());
  std::vector<double> y;
  for (const double at : x) y.push_back(function(at));
  return {std::move(x), std::move(y)};
}

}  // namespace gaincal::fit
