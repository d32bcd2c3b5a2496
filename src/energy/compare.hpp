#pragma once

#include <string>
#include <vector>

#include "energy/scaling.hpp"

namespace gaincal::energy {

/// Attention of one token over a full window: 12 heads of size 64, one layer.
struct ComparisonRow {
  std::string system;
  double energy_J = 0.0;
  double latency_s = 0.0;
  double energy_ratio = 1.0;  ///< to this work: > 1 takes more
  double latency_ratio = 1.0;
  std::string counted;      ///< what the figures count
  std::string not_counted;  ///< and what not
  std::string source;
};

/// This work, the paper, and the GPUs that its authors measured; 12 heads at the paper's window.
std::vector<ComparisonRow> compare(const Baseline& baseline);
Sheet comparison_sheet(const Baseline& baseline);

/// Our two arrays beside the paper's: as they are, with the paper's cell current, and with every cell at full scale.
struct ArrayScaling {
  double our_current_A = 0.0, paper_current_A = 0.0;
  double ramp_share_K = 0.0, ramp_share_V = 0.0;  ///< of a conversion's energy, what its ramp current takes at most
  struct Array {
    double cells_J = 0.0, word_lines_J = 0.0, converters_J = 0.0;
    double total_J() const { return cells_J + word_lines_J + converters_J; }
  };
  Array k_run, v_run;        ///< full window, operands of the run
  Array k_scaled, v_scaled;  ///< cells and ramps at the paper's current
  Array k_full, v_full;      ///< at that current, every cell read over the longest pulse at an end level
};

/// Cells and the converters' ramps (I_ramp = 1 / slope, for the longest pulse at the supply) are in proportion to the
/// cell's current; word lines and the converters' bias are not.
ArrayScaling scale_arrays(const Baseline& baseline);
/// The table, with the difference to the paper explained from the figures.
Sheet array_sheet(const Baseline& baseline);

}  // namespace gaincal::energy
