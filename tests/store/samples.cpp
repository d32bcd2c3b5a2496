#include "store/samples.hpp"

#include <stdlib.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdio>
#include <limits>

namespace gaincal::tests {

store::Dataset sample_dataset() {
  store::Dataset dataset;
  dataset.provenance = {"9.8.7", "gaincal sweep \"a b\"", "00ff", "39", 18446744073709551615ULL};
  dataset.attributes = {{"design_name", "gc28_paper"}, {"temperature", "27 µ°C"}, {"empty", ""}};
  dataset.design_toml = "[design]\nname = \"gc28\"\n";
  store::Table read;
  read.name = "cell_read";
  read.description = "charge of one read";
  read.axes = {{"v_store", "V", {0.0, 0.45, 0.9}}, {"t_pulse", "s", {1e-9, 15e-9}, {}, "50 % to 50 %"}};
  const double nan = std::numeric_limits<double>::quiet_NaN();
  read.quantities = {{"q_bl", "C", "charge", {-1.1e-15, 0.1, 1.0 / 3.0, nan, 5e-324, -0.0}},
                     {"e_supply", "J", "", {1, 2, 3, nan, 5, 6}}};
  read.failed = {0, 0, 0, 1, 0, 0};
  read.reason = {"", "", "", "timestep too small", "", ""};
  store::Table devices;
  devices.name = "a_perplexity";  // sorts before cell_read, stays behind it
  devices.axes = {{"device", "1", {0, 1}, {"softmax", "paper-linear"}, ""}};
  devices.quantities = {{"perplexity", "1", "on the text", {12.5, 13.5}}};
  store::Table single;
  single.name = "total";
  single.quantities = {{"seconds", "s", "", {3.25}}};
  dataset.tables = {read, devices, single};
  return dataset;
}

store::ModelFile sample_model() {
  double next = 0.1;
  const auto value = [&next] { return next += 1.0 / 7.0; };
  const auto quality = [&] {
    const double start = value();
    return device::FitQuality{start, value(), value(), value(), value(), 42, 17};
  };
  const auto curve = [&] {
    const double x = value(), y = value();
    return device::MonotoneCurve({x, x + 0.25, x + 1.0}, {y, y + 1.0 / 3.0, y + 0.4});
  };
  const auto readout = [&](bool is_signed) {
    device::ReadoutModel model;
    model.is_signed = is_signed;
    model.positive = {value(), value(), value()};
    if (is_signed) {
      model.negative = {value(), value(), value()};
      model.q_sign_C = value();
    }
    model.t_table_s = curve();
    model.hard_sigmoid_quality = quality();
    model.table_quality = quality();
    model.e_table_J = curve();
    return model;
  };
  store::ModelFile file;
  file.provenance = {"1.2.3", "gaincal fit x", "abcd", "39", 7};
  device::CircuitModel& model = file.model;
  model.design_name = "sample";
  model.technology_name = "gc28";
  model.cell.i_cubic_A = {0.45, {value(), value(), value(), value()}};
  model.cell.a_cubic_C = {0.45, {value(), value(), value(), value()}};
  model.cell.i_table_A = curve();
  model.cell.a_table_C = curve();
  model.cell.cubic_quality = quality();
  model.cell.table_quality = quality();
  model.cell.v_min_V = value();
  model.cell.v_max_V = value();
  model.cell.t_pulse_max_s = value();
  model.score_readout = readout(false);
  model.output_readout = readout(true);
  model.write = {{0.0, 0.45, 0.9}, {value(), value(), value()}, {value(), value(), value()}, value(), value()};
  model.leak.tau_s = value();
  model.leak.v_inf_V = value();
  model.leak.age_s = {0.0, 1e-3};
  model.leak.v0_V = {0.0, 0.45, 0.9};
  model.leak.v_V = {value(), value(), value(), value(), value(), value()};
  model.leak.exponential_quality = quality();
  model.leak.table_quality = quality();
  model.read_energy = {curve(), curve(), quality(), curve()};
  model.rows = 64;
  model.query_levels = 16;
  model.counter_levels = 32;
  model.t_token_s = 65e-9;
  model.energy_constants = {{"control", value(), device::Origin::paper, "Leroux 2025"},
                            {"adders", value(), device::Origin::assumed, ""}};
  model.phases = {{"write", value(), device::Origin::extracted}, {"add", value(), device::Origin::assumed}};
  device::FormScore form{"cell charge", "polynomial 1", "C", "converged", true, false, {}, 4, value(), 0.0, {}, {}};
  form.quality = quality();
  form.coefficients = {{"i0", "A", value(), value()}, {"i1", "A V^-1", value(), value()}};
  form.operand_rms = value();
  form.points = {"V", "s", {0.1, 0.2}, {1e-9, 2e-9}, {value(), value()}, {value(), value()}, {0, 1}};
  file.model.forms = {
      form, {"retention", "bilinear table", "V", "too few points", false, true, {}, 8, value(), std::nan(""), {}, {}}};
  model.score_bit_line.coeff[1] = {value(), value(), value(), value()};
  model.score_bit_line.q_min_C = value();
  model.score_bit_line.q_max_C = value();
  model.score_bit_line.full_pulses_max = value();
  model.score_bit_line.quality = quality();
  model.output_bit_line.coeff[3][2] = value();
  model.mismatch = {value(), value(), value(), value(), 200};
  return file;
}

store::ModelFile sample_model_set() {
  store::ModelFile file = sample_model();
  device::ConditionSet& set = file.conditions;
  set.nominal = {"tt", 27.0, 0.9};
  set.corners = {"tt", "ss"};
  set.temperatures_C = {-40.0, 27.0, 85.0};
  set.supplies_V = {0.81, 0.9};
  for (std::size_t i = 0; i < 12; ++i) {
    set.models.push_back(file.model);
    device::CircuitModel& model = set.models.back();
    model.forms.clear();
    const auto scaled = [&](const device::MonotoneCurve& curve) {
      std::vector<double> y = curve.y();
      for (double& each : y) each *= 1.0 + 0.1 * static_cast<double>(i);
      return device::MonotoneCurve(curve.x(), y);
    };
    model.cell.i_table_A = scaled(model.cell.i_table_A);
    model.output_readout.t_table_s = scaled(model.output_readout.t_table_s);
    model.output_readout.q_sign_C += 0.01 * static_cast<double>(i);
    for (double& v : model.leak.v_V) v *= 1.0 - 0.01 * static_cast<double>(i);
  }
  set.errors = {{{"ss", 56.0, 0.9}, "cell charge", "C", 1e-17, 3e-17, 3e-14, 40},
                {{"ss", 56.0, 0.9}, "retention", "V", 1e-4, 2e-4, 0.93, 30}};
  return file;
}

CapturedStderr::CapturedStderr() {
  std::fflush(stderr);
  char name[] = "/tmp/gaincal-stderr-XXXXXX";
  captured_ = mkstemp(name);
  REQUIRE(captured_ >= 0);
  unlink(name);
  saved_ = dup(2);
  dup2(captured_, 2);
}

CapturedStderr::~CapturedStderr() {
  std::fflush(stderr);
  dup2(saved_, 2);
  close(saved_);
  close(captured_);
}

std::string CapturedStderr::text() {
  std::fflush(stderr);
  std::string result(static_cast<std::size_t>(lseek(captured_, 0, SEEK_END)), '\0');
  REQUIRE(pread(captured_, result.data(), result.size(), 0) == static_cast<ssize_t>(result.size()));
  return result;
}

}  // namespace gaincal::tests
