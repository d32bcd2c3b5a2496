#pragma once

#include <cstdint>
#include <vector>

#include "attention/block.hpp"

namespace gaincal::attention {

/// A device's tables as a kernel wants them. Heads of the same device share one, which must not outlive the device.
class PreparedTable {
 public:
  PreparedTable(const AnalogDevice& device, const Kernel& kernel);
  PreparedTable(const PreparedTable&) = delete;
  PreparedTable& operator=(const PreparedTable&) = delete;

  const Kernel& kernel() const { return kernel_; }
  const LevelTable& table() const { return table_; }

 private:
  void write_digits(const AnalogDevice& device);

  Kernel kernel_;
  LevelTable table_;
  std::vector<float> padded_read_, padded_edge_;  // (M, stride) where the device's have another width
  std::vector<DigitRow> read_digits_, edge_digits_;
};

/// Turns (n, 64) levels in the order of rows into the kernels' order, with kColumnPadding more columns of level 0.
std::vector<std::uint8_t> pack_columns(const std::vector<std::uint8_t>& level);

/// Level tables and stored bytes.
class TableCells : public Cells {
 public:
  /// q (tokens from first_query, 64); k, v packed, token s in column s mod capacity, which is the window or no less
  /// than the tokens; varied null or as drawn.
  TableCells(const PreparedTable& table, const float* q, std::size_t first_query, const std::uint8_t* k,
             const std::uint8_t* v, std::size_t capacity, const HeadVariation* varied)
      : kernel_(table.kernel()),
        table_(table.table()),
        q_(q),
        first_query_(first_query),
        k_(k),
        v_(v),
        capacity_(capacity),
        varied_(varied) {}

  void score(const BlockShape& shape, const Run& run, float* S) const override;
  void weigh(const BlockShape& shape, const Run& run, const float* phi, float* A) const override;

 private:
  std::size_t window() const { return static_cast<std::size_t>(table_.window); }

  Kernel kernel_;
  LevelTable table_;
  const float* q_;
  std::size_t first_query_;
  const std::uint8_t* k_;
  const std::uint8_t* v_;
  std::size_t capacity_;
  const HeadVariation* varied_;
};

}  // namespace gaincal::attention
