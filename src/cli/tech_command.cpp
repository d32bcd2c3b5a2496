#include <filesystem>
#include <iostream>

#include "cli/command.hpp"
#include "core/log.hpp"
#include "core/units.hpp"
#include "sweep/technology_check.hpp"

namespace gaincal::cli {
namespace {

constexpr const char* kUsage = "gaincal tech check FILE|NAME [--temperature 27C] [--workers N]";

}  // namespace

int run_tech(const std::vector<std::string>& arguments) {
  po::options_description options("options");
  options.add_options()("action", po::value<std::string>(), "check: figures of every device at every corner")(
      "file", po::value<std::string>(), "technology: a TOML file, or the name of a built-in one")(
      "temperature", po::value<std::string>()->default_value("27C"), "of the devices")(
      "workers", po::value<unsigned>()->default_value(0), "worker processes (0: one per core)");
  const auto values = parse_arguments(kUsage, options, {"action", "file"}, arguments);
  if (!values) return 0;
  const std::string action = required<std::string>(*values, "action", kUsage);
  if (action != "check") throw UsageError("tech: no action '" + action + "'; usage: " + kUsage);
  const std::string file = required<std::string>(*values, "file", kUsage);
  const double temperature_C =
      parse_quantity((*values)["temperature"].as<std::string>(), Unit::celsius, "--temperature");
  const netlist::Technology technology = netlist::load_technology(file);
  if (!technology.osdi.empty())
    log_warning("technology " + technology.name + " needs OSDI (" +
                std::filesystem::path(technology.osdi.front()).filename().string() +
                "), which Debian's ngspice is built without: its devices run only in an ngspice with it");
  const sweep::TechnologyCheck check =
      sweep::check_technology(technology, temperature_C, (*values)["workers"].as<unsigned>());
  sweep::print_technology_check(std::cout, check);
  if (check.passed()) return 0;
  return static_cast<int>(check.simulated() ? ExitCode::outside_limit : ExitCode::failed);
}

}  // namespace gaincal::cli
