#include <catch2/catch.hpp>
#include <cmath>
#include <fstream>
#include <functional>
#include <iomanip>
#include <sstream>

#include "core/files.hpp"
#include "core/random.hpp"
#include "exporters/exporter.hpp"
#include "exporters/outside_program.hpp"
#include "exporters/sample_model.hpp"
#include "reference.hpp"

using namespace gaincal;
using Catch::Contains;

TEST_CASE("the Python module agrees with the C++ to rounding, inside and outside the ranges", "[exporters]") {
  const tests::ScratchFolder scratch;
  const exporters::Source source = tests::sample_source(scratch.path());
  exporters::export_model(source, "python", {scratch.path() / "gaincal_model.py", false});
  const device::CircuitModel& model = source.file.model;

  // Queries of two numbers; each function takes what it needs.
  const std::size_t count = 4000;
  const CounterRandom random(5, 1);
  std::vector<double> v, x, q, age;
  for (std::size_t k = 0; k < count; ++k) {
    v.push_back(-0.1 + 1.1 * random.uniform(4 * k));
    x.push_back(k % 10 == 0 ? 0.0 : 15e-9 * random.uniform(4 * k + 1));
    q.push_back(-330e-15 + 660e-15 * random.uniform(4 * k + 2));
    age.push_back(1.2e-2 * random.uniform(4 * k + 3) * (k % 7 == 0 ? 0.0 : 1.0));
  }
  for (const double knot : model.cell.i_table_A.x()) v[static_cast<std::size_t>(knot * 1000)] = knot;  // knots exactly
  const std::vector<std::pair<const char*, std::function<double(std::size_t)>>> functions = {
      {"m.cell.charge_C(v, x)", [&](std::size_t k) { return model.cell.charge_C(v[k], x[k]); }},
      {"m.cell.current_A(v)", [&](std::size_t k) { return model.cell.current_A(v[k]); }},
      {"m.cell.edge_charge_C(v)", [&](std::size_t k) { return model.cell.edge_charge_C(v[k]); }},
      {"m.cell.current_cubic_A(v)", [&](std::size_t k) { return model.cell.i_cubic_A(v[k]); }},
      {"m.cell.edge_charge_cubic_C(v)", [&](std::size_t k) { return model.cell.a_cubic_C(v[k]); }},
      {"m.score.width_s(q)", [&](std::size_t k) { return model.score_readout.width_s(q[k]); }},
      {"m.score.hard_sigmoid_s(q)", [&](std::size_t k) { return model.score_readout.hard_sigmoid_s(q[k]); }},
      {"m.score.energy_J(q)", [&](std::size_t k) { return model.score_readout.energy_J(q[k]); }},
      {"m.output.width_s(q)", [&](std::size_t k) { return model.output_readout.width_s(q[k]); }},
      {"m.output.hard_sigmoid_s(q)", [&](std::size_t k) { return model.output_readout.hard_sigmoid_s(q[k]); }},
      {"m.leak.voltage_V(v, age)", [&](std::size_t k) { return model.leak.voltage_V(v[k], age[k]); }},
      {"m.leak.exponential_V(v, age)", [&](std::size_t k) { return model.leak.exponential_V(v[k], age[k]); }},
      {"m.read_energy(v, x)", [&](std::size_t k) { return model.read_energy.energy_J(v[k], x[k]); }},
  };
  std::ostringstream queries, expressions;
  queries << std::setprecision(17);
  for (std::size_t k = 0; k < count; ++k) queries << v[k] << " " << x[k] << " " << q[k] << " " << age[k] << "\n";
  for (const auto& function : functions) expressions << "np.broadcast_to(" << function.first << ", v.shape), ";
  write_text(scratch.path() / "queries.txt", queries.str());
  const auto outcome = tests::run_python(
      scratch.path(), "evaluate.py",
      "import numpy as np, gaincal_model\n"
      "m = gaincal_model.Model('model.h5')\n"
      "v, x, q, age = np.loadtxt('queries.txt').T\n"
      "assert m.rows == 64 and m.query_levels == 16 and m.counter_levels == 32 and m.t_token_s == 65e-9\n"
      "assert m.v_stored_V.size == 8 and m.attributes['design_name'] == 'gc28_paper'\n"
      "assert m.score.is_signed is False and m.output.is_signed is True\n"
      "assert m.cell.charge_C(0.7, 5e-9) == m.cell.charge_C(np.array([0.7]), 5e-9)[0]\n"
      "np.savetxt('values.txt', np.array([" +
          expressions.str() + "]).T, fmt='%.17e')\n");
  INFO(outcome.output);
  REQUIRE(outcome.exit_code == 0);

  std::ifstream values(scratch.path() / "values.txt");
  std::vector<double> worst(functions.size(), 0.0), scale(functions.size(), 0.0);
  for (std::size_t k = 0; k < count; ++k)
    for (std::size_t f = 0; f < functions.size(); ++f) {
      double value = 0.0;
      REQUIRE(values >> value);
      const double expected = functions[f].second(k);
      worst[f] = std::max(worst[f], std::abs(value - expected));
      scale[f] = std::max(scale[f], std::abs(expected));
    }
  for (std::size_t f = 0; f < functions.size(); ++f) {
    INFO(functions[f].first << ": off by " << worst[f] << " of " << scale[f]);
    CHECK(scale[f] > 0);
    CHECK(worst[f] <= 1e-12 * scale[f]);
  }
}

