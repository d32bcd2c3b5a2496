#include "device/conditions.hpp"

#include <algorithm>
#include <charconv>
#include <sstream>

#include "core/error.hpp"
#include "device/blend.hpp"

namespace gaincal::device {
namespace {

std::string temperature_text(double temperature_C) {
  std::ostringstream text;
  text << temperature_C << " degC";
  return text.str();
}

std::string supply_text(double supply_V) {
  std::ostringstream text;
  text << supply_V << " V";
  return text.str();
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::optional<std::uint64_t> chip_number(const std::string& word) {
  constexpr std::string_view kChip = "chip";
  std::uint64_t number = 0;
  const char *begin = word.data() + std::min(kChip.size(), word.size()), *end = word.data() + word.size();
  const auto [rest, status] = std::from_chars(begin, end, number);
  if (!word.starts_with(kChip) || status != std::errc() || rest != end) return std::nullopt;
  return number;
}

bool is_number_with(const std::string& word, char unit) {
  return word.size() > 1 && word.back() == unit && word.find_first_of("0123456789") <= 2;
}

bool holds_mismatch(const MismatchModel& m) {
  return m.cell_gain_sigma > 0 || m.cell_offset_sigma_A > 0 || m.score_offset_sigma_C > 0 ||
         m.output_offset_sigma_C > 0;
}

CircuitModel at_condition(const CircuitModel& nominal, const ConditionSet& set, const ModelChoice& choice,
                          RangeGuard& guard) {
  const std::string corner = choice.corner.value_or(set.nominal.corner);
  const double temperature_C = choice.temperature_C.value_or(set.nominal.temperature_C);
  const double supply_V = choice.supply_V.value_or(set.nominal.supply_V);
  const bool known = !set.nominal.corner.empty();
  if (known && corner == set.nominal.corner && temperature_C == set.nominal.temperature_C &&
      supply_V == set.nominal.supply_V)
    return nominal;
  if (set.models.empty())
    throw Error("holds one condition" + (known ? ", " + condition_text(set.nominal) : std::string()) +
                "; sweep the design with --corners, --temperatures, --supplies and fit again");
  const auto found = std::find(set.corners.begin(), set.corners.end(), corner);
  if (found == set.corners.end()) throw Error("no corner '" + corner + "'; there are " + joined(set.corners));
  const auto c = static_cast<std::size_t>(found - set.corners.begin());
  const auto weights = [&](const char* quantity, Unit unit, const std::vector<double>& points, double x) {
    return interpolation_weights(points, guard.inside(quantity, unit, x, points.front(), points.back()));
  };
  const auto temperatures = weights("temperature", Unit::celsius, set.temperatures_C, temperature_C);
  const auto supplies = weights("supply", Unit::volt, set.supplies_V, supply_V);
  std::vector<Share> shares;
  for (const auto& [t, of_temperature] : temperatures)
    for (const auto& [s, of_supply] : supplies)
      shares.push_back({of_temperature * of_supply, &set.models[set.index(c, t, s)]});
  return blend(shares);
}

}  // namespace

std::string condition_text(const Condition& condition) {
  return "corner " + condition.corner + ", " + temperature_text(condition.temperature_C) + ", " +
         supply_text(condition.supply_V);
}

ModelChoice parse_model_choice(const std::string& words, const std::string& where, ModelChoice choice) {
  ModelChoice given;
  std::istringstream stream(words);
  for (std::string word; std::getline(stream, word, ',');) {
    const auto set = [&](auto& place, auto value) {
      if (place) throw UsageError(where + ": '" + word + "' is the second of its kind; give one");
      place = value;
    };
    if (const auto chip = chip_number(word))
      set(given.chip, *chip);
    else if (is_number_with(word, 'C'))
      set(given.temperature_C, parse_quantity(word, Unit::celsius, where));
    else if (is_number_with(word, 'V'))
      set(given.supply_V, parse_quantity(word, Unit::volt, where));
    else if (word.empty())
      throw UsageError(where + ": an empty word; write corner, temperature, supply and chip as in ss,85C,0.85V,chip7");
    else
      set(given.corner, word);
  }
  if (given.corner) choice.corner = given.corner;
  if (given.temperature_C) choice.temperature_C = given.temperature_C;
  if (given.supply_V) choice.supply_V = given.supply_V;
  if (given.chip) choice.chip = given.chip;
  return choice;
}

std::string choice_text(const ModelChoice& choice) {
  std::vector<std::string> words;
  if (choice.corner) words.push_back("corner " + *choice.corner);
  if (choice.temperature_C) words.push_back(temperature_text(*choice.temperature_C));
  if (choice.supply_V) words.push_back(supply_text(*choice.supply_V));
  if (choice.chip) words.push_back("chip " + std::to_string(*choice.chip));
  return joined(words);
}

CircuitModel instance_of(const CircuitModel& nominal, const ConditionSet& conditions, const ModelChoice& choice,
                         RangeGuard& guard) {
  if (choice.chip && !holds_mismatch(nominal.mismatch))
    throw Error("holds no mismatch to draw chip " + std::to_string(*choice.chip) +
                " from; sweep the design with --mismatch-samples and fit again");
  CircuitModel model = choice.is_nominal() ? nominal : at_condition(nominal, conditions, choice, guard);
  model.mismatch = choice.chip ? nominal.mismatch : MismatchModel{};
  return model;
}

}  // namespace gaincal::device
