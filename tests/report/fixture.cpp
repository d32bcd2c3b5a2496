#include "report/fixture.hpp"

#include <cmath>
#include <limits>

#include "energy/account.hpp"

namespace gaincal::tests {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr double kTmax_s = 15e-9;

double current_A(double v_V) { return 2e-6 * (v_V - 0.45) + 4e-6 * std::pow(v_V - 0.45, 3); }
double width_s(double q_C) { return kTmax_s * std::fmin(1.0, std::fmax(0.0, q_C / 200e-15)); }

std::vector<double> steps(double from, double to, int count) {
  std::vector<double> values;
  for (int i = 0; i < count; ++i) values.push_back(from + (to - from) * i / (count - 1));
  return values;
}

template <typename Function>
std::vector<double> mapped(const std::vector<double>& x, const Function& function) {
  std::vector<double> y;
  for (const double value : x) y.push_back(function(value));
  return y;
}

template <typename Function>
std::vector<double> product(const std::vector<double>& x, const std::vector<double>& y, const Function& function) {
  std::vector<double> values;
  for (const double a : x)
    for (const double b : y) values.push_back(function(a, b));
  return values;
}

store::Axis named(const std::string& name, const std::vector<std::string>& labels) {
  return {name, "1", steps(0, static_cast<double>(labels.size()) - 1, static_cast<int>(labels.size())), labels, ""};
}

device::ReadoutModel readout(bool is_signed) {
  const std::vector<double> q = steps(is_signed ? -300e-15 : -50e-15, 300e-15, 41);
  const double slope = kTmax_s / 200e-15;
  device::ReadoutModel model;
  model.is_signed = is_signed;
  model.positive = {slope, 0.0, kTmax_s};
  if (is_signed) model.negative = {slope, 0.0, kTmax_s};
  model.t_table_s =
      device::MonotoneCurve(q, mapped(q, [&](double x) { return is_signed && x < 0 ? -width_s(-x) : width_s(x); }));
  model.e_table_J = device::MonotoneCurve(q, mapped(q, [](double x) { return 400e-15 + 0.3 * std::fabs(x); }));
  model.hard_sigmoid_quality = model.table_quality = {1e-12, 2e-12, 1e-12, 2e-12, kTmax_s, 41, 20};
  return model;
}

store::Table conversions(const std::string& name, bool is_signed, int count) {
  store::Table table;
  table.name = name;
  const std::vector<double> q = steps(is_signed ? -290e-15 : -45e-15, 290e-15, count);
  table.axes = {{"q_in", "C", q}};
  table.quantities = {{"t_out", "s", "", mapped(q, [&](double x) { return width_s(is_signed ? std::fabs(x) : x); })}};
  if (is_signed) table.quantities.push_back({"sign", "1", "", mapped(q, [](double x) { return x < 0 ? -1.0 : 1.0; })});
  return table;
}

store::Table columns(const std::string& name) {
  store::Table table;
  table.name = name;
  table.axes = {{"column", "1", {0, 1, 2}}};
  table.quantities = {{"q_model", "C", "", {-20e-15, 10e-15, 60e-15}},
                      {"q_spice", "C", "", {-21e-15, 10e-15, 61e-15}},
                      {"t_model", "s", "", {-2e-9, 1e-9, 5e-9}},
                      {"t_spice", "s", "", {-2e-9, 1.05e-9, 5e-9}}};
  return table;
}

energy::Account account() {
  energy::Account account;
  const auto part = [&](const char* name, energy::Law law, double full_J, device::Origin origin) {
    account.parts.push_back({name, law, energy::Group::other, 0.1 * full_J, full_J,
                             origin == device::Origin::paper ? full_J : kNone, origin, "fixture"});
  };
  part("write", energy::Law::rows, 1e-12, device::Origin::extracted);
  part("K word lines", energy::Law::cells, 10e-12, device::Origin::extracted);
  part("K cells", energy::Law::cells, 200e-12, device::Origin::extracted);
  part("K converters", energy::Law::columns, 600e-12, device::Origin::extracted);
  part("V cells", energy::Law::cells, 30e-12, device::Origin::extracted);
  part("signed converters", energy::Law::outputs, 500e-12, device::Origin::extracted);
  part("counters", energy::Law::outputs, 7e-12, device::Origin::assumed);
  part("control and routing", energy::Law::constant, 4e-9, device::Origin::paper);
  account.window_columns = 1024;
  account.head_size = 64;
  account.mean_columns = 128;
  return account;
}

/// Quantities of an energy table, all in proportion to `shape`.
std::vector<store::Quantity> energies(const std::vector<double>& shape) {
  std::vector<store::Quantity> quantities;
  for (const char* name : {"total", "write", "k_word_lines", "k_cells", "k_converters", "v_word_lines", "v_cells",
                           "signed_converters", "counters", "digital_adders"})
    quantities.push_back({name, "J", "", mapped(shape, [](double x) { return 1e-12 * (x + 1.0); })});
  return quantities;
}

store::Table token_energies() {
  store::Table table{"energy_tokens", "", {{"token", "1", steps(0, 199, 200)}}, {}, {}, {}};
  table.quantities = energies(steps(0, 199, 200));
  table.quantities.push_back({"columns", "1", "", steps(1, 200, 200)});
  return table;
}

store::Table head_energies() {
  store::Table table{"energy_heads", "", {{"layer", "1", {0, 1}}, {"head", "1", {0, 1, 2}}}, {}, {}, {}};
  table.quantities = energies(steps(100, 105, 6));
  table.quantities.push_back({"sigma", "J", "", std::vector<double>(6, 20e-12)});
  return table;
}

}  // namespace

