#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "device/circuit_model.hpp"
#include "netlist/design.hpp"
#include "verify/comparison.hpp"
#include "verify/operands.hpp"

namespace gaincal::verify {

/// What is simulated with transistors for an operand set.
enum class Level {
  cell,    ///< one read of one cell on a held bit line
  column,  ///< one column of the K array and one of the V array, each with its converter
  array,   ///< the whole K array with its converters, then the whole V array with its own
  tile,    ///< both at once: the pulses of the K array's converters drive the V array
};
/// "cell", "column", "array" or "tile". Throws UsageError for another word.
Level parse_level(const std::string& word);

struct VerifyOptions {
  Level level = Level::column;
  unsigned workers = 0;  ///< 0: all cores
  bool progress = true;
};

/// What SPICE and the models say on the same operands.
struct Verification {
  Level level = Level::column;
  std::vector<Comparison> comparisons;  ///< cells; or scores and outputs
  double elapsed_s = 0.0;

  /// Whether every kind that gives pulses keeps both limits, and every simulation ran.
  bool within(double least_exact, double least_within_one) const;
};

/// Runs the transistor circuit of the design and the fitted models on the same operands. The cells are set to the
/// voltages that the models say they hold at their age; the scores that drive a V array are the model's, but for a
/// tile, where they are the circuit's. Which cell or column of a set is taken depends on the set's number alone.
///
/// A set whose simulation fails is kept with its reason.
///
/// Throws  Error when no simulator can be started
Verification verify(const netlist::Design& design, const device::CircuitModel& model, const Operands& operands,
                    const VerifyOptions& options);

/// Operands (`queries`, `cells`, `tokens`) and every comparison, for a results file.
std::vector<store::Table> verification_tables(const Operands& operands, const Verification& verification);

void print_verification(std::ostream& stream, const Operands& operands, const Verification& verification);

/// A line for each kind of output.
void print_verification_summary(std::ostream& stream, const Operands& operands, const Verification& verification);

}  // namespace gaincal::verify
