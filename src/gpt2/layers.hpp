#pragma once

#include <cstddef>
#include <cstdint>

#include "attention/attend.hpp"
#include "gpt2/config.hpp"

namespace gaincal::gpt2 {

using attention::ConstView;
using attention::Matrix;
using attention::View;

// The digital parts of a block. T tokens, C = n_embd, D head size; everything row-major F32. Each call runs on the
// calling thread alone, and its result does not depend on what other threads do.

/// y = x W + b. x (T, in), W (in, out) as the checkpoint's Conv1D, b (out), y (T, out).
struct LinearWeights {
  const float* weight = nullptr;
  const float* bias = nullptr;
  std::size_t in = 0, out = 0;
};
void linear(const LinearWeights& weights, const float* x, std::size_t T, float* y);

/// y = x E^T. x (T, C), E (vocab, C), y (T, vocab).
void project_to_vocab(const float* embedding, std::size_t vocab, std::size_t C, const float* x, std::size_t T,
                      float* y);

/// y = (x - mean) / sqrt(variance + epsilon) * gain + bias for each row of (T, C); biased variance. y may be x.
struct NormWeights {
  const float* gain = nullptr;
  const float* bias = nullptr;
};
void layer_norm(const NormWeights& weights, float epsilon, const float* x, std::size_t T, std::size_t C, float* y);

/// In place, n values; absolute error below 1e-6 for |x| < 10.
void gelu(Activation activation, float* x, std::size_t n);

/// x += y, n values.
void add(const float* y, float* x, std::size_t n);

/// log sum_i exp(x_i), summed in double. n values. `top` gets the largest of them where not null.
double log_sum_exp(const float* x, std::size_t n, float* top = nullptr);

/// Causal softmax attention of one head: out = softmax(q k^T / sqrt(D)) v. q, out (T, D); k, v (past + T, D), the last T
/// rows those of the queries, each of which sees the newest `window` rows up to its own.
void attend_softmax(ConstView q, ConstView k, ConstView v, View out, std::size_t window = SIZE_MAX);

/// The same for the last token only: q, out (D); k, v (T, D) with rows `stride` apart.
void attend_softmax_row(const float* q, const float* k, const float* v, std::size_t T, std::size_t D,
                        std::size_t stride, float* out);

}  // namespace gaincal::gpt2
