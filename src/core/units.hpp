#pragma once

#include <string>
#include <string_view>

namespace gaincal {

/// Physical dimensions that settings files may carry. Values are SI inside the program.
enum class Unit {
  none,
  volt,
  ampere,
  coulomb,
  farad,
  second,
  metre,
  square_metre,
  joule,
  watt,
  ohm,
  hertz,
  celsius,
  henry
};

/// SI symbol: "V", "A", "C", "F", "s", "m", "m2", "J", "W", "Ohm", "Hz", "degC", "H", "" for none.
std::string_view unit_symbol(Unit unit);

/// Converts text such as `5fF`, `15 ns`, `0.1u`, `1.2` to SI.
///
/// A number, an optional SI prefix (a f p n u µ m k M G), an optional unit symbol. A bare prefix is allowed
/// (`5f`), `85C` and `85degC` are temperatures where `unit` is celsius. For square_metre the prefix applies to the
/// metre: `1um2` is 1e-12.
///
/// where   file and field, e.g. `design.toml: cell.cst`; begins the message of the error
/// Throws  UsageError when the text is no number or its unit is not `unit`
double parse_quantity(std::string_view text, Unit unit, std::string_view where);

/// A share of one, such as `0.05` or `5%`.
///
/// Throws  UsageError when the text is none, or outside 0 to 1
double parse_share(std::string_view text, std::string_view where);

/// Engineering notation with prefix and unit: format_quantity(1.5e-9, Unit::second) = "1.5 ns".
std::string format_quantity(double value, Unit unit, int significant_digits = 4);

}  // namespace gaincal
