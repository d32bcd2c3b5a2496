#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "attention/attend.hpp"

namespace gaincal::tests {

/// Operands of one head, uniform in -0.2..1.2 of the query's and 0.9 V of the weights' range, so that some are clamped.
struct RandomHead {
  RandomHead(std::size_t T, std::size_t D, std::uint64_t seed);
  attention::Matrix q, k, v;
  attention::HeadScalers scalers;
};

/// A device whose tables hold no physics: every (age, level) has a charge of its own.
struct RandomDevice {
  std::string name;
  attention::AnalogDevice device;
};

/// Devices over levels 2..200, with and without edge charge, both tile maps, HardSigmoids and converter tables, windows
/// of one tile, of a part of one, and longer than the sequence of T tokens.
std::vector<RandomDevice> random_devices(std::size_t T, std::uint64_t seed);

/// The same devices, and others whose levels leak from age 0 on, each at a slow rate of its own, as a chip: moving bit
/// lines, cells and converters that differ, where `jitter` is above 0 also that.
struct ChipDevice {
  std::string name;
  attention::AnalogDevice device;
  attention::HeadVariation head;
};
std::vector<ChipDevice> random_chips(std::size_t T, std::uint64_t seed, double jitter = 0.0);

/// Largest charges that the sums can reach: sum over rows of |x charge|, to scale kScoreTolerance.
double largest_score(const attention::AnalogDevice& device, std::size_t D);
double largest_output(const attention::AnalogDevice& device);

/// Kernel versions that this machine has.
std::vector<attention::KernelVersion> kernel_versions();

}  // namespace gaincal::tests
