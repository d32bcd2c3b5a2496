#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "device/circuit_model.hpp"
#include "netlist/technology.hpp"

namespace gaincal::netlist {

/// Cell types: 6t (select FETs at the bit line), 6t_rail (at the rails), oxide (oxide-semiconductor write FET), and the
/// unsigned 3t and 2t. The template of a type is netlists/gain_cell_<type>.inc.
const std::vector<std::string>& cell_types();

/// Type and sizes of the gain cell. Sizes that a type has no use for count for nothing.
struct CellDesign {
  std::string type = "6t";
  double cst_F = 0.0;
  double w_n_m = 0.0, l_n_m = 0.0, w_p_m = 0.0, l_p_m = 0.0;
  double w_select_n_m = 0.0, w_select_p_m = 0.0, l_select_m = 0.0;
  double w_write_m = 0.0, l_write_m = 0.0;
};

/// Bias points and loads of the lines that cross the array.
struct LineDesign {
  double v_reference_V = 0.0;  ///< bit line between reads
  double v_boost_high_V = 0.0, v_boost_low_V = 0.0;
  double v_write_off_V = 0.0;       ///< write word line while closed; negative for an oxide write FET
  double edge_s = 0.0;              ///< word lines, 0 to 100 %
  double c_word_line_F = 0.0;       ///< wire of one cell on each word line
  double c_write_bit_line_F = 0.0;  ///< all that hangs on the write bit line of a cell
};

/// Sizes, currents and timing of one charge-to-pulse converter.
struct ReadoutDesign {
  double c_bit_line_F = 0.0;
  double i_ramp_A = 0.0, i_bias_A = 0.0;
  /// Current of the bias diodes that all columns of an array share, for each column, of i_ramp and i_bias. The smaller,
  /// the slower the bias recovers when all columns switch at once.
  double ramp_bias_share = 0.25, compare_bias_share = 0.125;
  double t_setup_s = 0.0;  ///< comparator on to ramp start
  double t_lead_s = 0.0;   ///< ramp start to pulse window: the comparator's delay
  double v_trim_V = 0.0;   ///< comparator reference minus the bit line's
  double c_output_F = 0.0;
  double w_ramp_m = 0.0, l_ramp_m = 0.0, w_switch_m = 0.0;
  double w_compare_m = 0.0, l_compare_m = 0.0, w_load_m = 0.0, l_load_m = 0.0, w_tail_m = 0.0, l_tail_m = 0.0;
};

/// How many points each table of the characterisation gets.
struct Grids {
  std::size_t cell_voltages = 0, cell_widths = 0, cell_check_voltages = 0, cell_check_widths = 0;
  std::size_t charges = 0, check_charges = 0;
  std::size_t columns = 0, check_columns = 0;  ///< of cells on each kind of bit line; 0: none are simulated
  std::size_t leak_starts = 0, leak_check_starts = 0, leak_ages = 0;
  double age_max_s = 0.0;
  double point_timeout_s = 0.0;
};

/// Where the circuit is characterised beside its nominal condition, and on how many chips with mismatch.
struct Conditions {
  std::vector<std::string> corners;                ///< none: the design's own
  std::vector<double> temperatures_C, supplies_V;  ///< rising; none: the design's own
  std::size_t mismatch_samples = 0;

  bool empty() const { return corners.empty() && temperatures_C.empty() && supplies_V.empty(); }
};

/// What `gaincal flow` runs on the circuit. Paths are relative to the design file there, made whole here.
struct Workload {
  std::filesystem::path softmax;           ///< checkpoint folder, tuned for softmax attention
  std::filesystem::path linear;            ///< checkpoint folder, tuned for the linear cell
  std::filesystem::path text;              ///< perplexity is measured on it
  std::filesystem::path calibration_text;  ///< scalers adapt on it
};

/// Content of a design file: one attention circuit in one technology.
struct Design {
  std::string name;
  std::string toml;  ///< as read
  std::string corner;
  double temperature_C = 27.0;
  std::size_t rows = 0, columns = 0, window = 0;
  std::size_t query_levels = 0;    ///< pulse widths
  std::size_t counter_levels = 0;  ///< both signs
  std::size_t weight_levels = 0;
  double t_max_s = 0.0;
  double v_min_V = 0.0, v_max_V = 0.0;
  double write_offset_V = 0.0;  ///< driven above a level, for what closing the write FET takes away
  double t_write_s = 0.0, t_read_margin_s = 0.0, t_add_s = 0.0;
  CellDesign cell;
  LineDesign lines;
  ReadoutDesign score_readout;   ///< unsigned
  ReadoutDesign output_readout;  ///< signed
  std::vector<device::EnergyConstant> energy_constants;
  Grids grids;
  Conditions conditions;
  std::optional<Workload> workload;
  Technology technology;

  /// Stored voltage that a level is written from: v_min + level (v_max - v_min) / (weight_levels - 1).
  double level_voltage_V(std::size_t level) const;
  double v_middle_V() const { return 0.5 * (v_min_V + v_max_V); }
  /// Charge that the ramp removes in the longest pulse, where a converter saturates.
  double saturation_charge_C(const ReadoutDesign& readout) const { return readout.i_ramp_A * t_max_s; }
};

/// Phases of one token in one layer, in order. The pulses of the first converter drive the second array, so that score
/// conversion and weighted sum are one phase.
std::vector<device::Phase> token_phases(const Design& design);

/// Loads a design file and its technology.
///
/// Throws  UsageError naming file, field and remedy: unknown or missing key, wrong type or unit, out of range, sizes
///         below the technology's minimum, a technology or corner that is not there
/// overrides  `key=value`, as SettingsTable::parse takes them
Design load_design(const std::filesystem::path& path, const std::vector<std::string>& overrides = {});

/// text  TOML; file_name for messages, its folder is where a technology file is looked up
Design parse_design(std::string_view text, const std::filesystem::path& file_name,
                    const std::vector<std::string>& overrides = {});

/// Corners and rising quantities as they are written in a design file or on a command line.
///
/// words  "all" alone stands for every corner of the technology
/// where  begins the message of the error
/// Throws UsageError for an unknown corner, another unit, a value that is no temperature or supply or given twice
std::vector<std::string> parse_corners(const std::vector<std::string>& words, const Technology& technology,
                                       const std::string& where);
std::vector<double> parse_temperatures_C(const std::vector<std::string>& words, const std::string& where);
std::vector<double> parse_supplies_V(const std::vector<std::string>& words, const std::string& where);

/// The built-in data/designs/gc28_paper.toml.
Design default_design(const std::vector<std::string>& overrides = {});

}  // namespace gaincal::netlist
