#pragma once

// Private to src/store.
#include "device/conditions.hpp"
#include "store/hdf5_reader.hpp"
#include "store/hdf5_writer.hpp"

namespace gaincal::store {

/// Group `conditions`; none where the set knows not even its nominal condition.
void write_conditions(const GroupWriter& root, const device::ConditionSet& conditions);

/// nominal  what the models of the conditions share comes from it
device::ConditionSet read_conditions(const GroupReader& root, const device::CircuitModel& nominal);

}  // namespace gaincal::store
