#include "sweep/chips.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "sweep/plan_monte_carlo.hpp"
#include "sweep/plan_netlist.hpp"

namespace gaincal::sweep {
namespace {

// Bias devices that all columns of an array share: their mismatch moves a chip as a whole, not its columns apart.
constexpr std::array<std::string_view, 2> kSharedDevices = {"m.xpb.m1", "m.xnb.m1"};

std::vector<std::string> devices_of(const netlist::Deck& deck) {
  const NetlistText netlist(deck.text, ".", "mismatch");
  std::vector<std::string> names;
  for (const Element& element : netlist.elements())
    if (element.name.front() == 'm' &&
        std::find(kSharedDevices.begin(), kSharedDevices.end(), element.name) == kSharedDevices.end())
      names.push_back(element.name);
  return names;
}

}  // namespace

Chips::Chips(const netlist::Design& design, const netlist::Deck& deck, std::size_t samples, std::uint64_t seed)
    : devices_(devices_of(deck)) {
  monte_carlo_.samples = samples;
  monte_carlo_.seed = seed;
  monte_carlo_.mismatch = true;
  monte_carlo_.avt_V_m = design.technology.avt_V_m;
  monte_carlo_.abeta_m = design.technology.abeta_m;
}

Prepare Chips::sample(std::size_t sample) const {
  return [this, sample](spice::Simulator& simulator) {
    apply_mismatch(simulator, monte_carlo_, sample, devices_, devices_);
  };
}

}  // namespace gaincal::sweep
