#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "attention/analog_device.hpp"
#include "core/random.hpp"

namespace gaincal::attention {

/// Cells and converters of one head on one chip. A cell is known by its array, the column of the ring (token mod M) and
/// the row: the tokens that are written into it over time meet the same cell.
struct HeadVariation {
  std::size_t layer = 0, head = 0;
  /// (M + kColumnPadding, 64): factor of the charge of a read, and charge beside it per full-length pulse. Empty where
  /// the device's cells are alike.
  std::vector<float> k_gain, k_offset, v_gain, v_offset;
  std::vector<float> score_offset;   ///< (M + 64) charge at the converter of each column, or empty
  std::vector<float> output_offset;  ///< (tiles, 64) likewise of each sub-tile's V columns
};

/// The draws of a head of the device's chip: normal, those of a cell or column the same whatever else is drawn.
HeadVariation draw_head(const AnalogDevice& device, std::size_t layer, std::size_t head);

/// The head of a chip that computes, and for which sequence. Devices with a variation need one.
struct Instance {
  const HeadVariation* head = nullptr;  ///< of the same device; outlives what uses it
  std::uint64_t sequence = 0;           ///< below 2^20; another sequence meets another jitter on the same cells
};

/// Throws Error when the device has a variation and the instance no head drawn for its window.
void check_instance(const AnalogDevice& device, const Instance& instance);

/// What converters of a head do otherwise each time: a jitter for every conversion of a sequence, and a residual for
/// those whose pulse lies inside its range.
class Jitter {
 public:
  Jitter(const AnalogDevice& device, const Instance& instance);

  bool any() const { return any_; }
  /// The pulse `width` in 0..1 of token t's read of a ring column, below 2^40 / M tokens; an absent one stays absent.
  float score(float width, std::size_t t, std::size_t column) const;
  /// The value in -1..1 of token t's V column d of a sub-tile.
  float output(float value, std::size_t t, std::size_t tile, std::size_t d) const;

 private:
  float drawn(const CounterRandom& jitter, const CounterRandom& residual, std::span<const float> residuals, bool inside,
              std::uint64_t index) const;

  bool any_;
  double sigma_;
  std::uint64_t sequence_;
  std::size_t window_, tiles_;
  std::span<const float> score_residuals_, output_residuals_;  ///< the device's
  CounterRandom score_, output_, score_residual_, output_residual_;
};

/// Sub-tiles that the window's ring has.
std::size_t tiles_of(const AnalogDevice& device);

}  // namespace gaincal::attention
