#pragma once

#include <span>
#include <string>
#include <vector>

#include "gpt2/device_choice.hpp"
#include "gpt2/evaluate.hpp"
#include "gpt2/tasks.hpp"

namespace gaincal::gpt2 {

/// One property of a device that a study varies, and the values that it takes, as words: "3", "1e-3", "5%".
struct Knob {
  std::string name;
  std::vector<std::string> values;
};

/// Knobs and what a study takes where nothing is said: query-bits, weight-bits, output-bits 2..6, leak 0..1e-2 per
/// token, window in tokens (down from n_ctx by halves), mismatch 0..10 %, jitter 0..5 %; of circuits that were fitted
/// elsewhere too: their corners, and the ends of their temperatures.
std::vector<Knob> default_knobs(const std::string& device, const Config& config);

/// `base` with one knob at a value. b bits are 2^b levels; 0 bits: unquantised.
/// Throws UsageError for another name, or a value that the knob cannot take.
DeviceOptions with_knob(DeviceOptions base, const std::string& name, const std::string& value);

struct StudyRow {
  std::string knob, value;        ///< empty: the base
  double number = 0.0;            ///< of the value, SI or degrees Celsius; NaN of a corner and the base
  std::vector<Perplexity> chips;  ///< of one chip after the other; one where chips do not differ
  /// Mean over the chips with the standard error of that mean; of one chip, as the windows have it.
  Estimate perplexity{};
  double spread = 0.0;  ///< standard deviation between chips; NaN of one
  double lowest = 0.0, highest = 0.0;
  /// Of the loss in nat per token, mean over the chips, this - base, on the same windows.
  Estimate difference{};
};

/// Perplexity of a device with one knob turned at a time; the first row is the base.
///
/// The scalers stay as the checkpoint has them: what it costs without adapting again. Where cells or pulses vary, the
/// point is computed on chips 0 .. chips - 1, at once where the windows are fewer than the threads.
/// Throws as make_device
std::vector<StudyRow> run_study(const Model& model, const std::string& device, const DeviceOptions& base,
                                std::span<const Knob> knobs, std::span<const TextWindow> windows, std::size_t chips,
                                const EvaluateOptions& options = {});

}  // namespace gaincal::gpt2
