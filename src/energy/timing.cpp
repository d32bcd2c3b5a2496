#include "energy/timing.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "energy/constants.hpp"

namespace gaincal::energy {
namespace {

constexpr const char* kWrite = "write";

}  // namespace

Busy busy_in(const device::Phase& phase) {
  if (phase.name == kWrite) return {true, true, false};
  if (phase.name == "score pulse" || phase.name == "score converter setup") return {true, false, false};
  if (phase.name == "score conversion and sum pulse") return {true, true, false};
  if (phase.name == "output converter setup" || phase.name == "output conversion") return {false, true, false};
  if (phase.name == "add") return {false, false, true};
  return {};
}

Timing make_timing(const device::CircuitModel& model, bool pipelined) {
  if (model.phases.empty()) throw Error("model.h5: no phases of a token; rerun 'gaincal fit'");
  Timing timing;
  timing.pipelined = pipelined;
  double first_v_s = NAN;  // when the V array is first needed after its write
  for (const device::Phase& phase : model.phases) {
    Slot slot{phase, busy_in(phase), timing.latency_s, false};
    if (pipelined && phase.name == kWrite) slot.busy.v_array = false;
    if (slot.busy.v_array && std::isnan(first_v_s)) first_v_s = slot.start_s;
    timing.slots.push_back(slot);
    timing.latency_s += phase.duration_s;
  }
  timing.interval_s = timing.latency_s;
  if (!pipelined) return timing;
  const auto writes = std::find_if(timing.slots.begin(), timing.slots.end(),
                                   [](const Slot& slot) { return slot.phase.name == kWrite; });
  if (writes != timing.slots.end() && !std::isnan(first_v_s)) {
    Slot slot = *writes;
    slot.busy = {false, true, false};
    slot.v_write = true;
    slot.start_s = std::max(0.0, first_v_s - slot.phase.duration_s);
    timing.slots.push_back(slot);
  }
  const auto held_s = [&](bool Busy::*part) {
    double first_s = INFINITY, last_s = 0.0;
    for (const Slot& slot : timing.slots) {
      if (!(slot.busy.*part)) continue;
      first_s = std::min(first_s, slot.start_s);
      last_s = std::max(last_s, slot.start_s + slot.phase.duration_s);
    }
    return std::max(0.0, last_s - first_s);
  };
  timing.interval_s = std::max({held_s(&Busy::k_array), held_s(&Busy::v_array), held_s(&Busy::adder)});
  return timing;
}

Sheet timing_sheet(const Timing& timing) {
  Sheet sheet{"phases",
              timing.pipelined ? "Phases of a token, pipelined: the next token starts after " +
                                     format_quantity(timing.interval_s, Unit::second, 3)
                               : "Phases of a token, one token after the other",
              {{"phase", Unit::none, true},
               {"start", Unit::second},
               {"duration", Unit::second},
               {"keeps busy", Unit::none, true},
               {"origin", Unit::none, true}},
              {}};
  for (const Slot& slot : timing.slots) {
    std::string busy;
    const auto add = [&](bool held, const char* name) {
      if (held) busy += (busy.empty() ? "" : ", ") + std::string(name);
    };
    add(slot.busy.k_array, "K array");
    add(slot.busy.v_array, "V array");
    add(slot.busy.adder, "adders");
    sheet.rows.push_back({slot.v_write ? "write of V" : slot.phase.name, slot.start_s, slot.phase.duration_s, busy,
                          origin_name(slot.phase.origin)});
  }
  sheet.rows.push_back({"token", 0.0, timing.latency_s, "", "sum of the phases"});
  return sheet;
}

Sheet throughput_sheet(const device::CircuitModel& model, double layers) {
  Sheet sheet{"throughput",
              "Tokens a second; attention alone, heads of a layer side by side",
              {{"schedule", Unit::none, true},
               {"latency", Unit::second},
               {"interval", Unit::second},
               {"tokens per s and head", Unit::none},
               {"tokens per s and chip generating", Unit::none},
               {"tokens per s and chip reading", Unit::none}},
              {}};
  for (const bool pipelined : {false, true}) {
    const Timing timing = make_timing(model, pipelined);
    sheet.rows.push_back({pipelined ? "pipelined" : "one after the other", timing.latency_s, timing.interval_s,
                          1.0 / timing.interval_s, 1.0 / (layers * timing.latency_s), 1.0 / timing.interval_s});
  }
  sheet.notes = {
      "A chip has an array pair for every head of every layer (" + std::to_string(std::lround(layers)) +
      " layers). Generating one text, a token passes all layers before the next one starts; reading a prompt, "
      "all layers work at once. Linear layers are not counted."};
  return sheet;
}

}  // namespace gaincal::energy
