#include "attention/table_engine.hpp"

#include <algorithm>

namespace gaincal::attention {

namespace {

const float* padded(const Table& table, std::size_t stride, std::vector<float>& copy) {
  if (table.size() == 0) return nullptr;
  if (static_cast<std::size_t>(table.cols()) == stride) return table.data();
  if (copy.empty()) {
    copy.assign(static_cast<std::size_t>(table.rows()) * stride, 0.0f);
    for (Eigen::Index age = 0; age < table.rows(); ++age) {
      std::copy_n(table.row(age).data(), table.cols(), &copy[static_cast<std::size_t>(age) * stride]);
    }
  }
  return copy.data();
}

/// Cells of the columns from `first` on.
CellSpread spread_from(const std::vector<float>& gain, const std::vector<float>& offset, std::size_t first) {
  if (gain.empty()) return {};
  return {&gain[first * kArrayRows], &offset[first * kArrayRows]};
}

}  // namespace

LevelTable level_table(const AnalogDevice& device, std::vector<float>& padded_read, std::vector<float>& padded_edge) {
  const std::size_t stride = device.weight_levels <= 8                 ? 8
                             : device.weight_levels <= kRegisterLevels ? 16
                                                                       : static_cast<std::size_t>(device.weight_levels);
  return {padded(device.read, stride, padded_read), padded(device.edge, stride, padded_edge),
          static_cast<std::ptrdiff_t>(device.window), static_cast<std::ptrdiff_t>(stride)};
}

std::vector<std::uint8_t> pack_columns(const std::vector<std::uint8_t>& level) {
  std::vector<std::uint8_t> packed(level.size() + kColumnPadding * kArrayRows, 0);
  for (std::size_t column = 0; column < level.size(); column += kArrayRows) {
    for (std::size_t d = 0; d < kArrayRows; ++d) packed[column + packed_place(d)] = level[column + d];
  }
  return packed;
}

void TableCells::score(const BlockShape& shape, std::size_t first_query, const Run& run, float* S) const {
  CellSpread spread;
  if (varied_ != nullptr) spread = spread_from(varied_->k_gain, varied_->k_offset, run.first % window());
  kernel_.score(shape, table_, spread, q_ + (first_query - first_query_) * kArrayRows,
                k_ + run.first % capacity_ * kArrayRows, S);
}

void TableCells::weigh(const BlockShape& shape, const Run& run, const float* phi, float* A) const {
  CellSpread spread;
  if (varied_ != nullptr) spread = spread_from(varied_->v_gain, varied_->v_offset, run.first % window());
  kernel_.weigh(shape, table_, spread, phi, v_ + run.first % capacity_ * kArrayRows, A);
}

}  // namespace gaincal::attention
