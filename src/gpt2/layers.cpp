#include "gpt2/layers.hpp"

#include <cblas.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

// The elementwise loops are compiled for several instruction sets, picked at start. Sanitizers run before the pick can.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define GAINCAL_VECTOR_CLONES __attribute__((target_clones("arch=skylake-avx512", "arch=haswell", "default")))
#else
#define GAINCAL_VECTOR_CLONES
#endif

namespace gaincal::gpt2 {
namespace {

// One BLAS thread per worker of ours. The threaded build is linked, because the serial one of Debian takes no lock where
// several threads call it.
[[maybe_unused]] const bool kOneThread = (openblas_set_num_threads(1), true);

/// Sums run in this many lanes whatever the vector length, so that a row's sum does not depend on where it lies.
constexpr std::size_t kLanes = 16;

/// exp(x), relative error below 2e-7; 0 below -87. Range reduction to |r| <= ln 2 / 2, then the series to r^7.
///
/// Calls nothing of the library: g++ would not inline it into the clones, and their loops would stay scalar.
[[gnu::always_inline]] inline float fast_exp(float x) {
  constexpr float kLog2e = 1.44269504088896341f;
  constexpr float kLn2High = 0x1.62ep-1f, kLn2Low = 0x1.0bfbe8p-15f;  // ln 2 in two parts, the first exact times n
  constexpr float kRound = 0x1.8p23f;                                 // adding it rounds to a whole number
  const float above = x > -87.0f ? x : -87.0f;
  const float clamped = above < 88.0f ? above : 88.0f;
  const float shifted = clamped * kLog2e + kRound;
  const float n = shifted - kRound;
  const float r = (clamped - n * kLn2High) - n * kLn2Low;
  float series = 1.0f / 5040.0f;
  series = series * r + 1.0f / 720.0f;
  series = series * r + 1.0f / 120.0f;
  series = series * r + 1.0f / 24.0f;
  series = series * r + 1.0f / 6.0f;
  series = series * r + 0.5f;
  series = series * r + 1.0f;
  series = series * r + 1.0f;
  const std::uint32_t exponent =
      (__builtin_bit_cast(std::uint32_t, shifted) - __builtin_bit_cast(std::uint32_t, kRound) + 127u) << 23;
  return x < -87.0f ? 0.0f : series * __builtin_bit_cast(float, exponent);
}

GAINCAL_VECTOR_CLONES void gelu_tanh(float* x, std::size_t n) {
  // x (1 + tanh u) / 2 = x / (1 + exp(-2u))
  constexpr float kTwiceSqrt2OverPi = 1.5957691216057308f, kCubic = 0.044715f;
  for (std::size_t i = 0; i < n; ++i) {
    const float u2 = kTwiceSqrt2OverPi * (x[i] + kCubic * x[i] * x[i] * x[i]);
    x[i] = x[i] / (1.0f + fast_exp(-u2));
  }
}

GAINCAL_VECTOR_CLONES void gelu_erf(float* x, std::size_t n) {
  // Complementary error function for z >= 0, absolute error 1.5e-7: Abramowitz & Stegun 7.1.26.
  constexpr float kP = 0.3275911f, kSqrtHalf = 0.70710678118654752f;
  constexpr float kA1 = 0.254829592f, kA2 = -0.284496736f, kA3 = 1.421413741f, kA4 = -1.453152027f, kA5 = 1.061405429f;
  for (std::size_t i = 0; i < n; ++i) {
    const float z = std::fabs(x[i]) * kSqrtHalf;
    const float t = 1.0f / (1.0f + kP * z);
    const float erfc = t * (kA1 + t * (kA2 + t * (kA3 + t * (kA4 + t * kA5)))) * fast_exp(-z * z);
    x[i] = 0.5f * (x[i] < 0.0f ? x[i] * erfc : x[i] * (2.0f - erfc));
  }
}

[[gnu::always_inline]] inline float sum_of_lanes(const float* lane) {
  float sum = 0.0f;
  for (std::size_t l = 0; l < kLanes; ++l) sum += lane[l];
  return sum;
}

GAINCAL_VECTOR_CLONES void norm_rows(const float* gain, const float* bias, float epsilon, const float* x, std::size_t T,
                                     std::size_t C, float* y) {
  const std::size_t whole = C / kLanes * kLanes;
  for (std::size_t t = 0; t < T; ++t, x += C, y += C) {
    float lane[kLanes] = {};
    for (std::size_t c = 0; c < whole; c += kLanes)
      for (std::size_t l = 0; l < kLanes; ++l) lane[l] += x[c + l];
    for (std::size_t c = whole; c < C; ++c) lane[c - whole] += x[c];
    const float mean = sum_of_lanes(lane) / static_cast<float>(C);
    for (float& value : lane) value = 0.0f;
    for (std::size_t c = 0; c < whole; c += kLanes)
      for (std::size_t l = 0; l < kLanes; ++l) lane[l] += (x[c + l] - mean) * (x[c + l] - mean);
    for (std::size_t c = whole; c < C; ++c) lane[c - whole] += (x[c] - mean) * (x[c] - mean);
    const float scale = 1.0f / std::sqrt(sum_of_lanes(lane) / static_cast<float>(C) + epsilon);
    for (std::size_t c = 0; c < C; ++c) y[c] = (x[c] - mean) * scale * gain[c] + bias[c];
  }
}

GAINCAL_VECTOR_CLONES float largest(const float* x, std::size_t n) {
  const std::size_t whole = n / kLanes * kLanes;
  float lane[kLanes];
  for (float& value : lane) value = x[0];
  for (std::size_t i = 0; i < whole; i += kLanes)
    for (std::size_t l = 0; l < kLanes; ++l) lane[l] = x[i + l] > lane[l] ? x[i + l] : lane[l];
  for (std::size_t i = whole; i < n; ++i) lane[0] = std::max(lane[0], x[i]);
  return *std::max_element(lane, lane + kLanes);
}

/// x <- exp(x - top); returns the sum.
GAINCAL_VECTOR_CLONES float exponentiate(float* x, std::size_t n, float top) {
  const std::size_t whole = n / kLanes * kLanes;
  float lane[kLanes] = {};
  for (std::size_t i = 0; i < n; ++i) x[i] = fast_exp(x[i] - top);
  for (std::size_t i = 0; i < whole; i += kLanes)
    for (std::size_t l = 0; l < kLanes; ++l) lane[l] += x[i + l];
  for (std::size_t i = whole; i < n; ++i) lane[i - whole] += x[i];
  return sum_of_lanes(lane);
}

GAINCAL_VECTOR_CLONES double sum_of_exponentials(const float* x, std::size_t n, float top) {
  const std::size_t whole = n / kLanes * kLanes;
  double lane[kLanes] = {};
  for (std::size_t i = 0; i < whole; i += kLanes)
    for (std::size_t l = 0; l < kLanes; ++l) lane[l] += static_cast<double>(fast_exp(x[i + l] - top));
  for (std::size_t i = whole; i < n; ++i) lane[i - whole] += static_cast<double>(fast_exp(x[i] - top));
  double sum = 0.0;
  for (const double value : lane) sum += value;
  return sum;
}

/// y[i] = rows[i] . x, rows (n, C). One row after the other, as the memory likes it: OpenBLAS, which takes several at once,
/// reads at two thirds of this speed.
GAINCAL_VECTOR_CLONES void multiply_rows(const float* rows, std::size_t n, std::size_t C, const float* x, float* y) {
  constexpr std::size_t kSums = 4 * kLanes;
  const std::size_t whole = C / kSums * kSums;
  for (std::size_t i = 0; i < n; ++i, rows += C) {
    float lane[kSums] = {};
    for (std::size_t c = 0; c < whole; c += kSums)
      for (std::size_t l = 0; l < kSums; ++l) lane[l] += rows[c + l] * x[c + l];
    for (std::size_t c = whole; c < C; ++c) lane[c - whole] += rows[c] * x[c];
    for (std::size_t l = 0; l < kLanes; ++l)
      lane[l] = (lane[l] + lane[l + kLanes]) + (lane[l + 2 * kLanes] + lane[l + 3 * kLanes]);
    y[i] = sum_of_lanes(lane);
  }
}

GAINCAL_VECTOR_CLONES void scale(float factor, float* x, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) x[i] *= factor;
}

void softmax(float* x, std::size_t n) { scale(1.0f / exponentiate(x, n, largest(x, n)), x, n); }

blasint as_blas(std::size_t n) { return static_cast<blasint>(n); }

}  // namespace

