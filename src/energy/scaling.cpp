#include "energy/scaling.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace gaincal::energy {
namespace {

/// Phases with another longest pulse and another number of sub-tiles to add.
double latency_s(const device::CircuitModel& model, double tiles_before, double tiles, double longer_pulse_s) {
  const auto depth = [](double n) { return std::max(1.0, std::ceil(std::log2(n))); };
  double sum_s = 0.0;
  for (const device::Phase& phase : model.phases) {
    const bool pulse = phase.name == "score pulse" || phase.name == "score conversion and sum pulse" ||
                       phase.name == "output conversion";
    sum_s += phase.name == "add" ? phase.duration_s * depth(tiles) / depth(tiles_before)
                                 : phase.duration_s + (pulse ? longer_pulse_s : 0.0);
  }
  return sum_s;
}

std::vector<Sheet::Column> cost_columns(Sheet::Column first) {
  return {std::move(first),
          {"arrays", Unit::joule},
          {"total, control held", Unit::joule},
          {"total, control scaled", Unit::joule},
          {"latency", Unit::second},
          {"planar", Unit::square_metre},
          {"3D-stacked", Unit::square_metre}};
}

std::vector<Sheet::Cell> cost_cells(Sheet::Cell first, const HeadCost& cost) {
  return {std::move(first), cost.arrays_J, cost.held_J, cost.scaled_J, cost.latency_s, cost.planar_m2, cost.stacked_m2};
}

std::vector<std::string> law_notes(const Baseline& baseline) {
  return {
      "Laws, D head size and M window: cells and word lines D M; K converters M; signed converters, counters and "
      "adders D M / 64; writes and DACs D; adder time log2(M / 64).",
      "Control and routing is the paper's figure for M = " +
          std::to_string(std::lround(baseline.account.window_columns)) +
          " and has no law: held at it, or scaled with the sub-tiles and D; the truth lies between."};
}

}  // namespace

HeadCost head_cost(const Baseline& baseline, double window, double head_size) {
  const Account& account = baseline.account;
  HeadShape shape = baseline.shape;
  const double d = head_size / account.head_size, m = window / account.window_columns;
  const double tiles_before = shape.tiles();
  shape.window = window;
  shape.head_size = head_size;
  const double tiles = shape.tiles() / tiles_before;
  HeadCost cost;
  for (const Part& part : account.parts) {
    const double factor = part.law == Law::cells     ? d * m
                          : part.law == Law::columns ? m
                          : part.law == Law::outputs ? d * tiles
                          : part.law == Law::rows    ? d
                                                     : 1.0;
    const double energy_J = part.full_window_J * factor;
    if (part.origin == device::Origin::extracted) cost.arrays_J += energy_J;
    cost.held_J += energy_J;
    cost.scaled_J += part.law == Law::constant ? energy_J * d * tiles : energy_J;
  }
  cost.latency_s = latency_s(baseline.model, tiles_before, shape.tiles(), 0.0);
  cost.planar_m2 = planar_m2(shape, baseline.constants);
  cost.stacked_m2 = stacked_m2(shape, baseline.constants);
  return cost;
}

Sheet window_scaling(const Baseline& baseline) {
  Sheet sheet{"scaling_window", "One token in one head over the window", cost_columns({"window"}), {}};
  sheet.columns.push_back({"age of the oldest token", Unit::second});
  for (double window = 256.0; window <= 16384.0; window *= 2.0) {
    const HeadCost cost = head_cost(baseline, window, baseline.account.head_size);
    auto row = cost_cells(window, cost);
    row.emplace_back(window * baseline.layers * cost.latency_s);
    sheet.rows.push_back(std::move(row));
  }
  sheet.notes = law_notes(baseline);
  sheet.notes.push_back("The age is that of " + std::to_string(std::lround(baseline.layers)) +
                        " layers run one after another.");
  return sheet;
}

Sheet head_scaling(const Baseline& baseline) {
  Sheet sheet{"scaling_head", "One token in one head over the head size", cost_columns({"head size"}), {}};
  for (const double head_size : {32.0, 64.0, 96.0, 128.0})
    sheet.rows.push_back(cost_cells(head_size, head_cost(baseline, baseline.account.window_columns, head_size)));
  sheet.notes = law_notes(baseline);
  sheet.notes.push_back("Converters keep their full scale, so a column of more cells saturates earlier.");
  return sheet;
}

