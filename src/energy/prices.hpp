#pragma once

#include <memory>

#include "attention/activity.hpp"
#include "attention/analog_device.hpp"
#include "device/circuit_model.hpp"
#include "energy/constants.hpp"

namespace gaincal::energy {

/// Prices of the events of a run on the fitted circuit: writes, reads and conversions from SPICE, counters and
/// additions from `constants`.
///
///   k_cell[x, l]  = e_edge(v_l) - e_word_line(v_l) + p(v_l) x       word_line[l] = e_word_line(v_l)
///   conversion[i] = e(q_i) at the knots of the charge counts; counter: ticks of |count(q_i)|
///
/// charge_unit_C  of the device's charges
/// Throws  Error when model and device disagree in their levels
std::shared_ptr<const attention::EventPrices> event_prices(const device::CircuitModel& model,
                                                           const attention::AnalogDevice& device, double charge_unit_C,
                                                           const Constants& constants);

/// What the events of an activity cost together, with the numbers of conversions; from its counts alone.
///
/// Throws  Error when counts and prices have other shapes
attention::TokenEnergy price_activity(const attention::Activity& activity, const attention::EventPrices& prices);

}  // namespace gaincal::energy
