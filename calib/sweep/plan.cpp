#include "sweep/plan.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <set>

#include "core/error.hpp"
#include "core/files.hpp"
#include "netlist/settings.hpp"
#include "sweep/plan_axis.hpp"
#include "sweep/plan_measure_settings.hpp"

namespace gaincal::sweep {
namespace fs = std::filesystem;
using netlist::SettingsTable;

namespace {

CircuitSettings parse_circuit(SettingsTable table, const fs::path& plan_file) {
  CircuitSettings circuit;
  circuit.where = table.where("");
  circuit.plan_folder = plan_file.has_parent_path() ? plan_file.parent_path() : ".";
  circuit.folder = circuit.plan_folder;
  const int forms = int(table.has("deck")) + int(table.has("netlist")) + int(table.has("text"));
  if (forms != 1)
    throw UsageError(table.where("deck") + ": " + (forms == 0 ? "missing" : "beside another circuit") +
                     "; give one of deck (a circuit of ours), netlist (a file) and text");
  if (table.has("options")) circuit.options = table.texts("options");
  if (table.has("deck")) {
    circuit.deck = table.choice("deck", {"cell_read", "cell_write", "cell_leak", "readout_unsigned", "readout_signed"});
    circuit.design = table.has("design") ? table.text("design") : "";
    table.finish();
    return circuit;
  }
  if (table.has("netlist")) {
    const fs::path path = circuit.folder / table.text("netlist");
    std::error_code status;
    if (!fs::is_regular_file(path, status))
      throw UsageError(table.where("netlist") + ": there is no file " + path.string() + "; correct the path");
    circuit.netlist_text = read_file(path);
    circuit.netlist_name = path.string();
    circuit.folder = path.parent_path();
  } else {
    circuit.netlist_text = "* " + table.where("text") + "\n" + table.text("text");
    circuit.netlist_name = table.where("text");
  }
  if (table.has("include")) circuit.include = table.texts("include");
  if (table.has("lib")) circuit.lib = table.texts("lib");
  if (table.has("technology")) circuit.technology = table.text("technology");
  table.finish();
  return circuit;
}

double positive(SettingsTable& table, const std::string& key) {
  const double value = any_quantity(table, key);
  if (!(value > 0)) throw UsageError(table.where(key) + ": is not above zero; enlarge it");
  return value;
}

std::string decade_sweep(SettingsTable& table) {
  const double from = positive(table, "from"), to = positive(table, "to");
  if (to <= from) throw UsageError(table.where("to") + ": is not above from; enlarge it");
  const std::size_t points = table.has("points_per_decade") ? table.count("points_per_decade", 1, 100'000) : 10;
  return "dec " + std::to_string(points) + " " + number_text(from) + " " + number_text(to);
}

PlanAnalysis parse_analysis(SettingsTable table, bool own_deck) {
  PlanAnalysis analysis;
  const std::string kind = table.choice("kind", {"op", "dc", "tran", "ac", "noise"});
  if (own_deck && kind != "tran")
    throw UsageError(table.where("kind") + ": the circuits of ours are transients; remove [analysis]");
  if (kind == "op") {
    analysis.command = "op";
  } else if (kind == "dc") {
    analysis.kind = PlanAnalysis::Kind::dc;
    const std::string source = lower_case(table.text("source"));
    std::string symbol;
    const std::vector<double> grid = grid_values(table, symbol, false);
    if (grid.size() < 2) throw UsageError(table.where("from") + ": a dc sweep of one value; use kind = \"op\"");
    const double step = (grid.back() - grid.front()) / static_cast<double>(grid.size() - 1);
    analysis.command = "dc " + source + " " + number_text(grid.front()) + " " + number_text(grid.back() + 0.01 * step) +
                       " " + number_text(step);
  } else if (kind == "tran") {
    analysis.kind = PlanAnalysis::Kind::tran;
    analysis.step_s = positive(table, "step");
    if (own_deck) {
      table.finish();
      return analysis;
    }
    analysis.stop_s = positive(table, "stop");
    analysis.command = "tran " + number_text(analysis.step_s) + " " + number_text(analysis.stop_s);
    if (table.has("max_step")) analysis.command += " 0 " + number_text(positive(table, "max_step"));
  } else if (kind == "ac") {
    analysis.kind = PlanAnalysis::Kind::ac;
    analysis.command = "ac " + decade_sweep(table);
  } else {
    analysis.kind = PlanAnalysis::Kind::noise;
    analysis.output = lower_case(table.text("output"));
    analysis.command = "noise " + analysis.output + " " + lower_case(table.text("source")) + " " + decade_sweep(table);
  }
  table.finish();
  return analysis;
}

MonteCarlo parse_monte_carlo(SettingsTable table) {
  MonteCarlo monte_carlo;
  monte_carlo.samples = table.count("samples", 1, 100'000'000);
  if (table.has("seed")) monte_carlo.seed = table.count("seed", 0, 9'007'199'254'740'992);
  monte_carlo.mismatch = table.has("mismatch") ? table.flag("mismatch") : true;
  monte_carlo.avt_V_m = monte_carlo.abeta_m = -1;  // the technology's
  if (table.has("avt_mV_um")) monte_carlo.avt_V_m = table.quantity("avt_mV_um", Unit::none, {0.0, 1000.0}) * 1e-9;
  if (table.has("abeta_percent_um"))
    monte_carlo.abeta_m = table.quantity("abeta_percent_um", Unit::none, {0.0, 1000.0}) * 1e-8;
  for (SettingsTable& process : table.tables("process")) {
    monte_carlo.process.push_back({lower_case(process.text("parameter")), positive(process, "sigma")});
    process.finish();
  }
  if (!monte_carlo.mismatch && monte_carlo.process.empty())
    throw UsageError(table.where("mismatch") + ": false without a [[monte_carlo.process]], so nothing varies; add one");
  table.finish();
  return monte_carlo;
}

std::vector<double> quantities(SettingsTable& table, const std::string& key, const std::string& symbol) {
  std::vector<double> values;
  for (const std::string& word : table.words(key)) values.push_back(plan_number(word, symbol, table.where(key)));
  if (values.empty()) throw UsageError(table.where(key) + ": is empty; give a value or remove it");
  return values;
}

void parse_conditions(SettingsTable table, Plan& plan) {
  if (table.has("corner")) {
    plan.corners = table.words("corner");
    if (plan.corners.empty()) throw UsageError(table.where("corner") + ": is empty; give a corner or remove it");
  }
  if (table.has("temperature")) plan.temperatures_C = quantities(table, "temperature", "degC");
  if (table.has("supply")) plan.supplies_V = quantities(table, "supply", "V");
  table.finish();
}

MethodChoice parse_method(SettingsTable& settings) {
  if (!settings.has("method")) return MethodChoice::cheapest;
  const std::string method = settings.choice("method", {"cheapest", "reload", "alter", "nested_dc", "copies"});
  if (method == "reload") return MethodChoice::reload;
  if (method == "alter") return MethodChoice::alter;
  if (method == "nested_dc") return MethodChoice::nested_dc;
  return method == "copies" ? MethodChoice::copies : MethodChoice::cheapest;
}

void refuse_twins(const std::vector<std::string>& names, const std::string& where) {
  std::set<std::string> seen;
  for (const std::string& name : names)
    if (!seen.insert(name).second) throw UsageError(where + ": '" + name + "' occurs twice; rename one");
}

void check_zip(const Plan& plan) {
  for (const PlanAxis& axis : plan.axes)
    for (const PlanAxis& other : plan.axes)
      if (!axis.zip.empty() && axis.zip == other.zip && axis.values.size() != other.values.size())
        throw UsageError(axis.where + ": axes '" + axis.name + "' and '" + other.name + "' of zip group '" + axis.zip +
                         "' have " + std::to_string(axis.values.size()) + " and " +
                         std::to_string(other.values.size()) + " values; give them as many");
}

}  // namespace

bool is_plan_text(std::string_view text) {
  try {
    return toml::parse(text).contains("circuit");
  } catch (const toml::parse_error&) {
    return false;
  }
}

Plan parse_plan(std::string_view text, const fs::path& file_name, const std::vector<std::string>& overrides) {
  SettingsTable settings = SettingsTable::parse(text, file_name.string(), overrides);
  Plan plan;
  plan.file_name = file_name.string();
  plan.toml = text;
  for (const std::string& override : overrides) plan.toml += "# --set " + override + "\n";
  plan.name = settings.text("name");
  plan.circuit = parse_circuit(settings.table("circuit"), file_name);
  const bool own_deck = !plan.circuit.deck.empty();
  if (settings.has("conditions")) parse_conditions(settings.table("conditions"), plan);
  for (SettingsTable& table : settings.tables("axis")) plan.axes.push_back(parse_axis(table));
  if (settings.has("monte_carlo")) plan.monte_carlo = parse_monte_carlo(settings.table("monte_carlo"));
  plan.analysis.kind = PlanAnalysis::Kind::tran;
  if (!own_deck || settings.has("analysis")) plan.analysis = parse_analysis(settings.table("analysis"), own_deck);
  std::vector<std::string> names;
  for (SettingsTable& table : settings.tables("measure")) {
    plan.measures.push_back(parse_measure(table, plan.analysis));
    names.push_back(plan.measures.back().name);
  }
  refuse_twins(names, settings.where("measure"));
  names = {"corner", "temperature", "supply", "sample"};
  for (const PlanAxis& axis : plan.axes) names.push_back(axis.name);
  refuse_twins(names, settings.where("axis"));
  check_zip(plan);
  plan.method = parse_method(settings);
  if (settings.has("copies")) plan.copies = settings.count("copies", 2, 1000);
  if (settings.has("shard_points")) plan.shard_points = settings.count("shard_points", 1, 1'000'000);
  settings.finish();
  return plan;
}

Plan load_plan(const fs::path& file, const std::vector<std::string>& overrides) {
  std::error_code status;
  if (!fs::is_regular_file(file, status)) throw UsageError(file.string() + ": there is no such plan; correct the path");
  return parse_plan(read_file(file), file, overrides);
}

}  // namespace gaincal::sweep
