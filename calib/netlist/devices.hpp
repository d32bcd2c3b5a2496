#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "netlist/technology.hpp"

namespace gaincal::netlist {

/// Shortest text that reads back as the same double.
std::string number_text(double value);

/// `.param name=value` lines.
std::string parameter_lines(const std::vector<std::pair<std::string_view, double>>& parameters);

/// Models of a technology at a corner and a subcircuit for each device role (nfet d g s b, parameters w and l in
/// metres), with `supply` as a parameter: what a netlist needs in front of its circuit. The one place that knows how a
/// technology calls its devices.
///
/// Throws  UsageError when the technology has no such corner
std::string technology_lines(const Technology& technology, const std::string& corner);

/// The MOSFET inside a call of a role's subcircuit, as ngspice names it: `m.xcell.xn.m1` for the call `xcell.xn` of a
/// model card. Its `delvto` shifts the threshold: `alter m.xcell.xn.m1 delvto = 5e-3`.
///
/// Throws  UsageError where the device has no MOSFET that takes one
std::string mosfet_name(const Technology& technology, const std::string& role, const std::string& call);

}  // namespace gaincal::netlist
