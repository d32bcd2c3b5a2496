#include <catch2/catch.hpp>
#include <cmath>
#include <set>
#include <vector>

#include "attention/attend.hpp"
#include "core/error.hpp"
#include "core/random.hpp"
#include "energy/prices.hpp"
#include "energy/tokens.hpp"

using namespace gaincal;
using Catch::Matchers::WithinRel;

namespace {

constexpr std::size_t kLevels = 8, kWindow = 12, kTileColumns = 5;
constexpr double kUnit_C = 1e-15;

/// A device whose converters have tables, with cells of every sign and an edge charge.
attention::AnalogDevice small_device() {
  attention::AnalogDevice device;
  device.window = kWindow;
  device.tile_columns = kTileColumns;
  device.read.resize(kWindow, kLevels);
  device.edge.resize(kWindow, kLevels);
  for (Eigen::Index age = 0; age < device.read.rows(); ++age)
    for (Eigen::Index level = 0; level < device.read.cols(); ++level) {
      device.read(age, level) = (static_cast<float>(level) - 3.0f) * std::pow(0.97f, static_cast<float>(age));
      device.edge(age, level) = 0.125f * (static_cast<float>(level) - 4.0f);
    }
  device.score.table = {0.0f, 0.0f, 0.25f, 0.5f, 1.0f, 1.0f};
  device.score.q_min = -4.0f;
  device.score.q_step = 2.0f;
  device.output.table = {-1.0f, -0.5f, 0.0f, 0.5f, 1.0f};  // q / 4
  device.output.q_min = -4.0f;
  device.output.q_step = 2.0f;
  return device;
}

device::CircuitModel small_model() {
  device::CircuitModel model;
  model.query_levels = 16;
  model.cell.t_pulse_max_s = 15e-9;
  for (std::size_t level = 0; level < kLevels; ++level) {
    model.write.v_stored_V.push_back(0.9 * static_cast<double>(level) / (kLevels - 1));
    model.write.e_write_J.push_back(1e-15 * (1.0 + std::sqrt(static_cast<double>(level))));
  }
  model.read_energy.e_edge_J = device::MonotoneCurve({0.0, 0.3, 0.9}, {1e-15, 1.2e-15, 2.7e-15});
  model.read_energy.e_word_line_J = device::MonotoneCurve({0.0, 0.9}, {0.4e-15, 0.6e-15});
  model.read_energy.p_W = device::MonotoneCurve({0.0, 0.5, 0.9}, {0.4e-6, 1e-6, 3.1e-6});
  // A straight line over the knots: counting on knots is exact for these, as for all that is straight between knots.
  model.score_readout.e_table_J = device::MonotoneCurve({-4e-15, 6e-15}, {277e-15, 550e-15});
  model.output_readout.e_table_J = device::MonotoneCurve({-4e-15, 4e-15}, {485e-15, 871e-15});
  model.t_token_s = 65e-9;
  return model;
}

attention::Matrix random_matrix(Eigen::Index rows, Eigen::Index columns, std::uint64_t stream) {
  const CounterRandom random(11, stream);
  attention::Matrix matrix(rows, columns);
  for (Eigen::Index i = 0; i < matrix.size(); ++i)
    matrix.data()[i] = static_cast<float>(random.uniform(static_cast<std::uint64_t>(i)));
  return matrix;
}

constexpr double kTick_J = 4e-15, kAddition_J = 40e-15;

/// Every event of a run, one after the other, from the recorded operands and signals: the energy of each token.
std::vector<attention::TokenEnergy> price_one_by_one(const attention::AnalogDevice& device,
                                                     const device::CircuitModel& model, const attention::Trace& trace) {
  using attention::Event;
  std::vector<attention::TokenEnergy> tokens(static_cast<std::size_t>(trace.q_code.rows()));
  const auto stored_V = [&](std::uint8_t level) { return model.write.v_stored_V[level]; };
  const auto window = static_cast<Eigen::Index>(device.window), tile_columns = static_cast<Eigen::Index>(kTileColumns);
  for (Eigen::Index t = 0; t < trace.q_code.rows(); ++t) {
    attention::TokenEnergy& sum = tokens[static_cast<std::size_t>(t)];
    std::set<Eigen::Index> enabled;
    const auto read = [&](Event cell, Event word_line, std::uint8_t level, double x_s) {
      if (!(x_s > 0.0)) return;
      sum[cell] += model.read_energy.energy_J(stored_V(level), x_s) - model.read_energy.word_line_J(stored_V(level));
      sum[word_line] += model.read_energy.word_line_J(stored_V(level));
    };
    for (Eigen::Index d = 0; d < trace.q_code.cols(); ++d)
      sum[Event::write] += model.write.e_write_J[trace.k_level(t, d)] + model.write.e_write_J[trace.v_level(t, d)];
    for (Eigen::Index s = std::max<Eigen::Index>(0, t + 1 - window); s <= t; ++s) {
      enabled.insert(s % window / tile_columns);
      sum[Event::columns] += 1.0;
      sum[Event::score_conversion] += model.score_readout.energy_J(double{trace.S(t, s)} * kUnit_C);
      for (Eigen::Index d = 0; d < trace.q_code.cols(); ++d) {
        read(Event::k_cell, Event::k_word_line, trace.k_level(s, d),
             model.cell.t_pulse_max_s * trace.q_code(t, d) / (device.query_levels - 1.0));
        read(Event::v_cell, Event::v_word_line, trace.v_level(s, d),
             model.cell.t_pulse_max_s * double{trace.phi(t, s)});
      }
    }
    for (const Eigen::Index tile : enabled)
      for (Eigen::Index d = 0; d < trace.q_code.cols(); ++d) {
        const double charge = trace.A_tiles[static_cast<std::size_t>(tile)](t, d);
        sum[Event::output_conversion] += model.output_readout.energy_J(charge * kUnit_C);
        // The output's table is the straight line charge / 4 between -1 and 1: half of 31 steps at full scale.
        sum[Event::counter] += kTick_J * 15.5 * std::min(1.0, std::abs(charge) / 4.0);
        sum[Event::adder] += kAddition_J;
        sum[Event::outputs] += 1.0;
      }
  }
  return tokens;
}

struct Head {
  attention::Matrix q, k, v;
};
Head random_operands(Eigen::Index T, Eigen::Index D, std::uint64_t stream) {
  return {random_matrix(T, D, 3 * stream), random_matrix(T, D, 3 * stream + 1), random_matrix(T, D, 3 * stream + 2)};
}

void check_equal(const attention::TokenEnergy& found, const attention::TokenEnergy& expected) {
  for (std::size_t event = 0; event < attention::kEvents; ++event) {
    INFO("event " << event);
    CHECK_THAT(found.of[event], WithinRel(expected.of[event], 1e-9));
  }
}

/// A device whose sums are exact in float, whatever their order.
attention::AnalogDevice exact_device() {
  attention::AnalogDevice device = small_device();
  device.query_levels = 17;
  for (Eigen::Index age = 0; age < device.read.rows(); ++age)
    for (Eigen::Index level = 0; level < device.read.cols(); ++level)
      device.read(age, level) = (static_cast<float>(level) - 3.0f) * (1.0f - static_cast<float>(age) / 16.0f);
  return device;
}

}  // namespace

