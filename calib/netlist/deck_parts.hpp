#pragma once

#include <string>

#include "netlist/decks.hpp"

/// What the decks are put together from.
namespace gaincal::netlist {

/// Title, models, corner, devices and what all circuits share.
std::string preamble(const Design& design, const std::string& title);

/// Parameters and template of the design's cell.
std::string cell_lines(const Design& design);

/// Parameters, subcircuits and sources of `columns` converters whose comparators come on at t_enable_s; gates.inc
/// stands before, supply and loads follow.
std::string readout_lines(const Design& design, bool is_signed, double t_enable_s, std::size_t columns);

/// Sources of the read word lines `rw<row>` and `rwb<row>` of a row that reads from t_start on; it stays silent where
/// the pulse is shorter than an edge.
std::string word_line_sources(const Design& design, std::size_t row, double t_pulse_s);

/// A cell on lines of an array's, and what it stores: `sn<number>` on `rw<row>`, `rwb<row>`, `bit_line`.
std::string cell_call(const std::string& number, const std::string& row, const std::string& bit_line, double v_store_V);

inline constexpr double kReadStart_s = 1e-9;        ///< quiet time before the rows of an array read
inline constexpr double kConverterStep_s = 50e-12;  ///< converters need 50 ps or less
inline constexpr double kTail_s = 3e-9;             ///< after an event, until all has settled

/// The deck of a transient to t_stop_s.
Deck finish(std::string text, double step_s, double t_start_s, double t_end_s, double t_stop_s);

}  // namespace gaincal::netlist
