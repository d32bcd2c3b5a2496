#pragma once

#include <array>
#include <cstdint>

namespace gaincal {

/// Counter-based random numbers: the value depends only on (seed, stream, index), so a figure is reproduced on any
/// number of threads and in any order.
///
/// Source  Philox4x32-10, Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011
class CounterRandom {
 public:
  CounterRandom(std::uint64_t seed, std::uint64_t stream) : seed_(seed), stream_(stream) {}

  /// Four independent 32-bit words for one index.
  std::array<std::uint32_t, 4> words(std::uint64_t index) const;

  /// Uniform in [0, 1), 53 bits.
  double uniform(std::uint64_t index) const;

  /// Standard normal (Box-Muller on the words of one index).
  double normal(std::uint64_t index) const { return normal_pair(index)[0]; }

  /// Two independent ones for the price of one; the first is normal(index).
  std::array<double, 2> normal_pair(std::uint64_t index) const;

 private:
  std::uint64_t seed_;
  std::uint64_t stream_;
};

}  // namespace gaincal
