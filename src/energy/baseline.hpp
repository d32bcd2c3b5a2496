#pragma once

#include "energy/scaling.hpp"
#include "store/model_file.hpp"

namespace gaincal::energy {

/// Account of a run, its circuit, and the shape of its head.
///
/// results    a file with a table "energy"
/// constants  with what the user set
/// layers     run one after another: 12 in the paper's comparison
/// Throws     Error as read_account
Baseline make_baseline(const store::Dataset& results, const device::CircuitModel& model, const Constants& constants,
                       double layers = 12.0);

/// How a baseline is looked at.
struct View {
  bool pipelined = false;
  std::vector<double> tolerances;  ///< of retention; empty: 1 %, 5 % and half a step between levels
};

/// Energy by part, over tokens, beside the paper and GPUs; timing, area and retention.
std::vector<Sheet> cost_sheets(const store::Dataset& results, const Baseline& baseline, const View& view);
/// Over window, head size, levels and model size.
std::vector<Sheet> scaling_sheets(const Baseline& baseline);
/// The constants with origin and source.
Sheet constants_sheet(const Constants& constants);

}  // namespace gaincal::energy
