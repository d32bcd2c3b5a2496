#include "energy/account.hpp"

#include <catch2/catch.hpp>
#include <sstream>

#include "core/error.hpp"
#include "energy/prices.hpp"

using namespace gaincal;
using Catch::Matchers::WithinRel;

namespace {

/// Two levels, three pulse widths; energies are round numbers so that the sums can be done by hand.
device::CircuitModel simple_model() {
  device::CircuitModel model;
  model.query_levels = 3;
  model.cell.t_pulse_max_s = 10e-9;
  model.write.v_stored_V = {0.0, 0.9};
  model.write.e_write_J = {1e-15, 3e-15};
  model.read_energy.e_word_line_J = device::MonotoneCurve({0.0, 0.9}, {0.25e-15, 0.5e-15});
  model.read_energy.e_edge_J = device::MonotoneCurve({0.0, 0.9}, {1e-15, 2e-15});
  model.read_energy.p_W = device::MonotoneCurve({0.0, 0.9}, {1e-6, 3e-6});
  model.score_readout.e_table_J = device::MonotoneCurve({-1e-12, 1e-12}, {100e-15, 300e-15});
  model.output_readout.e_table_J = device::MonotoneCurve({-1e-12, 1e-12}, {400e-15, 400e-15});
  model.t_token_s = 65e-9;
  model.energy_constants = {{"digital control and routing", 4e-9, device::Origin::paper, "Leroux 2025"},
                            {"DACs", 330e-12, device::Origin::paper, "Leroux 2025"}};
  return model;
}

/// Its device: three knots for each converter.
attention::AnalogDevice simple_device() {
  attention::AnalogDevice device;
  device.window = 8;
  device.query_levels = 3;
  device.weight_levels = 2;
  device.output_levels = 31;  // 15 ticks at full scale
  device.read = attention::Table::Ones(8, 2);
  device.score.table = {0.0f, 0.0f, 1.0f};
  device.output.table = {-1.0f, 0.0f, 1.0f};
  for (auto* curve : {&device.score, &device.output}) {
    curve->q_min = -1000.0f;
    curve->q_step = 1000.0f;
  }
  return device;
}

attention::Activity simple_activity() {
  attention::Activity activity;
  activity.head_tokens = 2;
  activity.k_reads = {5, 7, 1, 2, 3, 4};  // codes 0, 1, 2 by levels 0, 1
  activity.v_reads = {2, 1};
  activity.v_read_time = {0.5, 1.0};
  activity.score_charge = {-1000.0, 1000.0, {1.0, 2.0, 1.0}};  // fC
  activity.output_charge = {-1000.0, 1000.0, {1.0, 6.0, 1.0}};
  activity.k_writes = {1, 1};
  activity.v_writes = {2, 0};
  return activity;
}

attention::TokenEnergy simple_events() {
  return energy::price_activity(simple_activity(), *energy::event_prices(simple_model(), simple_device(), 1e-15, {}));
}

energy::Account simple_account() { return energy::make_account(simple_model(), simple_events(), 2.0, 3.0, 128.0); }

const energy::Part& part_of(const energy::Account& account, const std::string& name) {
  for (const energy::Part& part : account.parts)
    if (part.name == name) return part;
  FAIL("no part " << name);
  throw 0;
}

}  // namespace

TEST_CASE("every event of a run is priced and the parts add up to the total", "[energy]") {
  const energy::Account account = simple_account();
  // By hand, per token (2 tokens). Code 0 costs nothing; half pulse 5 ns, full pulse 10 ns.
  const double k_reads = (1 * (0.75e-15 + 1e-6 * 5e-9) + 2 * (1.5e-15 + 3e-6 * 5e-9) + 3 * (0.75e-15 + 1e-6 * 10e-9) +
                          4 * (1.5e-15 + 3e-6 * 10e-9)) /
                         2;
  const double v_reads = (2 * 0.75e-15 + 0.5 * 10e-9 * 1e-6 + 1 * 1.5e-15 + 1.0 * 10e-9 * 3e-6) / 2;
  const auto check = [&](const char* name, double expected_J) {
    INFO(name);
    CHECK_THAT(part_of(account, name).energy_J, WithinRel(expected_J, 1e-12));
  };
  check("write", (1e-15 * 3 + 3e-15 * 1) / 2);
  check("K word lines", (4 * 0.25e-15 + 6 * 0.5e-15) / 2);
  check("K cells", k_reads);
  check("K converters", (100e-15 + 2 * 200e-15 + 300e-15) / 2);
  check("V word lines", (2 * 0.25e-15 + 1 * 0.5e-15) / 2);
  check("V cells", v_reads);
  check("signed converters", 8 * 400e-15 / 2);
  check("counters", 2 * 15 * 4e-15 / 2);  // two conversions at full scale
  check("digital adders", 8 * 40e-15 / 2);
  check("DACs", 330e-12);
  double sum = 0.0;
  for (const auto& part : account.parts) sum += part.energy_J;
  CHECK_THAT(account.total_J(), WithinRel(sum, 1e-12));
}

