#include <iostream>
#include <map>

#include "cli/command.hpp"
#include "core/files.hpp"
#include "core/provenance.hpp"
#include "core/units.hpp"
#include "netlist/array_decks.hpp"
#include "netlist/decks.hpp"
#include "netlist/embedded.hpp"
#include "netlist/periphery_decks.hpp"
#include "sweep/run_points.hpp"
#include "sweep/self_test.hpp"

namespace gaincal::cli {
namespace {

using netlist::Deck;
using netlist::Design;

constexpr const char* kUsage = "gaincal netlist CIRCUIT [--design FILE] [--out FILE] [options of the circuit]";

/// Options of a circuit as given, with defaults.
class Operands {
 public:
  Operands(const po::variables_map& values, const Design& design) : values_(values), design_(design) {}

  double quantity(const std::string& option, Unit unit, double otherwise) const {
    if (values_.count(option) == 0) return otherwise;
    return parse_quantity(values_[option].as<std::string>(), unit, "--" + option);
  }
  double v_store_V() const {
    return in_range("v-store", Unit::volt, design_.v_max_V, 0.0, design_.technology.supply_V);
  }
  double t_pulse_s() const {
    return in_range("t-pulse", Unit::second, design_.t_max_s, design_.lines.edge_s, design_.t_max_s);
  }
  double age_s() const { return in_range("age", Unit::second, design_.grids.age_max_s, 1e-9, 1e6); }
  double q_in_C(double otherwise) const { return quantity("q-in", Unit::coulomb, otherwise); }
  std::size_t level(const std::string& option, std::size_t otherwise) const {
    const std::size_t value = values_.count(option) > 0 ? values_[option].as<std::size_t>() : otherwise;
    if (value >= design_.weight_levels)
      throw UsageError("--" + option + ": " + std::to_string(value) + " is no level; choose 0 to " +
                       std::to_string(design_.weight_levels - 1));
    return value;
  }
  double level_V(const std::string& option, std::size_t otherwise) const {
    return design_.level_voltage_V(level(option, otherwise));
  }
  std::size_t code() const { return values_.count("code") > 0 ? values_["code"].as<std::size_t>() : 15; }
  /// The first `--active-rows` rows store v-store and get the pulse; the others store the middle and stay silent.
  std::vector<netlist::RowOperand> rows() const {
    const std::size_t active = values_.count("active-rows") > 0 ? values_["active-rows"].as<std::size_t>() : 8;
    if (active > design_.rows)
      throw UsageError("--active-rows: " + std::to_string(active) + " of " + std::to_string(design_.rows) +
                       " rows; choose fewer");
    std::vector<netlist::RowOperand> operands(design_.rows, {design_.v_middle_V(), 0.0});
    for (std::size_t r = 0; r < active; ++r) operands[r] = {v_store_V(), t_pulse_s()};
    return operands;
  }
  /// The same rows in every column.
  netlist::StoredArray array() const {
    netlist::StoredArray stored{design_.rows, design_.columns, {}};
    for (const netlist::RowOperand& row : rows())
      stored.v_store_V.insert(stored.v_store_V.end(), design_.columns, row.v_store_V);
    return stored;
  }
  std::vector<double> pulses() const {
    std::vector<double> t_pulse_s;
    for (const netlist::RowOperand& row : rows()) t_pulse_s.push_back(row.t_pulse_s);
    return t_pulse_s;
  }

