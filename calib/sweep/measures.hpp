#pragma once

#include <functional>
#include <vector>

#include "netlist/decks.hpp"
#include "spice/simulator.hpp"

namespace gaincal::sweep {

/// Runs a deck of the named circuit and measures it. Values in the order of the comment; SI.
/// All throw Error with the reason when the run or a measure fails.

/// Changes a loaded circuit before it runs.
using Prepare = std::function<void(spice::Simulator&)>;

/// q_bl, e_supply, e_word_line, dv_store
std::vector<double> measure_cell_read(spice::Simulator& simulator, const netlist::Design& design,
                                      const netlist::Deck& deck, const Prepare& prepare = {});

/// v_stored, e_write, t_settle (word lines half open until within 2 mV of v_target_V for good)
std::vector<double> measure_cell_write(spice::Simulator& simulator, const netlist::Design& design,
                                       const netlist::Deck& deck, double v_target_V);

/// stored voltage at each age
std::vector<double> measure_cell_leak(spice::Simulator& simulator, const netlist::Deck& deck,
                                      const std::vector<double>& ages_s);

/// t_out, e_conversion; signed: t_out, sign (+1, -1), e_conversion. More than one pulse is an Error.
std::vector<double> measure_readout(spice::Simulator& simulator, const netlist::Design& design,
                                    const netlist::Deck& deck, bool is_signed, const Prepare& prepare = {});

}  // namespace gaincal::sweep
