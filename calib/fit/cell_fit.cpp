#include <algorithm>
#include <cmath>
#include <cstdio>

#include "fit/cell_forms.hpp"
#include "fit/least_squares.hpp"
#include "fit/parts.hpp"
#include "fit/samples.hpp"

namespace gaincal::fit {
namespace {

constexpr double kVisiblyBent = 0.01;  // of full scale: a line over the width then is the wrong form
constexpr double kStepBack = 1e-3;     // of the largest current: less is noise of the simulator

/// Lines over the pulse width, one for each voltage that has points enough.
struct Lines {
  std::vector<double> v_V, offset, slope;
  std::size_t lost_voltages = 0;
  std::size_t excluded = 0;  // failed points with a pulse
  double full_scale = 0.0;
  Residuals residuals;
};

/// Points of no width carry nothing by definition and are left to the model.
template <typename Visit>
void for_each_pulse(const GridSamples& samples, Visit visit) {
  for (std::size_t i = 0; i < samples.x.size(); ++i)
    for (std::size_t j = 0; j < samples.y.size(); ++j)
      if (samples.y[j] > 0) visit(i, j, samples.good[samples.index(i, j)]);
}

Lines fit_lines(const GridSamples& samples) {
  Lines lines;
  std::vector<std::vector<double>> width(samples.x.size()), value(samples.x.size());
  for_each_pulse(samples, [&](std::size_t i, std::size_t j, bool good) {
    if (!good) {
      ++lines.excluded;
      return;
    }
    width[i].push_back(samples.y[j]);
    value[i].push_back(samples.value[samples.index(i, j)]);
    lines.full_scale = std::max(lines.full_scale, std::abs(value[i].back()));
  });
  for (std::size_t i = 0; i < samples.x.size(); ++i) {
    const PolynomialFit line = fit_polynomial(width[i], value[i], 0.0, 1);
    if (line.status != FitStatus::converged) {
      ++lines.lost_voltages;
      continue;
    }
    lines.v_V.push_back(samples.x[i]);
    lines.offset.push_back(line.coeff[0]);
    lines.slope.push_back(line.coeff[1]);
    for (std::size_t k = 0; k < width[i].size(); ++k)
      lines.residuals.add(value[i][k] - line.coeff[0] - line.coeff[1] * width[i][k]);
  }
  return lines;
}

std::size_t pulses_excluded(const GridSamples& samples) {
  std::size_t excluded = 0;
  for_each_pulse(samples, [&](std::size_t, std::size_t, bool good) { excluded += good ? 0 : 1; });
  return excluded;
}

/// Residuals of model(v, x) over all good points with a pulse.
template <typename Model>
Residuals residuals_of(const GridSamples& samples, Model model) {
  Residuals residuals;
  for_each_pulse(samples, [&](std::size_t i, std::size_t j, bool good) {
    if (good) residuals.add(samples.value[samples.index(i, j)] - model(samples.x[i], samples.y[j]));
  });
  return residuals;
}

Points pulse_points(const GridSamples& samples, const Operands& operands) {
  Points points;
  points.x_unit = "V";
  points.y_unit = "s";
  for_each_pulse(samples, [&](std::size_t i, std::size_t j, bool good) {
    if (good) points.add(samples.x[i], samples.y[j], samples.value[samples.index(i, j)]);
  });
  if (!operands.empty()) points.weight = operands.weights(points.x, points.y);
  return points;
}

/// Where a current that should rise with the voltage falls by more than the simulator's noise.
bool steps_back(const std::vector<double>& current) {
  double highest = -INFINITY, scale = 0.0;
  for (const double each : current) scale = std::max(scale, std::abs(each));
  for (const double each : current) {
    if (each < highest - kStepBack * scale) return true;
    highest = std::max(highest, each);
  }
  return false;
}

std::string lost_note(const Lines& lines) {
  return lines.lost_voltages == 0 ? ""
                                  : std::to_string(lines.lost_voltages) + " voltages have fewer than two good widths";
}

}  // namespace

device::CellModel fit_cell(const store::Dataset& dataset, const DesignFacts& facts, std::vector<Outcome>& outcomes,
                           std::vector<device::FormScore>& forms) {
  const GridSamples seen = grid_samples(dataset, "cell_read", "v_store", "t_pulse", {"q_bl"}, "C");
  const GridSamples held_out = grid_samples(dataset, "cell_read_check", "v_store", "t_pulse", {"q_bl"}, "C");
  const Lines lines = fit_lines(seen);
  device::CellModel cell;
  cell.t_pulse_max_s = facts.t_max_s;

  Outcome line{"cell charge", "line over width", "C", FitStatus::converged, {}, 0, 0, ""};
  line.excluded = lines.excluded;
  line.note = lost_note(lines);
  Outcome table = line, cubic = line;
  table.form = "monotone table";
  cubic.form = "cubic";
  table.held_out_excluded = cubic.held_out_excluded = pulses_excluded(held_out);
  line.quality = quality_of(lines.residuals, {}, lines.full_scale);
  if (lines.v_V.empty()) line.status = FitStatus::too_few_points;
  if (lines.residuals.max() > kVisiblyBent * lines.full_scale) {
    char text[96];
    std::snprintf(text, sizeof text, "charge is not affine in the width: %.2f %% of full scale off the line",
                  100 * lines.residuals.max() / lines.full_scale);
    line.note += (line.note.empty() ? "" : "; ") + std::string(text);
  }

  const CellForms tried = fit_cell_forms(pulse_points(seen, facts.operands), pulse_points(held_out, facts.operands),
                                         lines.v_V, lines.slope, lines.offset, lines.full_scale);
  cell.i_cubic_A = tried.i_cubic_A;
  cell.a_cubic_C = tried.a_cubic_C;
  cubic.status = tried.cubic_status;
  if (cubic.usable()) {
    const auto charge = [&](double v_V, double x_s) { return x_s * cell.i_cubic_A(v_V) + cell.a_cubic_C(v_V); };
    cell.cubic_quality = quality_of(residuals_of(seen, charge), residuals_of(held_out, charge), lines.full_scale);
    cubic.quality = cell.cubic_quality;
  }
  if (lines.v_V.size() < 2) {
    table.status = FitStatus::too_few_points;
  } else {
    cell.v_min_V = lines.v_V.front();
    cell.v_max_V = lines.v_V.back();
    const auto charge = [&](double v_V, double x_s) { return cell.charge_C(v_V, x_s); };
    const auto evaluated = [&] {
      return quality_of(residuals_of(seen, charge), residuals_of(held_out, charge), lines.full_scale);
    };
    cell.i_table_A = device::MonotoneCurve(lines.v_V, lines.slope);
    cell.a_table_C = device::MonotoneCurve(lines.v_V, lines.offset);
    table.quality = evaluated();
    if (steps_back(lines.slope))
      table.note +=
          (table.note.empty() ? "" : "; ") + std::string("the current does not rise with the voltage everywhere");
    if (tried.chosen_charge_C) {
      const auto& q_C = tried.chosen_charge_C;
      const double t_s = cell.t_pulse_max_s;
      cell.i_table_A =
          sampled_curve([&](double v_V) { return (q_C(v_V, t_s) - q_C(v_V, 0.0)) / t_s; }, cell.v_min_V, cell.v_max_V);
      cell.a_table_C = sampled_curve([&](double v_V) { return q_C(v_V, 0.0); }, cell.v_min_V, cell.v_max_V);
    }
    cell.table_quality = evaluated();
  }
  outcomes.insert(outcomes.end(), {line, cubic, table});
  forms.insert(forms.end(), tried.scores.begin(), tried.scores.end());
  return cell;
}

device::ReadEnergyModel fit_read_energy(const store::Dataset& dataset, std::vector<Outcome>& outcomes) {
  const std::vector<std::string> parts = {"e_supply", "e_word_line"};
  const GridSamples seen = grid_samples(dataset, "cell_read", "v_store", "t_pulse", parts, "J");
  const GridSamples held_out = grid_samples(dataset, "cell_read_check", "v_store", "t_pulse", parts, "J");
  const Lines lines = fit_lines(seen);
  device::ReadEnergyModel energy;
  Outcome outcome{"read energy", "line over width", "J", FitStatus::converged, {}, 0, 0, lost_note(lines)};
  outcome.excluded = lines.excluded;
  outcome.held_out_excluded = pulses_excluded(held_out);
  if (lines.v_V.size() < 2) {
    outcome.status = FitStatus::too_few_points;
  } else {
    energy.e_edge_J = device::MonotoneCurve(lines.v_V, lines.offset);
    energy.p_W = device::MonotoneCurve(lines.v_V, lines.slope);
    const Lines word_line = fit_lines(grid_samples(dataset, "cell_read", "v_store", "t_pulse", {"e_word_line"}, "J"));
    if (word_line.v_V.size() > 1) energy.e_word_line_J = device::MonotoneCurve(word_line.v_V, word_line.offset);
    const auto model = [&](double v_V, double x_s) { return energy.energy_J(v_V, x_s); };
    energy.quality = quality_of(residuals_of(seen, model), residuals_of(held_out, model), lines.full_scale);
    outcome.quality = energy.quality;
  }
  outcomes.push_back(outcome);
  return energy;
}

}  // namespace gaincal::fit
