#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <regex>
#include <sstream>

#include "core/files.hpp"
#include "core/random.hpp"
#include "exporters/behaviour.hpp"
#include "exporters/exporter.hpp"
#include "exporters/outside_program.hpp"
#include "fit/fit.hpp"
#include "netlist/decks.hpp"
#include "reference.hpp"
#include "sweep/characterize.hpp"

using namespace gaincal;

namespace {

using netlist::Design;
using netlist::RowOperand;

/// The default circuit, characterised on a coarse grid and fitted.
device::CircuitModel fitted_model(Design design) {
  design.grids.cell_voltages = 17;
  design.grids.cell_widths = 2;
  design.grids.cell_check_voltages = 2;
  design.grids.cell_check_widths = 2;
  design.grids.charges = 21;
  design.grids.check_charges = 4;
  design.grids.columns = 0;  // no export carries the bit lines that they are for
  design.grids.check_columns = 0;
  design.grids.leak_starts = 4;
  design.grids.leak_check_starts = 1;
  design.grids.leak_ages = 5;
  sweep::CharacterizeOptions options;
  options.progress = false;
  const store::Dataset dataset = sweep::characterize(design, options);
  const fit::FitReport report = fit::fit_circuit(dataset, fit::design_facts(design));
  REQUIRE(report.usable());
  return report.model;
}

/// 64 rows at random levels and pulse codes; `lean` shifts the levels, and with them the charge.
std::vector<RowOperand> random_rows(const Design& design, double lean, std::uint64_t seed) {
  const CounterRandom random(seed, 1);
  std::vector<RowOperand> rows(design.rows);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const double level = std::clamp(8.0 * random.uniform(2 * r) + lean, 0.0, 7.99);
    rows[r].v_store_V = design.level_voltage_V(static_cast<std::size_t>(level));
    rows[r].t_pulse_s = 1e-9 * std::floor(16.0 * random.uniform(2 * r + 1));
  }
  return rows;
}

struct ColumnResult {
  double charge_C = 0.0, width_s = 0.0, cpu_s = 0.0;
};

/// Output of `ngspice -b` on a deck, with the processor time that it took.
std::map<std::string, double> run_deck(const std::filesystem::path& folder, const std::string& text, double& cpu_s) {
  const auto used_s = [] {
    rusage usage{};
    getrusage(RUSAGE_CHILDREN, &usage);
    return static_cast<double>(usage.ru_utime.tv_sec) + 1e-6 * static_cast<double>(usage.ru_utime.tv_usec);
  };
  write_text(folder / "column.cir", text);
  const double before_s = used_s();
  const auto outcome = tests::run_in(folder, "ngspice -b column.cir");
  cpu_s = used_s() - before_s;
  INFO(outcome.output.substr(0, 2000));
  auto measures = tests::ngspice_measures(outcome.output);
  REQUIRE(measures.size() >= 2);
  return measures;
}

/// The column in transistors. With `held` the bit line stays at its reference and gives no pulse, as in the
/// characterisation; else it moves on its capacitor.
ColumnResult run_transistors(const std::filesystem::path& folder, const Design& design,
                             const std::vector<RowOperand>& rows, bool is_signed, bool held) {
  const netlist::Deck deck =
      is_signed ? netlist::column_signed_deck(design, rows) : netlist::column_unsigned_deck(design, rows);
  std::string text = deck.text;
  const std::string initial = ".ic v(bl)={v_reference}";
  REQUIRE(text.find(initial) != std::string::npos);
  if (held) {
    text.replace(text.find(initial), initial.size(),
                 "Vhold bl 0 {v_reference}\n.save i(vhold)\n.meas tran q_held integ i(vhold) from=0 to={t_enable}");
    // The conversion that follows says nothing here.
    text = std::regex_replace(text, std::regex("\n\\.tran \\S+ \\S+"), "\n.tran 50p {t_enable}");
  }
  ColumnResult result;
  auto measures = run_deck(folder, text, result.cpu_s);
  const netlist::ReadoutDesign& readout = is_signed ? design.output_readout : design.score_readout;
  result.charge_C =
      held ? -measures["q_held"] : readout.c_bit_line_F * (design.lines.v_reference_V - measures["v_bl_read"]);
  result.width_s = measures["t_out"];
  return result;
}

