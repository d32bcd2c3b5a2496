#include "sweep/characterize.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <utility>

#include "core/provenance.hpp"
#include "sweep/characterize_tables.hpp"
#include "sweep/run_points.hpp"

namespace gaincal::sweep {
namespace {

using netlist::Design;
using store::Axis;

// Injection at the end of a write moves the outer levels beyond the range that is written.
constexpr double kBeyondRange_V = 0.03;
// Shortest read of the grid, relative to t_max: half a step of the pulse width.
constexpr double kShortestRead = 1.0 / 30.0;
// First age after 0, relative to the last.
constexpr double kFirstAge = 1e-3;

/// The written levels, and `more` voltages spread between them.
std::vector<double> check_voltages(const Design& design, std::size_t more) {
  std::vector<double> values = middles(design.v_min_V, design.v_max_V, more);
  for (std::size_t level = 0; level < design.weight_levels; ++level) values.push_back(design.level_voltage_V(level));
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

std::vector<double> starts(const Design& design, std::size_t count) {
  return linear(design.v_min_V - kBeyondRange_V, design.v_max_V + kBeyondRange_V, count);
}

std::vector<double> widths(const Design& design, std::size_t count) {
  return linear(kShortestRead * design.t_max_s, design.t_max_s, count);
}

std::vector<double> ages(const netlist::Grids& grids) {
  std::vector<double> values = {0.0};
  for (const double power : linear(std::log(kFirstAge), 0.0, grids.leak_ages - 1))
    values.push_back(grids.age_max_s * std::exp(power));
  values.back() = grids.age_max_s;
  return values;
}

std::vector<double> between(const std::vector<double>& values) {
  std::vector<double> result;
  for (std::size_t i = 1; i < values.size(); ++i)
    result.push_back(values[i - 1] > 0 ? std::sqrt(values[i - 1] * values[i]) : 0.5 * values[i]);
  return result;
}

void add_nominal(Characterization& all, const Design& design) {
  const netlist::Grids& grids = design.grids;
  const Variants nominal{"", {}, {design}};
  add_cell_reads(all, nominal, "cell_read", starts(design, grids.cell_voltages), widths(design, grids.cell_widths));
  add_cell_reads(all, nominal, "cell_read_check", check_voltages(design, grids.cell_check_voltages),
                 middles(0.0, design.t_max_s, grids.cell_check_widths));
  std::vector<std::size_t> levels(design.weight_levels);
  for (std::size_t level = 0; level < levels.size(); ++level) levels[level] = level;
  add_cell_writes(all, nominal, levels);
  add_cell_leaks(all, nominal, "cell_leak", starts(design, grids.leak_starts), ages(grids));
  add_cell_leaks(all, nominal, "cell_leak_check", check_voltages(design, grids.leak_check_starts),
                 between(ages(grids)));
  for (const bool is_signed : {false, true}) {
    add_readouts(all, nominal, is_signed, false, grids.charges);
    add_readouts(all, nominal, is_signed, true, grids.check_charges);
    add_columns(all, design, is_signed, false, grids.columns);
    add_columns(all, design, is_signed, true, grids.check_columns);
  }
}

/// A design for each combination of corner, temperature and supply.
Variants variants_of(const Design& design, const std::string& prefix, const std::vector<std::string>& corners,
                     const std::vector<double>& temperatures_C, const std::vector<double>& supplies_V) {
  Variants variants;
  variants.prefix = prefix;
  variants.axes = {
      {"corner", "1", linear(0.0, static_cast<double>(corners.size() - 1), corners.size()), corners, "of the process"},
      {"temperature", "degC", temperatures_C, {}, "of the circuit"},
      {"supply", "V", supplies_V, {}, "of cells, drivers and converters"}};
  for (const std::string& corner : corners)
    for (const double temperature_C : temperatures_C)
      for (const double supply_V : supplies_V) {
        variants.designs.push_back(design);
        variants.designs.back().corner = corner;
        variants.designs.back().temperature_C = temperature_C;
        variants.designs.back().technology.supply_V = supply_V;
      }
  return variants;
}

/// Fewer points than at the nominal condition: two thirds of the voltages, half of the charges and starts.
constexpr std::size_t kConditionWidths = 2, kConditionChecks = 4;
std::size_t two_thirds(std::size_t count) { return std::max<std::size_t>(4, (2 * count + 2) / 3); }
std::size_t half(std::size_t count, std::size_t least) { return std::max(least, (count + 1) / 2); }

/// Points that lie between those that a condition is fitted to, and the extremes: outer levels and the longest pulse.
void add_checks(Characterization& all, const Variants& variants) {
  const Design& design = variants.designs.front();
  std::vector<double> voltages = middles(design.v_min_V, design.v_max_V, kConditionChecks);
  voltages.insert(voltages.begin(), design.v_min_V);
  voltages.push_back(design.v_max_V);
  std::vector<double> pulses_s = middles(0.0, design.t_max_s, kConditionWidths);
  pulses_s.push_back(design.t_max_s);
  add_cell_reads(all, variants, "cell_read_check", voltages, pulses_s);
  add_cell_leaks(all, variants, "cell_leak_check", voltages, between(ages(design.grids)));
  for (const bool is_signed : {false, true}) add_readouts(all, variants, is_signed, true, 3 * kConditionChecks);
}

void add_conditions(Characterization& all, const Design& design) {
  const netlist::Conditions& asked = design.conditions;
  const auto or_nominal = [](const std::vector<double>& values, double nominal) {
    return values.empty() ? std::vector<double>{nominal} : values;
  };
  const std::vector<std::string> corners =
      asked.corners.empty() ? std::vector<std::string>{design.corner} : asked.corners;
  const std::vector<double> temperatures_C = or_nominal(asked.temperatures_C, design.temperature_C);
  const std::vector<double> supplies_V = or_nominal(asked.supplies_V, design.technology.supply_V);
  const std::vector<std::size_t> outer_levels = {0, design.weight_levels - 1};

  const Variants fitted = variants_of(design, "conditions_", corners, temperatures_C, supplies_V);
  const netlist::Grids& grids = design.grids;
  add_cell_reads(all, fitted, "cell_read", starts(design, two_thirds(grids.cell_voltages)),
                 widths(design, kConditionWidths));
  add_cell_writes(all, fitted, outer_levels);
  add_cell_leaks(all, fitted, "cell_leak", starts(design, half(grids.leak_starts, 2)), ages(grids));
  for (const bool is_signed : {false, true}) add_readouts(all, fitted, is_signed, false, half(grids.charges, 8));
  add_checks(all, fitted);

  const auto middles_of = [](const std::vector<double>& values) {
    std::vector<double> result;
    for (std::size_t i = 1; i < values.size(); ++i) result.push_back(0.5 * (values[i - 1] + values[i]));
    return result.empty() ? values : result;
  };
  if (temperatures_C.size() + supplies_V.size() == 2) return;  // nothing to interpolate
  const Variants left_out =
      variants_of(design, "left_out_", corners, middles_of(temperatures_C), middles_of(supplies_V));
  add_cell_writes(all, left_out, outer_levels);
  add_checks(all, left_out);
}

std::string text(double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.10g", value);
  return buffer;
}

void describe(const Design& design, store::Dataset& dataset) {
  double t_token_s = 0.0;
  for (const device::Phase& phase : token_phases(design)) t_token_s += phase.duration_s;
  dataset.design_toml = design.toml;
  dataset.attributes = {{"design_name", design.name},
                        {"technology_name", design.technology.name},
                        {"corner", design.corner},
                        {"temperature_C", text(design.temperature_C)},
                        {"supply_V", text(design.technology.supply_V)},
                        {"rows", std::to_string(design.rows)},
                        {"columns", std::to_string(design.columns)},
                        {"window", std::to_string(design.window)},
                        {"query_levels", std::to_string(design.query_levels)},
                        {"weight_levels", std::to_string(design.weight_levels)},
                        {"counter_levels", std::to_string(design.counter_levels)},
                        {"t_max_s", text(design.t_max_s)},
                        {"score_bit_line_F", text(design.score_readout.c_bit_line_F)},
                        {"output_bit_line_F", text(design.output_readout.c_bit_line_F)},
                        {"t_token_s", text(t_token_s)}};
}

}  // namespace

std::vector<double> charge_grid(std::size_t count, double low_C, double high_C, const std::vector<double>& knees_C,
                                double scale_C) {
  // Points at equal steps of the integral of the density 1 + sum_k 6 / (1 + ((q - knee_k) / w)^2).
  const double w_C = 0.025 * scale_C;
  const auto cumulated = [&](double q_C) {
    double sum = q_C;
    for (const double knee_C : knees_C) sum += 6.0 * w_C * std::atan((q_C - knee_C) / w_C);
    return sum;
  };
  const double begin = cumulated(low_C), end = cumulated(high_C);
  std::vector<double> grid(count, low_C);
  for (std::size_t i = 1; i + 1 < count; ++i) {
    const double target = begin + (end - begin) * static_cast<double>(i) / static_cast<double>(count - 1);
    double left_C = low_C, right_C = high_C;
    for (int step = 0; step < 60; ++step) {
      const double middle_C = 0.5 * (left_C + right_C);
      (cumulated(middle_C) < target ? left_C : right_C) = middle_C;
    }
    grid[i] = 0.5 * (left_C + right_C);
  }
  if (count > 1) grid.back() = high_C;
  return grid;
}

store::Dataset characterize(const Design& design, const CharacterizeOptions& options) {
  Characterization all(options);
  add_nominal(all, design);
  if (!design.conditions.empty()) add_conditions(all, design);
  if (design.conditions.mismatch_samples > 0)
    add_mismatch(all, design, design.conditions.mismatch_samples, options.seed);
  store::Dataset dataset = all.take();
  if (design.conditions.mismatch_samples > 0) dataset.provenance.seed = options.seed;
  dataset.provenance.ngspice_version = simulator_version();
  describe(design, dataset);
  return dataset;
}

}  // namespace gaincal::sweep
