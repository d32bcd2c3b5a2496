#include "energy/timing.hpp"

#include <catch2/catch.hpp>
#include <cmath>

#include "core/error.hpp"
#include "energy/area.hpp"
#include "energy/retention.hpp"
#include "energy/sample_baseline.hpp"

using namespace gaincal;
using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;

TEST_CASE("tokens one after the other start when the one before has ended", "[energy]") {
  const energy::Timing timing = energy::make_timing(tests::sample_baseline().model, false);
  CHECK_THAT(timing.latency_s, WithinRel(40e-9, 1e-12));
  CHECK(timing.interval_s == timing.latency_s);
  CHECK(timing.slots.size() == 5);
}

TEST_CASE("pipelined tokens never need an array at the same time", "[energy]") {
  const energy::Timing timing = energy::make_timing(tests::sample_baseline().model, true);
  // K: write, score pulse and conversion, 25 ns. V: write, sum pulse and conversion, 26 ns.
  CHECK_THAT(timing.interval_s, WithinRel(26e-9, 1e-12));
  CHECK_THAT(timing.latency_s, WithinRel(40e-9, 1e-12));
  for (const auto part : {&energy::Busy::k_array, &energy::Busy::v_array, &energy::Busy::adder})
    for (const energy::Slot& a : timing.slots)
      for (const energy::Slot& b : timing.slots)
        for (int later = 1; later < 4; ++later) {
          if (!(a.busy.*part) || !(b.busy.*part)) continue;
          const double b_start_s = b.start_s + later * timing.interval_s;
          CHECK(b_start_s + 1e-15 >= a.start_s + a.phase.duration_s);
        }
}

TEST_CASE("a phase of unknown name overlaps with nothing", "[energy]") {
  device::CircuitModel model = tests::sample_baseline().model;
  model.phases.push_back({"refresh", 6e-9, device::Origin::assumed});
  const energy::Timing timing = energy::make_timing(model, true);
  CHECK_THAT(timing.interval_s, WithinRel(46e-9, 1e-12));  // it ends what began with the write of K
  model.phases.clear();
  CHECK_THROWS_WITH(energy::make_timing(model, true), Catch::Contains("phases"));
}

TEST_CASE("the area is the sum of its parts, and stacking takes the cells out of the plane", "[energy]") {
  const energy::Baseline baseline = tests::sample_baseline();
  double sum_m2 = 0.0;
  for (const energy::AreaPart& part : energy::area_parts(baseline.shape, baseline.constants)) sum_m2 += part.area_m2;
  const double planar = energy::planar_m2(baseline.shape, baseline.constants);
  CHECK_THAT(planar, WithinRel(sum_m2, 1e-12));
  const double cells_m2 = 2.0 * 64 * 1024 * 1e-12;
  CHECK_THAT(energy::stacked_m2(baseline.shape, baseline.constants), WithinRel(planar - cells_m2, 1e-9));
  energy::Constants large = baseline.constants;
  large.set("cell_area=100um2");
  CHECK_THAT(energy::stacked_m2(baseline.shape, large), WithinRel(100 * cells_m2 / 2, 1e-9));
  CHECK(energy::area_parts(baseline.shape, baseline.constants)[0].origin == device::Origin::paper);
}

TEST_CASE("retention ends where the first level has moved by the tolerance", "[energy]") {
  const device::CircuitModel model = tests::sample_baseline().model;
  // End levels lose 90 mV of 450 mV in 10 ms, their current in proportion: 10 % after 5 ms.
  const energy::Retention found = energy::retention(model, 0.1);
  CHECK_FALSE(found.end_of_table);
  CHECK_THAT(found.age_s, WithinRel(5e-3, 1e-6));
  CHECK(found.level != 1);
  CHECK(energy::retention(model, 0.5).end_of_table);
  CHECK_THAT(energy::half_level_step(model), WithinRel(0.5, 1e-9));
  CHECK_THROWS_AS(energy::retention({}, 0.1), Error);
}

TEST_CASE("refresh is free until the window is older than the leak allows", "[energy]") {
  const energy::Baseline baseline = tests::sample_baseline();
  const energy::Sheet sheet = energy::refresh_sheet(baseline.model, baseline.shape, 0.1);
  const auto number = [&](std::size_t row, std::size_t column) { return std::get<double>(sheet.rows[row][column]); };
  CHECK(number(0, 3) == 0.0);                       // a million tokens a second: 1 ms
  CHECK_THAT(number(1, 2), WithinAbs(2.0, 1e-12));  // 10.24 ms of 5 ms: rewritten twice
  CHECK_THAT(number(1, 3), WithinRel(2 * 128 * 2e-15, 1e-9));
  CHECK_THAT(number(1, 4), WithinRel(number(1, 3) * 1e5, 1e-9));
}