store::ModelFile report_model() {
  store::ModelFile file;
  file.provenance = {"1.2.3", "gaincal fit 'a <b>'", "00ff", "39", 7};
  device::CircuitModel& model = file.model;
  model.design_name = "fixture <i>";
  model.technology_name = "gc28";
  const std::vector<double> v = steps(0.0, 0.9, 10);
  model.cell.i_cubic_A = {0.45, {1e-8, 2e-6, 0.0, 4e-6}};
  model.cell.a_cubic_C = {0.45, {0.0, 0.0, 0.0, 0.0}};
  model.cell.i_table_A = device::MonotoneCurve(v, mapped(v, current_A));
  model.cell.a_table_C = device::MonotoneCurve(v, std::vector<double>(v.size(), 0.0));
  model.cell.cubic_quality = model.cell.table_quality = {1e-18, 2e-18, 1e-18, 2e-18, 30e-15, 30, 10};
  model.cell.v_max_V = 0.9;
  model.cell.t_pulse_max_s = kTmax_s;
  model.score_readout = readout(false);
  model.output_readout = readout(true);
  model.write = {{0.0, 0.45, 0.9}, {0.001, 0.45, 0.899}, {1e-15, 2e-15, 3e-15}, 0.001, 3e-9};
  model.leak.tau_s = 5e-3;
  model.leak.v_inf_V = 0.45;
  model.leak.age_s = steps(0.0, 5e-3, 6);
  model.leak.v0_V = {0.0, 0.45, 0.9};
  model.leak.v_V = product(model.leak.v0_V, model.leak.age_s,
                           [](double v0, double age) { return 0.45 + (v0 - 0.45) * std::exp(-age / 5e-3); });
  model.leak.exponential_quality = model.leak.table_quality = {1e-3, 2e-3, 1e-3, 2e-3, 0.9, 18, 6};
  model.read_energy.e_edge_J = device::MonotoneCurve({0.0, 0.9}, {1e-15, 2e-15});
  model.read_energy.p_W = device::MonotoneCurve({0.0, 0.9}, {1e-6, 2e-6});
  model.read_energy.quality = {1e-18, 2e-18, 1e-18, 2e-18, 30e-15, 30, 10};
  model.rows = 64;
  model.query_levels = 16;
  model.counter_levels = 32;
  model.t_token_s = 40e-9;
  model.energy_constants = {{"digital control and routing", 4e-9, device::Origin::paper, "Leroux 2025"}};
  model.phases = {{"write", 10e-9, device::Origin::assumed}, {"score pulse", 30e-9, device::Origin::extracted}};
  return file;
}

store::Dataset report_dataset() {
  store::Dataset dataset;
  dataset.provenance = report_model().provenance;
  dataset.attributes = {{"design_name", "fixture"}, {"window", "1024"}};
  dataset.design_toml = "[design]\nname = \"</pre><script>window.intruder = true</script>\"\n";
  store::Table read;
  read.name = "cell_read";
  const std::vector<double> v = steps(0.0, 0.9, 10), x = {1e-9, 8e-9, kTmax_s};
  read.axes = {{"v_store", "V", v}, {"t_pulse", "s", x}};
  read.quantities = {{"q_bl", "C", "", product(v, x, [](double a, double b) { return current_A(a) * b; })}};
  read.quantities[0].values[3] = kNone;  // a point that failed
  store::Table leak;
  leak.name = "cell_leak";
  const device::LeakModel model = report_model().model.leak;
  leak.axes = {{"v_store", "V", model.v0_V}, {"age", "s", model.age_s}};
  leak.quantities = {{"v_cell", "V", "", model.v_V}};
  store::Table read_check = read, leak_check = leak;
  read_check.name += "_check";
  leak_check.name += "_check";
  dataset.tables = {read,
                    read_check,
                    leak,
                    leak_check,
                    conversions("readout_unsigned", false, 30),
                    conversions("readout_unsigned_check", false, 13),
                    conversions("readout_signed", true, 30),
                    conversions("readout_signed_check", true, 13)};
  return dataset;
}

