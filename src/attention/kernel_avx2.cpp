#include <immintrin.h>

#include "attention/kernel_convert.hpp"

/// A cell is one permute (level index -> charge) and one multiply-add, 8 cells at a time; 9 to 16 levels take two
/// permutes and a blend. K cells that are alike, read by whole codes, are summed 32 at a time from the digits of their
/// charges: three permutes of bytes and three products.
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

/// 8 partial sums of S of n_queries consecutive tokens against each column.
template <bool wide, bool with_edge, bool with_spread, int n_queries>
struct FloatTile {
  const float* q;
  const std::uint8_t* k;
  LevelTable table;
  CellSpread spread;
  std::ptrdiff_t first_age;
  alignas(32) float on[with_edge ? n_queries * kRows : 8];  // a mask: where q has a pulse

  FloatTile(const float* q_, const std::uint8_t* k_, const LevelTable& table_, const CellSpread& spread_,
            std::ptrdiff_t first_age_)
      : q(q_), k(k_), table(table_), spread(spread_), first_age(first_age_) {
    if constexpr (with_edge)
      for (int d = 0; d < n_queries * kRows; d += 8)
        _mm256_store_ps(on + d, _mm256_cmp_ps(_mm256_loadu_ps(q + d), _mm256_setzero_ps(), _CMP_GT_OQ));
  }

  using Pair = Sums<n_queries>;

  template <int n>
  inline __attribute__((always_inline)) void add_rows(Pair& sum, Pair& beside, const Row<wide>* read,
                                                      const Row<wide>* edge, std::ptrdiff_t s, __m256i even,
                                                      __m256i odd) const {
    const __m256i index = indices<n>(even, odd);
    for (int i = 0; i < n_queries; ++i) {
      const __m256 x = _mm256_loadu_ps(q + i * kRows + 8 * n);
      if constexpr (with_spread) {
        __m256 charge = _mm256_mul_ps(x, look_up(read[i], index));
        if constexpr (with_edge) {
          const __m256 pulsed = _mm256_load_ps(on + i * kRows + 8 * n);
          charge = _mm256_add_ps(charge, _mm256_and_ps(pulsed, look_up(edge[i], index)));
        }
        sum.of[i] = _mm256_fmadd_ps(_mm256_loadu_ps(spread.gain + s * kRows + 8 * n), charge, sum.of[i]);
        beside.of[i] = _mm256_fmadd_ps(x, _mm256_loadu_ps(spread.offset + s * kRows + 8 * n), beside.of[i]);
        continue;
      }
      sum.of[i] = _mm256_fmadd_ps(x, look_up(read[i], index), sum.of[i]);
      if constexpr (with_edge) {
        const __m256 pulsed = _mm256_load_ps(on + i * kRows + 8 * n);
        beside.of[i] = _mm256_add_ps(beside.of[i], _mm256_and_ps(pulsed, look_up(edge[i], index)));
      }
    }
  }

  inline __attribute__((always_inline)) Pair column(std::ptrdiff_t s) const {
    const __m256i even = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(k + s * kRows));
    const __m256i odd = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(k + s * kRows + 32));
    Row<wide> read[n_queries], edge[n_queries];
    Pair sum, beside;  // edges or offsets on their own: one chain of all additions would be waited for
    for (int i = 0; i < n_queries; ++i) {
      const std::ptrdiff_t row = clamp_age(first_age + i - s, table.window) * table.stride;
      read[i] = load_row<wide>(table.read + row);
      edge[i] = with_edge ? load_row<wide>(table.edge + row) : read[i];
      sum.of[i] = beside.of[i] = _mm256_setzero_ps();
    }
    add_rows<0>(sum, beside, read, edge, s, even, odd);
    add_rows<1>(sum, beside, read, edge, s, even, odd);
    add_rows<2>(sum, beside, read, edge, s, even, odd);
    add_rows<3>(sum, beside, read, edge, s, even, odd);
    add_rows<4>(sum, beside, read, edge, s, even, odd);
    add_rows<5>(sum, beside, read, edge, s, even, odd);
    add_rows<6>(sum, beside, read, edge, s, even, odd);
    add_rows<7>(sum, beside, read, edge, s, even, odd);
    if constexpr (with_edge || with_spread)
      for (int i = 0; i < n_queries; ++i) sum.of[i] = _mm256_add_ps(sum.of[i], beside.of[i]);
    return sum;
  }
};

/// S against 8 columns from the 8 partial sums of each, added up by a tree: level by level two vectors become one, half
/// of whose lanes belong to either.
template <class Tile, int n_queries>
struct Tree {
  const Tile& tile;

