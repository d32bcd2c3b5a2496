#include <algorithm>
#include <cmath>

#include "fit/least_squares.hpp"
#include "fit/parts.hpp"
#include "fit/samples.hpp"

namespace gaincal::fit {
namespace {

/// Mean and variance over the samples of one row of a grid.
struct Spread {
  double mean = 0.0, variance = 0.0;
  std::size_t samples = 0;
};

Spread spread_of(const GridSamples& grid, std::size_t row) {
  Spread spread;
  for (std::size_t j = 0; j < grid.y.size(); ++j)
    if (grid.good[grid.index(row, j)]) {
      spread.mean += grid.value[grid.index(row, j)];
      ++spread.samples;
    }
  if (spread.samples < 2) return spread;
  spread.mean /= static_cast<double>(spread.samples);
  for (std::size_t j = 0; j < grid.y.size(); ++j)
    if (grid.good[grid.index(row, j)]) spread.variance += std::pow(grid.value[grid.index(row, j)] - spread.mean, 2);
  spread.variance /= static_cast<double>(spread.samples - 1);
  return spread;
}

/// slope and offset, neither below 0, of the line through (x, y).
std::pair<double, double> line_above_zero(const std::vector<double>& x, const std::vector<double>& y) {
  const auto n = static_cast<double>(x.size());
  double sx = 0, sy = 0, sxx = 0, sxy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    sx += x[i];
    sy += y[i];
    sxx += x[i] * x[i];
    sxy += x[i] * y[i];
  }
  const double determinant = n * sxx - sx * sx;
  const double slope = determinant > 0 ? (n * sxy - sx * sy) / determinant : 0.0;
  if (slope <= 0) return {0.0, sy / n};
  const double offset = (sy - slope * sx) / n;
  if (offset < 0) return {sxy / sxx, 0.0};
  return {slope, offset};
}

void fit_cells(const store::Dataset& dataset, double t_max_s, device::MismatchModel& mismatch,
               std::vector<Outcome>& outcomes) {
  const GridSamples grid = grid_samples(dataset, "cell_mismatch", "v_store", "sample", {"q_bl"}, "C");
  Outcome outcome{"cell mismatch", "gain and offset", "C", FitStatus::converged, {}, grid.excluded, 0, ""};
  std::vector<double> squares, variances;
  double full_scale_C = 0.0;
  std::size_t points = 0;
  for (std::size_t i = 0; i < grid.x.size(); ++i) {
    const Spread spread = spread_of(grid, i);
    if (spread.samples < 2) continue;
    squares.push_back(spread.mean * spread.mean);
    variances.push_back(spread.variance);
    full_scale_C = std::max(full_scale_C, std::abs(spread.mean));
    points += spread.samples;
    mismatch.samples = std::max(mismatch.samples, spread.samples);
  }
  if (squares.size() < 2) {
    outcome.status = FitStatus::too_few_points;
    outcomes.push_back(outcome);
    return;
  }
  const auto [gain_variance, offset_variance] = line_above_zero(squares, variances);
  mismatch.cell_gain_sigma = std::sqrt(gain_variance);
  mismatch.cell_offset_sigma_A = std::sqrt(offset_variance) / t_max_s;
  Residuals residuals;
  for (std::size_t i = 0; i < squares.size(); ++i)
    residuals.add(std::sqrt(variances[i]) - std::sqrt(gain_variance * squares[i] + offset_variance));
  outcome.quality = quality_of(residuals, {}, full_scale_C);
  outcome.quality.points = points;
  outcomes.push_back(outcome);
}

/// Width differences through the slope of the HardSigmoid of that side.
double fit_converter(const store::Dataset& dataset, const device::ReadoutModel& readout,
                     std::vector<Outcome>& outcomes) {
  const std::string table = readout.is_signed ? "readout_signed_mismatch" : "readout_unsigned_mismatch";
  const GridSamples grid = grid_samples(dataset, table, "q_in", "sample", {"t_out"}, "s");
  Outcome outcome{readout.is_signed ? "output mismatch" : "score mismatch",
                  "offset",
                  "C",
                  FitStatus::converged,
                  {},
                  grid.excluded,
                  0,
                  ""};
  std::vector<double> sigma_C;
  double sum = 0.0, full_scale_C = 0.0;
  std::size_t points = 0;
  for (std::size_t i = 0; i < grid.x.size(); ++i) {
    const Spread spread = spread_of(grid, i);
    const device::HardSigmoid& side =
        readout.is_signed && grid.x[i] < readout.q_sign_C ? readout.negative : readout.positive;
    if (spread.samples < 2 || !(side.slope_s_per_C > 0)) continue;
    sigma_C.push_back(std::sqrt(spread.variance) / side.slope_s_per_C);
    sum += sigma_C.back() * sigma_C.back();
    full_scale_C = std::max(full_scale_C, side.t_max_s / side.slope_s_per_C);
    points += spread.samples;
  }
  if (sigma_C.empty()) {
    outcome.status = FitStatus::too_few_points;
    outcomes.push_back(outcome);
    return 0.0;
  }
  const double together_C = std::sqrt(sum / static_cast<double>(sigma_C.size()));
  Residuals residuals;
  for (const double each_C : sigma_C) residuals.add(each_C - together_C);
  outcome.quality = quality_of(residuals, {}, full_scale_C);
  outcome.quality.points = points;
  outcomes.push_back(outcome);
  return together_C;
}

}  // namespace

device::MismatchModel fit_mismatch(const store::Dataset& dataset, const device::CircuitModel& model,
                                   std::vector<Outcome>& outcomes) {
  device::MismatchModel mismatch;
  if (!dataset.has_table("cell_mismatch")) return mismatch;
  fit_cells(dataset, model.cell.t_pulse_max_s, mismatch, outcomes);
  mismatch.score_offset_sigma_C = fit_converter(dataset, model.score_readout, outcomes);
  mismatch.output_offset_sigma_C = fit_converter(dataset, model.output_readout, outcomes);
  return mismatch;
}

}  // namespace gaincal::fit
