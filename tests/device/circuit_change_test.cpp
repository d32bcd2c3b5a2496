#include "device/circuit_change.hpp"

#include <catch2/catch.hpp>
#include <cmath>

#include "core/error.hpp"

using namespace gaincal::device;

namespace {

CircuitModel three_levels() {
  CircuitModel model;
  model.write.v_target_V = {0.0, 0.4, 0.8};
  model.write.v_stored_V = {0.1, 0.5, 0.7};
  model.write.e_write_J = {1e-15, 3e-15, 2e-15};
  model.query_levels = 16;
  model.counter_levels = 32;
  model.leak.tau_s = 1.0;
  model.leak.v_inf_V = 0.3;
  model.leak.v0_V = {0.0, 0.9};
  model.leak.age_s = {0.0, 1.0};
  model.leak.v_V = {0.0, 0.2, 0.9, 0.4};
  return model;
}

}  // namespace

TEST_CASE("other weight levels store what lies between the fitted ones", "[device]") {
  CircuitModel model = three_levels();
  CircuitChange change;
  CHECK_FALSE(change.any());
  change.weight_levels = 5;
  apply(change, 1e-6, 10, model);
  const WriteModel& write = model.write;
  REQUIRE(write.v_target_V.size() == 5);
  for (std::size_t l = 0; l < 5; ++l) CHECK(write.v_target_V[l] == Approx(0.2 * static_cast<double>(l)));
  for (const std::size_t l : {0, 2, 4}) {
    CHECK(write.v_stored_V[l] == Approx(three_levels().write.v_stored_V[l / 2]));
    CHECK(write.e_write_J[l] == Approx(three_levels().write.e_write_J[l / 2]));
  }
  CHECK((write.v_stored_V[1] > 0.1 && write.v_stored_V[1] < 0.5));
  CHECK(model.leak.v_V == three_levels().leak.v_V);
  change.weight_levels = 3;
  change.query_levels = 4;
  change.counter_levels = 0;
  CircuitModel same = three_levels();
  apply(change, 1e-6, 10, same);
  CHECK(same.write.v_stored_V == three_levels().write.v_stored_V);
  CHECK(same.query_levels == 4);
  CHECK(same.counter_levels == 0);
}

TEST_CASE("another leak decays towards the fitted voltage by so much a token", "[device]") {
  constexpr double kTToken_s = 7.8e-7;
  for (const double leak : {0.0, 1e-4, 1e-2}) {
    CircuitModel model = three_levels();
    CircuitChange change;
    change.leak_per_token = leak;
    apply(change, kTToken_s, 1000, model);
    for (const double age : {0.0, 1.0, 17.0, 999.0})
      for (const double v0_V : {0.0, 0.3, 0.77})
        CHECK(model.leak.voltage_V(v0_V, age * kTToken_s) ==
              Approx(0.3 + (v0_V - 0.3) * std::exp(-leak * age)).epsilon(1e-12));
  }
  CircuitModel empty;
  CHECK_THROWS_AS(apply({}, 1.0, 1, empty), gaincal::Error);
}
