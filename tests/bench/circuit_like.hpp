#pragma once

#include "attention/analog_device.hpp"

namespace gaincal::tests {

/// A device with an edge charge, moving bit lines, converter tables of the same shape as its HardSigmoids and, as a
/// chip, cells and converters of its own: a circuit's cost.
inline attention::AnalogDevice like_a_circuit(attention::AnalogDevice device, bool chip) {
  device.edge = 0.01f * device.read;
  const auto sampled = [](attention::PulseCurve& curve, float low) {
    curve.q_min = low * curve.k;
    curve.q_step = 0.001f * curve.k;
    for (float y = low; y <= 1.0f; y += 0.001f) curve.table.push_back(y);
  };
  sampled(device.score, 0.0f);
  sampled(device.output, -1.0f);
  device.score_bit_line.coeff[1] = {1.0, -1e-4, 0.0, 0.0};
  device.output_bit_line.coeff[1] = {1.0, -1e-4, 0.0, 0.0};
  if (chip) device.variation = {0.02, 0.1, 0.5, 0.5, 0.0, 1, 0};
  return device;
}

}  // namespace gaincal::tests
