#pragma once

#include <immintrin.h>

#include "attention/kernel.hpp"

/// What the AVX2 kernel looks up; for the files that are compiled for it alone.
namespace gaincal::attention {

static constexpr std::ptrdiff_t kRows = kBlock;

static inline std::ptrdiff_t clamp_age(std::ptrdiff_t age, std::ptrdiff_t window) {
  return age < 0 ? 0 : age >= window ? window - 1 : age;
}

/// Charges of one age over the levels.
template <bool wide>
struct Row {
  __m256 low, high;
};

template <bool wide>
static inline Row<wide> load_row(const float* row) {
  const __m256 low = _mm256_loadu_ps(row);
  if constexpr (wide) return {low, _mm256_loadu_ps(row + 8)};
  return {low, low};
}

template <bool wide>
static inline __m256 look_up(const Row<wide>& row, __m256i index) {
  asm("" : : "x"(row.low));  // a permute of a table in memory takes twice as long as a load and a permute
  const __m256 low = _mm256_permutevar8x32_ps(row.low, index);
  if constexpr (!wide) return low;
  asm("" : : "x"(row.high));
  const __m256 high = _mm256_permutevar8x32_ps(row.high, index);
  return _mm256_blendv_ps(low, high, _mm256_castsi256_ps(_mm256_slli_epi32(index, 28)));  // bit 3 chooses
}

/// Level indices of rows 8 n .. 8 n + 7 of a stored column; the permute looks at the low three bits of each word.
template <int n>
static inline __m256i indices(__m256i even, __m256i odd) {
  return _mm256_srli_epi32(n % 2 == 0 ? even : odd, 8 * (n / 2));
}

void score_avx2(const BlockShape& shape, const LevelTable& table, const CellSpread& spread, const float* q,
                const std::uint8_t* k, const std::uint8_t* v, float* S);

}  // namespace gaincal::attention
