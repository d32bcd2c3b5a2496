#pragma once

#include <cstddef>

#include "netlist/decks.hpp"

namespace gaincal::netlist {

/// One write of a level through DAC and boosted word-line drivers of transistors: `v(sn)`, `v(wbl)`, `v(ww)`, `v(wwb)`,
/// supplies `vdd`, `vh`, `vl`, `vtop`, `vbottom`.
///
/// Throws  UsageError unless the design has 8 levels and word lines that rest at 0
Deck write_path_deck(const Design& design, std::size_t level, double v_previous_V);

/// One pulse of a row for a code of 0 .. 15, on the load of a whole row: `v(rw)`, `v(rwb)`, `i(vdd)`.
Deck pulse_width_deck(const Design& design, std::size_t code);

/// The count of one pulse: `v(count)` in counts, `v(energy)` in joules. Behavioural; a count switches
/// `counted_capacitance_F` once, an assumption (four flip-flops and their clock).
Deck counter_deck(const Design& design, double t_pulse_s);
inline constexpr double counted_capacitance_F = 10e-15;

}  // namespace gaincal::netlist
