#pragma once

#include <string>

#include "netlist/decks.hpp"

/// What the decks are put together from.
namespace gaincal::netlist {

/// Title, models, corner, devices and what all circuits share.
std::string preamble(const Design& design, const std::string& title);

/// Parameters and template of the design's cell.
std::string cell_lines(const Design& design);

/// The deck of a transient to t_stop_s.
Deck finish(std::string text, double step_s, double t_start_s, double t_end_s, double t_stop_s);

}  // namespace gaincal::netlist