 private:
  double in_range(const std::string& option, Unit unit, double otherwise, double min, double max) const {
    const double value = quantity(option, unit, otherwise);
    if (value < min || value > max)
      throw UsageError("--" + option + ": " + format_quantity(value, unit) + " is out of range; choose between " +
                       format_quantity(min, unit) + " and " + format_quantity(max, unit));
    return value;
  }
  const po::variables_map& values_;
  const Design& design_;
};

struct Circuit {
  const char* summary;
  std::vector<std::string> options;  // that it understands
  Deck (*make)(const Design&, const Operands&);
};

const std::map<std::string, Circuit>& circuits() {
  static const std::map<std::string, Circuit> table = {
      {"cell_read",
       {"one read of a gain cell, bit line held",
        {"v-store", "t-pulse"},
        [](const Design& d, const Operands& o) { return cell_read_deck(d, o.v_store_V(), o.t_pulse_s()); }}},
      {"cell_write",
       {"one write of a gain cell",
        {"level", "previous"},
        [](const Design& d, const Operands& o) {
          return cell_write_deck(d, o.level_V("level", d.weight_levels - 1), o.level_V("previous", 0));
        }}},
      {"cell_leak",
       {"retention of a gain cell",
        {"v-store", "age"},
        [](const Design& d, const Operands& o) { return cell_leak_deck(d, o.v_store_V(), o.age_s()); }}},
      {"write_path",
       {"one write through a 3-bit DAC and boosted word-line drivers",
        {"level", "previous"},
        [](const Design& d, const Operands& o) {
          const double v_previous_V = o.level_V("previous", 0);
          return write_path_deck(d, o.level("level", d.weight_levels - 1), v_previous_V);
        }}},
      {"pulse_width",
       {"one pulse of a row from its 4-bit code",
        {"code"},
        [](const Design& d, const Operands& o) { return pulse_width_deck(d, o.code()); }}},
      {"counter16",
       {"the count of one pulse, behavioural",
        {"t-pulse"},
        [](const Design& d, const Operands& o) { return counter_deck(d, o.t_pulse_s()); }}},
      {"readout_unsigned",
       {"one conversion of charge to pulse, no sign",
        {"q-in"},
        [](const Design& d, const Operands& o) {
          return readout_unsigned_deck(d, o.q_in_C(0.5 * d.saturation_charge_C(d.score_readout)));
        }}},
      {"readout_signed",
       {"one conversion of charge to sign and pulse",
        {"q-in"},
        [](const Design& d, const Operands& o) {
          return readout_signed_deck(d, o.q_in_C(-0.5 * d.saturation_charge_C(d.output_readout)));
        }}},
      {"array_unsigned",
       {"an array of cells with unsigned converters, every column alike",
        {"v-store", "t-pulse", "active-rows"},
        [](const Design& d, const Operands& o) { return array_deck(d, false, o.array(), o.pulses()); }}},
      {"array_signed",
       {"an array of cells with signed converters, every column alike",
        {"v-store", "t-pulse", "active-rows"},
        [](const Design& d, const Operands& o) { return array_deck(d, true, o.array(), o.pulses()); }}},
      {"tile",
       {"a sub-tile: K array, converters, V array, signed converters",
        {"v-store", "t-pulse", "active-rows"},
        [](const Design& d, const Operands& o) {
          netlist::StoredArray values{d.columns, d.rows, std::vector<double>(d.columns * d.rows, o.v_store_V())};
          return tile_deck(d, o.array(), values, o.pulses()).deck;
        }}},
      {"column_unsigned",
       {"a column of cells with the unsigned converter",
        {"v-store", "t-pulse", "active-rows"},
        [](const Design& d, const Operands& o) { return column_unsigned_deck(d, o.rows()); }}},
      {"column_signed",
       {"a column of cells with the signed converter",
        {"v-store", "t-pulse", "active-rows"},
        [](const Design& d, const Operands& o) { return column_signed_deck(d, o.rows()); }}}};
  return table;
}

void print_circuits() {
  for (const auto& [name, circuit] : circuits()) {
    std::cout << name << std::string(18 - name.size(), ' ') << circuit.summary << ":";
    for (const std::string& option : circuit.options) std::cout << " --" << option;
    std::cout << "\n";
  }
}

const Circuit& find_circuit(const std::string& name) {
  const auto found = circuits().find(name);
  if (found != circuits().end()) return found->second;
  throw UsageError("no circuit '" + name + "'; 'gaincal netlist --list' names them");
}

/// Simulates one circuit, or all of them, prints what it extracted and keeps it in `out` where that is not empty.
/// Whether every run succeeded.
bool run_self_tests(const std::string& name, const std::string& design_file, const std::vector<std::string>& overrides,
                    const sweep::SelfTestOptions& options, const std::string& out) {
  store::Dataset dataset;
  const Design design =
      design_file.empty() ? netlist::default_design(overrides) : netlist::load_design(design_file, overrides);
  dataset.design_toml = design.toml;
  std::string simulated = design.toml + design.technology.model_text;
  for (const auto& [corner, content] : design.technology.corners)
    simulated.append(corner).append(content.text).append(content.content_hash);
  bool found = false, succeeded = true;
  for (sweep::SelfTest test : sweep::self_tests()) {
    if (name != "all" && name != test.name) continue;
    found = true;
    test.overrides.insert(test.overrides.end(), overrides.begin(), overrides.end());
    const sweep::SelfTestResult result = sweep::run_self_test(test, design_file, options);
    sweep::print_self_test(std::cout, result);
    for (const std::string& failure : result.failures) succeeded = succeeded && failure.empty();
    dataset.tables.push_back(sweep::table_of(result));
    simulated += netlist::embedded_file(test.file);
    for (const std::string& assignment : test.overrides) simulated += assignment;
    if (test.stores) {
      const sweep::RetentionTable retention = sweep::run_retention(test, design_file, options);
      sweep::print_retention(std::cout, retention);
      dataset.tables.push_back(sweep::table_of(retention));
    }
    std::cout << std::endl;
  }
  if (found && !out.empty()) {
    dataset.provenance.command_line = command_line();
    dataset.provenance.netlist_hash = content_hash(simulated);
    dataset.provenance.ngspice_version = sweep::simulator_version();
    store::write_dataset(out, dataset);
  }
  if (found) return succeeded;
  std::string list;
  for (const sweep::SelfTest& test : sweep::self_tests()) list += ", " + test.name;
  throw UsageError("--self-test: no circuit '" + name + "'; choose one of all" + list);
}

/// An option that the circuit would ignore is a mistake.
void refuse_foreign_options(const po::variables_map& values, const std::string& name, const Circuit& circuit) {
  for (const char* option : {"v-store", "t-pulse", "q-in", "level", "previous", "age", "active-rows", "code"}) {
    if (values.count(option) == 0) continue;
    bool known = false;
    for (const std::string& own : circuit.options) known = known || own == option;
    if (!known)
      throw UsageError("--" + std::string(option) + ": " + name +
                       " has no such option; 'gaincal netlist --list' names them");
  }
}

}  // namespace

int run_netlist(const std::vector<std::string>& arguments) {
  po::options_description options("options");
  options.add_options()("circuit", po::value<std::string>(), "what to write; --list names the circuits")(
      "list", "list the circuits and their options")("self-test", po::value<std::string>(),
                                                     "simulate a circuit (or all) over corners and print its figures")(
      "nominal", "of --self-test: the design's own condition alone")(
      "workers", po::value<unsigned>()->default_value(0), "of --self-test: worker processes (0: one per core)")(
      "set", po::value<std::vector<std::string>>(), "key=value in the design, e.g. --set cell.cst=8fF")(
      "design", po::value<std::string>(), "design file (built-in gc28_paper)")(
      "out", po::value<std::string>(), "file to write (standard output); of --self-test: HDF5")(
      "force", "overwrite --out")("v-store", po::value<std::string>(), "stored voltage, e.g. 0.9V")(
      "t-pulse", po::value<std::string>(), "read pulse, e.g. 15ns")("q-in", po::value<std::string>(),
                                                                    "charge to convert, e.g. 50fC")(
      "level", po::value<std::size_t>(), "level to write")("previous", po::value<std::size_t>(),
                                                           "level written before")("age", po::value<std::string>(),
                                                                                   "time simulated, e.g. 5ms")(
      "active-rows", po::value<std::size_t>(), "rows that get a pulse (8)")("code", po::value<std::size_t>(),
                                                                            "of a pulse, 0 to 15 (15)");
  const auto values = parse_arguments(kUsage, options, {"circuit"}, arguments);
  if (!values) return 0;
  if (values->count("list") > 0) {
    print_circuits();
    return 0;
  }
  const std::string design_file = values->count("design") > 0 ? (*values)["design"].as<std::string>() : "";
  const auto overrides =
      values->count("set") > 0 ? (*values)["set"].as<std::vector<std::string>>() : std::vector<std::string>();
  if (values->count("self-test") > 0) {
    if (values->count("circuit") > 0) throw UsageError("--self-test: writes no deck; remove the circuit");
    const std::string out = values->count("out") > 0 ? (*values)["out"].as<std::string>() : "";
    if (!out.empty()) refuse_overwrite(out, values->count("force") > 0);
    const sweep::SelfTestOptions self_test{(*values)["workers"].as<unsigned>(), values->count("nominal") == 0};
    return run_self_tests((*values)["self-test"].as<std::string>(), design_file, overrides, self_test, out)
               ? 0
               : static_cast<int>(ExitCode::failed);
  }
  const std::string name = required<std::string>(*values, "circuit", kUsage);
  const Circuit& circuit = find_circuit(name);
  refuse_foreign_options(*values, name, circuit);
  const Design design =
      design_file.empty() ? netlist::default_design(overrides) : netlist::load_design(design_file, overrides);
  const Deck deck = circuit.make(design, Operands(*values, design));
  if (values->count("out") == 0) {
    std::cout << deck.text;
    return 0;
  }
  const std::string out = (*values)["out"].as<std::string>();
  refuse_overwrite(out, values->count("force") > 0);
  write_text(out, deck.text);
  return 0;
}

}  // namespace gaincal::cli
