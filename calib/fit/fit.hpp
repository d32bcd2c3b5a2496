#pragma once

#include <iosfwd>
#include <vector>

#include "device/conditions.hpp"
#include "fit/design_facts.hpp"
#include "fit/outcome.hpp"
#include "store/table.hpp"

namespace gaincal::fit {

/// A fitted circuit and what is to be thought of it.
struct FitReport {
  device::CircuitModel model;
  std::vector<Outcome> outcomes;  ///< one for each form of each quantity
  device::ConditionSet conditions = {};

  /// False where a form could not be fitted: the model then holds zeros or empty tables in its place.
  bool usable() const;
  /// Quantity, form and status of the first outcome that is not usable.
  const Outcome* first_failure() const;
};

/// Curves to compact models, with residuals on points that the fits saw (`cell_read`, ...) and on points that they did
/// not see (`cell_read_check`, ...). Failed points are left out and counted.
///
/// Throws  Error naming the table, axis or quantity that is missing or in another unit
FitReport fit_tables(const store::Dataset& dataset, const DesignFacts& facts);

/// The same with mismatch and further conditions, where the dataset has their tables.
FitReport fit_circuit(const store::Dataset& dataset, const DesignFacts& facts);

/// A table of the outcomes in fC, ns, mV, fJ and percent of full scale.
void print_report(std::ostream& stream, const FitReport& report);

/// The forms tried for each quantity with parameters, residuals, AIC and choice, then the coefficients of the closed
/// forms with their 95 % confidence intervals.
void print_forms(std::ostream& stream, const FitReport& report);

}  // namespace gaincal::fit
