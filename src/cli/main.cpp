#include <exception>
#include <iostream>
#include <span>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "core/provenance.hpp"

namespace {

using gaincal::ExitCode;
using gaincal::cli::Command;

constexpr Command kCommands[] = {
    {"flow", "run the whole chain from one design file", gaincal::cli::run_flow},
    {"tech", "check a technology: figures of its devices at every corner", gaincal::cli::run_tech},
    {"netlist", "write a circuit as a deck for ngspice", gaincal::cli::run_netlist},
    {"size", "search sizes of cell and converters for a target, with SPICE in the loop", gaincal::cli::run_size},
    {"sweep", "characterise a design with ngspice: dataset.h5", gaincal::cli::run_sweep},
    {"fit", "make a model of a dataset", gaincal::cli::run_fit},
    {"verify", "run transistors and a model on the same operands: cell, column, array, sub-tile",
     gaincal::cli::run_verify},
    {"export", "write a model.h5 in the format of another simulator", gaincal::cli::run_export},
    {"energy", "compare the cost of a run with the paper and GPUs", gaincal::cli::run_energy},
    {"report", "write one HTML page of what a folder holds", gaincal::cli::run_report},
    {"gpt2", "run a GPT-2 on a device: eval, tasks, study, generate, adapt", gaincal::cli::run_gpt2},
};

void print_overview(std::ostream& stream) {
  stream << "gaincal " << gaincal::tool_version()
         << ": analog in-memory attention, from transistors to tokens\n\nusage: gaincal <command> [options]\n\n";
  for (const Command& command : kCommands)
    stream << "  " << command.name << std::string(10 - command.name.size(), ' ') << command.summary << "\n";
  stream << "\n'gaincal <command> --help' lists the options of a command.\n";
}

int dispatch(std::span<char*> words) {
  if (words.size() < 2) {
    print_overview(std::cerr);
    return static_cast<int>(ExitCode::misused);
  }
  const std::string name = words[1];
  if (name == "--help" || name == "-h" || name == "help") {
    print_overview(std::cout);
    return 0;
  }
  if (name == "--version") {
    std::cout << "gaincal " << gaincal::tool_version() << "\n";
    return 0;
  }
  for (const Command& command : kCommands)
    if (command.name == name) return command.run({words.begin() + 2, words.end()});
  throw gaincal::UsageError("no command '" + name + "'; 'gaincal --help' lists the commands");
}

}  // namespace

int main(int argc, char** argv) {
  gaincal::cli::set_command_line(argc, argv);
  try {
    return dispatch({argv, static_cast<std::size_t>(argc)});
  } catch (const gaincal::Error& failure) {
    std::cerr << "gaincal: " << failure.what() << "\n";
    return static_cast<int>(failure.exit_code());
  } catch (const std::exception& failure) {
    std::cerr << "gaincal: " << failure.what() << "\n";
    return static_cast<int>(ExitCode::failed);
  }
}
