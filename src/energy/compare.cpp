#include "energy/compare.hpp"

#include <algorithm>
#include <cmath>

#include "energy/paper.hpp"

namespace gaincal::energy {
namespace {

double energy_of(const Account& account, const char* part) {
  double sum_J = 0.0;
  for (const Part& each : account.parts)
    if (each.name == part) sum_J += each.full_window_J;
  return sum_J;
}

std::string joules(double value) { return format_quantity(value, Unit::joule, 3); }
std::string amperes(double value) { return format_quantity(value, Unit::ampere, 3); }
std::string percent(double share) { return format_quantity(100.0 * share, Unit::none, 2) + " %"; }

/// What the ramp of a conversion takes at most: its current from the supply for the longest pulse.
double ramp_J(const device::CircuitModel& model, const device::ReadoutModel& readout) {
  const double slope = readout.positive.slope_s_per_C;  // s/C: a ramp of 1 A takes 1 s for 1 C
  const double supply_V = model.write.v_target_V.empty() ? 0.0 : model.write.v_target_V.back();
  return slope > 0.0 ? supply_V * model.cell.t_pulse_max_s / slope : 0.0;
}

/// A read over the longest pulse, mean of the two end levels.
double full_read_J(const device::CircuitModel& model) {
  double sum_J = 0.0;
  for (const double v_V : {model.write.v_stored_V.front(), model.write.v_stored_V.back()})
    sum_J += 0.5 * (model.read_energy.energy_J(v_V, model.cell.t_pulse_max_s) - model.read_energy.word_line_J(v_V));
  return sum_J;
}

double full_word_line_J(const device::CircuitModel& model) {
  return 0.5 * (model.read_energy.word_line_J(model.write.v_stored_V.front()) +
                model.read_energy.word_line_J(model.write.v_stored_V.back()));
}

}  // namespace

std::vector<ComparisonRow> compare(const Baseline& baseline) {
  const HeadCost cost = head_cost(baseline, paper::kWindow, paper::kHeadSize);
  const std::string gpu = "measured by Leroux et al. 2025";
  std::vector<ComparisonRow> rows = {
      {"this work (our circuit)", paper::kHeads * cost.held_J, cost.latency_s, 1.0, 1.0,
       "writes, reads and conversions from SPICE; counters and adders assumed; DACs, control and routing at the "
       "paper's figures",
       "linear layers, recharge of the bit lines, clock and bias generation", "this run"},
      {"paper (analog)", paper::kHeads * paper::kHead_J, paper::kToken_s, 1.0, 1.0,
       "arrays, converters, DACs, digital control and routing", "linear layers", paper::kSource},
      {"RTX 4090", paper::kRtx4090_J, paper::kRtx4090_s, 1.0, 1.0,
       "power of the GPU times the time of attention, with its memory", "linear layers", gpu},
      {"Jetson Nano", paper::kJetsonNano_J, paper::kJetsonNano_s, 1.0, 1.0,
       "power of the GPU times the time of attention, with its memory", "linear layers", gpu},
  };
  for (ComparisonRow& row : rows) {
    row.energy_ratio = row.energy_J / rows[0].energy_J;
    row.latency_ratio = row.latency_s / rows[0].latency_s;
  }
  return rows;
}

Sheet comparison_sheet(const Baseline& baseline) {
  Sheet sheet{"compare",
              "Attention of one token: 12 heads of size 64, window 1024, one layer",
              {{"system", Unit::none, true},
               {"energy", Unit::joule},
               {"x this work"},
               {"latency", Unit::second},
               {"x its latency"},
               {"counted", Unit::none, true},
               {"not counted", Unit::none, true},
               {"source", Unit::none, true}},
              {}};
  for (const ComparisonRow& row : compare(baseline))
    sheet.rows.push_back({row.system, row.energy_J, row.energy_ratio, row.latency_s, row.latency_ratio, row.counted,
                          row.not_counted, row.source});
  return sheet;
}

ArrayScaling scale_arrays(const Baseline& baseline) {
  const Account& account = baseline.account;
  const device::CircuitModel& model = baseline.model;
  ArrayScaling scaling;
  for (const double v_V : model.write.v_stored_V)
    scaling.our_current_A = std::max(scaling.our_current_A, std::abs(model.cell.current_A(v_V)));
  scaling.paper_current_A = baseline.constants("paper_cell_current");
  const double ratio = scaling.our_current_A > 0.0 ? scaling.paper_current_A / scaling.our_current_A : 0.0;
  scaling.k_run = {energy_of(account, "K cells"), energy_of(account, "K word lines"),
                   energy_of(account, "K converters")};
  scaling.v_run = {energy_of(account, "V cells"), energy_of(account, "V word lines"),
                   energy_of(account, "signed converters")};
  const double cells = account.head_size * account.window_columns;
  const auto scale = [&](const ArrayScaling::Array& run, double conversions, double each_ramp_J, double& share,
                         ArrayScaling::Array& scaled, ArrayScaling::Array& full) {
    share = run.converters_J > 0.0 ? std::min(1.0, each_ramp_J * conversions / run.converters_J) : 0.0;
    scaled = {run.cells_J * ratio, run.word_lines_J, run.converters_J * (1.0 - share + share * ratio)};
    full = {cells * full_read_J(model) * ratio, cells * full_word_line_J(model), scaled.converters_J};
  };
  scale(scaling.k_run, account.window_columns, ramp_J(model, model.score_readout), scaling.ramp_share_K,
        scaling.k_scaled, scaling.k_full);
  scale(scaling.v_run, baseline.shape.outputs(), ramp_J(model, model.output_readout), scaling.ramp_share_V,
        scaling.v_scaled, scaling.v_full);
  return scaling;
}

Sheet array_sheet(const Baseline& baseline) {
  const ArrayScaling s = scale_arrays(baseline);
  Sheet sheet{"arrays_at_paper_current",
              "The arrays beside the paper's, window " + std::to_string(std::lround(baseline.account.window_columns)),
              {{"array", Unit::none, true},
               {"cells", Unit::joule},
               {"word lines", Unit::joule},
               {"converters", Unit::joule},
               {"sum", Unit::joule},
               {"paper", Unit::joule},
               {"sum over paper"}},
              {}};
  const auto row = [&](const std::string& name, const ArrayScaling::Array& array, double paper_J) {
    sheet.rows.push_back({name, array.cells_J, array.word_lines_J, array.converters_J, array.total_J(), paper_J,
                          array.total_J() / paper_J});
  };
  const std::string at = " at " + amperes(s.paper_current_A);
  row("K, operands of the run", s.k_run, paper::kScoreArrays_J);
  row("K, operands of the run" + at, s.k_scaled, paper::kScoreArrays_J);
  row("K, every cell at full scale" + at, s.k_full, paper::kScoreArrays_J);
  row("V, operands of the run", s.v_run, paper::kSumArrays_J);
  row("V, operands of the run" + at, s.v_scaled, paper::kSumArrays_J);
  row("V, every cell at full scale" + at, s.v_full, paper::kSumArrays_J);

  const double cells = baseline.account.head_size * baseline.account.window_columns;
  const double ratio = s.paper_current_A / s.our_current_A;
  sheet.notes = {"Our cell draws " + amperes(s.our_current_A) + " at its strongest level, the paper's about " +
                     amperes(s.paper_current_A) + ": cells and the converters' ramps are scaled by " +
                     format_quantity(ratio, Unit::none, 3) + ". Ramps take at most " + percent(s.ramp_share_K) +
                     " of our unsigned and " + percent(s.ramp_share_V) +
                     " of our signed conversions; the rest is bias, which a "
                     "weaker cell does not save.",
                 "Scaled, K comes to " + joules(s.k_scaled.total_J()) + " (" +
                     percent(s.k_scaled.total_J() / paper::kScoreArrays_J) + " of the paper's " +
                     joules(paper::kScoreArrays_J) + ") and V to " + joules(s.v_scaled.total_J()) + " (" +
                     percent(s.v_scaled.total_J() / paper::kSumArrays_J) + " of " + joules(paper::kSumArrays_J) + ").",
                 "Operands: a K cell of the run costs " + joules(s.k_run.cells_J / cells) + " and a V cell " +
                     joules(s.v_run.cells_J / cells) + " a token, where a read over the longest pulse costs " +
                     joules(s.k_full.cells_J / cells / ratio) +
                     " (mean of both end levels): most pulses are short, most levels weak, and a positive weight takes "
                     "its charge from "
                     "the bit line, which the converter's ramp returns.",
                 "With every cell at full scale K would take " + joules(s.k_full.total_J()) + " and V " +
                     joules(s.v_full.total_J()) + ": the paper's figures lie " +
                     (paper::kScoreArrays_J > s.k_full.total_J() ? "above" : "between the run's operands and") +
                     (paper::kScoreArrays_J > s.k_full.total_J() ? " even this for K" : " this for K") + ", " +
                     (paper::kSumArrays_J > s.v_full.total_J() ? "above it for V." : "and below it for V.")};
  return sheet;
}

}  // namespace gaincal::energy