store::Dataset report_results() {
  store::Dataset results;
  results.schema = store::kResultsSchema;
  results.provenance = report_model().provenance;
  store::Table perplexity;
  perplexity.name = "perplexity";
  perplexity.axes = {named("device", {"software", kHostileName, "fitted-circuit"})};
  perplexity.quantities = {{"initial", "1", "", {kNone, 82, 83}},
                           {"tuned", "1", "", {62, 65, 64}},
                           {"adapted", "1", "", {kNone, 63, 62.5}},
                           {"standard_error", "1", "", {1.5, 1.6, 1.7}}};
  store::Table adaptation;
  adaptation.name = "adaptation_fitted-circuit";
  adaptation.axes = {{"iteration", "1", {0, 1, 2}}};
  adaptation.quantities = {{"perplexity", "1", "", {80, 70, 60}}, {"statistics_met", "1", "", {0, 0.5, 1}}};
  results.attributes = {{"window", "1024"}};
  results.tables = {perplexity,
                    adaptation,
                    energy::energy_table(account()),
                    token_energies(),
                    head_energies(),
                    columns("column_score"),
                    columns("column_output")};
  return results;
}

store::Dataset report_study() {
  store::Dataset dataset = report_results();
  store::Table study;
  study.name = "study";
  const std::string hostile = kHostileName;
  study.axes = {named("point", {"base", "query-bits=2", "query-bits=6", hostile + "=1e-3", hostile + "=1e-2",
                                "corner=ss", "corner=ff"})};
  const double word = std::nan("");
  study.quantities = {{"value", "1", "", {word, 2, 6, 0.001, 0.01, word, word}},
                      {"perplexity", "1", "", {62, 70, 61.5, 62, 66, 64, 63}},
                      {"standard_error", "1", "", {1, 1, 1, 1, 1, 1, 1}},
                      {"difference", "1", "", {word, 0.1, -0.01, 0, 0.05, 0.03, 0.02}},
                      {"difference_error", "1", "", {word, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01}}};
  dataset.tables = {study};
  return dataset;
}

store::Dataset report_sweep(const std::string& axis) {
  store::Dataset dataset = report_dataset();
  store::Table reads;
  reads.name = "reads";
  const std::vector<double> v = steps(0.0, 0.9, 7), over = steps(0.0, 4.0, 5), x = {1e-9, kTmax_s};
  reads.axes = {axis == "corner" ? named("corner", {"tt", "ff", "ss", "fs", "sf"}) : store::Axis{axis, "1", over},
                {"v_store", "V", v},
                {"t_pulse", "s", x}};
  reads.quantities = {{"q_bl", "C", "", {}}};
  for (const double each : over)
    for (const double charge : product(v, x, [&](double a, double b) { return current_A(a) * b * (1 + 0.1 * each); }))
      reads.quantities[0].values.push_back(charge);
  reads.quantities[0].values[5] = kNone;  // a point that failed
  dataset.tables = {reads};
  return dataset;
}

store::Dataset report_circuits() {
  store::Dataset dataset;
  store::Table cell;
  cell.name = "circuit_cell_6t";
  cell.axes = {named("condition", {"tt 27 C", "ff 125 C", "ss -40 C"})};
  cell.quantities = {{"figure_0", "C", "charge of a read at 10 .. 90 %, highest level", {30e-15, 40e-15, kNone}},
                     {"figure_1", "V", "charge is zero at", {0.45, 0.45, kNone}},
                     {"figure_2", "s", "trim that changes sign", {1e-12, -2e-12, kNone}},
                     {"figure_3", "V/rtHz", "noise", {19e-9, 22e-9, kNone}}};
  cell.failed = {0, 0, 1};
  cell.reason = {"", "", "no convergence"};
  store::Table retention;
  retention.name = "retention_cell_6t";
  retention.axes = {{"v_store", "V", {0.0, 0.9}}, {"age", "s", {1e-3, 1e-2, 1e-1}}};
  retention.quantities = {{"v_cell", "V", "", {0.0, 0.02, 0.1, 0.9, 0.88, 0.8}}};
  dataset.tables = {cell, retention};
  return dataset;
}

void write_report_files(const std::filesystem::path& folder) {
  for (const char* axis : {"corner", "sample"}) {
    const std::filesystem::path sweep = folder / (std::string(axis) == "corner" ? "corners" : "mismatch");
    std::filesystem::create_directories(sweep);
    store::write_dataset(sweep / "dataset.h5", report_sweep(axis));
  }
  store::write_dataset(folder / "study.h5", report_study());
  store::write_dataset(folder / "circuits.h5", report_circuits());
  store::write_dataset(folder / "dataset.h5", report_dataset());
  store::write_model(folder / "model.h5", report_model());
  store::write_dataset(folder / "results.h5", report_results());
}

}  // namespace gaincal::tests
