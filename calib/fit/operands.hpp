#pragma once

#include <vector>

#include "netlist/design.hpp"
#include "store/table.hpp"

namespace gaincal::fit {

/// How often a run reads cells of a level with pulses of a width.
struct Operands {
  std::vector<double> v_level_V;  ///< (levels)
  std::vector<double> width_s;    ///< (codes), without the pulse of no width
  std::vector<double> count;      ///< (levels, codes) row-major

  bool empty() const { return count.empty(); }

  /// Weights of points of a cell's charge, mean 1: the counts of all operands that are nearest to a point, distances
  /// taken relative to both ranges. A point that stands for none keeps a thousandth, so that it still holds the form.
  ///
  /// v_V, x_s  (points)
  std::vector<double> weights(const std::vector<double>& v_V, const std::vector<double>& x_s) const;
};

/// Counts of the captured operands of a run: tables `queries` (pulse code of each row) and `cells` (level of each key).
///
/// Throws  Error when a table or attribute is missing, or the codes and levels are not the design's
Operands read_operands(const store::Dataset& captured, const netlist::Design& design);

}  // namespace gaincal::fit
