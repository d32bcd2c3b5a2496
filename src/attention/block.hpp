#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "attention/attend.hpp"
#include "attention/kernel.hpp"

namespace gaincal::attention {

/// Cells of more levels than a register holds are summed by plain loops whatever the version.
/// Throws Error when the processor lacks it.
Kernel choose_kernel(KernelVersion version, int weight_levels);

/// The device's converters for the inner loop; they point into the device.
Converter score_converter(const AnalogDevice& device);
Converter output_converter(const AnalogDevice& device);

/// Sub-tile of a token.
std::size_t tile_of(const AnalogDevice& device, std::size_t s);

/// The runs that queries [first, first + tokens) may see, by tile, then by token. None goes beyond the end of the ring.
/// A ring's tile can have two: the tokens that stand there now and those that they overwrite during the block.
void list_runs(const AnalogDevice& device, std::size_t first, std::size_t tokens, std::vector<Run>& runs);

/// What is written into the arrays: how charges of a block are computed.
class Cells {
 public:
  virtual ~Cells() = default;
  /// S (tokens, 64) against the run's columns.
  virtual void score(const BlockShape& shape, const Run& run, float* S) const = 0;
  /// A (tokens, 64) += charges of the run's columns.
  virtual void weigh(const BlockShape& shape, const Run& run, const float* phi, float* A) const = 0;
};

/// Counts of a block that are not charges: pulses and summed widths of each token's column.
struct ColumnPulses {
  std::vector<std::uint32_t> count;  ///< over s - first
  std::vector<double> width;
  std::size_t first = 0;        ///< token of entry 0
  TokenMeter* meter = nullptr;  ///< prices the events of each token where not null

  void reset(std::size_t first_token, std::size_t n);
};

/// What all blocks of one head have in common.
struct BlockContext {
  const AnalogDevice& device;
  const Kernel& kernel;
  const Cells& cells;
  const Instance& instance;
  std::size_t head_size;
};

/// Queries that meet a tile together: its cells, which vary on a chip, are read from memory for all of them at once.
inline constexpr std::size_t kQueries = 4 * kBlock;

/// At most kQueries queries against everything they see; the caller adds the scaler.
///
/// q        (tokens, 64) pulse widths of the queries
/// runs     scratch
/// out_sum  (tokens, 64) sum over tiles of the converters' values
/// charges  adds score_charge and output_charge where not null; needs pulses, which then gets each column's pulses
void attend_blocks(const BlockContext& context, const float* q, std::size_t first_query, std::size_t tokens,
                   std::vector<std::vector<Run>>& runs, float* out_sum, Activity* charges, ColumnPulses* pulses);

/// Whether a bit line holds still: all charge is collected.
bool still(const device::BitLineModel& line);

}  // namespace gaincal::attention
