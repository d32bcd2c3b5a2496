#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "netlist/decks.hpp"
#include "sweep/measures.hpp"
#include "sweep/plan.hpp"

namespace gaincal::sweep {

/// Chips whose devices differ: every MOSFET of a deck that a cell or column has to itself gets a threshold of its own
/// (AVt of the technology). A draw depends on seed, sample and device name alone.
class Chips {
 public:
  Chips(const netlist::Design& design, const netlist::Deck& deck, std::size_t samples, std::uint64_t seed);

  /// Draws one chip once the deck is loaded. The chips must outlive what it returns.
  Prepare sample(std::size_t sample) const;

 private:
  MonteCarlo monte_carlo_;
  std::vector<std::string> devices_;
};

}  // namespace gaincal::sweep
