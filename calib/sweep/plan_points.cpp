#include "sweep/plan_points.hpp"

#include <algorithm>
#include <numeric>

#include "core/error.hpp"
#include "sweep/plan_axis.hpp"
#include "sweep/plan_monte_carlo.hpp"

namespace gaincal::sweep {
namespace {

using Kind = PlanDimension::Kind;

std::vector<double> numbered(std::size_t count) {
  std::vector<double> values(count);
  std::iota(values.begin(), values.end(), 0.0);
  return values;
}

std::string alter_target(const Operand& operand) {
  if (operand.kind == Operand::Kind::source) return operand.name + " dc";
  return operand.field.empty() ? operand.name : "@" + operand.name + "[" + operand.field + "]";
}

}  // namespace

std::string Alteration::command() const { return "alter " + target + " = " + number_text(value); }

PlanPoints::PlanPoints(const Plan& plan, const PlanCircuit& circuit) : plan_(plan), circuit_(circuit) {
  for (const PlanAxis& axis : plan.axes) operands_.push_back(circuit.resolve(axis));
  for (std::size_t i = 0; i < operands_.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (alter_target(operands_[i]) == alter_target(operands_[j]))
        throw UsageError(plan.axes[i].where + ": moves the same as axis '" + plan.axes[j].name + "'; remove one");
  for (const ProcessVariation& process : plan.monte_carlo.process)
    circuit.resolve_parameter(process.parameter, plan.file_name + ": monte_carlo.process.parameter");
  if (!plan.supplies_V.empty() && circuit.operands().empty())
    circuit.resolve_parameter("supply", plan.file_name + ": conditions.supply");

  if (!plan.corners.empty()) dimensions_.push_back({Kind::corner, "corner", plan.corners.size(), {}});
  if (!plan.temperatures_C.empty())
    dimensions_.push_back({Kind::temperature, "temperature", plan.temperatures_C.size(), {}});
  if (!plan.supplies_V.empty()) dimensions_.push_back({Kind::supply, "supply", plan.supplies_V.size(), {}});
  if (plan.monte_carlo.samples > 0) dimensions_.push_back({Kind::sample, "sample", plan.monte_carlo.samples, {}});
  dimension_of_axis_.resize(plan.axes.size());
  for (std::size_t a = 0; a < plan.axes.size(); ++a) {
    const PlanAxis& axis = plan.axes[a];
    const auto group = std::find_if(dimensions_.begin(), dimensions_.end(), [&](const PlanDimension& dimension) {
      return dimension.kind == Kind::axes && !axis.zip.empty() && plan.axes[dimension.axes.front()].zip == axis.zip;
    });
    dimension_of_axis_[a] = static_cast<std::size_t>(group - dimensions_.begin());
    if (group != dimensions_.end())
      group->axes.push_back(a);
    else
      dimensions_.push_back({Kind::axes, axis.zip.empty() ? axis.name : axis.zip, axis.values.size(), {a}});
  }
  stride_.resize(dimensions_.size());
  for (std::size_t d = dimensions_.size(); d-- > 0;) {
    stride_[d] = count_;
    count_ *= dimensions_[d].size;  // may wrap: estimate() is asked first
  }
  for (const std::string& corner : circuit.corners().empty() ? std::vector<std::string>{""} : circuit.corners()) {
    NetlistSetting setting;
    setting.corner = corner;
    nominal_.emplace_back();
    if (plan.monte_carlo.process.empty()) continue;
    const std::string text = circuit.deck(setting).text;
    for (const ProcessVariation& process : plan.monte_carlo.process)
      nominal_.back().push_back(parameter_value(text, circuit.resolve_parameter(process.parameter, plan.file_name)));
  }
}

double PlanPoints::estimate() const {
  double product = 1.0;
  for (const PlanDimension& dimension : dimensions_) product *= static_cast<double>(dimension.size);
  return product;
}

double PlanPoints::axis_value(std::size_t point, std::size_t axis) const {
  return plan_.axes[axis].values[index(point, dimension_of_axis_[axis])];
}

std::size_t PlanPoints::sample(std::size_t point) const {
  for (std::size_t d = 0; d < dimensions_.size(); ++d)
    if (dimensions_[d].kind == Kind::sample) return index(point, d);
  return 0;
}

bool PlanPoints::reloads(std::size_t dimension) const {
  const PlanDimension& d = dimensions_[dimension];
  if (d.kind == Kind::sample) return !plan_.monte_carlo.process.empty();
  if (d.kind != Kind::axes) return true;
  return std::any_of(d.axes.begin(), d.axes.end(),
                     [&](std::size_t axis) { return operands_[axis].kind == Operand::Kind::parameter; });
}

NetlistSetting PlanPoints::setting(std::size_t point) const {
  NetlistSetting setting;
  std::size_t corner = 0;
  for (std::size_t d = 0; d < dimensions_.size(); ++d) {
    if (dimensions_[d].kind == Kind::corner) corner = index(point, d);
    if (dimensions_[d].kind == Kind::temperature) setting.temperature_C = plan_.temperatures_C[index(point, d)];
    if (dimensions_[d].kind == Kind::supply) setting.supply_V = plan_.supplies_V[index(point, d)];
  }
  if (!circuit_.corners().empty()) setting.corner = circuit_.corners()[corner];
  const std::vector<ProcessVariation>& process = plan_.monte_carlo.process;
  for (std::size_t i = 0; i < process.size(); ++i)
    setting.parameters[circuit_.resolve_parameter(process[i].parameter, plan_.file_name)] =
        nominal_[corner][i] +
        process[i].sigma * monte_carlo_draw(plan_.monte_carlo.seed, sample(point), "process:" + process[i].parameter);
  for (std::size_t a = 0; a < operands_.size(); ++a)
    if (operands_[a].kind == Operand::Kind::parameter) setting.parameters[operands_[a].name] = axis_value(point, a);
  return setting;
}

std::vector<Alteration> PlanPoints::alterations(std::size_t point) const {
  std::vector<Alteration> list;
  for (std::size_t a = 0; a < operands_.size(); ++a)
    if (operands_[a].kind != Operand::Kind::parameter)
      list.push_back({alter_target(operands_[a]), axis_value(point, a)});
  return list;
}

std::string PlanPoints::key(std::size_t point) const {
  std::string text;
  for (std::size_t d = 0; d < dimensions_.size(); ++d) {
    const std::size_t i = index(point, d);
    if (dimensions_[d].kind == Kind::corner)
      text += "corner=" + plan_.corners[i] + ";";
    else if (dimensions_[d].kind == Kind::temperature)
      text += "temperature=" + number_text(plan_.temperatures_C[i]) + ";";
    else if (dimensions_[d].kind == Kind::supply)
      text += "supply=" + number_text(plan_.supplies_V[i]) + ";";
    else if (dimensions_[d].kind == Kind::sample)
      text += "sample=" + std::to_string(i) + ";";
    for (const std::size_t axis : dimensions_[d].axes)
      text += plan_.axes[axis].name + "=" + number_text(plan_.axes[axis].values[i]) + ";";
  }
  return text;
}

std::vector<store::Axis> PlanPoints::axes() const {
  std::vector<store::Axis> axes;
  for (const PlanDimension& dimension : dimensions_) {
    store::Axis axis{dimension.name, "1", numbered(dimension.size)};
    if (dimension.kind == Kind::corner) axis.labels = plan_.corners;
    if (dimension.kind == Kind::temperature) axis = {"temperature", "degC", plan_.temperatures_C};
    if (dimension.kind == Kind::supply) axis = {"supply", "V", plan_.supplies_V};
    if (dimension.axes.size() == 1) {
      const PlanAxis& only = plan_.axes[dimension.axes.front()];
      axis.unit = only.unit;
      axis.values = only.values;
    } else if (dimension.axes.size() > 1) {
      for (std::size_t i = 0; i < dimension.size; ++i) {
        std::string label;
        for (const std::size_t a : dimension.axes)
          label += (label.empty() ? "" : ", ") + plan_.axes[a].name + "=" + number_text(plan_.axes[a].values[i]);
        axis.labels.push_back(label);
      }
    }
    axes.push_back(axis);
  }
  return axes;
}

}  // namespace gaincal::sweep
