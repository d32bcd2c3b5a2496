#include "attention/moment_engine.hpp"

#include <algorithm>

namespace gaincal::attention {

namespace {

using Map = Eigen::Map<const Matrix, 0, Eigen::OuterStride<>>;
using Block = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor, kBlock, kBlock>;

Map rows(const float* data, std::ptrdiff_t n) {
  return {data, n, static_cast<Eigen::Index>(kBlock), Eigen::OuterStride<>(static_cast<Eigen::Index>(kBlock))};
}

std::vector<std::vector<float>> powers(const AnalogDevice& device, const std::vector<float>& volts) {
  std::vector<std::vector<float>> power(device.moment.size(), std::vector<float>(volts.size(), 1.0f));
  const auto zero = static_cast<float>(device.v_zero_V);
  for (std::size_t m = 1; m < power.size(); ++m) {
    for (std::size_t i = 0; i < volts.size(); ++i) power[m][i] = power[m - 1][i] * (volts[i] - zero);
  }
  return power;
}

/// Token s has the cells of column s mod M.
void vary(const std::vector<float>& gain, const std::vector<float>& offset, std::size_t window,
          std::vector<std::vector<float>>& moments) {
  const std::size_t ring = window * kArrayRows;
  for (std::vector<float>& moment : moments) {
    for (std::size_t i = 0; i < moment.size(); ++i) moment[i] *= gain[i % ring];
  }
  moments.emplace_back(moments.front().size());
  for (std::size_t i = 0; i < moments.back().size(); ++i) moments.back()[i] = offset[i % ring];
}

}  // namespace

MomentCells::MomentCells(const AnalogDevice& device, const Operands& operands, std::size_t T,
                         const HeadVariation* varied)
    : operands_(&operands),
      ages_(std::min(device.window, T)),
      k_(powers(device, operands.k)),
      v_(powers(device, operands.v)) {
  if (varied != nullptr && !varied->k_gain.empty()) {
    vary(varied->k_gain, varied->k_offset, device.window, k_);
    vary(varied->v_gain, varied->v_offset, device.window, v_);
  }
  moments_ = k_.size();
  factor_.assign(moments_ * ages_, 1.0f);
  for (std::size_t m = 0; m < device.moment.size(); ++m) {
    for (std::size_t age = 0; age < ages_; ++age) {
      factor_[m * ages_ + age] = static_cast<float>(moment_factor(device, m, age));
    }
  }
}

void MomentCells::score(const BlockShape& shape, const Run& run, float* S) const {
  Block product;
  for (std::ptrdiff_t t = 0; t < shape.tokens; ++t) std::fill_n(S + t * kBlock, shape.columns, 0.0f);
  for (std::size_t m = 0; m < moments_; ++m) {
    product.noalias() = rows(&operands_->q[static_cast<std::size_t>(shape.first_token) * kBlock], shape.tokens) *
                        rows(&k_[m][run.first * kBlock], shape.columns).transpose();
    for (std::ptrdiff_t t = 0; t < shape.tokens; ++t) {
      for (std::ptrdiff_t s = first_column(shape, t); s < last_column(shape, t); ++s) {
        S[t * kBlock + s] += factor(m, shape.first_age + t - s) * product(t, s);
      }
    }
  }
}

void MomentCells::weigh(const BlockShape& shape, const Run& run, const float* phi, float* A) const {
  Block width(shape.tokens, shape.columns);
  Eigen::Map<Matrix> sum(A, shape.tokens, static_cast<Eigen::Index>(kBlock));
  for (std::size_t m = 0; m < moments_; ++m) {
    width.setZero();
    for (std::ptrdiff_t t = 0; t < shape.tokens; ++t) {
      for (std::ptrdiff_t s = first_column(shape, t); s < last_column(shape, t); ++s) {
        width(t, s) = factor(m, shape.first_age + t - s) * phi[t * kBlock + s];
      }
    }
    sum.noalias() += width * rows(&v_[m][run.first * kBlock], shape.columns);
  }
}

}  // namespace gaincal::attention
