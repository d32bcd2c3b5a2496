#include "store/model_conditions.hpp"

#include <charconv>
#include <numeric>

#include "core/error.hpp"
#include "store/model_circuit.hpp"

namespace gaincal::store {
namespace {

using device::CircuitModel;
using device::ConditionSet;
using device::InterpolationError;

/// Shortest text that reads back as the same double.
std::string number_text(double value) {
  char buffer[40];
  const auto [end, status] = std::to_chars(buffer, buffer + sizeof buffer, value);
  return {buffer, end};
}

std::vector<double> count_up(std::size_t n) {
  std::vector<double> index(n);
  std::iota(index.begin(), index.end(), 0.0);
  return index;
}

void write_errors(const GroupWriter& parent, const std::vector<InterpolationError>& errors) {
  if (errors.empty()) return;
  const GroupWriter group = parent.group("left_out", "interpolated models against SPICE where no fit has seen it");
  const std::vector<std::string> over = {"error"};
  group.scale("error", count_up(errors.size()), "1", "one quantity at one condition");
  const auto texts = [&](const std::string& name, const std::string& description, auto member) {
    std::vector<std::string> values;
    for (const InterpolationError& each : errors) values.push_back(member(each));
    group.array(name, values, over, description);
  };
  const auto numbers = [&](const std::string& name, const std::string& unit, const std::string& description,
                           auto member) {
    std::vector<double> values;
    for (const InterpolationError& each : errors) values.push_back(member(each));
    group.array(name, values, over, unit, description);
  };
  texts("corner", "of the process", [](const InterpolationError& e) { return e.at.corner; });
  numbers("temperature", "degC", "", [](const InterpolationError& e) { return e.at.temperature_C; });
  numbers("supply", "V", "", [](const InterpolationError& e) { return e.at.supply_V; });
  texts("quantity", "what is compared", [](const InterpolationError& e) { return e.quantity; });
  texts("unit", "of rms, max and full_scale", [](const InterpolationError& e) { return e.unit; });
  numbers("rms", "1", "in the unit of the quantity", [](const InterpolationError& e) { return e.rms; });
  numbers("max", "1", "in the unit of the quantity", [](const InterpolationError& e) { return e.max; });
  numbers("full_scale", "1", "in the unit of the quantity", [](const InterpolationError& e) { return e.full_scale; });
  numbers("points", "1", "compared", [](const InterpolationError& e) { return static_cast<double>(e.points); });
}

std::vector<InterpolationError> read_errors(const GroupReader& parent) {
  std::vector<InterpolationError> errors;
  if (!parent.has("left_out")) return errors;
  const GroupReader group = parent.group("left_out");
  errors.resize(group.list("error", "1").size());
  const GroupReader::Shape shape = {errors.size()};
  const auto corner = group.texts("corner", shape), quantity = group.texts("quantity", shape),
             unit = group.texts("unit", shape);
  const auto temperature = group.array("temperature", "degC", shape), supply = group.array("supply", "V", shape),
             rms = group.array("rms", "1", shape), max = group.array("max", "1", shape),
             full_scale = group.array("full_scale", "1", shape), points = group.array("points", "1", shape);
  for (std::size_t i = 0; i < errors.size(); ++i)
    errors[i] = {{corner[i], temperature[i], supply[i]}, quantity[i], unit[i], rms[i], max[i], full_scale[i],
                 static_cast<std::size_t>(points[i])};
  return errors;
}

/// Visits the outer product with the name of each group.
template <typename Visit>
void for_each_model(const ConditionSet& set, Visit visit) {
  for (std::size_t c = 0; c < set.corners.size(); ++c)
    for (std::size_t t = 0; t < set.temperatures_C.size(); ++t)
      for (std::size_t s = 0; s < set.supplies_V.size(); ++s)
        visit(set.corners[c] + "_" + number_text(set.temperatures_C[t]) + "C_" + number_text(set.supplies_V[s]) + "V",
              set.index(c, t, s));
}

}  // namespace

void write_conditions(const GroupWriter& root, const ConditionSet& set) {
  if (set.nominal.corner.empty()) return;
  const GroupWriter group = root.group("conditions", "the circuit at other corners, temperatures and supplies");
  group.text_attribute("nominal_corner", set.nominal.corner);
  group.number("nominal_temperature", set.nominal.temperature_C, "degC", "of the model at the root");
  group.number("nominal_supply", set.nominal.supply_V, "V", "of the model at the root");
  if (set.models.empty()) return;
  if (set.models.size() != set.corners.size() * set.temperatures_C.size() * set.supplies_V.size())
    throw Error("conditions: " + std::to_string(set.models.size()) + " models are not the product of the axes");
  group.scale("corner", count_up(set.corners.size()), "1", "names in the attribute labels", set.corners);
  group.scale("temperature", set.temperatures_C, "degC", "fitted; parabolas between");
  group.scale("supply", set.supplies_V, "V", "fitted; parabolas between");
  std::vector<std::string> names(set.models.size());
  for_each_model(set, [&](const std::string& name, std::size_t i) { names[i] = name; });
  group.array("model", names, {"corner", "temperature", "supply"}, "group in /conditions/models, laid out as the root");
  const GroupWriter models = group.group("models");
  for (std::size_t i = 0; i < names.size(); ++i) write_circuit(models.group(names[i]), set.models[i]);
  write_errors(group, set.errors);
}

ConditionSet read_conditions(const GroupReader& root, const CircuitModel& nominal) {
  ConditionSet set;
  if (!root.has("conditions")) return set;  // before schema 1.2
  const GroupReader group = root.group("conditions");
  set.nominal = {group.text_attribute("nominal_corner"), group.number("nominal_temperature", "degC"),
                 group.number("nominal_supply", "V")};
  if (!group.has("models")) return set;
  set.corners = group.labels_of("corner");
  set.temperatures_C = group.list("temperature", "degC");
  set.supplies_V = group.list("supply", "V");
  if (set.corners.empty() || set.temperatures_C.empty() || set.supplies_V.empty())
    throw group.damaged(group.path_of("model") + " has an empty axis");
  const GroupReader models = group.group("models");
  CircuitModel shared = nominal;
  shared.forms.clear();
  for (const std::string& name :
       group.texts("model", {set.corners.size(), set.temperatures_C.size(), set.supplies_V.size()})) {
    set.models.push_back(shared);
    read_circuit(models.group(name), set.models.back());
  }
  set.errors = read_errors(group);
  return set;
}

}  // namespace gaincal::store
