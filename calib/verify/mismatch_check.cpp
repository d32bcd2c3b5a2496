#include "verify/mismatch_check.hpp"

#include <cmath>
#include <iomanip>
#include <map>
#include <numeric>
#include <optional>
#include <ostream>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/random.hpp"
#include "sweep/chips.hpp"
#include "sweep/run_points.hpp"
#include "verify/circuit_side.hpp"
#include "verify/comparison.hpp"
#include "verify/model_side.hpp"

namespace gaincal::verify {
namespace {

using Rows = std::vector<netlist::RowOperand>;
constexpr std::size_t kModelDraws = 20000;
// An output well inside its range: mismatch moves it by much less than this from either end.
constexpr double kInsideLow = 0.3, kInsideHigh = 0.7;

struct Column {
  std::size_t set = 0;
  Rows rows;
  Output nominal;
};

Column choose(const netlist::Design& design, const device::CircuitModel& model, const Operands& operands,
              bool is_signed) {
  for (std::size_t s = 0; s < operands.sets.size(); ++s) {
    const Stage stage = stage_of(design, model, operands, operands.sets[s]);
    const netlist::StoredArray& stored = is_signed ? stage.values : stage.keys;
    for (std::size_t c = 0; c < stored.columns; ++c) {
      Rows rows = column_rows(stored, is_signed ? stage.t_score_s : stage.t_query_s, c);
      const Output output = column_output(model, is_signed, rows);
      if (std::abs(output.value_model) > kInsideLow && std::abs(output.value_model) < kInsideHigh)
        return {s, std::move(rows), output};
    }
  }
  throw UsageError(
      "--mismatch-samples: no operand set has a column whose output lies inside its range; give more sets");
}

/// Values of the column on chips drawn from the model.
std::vector<double> model_values(const device::CircuitModel& model, const device::MismatchModel& mismatch,
                                 bool is_signed, const Column& column, std::uint64_t seed) {
  const device::ReadoutModel& readout = is_signed ? model.output_readout : model.score_readout;
  const device::BitLineModel& line = is_signed ? model.output_bit_line : model.score_bit_line;
  const double offset_sigma_C = is_signed ? mismatch.output_offset_sigma_C : mismatch.score_offset_sigma_C;
  std::vector<double> values;
  for (std::size_t draw = 0; draw < kModelDraws; ++draw) {
    const CounterRandom random(seed, 2 * draw + is_signed);
    double held_C = 0.0;
    for (std::size_t row = 0; row < column.rows.size(); ++row) {
      const auto normal = random.normal_pair(row);
      const netlist::RowOperand& cell = column.rows[row];
      held_C += (1.0 + mismatch.cell_gain_sigma * normal[0]) * model.cell.charge_C(cell.v_store_V, cell.t_pulse_s) +
                mismatch.cell_offset_sigma_A * normal[1] * cell.t_pulse_s;
    }
    const double q_C = line.collected_charge_C(held_C, column.nominal.full_pulses) +
                       offset_sigma_C * random.normal(column.rows.size());
    Output output;
    set_spice(model, is_signed, q_C, readout.width_s(q_C), output);
    values.push_back(output.value_spice);
  }
  return values;
}

struct Moments {
  double mean = 0.0, sigma = 0.0;
  std::size_t count = 0;
};
Moments moments(const std::vector<double>& values) {
  const ErrorStatistics s = error_statistics(std::vector<double>(values.size(), 0.0), values);
  return {-s.bias, s.sigma, s.count};
}

ChipSpread check_column(const netlist::Design& design, const device::CircuitModel& model,
                        const device::MismatchModel& mismatch, const Operands& operands, bool is_signed,
                        std::size_t samples, std::uint64_t seed, unsigned workers) {
  const Column column = choose(design, model, operands, is_signed);
  const Comparison kind = make_comparison(model, is_signed, "column");
  const netlist::Deck deck =
      is_signed ? netlist::column_signed_deck(design, column.rows) : netlist::column_unsigned_deck(design, column.rows);
  const sweep::Chips chips(design, deck, samples, seed);
  const auto outcomes = sweep::run_points(
      samples, 1,
      [&](spice::Simulator& simulator, std::size_t sample) {
        return std::vector<double>{measure_column(simulator, design, is_signed, deck, chips.sample(sample)).t_s};
      },
      {workers, design.grids.point_timeout_s, "chips, " + kind.title});
  ChipSpread spread;
  spread.title = kind.title;
  spread.label = operands.sets[column.set].label;
  spread.nominal_lsb = column.nominal.value_model / kind.lsb_value;
  for (const sweep::PointOutcome& outcome : outcomes) {
    Output output;
    set_spice(model, is_signed, 0.0, outcome.values[0], output);
    spread.spice_lsb.push_back(output.value_spice / kind.lsb_value);
    spread.failures.push_back(outcome.failure);
  }
  const Moments spice = moments(spread.spice_lsb);
  const Moments drawn = moments(model_values(model, mismatch, is_signed, column, seed));
  spread.mean_spice_lsb = spice.mean;
  spread.sigma_spice_lsb = spice.sigma;
  spread.compared = spice.count;
  spread.mean_model_lsb = drawn.mean / kind.lsb_value;
  spread.sigma_model_lsb = drawn.sigma / kind.lsb_value;
  return spread;
}

}  // namespace

MismatchCheck check_mismatch(const netlist::Design& design, const device::CircuitModel& model,
                             const device::MismatchModel& mismatch, const Operands& operands, std::size_t samples,
                             std::uint64_t seed, unsigned workers) {
  if (mismatch.samples == 0)
    throw UsageError(
        "--mismatch-samples: the model has no mismatch; sweep its design with --mismatch-samples and fit it");
  const double start_s = monotonic_seconds();
  MismatchCheck check;
  check.model_draws = kModelDraws;
  for (const bool is_signed : {false, true})
    check.columns.push_back(check_column(design, model, mismatch, operands, is_signed, samples, seed, workers));
  check.elapsed_s = monotonic_seconds() - start_s;
  return check;
}

store::Table mismatch_table(const MismatchCheck& check) {
  store::Table table;
  table.name = "mismatch";
  table.description = "one K column and one V column on chips whose devices differ";
  store::Axis columns{"column", "1", {0.0, 1.0}, {}, "what is simulated"};
  store::Axis samples{"sample", "1", std::vector<double>(check.columns.front().spice_lsb.size()), {}, "chip"};
  std::iota(samples.values.begin(), samples.values.end(), 0.0);
  store::Quantity value{"value_spice", "1", "output in LSB", {}};
  for (const ChipSpread& column : check.columns) {
    columns.labels.push_back(column.title);
    value.values.insert(value.values.end(), column.spice_lsb.begin(), column.spice_lsb.end());
  }
  table.axes = {columns, samples};
  table.quantities = {value};
  return table;
}

void print_mismatch(std::ostream& stream, const MismatchCheck& check) {
  stream << "Mismatch of a column: " << check.columns.front().spice_lsb.size() << " chips in SPICE, "
         << check.model_draws << " of the model, " << std::fixed << std::setprecision(1) << check.elapsed_s << " s\n";
  for (const ChipSpread& column : check.columns) {
    const double error = column.sigma_spice_lsb / std::sqrt(2.0 * static_cast<double>(column.compared - 1));
    stream << "  " << std::left << std::setw(34) << column.title << std::right << std::setprecision(3) << "sigma SPICE "
           << column.sigma_spice_lsb << " +- " << error << " LSB, model " << column.sigma_model_lsb << ", ratio "
           << column.sigma_model_lsb / column.sigma_spice_lsb << "; mean SPICE " << column.mean_spice_lsb << ", model "
           << column.mean_model_lsb << ", without mismatch " << column.nominal_lsb << " (" << column.label << ")\n";
    std::map<std::string, std::size_t> reasons;
    for (const std::string& failure : column.failures)
      if (!failure.empty()) ++reasons[failure];
    for (const auto& [reason, chips] : reasons) stream << "    " << chips << " chips failed: " << reason << '\n';
  }
}

}  // namespace gaincal::verify
