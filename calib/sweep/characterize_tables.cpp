#include "sweep/characterize_tables.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "core/provenance.hpp"
#include "sweep/measures.hpp"
#include "sweep/run_points.hpp"

namespace gaincal::sweep {
namespace {

using netlist::Deck;
using netlist::Design;
using store::Axis;
using store::Quantity;
using store::Table;

Table make_table(std::string name, std::string description, std::vector<Axis> axes, std::vector<Quantity> quantities) {
  Table table;
  table.name = std::move(name);
  table.description = std::move(description);
  table.axes = std::move(axes);
  table.quantities = std::move(quantities);
  return table;
}

Axis stored_voltage_axis(std::vector<double> values) {
  return {"v_store", "V", std::move(values), {}, "stored voltage"};
}

}  // namespace

std::vector<double> linear(double low, double high, std::size_t count) {
  std::vector<double> values(count, low);
  for (std::size_t i = 1; i < count; ++i)
    values[i] = low + (high - low) * static_cast<double>(i) / static_cast<double>(count - 1);
  return values;
}

std::vector<double> middles(double low, double high, std::size_t count) {
  std::vector<double> values(count);
  for (std::size_t i = 0; i < count; ++i)
    values[i] = low + (high - low) * (static_cast<double>(i) + 0.5) / static_cast<double>(count);
  return values;
}

const Table& Characterization::table(const std::string& name) const {
  const auto found = std::find_if(tables_.begin(), tables_.end(), [&](const Table& each) { return each.name == name; });
  assert(found != tables_.end() && "added before");
  return *found;
}

store::Dataset Characterization::take() {
  store::Dataset dataset;
  dataset.tables = std::move(tables_);
  dataset.provenance.netlist_hash = content_hash(deck_hashes_);
  return dataset;
}

void Characterization::add_runs(const Variants& variants, Table table, std::size_t points_per_run, const MakeDeck& make,
                                const Measure& measure) {
  std::size_t points = 1;
  for (const Axis& axis : table.axes) points *= axis.values.size();
  const std::size_t runs_per_design = points / points_per_run, runs = runs_per_design * variants.designs.size();
  points *= variants.designs.size();
  table.axes.insert(table.axes.begin(), variants.axes.begin(), variants.axes.end());
  table.name = variants.prefix + table.name;
  const auto design_of = [&](std::size_t run) -> const Design& { return variants.designs[run / runs_per_design]; };
  const auto deck_of = [&](std::size_t run) { return make(design_of(run), run % runs_per_design); };
  for (std::size_t run = 0; run < runs; ++run) deck_hashes_ += content_hash(deck_of(run).text);
  RunOptions run_options;
  run_options.workers = options_.workers;
  run_options.point_timeout_s = variants.designs.front().grids.point_timeout_s;
  if (options_.progress) run_options.label = table.name;
  const auto outcomes = run_points(
      runs, points_per_run * table.quantities.size(),
      [&](spice::Simulator& simulator, std::size_t run) {
        return measure(simulator, design_of(run), deck_of(run), run % runs_per_design);
      },
      run_options);

  table.failed.assign(points, 0);
  table.reason.assign(points, "");
  for (Quantity& quantity : table.quantities) quantity.values.resize(points);
  const std::size_t quantities = table.quantities.size();
  for (std::size_t point = 0; point < points; ++point) {
    const PointOutcome& outcome = outcomes[point / points_per_run];
    table.failed[point] = outcome.succeeded() ? 0 : 1;
    table.reason[point] = outcome.failure;
    for (std::size_t q = 0; q < quantities; ++q)
      table.quantities[q].values[point] = outcome.values[(point % points_per_run) * quantities + q];
  }
  tables_.push_back(std::move(table));
}

void add_cell_reads(Characterization& all, const Variants& variants, const std::string& name,
                    const std::vector<double>& v_store_V, const std::vector<double>& t_pulse_s) {
  const std::size_t widths = t_pulse_s.size();
  all.add(
      variants,
      make_table(name, "reads of one cell, bit line held at its reference",
                 {stored_voltage_axis(v_store_V), {"t_pulse", "s", t_pulse_s, {}, "read pulse, 50 % to 50 %"}},
                 {{"q_bl", "C", "charge taken off the bit line, positive for a positive weight", {}},
                  {"e_supply", "J", "from the cell supply", {}},
                  {"e_word_line", "J", "from the drivers of both read word lines", {}},
                  {"dv_store", "V", "change of the stored voltage", {}}}),
      [=](const Design& design, std::size_t run) {
        return cell_read_deck(design, v_store_V[run / widths], t_pulse_s[run % widths]);
      },
      [](spice::Simulator& simulator, const Design& design, const Deck& deck, std::size_t) {
        return measure_cell_read(simulator, design, deck);
      });
}

void add_cell_writes(Characterization& all, const Variants& variants, const std::vector<std::size_t>& previous) {
  const std::size_t levels = variants.designs.front().weight_levels;
  const std::vector<double> index = linear(0.0, static_cast<double>(levels - 1), levels);
  const auto level_of = [=](std::size_t run) { return run / previous.size(); };
  all.add(
      variants,
      make_table("cell_write", "writes of one cell, from levels held before to each level",
                 {{"level", "1", index, {}, "level written"},
                  {"previous", "1", {previous.begin(), previous.end()}, {}, "level held before"}},
                 {{"v_target", "V", "driven voltage", {}},
                  {"v_stored", "V", "held after the word lines closed and the write bit line returned", {}},
                  {"e_write", "J", "from the drivers of write bit line and write word lines, and the supply", {}},
                  {"t_settle", "s", "word lines half open until within 2 mV of the target for good", {}}}),
      [=](const Design& design, std::size_t run) {
        return cell_write_deck(design, design.level_voltage_V(level_of(run)),
                               design.level_voltage_V(previous[run % previous.size()]));
      },
      [=](spice::Simulator& simulator, const Design& design, const Deck& deck, std::size_t run) {
        const double v_target_V = design.level_voltage_V(level_of(run));
        std::vector<double> values = measure_cell_write(simulator, design, deck, v_target_V);
        values.insert(values.begin(), v_target_V);
        return values;
      });
}

void add_cell_leaks(Characterization& all, const Variants& variants, const std::string& name,
                    const std::vector<double>& v_store_V, const std::vector<double>& ages_s) {
  all.add_lines(
      variants,
      make_table(name, "retention of one cell, write bit line at the middle of the range",
                 {stored_voltage_axis(v_store_V), {"age", "s", ages_s, {}, "time since the write"}},
                 {{"v_cell", "V", "stored voltage", {}}}),
      [=](const Design& design, std::size_t run) {
        return cell_leak_deck(design, v_store_V[run], design.grids.age_max_s);
      },
      [=](spice::Simulator& simulator, const Design&, const Deck& deck, std::size_t) {
        return measure_cell_leak(simulator, deck, ages_s);
      });
}

void add_readouts(Characterization& all, const Variants& variants, bool is_signed, bool check, std::size_t count) {
  const Design& first = variants.designs.front();
  const double q_sat_C = first.saturation_charge_C(is_signed ? first.output_readout : first.score_readout);
  const double low_C = (is_signed ? -1.6 : -0.5) * q_sat_C, high_C = 1.6 * q_sat_C;
  const std::vector<double> knees_C =
      is_signed ? std::vector<double>{-q_sat_C, 0.0, q_sat_C} : std::vector<double>{0.0, q_sat_C};
  std::vector<double> q_in_C = charge_grid(check ? count + 1 : count, low_C, high_C, knees_C, q_sat_C);
  if (check)  // between points of a grid of its own, so that it meets the other grid nowhere
    for (std::size_t i = 0; i < count; ++i) q_in_C[i] = 0.5 * (q_in_C[i] + q_in_C[i + 1]);
  q_in_C.resize(count);
  std::vector<Quantity> quantities = {{"t_out", "s", "width of the output pulse, 50 % to 50 %", {}}};
  if (is_signed) quantities.push_back({"sign", "1", "+1 where the bit line is below its reference, else -1", {}});
  quantities.push_back({"e_conversion", "J", "from the supply, with this column's share of the bias", {}});
  all.add(
      variants,
      make_table(std::string(is_signed ? "readout_signed" : "readout_unsigned") + (check ? "_check" : ""),
                 "conversions of charge to pulse", {{"q_in", "C", q_in_C, {}, "charge taken off the bit line"}},
                 std::move(quantities)),
      [=](const Design& design, std::size_t run) {
        return is_signed ? readout_signed_deck(design, q_in_C[run]) : readout_unsigned_deck(design, q_in_C[run]);
      },
      [=](spice::Simulator& simulator, const Design& design, const Deck& deck, std::size_t) {
        return measure_readout(simulator, design, deck, is_signed);
      });
}

}  // namespace gaincal::sweep
