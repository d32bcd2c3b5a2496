#include "store/model_forms.hpp"

#include <algorithm>
#include <map>
#include <numeric>

namespace gaincal::store {
namespace {

using device::FitQuality;
using device::FormScore;

std::string object_name(std::string words) {
  std::replace(words.begin(), words.end(), ' ', '_');
  return words;
}

bool flag(const GroupReader& group, const std::string& name) { return group.count(name) != 0; }

void write_points(const GroupWriter& parent, const FormScore& form) {
  const device::FormPoints& points = form.points;
  if (points.simulated.empty()) return;
  const GroupWriter group = parent.group("points", "what SPICE and the form say, for plots of residuals");
  std::vector<double> index(points.simulated.size());
  std::iota(index.begin(), index.end(), 0.0);
  group.scale("point", index, "1", "seen and held-out points");
  group.array("x", points.x, {"point"}, points.x_unit, "first argument: stored voltage, or charge of a converter");
  group.array("y", points.y, {"point"}, points.y_unit, "second argument: pulse width, or age; 0 of a converter");
  group.array("simulated", points.simulated, {"point"}, form.unit, "by SPICE");
  group.array("predicted", points.predicted, {"point"}, form.unit, "by the form");
  group.array("held_out", points.held_out, {"point"}, "1: the fit did not see it");
}

device::FormPoints read_points(const GroupReader& parent, const std::string& unit) {
  device::FormPoints points;
  if (!parent.has("points")) return points;
  const GroupReader group = parent.group("points");
  const GroupReader::Shape shape = {group.list("point", "1").size()};
  points.x_unit = group.unit_of("x");
  points.y_unit = group.unit_of("y");
  points.x = group.array("x", points.x_unit, shape);
  points.y = group.array("y", points.y_unit, shape);
  points.simulated = group.array("simulated", unit, shape);
  points.predicted = group.array("predicted", unit, shape);
  points.held_out = group.flags("held_out", shape);
  return points;
}

void write_form(const GroupWriter& group, const FormScore& form) {
  group.text_attribute("quantity", form.quantity);
  group.text_attribute("form", form.form);
  group.text_attribute("unit", form.unit);
  group.text_attribute("status", form.status);
  group.number("selected", form.selected ? 1 : 0, "1", "1: what the model evaluates");
  group.number("overfitted", form.overfitted ? 1 : 0, "1", "1: held-out error far above that on the points seen");
  group.number("parameters", static_cast<double>(form.parameters), "1", "numbers that the points decide");
  group.number("aic", form.aic, "1", "Akaike's criterion corrected for few points; NaN where it is not defined");
  group.number("operand_rms", form.operand_rms, form.unit,
               "held-out rms weighted with the operands of a run; NaN where none were captured");
  write_quality(group, "quality", form.quality, form.unit);
  write_points(group, form);
  std::vector<std::string> names, units;
  std::vector<double> index(form.coefficients.size()), value, half_width;
  std::iota(index.begin(), index.end(), 0.0);
  for (const device::Coefficient& each : form.coefficients) {
    names.push_back(each.name);
    units.push_back(each.unit);
    value.push_back(each.value);
    half_width.push_back(each.half_width);
  }
  group.scale("coefficient", index, "1", "names in the attribute labels", names);
  group.array("unit", units, {"coefficient"}, "of each coefficient");
  group.array("value", value, {"coefficient"}, "1", "in the unit of each coefficient");
  group.array("half_width", half_width, {"coefficient"}, "1",
              "of the 95 % confidence interval, in the unit of each coefficient; NaN where not determined");
}

FormScore read_form(const GroupReader& group) {
  FormScore form;
  form.quantity = group.text_attribute("quantity");
  form.form = group.text_attribute("form");
  form.unit = group.text_attribute("unit");
  form.status = group.text_attribute("status");
  form.selected = flag(group, "selected");
  form.overfitted = flag(group, "overfitted");
  form.parameters = group.count("parameters");
  form.aic = group.number("aic", "1");
  form.quality = read_quality(group, "quality", form.unit);
  if (group.has("operand_rms")) form.operand_rms = group.number("operand_rms", form.unit);  // schema 1.2
  form.points = read_points(group, form.unit);
  const std::vector<std::string> names = group.labels_of("coefficient");
  if (names.size() != group.list("coefficient", "1").size())
    throw group.damaged(group.path_of("coefficient") + " has not one label for each value");
  const std::vector<std::string> units = group.texts("unit", {names.size()});
  const std::vector<double> value = group.array("value", "1", {names.size()});
  const std::vector<double> half_width = group.array("half_width", "1", {names.size()});
  for (std::size_t i = 0; i < names.size(); ++i)
    form.coefficients.push_back({names[i], units[i], value[i], half_width[i]});
  return form;
}

}  // namespace

void write_quality(const GroupWriter& parent, const std::string& name, const FitQuality& quality,
                   const std::string& unit) {
  const GroupWriter group = parent.group(name, "residuals against SPICE");
  group.number("rms", quality.rms, unit, "on the points that the fit saw");
  group.number("max", quality.max, unit, "on the points that the fit saw");
  group.number("held_out_rms", quality.held_out_rms, unit, "on points that the fit did not see");
  group.number("held_out_max", quality.held_out_max, unit, "on points that the fit did not see");
  group.number("full_scale", quality.full_scale, unit, "what the residuals are to be compared with");
  group.number("points", static_cast<double>(quality.points), "1", "points that the fit saw");
  group.number("held_out_points", static_cast<double>(quality.held_out_points), "1", "points that it did not see");
}

FitQuality read_quality(const GroupReader& parent, const std::string& name, const std::string& unit) {
  const GroupReader group = parent.group(name);
  FitQuality quality;
  quality.rms = group.number("rms", unit);
  quality.max = group.number("max", unit);
  quality.held_out_rms = group.number("held_out_rms", unit);
  quality.held_out_max = group.number("held_out_max", unit);
  quality.full_scale = group.number("full_scale", unit);
  quality.points = group.count("points");
  quality.held_out_points = group.count("held_out_points");
  return quality;
}

void write_forms(const GroupWriter& root, const std::vector<FormScore>& forms) {
  if (forms.empty()) return;
  const GroupWriter selection = root.group("selection", "forms tried for each quantity; the selected one is evaluated");
  std::map<std::string, GroupWriter> quantities;
  for (const FormScore& form : forms) {
    const std::string name = object_name(form.quantity);
    auto place = quantities.find(name);
    if (place == quantities.end()) place = quantities.emplace(name, selection.group(name)).first;
    write_form(place->second.group(object_name(form.form)), form);
  }
}

std::vector<FormScore> read_forms(const GroupReader& root) {
  std::vector<FormScore> forms;
  if (!root.has("selection")) return forms;
  const GroupReader selection = root.group("selection");
  for (const std::string& quantity : selection.group_names()) {
    const GroupReader tried = selection.group(quantity);
    for (const std::string& form : tried.group_names()) forms.push_back(read_form(tried.group(form)));
  }
  return forms;
}

}  // namespace gaincal::store
