#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "device/circuit_model.hpp"
#include "netlist/design.hpp"
#include "store/table.hpp"
#include "verify/operands.hpp"

namespace gaincal::verify {

/// One column on many chips: value of its output in LSB, by SPICE and by the model's mismatch.
struct ChipSpread {
  std::string title;              ///< "K column, unsigned converter"
  std::string label;              ///< of the operand set
  std::vector<double> spice_lsb;  ///< (samples); NaN where SPICE failed
  double nominal_lsb = 0.0;       ///< the model without mismatch
  double mean_spice_lsb = 0.0, sigma_spice_lsb = 0.0;
  double mean_model_lsb = 0.0, sigma_model_lsb = 0.0;
  std::size_t compared = 0;
  std::vector<std::string> failures;  ///< (samples) why SPICE failed; empty: it did not
};
struct MismatchCheck {
  std::vector<ChipSpread> columns;
  std::size_t model_draws = 0;
  double elapsed_s = 0.0;
};

/// Simulates one K column and one V column, of the first operand sets whose output lies well inside its range, on chips
/// whose cells and converters have thresholds of their own, and draws as many times more chips from the model's
/// mismatch.
///
/// mismatch  of the fitted circuit
/// samples   chips in SPICE
///
/// Throws    UsageError where the model has no mismatch, or no set has such an output
MismatchCheck check_mismatch(const netlist::Design& design, const device::CircuitModel& model,
                             const device::MismatchModel& mismatch, const Operands& operands, std::size_t samples,
                             std::uint64_t seed, unsigned workers);

/// `mismatch` over column and sample.
store::Table mismatch_table(const MismatchCheck& check);

void print_mismatch(std::ostream& stream, const MismatchCheck& check);

}  // namespace gaincal::verify