  using Pair = Sums<n_queries>;

  inline __attribute__((always_inline)) Pair halves(std::ptrdiff_t s) const {  // s s+4
    const Pair a = tile.column(s), b = tile.column(s + 4);
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

/// S of n_queries tokens from t on, against the columns that they may see.
template <int n_queries, class Tile>
inline __attribute__((always_inline)) void score_columns(const BlockShape& shape, const Tile& tile,
                                                         const std::uint8_t* v, std::ptrdiff_t t, float* S) {
  const Tree<Tile, n_queries> tree{tile};
  const std::ptrdiff_t end = last_column(shape, t + n_queries - 1);
  for (std::ptrdiff_t s = first_column(shape, t) / 8 * 8; s < end; s += 8) {
    if constexpr (n_queries == 1) fetch_columns(tile.k, v, s, 8);
    const Sums<n_queries> sum = tree.eight(s);
    for (int i = 0; i < n_queries; ++i) _mm256_storeu_ps(S + (t + i) * kRows + s, sum.of[i]);
  }
}

/// The same from digits of the charges, 32 cells at a time: a byte permute (level index -> digit) and a product of
/// bytes with the query's codes, whose sums are whole numbers and exact.
template <bool with_edge, int n_queries>
struct DigitTile {
  const std::uint8_t* k;
  LevelTable table;
  std::ptrdiff_t first_age;
  __m256i code[n_queries][2], on[n_queries][2];  // in the order of a stored column

  DigitTile(const float* q, const std::uint8_t* k_, const LevelTable& table_, std::ptrdiff_t first_age_)
      : k(k_), table(table_), first_age(first_age_) {
    const __m256 per_code = _mm256_set1_ps(table.codes_per_pulse);
    for (int i = 0; i < n_queries; ++i) {
      for (int h = 0; h < 2; ++h) {
        __m256i word = _mm256_setzero_si256();
        for (int n = 3; n >= 0; --n) {
          const __m256 x = _mm256_loadu_ps(q + i * kRows + 8 * h + 16 * n);
          word = _mm256_or_si256(_mm256_slli_epi32(word, 8), _mm256_cvtps_epi32(_mm256_mul_ps(x, per_code)));
        }
        code[i][h] = word;
        on[i][h] = _mm256_min_epu8(word, _mm256_set1_epi8(1));
      }
    }
  }

  static inline __attribute__((always_inline)) __m256i digits(const std::int8_t* of_levels) {
    return _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(of_levels)));
  }

  inline __attribute__((always_inline)) Sums<n_queries> column(std::ptrdiff_t s) const {
    const __m256i level[2] = {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(k + s * kRows)),
                              _mm256_loadu_si256(reinterpret_cast<const __m256i*>(k + s * kRows + 32))};
    Sums<n_queries> sum;
    for (int i = 0; i < n_queries; ++i) {
      const std::ptrdiff_t age = clamp_age(first_age + i - s, table.window);
      const DigitRow& read = table.read_digits[age];
      __m256i of_place[3];
      for (int p = 0; p < 3; ++p) {
        const __m256i digit = digits(read.digit[p]);
        of_place[p] = _mm256_add_epi16(_mm256_maddubs_epi16(code[i][0], _mm256_shuffle_epi8(digit, level[0])),
                                       _mm256_maddubs_epi16(code[i][1], _mm256_shuffle_epi8(digit, level[1])));
        if constexpr (with_edge) {
          const __m256i edge = digits(table.edge_digits[age].digit[p]);
          of_place[p] = _mm256_add_epi16(
              of_place[p], _mm256_add_epi16(_mm256_maddubs_epi16(on[i][0], _mm256_shuffle_epi8(edge, level[0])),
                                            _mm256_maddubs_epi16(on[i][1], _mm256_shuffle_epi8(edge, level[1]))));
        }
      }
      const __m256i one = _mm256_set1_epi16(1), base = _mm256_set1_epi16(256);
      const __m256i high = _mm256_add_epi32(_mm256_madd_epi16(of_place[2], base), _mm256_madd_epi16(of_place[1], one));
      const __m256i whole = _mm256_add_epi32(_mm256_slli_epi32(high, 8), _mm256_madd_epi16(of_place[0], one));
      sum.of[i] = _mm256_mul_ps(_mm256_cvtepi32_ps(whole), _mm256_broadcast_ss(&read.unit));
    }
    return sum;
  }
};

