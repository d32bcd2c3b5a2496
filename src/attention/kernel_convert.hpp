#pragma once

#include "attention/kernel.hpp"

/// Epilogue loops in plain code, compiled for each processor; see converter.hpp.
namespace gaincal::attention {

/// A row of charges becomes what is collected of them.
static inline void collect(const Collection& collection, std::ptrdiff_t t, float* row) {
  if (collection.coefficient != nullptr) {
    const float* c = collection.coefficient + 4 * t;
    const float c0 = c[0], c1 = c[1], c2 = c[2], c3 = c[3], q_min = collection.q_min, q_max = collection.q_max;
    for (int s = 0; s < static_cast<int>(kBlock); ++s) {
      const float q = clamp_to(row[s], q_min, q_max);
      row[s] = c0 + q * (c1 + q * (c2 + q * c3));
    }
  }
  if (collection.offset != nullptr) {
    for (int s = 0; s < static_cast<int>(kBlock); ++s) row[s] += collection.offset[s];
  }
}

/// y[i] = table_value of q[i], n a multiple of 16. Kernels may bring their own, which gives the same bits.
static inline void look_up_plain(const Converter& c, const float* q, int n, float* y) {
  for (int i = 0; i < n; ++i) y[i] = table_value(c, q[i]);
}

template <auto look_up>
static void convert_score(const BlockShape& shape, const Converter& converter, const Collection& collection, float* S,
                          float* phi) {
  const Converter c = converter;
  for (std::ptrdiff_t t = 0; t < shape.tokens; ++t) {
    float* S_row = S + t * kBlock;
    float* phi_row = phi + t * kBlock;
    collect(collection, t, S_row);
    if (c.table == nullptr) {
      for (int s = 0; s < static_cast<int>(kBlock); ++s) {
        phi_row[s] = clamp_to((S_row[s] - c.q0) * c.inverse_k, 0.0f, 1.0f);
      }
    } else {
      look_up(c, S_row, static_cast<int>(kBlock), phi_row);
    }
    const int begin = static_cast<int>(first_column(shape, t)), end = static_cast<int>(last_column(shape, t));
    for (int s = 0; s < static_cast<int>(kBlock); ++s) phi_row[s] = s >= begin && s < end ? phi_row[s] : 0.0f;
  }
}

template <auto look_up>
static void convert_output(const Converter& converter, const Collection& collection, float* A, std::ptrdiff_t tokens,
                           float* sum) {
  const Converter c = converter;
  for (std::ptrdiff_t t = 0; t < tokens; ++t, A += kBlock, sum += kBlock) {
    constexpr int n = static_cast<int>(kBlock);
    alignas(64) float y[kBlock];
    collect(collection, t, A);
    if (c.table == nullptr) {
      for (int i = 0; i < n; ++i) y[i] = clamp_to(A[i] * c.inverse_k, -1.0f, 1.0f);
    } else {
      look_up(c, A, n, y);
    }
    if (c.step == 0.0f) {
      for (int i = 0; i < n; ++i) sum[i] += y[i];
    } else {
      for (int i = 0; i < n; ++i) sum[i] += counted(c, y[i]);
    }
  }
}

}  // namespace gaincal::attention
