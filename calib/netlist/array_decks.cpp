#include "netlist/array_decks.hpp"

#include <regex>
#include <sstream>
#include <string>
#include <utility>

#include "core/error.hpp"
#include "netlist/deck_parts.hpp"
#include "netlist/embedded.hpp"

namespace gaincal::netlist {
namespace {

// The pulse of a score passes two inverters and the edges of a loaded word line before it ends at the cells.
constexpr double kRowDriver_s = 0.3e-9;

void check_shape(const char* what, const StoredArray& array, std::size_t rows, std::size_t columns) {
  if (array.rows != rows || array.columns != columns || array.v_store_V.size() != rows * columns)
    throw UsageError(std::string(what) + ": " + std::to_string(array.rows) + " x " + std::to_string(array.columns) +
                     " cells; the design has " + std::to_string(rows) + " x " + std::to_string(columns));
}

void check_pulses(const std::vector<double>& t_pulse_s, std::size_t rows) {
  if (t_pulse_s.size() != rows)
    throw UsageError("array: " + std::to_string(t_pulse_s.size()) + " pulses for " + std::to_string(rows) +
                     " rows; give one per row");
}

/// The cells of an array between the word lines rw<rows><row> and the bit lines bl<columns><column>.
std::string cells(const StoredArray& stored, const std::string& rows, const std::string& columns) {
  std::string text;
  for (std::size_t row = 0; row < stored.rows; ++row)
    for (std::size_t column = 0; column < stored.columns; ++column) {
      const std::string r = rows + std::to_string(row), c = columns + std::to_string(column);
      text += cell_call(c + "_" + std::to_string(row), r, "bl" + c, stored.at(row, column));
    }
  return text;
}

/// Bit-line capacitors, converters and their loads. `suffix` as in suffixed().
std::string converters(std::size_t columns, bool is_signed, const std::string& tag, const std::string& suffix) {
  std::string shared_pins;
  const std::vector<const char*> unsigned_pins = {"erb", "en", "ec"}, signed_pins = {"er", "en", "ec", "smp", "smpb"};
  for (const char* pin : is_signed ? signed_pins : unsigned_pins) shared_pins.append(" ").append(pin).append(suffix);
  std::ostringstream text;
  for (std::size_t column = 0; column < columns; ++column) {
    const std::string c = tag + std::to_string(column);
    text << "Cbl" << c << " bl" << c << " 0 {c_bit_line" << suffix << "}\n.ic v(bl" << c << ")={v_reference}\n"
         << "Cout" << c << " out" << c << " 0 {c_output" << suffix << "}\n"
         << "Xreadout" << c << " bl" << c << " ref" << suffix << shared_pins << " out" << c;
    if (is_signed) text << " sgn" << c;
    text << " pb" << suffix << " nb" << suffix << " vdd " << (is_signed ? "readout_signed" : "readout_unsigned")
         << suffix << "\n";
  }
  return text.str();
}

std::string saved(const std::string& tag, std::size_t columns, bool is_signed) {
  std::ostringstream text;
  for (std::size_t column = 0; column < columns; ++column) {
    text << ".save v(bl" << tag << column << ") v(out" << tag << column << ")";
    if (is_signed) text << " v(sgn" << tag << column << ")";
    text << "\n";
  }
  return text.str();
}

/// The pulse of a K column's converter to the word lines of its V row.
std::string row_driver(const std::string& token) {
  std::ostringstream text;
  text << "Xrow" << token << " out_k" << token << " rw_v" << token << " rwb_v" << token << " vdd row_driver\n";
  return text.str();
}

/// Converters of two kinds stand in one netlist: what differs between them gets a suffix in the text of one.
std::string suffixed(const std::string& text, const std::string& suffix) {
  static const std::regex names(
      R"(\b(t_max|t_enable|t_setup|t_lead|v_trim|c_bit_line|c_output|i_ramp|i_bias|ramp_bias|compare_bias|w_ramp|l_ramp|w_switch|w_compare|l_compare|)"
      R"(w_load|l_load|w_tail|l_tail|comparator|readout_unsigned|readout_signed|ref|pb|nb|ec|er|erb|en|smp|smpb|vbias|)"
      R"(Vbias|Vref|Xpb|Ipb|Inb|Xnb|Vec|Ver|Verb|Ven|Vsmp|Vsmpb)\b)");
  return std::regex_replace(text, names, "$1" + suffix);
}

}  // namespace

Deck array_deck(const Design& design, bool is_signed, const StoredArray& stored, const std::vector<double>& t_pulse_s) {
  check_shape("array", stored, design.rows, design.columns);
  check_pulses(t_pulse_s, design.rows);
  const ReadoutDesign& readout = is_signed ? design.output_readout : design.score_readout;
  const double t_enable_s = kReadStart_s + design.t_max_s + design.t_read_margin_s;
  const double window_s = t_enable_s + readout.t_setup_s + readout.t_lead_s;
  std::string text = preamble(design, is_signed ? "array, signed converters" : "array, unsigned converters");
  text += parameter_lines({{"v_reference", design.lines.v_reference_V}, {"t_start", kReadStart_s}});
  text += std::string(embedded_file("gates.inc")) + "Vdd vdd 0 {supply}\n";
  text += cell_lines(design) + readout_lines(design, is_signed, t_enable_s, design.columns);
  text += embedded_file("bench_column_cells.inc");
  for (std::size_t row = 0; row < design.rows; ++row) text += word_line_sources(design, row, t_pulse_s[row]);
  text += cells(stored, "", "") + converters(design.columns, is_signed, "", "") + saved("", design.columns, is_signed);
  return finish(std::move(text), kConverterStep_s, window_s, window_s + design.t_max_s,
                window_s + design.t_max_s + kTail_s);
}

TileDeck tile_deck(const Design& design, const StoredArray& keys, const StoredArray& values,
                   const std::vector<double>& t_pulse_s) {
  check_shape("keys", keys, design.rows, design.columns);
  check_shape("values", values, design.columns, design.rows);
  check_pulses(t_pulse_s, design.rows);
  const ReadoutDesign &score = design.score_readout, &output = design.output_readout;
  TileDeck tile;
  tile.t_score_enable_s = kReadStart_s + design.t_max_s + design.t_read_margin_s;
  tile.t_score_s = tile.t_score_enable_s + score.t_setup_s + score.t_lead_s;
  tile.t_output_enable_s = tile.t_score_s + design.t_max_s + design.t_read_margin_s + kRowDriver_s;
  const double window_s = tile.t_output_enable_s + output.t_setup_s + output.t_lead_s;
  std::string text = preamble(design, "sub-tile: K array, converters, V array, signed converters");
  text += parameter_lines({{"v_reference", design.lines.v_reference_V}, {"t_start", kReadStart_s}});
  const std::string of_scores = readout_lines(design, false, tile.t_score_enable_s, keys.columns);
  const std::string of_outputs = readout_lines(design, true, tile.t_output_enable_s, values.columns);
  text += std::string(embedded_file("gates.inc")) + "Vdd vdd 0 {supply}\n";
  text += cell_lines(design) + suffixed(of_scores, "_k") + suffixed(of_outputs, "_v");
  text += std::string(embedded_file("row_driver.inc")) + std::string(embedded_file("bench_column_cells.inc"));
  for (std::size_t row = 0; row < keys.rows; ++row) text += word_line_sources(design, row, t_pulse_s[row]);
  for (std::size_t token = 0; token < values.rows; ++token) text += row_driver(std::to_string(token));
  text += cells(keys, "", "_k") + cells(values, "_v", "_v");
  text += converters(keys.columns, false, "_k", "_k") + converters(values.columns, true, "_v", "_v");
  text += saved("_k", keys.columns, false) + saved("_v", values.columns, true);
  tile.deck = finish(std::move(text), kConverterStep_s, window_s, window_s + design.t_max_s,
                     window_s + design.t_max_s + kTail_s);
  return tile;
}

}  // namespace gaincal::netlist
