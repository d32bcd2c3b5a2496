#pragma once

#include <iosfwd>

#include "device/conditions.hpp"
#include "fit/design_facts.hpp"
#include "fit/outcome.hpp"
#include "store/table.hpp"

namespace gaincal::fit {

/// A model for each condition of `conditions_cell_read`, ..: every part as at the nominal condition, from its own
/// tables. Where tables `left_out_cell_read_check`, .. stand beside them, what the interpolated model says there is
/// compared with SPICE. The nominal model takes the place of the one fitted to fewer points at its condition.
///
/// outcomes  gets those of a condition that are not usable; the set then holds no models
/// Throws    Error as fit_circuit does
device::ConditionSet fit_conditions(const store::Dataset& dataset, const DesignFacts& facts,
                                    const device::CircuitModel& nominal, std::vector<Outcome>& outcomes);

/// The sigmas between cells and columns; nothing where none were simulated.
void print_mismatch(std::ostream& stream, const device::MismatchModel& mismatch);

/// The worst residuals over all conditions, and the interpolation error at each left-out condition.
void print_conditions(std::ostream& stream, const device::ConditionSet& conditions);

}  // namespace gaincal::fit
