#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "netlist/decks.hpp"
#include "netlist/periphery_decks.hpp"
#include "sweep/cell_figures.hpp"
#include "sweep/converter_figures.hpp"
#include "sweep/measures.hpp"
#include "sweep/self_test.hpp"
#include "sweep/waveform.hpp"

namespace gaincal::sweep {
namespace {

using netlist::Design;
using spice::Simulator;

constexpr double kFemto = 1e-15, kMilli = 1e-3, kNano = 1e-9, kPico = 1e-12;

void simulate(Simulator& simulator, const netlist::Deck& deck) {
  simulator.load(deck.text);
  simulator.run(deck.analysis);
}

const std::vector<Figure> kCellFigures = {{"charge of a read at the highest level", "fC", kFemto, true},
                                          {"charge of a read at the lowest level", "fC", kFemto},
                                          {"charge is zero at a stored voltage of", "mV", kMilli},
                                          {"charge from a line over levels, largest", "% of range", 1e-2},
                                          {"charge of the edges, largest over levels", "fC", kFemto},
                                          {"stored voltage moved by a read, largest", "mV", kMilli},
                                          {"energy of a read, largest", "fJ", kFemto},
                                          {"stored minus written voltage, largest", "mV", kMilli},
                                          {"write settles within", "ns", kNano},
                                          {"energy of a write, largest", "fJ", kFemto},
                                          {"lost after 5 ms, largest over levels", "mV", kMilli},
                                          {"lost after 1 s, largest over levels", "mV", kMilli}};

std::vector<double> cell_values(Simulator& simulator, const Design& design) {
  const CellFigures found = measure_cell(simulator, design);
  return {found.q_high_C, found.q_low_C,       found.v_zero_V,   found.nonlinearity, found.q_edge_C,   found.dv_read_V,
          found.e_read_J, found.write_error_V, found.t_settle_s, found.e_write_J,    found.lost_5ms_V, found.lost_1s_V};
}

const std::vector<Figure> kReadoutFigures = {{"width at zero charge after calibration", "ns", kNano},
                                             {"wrong signs or pulses from 1 LSB on", "of 10", 1.0},
                                             {"width from the line at 1 LSB, largest", "ps", kPico},
                                             {"width from the line at 10 .. 90 %, largest", "ps", kPico},
                                             {"charge that saturates", "fC", kFemto},
                                             {"width beyond saturation", "ns", kNano},
                                             {"energy of a conversion, largest", "fJ", kFemto},
                                             {"calibrated lead of the ramp", "ns", kNano},
                                             {"calibrated trim of the reference", "mV", kMilli},
                                             {"noise at the comparator's input", "nV/rtHz", kNano},
                                             {"jitter of the pulse by the comparator", "ps", kPico},
                                             {"jitter by ramp, longest pulse", "ps", kPico},
                                             {"jitter by the reset of the bit line", "ps", kPico},
                                             {"jitter in all, of the longest pulse", "%", 1e-2}};

std::vector<double> measure_calibrated(Simulator& simulator, const Design& nominal, bool is_signed) {
  Design design = nominal;
  calibrate_converter(simulator, design, is_signed);
  const ConverterFigures found = measure_converter(simulator, design, is_signed);
  const ConverterNoise noise = measure_noise(simulator, design, is_signed);
  const netlist::ReadoutDesign& readout = is_signed ? design.output_readout : design.score_readout;
  return {found.zero_s,       found.wrong,
          found.first_s,      found.deviation_s,
          found.q_sat_C,      found.end_s,
          found.energy_J,     readout.t_lead_s,
          readout.v_trim_V,   noise.density_V_rtHz,
          noise.comparator_s, noise.ramp_s,
          noise.reset_s,      noise.all_s / design.t_max_s};
}

std::vector<double> measure_unsigned(Simulator& simulator, const Design& design) {
  return measure_calibrated(simulator, design, false);
}
std::vector<double> measure_signed(Simulator& simulator, const Design& design) {
  return measure_calibrated(simulator, design, true);
}

const std::vector<Figure> kColumnFigures = {{"rows of full reads that saturate it", "rows", 1.0},
                                            {"bit line moved by them", "mV", kMilli},
                                            {"charge lost by them to the moving bit line", "%", 1e-2},
                                            {"the same of all rows with shorter pulses", "%", 1e-2},
                                            {"pulse of half their charge", "ns", kNano},
                                            {"energy of cells and conversion", "fJ", kFemto}};

/// The first `active` rows hold the highest level and get a pulse, the others the middle and none.
std::vector<netlist::RowOperand> active_rows(const Design& design, std::size_t active, double t_pulse_s) {
  std::vector<netlist::RowOperand> rows(design.rows, {design.v_middle_V(), 0.0});
  for (std::size_t row = 0; row < active; ++row) rows[row] = {design.v_max_V, t_pulse_s};
  return rows;
}

std::vector<double> measure_column(Simulator& simulator, const Design& nominal, bool is_signed) {
  Design design = nominal;
  calibrate_converter(simulator, design, is_signed);
  const netlist::ReadoutDesign& readout = is_signed ? design.output_readout : design.score_readout;
  const double q_full_C = design.saturation_charge_C(readout);
  const auto held_C = [&](double t_pulse_s) {
    return measure_cell_read(simulator, design, netlist::cell_read_deck(design, design.v_max_V, t_pulse_s))[0];
  };
  const auto rows = static_cast<std::size_t>(
      std::clamp(std::round(q_full_C / held_C(design.t_max_s)), 1.0, static_cast<double>(design.rows)));
  const auto moved_V = [&](std::size_t active, double t_pulse_s) {
    simulate(simulator, netlist::column_charge_deck(design, is_signed, active_rows(design, active, t_pulse_s)));
    return design.lines.v_reference_V - simulator.value("v(bl)");
  };
  const auto lost = [&](std::size_t active, double t_pulse_s, double dv_V) {
    return 1 - readout.c_bit_line_F * dv_V / (static_cast<double>(active) * held_C(t_pulse_s));
  };
  const double all_s =
      std::max(2 * design.lines.edge_s, design.t_max_s * static_cast<double>(rows) / static_cast<double>(design.rows));
  const double few_V = moved_V(rows, design.t_max_s), many_V = moved_V(design.rows, all_s);
  const auto operands = active_rows(design, rows, 0.5 * design.t_max_s);
  const auto deck =
      is_signed ? netlist::column_signed_deck(design, operands) : netlist::column_unsigned_deck(design, operands);
  const auto converted = measure_readout(simulator, design, deck, is_signed);
  const double cells_J =
      source_energy(simulator.vector("time"), design.technology.supply_V, simulator.vector("i(vcell)"));
  return {static_cast<double>(rows),
          few_V,
          lost(rows, design.t_max_s, few_V),
          lost(design.rows, all_s, many_V),
          converted.front(),
          converted.back() + cells_J};
}

std::vector<double> measure_column_unsigned(Simulator& simulator, const Design& design) {
  return measure_column(simulator, design, false);
}
std::vector<double> measure_column_signed(Simulator& simulator, const Design& design) {
  return measure_column(simulator, design, true);
}

const std::vector<Figure> kWritePathFigures = {{"DAC output from its level, largest", "mV", kMilli},
                                               {"stored from its level before closing, largest", "mV", kMilli},
                                               {"stored from its level after closing, largest", "mV", kMilli},
                                               {"settled after the word line opens within", "ns", kNano},
                                               {"word lines reach 90 % of their swing within", "ns", kNano},
                                               {"energy of a write with its row's drivers, largest", "fJ", kFemto}};

std::vector<double> measure_write_path(Simulator& simulator, const Design& design) {
  double dac_V = 0.0, open_V = 0.0, closed_V = 0.0, settle_s = 0.0, drive_s = 0.0, energy_J = 0.0;
  const netlist::LineDesign& lines = design.lines;
  for (std::size_t level = 0; level < design.weight_levels; ++level) {
    const double target_V = design.level_voltage_V(level);
    const double previous_V = level < design.weight_levels / 2 ? design.v_max_V : design.v_min_V;
    const auto deck = netlist::write_path_deck(design, level, previous_V);
    simulate(simulator, deck);
    const auto time_s = simulator.vector("time");
    const auto sn_V = simulator.vector("v(sn)");
    const double before_s = deck.t_end_s - design.lines.edge_s;
    dac_V = std::max(dac_V, std::abs(value_at(time_s, simulator.vector("v(wbl)"), before_s) - target_V));
    open_V = std::max(open_V, std::abs(value_at(time_s, sn_V, before_s) - target_V));
    closed_V = std::max(closed_V, std::abs(sn_V.back() - target_V));
    const auto until =
        static_cast<std::size_t>(std::upper_bound(time_s.begin(), time_s.end(), before_s) - time_s.begin());
    const auto settled_s = settling_time(std::span(time_s).first(until), std::span(sn_V).first(until), sn_V[until - 1],
                                         2e-3, deck.t_start_s);
    settle_s = std::max(settle_s, settled_s.value_or(design.t_write_s) - deck.t_start_s);
    const auto high_s = crossing_time(time_s, simulator.vector("v(ww)"), 0.9 * lines.v_boost_high_V, Edge::rising, 1);
    const double low_V = design.technology.supply_V + 0.9 * (lines.v_boost_low_V - design.technology.supply_V);
    const auto low_s = crossing_time(time_s, simulator.vector("v(wwb)"), low_V, Edge::falling, 1);
    if (!high_s || !low_s) throw Error("the word lines do not reach 90 % of their swing");
    drive_s = std::max({drive_s, *high_s - deck.t_start_s, *low_s - deck.t_start_s});
    energy_J = std::max(
        energy_J, source_energy(time_s, design.technology.supply_V, simulator.vector("i(vdd)")) +
                      source_energy(time_s, lines.v_boost_high_V, simulator.vector("i(vh)")) +
                      source_energy(time_s, lines.v_boost_low_V, simulator.vector("i(vl)")) +
                      source_energy(time_s, design.v_max_V + design.write_offset_V, simulator.vector("i(vtop)")) +
                      source_energy(time_s, design.v_min_V + design.write_offset_V, simulator.vector("i(vbottom)")));
  }
  return {dac_V, open_V, closed_V, settle_s, drive_s, energy_J};
}

const std::vector<Figure> kPulseFigures = {{"width from its code, largest", "ps", kPico},
                                           {"step from its nominal width, largest", "ps", kPico},
                                           {"width of the two word lines apart, largest", "ps", kPico},
                                           {"delay of the rising edge", "ps", kPico},
                                           {"energy of the longest pulse, drivers and selection", "fJ", kFemto}};

std::vector<double> measure_pulse_width(Simulator& simulator, const Design& design) {
  const double half_V = 0.5 * design.technology.supply_V, step_s = design.t_max_s / 15.0;
  double error_s = 0.0, linearity_s = 0.0, apart_s = 0.0, delay_s = 0.0, energy_J = 0.0, before_s = 0.0;
  for (std::size_t code = 0; code < 16; ++code) {
    const auto deck = netlist::pulse_width_deck(design, code);
    simulate(simulator, deck);
    const auto time_s = simulator.vector("time");
    auto rwb_V = simulator.vector("v(rwb)");
    for (double& value : rwb_V) value = design.technology.supply_V - value;
    const double width_s = pulse_width(time_s, simulator.vector("v(rw)"), half_V);
    apart_s = std::max(apart_s, std::abs(pulse_width(time_s, rwb_V, half_V) - width_s));
    error_s = std::max(error_s, std::abs(width_s - static_cast<double>(code) * step_s));
    if (code > 1) linearity_s = std::max(linearity_s, std::abs(width_s - before_s - step_s));
    before_s = width_s;
    if (code == 0) continue;
    delay_s = std::max(
        delay_s, crossing_time(time_s, simulator.vector("v(rw)"), half_V, Edge::rising).value_or(1.0) - deck.t_start_s);
    energy_J = source_energy(time_s, design.technology.supply_V, simulator.vector("i(vdd)"));
  }
  return {error_s, linearity_s, apart_s, delay_s, energy_J};
}

const std::vector<Figure> kCounterFigures = {{"counts off at 16 pulses in the middle of their step", "counts", 1.0},
                                             {"energy of the longest pulse (stated)", "fJ", kFemto}};

std::vector<double> measure_counter(Simulator& simulator, const Design& design) {
  double off = 0.0, energy_J = 0.0;
  for (std::size_t count = 0; count < 16; ++count) {
    const double t_pulse_s = std::max(0.2, static_cast<double>(count) + 0.2) * design.t_max_s / 15.0;
    simulate(simulator, netlist::counter_deck(design, t_pulse_s));
    off = std::max(off, std::abs(simulator.value("v(count)") - static_cast<double>(count)));
    energy_J = simulator.value("v(energy)");
  }
  return {off, energy_J};
}

SelfTest cell(const std::string& type, const std::string& summary, std::vector<std::string> overrides) {
  overrides.push_back("cell.type=\"" + type + "\"");
  return {"cell_" + type, summary, "gain_cell_" + type + ".inc", {"gain_cell"}, std::move(overrides), kCellFigures,
          cell_values,    true};
}

}  // namespace

const std::vector<SelfTest>& self_tests() {
  static const std::vector<SelfTest> tests = {
      cell("6t", "6T push-pull gain cell, select FETs at the bit line", {}),
      cell("6t_rail", "6T push-pull gain cell, select FETs at the rails (comparison)", {}),
      cell("oxide", "5T push-pull gain cell with an oxide-semiconductor write FET",
           {"cell.l_write=50nm", "lines.v_boost_high=2.6V", "lines.v_write_off=\"-0.35V\"",
            "storage.write_offset=\"37mV\"", "phases.write=15ns"}),
      cell("3t", "3T gain cell, unsigned (comparison)", {"lines.v_boost_high=1.7V"}),
      cell("2t", "2T gain cell, unsigned (comparison)", {"lines.v_boost_high=1.7V"}),
      {"readout_unsigned",
       "charge-to-pulse converter, no sign",
       "readout_unsigned.inc",
       {"readout_unsigned"},
       {},
       kReadoutFigures,
       measure_unsigned,
       false},
      {"readout_signed",
       "charge-to-pulse converter with sign",
       "readout_signed.inc",
       {"readout_signed"},
       {},
       kReadoutFigures,
       measure_signed,
       false},
      {"column_unsigned",
       "column of the K array: cells, bit line, unsigned converter",
       "readout_unsigned.inc",
       {"readout_unsigned"},
       {},
       kColumnFigures,
       measure_column_unsigned,
       false},
      {"column_signed",
       "column of the V array: cells, bit line, signed converter",
       "readout_signed.inc",
       {"readout_signed"},
       {},
       kColumnFigures,
       measure_column_signed,
       false},
      {"write_path",
       "3-bit DAC and boosted word-line drivers",
       "write_path.inc",
       {"dac3", "word_line_driver"},
       {},
       kWritePathFigures,
       measure_write_path,
       false},
      {"pulse_width",
       "4-bit pulse-width generator of a row",
       "pulse_width.inc",
       {"pulse_width_generator"},
       {},
       kPulseFigures,
       measure_pulse_width,
       false},
      {"counter16",
       "16-level counter, behavioural",
       "counter16.inc",
       {"counter16"},
       {},
       kCounterFigures,
       measure_counter,
       false}};
  return tests;
}

}  // namespace gaincal::sweep
