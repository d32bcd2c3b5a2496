#pragma once

#include <vector>

#include "device/circuit_model.hpp"
#include "energy/sheet.hpp"

namespace gaincal::energy {

/// What a phase keeps busy.
struct Busy {
  bool k_array = true, v_array = true, adder = true;  ///< a phase of unknown name keeps all
};
Busy busy_in(const device::Phase& phase);

/// When a phase of one token takes place.
struct Slot {
  device::Phase phase;
  Busy busy;
  double start_s = 0.0;
  bool v_write = false;  ///< pipelined: the write of the V array alone, moved to just before the sum pulse
};

/// Timing of one head of one layer.
struct Timing {
  std::vector<Slot> slots;  ///< of one token
  double latency_s = 0.0;   ///< sum of the phases, pipelined or not
  double interval_s = 0.0;  ///< between two tokens of one head
  bool pipelined = false;
};

/// One token after the other: the interval is the latency. Pipelined: the next token's key is written and scored while
/// the V array of this one sums and converts, and the value is written just before its array is needed; the interval is
/// the time for which a token keeps the busiest of K array, V array and adders.
///
/// Tokens of a prompt, or of several prompts in turn, can overlap; one text that is generated token by token cannot.
///
/// Throws  Error when the model holds no phases
Timing make_timing(const device::CircuitModel& model, bool pipelined);

/// Phases with start, duration, what they keep busy, and origin.
Sheet timing_sheet(const Timing& timing);

/// Tokens a second of one head, of a layer's heads side by side, and of a chip with an array pair for every head.
Sheet throughput_sheet(const device::CircuitModel& model, double layers);

}  // namespace gaincal::energy
