#pragma once

#include <cstddef>
#include <cstdint>

#include "attention/converter.hpp"

/// Interface of the tuned kernels; included by code for different processors, see converter.hpp.
namespace gaincal::attention {

/// Query levels up to which sums of digits stay within 16 and 32 bits.
inline constexpr int kDigitCodes = 32;
/// Queries of a group, whose charges a kernel may take from a line over their ages; groups begin at tokens 0, 8, 16, ..
inline constexpr int kLineQueries = 8;
/// How far from the line charges may lie, in parts of the largest of any of its ages.
inline constexpr float kOffLine = 1.0f / 1048576.0f;
inline constexpr std::size_t kBlock = 64;  ///< tokens of a block, columns of a tile, rows of an array

/// Charges of one age over at most 16 levels, as whole numbers of a unit.
struct alignas(64) DigitRow {
  std::int8_t digit[3][16] = {};  ///< signed, times 1, 2^8 and 2^16
  float unit = 1.0f;              ///< charge
};

/// Charges over age and level: (window, stride) floats, of which the first are levels; stride 8 or 16, or their number
/// where it is larger.
struct LevelTable {
  const float* read = nullptr;
  const float* edge = nullptr;  ///< null: none
  std::ptrdiff_t window = 0;
  std::ptrdiff_t stride = 8;
  /// The same once more in digits, (window): of a pulse of one code, and of an edge in the unit of its age's reads;
  /// null where no kernel wants them. For queries of at most kDigitCodes levels, codes_per_pulse of them a full-length
  /// pulse.
  const DigitRow *read_digits = nullptr, *edge_digits = nullptr;
  float codes_per_pulse = 0.0f;
  /// Whether charges of any kLineQueries consecutive ages lie on the line from first to last, within kOffLine, and the
  /// largest falls by less than half over them; edges likewise. False where no kernel wants to know.
  bool straight = false;
};

/// Cells of a run of columns that differ from one another: (columns, 64) in the order of rows. Null: all alike.
struct CellSpread {
  const float* gain = nullptr;    ///< factor of the charge of a read
  const float* offset = nullptr;  ///< charge beside it, of a full-length pulse; null where gain is
};

/// Some queries against a run of columns: query t (0..tokens) reads column s (0..columns) at age first_age + t - s.
/// Pairs whose age is not in [0, window) are masked.
struct BlockShape {
  std::ptrdiff_t tokens = 0, columns = 0;  ///< at most kBlock each
  std::ptrdiff_t first_age = 0;
  std::ptrdiff_t window = 0;
  std::ptrdiff_t first_token = 0;  ///< number of query 0 in its sequence
};

/// Columns [first_column, last_column) that query t may see.
static inline std::ptrdiff_t first_column(const BlockShape& shape, std::ptrdiff_t t) {
  const std::ptrdiff_t s = shape.first_age + t - shape.window + 1;
  return s < 0 ? 0 : s > shape.columns ? shape.columns : s;
}
static inline std::ptrdiff_t last_column(const BlockShape& shape, std::ptrdiff_t t) {
  const std::ptrdiff_t s = shape.first_age + t + 1;
  return s < 0 ? 0 : s > shape.columns ? shape.columns : s;
}

/// Place of row d in a stored column of 64 bytes: 32-bit word j holds rows j, j + 16, j + 32, j + 48 from its low byte
/// up, so that a shift by 8 n leaves the indices of 16 consecutive rows for a permute that looks at the low bits only.
static constexpr std::size_t packed_place(std::size_t d) { return (d % 16) * 4 + d / 16; }
/// Columns that a kernel may read beyond the last one.
inline constexpr std::size_t kColumnPadding = 16;

/// Starts to fetch n columns of V at s, and K some way ahead. For a query that is alone: its columns come from memory,
/// the processor does not look beyond a page, and which columns of V will be read, nobody knows yet.
static inline void fetch_columns(const std::uint8_t* k, const std::uint8_t* v, std::ptrdiff_t s, std::ptrdiff_t n) {
  constexpr std::ptrdiff_t kAhead = 32;
  for (std::ptrdiff_t i = s; i < s + n; ++i) {
    __builtin_prefetch(v + i * static_cast<std::ptrdiff_t>(kBlock));
    __builtin_prefetch(k + (i + kAhead) * static_cast<std::ptrdiff_t>(kBlock));
  }
}

struct Kernel {
  /// S(t, s) for all unmasked pairs; others are left undefined. q (tokens, 64), k (columns + padding, 64) packed
  /// levels, S (tokens, 64). v (columns + padding, 64): what `weigh` reads next, fetched meanwhile.
  void (*score)(const BlockShape& shape, const LevelTable& table, const CellSpread& spread, const float* q,
                const std::uint8_t* k, const std::uint8_t* v, float* S);
  /// S (tokens, 64) becomes what is collected of it, phi (tokens, 64) = its width, 0 where masked.
  void (*convert_score)(const BlockShape& shape, const Converter& converter, const Collection& collection, float* S,
                        float* phi);
  /// A (tokens, 64) += what phi reads from v, in the order of the columns.
  void (*weigh)(const BlockShape& shape, const LevelTable& table, const CellSpread& spread, const float* phi,
                const std::uint8_t* v, float* A);
  /// A (tokens, 64) becomes what is collected of it, sum (tokens, 64) += its value.
  void (*convert_output)(const Converter& converter, const Collection& collection, float* A, std::ptrdiff_t tokens,
                         float* sum);
  bool reads_digits = false;  ///< whether `score` is quicker with them, where cells are alike
  bool reads_lines = false;   ///< whether `score` is quicker where charges lie on lines, and cells vary
};

Kernel portable_kernel();
#ifdef GAINCAL_X86_KERNELS
Kernel avx2_kernel();
Kernel avx512_kernel();
#endif

}  // namespace gaincal::attention