TEST_CASE("the full-window column scales each part by its law", "[energy]") {
  const energy::Account account = simple_account();  // 2 of 128 columns, 4 of 3 * 2 outputs
  CHECK(account.mean_columns == 2.0);
  for (const char* name : {"K word lines", "K cells", "K converters", "V word lines", "V cells"})
    CHECK_THAT(part_of(account, name).full_window_J, WithinRel(64.0 * part_of(account, name).energy_J, 1e-12));
  for (const char* name : {"signed converters", "counters", "digital adders"})
    CHECK_THAT(part_of(account, name).full_window_J, WithinRel(1.5 * part_of(account, name).energy_J, 1e-12));
  for (const char* name : {"write", "DACs"})
    CHECK(part_of(account, name).full_window_J == part_of(account, name).energy_J);
}

TEST_CASE("the paper's control figure includes counters and adders", "[energy]") {
  const energy::Account account = simple_account();
  const double digital_J =
      part_of(account, "counters").full_window_J + part_of(account, "digital adders").full_window_J;
  CHECK_THAT(part_of(account, "control and routing").full_window_J, WithinRel(4e-9 - digital_J, 1e-12));
  CHECK(part_of(account, "control and routing").origin == device::Origin::paper);
  CHECK(part_of(account, "counters").origin == device::Origin::assumed);
}

TEST_CASE("an account of no token or of other levels is refused", "[energy]") {
  CHECK_THROWS_AS(energy::make_account(simple_model(), {}, 0.0, 3.0, 128.0), Error);
  auto activity = simple_activity();
  activity.v_reads.push_back(1);
  const auto prices = energy::event_prices(simple_model(), simple_device(), 1e-15, {});
  CHECK_THROWS_AS(energy::price_activity(activity, *prices), Error);
  auto device = simple_device();
  device.weight_levels = 4;
  CHECK_THROWS_AS(energy::event_prices(simple_model(), device, 1e-15, {}), Error);
}

TEST_CASE("an account survives results.h5 with its origins and sources", "[energy]") {
  const energy::Account account = simple_account();
  store::Dataset results;
  CHECK_FALSE(energy::has_account(results));
  CHECK_THROWS_WITH(energy::read_account(results), Catch::Contains("energy"));
  results.tables = {energy::energy_table(account)};
  const energy::Account read = energy::read_account(results);
  REQUIRE(read.parts.size() == account.parts.size());
  for (std::size_t i = 0; i < read.parts.size(); ++i) {
    CHECK(read.parts[i].name == account.parts[i].name);
    CHECK(read.parts[i].source == account.parts[i].source);
    CHECK(read.parts[i].origin == account.parts[i].origin);
    CHECK(read.parts[i].law == account.parts[i].law);
    CHECK(read.parts[i].group == account.parts[i].group);
    CHECK(read.parts[i].full_window_J == account.parts[i].full_window_J);
  }
  CHECK(read.head_size == account.head_size);
  CHECK(read.window_columns == account.window_columns);
}

TEST_CASE("the table shows the paper's figures beside ours", "[energy]") {
  std::ostringstream text;
  energy::print_sheet(text, energy::energy_sheet(simple_account()));
  CHECK_THAT(text.str(), Catch::Contains("1.12 nJ") && Catch::Contains("700 pJ") && Catch::Contains("6.1 nJ"));
}

TEST_CASE("a constant is set by name, in its unit", "[energy]") {
  energy::Constants constants;
  constants.set("mac=0.5pJ");
  CHECK(constants("mac") == 0.5e-12);
  CHECK_THROWS_WITH(constants.set("mac=5V"), Catch::Contains("--set mac"));
  CHECK_THROWS_WITH(constants.set("watt=1"), Catch::Contains("counter_tick"));
  CHECK_THROWS_AS(constants.set("cell_area=-1um2"), UsageError);
  CHECK_THROWS_AS(constants.set("mac"), UsageError);
}
