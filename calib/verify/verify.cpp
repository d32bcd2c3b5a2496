#include "verify/verify.hpp"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <numeric>
#include <ostream>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/random.hpp"
#include "sweep/measures.hpp"
#include "sweep/run_points.hpp"
#include "verify/circuit_side.hpp"
#include "verify/model_side.hpp"

namespace gaincal::verify {
namespace {

using netlist::Deck;
using netlist::Design;
using netlist::RowOperand;

// A simulation of an array or a sub-tile is this many times longer than the one of a column.
constexpr double kArrayTimeout = 60.0, kTileTimeout = 240.0;
constexpr std::uint64_t kPlaces = 0x706c61636573;  // stream of the cells and columns that are taken

struct Work {
  const Design& design;
  const device::CircuitModel& model;
  const Operands& operands;
  const VerifyOptions& options;
  std::vector<Stage> stages;

  sweep::RunOptions run_options(const std::string& label, double longer) const {
    return {options.workers, longer * design.grids.point_timeout_s, options.progress ? label : ""};
  }
  /// A number below `count` for a set, the same whatever is run beside it.
  std::size_t place(std::size_t set, std::uint64_t which, std::size_t count) const {
    return CounterRandom(kPlaces, which).words(set)[0] % count;
  }
};

void take(const Work& work, bool is_signed, const sweep::PointOutcome& outcome, std::size_t first, Output& output) {
  output.failure = outcome.failure;
  set_spice(work.model, is_signed, outcome.values[first], outcome.values[first + 1], output);
}

Comparison verify_cells(const Work& work) {
  Comparison comparison = make_comparison(work.model, false, "cell");
  comparison.name = "cell";
  comparison.title = "cells on a held bit line, LSB of a K column";
  comparison.has_pulse = false;
  std::vector<RowOperand> reads;
  for (std::size_t s = 0; s < work.stages.size(); ++s) {
    const Stage& stage = work.stages[s];
    const std::size_t column = work.place(s, 0, stage.keys.columns);
    std::size_t row = work.place(s, 1, stage.keys.rows);
    for (std::size_t step = 0; step < stage.keys.rows && !(stage.t_query_s[row] > 0); ++step)
      row = (row + 1) % stage.keys.rows;
    RowOperand read{stage.keys.at(row, column), stage.t_query_s[row]};
    if (!(read.t_pulse_s > 0)) read.t_pulse_s = work.design.t_max_s;  // a query of silence alone
    reads.push_back(read);
    Output output = column_output(work.model, false, {read});
    output.set = s;
    output.column = column;
    output.q_model_C = output.q_held_C;
    output.charge_counts = true;
    output.q_cubic_C =
        read.t_pulse_s * work.model.cell.i_cubic_A(read.v_store_V) + work.model.cell.a_cubic_C(read.v_store_V);
    comparison.outputs.push_back(output);
  }
  const auto outcomes = sweep::run_points(
      reads.size(), 1,
      [&](spice::Simulator& simulator, std::size_t s) {
        const Deck deck = netlist::cell_read_deck(work.design, reads[s].v_store_V, reads[s].t_pulse_s);
        return std::vector<double>{sweep::measure_cell_read(simulator, work.design, deck).front()};
      },
      work.run_options("cells", 1.0));
  for (std::size_t s = 0; s < outcomes.size(); ++s) {
    comparison.outputs[s].failure = outcomes[s].failure;
    comparison.outputs[s].q_spice_C = outcomes[s].values[0];
  }
  return comparison;
}

Comparison verify_columns(const Work& work, bool is_signed) {
  Comparison comparison = make_comparison(work.model, is_signed, "column");
  std::vector<std::vector<RowOperand>> columns;
  for (std::size_t s = 0; s < work.stages.size(); ++s) {
    const Stage& stage = work.stages[s];
    const netlist::StoredArray& stored = is_signed ? stage.values : stage.keys;
    const std::size_t column = work.place(s, 2 + is_signed, stored.columns);
    columns.push_back(column_rows(stored, is_signed ? stage.t_score_s : stage.t_query_s, column));
    comparison.outputs.push_back(column_output(work.model, is_signed, columns.back()));
    comparison.outputs.back().set = s;
    comparison.outputs.back().column = column;
  }
  const auto outcomes = sweep::run_points(
      columns.size(), 2,
      [&](spice::Simulator& simulator, std::size_t s) {
        const Deck deck = is_signed ? netlist::column_signed_deck(work.design, columns[s])
                                    : netlist::column_unsigned_deck(work.design, columns[s]);
        const Measured measured = measure_column(simulator, work.design, is_signed, deck);
        return std::vector<double>{measured.q_C, measured.t_s};
      },
      work.run_options(comparison.title, 1.0));
  for (std::size_t s = 0; s < outcomes.size(); ++s) take(work, is_signed, outcomes[s], 0, comparison.outputs[s]);
  return comparison;
}

/// The model's outputs of all columns of a set.
void add_outputs(const Work& work, std::size_t set, bool is_signed, const std::vector<double>& t_pulse_s,
                 Comparison& comparison) {
  const netlist::StoredArray& stored = is_signed ? work.stages[set].values : work.stages[set].keys;
  for (std::size_t column = 0; column < stored.columns; ++column) {
    comparison.outputs.push_back(column_output(work.model, is_signed, column_rows(stored, t_pulse_s, column)));
    comparison.outputs.back().set = set;
    comparison.outputs.back().column = column;
  }
}

void append_columns(const spice::Simulator& simulator, const Design& design, bool is_signed, const std::string& tag,
                    std::size_t columns, double t_enable_s, double t_window_s, std::vector<double>& values) {
  for (std::size_t column = 0; column < columns; ++column) {
    const std::string c = tag + std::to_string(column) + ")";
    const Measured measured =
        measure_pulse(simulator, design, is_signed, {"v(bl" + c, "v(out" + c, "v(sgn" + c}, t_enable_s, t_window_s);
    values.push_back(measured.q_C);
    values.push_back(measured.t_s);
  }
}

Comparison verify_arrays(const Work& work, bool is_signed) {
  Comparison comparison = make_comparison(work.model, is_signed, "array");
  const std::size_t columns = is_signed ? work.operands.rows : work.operands.tokens;
  for (std::size_t s = 0; s < work.stages.size(); ++s)
    add_outputs(work, s, is_signed, is_signed ? work.stages[s].t_score_s : work.stages[s].t_query_s, comparison);
  const netlist::ReadoutDesign& readout = is_signed ? work.design.output_readout : work.design.score_readout;
  const auto outcomes = sweep::run_points(
      work.stages.size(), 2 * columns,
      [&](spice::Simulator& simulator, std::size_t s) {
        const Stage& stage = work.stages[s];
        const Deck deck = netlist::array_deck(work.design, is_signed, is_signed ? stage.values : stage.keys,
                                              is_signed ? stage.t_score_s : stage.t_query_s);
        simulate(simulator, deck);
        std::vector<double> values;
        append_columns(simulator, work.design, is_signed, "", columns,
                       deck.t_start_s - readout.t_setup_s - readout.t_lead_s, deck.t_start_s, values);
        return values;
      },
      work.run_options(is_signed ? "arrays, signed converters" : "arrays, unsigned converters", kArrayTimeout));
  for (std::size_t i = 0; i < comparison.outputs.size(); ++i)
    take(work, is_signed, outcomes[i / columns], 2 * (i % columns), comparison.outputs[i]);
  return comparison;
}

std::vector<Comparison> verify_tiles(const Work& work) {
  Comparison scores = make_comparison(work.model, false, "tile"), outputs = make_comparison(work.model, true, "tile");
  const std::size_t T = work.operands.tokens, D = work.operands.rows;
  for (std::size_t s = 0; s < work.stages.size(); ++s) {
    add_outputs(work, s, false, work.stages[s].t_query_s, scores);
    add_outputs(work, s, true, work.stages[s].t_score_s, outputs);
  }
  const auto outcomes = sweep::run_points(
      work.stages.size(), 2 * (T + D),
      [&](spice::Simulator& simulator, std::size_t s) {
        const Stage& stage = work.stages[s];
        const netlist::TileDeck tile = netlist::tile_deck(work.design, stage.keys, stage.values, stage.t_query_s);
        simulate(simulator, tile.deck);
        std::vector<double> values;
        append_columns(simulator, work.design, false, "_k", T, tile.t_score_enable_s, tile.t_score_s, values);
        append_columns(simulator, work.design, true, "_v", D, tile.t_output_enable_s, tile.deck.t_start_s, values);
        return values;
      },
      work.run_options("sub-tiles", kTileTimeout));
  for (std::size_t i = 0; i < scores.outputs.size(); ++i)
    take(work, false, outcomes[i / T], 2 * (i % T), scores.outputs[i]);
  for (std::size_t i = 0; i < outputs.outputs.size(); ++i)
    take(work, true, outcomes[i / D], 2 * (T + i % D), outputs.outputs[i]);
  return {scores, outputs};
}

store::Axis numbered(const char* name, std::size_t count, const char* description) {
  store::Axis axis{name, "1", std::vector<double>(count), {}, description};
  std::iota(axis.values.begin(), axis.values.end(), 0.0);
  return axis;
}

const char* level_title(Level level) {
  switch (level) {
    case Level::cell:
      return "Cells";
    case Level::column:
      return "Columns";
    case Level::array:
      return "Arrays";
    case Level::tile:
      return "Sub-tiles";
  }
  return "";
}

void print_title(std::ostream& stream, const Operands& operands, const Verification& verification) {
  stream << level_title(verification.level)
         << " of transistors against the fitted models, operands: " << operands.source << ", " << operands.sets.size()
         << (operands.sets.size() == 1 ? " set, " : " sets, ") << std::fixed << std::setprecision(1)
         << verification.elapsed_s << " s\n";
}

}  // namespace

Level parse_level(const std::string& word) {
  if (word == "cell") return Level::cell;
  if (word == "column") return Level::column;
  if (word == "array") return Level::array;
  if (word == "tile") return Level::tile;
  throw UsageError("--level: '" + word + "' is none; choose cell, column, array or tile");
}

bool Verification::within(double least_exact, double least_within_one) const {
  return std::all_of(comparisons.begin(), comparisons.end(), [&](const Comparison& comparison) {
    if (comparison.failed() > 0) return false;
    return !comparison.has_pulse ||
           (comparison.exact().value >= least_exact && comparison.within_one().value >= least_within_one);
  });
}

Verification verify(const Design& design, const device::CircuitModel& model, const Operands& operands,
                    const VerifyOptions& options) {
  const double start_s = monotonic_seconds();
  Work work{design, model, operands, options, {}};
  for (const OperandSet& set : operands.sets) work.stages.push_back(stage_of(design, model, operands, set));
  Verification result;
  result.level = options.level;
  switch (options.level) {
    case Level::cell:
      result.comparisons = {verify_cells(work)};
      break;
    case Level::column:
      result.comparisons = {verify_columns(work, false), verify_columns(work, true)};
      break;
    case Level::array:
      result.comparisons = {verify_arrays(work, false), verify_arrays(work, true)};
      break;
    case Level::tile:
      result.comparisons = verify_tiles(work);
      break;
  }
  result.elapsed_s = monotonic_seconds() - start_s;
  return result;
}

std::vector<store::Table> verification_tables(const Operands& operands, const Verification& verification) {
  store::Axis sets = numbered("set", operands.sets.size(), "operand set");
  const store::Axis rows = numbered("row", operands.rows, "of the K array, feature of the head"),
                    tokens = numbered("token", operands.tokens, "column of the K array");
  store::Quantity q_code{"q_code", "1", "pulse width of the query", {}}, age{"age", "1", "tokens since the write", {}};
  store::Quantity k_level{"k_level", "1", "written level of the key", {}},
      v_level{"v_level", "1", "written level of the value", {}};
  for (const OperandSet& set : operands.sets) {
    sets.labels.push_back(set.label);
    q_code.values.insert(q_code.values.end(), set.q_code.begin(), set.q_code.end());
    age.values.insert(age.values.end(), set.age.begin(), set.age.end());
    k_level.values.insert(k_level.values.end(), set.k_level.begin(), set.k_level.end());
    v_level.values.insert(v_level.values.end(), set.v_level.begin(), set.v_level.end());
  }
  std::vector<store::Table> tables = {
      {"queries", "operands of the rows", {sets, rows}, {q_code}, {}, {}},
      {"tokens", "ages of the columns", {sets, tokens}, {age}, {}, {}},
      {"cells", "operands of the cells", {sets, tokens, rows}, {k_level, v_level}, {}, {}}};
  for (const Comparison& comparison : verification.comparisons) tables.push_back(comparison_table(comparison));
  return tables;
}

void print_verification(std::ostream& stream, const Operands& operands, const Verification& verification) {
  std::vector<std::string> labels;
  for (const OperandSet& set : operands.sets) labels.push_back(set.label);
  print_title(stream, operands, verification);
  for (const Comparison& comparison : verification.comparisons) print_comparison(stream, comparison, labels);
}

void print_verification_summary(std::ostream& stream, const Operands& operands, const Verification& verification) {
  print_title(stream, operands, verification);
  for (const Comparison& comparison : verification.comparisons) print_comparison_line(stream, comparison);
}

}  // namespace gaincal::verify
