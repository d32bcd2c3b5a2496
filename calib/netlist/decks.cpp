#include "netlist/decks.hpp"

#include <utility>

#include "core/error.hpp"
#include "netlist/deck_parts.hpp"
#include "netlist/embedded.hpp"

namespace gaincal::netlist {
namespace {

constexpr double kEnable_s = 0.3e-9;    // quiet time before the comparator comes on
constexpr double kWriteTail_s = 30e-9;  // the inner nodes of the read path settle slowly and pull at the storage node

std::string one_readout(const Design& design, bool is_signed, double t_enable_s) {
  return std::string(embedded_file("gates.inc")) + readout_lines(design, is_signed, t_enable_s, 1) +
         std::string(embedded_file("bench_readout_load.inc"));
}

Deck readout_deck(const Design& design, bool is_signed, double q_in_C) {
  const ReadoutDesign& readout = is_signed ? design.output_readout : design.score_readout;
  const double window_s = kEnable_s + readout.t_setup_s + readout.t_lead_s;
  std::string text = preamble(design, is_signed ? "one conversion, signed" : "one conversion, unsigned");
  text += parameter_lines({{"v_reference", design.lines.v_reference_V}, {"q_in", q_in_C}});
  text += one_readout(design, is_signed, kEnable_s);
  text += embedded_file(is_signed ? "bench_readout_signed.sp" : "bench_readout_unsigned.sp");
  return finish(std::move(text), kConverterStep_s, window_s, window_s + design.t_max_s,
                window_s + design.t_max_s + kTail_s);
}

/// Cells of a column: word lines per row, all else shared.
std::string row_lines(const Design& design, const std::vector<RowOperand>& rows) {
  std::string text;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const std::string row = std::to_string(r);
    text += word_line_sources(design, r, rows[r].t_pulse_s) + cell_call(row, row, "bl", rows[r].v_store_V);
  }
  return text;
}

enum class Until { charge, pulse };

Deck column_deck(const Design& design, bool is_signed, const std::vector<RowOperand>& rows, Until until) {
  if (rows.size() != design.rows)
    throw UsageError("column: " + std::to_string(rows.size()) + " operands for " + std::to_string(design.rows) +
                     " rows; give one per row");
  const ReadoutDesign& readout = is_signed ? design.output_readout : design.score_readout;
  const double t_enable_s = kReadStart_s + design.t_max_s + design.t_read_margin_s;
  const double window_s = t_enable_s + readout.t_setup_s + readout.t_lead_s;
  std::string text = preamble(design, is_signed ? "column, signed converter" : "column, unsigned converter");
  text += parameter_lines({{"v_reference", design.lines.v_reference_V}, {"t_start", kReadStart_s}});
  text += cell_lines(design);
  text += one_readout(design, is_signed, t_enable_s);
  text += embedded_file("bench_column_cells.inc");
  text += row_lines(design, rows);
  if (until == Until::charge) {
    text += is_signed ? "Xreadout bl ref er en ec smp smpb out sgn pb nb vdd readout_signed\n"
                      : "Xreadout bl ref erb en ec out pb nb vdd readout_unsigned\n";
    text += ".ic v(bl)={v_reference}\n.save v(bl)\n";
    return finish(std::move(text), kConverterStep_s, kReadStart_s, kReadStart_s + design.t_max_s, t_enable_s);
  }
  text += embedded_file(is_signed ? "bench_column_signed.sp" : "bench_column_unsigned.sp");
  return finish(std::move(text), kConverterStep_s, window_s, window_s + design.t_max_s,
                window_s + design.t_max_s + kTail_s);
}

}  // namespace

std::string readout_lines(const Design& design, bool is_signed, double t_enable_s, std::size_t columns) {
  const ReadoutDesign& readout = is_signed ? design.output_readout : design.score_readout;
  return parameter_lines({{"t_max", design.t_max_s},
                          {"t_enable", t_enable_s},
                          {"t_setup", readout.t_setup_s},
                          {"t_lead", readout.t_lead_s},
                          {"v_trim", readout.v_trim_V},
                          {"c_bit_line", readout.c_bit_line_F},
                          {"c_output", readout.c_output_F},
                          {"i_ramp", readout.i_ramp_A},
                          {"i_bias", readout.i_bias_A},
                          {"ramp_bias", readout.ramp_bias_share * static_cast<double>(columns)},
                          {"compare_bias", readout.compare_bias_share * static_cast<double>(columns)},
                          {"w_ramp", readout.w_ramp_m},
                          {"l_ramp", readout.l_ramp_m},
                          {"w_switch", readout.w_switch_m},
                          {"w_compare", readout.w_compare_m},
                          {"l_compare", readout.l_compare_m},
                          {"w_load", readout.w_load_m},
                          {"l_load", readout.l_load_m},
                          {"w_tail", readout.w_tail_m},
                          {"l_tail", readout.l_tail_m}}) +
         std::string(embedded_file("comparator.inc")) +
         std::string(embedded_file(is_signed ? "readout_signed.inc" : "readout_unsigned.inc")) +
         std::string(embedded_file("bench_readout_sources.inc"));
}

std::string word_line_sources(const Design& design, std::size_t row, double t_pulse_s) {
  const std::string n = std::to_string(row);
  if (t_pulse_s < design.lines.edge_s) return "Vrw" + n + " rw" + n + " 0 0\nVrwb" + n + " rwb" + n + " 0 {supply}\n";
  const std::string shape = "{t_start-edge/2} {edge} {edge} {" + number_text(t_pulse_s) + "-edge} 1)\n";
  return "Vrw" + n + " rw" + n + " 0 pulse(0 {supply} " + shape + "Vrwb" + n + " rwb" + n + " 0 pulse({supply} 0 " +
         shape;
}

