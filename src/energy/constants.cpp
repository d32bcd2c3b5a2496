#include "energy/constants.hpp"

#include "core/error.hpp"
#include "energy/paper.hpp"

namespace gaincal::energy {

using device::Origin;

Constants::Constants() {
  const auto assumed = [&](const char* name, double value, Unit unit, const char* source) {
    constants_.push_back({name, value, unit, Origin::assumed, source});
  };
  const auto published = [&](const char* name, double value, Unit unit, const char* source) {
    constants_.push_back({name, value, unit, Origin::paper, std::string(paper::kSource) + ": " + source});
  };
  assumed("counter_tick", 4e-15, Unit::joule, "one clock of a ripple counter: two flip-flops of 2 fJ, 28 nm");
  assumed("addition", 40e-15, Unit::joule, "one addition of 9 bits with its register, 28 nm");
  assumed("mac", 1e-12, Unit::joule, "digital multiply-add of the linear layers with its weight: 1 TMAC/s a watt");
  assumed("paper_cell_current", 1e-6, Unit::ampere,
          "full-scale current of the paper's cell: 1120 pJ over 65536 cells of 0.9 V and 15 ns would be 1.27 uA, if "
          "the cells took all of it");
  published("cell_area", 1e-12, Unit::square_metre, "cell");
  assumed("capacitor_density", 10e-3, Unit::none, "F/m2: bit-line capacitors, 10 fF/um2 as MOS capacitors of 28 nm");
  assumed("score_bit_line", 1.7e-12, Unit::farad, "capacitor of a K column, where the dataset does not say");
  assumed("output_bit_line", 0.85e-12, Unit::farad, "capacitor of a V column, where the dataset does not say");
  assumed("score_converter_area", 30e-12, Unit::square_metre, "transistors of an unsigned converter, 28 nm");
  assumed("output_converter_area", 60e-12, Unit::square_metre, "transistors of a signed converter, 28 nm");
  assumed("counter_area", 20e-12, Unit::square_metre, "counter of 5 bits, 28 nm");
  assumed("adder_area", 40e-12, Unit::square_metre, "adder of 9 bits with its register, 28 nm");
  assumed("dac_area", 100e-12, Unit::square_metre, "pulse generator or write DAC of one row, 28 nm");
  assumed("control_area", 0.05e-6, Unit::square_metre, "sequencer and clock of a head, 28 nm");
  assumed("stacked_layers", 2.0, Unit::none, "layers of cells above the periphery: K over V");
}

double Constants::operator()(const std::string& name) const {
  for (const Constant& constant : constants_)
    if (constant.name == name) return constant.value;
  throw Error("energy: no constant " + name + "; see the list of 'gaincal energy --help'");
}

void Constants::set(const std::string& assignment) {
  const std::size_t equal = assignment.find('=');
  const std::string name = assignment.substr(0, equal);
  std::string names;
  for (Constant& constant : constants_) {
    names += (names.empty() ? "" : ", ") + constant.name;
    if (constant.name != name) continue;
    if (equal == std::string::npos) break;
    const double value = parse_quantity(assignment.substr(equal + 1), constant.unit, "--set " + name);
    if (!(value >= 0.0) || (value == 0.0 && (name == "capacitor_density" || name == "stacked_layers")))
      throw UsageError("--set " + assignment + ": is not positive; give a positive number");
    constant.value = value;
    constant.origin = Origin::assumed;
    constant.source = "set on the command line";
    return;
  }
  throw UsageError("--set " + assignment + ": give NAME=VALUE with one of " + names);
}

const char* origin_name(device::Origin origin) {
  switch (origin) {
    case Origin::paper:
      return "paper";
    case Origin::extracted:
      return "extracted";
    case Origin::assumed:
      return "assumed";
  }
  return "";
}

}  // namespace gaincal::energy
