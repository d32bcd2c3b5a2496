#include "core/units.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "core/error.hpp"

namespace gaincal {
namespace {

struct Prefix {
  std::string_view symbol;
  int exponent;
};
constexpr std::array<Prefix, 12> kPrefixes = {{{"a", -18},
                                               {"f", -15},
                                               {"p", -12},
                                               {"n", -9},
                                               {"u", -6},
                                               {"µ", -6},  // micro sign, U+00B5
                                               {"μ", -6},  // Greek mu, U+03BC
                                               {"m", -3},
                                               {"k", 3},
                                               {"M", 6},
                                               {"G", 9},
                                               {"", 0}}};

bool is_unit(std::string_view text, Unit unit) {
  return text == unit_symbol(unit) || (unit == Unit::celsius && text == "C") || (unit == Unit::ohm && text == "ohm") ||
         (unit == Unit::square_metre && text == "m^2");
}

/// Power of ten that the suffix stands for; nothing when it does not fit the unit.
std::optional<int> suffix_exponent(std::string_view suffix, Unit unit) {
  if (suffix.empty() || (unit != Unit::none && is_unit(suffix, unit))) return 0;
  for (const Prefix& prefix : kPrefixes) {
    if (prefix.symbol.empty() || !suffix.starts_with(prefix.symbol)) continue;
    const std::string_view rest = suffix.substr(prefix.symbol.size());
    if (unit == Unit::celsius) return std::nullopt;
    if (rest.empty() && unit != Unit::square_metre) return prefix.exponent;
    if (unit != Unit::none && is_unit(rest, unit))
      return unit == Unit::square_metre ? 2 * prefix.exponent : prefix.exponent;
  }
  return std::nullopt;
}

}  // namespace

std::string_view unit_symbol(Unit unit) {
  switch (unit) {
    case Unit::none:
      return "";
    case Unit::volt:
      return "V";
    case Unit::ampere:
      return "A";
    case Unit::coulomb:
      return "C";
    case Unit::farad:
      return "F";
    case Unit::second:
      return "s";
    case Unit::metre:
      return "m";
    case Unit::square_metre:
      return "m2";
    case Unit::joule:
      return "J";
    case Unit::watt:
      return "W";
    case Unit::ohm:
      return "Ohm";
    case Unit::hertz:
      return "Hz";
    case Unit::celsius:
      return "degC";
    case Unit::henry:
      return "H";
  }
  return "";
}

double parse_quantity(std::string_view text, Unit unit, std::string_view where) {
  const auto refuse = [&](const std::string& why) -> UsageError {
    const std::string expected = unit == Unit::none
                                     ? "a plain number"
                                     : "a number in " + std::string(unit_symbol(unit)) + " (SI prefix allowed)";
    return UsageError(std::string(where) + ": '" + std::string(text) + "' " + why + "; write " + expected);
  };
  std::string_view body = text;
  while (!body.empty() && body.front() == ' ') body.remove_prefix(1);
  while (!body.empty() && body.back() == ' ') body.remove_suffix(1);
  if (body.starts_with('+')) body.remove_prefix(1);
  double number = 0.0;
  const auto [end, status] = std::from_chars(body.data(), body.data() + body.size(), number);
  if (status != std::errc() || !std::isfinite(number)) throw refuse("is not a finite number");
  std::string_view suffix = body.substr(static_cast<std::size_t>(end - body.data()));
  while (!suffix.empty() && suffix.front() == ' ') suffix.remove_prefix(1);
  const auto exponent = suffix_exponent(suffix, unit);
  if (!exponent) throw refuse("has a unit that does not fit");
  if (*exponent == 0) return number;
  // The prefix is joined to the decimal text and converted once: `0.1u` is the double nearest to 1e-7, 0.1 * 1e-6 is
  // not.
  const std::string digits(body.data(), end);
  const std::size_t e = digits.find_first_of("eE");
  const int own_exponent = e == std::string::npos ? 0 : std::atoi(digits.c_str() + e + 1);
  const std::string joined = digits.substr(0, e) + "e" + std::to_string(own_exponent + *exponent);
  std::from_chars(joined.data(), joined.data() + joined.size(), number);
  return number;
}

double parse_share(std::string_view text, std::string_view where) {
  const bool percent = text.ends_with('%');
  const double share =
      parse_quantity(percent ? text.substr(0, text.size() - 1) : text, Unit::none, where) * (percent ? 0.01 : 1.0);
  if (!(share >= 0.0 && share <= 1.0))
    throw UsageError(std::string(where) + ": '" + std::string(text) +
                     "' is not between 0 and 1; write a share such as 0.05 or 5%");
  return share;
}

std::string format_quantity(double value, Unit unit, int significant_digits) {
  static constexpr std::array<std::string_view, 9> kSymbols = {"a", "f", "p", "n", "u", "m", "", "k", "M"};
  int group = 6;
  if (value != 0.0 && std::isfinite(value) && unit != Unit::celsius && unit != Unit::none &&
      unit != Unit::square_metre) {
    group = static_cast<int>(std::floor(std::log10(std::abs(value)) / 3.0 + 1e-12)) + 6;
    group = std::clamp(group, 0, 8);
  }
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%.*g", significant_digits, value / std::pow(1000.0, group - 6));
  std::string text = buffer;
  const std::string symbol = std::string(kSymbols[static_cast<std::size_t>(group)]) + std::string(unit_symbol(unit));
  return symbol.empty() ? text : text + " " + symbol;
}

}  // namespace gaincal
