#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "gpt2/device_choice.hpp"
#include "gpt2/evaluate.hpp"
#include "store/table.hpp"

namespace gaincal::cli {

/// Options that every `gaincal gpt2` word takes: checkpoint and device; temperature as add_model_options has it.
void add_session_options(po::options_description& options, const std::string& temperature = "temperature");

/// A whole-number option in a range; a sign or a value outside is a UsageError that names it.
std::uint64_t whole_number(const po::variables_map& values, const std::string& name, std::uint64_t smallest,
                           std::uint64_t largest);

/// `--threads`; more than the machine has are allowed with a warning.
unsigned thread_count(const po::variables_map& values);

/// `--device`, several times.
void add_devices_option(po::options_description& options);

/// `--threads`, `--out` and `--force` of a word that evaluates.
void add_output_options(po::options_description& options);

/// `--out` and what stands beside it while the work goes on: the losses of finished windows, from which an interrupted
/// run goes on.
class Output {
 public:
  /// Refuses an `--out` that exists without `--force`, or whose folder is missing: before the work, not after it.
  explicit Output(const po::variables_map& values);

  /// Null without `--out`.
  gpt2::LossJournal* journal() { return journal_ ? &*journal_ : nullptr; }
  /// Writes `--out` where it was given, and ends the journal.
  void write(const store::Dataset& dataset);

 private:
  std::filesystem::path path_;
  std::optional<gpt2::LossJournal> journal_;
};

/// An axis of `count` points numbered from 0.
store::Axis counted_axis(const char* name, std::size_t count, const char* description);
/// A results file without tables.
store::Dataset new_results();

/// A checkpoint with its tokenizer.
struct Session {
  Session(const po::variables_map& values, const std::string& usage, const std::string& temperature = "temperature");

  /// `--device` or another choice, with the device options given.
  gpt2::Device device(const std::string& choice) const { return make_device(choice, model.config(), device_options); }

  /// Every `--device` in order, or softmax: all of them before any work.
  std::vector<gpt2::Device> devices(const po::variables_map& values) const;

  std::filesystem::path folder;
  gpt2::Model model;
  gpt2::Tokenizer tokenizer;
  gpt2::DeviceOptions device_options;
};

/// Tokens of `--text`, cut as `--context`, `--stride` and `--max-windows` say.
struct Text {
  Text(const po::variables_map& values, const Session& session, const std::string& usage);
  std::vector<gpt2::TokenId> tokens;
  std::vector<gpt2::TextWindow> windows;  ///< look into tokens
};
void add_text_options(po::options_description& options);

int run_gpt2_eval(const std::vector<std::string>& arguments);
int run_gpt2_tasks(const std::vector<std::string>& arguments);
int run_gpt2_sweep(const std::vector<std::string>& arguments);
int run_gpt2_generate(const std::vector<std::string>& arguments);
int run_gpt2_adapt(const std::vector<std::string>& arguments);

}  // namespace gaincal::cli
