#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "netlist/design.hpp"
#include "netlist/devices.hpp"

namespace gaincal::netlist {

/// A complete netlist. `ngspice -b` runs `text` as is; libngspice loads `text` and runs `analysis`.
struct Deck {
  std::string text;
  std::string analysis;    ///< "tran 5e-11 2.2e-08"
  double t_start_s = 0.0;  ///< half-way up the read pulse or write pulse, opening of the pulse window
  double t_end_s = 0.0;    ///< half-way down, closing of the window
  double t_stop_s = 0.0;
};

/// One read with the bit line held: `v(sn)`, `i(vbl)`, `i(vdd)`, word lines `rw`, `rwb`.
///
/// v_store_V  stored voltage at the start
/// t_pulse_s  between half-way points; at least one edge
Deck cell_read_deck(const Design& design, double v_store_V, double t_pulse_s);

/// One write, from a cell that holds v_previous_V to the target voltage: `v(sn)`, word lines `ww`, `wwb`, `i(vwbl)`.
Deck cell_write_deck(const Design& design, double v_target_V, double v_previous_V);

/// Retention from v_store_V for `age_s`: `v(sn)`.
Deck cell_leak_deck(const Design& design, double v_store_V, double age_s);

/// One conversion of a charge (positive = bit line below its reference): `v(out)`, `i(vdd)`, `i(vbias)` (its share of
/// the bias of an array). The signed one adds `v(sgn)`; its q_in_C may be negative.
Deck readout_unsigned_deck(const Design& design, double q_in_C);
Deck readout_signed_deck(const Design& design, double q_in_C);

/// Small-signal noise of a converter on the point of deciding. Of the comparator: `noise1.inoise_spectrum` at its
/// input in V/sqrt(Hz); of the ramp with its bias: `noise1.onoise_spectrum`, the current as V/sqrt(Hz) of 1 Ohm.
enum class NoiseOf { comparator, ramp };
Deck readout_noise_deck(const Design& design, bool is_signed, NoiseOf what);

/// What a row of a column holds and gets.
struct RowOperand {
  double v_store_V = 0.0;
  double t_pulse_s = 0.0;  ///< 0: the row stays silent
};

/// `design.rows` cells on a bit-line capacitor, read at once, then converted: `v(bl)`, `v(out)`, `v(sgn)`.
///
/// Throws  UsageError when there is not one operand per row
Deck column_unsigned_deck(const Design& design, const std::vector<RowOperand>& rows);
Deck column_signed_deck(const Design& design, const std::vector<RowOperand>& rows);

/// The same column until its comparator comes on: `v(bl)`, which the cells have pulled to its place by then.
Deck column_charge_deck(const Design& design, bool is_signed, const std::vector<RowOperand>& rows);

}  // namespace gaincal::netlist
