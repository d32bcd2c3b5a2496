#include <immintrin.h>

#include "attention/kernel_convert.hpp"

/// A cell is one permute (level index -> charge) and one multiply-add, 8 cells at a time; 9 to 16 levels take two
/// permutes and a blend.
namespace gaincal::attention {

namespace {

constexpr std::ptrdiff_t kRows = kBlock;

inline std::ptrdiff_t clamp_age(std::ptrdiff_t age, std::ptrdiff_t window) {
  return age < 0 ? 0 : age >= window ? window - 1 : age;
}

/// Charges of one age over the levels.
template <bool wide>
struct Row {
  __m256 low, high;
};

template <bool wide>
inline Row<wide> load_row(const float* row) {
  const __m256 low = _mm256_loadu_ps(row);
  if constexpr (wide) return {low, _mm256_loadu_ps(row + 8)};
  return {low, low};
}

template <bool wide>
inline __m256 look_up(const Row<wide>& row, __m256i index) {
  const __m256 low = _mm256_permutevar8x32_ps(row.low, index);
  if constexpr (!wide) return low;
  const __m256 high = _mm256_permutevar8x32_ps(row.high, index);
  return _mm256_blendv_ps(low, high, _mm256_castsi256_ps(_mm256_slli_epi32(index, 28)));  // bit 3 chooses
}

/// Level indices of rows 8 n .. 8 n + 7 of a stored column; the permute looks at the low three bits of each word.
template <int n>
inline __m256i indices(__m256i even, __m256i odd) {
  return _mm256_srli_epi32(n % 2 == 0 ? even : odd, 8 * (n / 2));
}

template <int n_queries>
struct Sums {
  __m256 of[n_queries];
};

/// S of n_queries consecutive tokens against 8 columns; sums as in the AVX-512 kernel.
template <bool wide, bool with_edge, bool with_spread, int n_queries>
struct ScoreTile {
  const float* q;
  const std::uint8_t* k;
  LevelTable table;
  CellSpread spread;
  std::ptrdiff_t first_age;

  using Pair = Sums<n_queries>;

  template <int n>
  inline __attribute__((always_inline)) void add_rows(Pair& sum, const Row<wide>* read, const Row<wide>* edge,
                                                      std::ptrdiff_t s, __m256i even, __m256i odd) const {
    const __m256i index = indices<n>(even, odd);
    for (int i = 0; i < n_queries; ++i) {
      const __m256 x = _mm256_loadu_ps(q + i * kRows + 8 * n);
      if constexpr (with_spread) {
        __m256 charge = _mm256_mul_ps(x, look_up(read[i], index));
        if constexpr (with_edge) {
          const __m256 on = _mm256_cmp_ps(x, _mm256_setzero_ps(), _CMP_GT_OQ);
          charge = _mm256_add_ps(charge, _mm256_and_ps(on, look_up(edge[i], index)));
        }
        sum.of[i] = _mm256_fmadd_ps(_mm256_loadu_ps(spread.gain + s * kRows + 8 * n), charge, sum.of[i]);
        sum.of[i] = _mm256_fmadd_ps(x, _mm256_loadu_ps(spread.offset + s * kRows + 8 * n), sum.of[i]);
        continue;
      }
      sum.of[i] = _mm256_fmadd_ps(x, look_up(read[i], index), sum.of[i]);
      if constexpr (with_edge) {
        const __m256 on = _mm256_cmp_ps(x, _mm256_setzero_ps(), _CMP_GT_OQ);
        sum.of[i] = _mm256_add_ps(sum.of[i], _mm256_and_ps(on, look_up(edge[i], index)));
      }
    }
  }

  inline __attribute__((always_inline)) Pair column(std::ptrdiff_t s) const {
    const __m256i even = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(k + s * kRows));
    const __m256i odd = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(k + s * kRows + 32));
    Row<wide> read[n_queries], edge[n_queries];
    Pair sum;
    for (int i = 0; i < n_queries; ++i) {
      const std::ptrdiff_t row = clamp_age(first_age + i - s, table.window) * table.stride;
      read[i] = load_row<wide>(table.read + row);
      edge[i] = with_edge ? load_row<wide>(table.edge + row) : read[i];
      sum.of[i] = _mm256_setzero_ps();
    }
    add_rows<0>(sum, read, edge, s, even, odd);
    add_rows<1>(sum, read, edge, s, even, odd);
    add_rows<2>(sum, read, edge, s, even, odd);
    add_rows<3>(sum, read, edge, s, even, odd);
    add_rows<4>(sum, read, edge, s, even, odd);
    add_rows<5>(sum, read, edge, s, even, odd);
    add_rows<6>(sum, read, edge, s, even, odd);
    add_rows<7>(sum, read, edge, s, even, odd);
    return sum;
  }

