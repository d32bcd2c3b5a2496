#pragma once

#include <cstddef>

/// The converters' arithmetic, once for the reference and for each processor's kernels.
///
/// Included by translation units that are compiled for different processors: everything is static and nothing of
/// another library is used, so that the linker cannot mix them.
namespace gaincal::attention {

/// A PulseCurve and a counter, taken apart for the inner loop.
struct Converter {
  const float* table = nullptr;  ///< null: HardSigmoid
  float q_min = 0.0f, inverse_step = 0.0f;
  float last = 0.0f;  ///< index of the last table point
  float q0 = 0.0f;
  float inverse_k = 1.0f;
  float step = 0.0f;         ///< of the counter, in units of the value; 0: unquantised
  float counter_max = 0.0f;  ///< largest count
};

/// From the charge that the cells pour to the charge that a converter sees, for rows of 64 columns.
struct Collection {
  const float* coefficient = nullptr;  ///< (rows, 4) of the bit line's cubic; null: all charge is collected
  float q_min = 0.0f, q_max = 0.0f;    ///< what the cubic is clamped to
  const float* offset = nullptr;       ///< (64) of the converters; null: none
};

static inline float clamp_to(float x, float lo, float hi) {
  const float low = x > lo ? x : lo;
  return low < hi ? low : hi;
}

static inline float table_value(const Converter& c, float q) {
  const float u = clamp_to((q - c.q_min) * c.inverse_step, 0.0f, c.last);
  const int below = static_cast<int>(u);
  const int i = below < static_cast<int>(c.last) ? below : static_cast<int>(c.last) - 1;
  const float f = u - static_cast<float>(i);
  return c.table[i] + f * (c.table[i + 1] - c.table[i]);
}

/// Unsigned: width in 0..1.
static inline float score_width(const Converter& c, float q) {
  return c.table != nullptr ? table_value(c, q) : clamp_to((q - c.q0) * c.inverse_k, 0.0f, 1.0f);
}

/// Count times step; rounds half to even.
static inline float counted(const Converter& c, float y) {
  constexpr float kRound = 12582912.0f;
  const float count = (y / c.step + kRound) - kRound;
  return c.step * clamp_to(count, -c.counter_max, c.counter_max);
}

/// Signed: value in -1..1, before the counter.
static inline float output_width(const Converter& c, float q) {
  return c.table != nullptr ? table_value(c, q) : clamp_to(q * c.inverse_k, -1.0f, 1.0f);
}

}  // namespace gaincal::attention