void linear(const LinearWeights& weights, const float* x, std::size_t T, float* y) {
  for (std::size_t t = 0; t < T; ++t) std::copy_n(weights.bias, weights.out, y + t * weights.out);
  const blasint in = as_blas(weights.in), out = as_blas(weights.out);
  if (T == 1)
    cblas_sgemv(CblasRowMajor, CblasTrans, in, out, 1.0f, weights.weight, out, x, 1, 1.0f, y, 1);
  else
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, as_blas(T), out, in, 1.0f, x, in, weights.weight, out, 1.0f,
                y, out);
}

void project_to_vocab(const float* embedding, std::size_t vocab, std::size_t C, const float* x, std::size_t T,
                      float* y) {
  if (T == 1)
    multiply_rows(embedding, vocab, C, x, y);
  else
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, as_blas(T), as_blas(vocab), as_blas(C), 1.0f, x, as_blas(C),
                embedding, as_blas(C), 0.0f, y, as_blas(vocab));
}

void layer_norm(const NormWeights& weights, float epsilon, const float* x, std::size_t T, std::size_t C, float* y) {
  norm_rows(weights.gain, weights.bias, epsilon, x, T, C, y);
}

void gelu(Activation activation, float* x, std::size_t n) {
  if (activation == Activation::gelu_erf)
    gelu_erf(x, n);
  else
    gelu_tanh(x, n);
}

