#include "attention/table_engine.hpp"

#include <algorithm>
#include <cmath>

namespace gaincal::attention {

namespace {

const float* padded(const Table& table, std::size_t stride, std::vector<float>& copy) {
  if (table.size() == 0) return nullptr;
  if (static_cast<std::size_t>(table.cols()) == stride) return table.data();
  copy.assign(static_cast<std::size_t>(table.rows()) * stride, 0.0f);
  for (Eigen::Index age = 0; age < table.rows(); ++age) {
    std::copy_n(table.row(age).data(), table.cols(), &copy[static_cast<std::size_t>(age) * stride]);
  }
  return copy.data();
}

constexpr double kLargestWhole = 8355000.0;  // three signed digits reach 127 (2^16 + 2^8 + 1) = 8355711

/// `factor` times the charges of an age, in whole numbers of `unit`.
DigitRow digit_row(const Eigen::Ref<const Eigen::Array<float, 1, Eigen::Dynamic>>& charge, double factor, double unit) {
  DigitRow row;
  row.unit = static_cast<float>(unit);
  for (Eigen::Index l = 0; l < charge.size(); ++l) {
    auto rest = static_cast<std::int32_t>(std::lrint(double{charge[l]} * (factor / unit)));
    for (auto& place : row.digit) {
      place[l] = static_cast<std::int8_t>(rest);  // the low byte, as a signed number
      rest = (rest - place[l]) / 256;
    }
  }
  return row;
}

/// Whether a (window, stride) table is straight as LevelTable says.
bool on_lines(const float* charges, std::ptrdiff_t window, std::ptrdiff_t stride) {
  if (charges == nullptr) return true;
  std::vector<float> largest(static_cast<std::size_t>(window), 0.0f);  // of each age
  for (std::ptrdiff_t age = 0; age < window; ++age)
    for (std::ptrdiff_t l = 0; l < stride; ++l)
      largest[static_cast<std::size_t>(age)] =
          std::max(largest[static_cast<std::size_t>(age)], std::abs(charges[age * stride + l]));
  for (std::ptrdiff_t age = 0; age + kLineQueries <= window; ++age) {
    const float *first = charges + age * stride, *last = first + (kLineQueries - 1) * stride;
    float off = 0.0f;
    for (int i = 1; i < kLineQueries - 1; ++i) {
      const float part = static_cast<float>(i) / (kLineQueries - 1);
      for (std::ptrdiff_t l = 0; l < stride; ++l)
        off = std::max(off, std::abs(first[i * stride + l] - (first[l] + part * (last[l] - first[l]))));
    }
    const auto [low, high] = std::minmax_element(&largest[static_cast<std::size_t>(age)],
                                                 &largest[static_cast<std::size_t>(age)] + kLineQueries);
    if (!(off <= kOffLine * *low && *high <= 2.0f * *low)) return false;
  }
  return window >= kLineQueries;
}

/// Cells of the columns from `first` on.
CellSpread spread_from(const std::vector<float>& gain, const std::vector<float>& offset, std::size_t first) {
  if (gain.empty()) return {};
  return {&gain[first * kArrayRows], &offset[first * kArrayRows]};
}

}  // namespace

PreparedTable::PreparedTable(const AnalogDevice& device, const Kernel& kernel) : kernel_(kernel) {
  const std::size_t stride = device.weight_levels <= 8                 ? 8
                             : device.weight_levels <= kRegisterLevels ? 16
                                                                       : static_cast<std::size_t>(device.weight_levels);
  table_.read = padded(device.read, stride, padded_read_);
  table_.edge = padded(device.edge, stride, padded_edge_);
  table_.window = static_cast<std::ptrdiff_t>(device.window);
  table_.stride = static_cast<std::ptrdiff_t>(stride);
  const bool cells_vary = device.variation.cell_gain_sigma != 0.0 || device.variation.cell_offset_sigma != 0.0;
  if (kernel.reads_digits && !cells_vary && device.query_levels != 0 && device.query_levels <= kDigitCodes)
    write_digits(device);
  table_.straight = kernel.reads_lines && cells_vary && on_lines(table_.read, table_.window, table_.stride) &&
                    on_lines(table_.edge, table_.window, table_.stride);
}

void PreparedTable::write_digits(const AnalogDevice& device) {
  const bool with_edge = device.edge.size() != 0;
  const double code = 1.0 / (device.query_levels - 1);
  read_digits_.resize(device.window);
  edge_digits_.resize(with_edge ? device.window : 0);
  for (Eigen::Index age = 0; age < device.read.rows(); ++age) {
    double most = code * double{device.read.row(age).abs().maxCoeff()};
    if (with_edge) most = std::max(most, double{device.edge.row(age).abs().maxCoeff()});
    int exponent = 0;  // a power of two: what whole numbers of it hold exactly stays exact
    std::frexp(most / kLargestWhole, &exponent);
    const double unit = std::ldexp(1.0, exponent);
    const auto at = static_cast<std::size_t>(age);
    read_digits_[at] = digit_row(device.read.row(age), code, unit);
    if (with_edge) edge_digits_[at] = digit_row(device.edge.row(age), 1.0, unit);
  }
  table_.read_digits = read_digits_.data();
  table_.edge_digits = edge_digits_.data();
  table_.codes_per_pulse = static_cast<float>(device.query_levels - 1);
}

std::vector<std::uint8_t> pack_columns(const std::vector<std::uint8_t>& level) {
  std::vector<std::uint8_t> packed(level.size() + kColumnPadding * kArrayRows, 0);
  for (std::size_t column = 0; column < level.size(); column += kArrayRows) {
    for (std::size_t d = 0; d < kArrayRows; ++d) packed[column + packed_place(d)] = level[column + d];
  }
  return packed;
}

void TableCells::score(const BlockShape& shape, const Run& run, float* S) const {
  CellSpread spread;
  if (varied_ != nullptr) spread = spread_from(varied_->k_gain, varied_->k_offset, run.first % window());
  kernel_.score(shape, table_, spread, q_ + (static_cast<std::size_t>(shape.first_token) - first_query_) * kArrayRows,
                k_ + run.first % capacity_ * kArrayRows, v_ + run.first % capacity_ * kArrayRows, S);
}

void TableCells::weigh(const BlockShape& shape, const Run& run, const float* phi, float* A) const {
  CellSpread spread;
  if (varied_ != nullptr) spread = spread_from(varied_->v_gain, varied_->v_offset, run.first % window());
  kernel_.weigh(shape, table_, spread, phi, v_ + run.first % capacity_ * kArrayRows, A);
}

}  // namespace gaincal::attention
