#include "attention/kernel_avx2.hpp"

#include "attention/kernel_convert.hpp"

/// A cell is one permute (level index -> charge) and one addition, 8 cells at a time; 9 to 16 levels take two permutes
/// and a blend.
namespace gaincal::attention {

namespace {

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
void weigh_cells(const BlockShape& shape, const LevelTable& table, const CellSpread& spread, const float* phi,
                 const std::uint8_t* v, float* A) {
  const bool wide = table.stride > 8, with_edge = table.edge != nullptr;
  const auto run = wide ? (with_edge ? weigh_block<true, true, with_spread> : weigh_block<true, false, with_spread>)
                        : (with_edge ? weigh_block<false, true, with_spread> : weigh_block<false, false, with_spread>);
  run(shape, table, spread, phi, v, A);
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

Kernel avx2_kernel() {
  return {.score = score_avx2,
          .convert_score = convert_score<look_up_pairs>,
          .weigh = weigh,
          .convert_output = convert_output<look_up_pairs>,
          .reads_digits = true,
          .reads_lines = true};
}

}  // namespace gaincal::attention
