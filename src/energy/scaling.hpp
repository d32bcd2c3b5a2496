#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "energy/account.hpp"
#include "energy/area.hpp"
#include "energy/retention.hpp"

namespace gaincal::energy {

/// What scaling starts from: a run at its window and head size, and what it ran on.
struct Baseline {
  Account account;
  device::CircuitModel model;
  HeadShape shape;
  Constants constants;
  double layers = 12.0;
};

/// Cost of one token in one head of another shape.
struct HeadCost {
  double arrays_J = 0.0;  ///< cells, word lines, converters, writes: events
  double held_J = 0.0;    ///< all parts by their laws, control held at the paper's figure
  double scaled_J = 0.0;  ///< control in proportion to the sub-tiles and rows instead
  double latency_s = 0.0;
  double planar_m2 = 0.0, stacked_m2 = 0.0;
};

/// By the laws of the parts (account.hpp). Latency: the adders' phase grows with the depth of the tree over the
/// sub-tiles, the other phases are held.
HeadCost head_cost(const Baseline& baseline, double window, double head_size);

/// Windows 256 to 16384.
Sheet window_scaling(const Baseline& baseline);
/// Head sizes 32 to 128.
Sheet head_scaling(const Baseline& baseline);
/// Levels of query, weights and output. The clock is held: longest pulse and counts grow with the levels.
Sheet level_scaling(const Baseline& baseline);

/// A GPT-2 of the four published sizes.
struct ModelSize {
  const char* name;
  double layers, heads, context, vocabulary;
  double width() const { return 64.0 * heads; }
  /// Multiply-adds of the linear layers and the logits, per token.
  double linear_macs() const { return 12.0 * layers * width() * width() + vocabulary * width(); }
  /// Multiply-adds of attention over a full window, per token.
  double attention_macs(double window) const { return 2.0 * layers * width() * window; }
};
const std::vector<ModelSize>& model_sizes();

/// The four sizes at the run's window: energy, time, area, and the age of the oldest token.
Sheet model_scaling(const Baseline& baseline);

/// What share of a whole model's energy attention takes, with the digital rest at some J per multiply-add.
Sheet whole_model_sheet(const Baseline& baseline);

}  // namespace gaincal::energy
