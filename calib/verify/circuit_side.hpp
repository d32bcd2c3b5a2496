#pragma once

// Private to calib/verify: what SPICE makes of a deck.
#include <string>

#include "netlist/decks.hpp"
#include "spice/simulator.hpp"
#include "sweep/measures.hpp"

namespace gaincal::verify {

/// Charge on a bit line before its conversion, and the width of the pulse that follows, of a signed converter with its
/// sign.
struct Measured {
  double q_C = 0.0, t_s = 0.0;
};

/// Names of a column's vectors.
struct ColumnVectors {
  std::string bit_line, out, sign;
};

/// Of the run before. t_enable_s the comparator comes on; t_window_s the pulse window opens.
Measured measure_pulse(const spice::Simulator& simulator, const netlist::Design& design, bool is_signed,
                       const ColumnVectors& vectors, double t_enable_s, double t_window_s);

/// Loads and runs a deck; `prepare` changes the loaded circuit before it runs.
void simulate(spice::Simulator& simulator, const netlist::Deck& deck, const sweep::Prepare& prepare = {});

/// Runs a column deck and measures it.
Measured measure_column(spice::Simulator& simulator, const netlist::Design& design, bool is_signed,
                        const netlist::Deck& deck, const sweep::Prepare& prepare = {});

}  // namespace gaincal::verify
