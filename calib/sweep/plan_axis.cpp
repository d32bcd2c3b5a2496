#include "sweep/plan_axis.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

#include "core/error.hpp"

namespace gaincal::sweep {
namespace {

constexpr std::size_t kMaxAxis = 100'000'000;
// Rounding of a quotient of decimal numbers, far below a step that is really wrong.
constexpr double kStepTolerance = 1e-6;

// Symbols that end in the symbol of another unit stand before it.
constexpr std::array kUnits = {Unit::celsius, Unit::ohm,    Unit::hertz, Unit::volt, Unit::ampere, Unit::coulomb,
                               Unit::farad,   Unit::second, Unit::joule, Unit::watt, Unit::henry,  Unit::metre};

Unit unit_named(const std::string& symbol, const std::string& where) {
  if (symbol.empty() || symbol == "1") return Unit::none;
  for (const Unit unit : kUnits)
    if (symbol == unit_symbol(unit)) return unit;
  std::string list = "1";
  for (const Unit unit : kUnits) list += ", " + std::string(unit_symbol(unit));
  throw UsageError(where + ": '" + symbol + "' is no unit; choose one of " + list);
}

std::string one_word(netlist::SettingsTable& table, const std::string& key) {
  const std::vector<std::string> words = table.words(key);
  if (words.size() != 1) throw UsageError(table.where(key) + ": is a list; write one value");
  return words.front();
}

std::vector<double> equal_steps(double from, double to, std::size_t points) {
  std::vector<double> values(points);
  for (std::size_t i = 0; i < points; ++i)
    values[i] = i + 1 == points ? to : from + (to - from) * static_cast<double>(i) / static_cast<double>(points - 1);
  return values;
}

std::vector<double> equal_ratios(double from, double to, std::size_t points, const std::string& where) {
  if (!(from * to > 0)) throw UsageError(where + ": a log scale needs from and to of one sign; move them off zero");
  std::vector<double> values(points);
  for (std::size_t i = 0; i < points; ++i) {
    const double t = static_cast<double>(i) / static_cast<double>(points - 1);
    values[i] = i == 0 ? from : i + 1 == points ? to : from * std::pow(to / from, t);
  }
  return values;
}

std::vector<double> from_step(double from, double to, double step, const std::string& where) {
  if (!(step != 0.0) || (to - from) * step < 0)
    throw UsageError(where + ": a step of " + number_text(step) + " never reaches " + number_text(to) +
                     "; give it the sign of to - from");
  const double steps = (to - from) / step;
  const double whole = std::round(steps);
  if (std::abs(steps - whole) > kStepTolerance)
    throw UsageError(where + ": steps of " + number_text(step) + " from " + number_text(from) + " do not reach " +
                     number_text(to) + "; end at " + format_quantity(from + std::floor(steps) * step, Unit::none, 9) +
                     " or give points");
  if (whole >= static_cast<double>(kMaxAxis)) throw UsageError(where + ": more than 1e8 values; widen the step");
  return whole == 0 ? std::vector<double>{from} : equal_steps(from, to, static_cast<std::size_t>(whole) + 1);
}

}  // namespace

std::string joined(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) text += part;
  return text;
}

std::string lower_case(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

std::string number_text(double value) {
  char buffer[40];
  const auto [end, status] = std::to_chars(buffer, buffer + sizeof buffer, value);
  return {buffer, end};
}

Unit unit_of(std::string_view text) {
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  std::size_t begin = text.size();
  while (begin > 0) {
    const unsigned char c = static_cast<unsigned char>(text[begin - 1]);
    if (std::isdigit(c) != 0 || c == '.' || c == ' ') break;
    --begin;
  }
  const std::string_view suffix = text.substr(begin);
  if (suffix.empty() || suffix == "m") return Unit::none;
  for (const Unit unit : kUnits) {
    const std::string_view symbol = unit_symbol(unit);
    if (suffix.ends_with(symbol)) return unit;
  }
  return Unit::none;
}

double plan_number(const std::string& text, const std::string& symbol, const std::string& where) {
  return parse_quantity(text, unit_named(symbol, where), where);
}

double any_quantity(netlist::SettingsTable& table, const std::string& key) {
  const std::string word = one_word(table, key);
  return parse_quantity(word, unit_of(word), table.where(key));
}

std::vector<double> grid_values(netlist::SettingsTable& table, std::string& symbol, bool allow_list) {
  const auto read = [&](const std::string& text, const std::string& key) {
    if (symbol.empty() && unit_of(text) != Unit::none) symbol = unit_symbol(unit_of(text));
    return plan_number(text, symbol, table.where(key));
  };
  if (table.has("unit")) {
    symbol = table.text("unit");
    unit_named(symbol, table.where("unit"));
  }
  std::vector<double> values;
  if (allow_list && table.has("values")) {
    if (table.has("from")) throw UsageError(table.where("from") + ": beside values; keep one of them");
    for (const std::string& word : table.words("values")) values.push_back(read(word, "values"));
    if (values.empty()) throw UsageError(table.where("values") + ": is empty; give at least one value");
  } else {
    const std::string from_word = one_word(table, "from"), to_word = one_word(table, "to");
    // A plain zero says nothing about the unit, so both ends are looked at before either is read.
    for (const std::string& word : {from_word, to_word})
      if (symbol.empty() && unit_of(word) != Unit::none) symbol = unit_symbol(unit_of(word));
    const double from = read(from_word, "from"), to = read(to_word, "to");
    const bool log = table.has("scale") && table.choice("scale", {"linear", "log"}) == "log";
    if (table.has("step") && table.has("points"))
      throw UsageError(table.where("step") + ": beside points; keep one of them");
    if (table.has("step")) {
      if (log) throw UsageError(table.where("step") + ": a log scale has no step; give points");
      values = from_step(from, to, read(one_word(table, "step"), "step"), table.where("step"));
    } else {
      const std::size_t points = table.count("points", 1, kMaxAxis);
      if (points == 1 && from != to)
        throw UsageError(table.where("points") + ": one point cannot reach from " + from_word + " to " + to_word +
                         "; give 2 or more");
      values = points == 1 ? std::vector<double>{from}
               : log       ? equal_ratios(from, to, points, table.where("scale"))
                           : equal_steps(from, to, points);
    }
  }
  if (symbol.empty()) symbol = "1";
  return values;
}

PlanAxis parse_axis(netlist::SettingsTable table) {
  PlanAxis axis;
  axis.name = table.text("name");
  axis.where = table.where("name");
  axis.operand.name = lower_case(axis.name);
  const auto take = [&](const char* key, Operand::Kind kind) {
    if (!table.has(key)) return;
    if (axis.operand.kind != Operand::Kind::unresolved)
      throw UsageError(table.where(key) + ": the axis has a target already; keep one of parameter, source, instance");
    axis.operand = {kind, lower_case(table.text(key)), {}};
    axis.where = table.where(key);
  };
  take("parameter", Operand::Kind::parameter);
  take("source", Operand::Kind::source);
  take("instance", Operand::Kind::instance);
  if (table.has("zip")) axis.zip = table.text("zip");
  axis.values = grid_values(table, axis.unit);
  table.finish();
  return axis;
}

}  // namespace gaincal::sweep