TEST_CASE("instances of the Python module agree with the C++ to rounding", "[exporters]") {
  const tests::ScratchFolder scratch;
  const store::ModelFile file = tests::sample_model_set_file();
  store::write_model(scratch.path() / "model.h5", file);
  const exporters::Source source = exporters::read_source(scratch.path() / "model.h5", "");
  exporters::export_model(source, "python", {scratch.path() / "gaincal_model.py", false});
  const std::size_t count = 500;
  std::ostringstream queries;
  queries << std::setprecision(17);
  std::vector<double> v, x, q, age;
  const CounterRandom random(6, 1);
  for (std::size_t k = 0; k < count; ++k) {
    v.push_back(-0.03 + 0.96 * random.uniform(4 * k));
    x.push_back(15e-9 * random.uniform(4 * k + 1));
    q.push_back(-300e-15 + 600e-15 * random.uniform(4 * k + 2));
    age.push_back(1e-2 * random.uniform(4 * k + 3));
    queries << v[k] << " " << x[k] << " " << q[k] << " " << age[k] << "\n";
  }
  write_text(scratch.path() / "queries.txt", queries.str());
  const std::vector<std::pair<std::string, std::string>> instances = {
      {"ss,61C,0.83V", "corner='ss', temperature_C=61, supply_V=0.83"},
      {"ss,-40C", "corner='ss', temperature_C=-40"},
      {"0.97V", "supply_V=0.97"},
      {"tt", "corner='tt'"},
  };
  std::string models;
  for (const auto& [words, arguments] : instances) models += "Model('model.h5', " + arguments + "), ";
  const auto outcome = tests::run_python(
      scratch.path(), "evaluate.py",
      "import numpy as np\nfrom gaincal_model import Model\n"
      "v, x, q, age = np.loadtxt('queries.txt').T\n"
      "rows = []\n"
      "for m in [" +
          models +
          "]:\n"
          "    rows += [m.cell.charge_C(v, x), m.cell.current_cubic_A(v), m.score.width_s(q), m.score.energy_J(q),\n"
          "             m.score.hard_sigmoid_s(q), m.output.width_s(q), m.output.hard_sigmoid_s(q),\n"
          "             m.leak.voltage_V(v, age), m.leak.exponential_V(v, age), m.read_energy(v, x),\n"
          "             np.full(v.size, m.v_stored_V[3])]\n"
          "np.savetxt('values.txt', np.array(rows), fmt='%.17e')\n");
  INFO(outcome.output);
  REQUIRE(outcome.exit_code == 0);
  std::ifstream values(scratch.path() / "values.txt");
  for (const auto& [words, arguments] : instances) {
    device::RangeGuard guard(true);
    const device::CircuitModel model =
        device::instance_of(file.model, file.conditions, device::parse_model_choice(words, "test"), guard);
    const std::vector<std::pair<const char*, std::function<double(std::size_t)>>> functions = {
        {"charge", [&](std::size_t k) { return model.cell.charge_C(v[k], x[k]); }},
        {"cubic", [&](std::size_t k) { return model.cell.i_cubic_A(v[k]); }},
        {"score", [&](std::size_t k) { return model.score_readout.width_s(q[k]); }},
        {"score energy", [&](std::size_t k) { return model.score_readout.energy_J(q[k]); }},
        {"score sigmoid", [&](std::size_t k) { return model.score_readout.hard_sigmoid_s(q[k]); }},
        {"output", [&](std::size_t k) { return model.output_readout.width_s(q[k]); }},
        {"output sigmoid", [&](std::size_t k) { return model.output_readout.hard_sigmoid_s(q[k]); }},
        {"leak", [&](std::size_t k) { return model.leak.voltage_V(v[k], age[k]); }},
        {"exponential", [&](std::size_t k) { return model.leak.exponential_V(v[k], age[k]); }},
        {"read energy", [&](std::size_t k) { return model.read_energy.energy_J(v[k], x[k]); }},
        {"stored", [&](std::size_t) { return model.write.v_stored_V[3]; }},
    };
    for (const auto& [name, function] : functions) {
      double worst = 0.0, scale = 0.0;
      for (std::size_t k = 0; k < count; ++k) {
        double value = 0.0;
        REQUIRE(values >> value);
        worst = std::max(worst, std::abs(value - function(k)));
        scale = std::max(scale, std::abs(function(k)));
      }
      INFO(words << ", " << name << ": off by " << worst << " of " << scale);
      CHECK(scale > 0);
      CHECK(worst <= 1e-12 * scale);
    }
  }
}

