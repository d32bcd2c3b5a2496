#pragma once

#include "netlist/design.hpp"
#include "spice/simulator.hpp"

namespace gaincal::sweep {

/// What a gain cell of a design does with the bit line held. "Largest" is over the written levels.
struct CellFigures {
  double q_high_C = 0.0, q_low_C = 0.0;  ///< charge of the longest read at the highest and the lowest level
  double v_zero_V = 0.0;       ///< stored voltage where that charge changes sign; the middle of the range if nowhere
  double nonlinearity = 0.0;   ///< that charge from a line over the levels, largest, of the difference of the outer two
  double q_edge_C = 0.0;       ///< charge of a read beside what grows with its width, largest
  double dv_read_V = 0.0;      ///< stored voltage moved by a read, largest
  double e_read_J = 0.0;       ///< cell and word lines, longest read, largest
  double write_error_V = 0.0;  ///< stored minus target voltage, lowest, middle and highest level, largest
  double t_settle_s = 0.0;     ///< of these writes
  double e_write_J = 0.0;
  double lost_5ms_V = 0.0, lost_1s_V = 0.0;  ///< at the outer levels, the larger
};

/// Throws  Error when a run or a measure fails
CellFigures measure_cell(spice::Simulator& simulator, const netlist::Design& design);

}  // namespace gaincal::sweep
