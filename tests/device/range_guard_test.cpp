#include "device/range_guard.hpp"

#include <catch2/catch.hpp>

#include "core/error.hpp"

using namespace gaincal;
using Catch::Contains;

TEST_CASE("a range guard clamps and counts what lies outside", "[device]") {
  device::RangeGuard guard;
  CHECK(guard.inside("age", Unit::second, 3e-3, 0.0, 5e-3) == 3e-3);
  CHECK(guard.summary().empty());
  CHECK(guard.inside("age", Unit::second, 6e-3, 0.0, 5e-3) == 5e-3);
  CHECK(guard.inside("age", Unit::second, 8e-3, 0.0, 5e-3) == 5e-3);
  CHECK(guard.inside("stored voltage", Unit::volt, -0.1, 0.0, 0.9) == 0.0);
  CHECK(guard.queries() == 4);
  CHECK(guard.clamped() == 3);
  CHECK_THAT(guard.summary(), Contains("3 of 4 queries outside the fitted range clamped") &&
                                  Contains("age up to 8 ms (fitted 0 s to 5 ms)") &&
                                  Contains("stored voltage down to -100 mV (fitted 0 V to 900 mV)"));
}

TEST_CASE("rounding at the end of a range is inside it", "[device]") {
  device::RangeGuard guard(true);
  CHECK(guard.inside("supply", Unit::volt, 0.9 + 1e-16, 0.8, 0.9) == 0.9);
  CHECK(guard.clamped() == 0);
}

TEST_CASE("a strict range guard refuses, naming quantity, value and range", "[device]") {
  device::RangeGuard guard(true);
  CHECK_THROWS_WITH(guard.inside("temperature", Unit::celsius, 120, -40, 85),
                    Contains("temperature 120 degC lies outside the fitted range -40 degC to 85 degC") &&
                        Contains("leave out --strict"));
}