  inline __attribute__((always_inline)) Pair halves(std::ptrdiff_t s) const {  // s s+4
    const Pair a = column(s), b = column(s + 4);
    Pair sum;
    for (int i = 0; i < n_queries; ++i) {
      sum.of[i] =
          _mm256_add_ps(_mm256_blend_ps(a.of[i], b.of[i], 0xF0), _mm256_permute2f128_ps(a.of[i], b.of[i], 0x21));
    }
    return sum;
  }
  inline __attribute__((always_inline)) Pair quarters(std::ptrdiff_t s) const {  // two lanes each of s s+1 s+4 s+5
    const Pair a = halves(s), b = halves(s + 1);
    Pair sum;
    for (int i = 0; i < n_queries; ++i) {
      sum.of[i] = _mm256_add_ps(_mm256_blend_ps(a.of[i], b.of[i], 0xCC),
                                _mm256_shuffle_ps(a.of[i], b.of[i], _MM_SHUFFLE(1, 0, 3, 2)));
    }
    return sum;
  }
  inline __attribute__((always_inline)) Pair eight(std::ptrdiff_t s) const {  // s .. s+7 in order
    const Pair a = quarters(s), b = quarters(s + 2);
    Pair sum;
    for (int i = 0; i < n_queries; ++i) {
      sum.of[i] = _mm256_add_ps(_mm256_shuffle_ps(a.of[i], b.of[i], _MM_SHUFFLE(2, 0, 2, 0)),
                                _mm256_shuffle_ps(a.of[i], b.of[i], _MM_SHUFFLE(3, 1, 3, 1)));
    }
    return sum;
  }
};

template <bool wide, bool with_edge, bool with_spread, int n_queries>
void score_queries(const BlockShape& shape, const LevelTable& table, const CellSpread& spread, const float* q,
                   const std::uint8_t* k, float* S, std::ptrdiff_t t) {
  const ScoreTile<wide, with_edge, with_spread, n_queries> tile{q + t * kRows, k, table, spread, shape.first_age + t};
  const std::ptrdiff_t end = last_column(shape, t + n_queries - 1);
  for (std::ptrdiff_t s = first_column(shape, t) / 8 * 8; s < end; s += 8) {
    const Sums<n_queries> sum = tile.eight(s);
    for (int i = 0; i < n_queries; ++i) _mm256_storeu_ps(S + (t + i) * kRows + s, sum.of[i]);
  }
}

template <bool wide, bool with_edge, bool with_spread>
void score_block(const BlockShape& shape, const LevelTable& table, const CellSpread& spread, const float* q,
                 const std::uint8_t* k, float* S) {
  std::ptrdiff_t t = 0;
  for (; t + 2 <= shape.tokens; t += 2)
    score_queries<wide, with_edge, with_spread, 2>(shape, table, spread, q, k, S, t);
  if (t < shape.tokens) score_queries<wide, with_edge, with_spread, 1>(shape, table, spread, q, k, S, t);
}

/// One bit per column that gets a pulse from this query.
inline std::uint64_t pulsed_columns(const float* phi) {
  std::uint64_t bits = 0;
  for (int n = 0; n < 8; ++n) {
    const __m256 on = _mm256_cmp_ps(_mm256_loadu_ps(phi + 8 * n), _mm256_setzero_ps(), _CMP_GT_OQ);
    bits |= static_cast<std::uint64_t>(static_cast<unsigned>(_mm256_movemask_ps(on))) << (8 * n);
  }
  return bits;
}

