#pragma once

#include "netlist/design.hpp"
#include "store/model_file.hpp"

namespace gaincal::tests {

/// The built-in circuit with arrays of 8 x 8 cells, and a model fitted to a short characterisation of it.
struct SmallCircuit {
  netlist::Design design;
  store::ModelFile file;
};
/// Simulated once.
const SmallCircuit& small_circuit();

}  // namespace gaincal::tests