void add(const float* y, float* x, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) x[i] += y[i];
}

double log_sum_exp(const float* x, std::size_t n, float* top) {
  const float most = largest(x, n);
  if (top != nullptr) *top = most;
  return static_cast<double>(most) + std::log(sum_of_exponentials(x, n, most));
}

void attend_softmax(ConstView q, ConstView k, ConstView v, View out, std::size_t window) {
  constexpr std::size_t kRows = 64;  // rows of the score matrix that exist at a time
  const auto T = static_cast<std::size_t>(q.rows()), D = static_cast<std::size_t>(q.cols());
  const std::size_t past = static_cast<std::size_t>(k.rows()) - T;
  const float scaling = 1.0f / std::sqrt(static_cast<float>(D));
  const auto oldest = [&](std::size_t t) { return past + t + 1 - std::min(past + t + 1, window); };
  const auto stride = [](const auto& x) { return static_cast<blasint>(x.outerStride()); };
  std::vector<float> score;
  for (std::size_t begin = 0; begin < T; begin += kRows) {
    const std::size_t end = std::min(begin + kRows, T), first_key = oldest(begin), key_count = past + end - first_key;
    const blasint rows = as_blas(end - begin), keys = as_blas(key_count), size = as_blas(D);
    score.resize((end - begin) * key_count);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, keys, size, scaling,
                q.data() + as_blas(begin) * q.outerStride(), stride(q),
                k.data() + as_blas(first_key) * k.outerStride(), stride(k), 0.0f, score.data(), keys);
    for (std::size_t t = begin; t < end; ++t) {
      float *row = score.data() + (t - begin) * key_count, *seen = row + (oldest(t) - first_key);
      float* seen_end = row + (past + t + 1 - first_key);
      std::fill(row, seen, 0.0f);
      softmax(seen, static_cast<std::size_t>(seen_end - seen));
      std::fill(seen_end, row + key_count, 0.0f);
    }
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, size, keys, 1.0f, score.data(), keys,
                v.data() + as_blas(first_key) * v.outerStride(), stride(v), 0.0f,
                out.data() + as_blas(begin) * out.outerStride(), stride(out));
  }
}

void attend_softmax_row(const float* q, const float* k, const float* v, std::size_t T, std::size_t D,
                        std::size_t stride, float* out) {
  std::vector<float> score(T);
  cblas_sgemv(CblasRowMajor, CblasNoTrans, as_blas(T), as_blas(D), 1.0f / std::sqrt(static_cast<float>(D)), k,
              as_blas(stride), q, 1, 0.0f, score.data(), 1);
  softmax(score.data(), T);
  cblas_sgemv(CblasRowMajor, CblasTrans, as_blas(T), as_blas(D), 1.0f, v, as_blas(stride), score.data(), 1, 0.0f, out,
              1);
}

}  // namespace gaincal::gpt2