/// One token's 64 columns of A in eight registers while the pulsed rows go by; as in the AVX-512 kernel.
template <bool wide, bool with_edge, bool with_spread>
void weigh_block(const BlockShape& shape, const LevelTable& table, const CellSpread& spread, const float* phi,
                 const std::uint8_t* v, float* A) {
  for (std::ptrdiff_t t = 0; t < shape.tokens; ++t) {
    std::uint64_t pulsed = pulsed_columns(phi + t * kRows);
    if (shape.columns < kRows) pulsed &= (std::uint64_t{1} << shape.columns) - 1;
    if (pulsed == 0) continue;
    __m256 sum[8];
    for (int n = 0; n < 8; ++n) sum[n] = _mm256_loadu_ps(A + t * kRows + 8 * n);
    for (; pulsed != 0; pulsed &= pulsed - 1) {
      const std::ptrdiff_t s = __builtin_ctzll(pulsed);
      const std::ptrdiff_t row = (shape.first_age + t - s) * table.stride;
      const __m256 width = _mm256_set1_ps(phi[t * kRows + s]);
      Row<wide> charge = load_row<wide>(table.read + row);
      charge.low = _mm256_mul_ps(width, charge.low);
      if constexpr (wide) charge.high = _mm256_mul_ps(width, charge.high);
      if constexpr (with_edge) {
        const Row<wide> edge = load_row<wide>(table.edge + row);
        charge.low = _mm256_add_ps(charge.low, edge.low);
        if constexpr (wide) charge.high = _mm256_add_ps(charge.high, edge.high);
      }
      const __m256i even = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(v + s * kRows));
      const __m256i odd = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(v + s * kRows + 32));
      const auto add = [&](int n, __m256i index) {
        if constexpr (with_spread) {
          const std::ptrdiff_t cell = s * kRows + 8 * n;
          sum[n] = _mm256_fmadd_ps(_mm256_loadu_ps(spread.gain + cell), look_up(charge, index), sum[n]);
          sum[n] = _mm256_fmadd_ps(width, _mm256_loadu_ps(spread.offset + cell), sum[n]);
        } else {
          sum[n] = _mm256_add_ps(sum[n], look_up(charge, index));
        }
      };
      add(0, indices<0>(even, odd));
      add(1, indices<1>(even, odd));
      add(2, indices<2>(even, odd));
      add(3, indices<3>(even, odd));
      add(4, indices<4>(even, odd));
      add(5, indices<5>(even, odd));
      add(6, indices<6>(even, odd));
      add(7, indices<7>(even, odd));
    }
    for (int n = 0; n < 8; ++n) _mm256_storeu_ps(A + t * kRows + 8 * n, sum[n]);
  }
}

template <bool with_spread>
void score_cells(const BlockShape& shape, const LevelTable& table, const CellSpread& spread, const float* q,
                 const std::uint8_t* k, float* S) {
  const bool wide = table.stride > 8, with_edge = table.edge != nullptr;
  const auto run = wide ? (with_edge ? score_block<true, true, with_spread> : score_block<true, false, with_spread>)
                        : (with_edge ? score_block<false, true, with_spread> : score_block<false, false, with_spread>);
  run(shape, table, spread, q, k, S);
}

template <bool with_spread>
void weigh_cells(const BlockShape& shape, const LevelTable& table, const CellSpread& spread, const float* phi,
                 const std::uint8_t* v, float* A) {
  const bool wide = table.stride > 8, with_edge = table.edge != nullptr;
  const auto run = wide ? (with_edge ? weigh_block<true, true, with_spread> : weigh_block<true, false, with_spread>)
                        : (with_edge ? weigh_block<false, true, with_spread> : weigh_block<false, false, with_spread>);
  run(shape, table, spread, phi, v, A);
}

void score(const BlockShape& shape, const LevelTable& table, const CellSpread& spread, const float* q,
           const std::uint8_t* k, float* S) {
  (spread.gain != nullptr ? score_cells<true> : score_cells<false>)(shape, table, spread, q, k, S);
}

void weigh(const BlockShape& shape, const LevelTable& table, const CellSpread& spread, const float* phi,
           const std::uint8_t* v, float* A) {
  (spread.gain != nullptr ? weigh_cells<true> : weigh_cells<false>)(shape, table, spread, phi, v, A);
}

}  // namespace

Kernel avx2_kernel() { return {score, convert_score<look_up_plain>, weigh, convert_output<look_up_plain>}; }

}  // namespace gaincal::attention
