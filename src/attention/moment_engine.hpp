#pragma once

#include <vector>

#include "attention/block.hpp"
#include "attention/operands.hpp"

namespace gaincal::attention {

/// Polynomial cells without a table: one matrix product per power of the stored voltage, each scaled by what has leaked
/// of it. For unquantised weights, and for levels that do not fit a register.
class MomentCells : public Cells {
 public:
  /// T tokens; varied null or as drawn: gains scale every moment of a cell, offsets are a moment more that does not
  /// leak.
  MomentCells(const AnalogDevice& device, const Operands& operands, std::size_t T, const HeadVariation* varied);

  void score(const BlockShape& shape, const Run& run, float* S) const override;
  void weigh(const BlockShape& shape, const Run& run, const float* phi, float* A) const override;

 private:
  float factor(std::size_t m, std::ptrdiff_t age) const {
    return age < 0 ? 0.0f : factor_[m * ages_ + static_cast<std::size_t>(age)];
  }

  const Operands* operands_;
  std::size_t moments_, ages_;
  std::vector<float> factor_;              ///< (moments, min(M, T)) moment times what has leaked, by age
  std::vector<std::vector<float>> k_, v_;  ///< per moment (T, 64): (volts - v_zero)^m
};

}  // namespace gaincal::attention
