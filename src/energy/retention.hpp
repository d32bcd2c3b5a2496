#pragma once

#include <vector>

#include "device/circuit_model.hpp"
#include "energy/area.hpp"
#include "energy/sheet.hpp"

namespace gaincal::energy {

/// How long a written level stays good.
struct Retention {
  double age_s = 0.0;         ///< longest age at which no level's current is off by more than the tolerance
  bool end_of_table = false;  ///< the leak table ends before the tolerance is reached: at least this age
  std::size_t level = 0;      ///< that leaves the tolerance first
};

/// The age up to which every level's read current stays within `tolerance` (of the largest current of a level) of its
/// value at age 0, with the fitted leak.
///
/// Throws  Error when the model has no levels or no leak table
Retention retention(const device::CircuitModel& model, double tolerance);

/// Half of the smallest step between the currents of neighbouring levels, relative to the largest current.
double half_level_step(const device::CircuitModel& model);

/// Mean energy of writing a cell, over the levels.
double mean_write_J(const device::CircuitModel& model);

/// Longest time a token may take at some tolerances, beside the time it takes here.
Sheet retention_sheet(const device::CircuitModel& model, const HeadShape& shape, double layers,
                      const std::vector<double>& tolerances);

/// What rewriting the window costs where tokens come slower than the leak allows.
Sheet refresh_sheet(const device::CircuitModel& model, const HeadShape& shape, double tolerance);

}  // namespace gaincal::energy
