#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ostream>

#include "fit/conditions_fit.hpp"

namespace gaincal::fit {
namespace {

using device::CircuitModel;
using device::ConditionSet;
using device::FitQuality;
using device::InterpolationError;

double percent(double value, double full_scale) { return full_scale > 0 ? 100 * value / full_scale : 0.0; }

/// The condition whose largest held-out residual is the worst.
void print_worst(std::ostream& stream, const ConditionSet& set, const char* name,
                 const FitQuality& (*quality)(const CircuitModel&)) {
  std::size_t worst = 0;
  const auto error = [&](std::size_t i) {
    const FitQuality& each = quality(set.models[i]);
    return percent(each.held_out_max, each.full_scale);
  };
  for (std::size_t i = 1; i < set.models.size(); ++i)
    if (error(i) > error(worst)) worst = i;
  const FitQuality& each = quality(set.models[worst]);
  const std::size_t s = worst % set.supplies_V.size(), t = worst / set.supplies_V.size();
  const device::Condition at{set.corners[t / set.temperatures_C.size()],
                             set.temperatures_C[t % set.temperatures_C.size()], set.supplies_V[s]};
  char line[200];
  std::snprintf(line, sizeof line, "  %-14s held-out rms %7.3f%%  max %7.3f%%  at %s\n", name,
                percent(each.held_out_rms, each.full_scale), percent(each.held_out_max, each.full_scale),
                condition_text(at).c_str());
  stream << line;
}

void print_left_out(std::ostream& stream, const std::vector<InterpolationError>& errors) {
  std::vector<std::string> quantities;
  for (const InterpolationError& error : errors)
    if (std::find(quantities.begin(), quantities.end(), error.quantity) == quantities.end())
      quantities.push_back(error.quantity);
  stream << "interpolated models against SPICE at conditions left out of the fit: rms / max in percent of full scale\n";
  char text[64];
  std::snprintf(text, sizeof text, "  %-28s", "condition");
  stream << text;
  for (const std::string& quantity : quantities) {
    std::snprintf(text, sizeof text, "%16s", quantity.c_str());
    stream << text;
  }
  std::string at;
  for (const InterpolationError& error : errors) {
    if (condition_text(error.at) != at) {
      at = condition_text(error.at);
      std::snprintf(text, sizeof text, "\n  %-28s", at.c_str());
      stream << text;
    }
    char both[32];
    std::snprintf(both, sizeof both, "%.3f / %.3f", percent(error.rms, error.full_scale),
                  percent(error.max, error.full_scale));
    std::snprintf(text, sizeof text, "%16s", both);
    stream << text;
  }
  stream << "\n";
  const auto worst = std::max_element(errors.begin(), errors.end(), [](const auto& a, const auto& b) {
    return percent(a.max, a.full_scale) < percent(b.max, b.full_scale);
  });
  std::snprintf(text, sizeof text, "  largest: %.3f %% of full scale, ", percent(worst->max, worst->full_scale));
  stream << text << worst->quantity << " at " << condition_text(worst->at) << "\n";
}

}  // namespace

void print_mismatch(std::ostream& stream, const device::MismatchModel& mismatch) {
  if (mismatch.samples == 0) return;
  char line[240];
  std::snprintf(
      line, sizeof line,
      "mismatch of %zu chips, sigma (+- %.0f %%): cell gain %.2f %%, cell offset %.2f nA, score converter %.3f "
      "fC, output converter %.3f fC\n",
      mismatch.samples, 100 / std::sqrt(2.0 * static_cast<double>(mismatch.samples)), 100 * mismatch.cell_gain_sigma,
      1e9 * mismatch.cell_offset_sigma_A, 1e15 * mismatch.score_offset_sigma_C, 1e15 * mismatch.output_offset_sigma_C);
  stream << line;
}

void print_conditions(std::ostream& stream, const ConditionSet& set) {
  if (set.models.empty()) return;
  stream << set.models.size() << " conditions: " << set.corners.size() << " corners, " << set.temperatures_C.size()
         << " temperatures, " << set.supplies_V.size()
         << " supplies; the worst of each part, in percent of its full scale\n";
  print_worst(stream, set, "cell charge",
              [](const CircuitModel& m) -> const FitQuality& { return m.cell.table_quality; });
  print_worst(stream, set, "score width",
              [](const CircuitModel& m) -> const FitQuality& { return m.score_readout.table_quality; });
  print_worst(stream, set, "output width",
              [](const CircuitModel& m) -> const FitQuality& { return m.output_readout.table_quality; });
  print_worst(stream, set, "retention",
              [](const CircuitModel& m) -> const FitQuality& { return m.leak.table_quality; });
  print_worst(stream, set, "read energy",
              [](const CircuitModel& m) -> const FitQuality& { return m.read_energy.quality; });
  if (!set.errors.empty()) print_left_out(stream, set.errors);
}

}  // namespace gaincal::fit
