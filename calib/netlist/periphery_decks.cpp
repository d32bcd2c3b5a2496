#include "netlist/periphery_decks.hpp"

#include "core/error.hpp"
#include "netlist/deck_parts.hpp"
#include "netlist/embedded.hpp"

namespace gaincal::netlist {
namespace {

constexpr double kStep_s = 25e-12;
constexpr double kStart_s = 2e-9;
constexpr double kDriverTail_s = 4e-9;
constexpr double kGateCapacitance_F_m2 = 0.02;  // an oxide of 1.7 nm
constexpr std::size_t kCodes = 16;

/// Wire and select gates of all cells of a row.
double row_load_F(const Design& design) {
  return static_cast<double>(design.columns) *
         (design.lines.c_word_line_F + kGateCapacitance_F_m2 * design.cell.w_select_n_m * design.cell.l_select_m);
}

std::string word(const char* text) { return std::string(embedded_file(text)); }

/// "p7" of "p" and 7.
std::string numbered(std::string name, std::size_t number) { return name.append(std::to_string(number)); }

/// `Vnode node 0 value`.
std::string source(const std::string& node, const std::string& value) {
  std::string line = "V";
  line.append(node).append(" ").append(node).append(" 0 ").append(value).append("\n");
  return line;
}

/// Timing lines and code bits.
std::string code_sources(const Design& design, std::size_t code) {
  const double step_s = design.t_max_s / static_cast<double>(kCodes - 1);
  std::string text = source("p0", "0");
  for (std::size_t k = 1; k < kCodes; ++k) {
    std::string shape = "pulse(0 {supply} {t_start-edge/2} {edge} {edge} ";
    shape.append(number_text(static_cast<double>(k) * step_s - design.lines.edge_s)).append(" 1)");
    text += source(numbered("p", k), shape);
  }
  for (std::size_t bit = 0; bit < 4; ++bit)
    text += source(numbered("d", bit), (code >> bit & 1) != 0 ? "{supply}" : "0");
  return text;
}

}  // namespace

Deck write_path_deck(const Design& design, std::size_t level, double v_previous_V) {
  if (design.weight_levels != 8)
    throw UsageError(design.name + ": storage.levels: the DAC has 3 bits; choose 8 levels");
  if (design.lines.v_write_off_V != 0)
    throw UsageError(design.name + ": lines.v_write_off: the word-line driver rests at 0; choose 0V");
  const double t_stop_s = kStart_s + design.t_write_s + kDriverTail_s;
  std::string text = preamble(design, "one write through DAC and word-line drivers");
  text += parameter_lines({{"v_reference", design.lines.v_reference_V},
                           {"v_top", design.v_max_V + design.write_offset_V},
                           {"v_bottom", design.v_min_V + design.write_offset_V},
                           {"v_previous", v_previous_V},
                           {"t_write", design.t_write_s},
                           {"t_start", kStart_s},
                           {"r_ladder", 2e3},
                           {"row_load", static_cast<double>(design.columns) * design.lines.c_word_line_F}});
  text += cell_lines(design) + word("gates.inc") + word("write_path.inc") + word("bench_write_path.sp");
  for (std::size_t bit = 0; bit < 3; ++bit) {
    const std::string name = numbered("d", bit);
    const bool set = (level >> bit & 1) != 0;
    text += source(name, set ? "{v_boost_high}" : "{v_boost_low}");
    text += source(std::string(name).append("b"), set ? "{v_boost_low}" : "{v_boost_high}");
  }
  return finish(std::move(text), kStep_s, kStart_s, kStart_s + design.t_write_s, t_stop_s);
}

Deck pulse_width_deck(const Design& design, std::size_t code) {
  if (code >= kCodes) throw UsageError("pulse_width: code " + std::to_string(code) + "; choose 0 to 15");
  std::string text = preamble(design, "one pulse of a row");
  text += parameter_lines({{"t_start", kStart_s}, {"edge", design.lines.edge_s}, {"rows_load", row_load_F(design)}});
  text += word("gates.inc") + word("row_driver.inc") + word("pulse_width.inc") + word("bench_pulse_width.sp");
  text += code_sources(design, code);
  return finish(std::move(text), kStep_s, kStart_s, kStart_s + design.t_max_s,
                kStart_s + design.t_max_s + kDriverTail_s);
}

Deck counter_deck(const Design& design, double t_pulse_s) {
  const double supply_V = design.technology.supply_V;
  std::string text = preamble(design, "count of one pulse");
  text += parameter_lines({{"t_pulse", t_pulse_s},
                           {"t_count", design.t_max_s / (0.5 * static_cast<double>(design.counter_levels) - 1.0)},
                           {"e_count", counted_capacitance_F * supply_V * supply_V}});
  text += word("counter16.inc") + word("bench_counter16.sp");
  return finish(std::move(text), kStep_s, kStart_s, kStart_s + t_pulse_s, kStart_s + design.t_max_s + kDriverTail_s);
}

}  // namespace gaincal::netlist
