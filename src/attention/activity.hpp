#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "attention/token_energy.hpp"

namespace gaincal::attention {

struct AnalogDevice;

/// Weights on uniform knots: adding x splits 1 between its two neighbours, so that the sum of any function that is
/// piecewise linear on the knots is exact. Outside the range the end knot takes all.
struct KnotHistogram {
  double x_min = 0.0, x_step = 0.0;
  std::vector<double> weight;
  void add(double x);
  /// Price at x, linear between the knots; end values outside.
  ConversionPrice price(double x, std::span<const ConversionPrice> prices) const;
  /// add() of n numbers; positions between knots are found in float.
  ///
  /// prices  (knots), or empty
  /// Returns the sum of their prices
  ConversionPrice add(const float* x, std::size_t n, std::span<const ConversionPrice> prices = {});

 private:
  /// Knot below and the fraction of the way to the next.
  std::pair<std::size_t, double> place(double x) const;
};

/// What happened in the arrays of one or more heads: enough to price every event with any energy model.
///
/// Reads are counted at the written level; the energy of a read hardly changes with age. Only columns that hold a
/// token of the window take part: columns never written and sub-tiles without one are not enabled.
struct Activity {
  std::uint64_t head_tokens = 0;  ///< tokens times heads times layers
  /// (query_levels, weight_levels) row-major: pulses of a code into cells of a level. Code 0 is no pulse: its row stays
  /// 0. Empty where query or weights are not quantised.
  std::vector<std::uint64_t> k_reads;
  /// (weight_levels): pulses (phi > 0) into V cells of a level. Empty where weights are not quantised, as are the next.
  std::vector<std::uint64_t> v_reads;
  std::vector<double> v_read_time;  ///< (weight_levels): their summed width in 0..1 of Tmax
  KnotHistogram score_charge;       ///< one conversion per token and K column with a token, over the device's charge
  KnotHistogram output_charge;      ///< one per token, sub-tile with a token and V column
  std::vector<std::uint64_t> k_writes, v_writes;  ///< (weight_levels)

  /// Set before a run of quantised weights and query: then `attend` and its reference also keep the energy of
  std::shared_ptr<const EventPrices> prices;
  std::vector<TokenEnergy> tokens;  ///< each token, summed over heads and layers; texts in the order of add()
  std::vector<HeadEnergy> heads;    ///< each head, layer by layer, summed over tokens

  /// Adds the counts of another one made for the same device; either may be empty. Throws Error when the shapes differ.
  void add(const Activity& other);

  bool empty() const { return score_charge.weight.empty(); }
};

/// Zero counts in the shapes of a device.
///
/// The knots of the charges are those of the converters' tables; for a HardSigmoid they stand k / 32 apart, from
/// q0 - k to q0 + 2 k (scores) and from -2 k to 2 k (outputs).
Activity make_activity(const AnalogDevice& device);

/// Shapes an activity that is empty, keeping its prices.
///
/// Throws  Error when prices are set and the device lacks quantised weights or query, or they are of other shapes
void start_activity(const AnalogDevice& device, Activity& activity);

/// Adds what a meter saw of one head: the first head of a text, or the next one over the same tokens.
void add_head(const TokenMeter& meter, Activity& activity);

}  // namespace gaincal::attention