template <bool with_edge>
void score_digits(const BlockShape& shape, const LevelTable& table, const float* q, const std::uint8_t* k,
                  const std::uint8_t* v, float* S) {
  std::ptrdiff_t t = 0;
  for (; t + 2 <= shape.tokens; t += 2) {
    const DigitTile<with_edge, 2> tile(q + t * kRows, k, table, shape.first_age + t);
    score_columns<2>(shape, tile, v, t, S);
  }
  if (t < shape.tokens) {
    const DigitTile<with_edge, 1> tile(q + t * kRows, k, table, shape.first_age + t);
    score_columns<1>(shape, tile, v, t, S);
  }
}

template <bool wide, bool with_edge, bool with_spread>
void score_floats(const BlockShape& shape, const LevelTable& table, const CellSpread& spread, const float* q,
                  const std::uint8_t* k, const std::uint8_t* v, float* S) {
  std::ptrdiff_t t = 0;
  for (; t + 2 <= shape.tokens; t += 2) {
    const FloatTile<wide, with_edge, with_spread, 2> tile(q + t * kRows, k, table, spread, shape.first_age + t);
    score_columns<2>(shape, tile, v, t, S);
  }
  if (t < shape.tokens) {
    const FloatTile<wide, with_edge, with_spread, 1> tile(q + t * kRows, k, table, spread, shape.first_age + t);
    score_columns<1>(shape, tile, v, t, S);
  }
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
                 const std::uint8_t* k, const std::uint8_t* v, float* S) {
  const bool wide = table.stride > 8, with_edge = table.edge != nullptr;
  const auto run = wide
                       ? (with_edge ? score_floats<true, true, with_spread> : score_floats<true, false, with_spread>)
                       : (with_edge ? score_floats<false, true, with_spread> : score_floats<false, false, with_spread>);
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
  if (spread.gain == nullptr && table.read_digits != nullptr) {
    (table.edge_digits != nullptr ? score_digits<true> : score_digits<false>)(shape, table, q, k, v, S);
    return;
  }
  (spread.gain != nullptr ? score_cells<true> : score_cells<false>)(shape, table, spread, q, k, v, S);
}

void weigh(const BlockShape& shape, const LevelTable& table, const CellSpread& spread, const float* phi,
           const std::uint8_t* v, float* A) {
  (spread.gain != nullptr ? weigh_cells<true> : weigh_cells<false>)(shape, table, spread, phi, v, A);
}

/// Both neighbours of two values in two loads of eight bytes: quicker than gathers here.
inline __m128 two_pairs(const float* table, int first, int second) {
  const __m128 low = _mm_loadl_pi(_mm_setzero_ps(), reinterpret_cast<const __m64*>(table + first));
  return _mm_loadh_pi(low, reinterpret_cast<const __m64*>(table + second));
}

void look_up_pairs(const Converter& c, const float* q, int n, float* y) {
  const __m256 q_min = _mm256_set1_ps(c.q_min), inverse_step = _mm256_set1_ps(c.inverse_step);
  const __m256 last = _mm256_set1_ps(c.last);
  const __m256i last_below = _mm256_set1_epi32(static_cast<int>(c.last) - 1);
  for (int i = 0; i < n; i += 8) {
    const __m256 u = _mm256_mul_ps(_mm256_sub_ps(_mm256_loadu_ps(q + i), q_min), inverse_step);
    const __m256 inside = _mm256_min_ps(_mm256_max_ps(u, _mm256_setzero_ps()), last);
    const __m256i below = _mm256_min_epi32(_mm256_cvttps_epi32(inside), last_below);
    alignas(32) int at[8];
    _mm256_store_si256(reinterpret_cast<__m256i*>(at), below);
    const __m256 even = _mm256_set_m128(two_pairs(c.table, at[4], at[5]), two_pairs(c.table, at[0], at[1]));
    const __m256 odd = _mm256_set_m128(two_pairs(c.table, at[6], at[7]), two_pairs(c.table, at[2], at[3]));
    const __m256 a = _mm256_shuffle_ps(even, odd, _MM_SHUFFLE(2, 0, 2, 0));
    const __m256 b = _mm256_shuffle_ps(even, odd, _MM_SHUFFLE(3, 1, 3, 1));
    const __m256 f = _mm256_sub_ps(inside, _mm256_cvtepi32_ps(below));
    _mm256_storeu_ps(y + i, _mm256_add_ps(a, _mm256_mul_ps(f, _mm256_sub_ps(b, a))));
  }
}

}  // namespace

Kernel avx2_kernel() { return {score, convert_score<look_up_pairs>, weigh, convert_output<look_up_pairs>, true}; }

}  // namespace gaincal::attention
