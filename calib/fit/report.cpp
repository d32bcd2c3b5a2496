#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ostream>

#include "fit/fit.hpp"

namespace gaincal::fit {
namespace {

/// The unit that a reader of such a table expects.
struct ShownUnit {
  const char* name;
  double factor;
};
ShownUnit shown_unit(const std::string& unit) {
  if (unit == "C") return {"fC", 1e15};
  if (unit == "s") return {"ns", 1e9};
  if (unit == "V") return {"mV", 1e3};
  if (unit == "J") return {"fJ", 1e15};
  return {unit.c_str(), 1.0};
}

std::string with_percent(double value, const device::FitQuality& quality, std::size_t points, ShownUnit unit) {
  if (points == 0) return "-";
  char text[48];
  const double percent = quality.full_scale > 0 ? 100 * value / quality.full_scale : 0.0;
  std::snprintf(text, sizeof text, "%9.4f %7.3f%%", value * unit.factor, percent);
  return text;
}

}  // namespace

void print_report(std::ostream& stream, const FitReport& report) {
  char line[256];
  std::snprintf(line, sizeof line, "%-15s %-16s %-5s %18s %18s %18s %18s %11s %9s %s\n", "quantity", "form", "unit",
                "rms", "max", "held-out rms", "held-out max", "full scale", "points", "status");
  stream << line;
  std::vector<std::string> notes;
  for (const Outcome& outcome : report.outcomes) {
    const ShownUnit unit = shown_unit(outcome.unit);
    const device::FitQuality& quality = outcome.quality;
    const std::string points = std::to_string(quality.points) + "+" + std::to_string(quality.held_out_points);
    std::snprintf(line, sizeof line, "%-15s %-16s %-5s %18s %18s %18s %18s %11.4f %9s %s\n", outcome.quantity.c_str(),
                  outcome.form.c_str(), unit.name, with_percent(quality.rms, quality, quality.points, unit).c_str(),
                  with_percent(quality.max, quality, quality.points, unit).c_str(),
                  with_percent(quality.held_out_rms, quality, quality.held_out_points, unit).c_str(),
                  with_percent(quality.held_out_max, quality, quality.held_out_points, unit).c_str(),
                  quality.full_scale * unit.factor, points.c_str(), std::string(status_name(outcome.status)).c_str());
    stream << line;
    std::string note = outcome.note;
    if (outcome.excluded + outcome.held_out_excluded > 0)
      note += (note.empty() ? "" : "; ") + std::to_string(outcome.excluded) + " points and " +
              std::to_string(outcome.held_out_excluded) + " held-out points failed and are left out";
    if (!note.empty()) notes.push_back(outcome.quantity + ", " + outcome.form + ": " + note);
  }
  for (const std::string& note : notes) stream << "note: " << note << "\n";
}

void print_forms(std::ostream& stream, const FitReport& report) {
  const std::vector<device::FormScore>& forms = report.model.forms;
  char line[256];
  std::snprintf(line, sizeof line, "%-2s%-13s %-21s %-4s %4s %18s %18s %18s %18s %9s %s\n", "", "quantity", "form",
                "unit", "par.", "rms", "max", "held-out rms", "held-out max", "AIC", "status");
  stream << line;
  for (const device::FormScore& form : forms) {
    const ShownUnit unit = shown_unit(form.unit);
    const device::FitQuality& quality = form.quality;
    char aic[24] = "-";
    if (std::isfinite(form.aic)) std::snprintf(aic, sizeof aic, "%.1f", form.aic);
    std::string remark = form.overfitted ? ", overfitted" : "";
    if (std::isfinite(form.operand_rms))
      remark += ", operands" + with_percent(form.operand_rms, quality, quality.held_out_points, unit);
    std::snprintf(line, sizeof line, "%-2s%-13s %-21s %-4s %4zu %18s %18s %18s %18s %9s %s%s\n",
                  form.selected ? "*" : "", form.quantity.c_str(), form.form.c_str(), unit.name, form.parameters,
                  with_percent(quality.rms, quality, quality.points, unit).c_str(),
                  with_percent(quality.max, quality, quality.points, unit).c_str(),
                  with_percent(quality.held_out_rms, quality, quality.held_out_points, unit).c_str(),
                  with_percent(quality.held_out_max, quality, quality.held_out_points, unit).c_str(), aic,
                  form.status.c_str(), remark.c_str());
    stream << line;
  }
  stream
      << "* selected: fewest parameters among the forms within twice the standard error of the smallest held-out rms "
         "and twice\n  the largest held-out error of that form. Percent of full scale. AIC corrected for few points "
         "(in SI "
         "units; '-': as many\n  parameters as points). overfitted: held-out rms above 3 times the rms and 0.1 % of "
         "full "
         "scale.\n  operands: held-out rms weighted with what a run reads; it "
         "then takes the place of the held-out rms.\n";
  stream << "coefficients, +- half of the 95 % confidence interval (residuals taken for independent)\n";
  for (const device::FormScore& form : forms) {
    if (form.coefficients.empty()) continue;
    stream << "  " << form.quantity << ", " << form.form << "\n";
    for (const device::Coefficient& each : form.coefficients) {
      if (std::isfinite(each.half_width))
        std::snprintf(line, sizeof line, "    %-16s %14.6g +- %-9.2g %s\n", each.name.c_str(), each.value,
                      each.half_width, each.unit.c_str());
      else
        std::snprintf(line, sizeof line, "    %-16s %14.6g    %-9s %s\n", each.name.c_str(), each.value,
                      "(not determined)", each.unit.c_str());
      stream << line;
    }
  }
}

}  // namespace gaincal::fit
