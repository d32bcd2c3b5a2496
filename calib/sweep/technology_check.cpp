#include "sweep/technology_check.hpp"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <limits>
#include <ostream>

#include "core/units.hpp"
#include "netlist/devices.hpp"
#include "sweep/run_points.hpp"
#include "sweep/waveform.hpp"

namespace gaincal::sweep {
namespace {

using netlist::number_text;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr double kDrainLow_V = 0.05;
constexpr double kLeastOnOff = 1e3;
constexpr double kMostSwing_V = 0.2;
constexpr double kLeastDibl = -0.01, kMostDibl = 0.3;
constexpr double kBoltzmann_V_K = 8.617333e-5;

struct Geometry {
  double w_m, l_m;
};

Geometry geometry(const netlist::DeviceCall& call) {
  return {std::max(1e-6, call.minimum_width_m), call.minimum_length_m};
}

std::string device_deck(const netlist::Technology& technology, const std::string& role, const std::string& corner,
                        double temperature_C) {
  const Geometry size = geometry(technology.device(role));
  return "* gate sweep of " + role + "\n" + netlist::technology_lines(technology, corner) + ".temp " +
         number_text(temperature_C) +
         "\n.options gmin=1e-20 abstol=1e-20 reltol=1e-6\nVg g 0 0\nVd d 0 0\nXdut d g 0 0 " + role +
         " w=" + number_text(size.w_m) + " l=" + number_text(size.l_m) + "\n.save i(vd) v(g)\n" + ".end\n";
}

/// Gate voltage at which the current first reaches `level`, on a logarithmic scale.
double gate_voltage_V(const std::vector<double>& v_V, const std::vector<double>& i_A, double level_A) {
  for (std::size_t k = 1; k < v_V.size(); ++k) {
    if (!(i_A[k - 1] > 0 && i_A[k - 1] < level_A && i_A[k] >= level_A)) continue;
    const double part = std::log(level_A / i_A[k - 1]) / std::log(i_A[k] / i_A[k - 1]);
    return v_V[k - 1] + part * (v_V[k] - v_V[k - 1]);
  }
  return kNone;
}

/// i_on, i_off, threshold, swing, dibl; what a curve does not have is told by `kAbsent`, since a point may not be NaN.
constexpr double kAbsent = 1e300;

std::vector<double> measure(spice::Simulator& simulator, const netlist::Technology& technology, const std::string& role,
                            const std::string& corner, double temperature_C) {
  const netlist::DeviceCall& call = technology.device(role);
  const Geometry size = geometry(call);
  const double sign = role.starts_with("pfet") ? -1.0 : 1.0;
  const double from_V = call.v_off_V - 0.25 * technology.supply_V, step_V = technology.supply_V / 400;
  simulator.load(device_deck(technology, role, corner, temperature_C));
  const auto curve = [&](double drain_V) {
    simulator.command("alter vd = " + number_text(sign * drain_V));
    simulator.run("dc vg " + number_text(sign * from_V) + " " + number_text(sign * technology.supply_V) + " " +
                  number_text(sign * step_V));
    std::vector<double> i_A = simulator.vector("i(vd)");
    for (double& value : i_A) value *= -sign;
    return i_A;
  };
  const std::vector<double> low_A = curve(kDrainLow_V), high_A = curve(technology.supply_V);
  std::vector<double> v_V = simulator.vector("v(g)");
  for (double& value : v_V) value *= sign;
  const double threshold_A = call.i_threshold_A * size.w_m / size.l_m;
  const double linear_V = gate_voltage_V(v_V, low_A, threshold_A);
  const double swing_V =
      gate_voltage_V(v_V, low_A, 1e-2 * threshold_A) - gate_voltage_V(v_V, low_A, 1e-3 * threshold_A);
  const double dibl = (linear_V - gate_voltage_V(v_V, high_A, threshold_A)) / (technology.supply_V - kDrainLow_V);
  std::vector<double> values = {high_A.back() / size.w_m, value_at(v_V, high_A, call.v_off_V) / size.w_m, linear_V,
                                swing_V, dibl};
  for (double& value : values)
    if (!std::isfinite(value)) value = kAbsent;
  return values;
}

std::string millivolts(double value) { return format_quantity(value * 1e3, Unit::none, 4) + " mV"; }

void find_faults(DeviceFigures& device, double supply_V, double temperature_C) {
  const auto add = [&](bool fault, const std::string& text) {
    if (fault) device.faults.push_back(text);
  };
  const auto current = [](double per_width) {
    return std::isfinite(per_width) ? format_quantity(per_width * 1e-6, Unit::ampere) + "/um"
                                    : std::string("not finite");
  };
  const bool conducts = device.i_on_A_m > 0 && std::isfinite(device.i_on_A_m);
  add(!conducts, "Ion is " + current(device.i_on_A_m) + "; the device does not conduct");
  add(!std::isfinite(device.i_off_A_m), "Ioff is not finite");
  if (!conducts || !std::isfinite(device.i_off_A_m)) return;
  add(device.i_off_A_m < 0, "Ioff is " + current(device.i_off_A_m) + ", negative");
  add(device.i_on_A_m < kLeastOnOff * device.i_off_A_m,
      "Ion / Ioff is " + format_quantity(device.i_on_A_m / device.i_off_A_m, Unit::none, 3) + ", below 1000");
  if (!std::isfinite(device.v_threshold_V)) {
    add(true, "no threshold: the current does not reach the i_threshold of the device");
    return;
  }
  add(device.v_threshold_V <= 0 || device.v_threshold_V >= supply_V,
      "Vt is " + millivolts(device.v_threshold_V) + ", outside 0 .. supply");
  const double thermal_V = std::log(10.0) * kBoltzmann_V_K * (temperature_C + 273.15);
  if (!std::isfinite(device.swing_V)) {
    add(true, "no subthreshold swing: the current does not fall three decades below the threshold");
    return;
  }
  add(device.swing_V < 0.99 * thermal_V,
      "SS is " + millivolts(device.swing_V) + "/dec, below the thermal limit of " + millivolts(thermal_V) + "/dec");
  add(device.swing_V > kMostSwing_V, "SS is " + millivolts(device.swing_V) + "/dec, above 200 mV/dec");
  add(!(device.dibl >= kLeastDibl && device.dibl <= kMostDibl),
      "DIBL is " + millivolts(device.dibl) + "/V, outside -10 .. 300 mV/V");
}

}  // namespace

bool TechnologyCheck::simulated() const {
  return std::all_of(devices.begin(), devices.end(), [](const DeviceFigures& device) { return device.simulated; });
}

bool TechnologyCheck::passed() const {
  return simulated() &&
         std::all_of(devices.begin(), devices.end(), [](const DeviceFigures& device) { return device.faults.empty(); });
}

TechnologyCheck check_technology(const netlist::Technology& technology, double temperature_C, unsigned workers) {
  TechnologyCheck check;
  check.technology = technology.name;
  check.temperature_C = temperature_C;
  check.supply_V = technology.supply_V;
  for (const auto& [role, call] : technology.devices)
    for (const auto& [corner, content] : technology.corners) {
      DeviceFigures device;
      device.role = role;
      device.device = call.name;
      device.corner = corner;
      device.v_off_V = call.v_off_V;
      check.devices.push_back(std::move(device));
    }
  const auto outcomes = run_points(check.devices.size(), 5,
                                   [&](spice::Simulator& simulator, std::size_t point) {
                                     return measure(simulator, technology, check.devices[point].role,
                                                    check.devices[point].corner, temperature_C);
                                   },
                                   {workers, 60, ""});
  for (std::size_t point = 0; point < outcomes.size(); ++point) {
    DeviceFigures& device = check.devices[point];
    device.simulated = outcomes[point].succeeded();
    std::vector<double> values = outcomes[point].values;
    for (double& value : values)
      if (value == kAbsent) value = kNone;
    device.i_on_A_m = values[0];
    device.i_off_A_m = values[1];
    device.v_threshold_V = values[2];
    device.swing_V = values[3];
    device.dibl = values[4];
    if (device.simulated)
      find_faults(device, technology.supply_V, temperature_C);
    else
      device.faults.push_back(outcomes[point].failure);
  }
  return check;
}

void print_technology_check(std::ostream& stream, const TechnologyCheck& check) {
  stream << "Technology " << check.technology << ", supply " << format_quantity(check.supply_V, Unit::volt) << ", "
         << check.temperature_C << " degC; width 1 um or the smallest, smallest length\n"
         << std::left << std::setw(10) << "role" << std::setw(26) << "device" << std::setw(8) << "corner" << std::right
         << std::setw(14) << "Ion A/um" << std::setw(14) << "Ioff A/um" << std::setw(10) << "Vt mV" << std::setw(12)
         << "SS mV/dec" << std::setw(12) << "DIBL mV/V"
         << "\n";
  for (const DeviceFigures& device : check.devices) {
    stream << std::left << std::setw(10) << device.role << std::setw(26) << device.device << std::setw(8)
           << device.corner << std::right << std::scientific << std::setprecision(3) << std::setw(14)
           << device.i_on_A_m * 1e-6 << std::setw(14) << device.i_off_A_m * 1e-6 << std::fixed << std::setprecision(1)
           << std::setw(10) << device.v_threshold_V * 1e3 << std::setw(12) << device.swing_V * 1e3 << std::setw(12)
           << device.dibl * 1e3
           << (device.v_off_V != 0 ? "  off at " + format_quantity(device.v_off_V, Unit::volt) : "")
           << (device.faults.empty() ? "" : "  FAULT") << "\n";
  }
  for (const DeviceFigures& device : check.devices)
    for (const std::string& fault : device.faults)
      stream << "fault: " << device.role << " (" << device.device << ") at corner " << device.corner << ": " << fault
             << "\n";
}

}  // namespace gaincal::sweep
