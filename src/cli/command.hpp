#pragma once

#include <boost/program_options.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gaincal::cli {

namespace po = boost::program_options;

/// One subcommand: a word in the table of main.cpp.
struct Command {
  std::string_view name;
  std::string_view summary;
  int (*run)(const std::vector<std::string>& arguments);
};

/// Parses the arguments of a command; `--help` is added. `positional` names options that take the plain words in turn
/// (the last one takes the rest when it is a vector option).
///
/// Returns nothing when help was asked for and printed.
/// Throws  UsageError for an unknown option, a missing or malformed value
std::optional<po::variables_map> parse_arguments(const std::string& usage, po::options_description options,
                                                 const std::vector<std::string>& positional,
                                                 const std::vector<std::string>& arguments);

/// Throws UsageError naming the option when it was not given.
template <typename T>
T required(const po::variables_map& values, const std::string& name, const std::string& usage);

/// The whole command line as typed, for provenance.
const std::string& command_line();
void set_command_line(int argc, char** argv);

int run_tech(const std::vector<std::string>& arguments);
int run_netlist(const std::vector<std::string>& arguments);
int run_size(const std::vector<std::string>& arguments);
int run_sweep(const std::vector<std::string>& arguments);
int run_fit(const std::vector<std::string>& arguments);
int run_verify(const std::vector<std::string>& arguments);
int run_export(const std::vector<std::string>& arguments);
int run_gpt2(const std::vector<std::string>& arguments);
int run_energy(const std::vector<std::string>& arguments);
int run_report(const std::vector<std::string>& arguments);
int run_flow(const std::vector<std::string>& arguments);

}  // namespace gaincal::cli

#include "core/error.hpp"

template <typename T>
T gaincal::cli::required(const po::variables_map& values, const std::string& name, const std::string& usage) {
  if (values.count(name) == 0) throw UsageError(name + " is missing; usage: " + usage);
  return values[name].as<T>();
}
