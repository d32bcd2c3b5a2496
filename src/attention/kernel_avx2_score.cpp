#include "attention/kernel_avx2.hpp"

/// Three ways to score, each where it is the quickest:
///   FloatTile  any charges: a permute (level index -> charge) and a multiply-add, 8 cells at a time
///   DigitTile  cells that are alike, read by whole codes: 32 at a time from the digits of their charges, three
///   permutes
///              of bytes and three products
///   LineTile   cells that vary, of charges that lie on lines over their ages: looked up once for eight queries
namespace gaincal::attention {

namespace {

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
        __m256 charge = _mm256_setzero_ps();
        if constexpr (with_edge) {
          charge = _mm256_and_ps(_mm256_load_ps(on + i * kRows + 8 * n), look_up(edge[i], index));
        }
        charge = _mm256_fmadd_ps(x, look_up(read[i], index), charge);
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

/// Charges of consecutive ages: those of the first, and what each further one adds.
template <bool wide>
struct Line {
  Row<wide> start, step;
};

/// The line of kLineQueries ages from `age` on. Where some of them lie outside the table, the line of its first or
/// last, continued: those are masked.
template <bool wide>
inline Line<wide> load_line(const float* charges, const LevelTable& table, std::ptrdiff_t age) {
  const std::ptrdiff_t from = clamp_age(age, table.window - kLineQueries + 1);
  const Row<wide> first = load_row<wide>(charges + from * table.stride);
  const Row<wide> last = load_row<wide>(charges + (from + kLineQueries - 1) * table.stride);
  const __m256 before = _mm256_set1_ps(static_cast<float>(age - from)),
               part = _mm256_set1_ps(1.0f / (kLineQueries - 1));
  Line<wide> line;
  line.step.low = _mm256_mul_ps(_mm256_sub_ps(last.low, first.low), part);
  line.start.low = _mm256_fmadd_ps(before, line.step.low, first.low);
  if constexpr (wide) {
    line.step.high = _mm256_mul_ps(_mm256_sub_ps(last.high, first.high), part);
    line.start.high = _mm256_fmadd_ps(before, line.step.high, first.high);
  }
  return line;
}

/// S of a group of queries against a column, or of one of them against eight columns, from cells that vary: their
/// levels and gains are looked up once for all queries. A query alone gets the same bits.
template <bool wide, bool with_edge, int n_queries>
struct LineTile {
  static_assert(n_queries == kLineQueries || n_queries == 1);

  const float* q;
  const std::uint8_t* k;
  LevelTable table;
  CellSpread spread;
  std::ptrdiff_t first_age;                                 // of the group
  int place;                                                // in the group, of a query alone
  alignas(32) float on[with_edge ? n_queries * kRows : 8];  // 1 where q has a pulse

  LineTile(const float* q_, const std::uint8_t* k_, const LevelTable& table_, const CellSpread& spread_,
           std::ptrdiff_t first_age_, int place_)
      : q(q_), k(k_), table(table_), spread(spread_), first_age(first_age_), place(place_) {
    if constexpr (with_edge) {
      for (int d = 0; d < n_queries * kRows; d += 8) {
        const __m256 pulsed = _mm256_cmp_ps(_mm256_loadu_ps(q + d), _mm256_setzero_ps(), _CMP_GT_OQ);
        _mm256_store_ps(on + d, _mm256_and_ps(pulsed, _mm256_set1_ps(1.0f)));
      }
    }
  }

  /// sum[i] += x of query i times the charges at its place: its bits choose among 1, 2 and 4 steps.
  inline __attribute__((always_inline)) void add(__m256* sum, const float* x, __m256 start, __m256 one) const {
    const __m256 two = _mm256_add_ps(one, one), four = _mm256_add_ps(two, two);
    for (int i = 0; i < n_queries; ++i) {
      const int at = n_queries == 1 ? place : i;
      __m256 charge = start;
      if (at & 1) charge = _mm256_add_ps(charge, one);
      if (at & 2) charge = _mm256_add_ps(charge, two);
      if (at & 4) charge = _mm256_add_ps(charge, four);
      sum[i] = _mm256_fmadd_ps(_mm256_loadu_ps(x + i * kRows), charge, sum[i]);
    }
  }

  template <bool of_edge, int n>
  inline __attribute__((always_inline)) void add_rows(__m256* sum, const Line<wide>& charges, std::ptrdiff_t s,
                                                      __m256i even, __m256i odd) const {
    const __m256i index = indices<n>(even, odd);
    const __m256 gain = _mm256_loadu_ps(spread.gain + s * kRows + 8 * n);
    const __m256 start = look_up(charges.start, index), step = _mm256_mul_ps(gain, look_up(charges.step, index));
    if constexpr (of_edge) {
      add(sum, on + 8 * n, _mm256_mul_ps(gain, start), step);
    } else {
      const __m256 offset = _mm256_loadu_ps(spread.offset + s * kRows + 8 * n);
      add(sum, q + 8 * n, _mm256_fmadd_ps(gain, start, offset), step);
    }
  }

  template <bool of_edge>
  inline __attribute__((always_inline)) void add_column(__m256* sum, std::ptrdiff_t s) const {
    const __m256i even = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(k + s * kRows));
    const __m256i odd = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(k + s * kRows + 32));
    const Line<wide> charges = load_line<wide>(of_edge ? table.edge : table.read, table, first_age - s);
    add_rows<of_edge, 0>(sum, charges, s, even, odd);
    add_rows<of_edge, 1>(sum, charges, s, even, odd);
    add_rows<of_edge, 2>(sum, charges, s, even, odd);
    add_rows<of_edge, 3>(sum, charges, s, even, odd);
    add_rows<of_edge, 4>(sum, charges, s, even, odd);
    add_rows<of_edge, 5>(sum, charges, s, even, odd);
    add_rows<of_edge, 6>(sum, charges, s, even, odd);
    add_rows<of_edge, 7>(sum, charges, s, even, odd);
  }

