#include "netlist/design.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/files.hpp"
#include "core/units.hpp"
#include "netlist/embedded.hpp"
#include "netlist/settings.hpp"

namespace gaincal::netlist {
namespace {

constexpr Range kTime{1e-12, 1e-3};
constexpr Range kCapacitance{1e-18, 1e-9};
constexpr Range kCurrent{1e-9, 1e-2};
constexpr std::size_t kColumns = 48, kCheckColumns = 24;

/// Gate sizes: at least the minimum width or length of the technology.
class Sizes {
 public:
  Sizes(SettingsTable& table, const Technology& technology) : table_(table), technology_(technology) {}
  double operator()(const std::string& key) {
    const double min_m = key.starts_with("w_") ? technology_.minimum_width_m : technology_.minimum_length_m;
    return table_.quantity(key, Unit::metre, {min_m * (1 - 1e-9), 1e-4});
  }

 private:
  SettingsTable& table_;
  const Technology& technology_;
};

CellDesign parse_cell(SettingsTable table, const Technology& technology) {
  Sizes size(table, technology);
  CellDesign cell;
  if (table.has("type")) cell.type = table.choice("type", cell_types());
  if (cell.type == "oxide") technology.device("oxide");
  cell.cst_F = table.quantity("cst", Unit::farad, {1e-17, 1e-12});
  cell.w_n_m = size("w_n");
  cell.l_n_m = size("l_n");
  cell.w_p_m = size("w_p");
  cell.l_p_m = size("l_p");
  cell.w_select_n_m = size("w_select_n");
  cell.w_select_p_m = size("w_select_p");
  cell.l_select_m = size("l_select");
  cell.w_write_m = size("w_write");
  cell.l_write_m = size("l_write");
  table.finish();
  return cell;
}

LineDesign parse_lines(SettingsTable table, const Technology& technology) {
  LineDesign lines;
  lines.v_reference_V = table.quantity("v_reference", Unit::volt, {0.0, technology.supply_V});
  lines.v_boost_high_V = table.quantity("v_boost_high", Unit::volt, {technology.supply_V, 3 * technology.supply_V});
  lines.v_boost_low_V = table.quantity("v_boost_low", Unit::volt, {-technology.supply_V, 0.0});
  if (table.has("v_write_off"))
    lines.v_write_off_V = table.quantity("v_write_off", Unit::volt, {-technology.supply_V, 0.0});
  lines.edge_s = table.quantity("edge", Unit::second, {1e-12, 1e-9});
  lines.c_word_line_F = table.quantity("c_word_line", Unit::farad, kCapacitance);
  lines.c_write_bit_line_F = table.quantity("c_write_bit_line", Unit::farad, kCapacitance);
  table.finish();
  return lines;
}

ReadoutDesign parse_readout(SettingsTable table, const Technology& technology) {
  Sizes size(table, technology);
  ReadoutDesign readout;
  readout.c_bit_line_F = table.quantity("c_bit_line", Unit::farad, kCapacitance);
  readout.i_ramp_A = table.quantity("i_ramp", Unit::ampere, kCurrent);
  readout.i_bias_A = table.quantity("i_bias", Unit::ampere, kCurrent);
  readout.t_setup_s = table.quantity("t_setup", Unit::second, {0.5e-9, 1e-6});  // the sign is sampled 0.2 ns before
  readout.t_lead_s = table.quantity("t_lead", Unit::second, {0.0, 1e-6});
  readout.v_trim_V = table.quantity("v_trim", Unit::volt, {-0.1, 0.1});
  readout.c_output_F = table.quantity("c_output", Unit::farad, kCapacitance);
  readout.w_ramp_m = size("w_ramp");
  readout.l_ramp_m = size("l_ramp");
  readout.w_switch_m = size("w_switch");
  readout.w_compare_m = size("w_compare");
  readout.l_compare_m = size("l_compare");
  readout.w_load_m = size("w_load");
  readout.l_load_m = size("l_load");
  readout.w_tail_m = size("w_tail");
  readout.l_tail_m = size("l_tail");
  const auto share = [&](const char* key, double& value, const char* width, double width_m) {
    if (table.has(key)) value = table.quantity(key, Unit::none, {1e-3, 1.0});
    if (value * width_m < technology.minimum_width_m * (1 - 1e-9))
      throw UsageError(table.where(key) + ": the bias diode, this share of " + width +
                       ", is narrower than the technology's " +
                       format_quantity(technology.minimum_width_m, Unit::metre) + "; raise it or widen " + width);
  };
  share("ramp_bias_share", readout.ramp_bias_share, "w_ramp", readout.w_ramp_m);
  share("compare_bias_share", readout.compare_bias_share, "w_tail", readout.w_tail_m);
  table.finish();
  return readout;
}

device::EnergyConstant parse_energy(SettingsTable table) {
  device::EnergyConstant constant;
  constant.part = table.text("part");
  constant.energy_J = table.quantity("value", Unit::joule, {0.0, 1.0});
  const std::string origin = table.choice("origin", {"paper", "extracted", "assumed"});
  constant.origin = origin == "paper"       ? device::Origin::paper
                    : origin == "extracted" ? device::Origin::extracted
                                            : device::Origin::assumed;
  constant.source = table.text("source");
  table.finish();
  return constant;
}

Grids parse_grids(SettingsTable table) {
  Grids grids;
  grids.cell_voltages = table.count("cell_voltages", 4, 1000);
  grids.cell_widths = table.count("cell_widths", 2, 1000);
  grids.cell_check_voltages = table.count("cell_check_voltages", 1, 1000);
  grids.cell_check_widths = table.count("cell_check_widths", 1, 1000);
  grids.charges = table.count("charges", 8, 10000);
  grids.check_charges = table.count("check_charges", 1, 10000);
  grids.columns = table.has("columns") ? table.count("columns", 0, 10000) : kColumns;
  grids.check_columns = table.has("check_columns") ? table.count("check_columns", 0, 10000) : kCheckColumns;
  grids.leak_starts = table.count("leak_starts", 2, 1000);
  grids.leak_check_starts = table.count("leak_check_starts", 1, 1000);
  grids.leak_ages = table.count("leak_ages", 3, 1000);
  grids.age_max_s = table.quantity("age_max", Unit::second, {1e-6, 1e6});
  grids.point_timeout_s = table.quantity("point_timeout", Unit::second, {0.1, 1e5});
  table.finish();
  return grids;
}

Technology find_technology(SettingsTable& settings, const std::filesystem::path& folder) {
  const std::string name = settings.text("technology");
  try {
    return load_technology(name, folder);
  } catch (const UsageError& failure) {
    const std::string message = failure.what();
    if (message.starts_with("technology '")) throw UsageError(settings.where("technology") + ": " + message);
    throw;
  }
}

Conditions parse_conditions(SettingsTable table, const Technology& technology) {
  Conditions conditions;
  const auto words = [&](const char* key) { return table.has(key) ? table.words(key) : std::vector<std::string>{}; };
  conditions.corners = parse_corners(words("corner"), technology, table.where("corner"));
  conditions.temperatures_C = parse_temperatures_C(words("temperature"), table.where("temperature"));
  conditions.supplies_V = parse_supplies_V(words("supply"), table.where("supply"));
  if (table.has("mismatch_samples")) conditions.mismatch_samples = table.count("mismatch_samples", 2, 100000);
  table.finish();
  return conditions;
}

Workload parse_workload(SettingsTable settings, const std::filesystem::path& folder) {
  const auto path = [&](const char* key) { return (folder / settings.text(key)).lexically_normal(); };
  Workload workload{path("softmax"), path("linear"), path("text"), path("calibration_text")};
  settings.finish();
  return workload;
}

std::vector<double> rising_quantities(const std::vector<std::string>& words, Unit unit, Range range,
                                      const std::string& where) {
  std::vector<double> values;
  for (const std::string& word : words) {
    const double value = parse_quantity(word, unit, where);
    if (value < range.min || value > range.max)
      throw UsageError(where + ": " + word + " is outside " + format_quantity(range.min, unit) + " to " +
                       format_quantity(range.max, unit) + "; correct it");
    values.push_back(value);
  }
  std::sort(values.begin(), values.end());
  if (std::adjacent_find(values.begin(), values.end()) != values.end())
    throw UsageError(where + ": a value is given twice; leave one out");
  return values;
}

}  // namespace

const std::vector<std::string>& cell_types() {
  static const std::vector<std::string> types = {"6t", "6t_rail", "oxide", "3t", "2t"};
  return types;
}

double Design::level_voltage_V(std::size_t level) const {
  return v_min_V + static_cast<double>(level) * (v_max_V - v_min_V) / static_cast<double>(weight_levels - 1);
}

std::vector<device::Phase> token_phases(const Design& design) {
  using device::Origin;
  return {
      {"write", design.t_write_s, Origin::assumed},
      {"score pulse", design.t_max_s + design.t_read_margin_s, Origin::paper},
      {"score converter setup", design.score_readout.t_setup_s + design.score_readout.t_lead_s, Origin::extracted},
      {"score conversion and sum pulse", design.t_max_s, Origin::paper},
      {"output converter setup", design.output_readout.t_setup_s + design.output_readout.t_lead_s, Origin::extracted},
      {"output conversion", design.t_max_s, Origin::paper},
      {"add", design.t_add_s, Origin::assumed}};
}

Design parse_design(std::string_view text, const std::filesystem::path& file_name,
                    const std::vector<std::string>& overrides) {
  SettingsTable settings = SettingsTable::parse(text, file_name.string(), overrides);
  Design design;
  design.toml = text;
  for (const std::string& assignment : overrides) design.toml += "# " + assignment + "\n";
  design.name = settings.text("name");
  design.technology = find_technology(settings, file_name.parent_path());
  std::vector<std::string> corners;
  for (const auto& [name, parameters] : design.technology.corners) corners.push_back(name);
  design.corner = settings.choice("corner", corners);
  design.temperature_C = settings.quantity("temperature", Unit::celsius, {-273.0, 300.0});

  SettingsTable array = settings.table("array");
  design.rows = array.count("rows", 1, 1024);
  design.columns = array.count("columns", 1, 1024);
  design.window = array.count("window", 1, 1 << 20);
  if (design.window % design.columns != 0)
    throw UsageError(array.where("window") + ": is no multiple of array.columns; choose one, e.g. 1024 with 64");
  design.query_levels = array.count("query_levels", 2, 256);
  design.counter_levels = array.count("counter_levels", 2, 65536);
  design.t_max_s = array.quantity("t_max", Unit::second, kTime);
  array.finish();

  SettingsTable storage = settings.table("storage");
  design.v_min_V = storage.quantity("v_min", Unit::volt, {0.0, design.technology.supply_V});
  design.v_max_V = storage.quantity("v_max", Unit::volt, {0.0, design.technology.supply_V});
  if (design.v_max_V <= design.v_min_V)
    throw UsageError(storage.where("v_max") + ": is not above storage.v_min; raise it");
  if (storage.has("write_offset")) design.write_offset_V = storage.quantity("write_offset", Unit::volt, {-0.2, 0.2});
  design.weight_levels = storage.count("levels", 2, 16);
  storage.finish();

  SettingsTable phases = settings.table("phases");
  design.t_write_s = phases.quantity("write", Unit::second, kTime);
  design.t_read_margin_s = phases.quantity("read_margin", Unit::second, kTime);
  design.t_add_s = phases.quantity("add", Unit::second, {0.0, 1e-3});
  phases.finish();

  design.cell = parse_cell(settings.table("cell"), design.technology);
  design.lines = parse_lines(settings.table("lines"), design.technology);
  if (design.lines.edge_s * static_cast<double>(design.query_levels) > design.t_max_s)
    throw UsageError(settings.where("lines.edge") + ": is longer than a step of the pulse width; shorten it");
  design.score_readout = parse_readout(settings.table("score_readout"), design.technology);
  design.output_readout = parse_readout(settings.table("output_readout"), design.technology);
  for (SettingsTable& constant : settings.tables("energy"))
    design.energy_constants.push_back(parse_energy(std::move(constant)));
  design.grids = parse_grids(settings.table("characterise"));
  if (settings.has("conditions")) design.conditions = parse_conditions(settings.table("conditions"), design.technology);
  if (settings.has("workload")) design.workload = parse_workload(settings.table("workload"), file_name.parent_path());
  settings.finish();
  return design;
}

std::vector<std::string> parse_corners(const std::vector<std::string>& words, const Technology& technology,
                                       const std::string& where) {
  std::vector<std::string> known;
  std::string list;
  for (const auto& [name, parameters] : technology.corners) {
    known.push_back(name);
    list += (list.empty() ? "" : ", ") + name;
  }
  if (words == std::vector<std::string>{"all"}) return known;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (std::find(known.begin(), known.end(), words[i]) == known.end())
      throw UsageError(where + ": technology " + technology.name + " has no corner '" + words[i] + "'; choose of " +
                       list + ", or all");
    if (std::find(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(i), words[i]) !=
        words.begin() + static_cast<std::ptrdiff_t>(i))
      throw UsageError(where + ": corner " + words[i] + " is given twice; leave one out");
  }
  return words;
}

std::vector<double> parse_temperatures_C(const std::vector<std::string>& words, const std::string& where) {
  return rising_quantities(words, Unit::celsius, {-273.0, 300.0}, where);
}

std::vector<double> parse_supplies_V(const std::vector<std::string>& words, const std::string& where) {
  return rising_quantities(words, Unit::volt, {0.1, 5.5}, where);
}

Design load_design(const std::filesystem::path& path, const std::vector<std::string>& overrides) {
  return parse_design(read_file(path), path, overrides);
}

Design default_design(const std::vector<std::string>& overrides) {
  return parse_design(embedded_file("gc28_paper.toml"), "gc28_paper.toml", overrides);
}

}  // namespace gaincal::netlist
