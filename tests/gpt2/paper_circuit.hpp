#pragma once

#include <functional>

#include "device/circuit_model.hpp"

namespace gaincal::tests {

inline constexpr std::size_t kPaperCircuitLayers = 4;  ///< whose leak per token is the paper's

/// A circuit that computes what the paper's nonlinear model does, in fC and ns, but for the counter that stops at 15.
device::CircuitModel paper_circuit();

device::MonotoneCurve sampled(double from, double to, int points, const std::function<double(double)>& f);

}  // namespace gaincal::tests
