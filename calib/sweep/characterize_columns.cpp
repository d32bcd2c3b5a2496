#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "core/random.hpp"
#include "sweep/characterize_tables.hpp"
#include "sweep/waveform.hpp"

namespace gaincal::sweep {
namespace {

using netlist::Deck;
using netlist::Design;
using netlist::RowOperand;
using Rows = std::vector<RowOperand>;

constexpr double kGolden = 0.6180339887498949;
constexpr std::size_t kDraws = 48;  // of the levels of a column, for a charge that is wanted
// Charge of a column, of the one that saturates its converter; those of the check lie inside what is fitted.
constexpr double kHighest = 1.3, kHighestCheck = 1.2;
constexpr double kLowestUnsigned = -0.4;  // below zero an unsigned converter gives no pulse

/// Charge of a read at the written levels, longest pulse; linear between the simulated voltages.
std::vector<double> level_charges_C(const Design& design, const store::Table& reads) {
  const std::vector<double>&v_V = reads.axis("v_store").values, &q_C = reads.quantity("q_bl").values;
  const std::size_t widths = reads.axis("t_pulse").values.size();
  std::vector<double> charges_C;
  for (std::size_t level = 0; level < design.weight_levels; ++level) {
    const double v_level_V = design.level_voltage_V(level);
    std::size_t i = 1;
    while (i + 1 < v_V.size() && v_V[i] < v_level_V) ++i;
    const double part = (v_level_V - v_V[i - 1]) / (v_V[i] - v_V[i - 1]);
    charges_C.push_back((1 - part) * q_C[i * widths - 1] + part * q_C[(i + 1) * widths - 1]);
  }
  return charges_C;
}

struct Drawn {
  Rows rows;
  double q_C = 0.0;  // about
};

double part_of_one(std::uint32_t word) { return static_cast<double>(word) * 0x1p-32; }

/// One draw: each row is active with the given probability; levels lean to one end and widths to long or short pulses
/// by shares of their own.
Drawn draw(const Design& design, const std::vector<double>& level_C, double active, bool is_signed,
           const CounterRandom& random, std::uint64_t first) {
  Drawn drawn;
  const std::size_t levels = level_C.size();
  const auto words = random.words(first);
  const double lean = 2.0 * part_of_one(words[0]) - 1.0, bend = 0.4 + 1.2 * part_of_one(words[1]);
  for (std::size_t row = 0; row < design.rows; ++row) {
    const std::uint64_t at = first + 1 + 5 * row;
    auto level = static_cast<std::size_t>(random.uniform(at) * static_cast<double>(levels));
    if (random.uniform(at + 1) < std::abs(lean)) {
      level = levels / 2 + static_cast<std::size_t>(random.uniform(at + 2) * static_cast<double>(levels - levels / 2));
      if (lean < 0) level = levels - 1 - level;
    }
    double part = 0.0;
    if (random.uniform(at + 3) < active) {
      const double steps = static_cast<double>(design.query_levels - 1);
      part = std::pow(random.uniform(at + 4), bend);
      if (!is_signed)
        part = std::min(1.0, (1.0 + std::floor(part * steps)) / steps);  // queries are codes, scores are not
    }
    if (part * design.t_max_s < design.lines.edge_s) part = 0.0;  // no pulse at all
    drawn.rows.push_back({design.level_voltage_V(level), part * design.t_max_s});
    drawn.q_C += part * level_C[level];
  }
  return drawn;
}

/// Columns whose number of active rows and whose charge cover their ranges evenly.
std::vector<Rows> draw_columns(const Design& design, const std::vector<double>& level_C, bool is_signed, double highest,
                               std::size_t count, const CounterRandom& random) {
  const double q_sat_C = design.saturation_charge_C(is_signed ? design.output_readout : design.score_readout);
  const double low_C = (is_signed ? -1.0 : kLowestUnsigned) * highest * q_sat_C, high_C = highest * q_sat_C;
  const std::uint64_t per_draw = 1 + 5 * design.rows;
  std::vector<Rows> columns;
  for (std::size_t i = 0; i < count; ++i) {
    const double active = (static_cast<double>(i) + 0.5) / static_cast<double>(count);
    // Charges in the order of the golden ratio, which is apart from that of the number of active rows.
    const double wanted_C = low_C + (high_C - low_C) * std::fmod((static_cast<double>(i) + 0.5) * kGolden, 1.0);
    Drawn best;
    for (std::size_t k = 0; k < kDraws; ++k) {
      Drawn drawn = draw(design, level_C, active, is_signed, random, (i * kDraws + k) * per_draw);
      if (k == 0 || std::abs(drawn.q_C - wanted_C) < std::abs(best.q_C - wanted_C)) best = std::move(drawn);
    }
    columns.push_back(std::move(best.rows));
  }
  return columns;
}

store::Axis numbers(const char* name, std::size_t count, const char* description) {
  return {name, "1", linear(0.0, static_cast<double>(count - 1), count), {}, description};
}

}  // namespace

void add_columns(Characterization& all, const Design& design, bool is_signed, bool check, std::size_t count) {
  if (count == 0) return;
  const std::uint64_t stream = 2 * static_cast<std::uint64_t>(is_signed) + static_cast<std::uint64_t>(check);
  const std::vector<Rows> columns = draw_columns(design, level_charges_C(design, all.table("cell_read")), is_signed,
                                                 check ? kHighestCheck : kHighest, count, CounterRandom(1, stream));
  const std::string name = std::string(is_signed ? "bit_line_output" : "bit_line_score") + (check ? "_check" : "");

  store::Table operands;
  operands.name = name + "_operands";
  operands.description = "what the rows of the columns hold and get";
  operands.axes = {numbers("column", count, "column of cells"), numbers("row", design.rows, "of the column")};
  operands.quantities = {{"v_store", "V", "stored voltage", {}}, {"t_pulse", "s", "read pulse, 50 % to 50 %", {}}};
  for (const Rows& rows : columns)
    for (const RowOperand& row : rows) {
      operands.quantities[0].values.push_back(row.v_store_V);
      operands.quantities[1].values.push_back(row.t_pulse_s);
    }
  all.add_table(std::move(operands));

  store::Table table;
  table.name = name;
  table.description = "columns of cells on their bit-line capacitor";
  table.axes = {numbers("column", count, "column of cells")};
  table.quantities = {{"q_column", "C", "capacitor times the fall of the bit line when all rows have been read", {}}};
  const netlist::ReadoutDesign& readout = is_signed ? design.output_readout : design.score_readout;
  all.add(
      {"", {}, {design}}, std::move(table),
      [&](const Design& d, std::size_t run) { return column_charge_deck(d, is_signed, columns[run]); },
      [&](spice::Simulator& simulator, const Design& d, const Deck& deck, std::size_t) {
        simulator.load(deck.text);
        simulator.run(deck.analysis);
        return std::vector<double>{readout.c_bit_line_F * (d.lines.v_reference_V - simulator.vector("v(bl)").back())};
      });
}

}  // namespace gaincal::sweep