Sheet level_scaling(const Baseline& baseline) {
  const device::CircuitModel& model = baseline.model;
  Sheet sheet{"scaling_levels",
              "One token in one head over the number of pulse widths, the clock held",
              {{"pulse widths"},
               {"longest pulse", Unit::second},
               {"arrays", Unit::joule},
               {"total, control held", Unit::joule},
               {"latency", Unit::second}},
              {}};
  const double t_max_s = model.cell.t_pulse_max_s, step_s = t_max_s / (static_cast<double>(model.query_levels) - 1.0);
  const auto active_s = [&](const char* setup) {  // of a conversion: its setup and the longest pulse
    for (const device::Phase& phase : model.phases)
      if (phase.name == setup) return phase.duration_s + t_max_s;
    return t_max_s;
  };
  for (const double levels : {4.0, 8.0, 16.0, 32.0, 64.0}) {
    const double pulse_s = step_s * (levels - 1.0), longer_s = pulse_s - t_max_s;
    double arrays_J = 0.0, total_J = 0.0;
    for (const Part& part : baseline.account.parts) {
      double factor = 1.0;
      if (part.name == "K cells" || part.name == "V cells" || part.name == "counters") factor = pulse_s / t_max_s;
      if (part.name == "K converters") factor = 1.0 + longer_s / active_s("score converter setup");
      if (part.name == "signed converters") factor = 1.0 + longer_s / active_s("output converter setup");
      if (part.origin == device::Origin::extracted) arrays_J += part.full_window_J * factor;
      total_J += part.full_window_J * factor;
    }
    const double tiles = baseline.shape.tiles();
    sheet.rows.push_back({levels, pulse_s, arrays_J, total_J, latency_s(model, tiles, tiles, longer_s)});
  }
  sheet.notes = {
      "The same number for query and output: both pulses grow with it. Cells and counters in proportion to "
      "the longest pulse, converters to setup and pulse together, the rest held.",
      "Area is held but for one bit of counter per doubling. More weight levels cost no event energy; they "
      "shorten the retention: half a step between levels is now " +
          format_quantity(100.0 * half_level_step(model), Unit::none, 3) + " % of the largest current."};
  return sheet;
}

const std::vector<ModelSize>& model_sizes() {
  static const std::vector<ModelSize> kSizes = {{"gpt2 (124M)", 12, 12, 1024, 50257},
                                                {"gpt2-medium (355M)", 24, 16, 1024, 50257},
                                                {"gpt2-large (774M)", 36, 20, 1024, 50257},
                                                {"gpt2-xl (1.5B)", 48, 25, 1024, 50257}};
  return kSizes;
}

Sheet model_scaling(const Baseline& baseline) {
  Sheet sheet{"scaling_model",
              "Attention of one token in all layers and heads of a GPT-2, window 1024",
              {{"model", Unit::none, true},
               {"layers"},
               {"heads"},
               {"arrays", Unit::joule},
               {"total", Unit::joule},
               {"latency", Unit::second},
               {"planar", Unit::square_metre},
               {"3D-stacked", Unit::square_metre},
               {"age of the oldest token", Unit::second}},
              {}};
  for (const ModelSize& size : model_sizes()) {
    const HeadCost cost = head_cost(baseline, size.context, 64.0);
    const double heads = size.layers * size.heads;
    sheet.rows.push_back({size.name, size.layers, size.heads, heads * cost.arrays_J, heads * cost.held_J,
                          size.layers * cost.latency_s, heads * cost.planar_m2, heads * cost.stacked_m2,
                          size.context * size.layers * cost.latency_s});
  }
  sheet.notes = {
      "Layers one after another, heads side by side, an array pair for every head; linear layers are not in "
      "it."};
  return sheet;
}

Sheet whole_model_sheet(const Baseline& baseline) {
  Sheet sheet{"whole_model",
              "Share of attention in a whole model, per token at a full window of 1024",
              {{"model", Unit::none, true},
               {"multiply-add", Unit::joule},
               {"attention here", Unit::joule},
               {"attention digital", Unit::joule},
               {"linear and logits", Unit::joule},
               {"share here (%)"},
               {"share digital (%)"}},
              {}};
  const double mac_J = baseline.constants("mac");
  for (const ModelSize& size : model_sizes())
    for (const double each_J : {0.1 * mac_J, mac_J, 10.0 * mac_J}) {
      const double analog_J = size.layers * size.heads * head_cost(baseline, size.context, 64.0).held_J;
      const double digital_J = each_J * size.attention_macs(size.context), rest_J = each_J * size.linear_macs();
      sheet.rows.push_back({size.name, each_J, analog_J, digital_J, rest_J, 100.0 * analog_J / (analog_J + rest_J),
                            100.0 * digital_J / (digital_J + rest_J)});
    }
  sheet.notes = {
      "Linear layers and logits: 12 L C^2 + V C multiply-adds per token; digital attention: 2 L C M of them, with "
      "nothing for moving keys and values, which is what it mostly costs on a GPU.",
      "The J per multiply-add is the constant 'mac' and ten times less and more; set it with --set mac=..."};
  return sheet;
}

}  // namespace gaincal::energy