std::string cell_call(const std::string& number, const std::string& row, const std::string& bit_line,
                      double v_store_V) {
  return "Xcell" + number + " wbl ww wwb rw" + row + " rwb" + row + " " + bit_line + " vcell 0 sn" + number +
         " gain_cell\n.ic v(sn" + number + ")=" + number_text(v_store_V) + "\n";
}

std::string preamble(const Design& design, const std::string& title) {
  const Technology& technology = design.technology;
  return "* " + title + "; design " + design.name + ", technology " + technology.name + ", corner " + design.corner +
         "\n" + technology_lines(technology, design.corner) + ".temp " + number_text(design.temperature_C) + "\n" +
         parameter_lines({{"logic_l", technology.minimum_length_m}, {"logic_w", technology.logic_width_m}});
}

std::string cell_lines(const Design& design) {
  const CellDesign& cell = design.cell;
  const LineDesign& lines = design.lines;
  return parameter_lines({{"cell_cst", cell.cst_F},
                          {"cell_w_n", cell.w_n_m},
                          {"cell_l_n", cell.l_n_m},
                          {"cell_w_p", cell.w_p_m},
                          {"cell_l_p", cell.l_p_m},
                          {"cell_w_select_n", cell.w_select_n_m},
                          {"cell_w_select_p", cell.w_select_p_m},
                          {"cell_l_select", cell.l_select_m},
                          {"cell_w_write", cell.w_write_m},
                          {"cell_l_write", cell.l_write_m},
                          {"v_middle", design.v_middle_V()},
                          {"v_boost_high", lines.v_boost_high_V},
                          {"v_boost_low", lines.v_boost_low_V},
                          {"v_write_off", lines.v_write_off_V},
                          {"edge", lines.edge_s},
                          {"c_word_line", lines.c_word_line_F},
                          {"c_write_bit_line", lines.c_write_bit_line_F}}) +
         std::string(embedded_file("gain_cell_" + cell.type + ".inc"));
}

Deck finish(std::string text, double step_s, double t_start_s, double t_end_s, double t_stop_s) {
  const std::string analysis = "tran " + number_text(step_s) + " " + number_text(t_stop_s);
  text += "." + analysis + "\n.end\n";
  return {std::move(text), analysis, t_start_s, t_end_s, t_stop_s};
}

Deck cell_read_deck(const Design& design, double v_store_V, double t_pulse_s) {
  if (t_pulse_s < design.lines.edge_s)
    throw UsageError("cell_read: t_pulse is shorter than an edge of the word line; lengthen it");
  const double t_stop_s = kReadStart_s + t_pulse_s + kTail_s;
  std::string text = preamble(design, "one read of a gain cell");
  text += parameter_lines({{"v_reference", design.lines.v_reference_V},
                           {"v_store", v_store_V},
                           {"t_pulse", t_pulse_s},
                           {"t_start", kReadStart_s},
                           {"t_stop", t_stop_s}});
  text += cell_lines(design);
  text += embedded_file("bench_cell_read.sp");
  return finish(std::move(text), kConverterStep_s, kReadStart_s, kReadStart_s + t_pulse_s, t_stop_s);
}

Deck cell_write_deck(const Design& design, double v_target_V, double v_previous_V) {
  const double t_stop_s = kReadStart_s + design.t_write_s + kWriteTail_s;
  std::string text = preamble(design, "one write of a gain cell");
  text += parameter_lines({{"v_reference", design.lines.v_reference_V},
                           {"v_drive", v_target_V + design.write_offset_V},
                           {"v_previous", v_previous_V},
                           {"t_write", design.t_write_s},
                           {"t_start", kReadStart_s},
                           {"t_stop", t_stop_s}});
  text += cell_lines(design);
  text += embedded_file("bench_cell_write.sp");
  return finish(std::move(text), kConverterStep_s, kReadStart_s, kReadStart_s + design.t_write_s, t_stop_s);
}

Deck cell_leak_deck(const Design& design, double v_store_V, double age_s) {
  std::string text = preamble(design, "retention of a gain cell");
  text += parameter_lines({{"v_reference", design.lines.v_reference_V}, {"v_store", v_store_V}, {"t_stop", age_s}});
  text += cell_lines(design);
  text += embedded_file("bench_cell_leak.sp");
  return finish(std::move(text), age_s / 500, 0.0, age_s, age_s);
}

Deck readout_unsigned_deck(const Design& design, double q_in_C) { return readout_deck(design, false, q_in_C); }
Deck readout_signed_deck(const Design& design, double q_in_C) { return readout_deck(design, true, q_in_C); }

Deck readout_noise_deck(const Design& design, bool is_signed, NoiseOf what) {
  std::string text = preamble(design, "noise of a converter");
  text += parameter_lines({{"v_reference", design.lines.v_reference_V}});
  text += std::string(embedded_file("gates.inc")) + readout_lines(design, is_signed, kEnable_s, 1);
  text += embedded_file("bench_readout_noise.sp");
  const std::string analysis =
      std::string(what == NoiseOf::comparator ? "noise v(xc.o)" : "noise v(ramp)") + " vin dec 10 1meg 10g";
  text += "." + analysis + "\n.end\n";
  return {std::move(text), analysis, 0.0, 0.0, 0.0};
}

Deck column_unsigned_deck(const Design& design, const std::vector<RowOperand>& rows) {
  return column_deck(design, false, rows, Until::pulse);
}
Deck column_signed_deck(const Design& design, const std::vector<RowOperand>& rows) {
  return column_deck(design, true, rows, Until::pulse);
}
Deck column_charge_deck(const Design& design, bool is_signed, const std::vector<RowOperand>& rows) {
  return column_deck(design, is_signed, rows, Until::charge);
}

}  // namespace gaincal::netlist
