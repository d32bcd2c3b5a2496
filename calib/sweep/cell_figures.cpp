#include "sweep/cell_figures.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "netlist/decks.hpp"
#include "sweep/measures.hpp"

namespace gaincal::sweep {
namespace {

using netlist::Design;
using spice::Simulator;

/// Stored voltage where the charge of the longest read changes sign; the middle of the range where it does not.
double zero_voltage_V(const Design& design, const std::vector<double>& q_C) {
  for (std::size_t level = 1; level < q_C.size(); ++level)
    if (q_C[level - 1] < 0 && q_C[level] >= 0) {
      const double part = q_C[level - 1] / (q_C[level - 1] - q_C[level]);
      return design.level_voltage_V(level - 1) +
             part * (design.level_voltage_V(level) - design.level_voltage_V(level - 1));
    }
  return design.v_middle_V();
}

void measure_reads(Simulator& simulator, const Design& design, CellFigures& figures) {
  std::vector<double> q_C;
  const double short_s = 0.2 * design.t_max_s;
  for (std::size_t level = 0; level < design.weight_levels; ++level) {
    const double v_V = design.level_voltage_V(level);
    const auto whole = measure_cell_read(simulator, design, netlist::cell_read_deck(design, v_V, design.t_max_s));
    const auto part = measure_cell_read(simulator, design, netlist::cell_read_deck(design, v_V, short_s));
    q_C.push_back(whole[0]);
    figures.q_edge_C =
        std::max(figures.q_edge_C, std::abs(part[0] - (whole[0] - part[0]) / (design.t_max_s - short_s) * short_s));
    figures.dv_read_V = std::max(figures.dv_read_V, std::abs(whole[3]));
    figures.e_read_J = std::max(figures.e_read_J, whole[1] + whole[2]);
  }
  figures.q_high_C = q_C.back();
  figures.q_low_C = q_C.front();
  figures.v_zero_V = zero_voltage_V(design, q_C);
  const double range_C = q_C.back() - q_C.front();
  for (std::size_t level = 0; level < q_C.size(); ++level) {
    const double line_C = q_C.front() + range_C * static_cast<double>(level) / static_cast<double>(q_C.size() - 1);
    figures.nonlinearity = std::max(figures.nonlinearity, std::abs((q_C[level] - line_C) / range_C));
  }
}

void measure_writes(Simulator& simulator, const Design& design, CellFigures& figures) {
  const std::size_t top = design.weight_levels - 1;
  for (const std::size_t level : {std::size_t{0}, top / 2, top})
    for (const std::size_t previous : {std::size_t{0}, top}) {
      const double target_V = design.level_voltage_V(level);
      const auto deck = netlist::cell_write_deck(design, target_V, design.level_voltage_V(previous));
      const auto written = measure_cell_write(simulator, design, deck, target_V);
      figures.write_error_V = std::max(figures.write_error_V, std::abs(written[0] - target_V));
      figures.e_write_J = std::max(figures.e_write_J, written[1]);
      figures.t_settle_s = std::max(figures.t_settle_s, written[2]);
    }
}

}  // namespace

CellFigures measure_cell(Simulator& simulator, const Design& design) {
  CellFigures figures;
  measure_reads(simulator, design, figures);
  measure_writes(simulator, design, figures);
  for (const double v_V : {design.v_min_V, design.v_max_V}) {
    const auto lost_V = [&](double age_s) {
      return std::abs(measure_cell_leak(simulator, netlist::cell_leak_deck(design, v_V, age_s), {age_s})[0] - v_V);
    };
    figures.lost_5ms_V = std::max(figures.lost_5ms_V, lost_V(5e-3));
    figures.lost_1s_V = std::max(figures.lost_1s_V, lost_V(1.0));
  }
  return figures;
}

}  // namespace gaincal::sweep