TEST_CASE("the energy of a short run is the sum over its events, one by one", "[energy]") {
  const attention::AnalogDevice device = small_device();
  const device::CircuitModel model = small_model();
  const Eigen::Index T = 40, D = 7;
  const Head head = random_operands(T, D, 1);
  attention::Matrix out(T, D);
  attention::Trace trace;
  attention::Activity activity;
  activity.prices = energy::event_prices(model, device, kUnit_C, {});
  attention::attend_reference(device, {}, head.q, head.k, head.v, out, &trace, &activity);

  const std::vector<attention::TokenEnergy> events = price_one_by_one(device, model, trace);
  REQUIRE(activity.tokens.size() == events.size());
  attention::TokenEnergy sum;
  for (std::size_t t = 0; t < events.size(); ++t) {
    check_equal(activity.tokens[t], events[t]);
    sum.add(events[t]);
  }
  check_equal(energy::price_activity(activity, *activity.prices), sum);
  REQUIRE(activity.heads.size() == 1);
  check_equal(activity.heads[0].sum, sum);
  for (const double each : sum.of) CHECK(each > 0.0);
}

TEST_CASE("the tuned kernels price every token as the reference does", "[energy]") {
  const attention::AnalogDevice device = exact_device();
  device::CircuitModel model = small_model();
  model.query_levels = 17;
  const auto prices = energy::event_prices(model, device, kUnit_C, {});
  attention::Activity tuned, reference;
  tuned.prices = reference.prices = prices;
  const Eigen::Index T = 150, D = 7;  // over blocks of 64 queries
  attention::Matrix out(T, D);
  for (const std::uint64_t stream : {1, 2}) {  // two heads of one text
    const Head head = random_operands(T, D, stream);
    attention::attend(device, {}, head.q, head.k, head.v, out, &tuned);
    attention::attend_reference(device, {}, head.q, head.k, head.v, out, nullptr, &reference);
  }
  REQUIRE(tuned.tokens.size() == 150);
  REQUIRE(tuned.heads.size() == 2);
  for (std::size_t t = 0; t < tuned.tokens.size(); ++t) check_equal(tuned.tokens[t], reference.tokens[t]);
  for (std::size_t h = 0; h < tuned.heads.size(); ++h) {
    check_equal(tuned.heads[h].sum, reference.heads[h].sum);
    CHECK_THAT(tuned.heads[h].square_sum_J2, WithinRel(reference.heads[h].square_sum_J2, 1e-9));
  }
}

