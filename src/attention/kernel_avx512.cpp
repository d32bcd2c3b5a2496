#include <immintrin.h>

#include "attention/kernel_convert.hpp"

/// A cell is one permute (level index -> charge) and one multiply-add, 16 cells at a time.
namespace gaincal::attention {

namespace {

constexpr std::ptrdiff_t kRows = kBlock;

inline std::ptrdiff_t clamp_age(std::ptrdiff_t age, std::ptrdiff_t window) {
  return age < 0 ? 0 : age >= window ? window - 1 : age;
}

/// Charges of one age over 16 level indices; 8 levels are repeated, so that bit 3 of an index does not matter.
template <bool wide>
inline __m512 table_row(const float* row) {
  if constexpr (wide) return _mm512_loadu_ps(row);
  return _mm512_broadcast_f32x8(_mm256_loadu_ps(row));
}

/// Level indices of 64 rows from one stored column; the permute looks at the low four bits of each word.
struct Indices {
  __m512i of[4];
};

inline Indices load_indices(const std::uint8_t* column) {
  const __m512i words = _mm512_loadu_si512(column);
  return {{words, _mm512_srli_epi32(words, 8), _mm512_srli_epi32(words, 16), _mm512_srli_epi32(words, 24)}};
}

template <int n_queries>
struct Sums {
  __m512 of[n_queries];
};

/// S of n_queries consecutive tokens against 16 columns. Each pair's 16 partial sums are added up by a tree over 16
/// columns: level by level two vectors become one, half of whose lanes belong to either.
template <bool wide, bool with_edge, bool with_spread, int n_queries>
struct ScoreTile {
  const std::uint8_t* k;
  LevelTable table;
  CellSpread spread;
  std::ptrdiff_t first_age;
  __m512 q[n_queries][4];
  __mmask16 on[n_queries][4];

  using Pair = Sums<n_queries>;

  inline __attribute__((always_inline)) Pair column(std::ptrdiff_t s) const {
    const Indices index = load_indices(k + s * kRows);
    Pair sum;
    for (int i = 0; i < n_queries; ++i) {
      const std::ptrdiff_t row = clamp_age(first_age + i - s, table.window) * table.stride;
      const __m512 read = table_row<wide>(table.read + row);
      if constexpr (with_spread) {
        const __m512 edge = with_edge ? table_row<wide>(table.edge + row) : read;
        __m512 x = _mm512_setzero_ps();
        for (int n = 0; n < 4; ++n) {
          __m512 charge = _mm512_mul_ps(q[i][n], _mm512_permutexvar_ps(index.of[n], read));
          if constexpr (with_edge) {
            charge = _mm512_mask_add_ps(charge, on[i][n], charge, _mm512_permutexvar_ps(index.of[n], edge));
          }
          x = _mm512_fmadd_ps(_mm512_loadu_ps(spread.gain + s * kRows + 16 * n), charge, x);
          x = _mm512_fmadd_ps(q[i][n], _mm512_loadu_ps(spread.offset + s * kRows + 16 * n), x);
        }
        sum.of[i] = x;
        continue;
      }
      __m512 x = _mm512_mul_ps(q[i][0], _mm512_permutexvar_ps(index.of[0], read));
      for (int n = 1; n < 4; ++n) x = _mm512_fmadd_ps(q[i][n], _mm512_permutexvar_ps(index.of[n], read), x);
      if constexpr (with_edge) {
        const __m512 edge = table_row<wide>(table.edge + row);
        for (int n = 0; n < 4; ++n) {
          x = _mm512_mask_add_ps(x, on[i][n], x, _mm512_permutexvar_ps(index.of[n], edge));
        }
      }
      sum.of[i] = x;
    }
    return sum;
  }

