#include "attention/kernel_convert.hpp"

namespace gaincal::attention {

namespace {

constexpr std::ptrdiff_t kRows = kBlock;

void score(const BlockShape& shape, const LevelTable& table, const CellSpread& spread, const float* q,
           const std::uint8_t* k, const std::uint8_t*, float* S) {
  for (std::ptrdiff_t t = 0; t < shape.tokens; ++t) {
    const float* q_row = q + t * kRows;
    for (std::ptrdiff_t s = first_column(shape, t); s < last_column(shape, t); ++s) {
      const std::uint8_t* levels = k + s * kRows;
      const std::ptrdiff_t row = (shape.first_age + t - s) * table.stride;
      const float* read = table.read + row;
      // Four partial sums, one per 16 rows: the order of the packed bytes, and no chain of 64 dependent additions.
      float sum[4] = {0.0f, 0.0f, 0.0f, 0.0f};
      if (spread.gain != nullptr) {
        const float *gain = spread.gain + s * kRows, *offset = spread.offset + s * kRows;
        for (std::ptrdiff_t j = 0; j < 16; ++j) {
          for (std::ptrdiff_t n = 0; n < 4; ++n) {
            const std::ptrdiff_t d = j + 16 * n;
            const float x = q_row[d];
            float charge = x * read[levels[4 * j + n]];
            if (table.edge != nullptr) charge += x > 0.0f ? table.edge[row + levels[4 * j + n]] : 0.0f;
            sum[n] += gain[d] * charge + x * offset[d];
          }
        }
        S[t * kRows + s] = (sum[0] + sum[1]) + (sum[2] + sum[3]);
        continue;
      }
      for (std::ptrdiff_t j = 0; j < 16; ++j) {
        for (std::ptrdiff_t n = 0; n < 4; ++n) sum[n] += q_row[j + 16 * n] * read[levels[4 * j + n]];
      }
      if (table.edge != nullptr) {
        const float* edge = table.edge + row;
        for (std::ptrdiff_t j = 0; j < 16; ++j) {
          for (std::ptrdiff_t n = 0; n < 4; ++n) sum[n] += q_row[j + 16 * n] > 0.0f ? edge[levels[4 * j + n]] : 0.0f;
        }
      }
      S[t * kRows + s] = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    }
  }
}

void weigh(const BlockShape& shape, const LevelTable& table, const CellSpread& spread, const float* phi,
           const std::uint8_t* v, float* A) {
  for (std::ptrdiff_t t = 0; t < shape.tokens; ++t) {
    float* A_row = A + t * kRows;
    for (std::ptrdiff_t s = first_column(shape, t); s < last_column(shape, t); ++s) {
      const float width = phi[t * kRows + s];
      if (!(width > 0.0f)) continue;
      const std::uint8_t* levels = v + s * kRows;
      const std::ptrdiff_t row = (shape.first_age + t - s) * table.stride;
      float charge[256];  // a level is a byte
      for (std::ptrdiff_t l = 0; l < table.stride; ++l) charge[l] = width * table.read[row + l];
      if (table.edge != nullptr) {
        for (std::ptrdiff_t l = 0; l < table.stride; ++l) charge[l] += table.edge[row + l];
      }
      if (spread.gain != nullptr) {
        const float *gain = spread.gain + s * kRows, *offset = spread.offset + s * kRows;
        for (std::ptrdiff_t j = 0; j < 16; ++j) {
          for (std::ptrdiff_t n = 0; n < 4; ++n) {
            const std::ptrdiff_t d = j + 16 * n;
            A_row[d] += gain[d] * charge[levels[4 * j + n]] + width * offset[d];
          }
        }
        continue;
      }
      for (std::ptrdiff_t j = 0; j < 16; ++j) {
        for (std::ptrdiff_t n = 0; n < 4; ++n) A_row[j + 16 * n] += charge[levels[4 * j + n]];
      }
    }
  }
}

}  // namespace

Kernel portable_kernel() { return {score, convert_score<look_up_plain>, weigh, convert_output<look_up_plain>}; }

}  // namespace gaincal::attention
