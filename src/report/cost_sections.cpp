#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "energy/baseline.hpp"
#include "energy/compare.hpp"
#include "energy/paper.hpp"
#include "energy/timing.hpp"
#include "energy/tokens.hpp"
#include "report/sections.hpp"

namespace gaincal::report {
namespace {

using Style = Series::Style;

constexpr double kNano = 1e9, kPico = 1e12, kMm2 = 1e6;
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kMostBars = 24;      // more heads than this are drawn by layer
constexpr std::size_t kMostPoints = 1500;  // of a scatter plot
constexpr const char* kMissingCost = "model.h5, or the energy table of results.h5";

std::optional<energy::Baseline> baseline_of(const Sources& sources) {
  if (!sources.model || !sources.results || !energy::has_account(*sources.results)) return {};
  return energy::make_baseline(*sources.results, sources.model->model, {});
}

struct PartBars {
  std::vector<double> run, full, paper;
};

Figure parts_figure(const energy::Account& account) {
  Panel events{"energy_parts", "Arrays, converters and what adds them up", "energy (pJ)", "", false, {}, {}, {}};
  Panel whole{"energy_whole", "A whole head", "energy (pJ)", "", false, {}, {}, {}};
  PartBars of_events, of_whole;
  const auto row = [](Panel& panel, PartBars& values, const std::string& name, double run_J, double full_J,
                      double paper_J) {
    panel.categories.push_back(name);
    values.run.push_back(run_J * kPico);
    values.full.push_back(full_J * kPico);
    values.paper.push_back(paper_J * kPico);
  };
  using energy::Group;
  row(whole, of_whole, "K arrays", account.group_J(Group::score_arrays),
      account.full_window_group_J(Group::score_arrays), energy::paper::kScoreArrays_J);
  row(whole, of_whole, "V arrays", account.group_J(Group::sum_arrays), account.full_window_group_J(Group::sum_arrays),
      energy::paper::kSumArrays_J);
  for (const energy::Part& part : account.parts)
    if (part.law == energy::Law::constant || part.name == "DACs")
      row(whole, of_whole, part.name, part.energy_J, part.full_window_J, part.paper_J);
    else
      row(events, of_events, part.name, part.energy_J, part.full_window_J, part.paper_J);
  row(whole, of_whole, "total", account.total_J(), account.full_window_total_J(), energy::paper::kHead_J);
  const std::string window = "window of " + fixed_text(account.window_columns, 0);
  events.bars = {bars("this run", Colour::muted, of_events.run, 1), bars(window, Colour::table, of_events.full, 1)};
  whole.bars = {bars("this run", Colour::muted, of_whole.run, 0), bars(window, Colour::table, of_whole.full, 0),
                bars("paper", Colour::closed_form, of_whole.paper, 0)};
  return {
      "Energy of one token and head by part: as this run did it, and scaled to a full window. Writes, reads and "
      "conversions are priced event by event with energies from SPICE; what has no netlist is marked in the table. "
      "The second panel has the arrays with their converters, as the paper gives them, beside its figures.",
      {std::move(events), std::move(whole)}};
}

Figure tokens_figure(const store::Table& tokens) {
  const std::vector<double> total = scaled(tokens.quantity("total").values, kPico);
  const std::vector<double>& columns = tokens.quantity("columns").values;
  Panel spread{"energy_tokens", "Energy of a token's events", "energy per head (pJ)", "share of tokens (%)"};
  spread.series = {histogram("", Colour::table, total, 40)};
  Panel growth{"energy_columns", "Energy over the columns in use", "occupied columns", "energy per head (pJ)"};
  Series points{"a token", Style::points, Colour::table, {}, {}};
  const std::size_t stride = std::max<std::size_t>(1, total.size() / kMostPoints);
  for (std::size_t i = 0; i < total.size(); i += stride) {
    points.x.push_back(columns[i]);
    points.y.push_back(total[i]);
  }
  growth.series = {points};
  return {
      "How the energy of the events differs between the tokens of the run, mean over its heads. It grows with the "
      "columns that hold a token, in steps where another sub-tile of 64 columns is switched on; what is left at one "
      "number of columns is what the operands do.",
      {std::move(spread), std::move(growth)}};
}

Figure heads_figure(const store::Table& heads) {
  const std::vector<double>&total = heads.quantity("total").values, &sigma = heads.quantity("sigma").values;
  const std::size_t layers = heads.axes.at(0).values.size(), each = heads.axes.at(1).values.size();
  const bool single = total.size() <= kMostBars;
  Panel panel{"energy_heads",
              single ? "Energy by layer and head" : "Energy by layer, mean over heads",
              "energy per token (pJ)",
              "",
              false,
              {},
              {},
              {}};
  BarGroup group{"", Colour::table, {}, {}, {}, {}};
  const auto bar = [&](const std::string& name, double energy_J, double error_J) {
    panel.categories.push_back(name);
    group.from.push_back(0.0);
    group.to.push_back(energy_J * kPico);
    group.error.push_back(error_J * kPico);
    group.labels.push_back(fixed_text(energy_J * kPico, 0));
  };
  for (std::size_t layer = 0; layer < layers; ++layer) {
    double sum_J = 0.0, spread_J = 0.0;
    for (std::size_t head = 0; head < each; ++head) {
      const std::size_t i = layer * each + head;
      sum_J += total[i] / static_cast<double>(each);
      spread_J += sigma[i] / static_cast<double>(each);
      if (single) bar("layer " + std::to_string(layer) + ", head " + std::to_string(head), total[i], sigma[i]);
    }
    if (!single) bar("layer " + std::to_string(layer), sum_J, spread_J);
  }
  panel.bars = {std::move(group)};
  return {
      "Energy of the events by layer and head, mean over the tokens; the error bar is the standard deviation between "
      "tokens. Every head converts the same number of columns: what differs is how long its pulses are and how "
      "strong the levels.",
      {std::move(panel)}};
}

Figure arrays_figure(const energy::ArrayScaling& s) {
  Panel panel{"arrays_paper",
              "Arrays with converters beside the paper's",
              "energy per token and head (pJ)",
              "",
              false,
              {},
              {},
              {}};
  const auto stack = [&](const char* name, Colour colour, double energy::ArrayScaling::Array::*part) {
    BarGroup group{name, colour, {}, {}, {}, {}};
    for (const auto* array : {&s.k_run, &s.k_scaled, &s.k_full, &s.v_run, &s.v_scaled, &s.v_full}) {
      group.from.push_back(0.0);
      group.to.push_back(array->*part * kPico);
      group.labels.push_back(fixed_text(array->*part * kPico, 0));
    }
    panel.bars.push_back(std::move(group));
  };
  panel.categories = {"K, run's operands", "K, paper's current", "K, all at full scale",
                      "V, run's operands", "V, paper's current", "V, all at full scale"};
  stack("cells", Colour::table, &energy::ArrayScaling::Array::cells_J);
  stack("converters", Colour::accent, &energy::ArrayScaling::Array::converters_J);
  const double k_pJ = energy::paper::kScoreArrays_J * kPico, v_pJ = energy::paper::kSumArrays_J * kPico;
  panel.bars.push_back(bars("paper, both", Colour::closed_form, {k_pJ, k_pJ, k_pJ, v_pJ, v_pJ, v_pJ}, 0));
  return {
      "The two arrays over a full window: with the operands of the run, with cells and ramps scaled to the paper's "
      "cell current, and with every cell read at full scale at that current. The paper gives one figure for each "
      "array with its converters. The text below says what the difference is made of.",
      {std::move(panel)}};
}

/// The arrays and the adders as rows, three tokens in them.
Panel pipeline_panel(const energy::Timing& timing, const std::string& id, const std::string& title) {
  Panel panel{id, title, "time (ns)", "", false, {}, {"K array", "V array", "adders"}, {}};
  const Colour colours[] = {Colour::table, Colour::held_out, Colour::accent};
  bool energy::Busy::*parts[] = {&energy::Busy::k_array, &energy::Busy::v_array, &energy::Busy::adder};
  for (int token = 0; token < 3; ++token) {
    BarGroup group{"token " + std::to_string(token + 1), colours[token], {}, {}, {}, {}};
    for (const auto part : parts) {
      double first_s = INFINITY, last_s = -INFINITY;
      for (const energy::Slot& slot : timing.slots) {
        if (!(slot.busy.*part)) continue;
        first_s = std::min(first_s, slot.start_s);
        last_s = std::max(last_s, slot.start_s + slot.phase.duration_s);
      }
      const bool used = std::isfinite(first_s);
      group.from.push_back(used ? (first_s + token * timing.interval_s) * kNano : 0.0);
      group.to.push_back(used ? (last_s + token * timing.interval_s) * kNano : kNone);
      group.labels.push_back("");
    }
    panel.bars.push_back(std::move(group));
  }
  return panel;
}

Panel phases_panel(const energy::Timing& timing) {
  Panel panel{"timing_phases", "Phases of a token in one layer", "time (ns)", "", false, {}, {}, {}};
  BarGroup group{"", Colour::table, {}, {}, {}, {}};
  for (const energy::Slot& slot : timing.slots) {
    panel.categories.push_back(slot.phase.name);
    group.from.push_back(slot.start_s * kNano);
    group.to.push_back((slot.start_s + slot.phase.duration_s) * kNano);
    group.labels.push_back(fixed_text(slot.phase.duration_s * kNano, 2));
  }
  panel.bars = {std::move(group)};
  return panel;
}

/// Numbers of a column of a sheet.
std::vector<double> numbers(const energy::Sheet& sheet, std::size_t column, double factor) {
  std::vector<double> values;
  for (const auto& row : sheet.rows) values.push_back(std::get<double>(row[column]) * factor);
  return values;
}

}  // namespace

Section energy_section(const Sources& sources) {
  Section section{"energy", "Energy"};
  const auto baseline = baseline_of(sources);
  if (!baseline) {
    section.blocks.push_back(Missing{kMissingCost, kFlow});
    return section;
  }
  section.blocks.push_back(parts_figure(baseline->account));
  add_sheet(section, energy::energy_sheet(baseline->account));
  const store::Table* tokens = find_table(sources.results, "energy_tokens");
  const store::Table* heads = find_table(sources.results, "energy_heads");
  if (tokens != nullptr && tokens->points() > 0) {
    section.blocks.push_back(tokens_figure(*tokens));
    add_sheet(section, energy::statistics_sheet(*tokens));
  }
  if (heads != nullptr && heads->axes.size() == 2) {
    section.blocks.push_back(heads_figure(*heads));
    add_sheet(section, energy::heads_sheet(*heads));
  }
  if (tokens == nullptr || heads == nullptr)
    section.blocks.push_back(Missing{"the energy of each token and head in results.h5", kFlow});
  return section;
}

Section comparison_section(const Sources& sources) {
  Section section{"comparison", "Beside the paper and GPUs"};
  const auto baseline = baseline_of(sources);
  if (!baseline) {
    section.blocks.push_back(Missing{kMissingCost, kFlow});
    return section;
  }
  add_sheet(section, energy::comparison_sheet(*baseline));
  section.blocks.push_back(arrays_figure(energy::scale_arrays(*baseline)));
  add_sheet(section, energy::array_sheet(*baseline));
  add_sheet(section, energy::whole_model_sheet(*baseline));
  return section;
}

Section timing_section(const Sources& sources) {
  Section section{"timing", "Timing, area and retention"};
  if (!sources.model || sources.model->model.phases.empty()) {
    section.blocks.push_back(
        Missing{"model.h5, the phases of a token", "gaincal fit DIR/dataset.h5 --out DIR/model.h5"});
    return section;
  }
  const device::CircuitModel& model = sources.model->model;
  const energy::Timing serial = energy::make_timing(model, false), pipelined = energy::make_timing(model, true);
  section.blocks.push_back(Figure{
      "What one token does in one layer, one phase after the other; the number is the duration of a phase in ns. "
      "Extracted durations come from SPICE, the others are the paper's or assumed, as the table says. Beside it, what "
      "three tokens of a prompt keep busy when they overlap: the K array takes the next key while the V array sums.",
      {phases_panel(serial), pipeline_panel(pipelined, "timing_pipelined", "Three tokens of a prompt, pipelined")}});
  add_sheet(section, energy::timing_sheet(serial));
  add_sheet(section, energy::throughput_sheet(model, 12.0));
  const auto baseline = baseline_of(sources);
  if (!baseline) {
    section.blocks.push_back(Missing{"the window of the run, for area and retention: results.h5", kFlow});
    return section;
  }
  Panel area{"area_parts", "Area of one head", "area (mm2)", "", false, {}, {}, {}};
  std::vector<double> values;
  for (const energy::AreaPart& part : energy::area_parts(baseline->shape, baseline->constants)) {
    area.categories.push_back(part.name);
    values.push_back(part.area_m2 * kMm2);
  }
  area.bars = {bars("", Colour::table, values, 3)};
  section.blocks.push_back(Figure{
      "Area of one head by part, side by side. The bit-line capacitors and the cells take most of it; the cells can "
      "stand in layers above the rest. Only the cell's area is published, the others are assumed.",
      {std::move(area)}});
  add_sheet(section, energy::area_sheet(baseline->shape, baseline->constants));
  const double half_step = energy::half_level_step(model);
  add_sheet(section, energy::retention_sheet(model, baseline->shape, baseline->layers, {0.01, 0.05, half_step}));
  add_sheet(section, energy::refresh_sheet(model, baseline->shape, half_step));
  return section;
}

Section scaling_section(const Sources& sources) {
  Section section{"scaling", "Scaling"};
  const auto baseline = baseline_of(sources);
  if (!baseline) {
    section.blocks.push_back(Missing{kMissingCost, kFlow});
    return section;
  }
  const energy::Sheet window = energy::window_scaling(*baseline);
  const std::vector<double> m = numbers(window, 0, 1.0);
  Panel energy_panel{"scaling_energy", "Energy over the window", "window (tokens)", "energy per token and head (nJ)",
                     true};
  energy_panel.log_y = true;
  energy_panel.series = {{"arrays", Style::line, Colour::table, m, numbers(window, 1, kNano)},
                         {"all, control held", Style::dashed, Colour::closed_form, m, numbers(window, 2, kNano)},
                         {"all, control scaled", Style::dashed, Colour::held_out, m, numbers(window, 3, kNano)}};
  Panel area_panel{"scaling_area", "Area over the window", "window (tokens)", "area of a head (mm2)", true};
  area_panel.log_y = true;
  area_panel.series = {{"planar", Style::line, Colour::table, m, numbers(window, 5, kMm2)},
                       {"3D-stacked", Style::dashed, Colour::accent, m, numbers(window, 6, kMm2)}};
  section.blocks.push_back(Figure{
      "Energy and area of one head as its window grows. Arrays and converters are in proportion to it. Control and "
      "routing is one published figure for a window of 1024: the two dashed lines hold it and scale it with the number "
      "of sub-tiles.",
      {std::move(energy_panel), std::move(area_panel)}});
  for (const energy::Sheet& sheet : energy::scaling_sheets(*baseline)) add_sheet(section, sheet);
  return section;
}

}  // namespace gaincal::report