  // Quarters of a vector are named after the column they belong to.
  inline __attribute__((always_inline)) Pair halves(std::ptrdiff_t s) const {  // s s s+8 s+8
    const Pair a = column(s), b = column(s + 8);
    Pair sum;
    for (int i = 0; i < n_queries; ++i) {
      sum.of[i] = _mm512_add_ps(_mm512_mask_blend_ps(0xFF00, a.of[i], b.of[i]),
                                _mm512_shuffle_f32x4(a.of[i], b.of[i], _MM_SHUFFLE(1, 0, 3, 2)));
    }
    return sum;
  }
  inline __attribute__((always_inline)) Pair quarters(std::ptrdiff_t s) const {  // s s+4 s+8 s+12
    const Pair a = halves(s), b = halves(s + 4);
    const __m512i cross = _mm512_setr_epi32(4, 5, 6, 7, 16, 17, 18, 19, 12, 13, 14, 15, 24, 25, 26, 27);
    Pair sum;
    for (int i = 0; i < n_queries; ++i) {
      sum.of[i] = _mm512_add_ps(_mm512_mask_blend_ps(0xF0F0, a.of[i], b.of[i]),
                                _mm512_permutex2var_ps(a.of[i], cross, b.of[i]));
    }
    return sum;
  }
  inline __attribute__((always_inline)) Pair eighths(std::ptrdiff_t s) const {  // quarters of s and s+1, two lanes each
    const Pair a = quarters(s), b = quarters(s + 1);
    Pair sum;
    for (int i = 0; i < n_queries; ++i) {
      sum.of[i] = _mm512_add_ps(_mm512_mask_blend_ps(0xCCCC, a.of[i], b.of[i]),
                                _mm512_shuffle_ps(a.of[i], b.of[i], _MM_SHUFFLE(1, 0, 3, 2)));
    }
    return sum;
  }
  inline __attribute__((always_inline)) Pair sixteen(std::ptrdiff_t s) const {  // s .. s+15 in order
    const Pair a = eighths(s), b = eighths(s + 2);
    Pair sum;
    for (int i = 0; i < n_queries; ++i) {
      sum.of[i] = _mm512_add_ps(_mm512_shuffle_ps(a.of[i], b.of[i], _MM_SHUFFLE(2, 0, 2, 0)),
                                _mm512_shuffle_ps(a.of[i], b.of[i], _MM_SHUFFLE(3, 1, 3, 1)));
    }
    return sum;
  }
};

template <bool wide, bool with_edge, bool with_spread, int n_queries>
void score_queries(const BlockShape& shape, const LevelTable& table, const CellSpread& spread, const float* q,
                   const std::uint8_t* k, const std::uint8_t* v, float* S, std::ptrdiff_t t) {
  ScoreTile<wide, with_edge, with_spread, n_queries> tile{k, table, spread, shape.first_age + t, {}, {}};
  for (int i = 0; i < n_queries; ++i) {
    for (int n = 0; n < 4; ++n) {
      tile.q[i][n] = _mm512_loadu_ps(q + (t + i) * kRows + 16 * n);
      tile.on[i][n] = _mm512_cmp_ps_mask(tile.q[i][n], _mm512_setzero_ps(), _CMP_GT_OQ);
    }
  }
  const std::ptrdiff_t end = last_column(shape, t + n_queries - 1);
  for (std::ptrdiff_t s = first_column(shape, t) / 16 * 16; s < end; s += 16) {
    if constexpr (n_queries == 1) fetch_columns(k, v, s, 16);
    const Sums<n_queries> sum = tile.sixteen(s);
    for (int i = 0; i < n_queries; ++i) _mm512_storeu_ps(S + (t + i) * kRows + s, sum.of[i]);
  }
}

template <bool wide, bool with_edge, bool with_spread>
void score_block(const BlockShape& shape, const LevelTable& table, const CellSpread& spread, const float* q,
                 const std::uint8_t* k, const std::uint8_t* v, float* S) {
  std::ptrdiff_t t = 0;
  for (; t + 2 <= shape.tokens; t += 2)
    score_queries<wide, with_edge, with_spread, 2>(shape, table, spread, q, k, v, S, t);
  if (t < shape.tokens) score_queries<wide, with_edge, with_spread, 1>(shape, table, spread, q, k, v, S, t);
}

/// One bit per column that gets a pulse from this query. Columns beyond the run are 0 in phi.
inline std::uint64_t pulsed_columns(const float* phi) {
  std::uint64_t bits = 0;
  for (int n = 0; n < 4; ++n) {
    const __mmask16 on = _mm512_cmp_ps_mask(_mm512_loadu_ps(phi + 16 * n), _mm512_setzero_ps(), _CMP_GT_OQ);
    bits |= static_cast<std::uint64_t>(on) << (16 * n);
  }
  return bits;
}

/// One token's 64 columns of A in registers while the pulsed rows go by; a list of set bits instead of a test per row,
/// whose outcome the processor could not predict. The pulse width scales the eight or sixteen charges of the age first,
/// so that a cell is a permute and an addition, with the edge charge for nothing.
template <bool wide, bool with_edge, bool with_spread>
void weigh_block(const BlockShape& shape, const LevelTable& table, const CellSpread& spread, const float* phi,
                 const std::uint8_t* v, float* A) {
  for (std::ptrdiff_t t = 0; t < shape.tokens; ++t) {
    std::uint64_t pulsed = pulsed_columns(phi + t * kRows);
    if (shape.columns < kRows) pulsed &= (std::uint64_t{1} << shape.columns) - 1;
    if (pulsed == 0) continue;
    __m512 sum[4];
    for (int n = 0; n < 4; ++n) sum[n] = _mm512_loadu_ps(A + t * kRows + 16 * n);
    for (; pulsed != 0; pulsed &= pulsed - 1) {
      const std::ptrdiff_t s = __builtin_ctzll(pulsed);
      const Indices index = load_indices(v + s * kRows);
      const std::ptrdiff_t row = (shape.first_age + t - s) * table.stride;
      __m512 charge = _mm512_mul_ps(_mm512_set1_ps(phi[t * kRows + s]), table_row<wide>(table.read + row));
      if constexpr (with_edge) charge = _mm512_add_ps(charge, table_row<wide>(table.edge + row));
      if constexpr (with_spread) {
        const float *gain = spread.gain + s * kRows, *offset = spread.offset + s * kRows;
        const __m512 width = _mm512_set1_ps(phi[t * kRows + s]);
        for (int n = 0; n < 4; ++n) {
          sum[n] = _mm512_fmadd_ps(_mm512_loadu_ps(gain + 16 * n), _mm512_permutexvar_ps(index.of[n], charge), sum[n]);
          sum[n] = _mm512_fmadd_ps(width, _mm512_loadu_ps(offset + 16 * n), sum[n]);
        }
      } else {
        for (int n = 0; n < 4; ++n) sum[n] = _mm512_add_ps(sum[n], _mm512_permutexvar_ps(index.of[n], charge));
      }
    }
    for (int n = 0; n < 4; ++n) _mm512_storeu_ps(A + t * kRows + 16 * n, sum[n]);
  }
}

template <bool with_spread>
void score_cells(const BlockShape& shape, const LevelTable& table, const CellSpread& spread, const float* q,
                 const std::uint8_t* k, const std::uint8_t* v, float* S) {
  const bool wide = table.stride > 8, with_edge = table.edge != nullptr;
  const auto run = wide ? (with_edge ? score_block<true, true, with_spread> : score_block<true, false, with_spread>)
                        : (with_edge ? score_block<false, true, with_spread> : score_block<false, false, with_spread>);
  run(shape, table, spread, q, k, v, S);
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
           const std::uint8_t* k, const std::uint8_t* v, float* S) {
  (spread.gain != nullptr ? score_cells<true> : score_cells<false>)(shape, table, spread, q, k, v, S);
}

void weigh(const BlockShape& shape, const LevelTable& table, const CellSpread& spread, const float* phi,
           const std::uint8_t* v, float* A) {
  (spread.gain != nullptr ? weigh_cells<true> : weigh_cells<false>)(shape, table, spread, phi, v, A);
}

/// Both neighbours of a value in one load of eight bytes: half the loads of two gathers.
void look_up_pairs(const Converter& c, const float* q, int n, float* y) {
  const __m512 q_min = _mm512_set1_ps(c.q_min), inverse_step = _mm512_set1_ps(c.inverse_step);
  const __m512 last = _mm512_set1_ps(c.last);
  const __m512i last_below = _mm512_set1_epi32(static_cast<int>(c.last) - 1);
  const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  const __m512i odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
  for (int i = 0; i < n; i += 16) {
    const __m512 u = _mm512_mul_ps(_mm512_sub_ps(_mm512_loadu_ps(q + i), q_min), inverse_step);
    const __m512 inside = _mm512_min_ps(_mm512_max_ps(u, _mm512_setzero_ps()), last);
    const __m512i below = _mm512_min_epi32(_mm512_cvttps_epi32(inside), last_below);
    const __m512 low = _mm512_castpd_ps(_mm512_i32gather_pd(_mm512_castsi512_si256(below), c.table, 4));
    const __m512 high = _mm512_castpd_ps(_mm512_i32gather_pd(_mm512_extracti64x4_epi64(below, 1), c.table, 4));
    const __m512 a = _mm512_permutex2var_ps(low, even, high), b = _mm512_permutex2var_ps(low, odd, high);
    const __m512 f = _mm512_sub_ps(inside, _mm512_cvtepi32_ps(below));
    _mm512_storeu_ps(y + i, _mm512_add_ps(a, _mm512_mul_ps(f, _mm512_sub_ps(b, a))));
  }
}

}  // namespace

Kernel avx512_kernel() { return {score, convert_score<look_up_pairs>, weigh, convert_output<look_up_pairs>}; }

}  // namespace gaincal::attention