TEST_CASE("the Python module counts what it clamps, refuses it where strict, and lists its corners", "[exporters]") {
  const tests::ScratchFolder scratch;
  store::write_model(scratch.path() / "model.h5", tests::sample_model_set_file());
  store::write_model(scratch.path() / "one.h5", tests::sample_model_file());
  const exporters::Source source = exporters::read_source(scratch.path() / "model.h5", "");
  exporters::export_model(source, "python", {scratch.path() / "gaincal_model.py", false});
  const auto outcome = tests::run_python(scratch.path(), "evaluate.py",
                                         "import numpy as np\nfrom gaincal_model import Model\n"
                                         "def refusal(call):\n"
                                         "    try: call()\n"
                                         "    except ValueError as failure: return str(failure)\n"
                                         "m = Model('model.h5')\n"
                                         "m.cell.current_A(np.array([0.5, 0.93, 2.0, -1.0]))\n"
                                         "assert (m.guard.queries, m.guard.clamped) == (4, 2), vars(m.guard)\n"
                                         "assert Model('model.h5', temperature_C=200).guard.clamped == 1\n"
                                         "strict = Model('model.h5', strict=True)\n"
                                         "strict.leak.voltage_V(0.5, 1e-3)\n"
                                         "print(refusal(lambda: strict.leak.voltage_V(0.5, 1.0)))\n"
                                         "print(refusal(lambda: Model('model.h5', temperature_C=200, strict=True)))\n"
                                         "print(refusal(lambda: Model('model.h5', corner='sf')))\n"
                                         "print(refusal(lambda: Model('one.h5', corner='sf')))\n");
  INFO(outcome.output);
  CHECK(outcome.exit_code == 0);
  CHECK_THAT(outcome.output, Contains("age 1 lies outside the fitted range 0 to 0.01"));
  CHECK_THAT(outcome.output, Contains("temperature 200 lies outside the fitted range -40 to 85"));
  CHECK_THAT(outcome.output, Contains("model.h5: no corner 'sf'; there are tt, ss"));
  CHECK_THAT(outcome.output, Contains("one.h5: holds one condition"));
}

TEST_CASE("the Python module refuses a file of another schema", "[exporters]") {
  const tests::ScratchFolder scratch;
  const exporters::Source source = tests::sample_source(scratch.path());
  exporters::export_model(source, "python", {scratch.path() / "gaincal_model.py", false});
  const auto outcome = tests::run_python(scratch.path(), "evaluate.py",
                                         "import h5py, gaincal_model\n"
                                         "h5py.File('model.h5', 'r+').attrs['schema_version'] = '2.0'\n"
                                         "gaincal_model.Model('model.h5')\n");
  CHECK(outcome.exit_code != 0);
  CHECK_THAT(outcome.output, Contains("schema gaincal/model 2.0") && Contains("export --to python"));
}
