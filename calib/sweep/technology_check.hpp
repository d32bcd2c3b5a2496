#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "netlist/technology.hpp"

namespace gaincal::sweep {

/// Figures of one device of a technology at one corner, width 1 um (or the smallest there is, if that is wider),
/// smallest length; voltages and currents as of an n device. NaN where a curve does not have the figure.
struct DeviceFigures {
  std::string role, device, corner;
  double i_on_A_m = 0.0;   ///< per width, gate and drain at the supply
  double i_off_A_m = 0.0;  ///< per width, gate at its v_off, drain at the supply
  double v_off_V = 0.0;
  double v_threshold_V = 0.0;       ///< gate voltage of i_threshold W / L at a drain voltage of 50 mV
  double swing_V = 0.0;             ///< per decade of current, two to three decades below the threshold
  double dibl = 0.0;                ///< fall of the threshold per rise of the drain voltage to the supply
  std::vector<std::string> faults;  ///< what is wrong, with the value; a run that failed gives its reason

  bool simulated = false;
};

/// Every role of a technology at every corner.
struct TechnologyCheck {
  std::string technology;
  double temperature_C = 27.0, supply_V = 0.0;
  std::vector<DeviceFigures> devices;

  bool simulated() const;  ///< all of them
  bool passed() const;     ///< and none has a fault
};

/// Sweeps the gate of each device in worker processes. A fault: a current that is zero, negative or not finite, a
/// device that does not turn off (on / off below 1e3), a threshold outside 0 .. supply, a swing below the thermal
/// limit or above 200 mV, a DIBL outside -10 .. 300 mV/V.
///
/// Throws  Error when no simulator can be started
TechnologyCheck check_technology(const netlist::Technology& technology, double temperature_C, unsigned workers = 0);

/// The table, then a line for each fault naming device, corner and value.
void print_technology_check(std::ostream& stream, const TechnologyCheck& check);

}  // namespace gaincal::sweep
