#pragma once

// Private to src/store.
#include "device/circuit_model.hpp"
#include "store/hdf5_reader.hpp"
#include "store/hdf5_writer.hpp"

namespace gaincal::store {

/// The parts of a circuit that are fitted, and so differ between conditions.
void write_circuit(const GroupWriter& group, const device::CircuitModel& model);
void read_circuit(const GroupReader& group, device::CircuitModel& model);

/// What all conditions share: sizes, bit lines, mismatch, constants and phases.
void write_facts(const GroupWriter& root, const device::CircuitModel& model);
void read_facts(const GroupReader& root, device::CircuitModel& model);

}  // namespace gaincal::store