TEST_CASE("prices do not change what a run counts", "[energy]") {
  const attention::AnalogDevice device = exact_device();
  device::CircuitModel model = small_model();
  model.query_levels = 17;
  const Head head = random_operands(70, 7, 3);
  attention::Matrix out(70, 7), priced_out(70, 7);
  attention::Activity plain, priced;
  priced.prices = energy::event_prices(model, device, kUnit_C, {});
  attention::attend(device, {}, head.q, head.k, head.v, out, &plain);
  attention::attend(device, {}, head.q, head.k, head.v, priced_out, &priced);
  CHECK(out == priced_out);
  CHECK(plain.k_reads == priced.k_reads);
  CHECK(plain.v_read_time == priced.v_read_time);
  CHECK(plain.score_charge.weight == priced.score_charge.weight);
  CHECK(plain.output_charge.weight == priced.output_charge.weight);
  CHECK(plain.tokens.empty());
}

TEST_CASE("texts of different lengths join their tokens and add their heads", "[energy]") {
  const attention::AnalogDevice device = exact_device();
  device::CircuitModel model = small_model();
  model.query_levels = 17;
  const auto prices = energy::event_prices(model, device, kUnit_C, {});
  attention::Activity all;
  double total_J = 0.0;
  for (const Eigen::Index T : {20, 33}) {
    attention::Activity text;
    text.prices = prices;
    const Head head = random_operands(T, 7, static_cast<std::uint64_t>(T));
    attention::Matrix out(T, 7);
    for (int h = 0; h < 6; ++h) attention::attend(device, {}, head.q, head.k, head.v, out, &text);
    all.add(text);
    for (const auto& token : text.tokens) total_J += token.total_J();
    attention::Matrix other(T + 1, 7);
    const Head longer = random_operands(T + 1, 7, 9);
    CHECK_THROWS_AS(attention::attend(device, {}, longer.q, longer.k, longer.v, other, &text), Error);
  }
  CHECK(all.tokens.size() == 53);
  const auto tables = energy::distribution_tables(all, 2);
  CHECK(tables[0].points() == 53);
  CHECK(tables[1].points() == 6);  // 2 layers of 3 heads
  double by_token_J = 0.0, by_head_J = 0.0;
  for (const double each : tables[0].quantity("total").values) by_token_J += each * 6;
  for (const double each : tables[1].quantity("total").values) by_head_J += each * 53;
  CHECK_THAT(by_token_J, WithinRel(total_J, 1e-9));
  CHECK_THAT(by_head_J, WithinRel(total_J, 1e-9));
  CHECK_THROWS_AS(energy::distribution_tables(all, 4), Error);
  CHECK_THROWS_AS(energy::distribution_tables({}, 2), Error);
}

TEST_CASE("percentiles lie between the neighbours in order", "[energy]") {
  const std::vector<double> values = {4.0, 1.0, 3.0, 2.0};
  CHECK(energy::percentile(values, 0.0) == 1.0);
  CHECK(energy::percentile(values, 0.5) == 2.5);
  CHECK(energy::percentile(values, 1.0) == 4.0);
  CHECK_THROWS_AS(energy::percentile({}, 0.5), Error);
}
