#include "store/model_circuit.hpp"

#include <algorithm>
#include <numeric>

#include "core/error.hpp"
#include "store/model_forms.hpp"

namespace gaincal::store {
namespace {

using device::CircuitModel;
using device::Cubic;
using device::FitQuality;
using device::HardSigmoid;
using device::MonotoneCurve;
using device::Origin;
using device::ReadoutModel;

/// Where a curve stands and what its numbers are: the one list that writer and reader share.
struct CurvePlace {
  const char* group;
  const char* x_name;
  const char* x_unit;
  const char* y_name;
  const char* y_unit;
  const char* description;
};
constexpr CurvePlace kCurrent = {
    "current", "v_store", "V", "i_cell", "A", "read current over stored voltage, positive lowers the bit line"};
constexpr CurvePlace kEdge = {"edge",   "v_store", "V",
                              "a_cell", "C",       "charge of the word-line edges over stored voltage, once per pulse"};
constexpr CurvePlace kWidth = {"width", "q_in", "C",
                               "t_out", "s",    "pulse width over charge; for a signed converter sign times width"};
constexpr CurvePlace kConversion = {"energy", "q_in", "C", "e_conversion", "J", "energy of one conversion over charge"};
constexpr CurvePlace kReadEdge = {"edge", "v_store", "V", "e_edge", "J", "energy of a read pulse whatever its width"};
constexpr CurvePlace kWordLine = {
    "word_line", "v_store", "V", "e_word_line", "J", "share of e_edge that the drivers of the read word lines spend"};
constexpr CurvePlace kReadPower = {"power", "v_store", "V", "p_read", "W", "power while a read pulse lasts"};

void write_curve(const GroupWriter& parent, const CurvePlace& place, const MonotoneCurve& curve) {
  const GroupWriter group = parent.group(place.group, "monotone piecewise cubic through these points");
  group.scale(place.x_name, curve.x(), place.x_unit, "knots; outside them the end values hold");
  group.array(place.y_name, curve.y(), {place.x_name}, place.y_unit, place.description);
}

MonotoneCurve read_curve(const GroupReader& parent, const CurvePlace& place) {
  const GroupReader group = parent.group(place.group);
  std::vector<double> x = group.list(place.x_name, place.x_unit);
  std::vector<double> y = group.array(place.y_name, place.y_unit, {x.size()});
  if (x.empty()) return {};
  try {
    return {std::move(x), std::move(y)};
  } catch (const Error& failure) {
    throw group.damaged(group.path_of(place.x_name) + " is no curve: " + failure.what());
  }
}

void write_cubic(const GroupWriter& group, const std::string& name, const Cubic& cubic, const std::string& unit,
                 const std::string& description) {
  group.array(name, cubic.coeff, {"power"}, unit + " V^-power", description);
}

Cubic read_cubic(const GroupReader& group, const std::string& name, const std::string& unit) {
  Cubic cubic;
  cubic.x0 = group.number("v_zero", "V");
  const std::vector<double> coeff = group.array(name, unit + " V^-power", {cubic.coeff.size()});
  std::copy(coeff.begin(), coeff.end(), cubic.coeff.begin());
  return cubic;
}

void write_cell(const GroupWriter& root, const device::CellModel& cell) {
  if (cell.i_cubic_A.x0 != cell.a_cubic_C.x0)
    throw Error("cell model: the cubics of current and edge charge are about different voltages; use one");
  const GroupWriter group =
      root.group("cell", "charge of one read, q = x i(v) + a(v) for a pulse of width x > 0 at stored voltage v");
  group.number("v_min", cell.v_min_V, "V", "fitted range of the stored voltage");
  group.number("v_max", cell.v_max_V, "V", "fitted range of the stored voltage");
  group.number("t_pulse_max", cell.t_pulse_max_s, "s", "longest pulse");
  const GroupWriter cubic = group.group("cubic", "y(v) = sum over power of coeff[power] (v - v_zero)^power");
  constexpr double kPowers[] = {0, 1, 2, 3};
  cubic.scale("power", kPowers, "1", "power of v - v_zero");
  cubic.number("v_zero", cell.i_cubic_A.x0, "V", "centre of the polynomial");
  write_cubic(cubic, "i_coeff", cell.i_cubic_A, "A", "read current");
  write_cubic(cubic, "a_coeff", cell.a_cubic_C, "C", "edge charge");
  write_quality(cubic, "quality", cell.cubic_quality, "C");
  const GroupWriter table =
      group.group("table", "through the fitted current and edge charge at each simulated voltage");
  write_curve(table, kCurrent, cell.i_table_A);
  write_curve(table, kEdge, cell.a_table_C);
  write_quality(table, "quality", cell.table_quality, "C");
}

device::CellModel read_cell(const GroupReader& root) {
  const GroupReader group = root.group("cell");
  device::CellModel cell;
  cell.v_min_V = group.number("v_min", "V");
  cell.v_max_V = group.number("v_max", "V");
  cell.t_pulse_max_s = group.number("t_pulse_max", "s");
  const GroupReader cubic = group.group("cubic");
  cell.i_cubic_A = read_cubic(cubic, "i_coeff", "A");
  cell.a_cubic_C = read_cubic(cubic, "a_coeff", "C");
  cell.cubic_quality = read_quality(cubic, "quality", "C");
  const GroupReader table = group.group("table");
  cell.i_table_A = read_curve(table, kCurrent);
  cell.a_table_C = read_curve(table, kEdge);
  cell.table_quality = read_quality(table, "quality", "C");
  return cell;
}

void write_hard_sigmoid(const GroupWriter& parent, const std::string& name, const HardSigmoid& side,
                        const std::string& description) {
  const GroupWriter group = parent.group(name, description);
  group.number("slope", side.slope_s_per_C, "s C^-1", "width per charge");
  group.number("q0", side.q0_C, "C", "charge at which the line crosses zero width");
  group.number("t_max", side.t_max_s, "s", "saturated width");
}

HardSigmoid read_hard_sigmoid(const GroupReader& parent, const std::string& name) {
  const GroupReader group = parent.group(name);
  return {group.number("slope", "s C^-1"), group.number("q0", "C"), group.number("t_max", "s")};
}

void write_readout(const GroupWriter& parent, const std::string& name, const ReadoutModel& readout,
                   const std::string& description) {
  const GroupWriter group = parent.group(name, description);
  group.number("is_signed", readout.is_signed ? 1 : 0, "1", "1: a sign and the width of |q|; 0: the width of q");
  const GroupWriter sigmoid = group.group("hard_sigmoid", "t = clamp(slope (q - q0), 0, t_max)");
  write_hard_sigmoid(sigmoid, "positive", readout.positive, "of q");
  if (readout.is_signed) {
    write_hard_sigmoid(sigmoid, "negative", readout.negative, "of -q");
    sigmoid.number("q_sign", readout.q_sign_C, "C", "charge below which the sign is negative");
  }
  write_quality(sigmoid, "quality", readout.hard_sigmoid_quality, "s");
  const GroupWriter table = group.group("table", "width and energy through the simulated points");
  write_curve(table, kWidth, readout.t_table_s);
  write_quality(table, "quality", readout.table_quality, "s");
  write_curve(table, kConversion, readout.e_table_J);
}

ReadoutModel read_readout(const GroupReader& parent, const std::string& name) {
  const GroupReader group = parent.group(name);
  ReadoutModel readout;
  readout.is_signed = group.number("is_signed", "1") != 0;
  const GroupReader sigmoid = group.group("hard_sigmoid");
  readout.positive = read_hard_sigmoid(sigmoid, "positive");
  if (readout.is_signed) {
    readout.negative = read_hard_sigmoid(sigmoid, "negative");
    readout.q_sign_C = sigmoid.number("q_sign", "C");
  }
  readout.hard_sigmoid_quality = read_quality(sigmoid, "quality", "s");
  const GroupReader table = group.group("table");
  readout.t_table_s = read_curve(table, kWidth);
  readout.table_quality = read_quality(table, "quality", "s");
  readout.e_table_J = read_curve(table, kConversion);
  return readout;
}

void write_write(const GroupWriter& root, const device::WriteModel& write) {
  const GroupWriter group = root.group("write", "what a written level becomes");
  std::vector<double> level(write.v_target_V.size());
  for (std::size_t i = 0; i < level.size(); ++i) level[i] = static_cast<double>(i);
  group.scale("level", level, "1", "index of the written level");
  group.array("v_target", write.v_target_V, {"level"}, "V", "what the DAC drives");
  group.array("v_stored", write.v_stored_V, {"level"}, "V", "what the cell holds, mean over the previous content");
  group.array("e_write", write.e_write_J, {"level"}, "J", "energy of one cell write, mean over the previous content");
  group.number("v_spread", write.v_spread_V, "V", "largest deviation by previous content");
  group.number("t_settle", write.t_settle_s, "s", "slowest settling of all transitions");
}

device::WriteModel read_write(const GroupReader& root) {
  const GroupReader group = root.group("write");
  device::WriteModel write;
  const std::size_t levels = group.list("level", "1").size();
  write.v_target_V = group.array("v_target", "V", {levels});
  write.v_stored_V = group.array("v_stored", "V", {levels});
  write.e_write_J = group.array("e_write", "J", {levels});
  write.v_spread_V = group.number("v_spread", "V");
  write.t_settle_s = group.number("t_settle", "s");
  return write;
}

void write_leak(const GroupWriter& root, const device::LeakModel& leak) {
  const GroupWriter group = root.group("leak", "stored voltage over age");
  const GroupWriter exponential = group.group("exponential", "v(t) = v_inf + (v0 - v_inf) exp(-t / tau)");
  exponential.number("tau", leak.tau_s, "s", "time constant");
  exponential.number("v_inf", leak.v_inf_V, "V", "end value");
  write_quality(exponential, "quality", leak.exponential_quality, "V");
  const GroupWriter table = group.group("table", "bilinear between the points, clamped outside");
  table.scale("v0", leak.v0_V, "V", "voltage at age 0");
  table.scale("age", leak.age_s, "s", "time since the write");
  table.array("v_cell", leak.v_V, {"v0", "age"}, "V", "stored voltage");
  write_quality(table, "quality", leak.table_quality, "V");
}

device::LeakModel read_leak(const GroupReader& root) {
  const GroupReader group = root.group("leak");
  const GroupReader exponential = group.group("exponential");
  device::LeakModel leak;
  leak.tau_s = exponential.number("tau", "s");
  leak.v_inf_V = exponential.number("v_inf", "V");
  leak.exponential_quality = read_quality(exponential, "quality", "V");
  const GroupReader table = group.group("table");
  leak.v0_V = table.list("v0", "V");
  leak.age_s = table.list("age", "s");
  leak.v_V = table.array("v_cell", "V", {leak.v0_V.size(), leak.age_s.size()});
  leak.table_quality = read_quality(table, "quality", "V");
  return leak;
}

void write_read_energy(const GroupWriter& root, const device::ReadEnergyModel& energy) {
  const GroupWriter group = root.group("read_energy", "e = e_edge(v) + p_read(v) x for a pulse of width x > 0");
  write_curve(group, kReadEdge, energy.e_edge_J);
  write_curve(group, kReadPower, energy.p_W);
  if (!energy.e_word_line_J.empty()) write_curve(group, kWordLine, energy.e_word_line_J);
  write_quality(group, "quality", energy.quality, "J");
}

device::ReadEnergyModel read_read_energy(const GroupReader& root) {
  const GroupReader group = root.group("read_energy");
  device::ReadEnergyModel energy{read_curve(group, kReadEdge), read_curve(group, kReadPower),
                                 read_quality(group, "quality", "J")};
  const std::vector<std::string> parts = group.group_names();
  if (std::find(parts.begin(), parts.end(), kWordLine.group) != parts.end())
    energy.e_word_line_J = read_curve(group, kWordLine);
  return energy;
}

constexpr std::pair<Origin, const char*> kOrigins[] = {
    {Origin::paper, "paper"}, {Origin::extracted, "extracted"}, {Origin::assumed, "assumed"}};

std::string origin_name(Origin origin) {
  for (const auto& [candidate, name] : kOrigins)
    if (candidate == origin) return name;
  return "";
}

std::vector<Origin> read_origins(const GroupReader& group, std::size_t count) {
  std::vector<Origin> origins;
  for (const std::string& text : group.texts("origin", {count})) {
    const auto* found = std::find_if(std::begin(kOrigins), std::end(kOrigins),
                                     [&](const auto& candidate) { return candidate.second == text; });
    if (found == std::end(kOrigins))
      throw group.damaged(group.path_of("origin") + " is '" + text + "' and not paper, extracted or assumed");
    origins.push_back(found->first);
  }
  return origins;
}

/// A list of things: a scale 0, 1, .. whose labels are their names.
void write_names(const GroupWriter& group, const std::string& scale, const std::vector<std::string>& names) {
  std::vector<double> index(names.size());
  std::iota(index.begin(), index.end(), 0.0);
  group.scale(scale, index, "1", "names in the attribute labels", names);
}

std::vector<std::string> read_names(const GroupReader& group, const std::string& scale) {
  std::vector<std::string> names = group.labels_of(scale);
  if (names.size() != group.list(scale, "1").size())
    throw group.damaged(group.path_of(scale) + " has not one label for each value");
  return names;
}

void write_energy_constants(const GroupWriter& root, const std::vector<device::EnergyConstant>& constants) {
  const GroupWriter group = root.group("energy_constants", "parts that have no netlist, per token and head");
  std::vector<std::string> part, origin, source;
  std::vector<double> energy;
  for (const device::EnergyConstant& constant : constants) {
    part.push_back(constant.part);
    energy.push_back(constant.energy_J);
    origin.push_back(origin_name(constant.origin));
    source.push_back(constant.source);
  }
  write_names(group, "part", part);
  group.array("energy", energy, {"part"}, "J", "per token and head");
  group.array("origin", origin, {"part"}, "paper, extracted or assumed");
  group.array("source", source, {"part"}, "where the figure stands");
}

std::vector<device::EnergyConstant> read_energy_constants(const GroupReader& root) {
  const GroupReader group = root.group("energy_constants");
  const std::vector<std::string> part = read_names(group, "part");
  const std::vector<double> energy = group.array("energy", "J", {part.size()});
  const std::vector<Origin> origin = read_origins(group, part.size());
  const std::vector<std::string> source = group.texts("source", {part.size()});
  std::vector<device::EnergyConstant> constants;
  for (std::size_t i = 0; i < part.size(); ++i) constants.push_back({part[i], energy[i], origin[i], source[i]});
  return constants;
}

void write_phases(const GroupWriter& root, const std::vector<device::Phase>& phases) {
  const GroupWriter group = root.group("phases", "of a token in one layer, in order");
  std::vector<std::string> name, origin;
  std::vector<double> duration;
  for (const device::Phase& phase : phases) {
    name.push_back(phase.name);
    duration.push_back(phase.duration_s);
    origin.push_back(origin_name(phase.origin));
  }
  write_names(group, "phase", name);
  group.array("duration", duration, {"phase"}, "s", "time that the phase takes");
  group.array("origin", origin, {"phase"}, "paper, extracted or assumed");
}

std::vector<device::Phase> read_phases(const GroupReader& root) {
  const GroupReader group = root.group("phases");
  const std::vector<std::string> name = read_names(group, "phase");
  const std::vector<double> duration = group.array("duration", "s", {name.size()});
  const std::vector<Origin> origin = read_origins(group, name.size());
  std::vector<device::Phase> phases;
  for (std::size_t i = 0; i < name.size(); ++i) phases.push_back({name[i], duration[i], origin[i]});
  return phases;
}

/// Of one array: coeff[k][j] by power of the charge k and power of the pulses j.
void write_bit_line(const GroupWriter& parent, const std::string& name, const device::BitLineModel& line,
                    const std::string& description) {
  const GroupWriter group = parent.group(name, description);
  constexpr double kPowers[] = {0, 1, 2, 3};
  group.scale("charge_power", kPowers, "1", "k, power of the charge");
  group.scale("pulse_power", kPowers, "1", "j, power of the pulses X");
  std::vector<double> coeff;
  for (const auto& row : line.coeff) coeff.insert(coeff.end(), row.begin(), row.end());
  group.array("coeff", coeff, {"charge_power", "pulse_power"}, "fC^(1-k)", "q_eff = sum_kj coeff[k][j] X^j q^k in fC");
  group.number("q_min", line.q_min_C, "C", "q is clamped to the fitted range, below");
  group.number("q_max", line.q_max_C, "C", "and above; infinite where nothing is fitted");
  group.number("full_pulses_max", line.full_pulses_max, "1", "X is clamped to the fitted range");
  write_quality(group, "quality", line.quality, "C");
}

device::BitLineModel read_bit_line(const GroupReader& parent, const std::string& name) {
  const GroupReader group = parent.group(name);
  device::BitLineModel line;
  const std::size_t rows = line.coeff.size(), columns = line.coeff.front().size();
  const std::vector<double> coeff = group.array("coeff", "fC^(1-k)", {rows, columns});
  for (std::size_t k = 0; k < rows; ++k)
    std::copy_n(coeff.begin() + static_cast<std::ptrdiff_t>(k * columns), columns, line.coeff[k].begin());
  if (group.has("q_min")) {  // schema 1.3
    line.q_min_C = group.number("q_min", "C");
    line.q_max_C = group.number("q_max", "C");
    line.full_pulses_max = group.number("full_pulses_max", "1");
  }
  line.quality = read_quality(group, "quality", "C");
  return line;
}

void write_mismatch(const GroupWriter& root, const device::MismatchModel& mismatch) {
  const GroupWriter group = root.group("mismatch", "between the cells and the columns of one chip");
  group.number("cell_gain_sigma", mismatch.cell_gain_sigma, "1", "relative, of the charge of a read");
  group.number("cell_offset_sigma", mismatch.cell_offset_sigma_A, "A", "current beside i(v), at every stored voltage");
  group.number("score_offset_sigma", mismatch.score_offset_sigma_C, "C", "of the unsigned converter, in its charge");
  group.number("output_offset_sigma", mismatch.output_offset_sigma_C, "C", "of the signed converter, in its charge");
  group.number("samples", static_cast<double>(mismatch.samples), "1", "that the sigmas are from");
}

device::MismatchModel read_mismatch(const GroupReader& root) {
  const GroupReader group = root.group("mismatch");
  return {group.number("cell_gain_sigma", "1"), group.number("cell_offset_sigma", "A"),
          group.number("score_offset_sigma", "C"), group.number("output_offset_sigma", "C"), group.count("samples")};
}

}  // namespace

void write_circuit(const GroupWriter& root, const CircuitModel& model) {
  write_cell(root, model.cell);
  const GroupWriter readout = root.group("readout", "charge-to-pulse converters");
  write_readout(readout, "score", model.score_readout, "unsigned, on the columns of the K array");
  write_readout(readout, "output", model.output_readout, "signed, on the columns of the V array");
  write_write(root, model.write);
  write_leak(root, model.leak);
  write_read_energy(root, model.read_energy);
}

void read_circuit(const GroupReader& root, CircuitModel& model) {
  model.cell = read_cell(root);
  const GroupReader readout = root.group("readout");
  model.score_readout = read_readout(readout, "score");
  model.output_readout = read_readout(readout, "output");
  model.write = read_write(root);
  model.leak = read_leak(root);
  model.read_energy = read_read_energy(root);
}

void write_facts(const GroupWriter& root, const CircuitModel& model) {
  const GroupWriter array = root.group("array", "what the circuit was sized for");
  array.number("rows", static_cast<double>(model.rows), "1", "cells on a bit line");
  array.number("query_levels", static_cast<double>(model.query_levels), "1", "pulse widths of the query");
  array.number("counter_levels", static_cast<double>(model.counter_levels), "1",
               "levels of the signed converter's counter, both signs");
  array.number("t_token", model.t_token_s, "s", "one token through one layer");
  const GroupWriter bit_line =
      root.group("bit_line", "charge that a column collects from the ideal charge q and the pulses X of its rows");
  write_bit_line(bit_line, "score", model.score_bit_line, "columns of the K array");
  write_bit_line(bit_line, "output", model.output_bit_line, "columns of the V array");
  write_mismatch(root, model.mismatch);
  write_energy_constants(root, model.energy_constants);
  write_phases(root, model.phases);
}

void read_facts(const GroupReader& root, CircuitModel& model) {
  const GroupReader array = root.group("array");
  model.rows = array.count("rows");
  model.query_levels = array.count("query_levels");
  model.counter_levels = array.count("counter_levels");
  model.t_token_s = array.number("t_token", "s");
  if (root.has("bit_line")) {  // schema 1.2
    const GroupReader bit_line = root.group("bit_line");
    model.score_bit_line = read_bit_line(bit_line, "score");
    model.output_bit_line = read_bit_line(bit_line, "output");
  }
  if (root.has("mismatch")) model.mismatch = read_mismatch(root);  // schema 1.2
  model.energy_constants = read_energy_constants(root);
  model.phases = read_phases(root);
}

}  // namespace gaincal::store
