#include "verify/small_circuit.hpp"

#include <catch2/catch.hpp>

#include "fit/fit.hpp"
#include "netlist/embedded.hpp"
#include "sweep/characterize.hpp"

namespace gaincal::tests {
namespace {

void replace(std::string& text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  text.replace(at, from.size(), to);
}

}  // namespace

const SmallCircuit& small_circuit() {
  static const SmallCircuit circuit = [] {
    std::string text(netlist::embedded_file("gc28_paper.toml"));
    replace(text, "rows = 64\ncolumns = 64\nwindow = 1024", "rows = 8\ncolumns = 8\nwindow = 32");
    replace(text, "c_bit_line = \"1.7pF\"\ni_ramp = \"15.95uA\"", "c_bit_line = \"0.85pF\"\ni_ramp = \"8uA\"");
    replace(text, "w_ramp = \"4um\"", "w_ramp = \"2um\"");
    replace(text, "w_switch = \"4um\"", "w_switch = \"2um\"");
    netlist::Design design = netlist::parse_design(text, "small.toml");
    design.grids.cell_voltages = 10;
    design.grids.cell_widths = 3;
    design.grids.cell_check_voltages = design.grids.cell_check_widths = 1;
    design.grids.charges = 31;
    design.grids.check_charges = 2;
    design.grids.columns = 24;
    design.grids.check_columns = 8;
    design.grids.leak_starts = 4;
    design.grids.leak_check_starts = 1;
    design.grids.leak_ages = 4;
    design.conditions.mismatch_samples = 40;
    const store::Dataset dataset = sweep::characterize(design, {0, false});
    const fit::FitReport fitted = fit::fit_circuit(dataset, fit::design_facts(design));
    REQUIRE(fitted.usable());
    return SmallCircuit{design, {dataset.provenance, fitted.model, fitted.conditions, design.toml}};
  }();
  return circuit;
}

}  // namespace gaincal::tests
