#include "cli/model_choice.hpp"

#include <charconv>

#include "core/units.hpp"

namespace gaincal::cli {
namespace {

std::uint64_t chip_number(const std::string& text) {
  std::uint64_t number = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc() || end != text.data() + text.size())
    throw UsageError("--chip: '" + text + "' is no chip number; write a whole number from 0");
  return number;
}

}  // namespace

void add_model_options(po::options_description& options, const std::string& temperature) {
  auto add = options.add_options();
  add("corner", po::value<std::string>(), "process corner of the circuit, as fitted; default: nominal");
  add(temperature.c_str(), po::value<std::string>(), "of the circuit, e.g. 85C; interpolated; default: nominal");
  add("supply", po::value<std::string>(), "of the circuit, e.g. 0.85V; interpolated; default: nominal");
  add("chip", po::value<std::string>(), "number of the chip whose mismatch is drawn; default: no mismatch");
  add("strict", "refuse what lies outside the fitted range instead of clamping and counting it");
}

device::ModelChoice model_choice(const po::variables_map& values, const std::string& temperature) {
  device::ModelChoice choice;
  const auto text = [&](const std::string& name) { return values[name].as<std::string>(); };
  if (values.count("corner") > 0) choice.corner = text("corner");
  if (values.count(temperature) > 0)
    choice.temperature_C = parse_quantity(text(temperature), Unit::celsius, "--" + temperature);
  if (values.count("supply") > 0) choice.supply_V = parse_quantity(text("supply"), Unit::volt, "--supply");
  if (values.count("chip") > 0) choice.chip = chip_number(text("chip"));
  choice.strict = values.count("strict") > 0;
  return choice;
}

}  // namespace gaincal::cli
