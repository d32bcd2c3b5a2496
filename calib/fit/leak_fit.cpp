#include <algorithm>
#include <cmath>

#include "fit/leak_forms.hpp"
#include "fit/least_squares.hpp"
#include "fit/parts.hpp"
#include "fit/samples.hpp"

namespace gaincal::fit {
namespace {

constexpr double kStartStep_V = 7.5e-3;    // a quarter of the thermal voltage
constexpr double kWorse = 2.0;             // held-out rms with starts added over that without, from which they do harm
constexpr std::size_t kSampledAges = 512;  // of a closed form that replaces the table

/// All good points: start, age, voltage.
Points leak_points(const GridSamples& samples) {
  Points points;
  points.x_unit = "V";
  points.y_unit = "s";
  for (std::size_t i = 0; i < samples.x.size(); ++i)
    for (std::size_t j = 0; j < samples.y.size(); ++j)
      if (samples.good[samples.index(i, j)]) points.add(samples.x[i], samples.y[j], samples.value[samples.index(i, j)]);
  return points;
}

template <typename Model>
Residuals residuals_of(const Points& points, Model model) {
  Residuals residuals;
  for (std::size_t i = 0; i < points.value.size(); ++i)
    residuals.add(points.value[i] - model(points.x[i], points.y[i]));
  return residuals;
}

/// With tau given, v - v0 e = v_inf (1 - e) is linear in v_inf.
double best_v_inf_V(const Points& points, double tau_s) {
  double product = 0.0, square = 0.0;
  for (std::size_t i = 0; i < points.value.size(); ++i) {
    const double gone = -std::expm1(-points.y[i] / tau_s);
    product += gone * (points.value[i] - points.x[i] * (1 - gone));
    square += gone * gone;
  }
  return square > 0 ? product / square : 0.0;
}

/// Least squares of v_inf + (v0 - v_inf) exp(-t / tau): a search in log tau, v_inf eliminated.
struct ExponentialFit {
  FitStatus status = FitStatus::too_few_points;
  double tau_s = 0.0, v_inf_V = 0.0;
};

ExponentialFit fit_exponential(const Points& points) {
  double first_s = INFINITY, last_s = 0.0;
  for (const double age : points.y)
    if (age > 0) {
      first_s = std::min(first_s, age);
      last_s = std::max(last_s, age);
    }
  if (points.value.size() < 3 || last_s == 0.0) return {};
  const auto misfit = [&](double log_tau) {
    device::LeakModel trial;
    trial.tau_s = std::exp(log_tau);
    trial.v_inf_V = best_v_inf_V(points, trial.tau_s);
    return residuals_of(points, [&](double v0, double age) { return trial.exponential_V(v0, age); }).rms();
  };
  // A tau of a thousand times the longest age moves a cell by 0.1 %: beyond what the data can tell.
  const double lowest = std::log(first_s / 10), highest = std::log(last_s * 1000);
  constexpr int kSteps = 400;
  const double step = (highest - lowest) / kSteps;
  int best = 0;
  double best_misfit = INFINITY;
  for (int i = 0; i <= kSteps; ++i)
    if (const double now = misfit(lowest + i * step); now < best_misfit) {
      best_misfit = now;
      best = i;
    }
  ExponentialFit fit;
  fit.status = best == 0 || best == kSteps ? FitStatus::at_search_limit : FitStatus::converged;
  double left = lowest + std::max(best - 1, 0) * step, right = lowest + std::min(best + 1, kSteps) * step;
  const double golden = (std::sqrt(5.0) - 1) / 2;
  for (int i = 0; i < 60; ++i) {
    const double a = right - golden * (right - left), b = left + golden * (right - left);
    if (misfit(a) < misfit(b))
      right = b;
    else
      left = a;
  }
  fit.tau_s = std::exp((left + right) / 2);
  fit.v_inf_V = best_v_inf_V(points, fit.tau_s);
  return fit;
}

/// Starts between those that were simulated, close enough to read the table along straight lines: what a cell has lost
/// at an age grows exponentially with its start, as subthreshold currents do. Linear leakage does not.
void add_starts(device::LeakModel& leak) {
  const std::size_t ages = leak.age_s.size();
  std::vector<double> v0_V, v_V;
  for (std::size_t i = 0; i + 1 < leak.v0_V.size(); ++i) {
    const double low_V = leak.v0_V[i], high_V = leak.v0_V[i + 1];
    const auto steps = static_cast<std::size_t>(std::max(1.0, std::ceil((high_V - low_V) / kStartStep_V - 1e-6)));
    for (std::size_t step = 0; step < steps; ++step) {
      const double part = static_cast<double>(step) / static_cast<double>(steps);
      v0_V.push_back(low_V + part * (high_V - low_V));
      for (std::size_t j = 0; j < ages; ++j) {
        const double low = leak.v_V[i * ages + j] - low_V, high = leak.v_V[(i + 1) * ages + j] - high_V;
        v_V.push_back(v0_V.back() + (low * high > 0.0 ? low * std::pow(high / low, part) : low + part * (high - low)));
      }
    }
  }
  v0_V.push_back(leak.v0_V.back());
  v_V.insert(v_V.end(), leak.v_V.end() - static_cast<std::ptrdiff_t>(ages), leak.v_V.end());
  leak.v0_V = std::move(v0_V);
  leak.v_V = std::move(v_V);
}

/// Fills the table with a closed form: the ages that it has and as many between that straight lines follow.
void replace_table(device::LeakModel& leak, const std::function<double(double, double)>& voltage_V) {
  const double last_s = leak.age_s.back();
  for (std::size_t i = 1; i < kSampledAges; ++i)
    leak.age_s.push_back(last_s * static_cast<double>(i) / static_cast<double>(kSampledAges));
  std::sort(leak.age_s.begin(), leak.age_s.end());
  leak.age_s.erase(std::unique(leak.age_s.begin(), leak.age_s.end()), leak.age_s.end());
  leak.v_V.clear();
  for (const double v0 : leak.v0_V)
    for (const double age : leak.age_s) leak.v_V.push_back(voltage_V(v0, age));
}

}  // namespace

device::LeakModel fit_leak(const store::Dataset& dataset, std::vector<Outcome>& outcomes,
                           std::vector<device::FormScore>& forms) {
  const GridSamples seen = grid_samples(dataset, "cell_leak", "v_store", "age", {"v_cell"}, "V");
  const GridSamples held_out = grid_samples(dataset, "cell_leak_check", "v_store", "age", {"v_cell"}, "V");
  const Points seen_points = leak_points(seen), held_out_points = leak_points(held_out);
  const double full_scale_V = seen_points.full_scale();
  device::LeakModel leak;
  Outcome exponential{"retention", "exponential", "V", FitStatus::converged, {}, seen.excluded, held_out.excluded, ""};
  Outcome table = exponential;
  table.form = "bilinear table";

  const ExponentialFit fit = fit_exponential(seen_points);
  exponential.status = fit.status;
  leak.tau_s = fit.tau_s;
  leak.v_inf_V = fit.v_inf_V;
  if (exponential.usable()) {
    const auto model = [&](double v0, double age) { return leak.exponential_V(v0, age); };
    leak.exponential_quality =
        quality_of(residuals_of(seen_points, model), residuals_of(held_out_points, model), full_scale_V);
    exponential.quality = leak.exponential_quality;
  }

  // A table has no holes: a start of which a point failed is left out as a whole.
  std::size_t lost_starts = 0;
  const bool starts_at_zero = !seen.y.empty() && seen.y.front() == 0;
  if (!starts_at_zero) leak.age_s.push_back(0.0);
  leak.age_s.insert(leak.age_s.end(), seen.y.begin(), seen.y.end());
  for (std::size_t i = 0; i < seen.x.size(); ++i) {
    bool complete = true;
    for (std::size_t j = 0; j < seen.y.size(); ++j) complete = complete && seen.good[seen.index(i, j)];
    if (!complete) {
      ++lost_starts;
      continue;
    }
    leak.v0_V.push_back(seen.x[i]);
    if (!starts_at_zero) leak.v_V.push_back(seen.x[i]);
    for (std::size_t j = 0; j < seen.y.size(); ++j) leak.v_V.push_back(seen.value[seen.index(i, j)]);
  }
  if (lost_starts > 0) table.note = std::to_string(lost_starts) + " starts left out for a failed point";
  if (leak.v0_V.size() < 2 || leak.age_s.size() < 2) {
    table.status = FitStatus::too_few_points;
    leak.v0_V.clear();
    leak.age_s.clear();
    leak.v_V.clear();
  } else {
    const auto evaluated = [&] {
      const auto model = [&](double v0, double age) { return leak.voltage_V(v0, age); };
      return quality_of(residuals_of(seen_points, model), residuals_of(held_out_points, model), full_scale_V);
    };
    device::LeakModel as_simulated = leak;
    const device::FitQuality plain = evaluated();
    add_starts(leak);
    if (evaluated().held_out_rms > kWorse * plain.held_out_rms) leak = std::move(as_simulated);
    table.quality = evaluated();
    const LeakForms tried = fit_leak_forms(seen_points, held_out_points, leak, fit.status, full_scale_V);
    if (tried.chosen_V) replace_table(leak, tried.chosen_V);
    leak.table_quality = evaluated();
    forms.insert(forms.end(), tried.scores.begin(), tried.scores.end());
  }
  outcomes.insert(outcomes.end(), {exponential, table});
  return leak;
}

}  // namespace gaincal::fit
