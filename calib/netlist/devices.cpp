#include "netlist/devices.hpp"

#include <charconv>

#include "core/error.hpp"

namespace gaincal::netlist {
namespace {

/// `{w}`, or the same in the unit of the device.
std::string size(const std::string& expression, double unit_m) {
  if (unit_m == 1.0) return "{" + expression + "}";
  return "{(" + expression + ")/" + number_text(unit_m) + "}";
}

std::string device_subcircuit(const std::string& role, const DeviceCall& call, double diffusion_length_m) {
  const std::string d = number_text(diffusion_length_m);
  std::string text = ".subckt " + role + " d g s b w=1u l=1u\n";
  // ngspice evaluates the arguments of a call one after the other, each with those before it already in place: a
  // subcircuit's own `w` would hide ours.
  const std::string w = call.subcircuit ? "role_w" : "w", l = call.subcircuit ? "role_l" : "l";
  if (call.subcircuit) text += ".param role_w={w} role_l={l}\n";
  text += (call.subcircuit ? "X1" : "M1") + (" d g s b " + call.name);
  text += " " + call.width + "=" + size(w, call.unit_m) + " " + call.length + "=" + size(l, call.unit_m);
  if (call.junctions) {
    const std::string area = size(w + "*" + d, call.unit_m * call.unit_m);
    const std::string perimeter = size("2*(" + w + "+" + d + ")", call.unit_m);
    text += " AD=" + area + " AS=" + area + " PD=" + perimeter + " PS=" + perimeter;
  }
  if (!call.fixed.empty()) text += " " + call.fixed;
  return text + "\n.ends\n";
}

}  // namespace

std::string number_text(double value) {
  char buffer[40];
  const auto [end, status] = std::to_chars(buffer, buffer + sizeof buffer, value);
  return {buffer, end};
}

std::string parameter_lines(const std::vector<std::pair<std::string_view, double>>& parameters) {
  std::string text;
  for (const auto& [name, value] : parameters) text += ".param " + std::string(name) + "=" + number_text(value) + "\n";
  return text;
}

std::string technology_lines(const Technology& technology, const std::string& corner_name) {
  const Corner& corner = technology.corner(corner_name);
  std::string text;
  if (!technology.behavior.empty()) text += "* ngbehavior " + technology.behavior + "\n";
  if (!technology.osdi.empty()) {
    text += ".control\n";
    for (const std::string& file : technology.osdi) text += "pre_osdi " + file + "\n";
    text += ".endc\n";
  }
  if (!corner.content_hash.empty()) text += "* model files " + corner.content_hash + "\n";
  for (const auto& [name, value] : corner.parameters) text += ".param " + name + "=" + number_text(value) + "\n";
  text += corner.text + technology.model_text;
  for (const auto& [role, call] : technology.devices)
    text += device_subcircuit(role, call, technology.diffusion_length_m);
  return text + parameter_lines({{"supply", technology.supply_V}});
}

std::string mosfet_name(const Technology& technology, const std::string& role, const std::string& call) {
  const DeviceCall& device = technology.device(role);
  if (!device.subcircuit) return "m." + call + ".m1";
  if (device.inner.empty())
    throw UsageError("technology " + technology.name + ": devices." + role +
                     ": has no inner MOSFET, so its threshold cannot be shifted; name one with 'inner'");
  return "m." + call + ".x1." + device.inner;
}

}  // namespace gaincal::netlist
