#include "verify/small_circuit.hpp"

#include <catch2/catch.hpp>

#include "fit/fit.hpp"
#include "sweep/characterize.hpp"

namespace gaincal::tests {

const SmallCircuit& small_circuit() {
  static const SmallCircuit circuit = [] {
    netlist::Design design = netlist::default_design({"array.rows=8", "array.columns=8", "array.window=32",
                                                      "score_readout.c_bit_line=0.85pF", "score_readout.i_ramp=8uA",
                                                      "score_readout.w_ramp=2um", "score_readout.w_switch=2um"});
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