  /// S of the group's queries against column s.
  inline __attribute__((always_inline)) __m256 queries_of(std::ptrdiff_t s) const {
    static_assert(n_queries == kLineQueries);
    Partial partial;
    add_charges(partial.sum, s);
    return partial.whole();
  }

  /// S of the query against the eight columns from s on.
  inline __attribute__((always_inline)) __m256 columns_from(std::ptrdiff_t s) const {
    static_assert(n_queries == 1);
    Partial partial;
    for (int c = 0; c < 8; ++c) add_charges(partial.sum + c, s + c);
    return partial.whole();
  }

 private:
  /// 8 partial sums each of 8 pairs.
  struct Partial {
    __m256 sum[8];
    Partial() {
      for (auto& of_pair : sum) of_pair = _mm256_setzero_ps();
    }
    inline __attribute__((always_inline)) Sums<1> column(std::ptrdiff_t i) const { return {{sum[i]}}; }
    inline __attribute__((always_inline)) __m256 whole() const { return Tree<Partial, 1>{*this}.eight(0).of[0]; }
  };

  inline __attribute__((always_inline)) void add_charges(__m256* sum, std::ptrdiff_t s) const {
    add_column<false>(sum, s);
    if constexpr (with_edge) add_column<true>(sum, s);
  }
};

/// out[i][j] = in[j][i], rows of out as those of S.
inline void store_transposed(const __m256 (&in)[8], float* out) {
  __m256 pair[8], four[8];
  for (int i = 0; i < 8; i += 2) {
    pair[i] = _mm256_unpacklo_ps(in[i], in[i + 1]);
    pair[i + 1] = _mm256_unpackhi_ps(in[i], in[i + 1]);
  }
  for (int i = 0; i < 8; i += 4) {
    four[i] = _mm256_shuffle_ps(pair[i], pair[i + 2], _MM_SHUFFLE(1, 0, 1, 0));
    four[i + 1] = _mm256_shuffle_ps(pair[i], pair[i + 2], _MM_SHUFFLE(3, 2, 3, 2));
    four[i + 2] = _mm256_shuffle_ps(pair[i + 1], pair[i + 3], _MM_SHUFFLE(1, 0, 1, 0));
    four[i + 3] = _mm256_shuffle_ps(pair[i + 1], pair[i + 3], _MM_SHUFFLE(3, 2, 3, 2));
  }
  for (int i = 0; i < 4; ++i) {
    _mm256_storeu_ps(out + i * kRows, _mm256_permute2f128_ps(four[i], four[i + 4], 0x20));
    _mm256_storeu_ps(out + (i + 4) * kRows, _mm256_permute2f128_ps(four[i], four[i + 4], 0x31));
  }
}

template <bool wide, bool with_edge>
void score_lines(const BlockShape& shape, const LevelTable& table, const CellSpread& spread, const float* q,
                 const std::uint8_t* k, const std::uint8_t* v, float* S) {
  for (std::ptrdiff_t t = 0, next; t < shape.tokens; t = next) {
    const std::ptrdiff_t place = (shape.first_token + t) % kLineQueries, first_age = shape.first_age + t - place;
    const bool whole = place == 0 && t + kLineQueries <= shape.tokens;
    next = t + (whole ? kLineQueries : 1);
    const std::ptrdiff_t begin = first_column(shape, t) / 8 * 8, end = last_column(shape, next - 1);
    if (whole) {
      const LineTile<wide, with_edge, kLineQueries> tile(q + t * kRows, k, table, spread, first_age, 0);
      for (std::ptrdiff_t s = begin; s < end; s += 8) {
        __m256 of_column[8];
        for (int c = 0; c < 8; ++c) of_column[c] = tile.queries_of(s + c);
        store_transposed(of_column, S + t * kRows + s);
      }
    } else {
      const LineTile<wide, with_edge, 1> tile(q + t * kRows, k, table, spread, first_age, static_cast<int>(place));
      for (std::ptrdiff_t s = begin; s < end; s += 8) {
        fetch_columns(k, v, s, 8);
        _mm256_storeu_ps(S + t * kRows + s, tile.columns_from(s));
      }
    }
  }
}

/// How cells are read: by whole codes, from lines, or each from the table.
template <bool wide, bool with_edge>
void score_cells(const BlockShape& shape, const LevelTable& table, const CellSpread& spread, const float* q,
                 const std::uint8_t* k, const std::uint8_t* v, float* S) {
  const bool vary = spread.gain != nullptr;
  if (!vary && table.read_digits != nullptr) return score_digits<with_edge>(shape, table, q, k, v, S);
  const auto run = !vary            ? score_floats<wide, with_edge, false>
                   : table.straight ? score_lines<wide, with_edge>
                                    : score_floats<wide, with_edge, true>;
  run(shape, table, spread, q, k, v, S);
}

}  // namespace

void score_avx2(const BlockShape& shape, const LevelTable& table, const CellSpread& spread, const float* q,
                const std::uint8_t* k, const std::uint8_t* v, float* S) {
  const bool wide = table.stride > 8, with_edge = table.edge != nullptr;
  const auto run = wide ? (with_edge ? score_cells<true, true> : score_cells<true, false>)
                        : (with_edge ? score_cells<false, true> : score_cells<false, false>);
  run(shape, table, spread, q, k, v, S);
}

}  // namespace gaincal::attention
