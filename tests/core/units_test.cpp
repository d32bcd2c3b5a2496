#include "core/units.hpp"

#include <catch2/catch.hpp>

#include "core/error.hpp"

using namespace gaincal;

TEST_CASE("quantities convert to SI with the nearest double", "[core]") {
  CHECK(parse_quantity("5fF", Unit::farad, "t") == 5e-15);
  CHECK(parse_quantity("5 fF", Unit::farad, "t") == 5e-15);
  CHECK(parse_quantity("5f", Unit::farad, "t") == 5e-15);
  CHECK(parse_quantity("15ns", Unit::second, "t") == 15e-9);
  CHECK(parse_quantity("0.1u", Unit::metre, "t") == 0.1e-6);
  CHECK(parse_quantity("0.1µm", Unit::metre, "t") == 0.1e-6);
  CHECK(parse_quantity("-0.3", Unit::volt, "t") == -0.3);
  CHECK(parse_quantity("+900mV", Unit::volt, "t") == 0.9);
  CHECK(parse_quantity("1.7pF", Unit::farad, "t") == 1.7e-12);
  CHECK(parse_quantity("2 m", Unit::metre, "t") == 2.0);
  CHECK(parse_quantity("2 mm", Unit::metre, "t") == 2e-3);
  CHECK(parse_quantity("1um2", Unit::square_metre, "t") == 1e-12);
  CHECK(parse_quantity("85C", Unit::celsius, "t") == 85.0);
  CHECK(parse_quantity("-40 degC", Unit::celsius, "t") == -40.0);
  CHECK(parse_quantity("10nH", Unit::henry, "t") == 1e-8);
  CHECK(parse_quantity("1e9", Unit::none, "t") == 1e9);
  CHECK(parse_quantity("2.5GHz", Unit::hertz, "t") == 2.5e9);
}

TEST_CASE("a unit that does not fit is refused with file, field and remedy", "[core]") {
  try {
    parse_quantity("5V", Unit::farad, "design.toml: cell.cst");
    FAIL("accepted");
  } catch (const UsageError& error) {
    const std::string message = error.what();
    CHECK(message ==
          "design.toml: cell.cst: '5V' has a unit that does not fit; write a number in F (SI prefix allowed)");
    CHECK(error.exit_code() == ExitCode::misused);
  }
  CHECK_THROWS_AS(parse_quantity("", Unit::volt, "t"), UsageError);
  CHECK_THROWS_AS(parse_quantity("volt", Unit::volt, "t"), UsageError);
  CHECK_THROWS_AS(parse_quantity("nan", Unit::volt, "t"), UsageError);
  CHECK_THROWS_AS(parse_quantity("1 xV", Unit::volt, "t"), UsageError);
  CHECK_THROWS_AS(parse_quantity("3 V V", Unit::volt, "t"), UsageError);
  CHECK_THROWS_AS(parse_quantity("1u", Unit::square_metre, "t"), UsageError);
}

TEST_CASE("formatting picks the engineering prefix", "[core]") {
  CHECK(format_quantity(1.5e-9, Unit::second) == "1.5 ns");
  CHECK(format_quantity(1e-15, Unit::joule) == "1 fJ");
  CHECK(format_quantity(-2.7e-6, Unit::ampere) == "-2.7 uA");
  CHECK(format_quantity(0.0, Unit::volt) == "0 V");
  CHECK(format_quantity(27.0, Unit::celsius) == "27 degC");
}
