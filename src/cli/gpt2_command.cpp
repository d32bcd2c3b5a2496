#include <iostream>

#include "cli/gpt2_session.hpp"

namespace gaincal::cli {
namespace {

constexpr Command kWords[] = {
    {"eval", "perplexity of a text on one or several devices", run_gpt2_eval},
    {"tasks", "benchmarks on one or several devices", run_gpt2_tasks},
    {"sweep", "what each property of a device costs", run_gpt2_sweep},
    {"generate", "continue a prompt", run_gpt2_generate},
    {"adapt", "fit the scalers of a checkpoint to a device", run_gpt2_adapt},
};

void print_words(std::ostream& stream) {
  stream << "usage: gaincal gpt2 <word> [options]\n\n";
  for (const Command& word : kWords)
    stream << "  " << word.name << std::string(10 - word.name.size(), ' ') << word.summary << "\n";
  stream << "\n'gaincal gpt2 <word> --help' lists the options of a word.\n";
}

}  // namespace

int run_gpt2(const std::vector<std::string>& arguments) {
  if (arguments.empty()) {
    print_words(std::cerr);
    return static_cast<int>(ExitCode::misused);
  }
  if (arguments[0] == "--help" || arguments[0] == "-h") {
    print_words(std::cout);
    return 0;
  }
  for (const Command& word : kWords)
    if (word.name == arguments[0]) return word.run({arguments.begin() + 1, arguments.end()});
  throw UsageError("no word '" + arguments[0] + "'; choose gpt2 eval, tasks, sweep, generate or adapt");
}

}  // namespace gaincal::cli
