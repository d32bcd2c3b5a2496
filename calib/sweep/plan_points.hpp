#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "store/table.hpp"
#include "sweep/plan.hpp"
#include "sweep/plan_circuit.hpp"

namespace gaincal::sweep {

/// One dimension of the points: conditions and samples first, then the axes in the order of the plan, where a zipped
/// group stands at its first axis.
struct PlanDimension {
  enum class Kind { corner, temperature, supply, sample, axes };
  Kind kind = Kind::axes;
  std::string name;
  std::size_t size = 0;
  std::vector<std::size_t> axes;  ///< one, or a zipped group
};

/// A value that acts at the next analysis, without a reload.
struct Alteration {
  std::string target;  ///< "vgs dc", "@m1[w]"
  double value = 0.0;

  std::string command() const;
};

/// The numbered points of a plan: the outer product of its dimensions, row-major, last one fastest.
class PlanPoints {
 public:
  /// Throws  UsageError when an axis names nothing of the netlist
  PlanPoints(const Plan& plan, const PlanCircuit& circuit);

  /// As a floating-point number too, for plans that no integer holds.
  double estimate() const;
  std::size_t count() const { return count_; }
  const std::vector<PlanDimension>& dimensions() const { return dimensions_; }
  const std::vector<Operand>& operands() const { return operands_; }
  std::vector<store::Axis> axes() const;

  std::size_t index(std::size_t point, std::size_t dimension) const {
    return point / stride_[dimension] % dimensions_[dimension].size;
  }
  std::size_t stride(std::size_t dimension) const { return stride_[dimension]; }
  double axis_value(std::size_t point, std::size_t axis) const;

  NetlistSetting setting(std::size_t point) const;
  std::vector<Alteration> alterations(std::size_t point) const;
  /// 0 without Monte Carlo.
  std::size_t sample(std::size_t point) const;
  std::string key(std::size_t point) const;
  /// Whether moving along a dimension asks for another netlist text.
  bool reloads(std::size_t dimension) const;

 private:
  const Plan plan_;
  const PlanCircuit& circuit_;
  std::vector<Operand> operands_;  // per axis, resolved
  std::vector<PlanDimension> dimensions_;
  std::vector<std::size_t> stride_;
  std::vector<std::size_t> dimension_of_axis_;
  std::vector<std::vector<double>> nominal_;  // per corner, of the process parameters
  std::size_t count_ = 1;
};

}  // namespace gaincal::sweep