/// The same operands on exported cells and converter.
ColumnResult run_exported(const std::filesystem::path& folder, const Design& design,
                          const std::vector<RowOperand>& rows, bool is_signed) {
  std::ostringstream text;
  const double supply_V = design.technology.supply_V, edge_s = design.lines.edge_s;
  text << "* column of exported subcircuits\n.include gaincal.inc\nVdd vdd 0 " << supply_V << "\nVref ref 0 "
       << design.lines.v_reference_V << "\nVrst rst 0 pulse(" << supply_V << " 0 0.5n 30p 30p 1 2)\nVen en 0 pulse(0 "
       << supply_V << " 17n 30p 30p 15.2n 1)\n";
  for (std::size_t r = 0; r < rows.size(); ++r) {
    text << "Xcell" << r << " 0 0 vdd ";
    if (rows[r].t_pulse_s > 0)
      text << "rw" << r << " vdd bl vdd 0 sn" << r << " gaincal_cell\nVrw" << r << " rw" << r << " 0 pulse(0 "
           << supply_V << " 1n " << edge_s << " " << edge_s << " " << rows[r].t_pulse_s - edge_s << " 1)\n";
    else
      text << "0 vdd bl vdd 0 sn" << r << " gaincal_cell\n";
    text << ".ic v(sn" << r << ")=" << rows[r].v_store_V << "\n";
  }
  text << "Xreadout bl ref rst en out "
       << (is_signed ? "sgn vdd 0 gaincal_readout_signed" : "vdd 0 gaincal_readout_unsigned")
       << "\n.save v(out) v(xreadout.q)\n.meas tran q find v(xreadout.q) at=16.9n\n.meas tran area integ v(out)\n"
       << ".tran 50p 33n\n.end\n";
  ColumnResult result;
  auto measures = run_deck(folder, text.str(), result.cpu_s);
  result.charge_C = measures["q"] * 1e-15;
  result.width_s = measures["area"] / supply_V;
  return result;
}

}  // namespace

TEST_CASE("a column of exported cells and converter repeats the transistors it was fitted to", "[exporters]") {
  if (!tests::have_program("ngspice")) return;
  const tests::ScratchFolder scratch;
  const Design design = netlist::default_design();
  exporters::Source source;
  source.path = "model.h5";
  source.file.model = fitted_model(design);
  exporters::export_model(source, "ngspice", {scratch.path() / "gaincal.inc", false});
  const device::CircuitModel& model = source.file.model;
  // Errors of the rows at their worst, all in one direction; of the cell against SPICE and of the exported lines.
  const double cell_error_C = std::max(model.cell.table_quality.max, model.cell.table_quality.held_out_max);
  const double sampling_C = exporters::Behaviour::kSamplingShare * model.cell.table_quality.full_scale;

  std::ostringstream table;
  const struct {
    double lean;
    bool is_signed;
  } columns[] = {{-0.2, false}, {0.3, false}, {-0.65, true}};
  for (const auto& column : columns) {
    const std::vector<RowOperand> rows = random_rows(design, column.lean, 11);
    const ColumnResult exported = run_exported(scratch.path(), design, rows, column.is_signed);
    const ColumnResult held = run_transistors(scratch.path(), design, rows, column.is_signed, true);
    const ColumnResult moving = run_transistors(scratch.path(), design, rows, column.is_signed, false);
    const device::ReadoutModel& readout = column.is_signed ? model.output_readout : model.score_readout;
    table << (column.is_signed ? "signed" : "unsigned") << ": " << held.charge_C * 1e15
          << " fC with the bit line held, " << exported.charge_C * 1e15 << " fC exported, " << moving.charge_C * 1e15
          << " fC on the capacitor; pulse " << moving.width_s * 1e9 << " ns, exported " << exported.width_s * 1e9
          << " ns; " << moving.cpu_s << " s, exported " << exported.cpu_s << " s (" << moving.cpu_s / exported.cpu_s
          << " times faster)\n";
    INFO(table.str());
    CHECK(std::abs(exported.charge_C - held.charge_C) < static_cast<double>(design.rows) * (cell_error_C + sampling_C));
    // The moving bit line, which the model does not know, takes up to 4 % at 0.1 V from the charge.
    CHECK(std::abs(moving.charge_C) < std::abs(held.charge_C));
    CHECK(std::abs(moving.charge_C) > 0.9 * std::abs(held.charge_C));
    // The converters differ by what their charges differ, and by the error of a coarsely characterised converter.
    const double width_error_s = std::max(readout.table_quality.max, readout.table_quality.held_out_max);
    CHECK(std::abs(exported.width_s - moving.width_s) <
          1.05 * readout.positive.slope_s_per_C * std::abs(exported.charge_C - moving.charge_C) + width_error_s +
              50e-12);
    CHECK(exported.cpu_s < moving.cpu_s);
  }
  WARN(table.str());
}
