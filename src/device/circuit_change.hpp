#pragma once

#include <cstddef>
#include <optional>

#include "device/circuit_model.hpp"

namespace gaincal::device {

/// What a fitted circuit has otherwise, to see what it costs. What is not set stays as fitted.
struct CircuitChange {
  /// 2..256, evenly spread over the fitted range; of query and counter 0: unquantised. What a weight level stores and
  /// what its write costs comes from between the fitted levels.
  std::optional<int> query_levels, weight_levels, counter_levels;
  /// Relative decay of the stored voltage towards the fitted v_inf from one token to the next, in place of the table.
  std::optional<double> leak_per_token;

  bool any() const { return query_levels || weight_levels || counter_levels || leak_per_token; }
};

/// t_token_s  time between two tokens of one layer
/// tokens     that the arrays hold: the leak is exact at their ages
/// Throws     Error when the model has no levels or no leak table
void apply(const CircuitChange& change, double t_token_s, std::size_t tokens, CircuitModel& model);

}  // namespace gaincal::device
