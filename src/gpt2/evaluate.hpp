#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gpt2/journal.hpp"
#include "gpt2/transformer.hpp"
#include "gpt2/window_loss.hpp"

namespace gaincal::gpt2 {

/// A stretch of text for one pass: all tokens but the last go in, each position predicts the token after it.
struct TextWindow {
  std::span<const TokenId> tokens;
  std::size_t first_counted = 0;  ///< positions before this one are context only
  std::uint64_t sequence = 0;     ///< below 2^20; another number meets another jitter, wherever the window is evaluated
};

/// Cuts a text into windows of `window` inputs that start every `stride` tokens, so that each token but the first is
/// predicted and counted once. stride = window: no overlap, each window starts without context. A smaller stride gives
/// each counted token at least window - stride tokens of context. The last window may be shorter.
///
/// Throws UsageError when there are fewer than two tokens, or stride is not in 1..window.
std::vector<TextWindow> split_text(std::span<const TokenId> tokens, std::size_t window, std::size_t stride);

/// A number with its standard error, NaN where it does not apply.
struct Estimate {
  double value, standard_error;
};

struct Perplexity {
  std::vector<WindowLoss> windows;
  double mean_nll = 0.0;         ///< nat per token
  double perplexity = 0.0;       ///< exp(mean_nll)
  double standard_error = 0.0;   ///< of the perplexity, from the spread between windows; NaN with one window
  attention::Activity activity;  ///< summed in the order of windows; empty for softmax or where not counted
  double seconds = 0.0;
};

struct EvaluateOptions {
  unsigned threads = 1;
  std::string progress;  ///< label of a progress line; empty: none
  /// Called on the window's thread with its index: write to the window's own place only.
  std::function<void(std::size_t window, const HeadSignals&)> on_head = {};
  bool count_activity = true;  ///< count what happened in the arrays; up to a tenth of the time
  /// Finished windows are taken from here and written here, under `part`; where it is set, nothing is counted.
  LossJournal* journal = nullptr;
  std::string part = {};
  /// Set: the activity also keeps the energy of each token and head.
  std::shared_ptr<const attention::EventPrices> prices = {};
};

/// Runs every window on the device, windows in parallel. The same bits for any number of threads.
Perplexity evaluate_perplexity(const Model& model, const Device& device, std::span<const TextWindow> windows,
                               const EvaluateOptions& options = {});

/// The windows of each group begin with the same tokens, which are computed once: the choices of a question. Groups in
/// parallel; the losses of each group's windows, the same bits for any number of threads.
std::vector<std::vector<WindowLoss>> evaluate_groups(const Model& model, const Device& device,
                                                     std::span<const std::vector<TextWindow>> groups,
                                                     const EvaluateOptions& options = {});

/// Runs a text of any length as one stream, the window sliding, nothing forgotten but what leaves it. It is computed in
/// parts of n_ctx tokens, whose losses give the standard error. A journal helps a stream that was computed to its end;
/// a part cannot begin without those before it.
///
/// beyond  position embedding of tokens past the context; refuse: Error there
/// Throws  as evaluate_perplexity and Decoder
Perplexity evaluate_sliding(const Model& model, const Device& device, std::span<const TokenId> tokens,
                            BeyondContext beyond, const EvaluateOptions& options = {});

/// Joins windows into mean, perplexity and standard error.
///
/// The standard error is that of a ratio of sums over windows, n/(n-1) sum_w (N_w - m T_w)^2 / (sum_w T_w)^2 for the
/// mean m of window losses N_w over T_w tokens, times the perplexity.
void summarise(Perplexity& result);

/// Loss of a - that of b in nat per token, on the same windows: what both find hard cancels out of the standard error,
/// which is that of a ratio of sums as above. Throws Error when the windows are not of the same lengths.
Estimate loss_difference(std::span<const WindowLoss> a, std::span<const WindowLoss> b);

}  // namespace gaincal::gpt2
