#include "gpt2/evaluate.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <optional>
#include <thread>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/parallel.hpp"

namespace gaincal::gpt2 {
namespace {

// Logits exist in blocks of this size, per thread: 2 MiB. The vocabulary goes outermost, so that the product reads (and
// packs) each part of the embedding once a window, not once a block of rows.
constexpr std::size_t kLogitRows = 512, kLogitTokens = 1024;

WindowLoss window_loss(const Model& model, const Matrix& hidden, const TextWindow& window) {
  const std::size_t inputs = window.tokens.size() - 1, vocab = model.config().vocab_size, C = model.config().n_embd;
  const std::size_t counted = inputs - window.first_counted;
  std::vector<float> scores(std::min(kLogitRows, counted) * std::min(kLogitTokens, vocab));
  std::vector<float> target_score(counted), top(counted, -std::numeric_limits<float>::infinity());
  std::vector<std::vector<double>> parts(counted);  // log sum of exponentials of each block
  for (std::size_t first = 0; first < vocab; first += kLogitTokens) {
    const std::size_t columns = std::min(kLogitTokens, vocab - first);
    for (std::size_t begin = 0; begin < counted; begin += kLogitRows) {
      const std::size_t rows = std::min(kLogitRows, counted - begin);
      project_to_vocab(model.head() + first * C, columns, C, hidden.data() + (window.first_counted + begin) * C, rows,
                       scores.data());
      for (std::size_t row = 0; row < rows; ++row) {
        const float* score = scores.data() + row * columns;
        const auto target = static_cast<std::size_t>(window.tokens[window.first_counted + begin + row + 1]);
        float most = 0.0f;
        parts[begin + row].push_back(log_sum_exp(score, columns, &most));
        top[begin + row] = std::max(top[begin + row], most);
        if (target >= first && target < first + columns) target_score[begin + row] = score[target - first];
      }
    }
  }
  WindowLoss loss;
  for (std::size_t t = 0; t < counted; ++t) {
    const double largest = *std::max_element(parts[t].begin(), parts[t].end());
    double sum = 0.0;
    for (const double part : parts[t]) sum += std::exp(part - largest);
    loss.nll += largest + std::log(sum) - static_cast<double>(target_score[t]);
    loss.likeliest += target_score[t] >= top[t] ? 1 : 0;
  }
  loss.tokens = counted;
  return loss;
}

void check_targets(const Model& model, std::span<const TokenId> tokens) {
  for (const TokenId target : tokens.subspan(tokens.empty() ? 0 : 1))
    if (target < 0 || static_cast<std::size_t>(target) >= model.config().vocab_size)
      throw Error("token " + std::to_string(target) + " is outside the model's vocabulary of " +
                  std::to_string(model.config().vocab_size) + "; use the tokenizer of the same checkpoint");
}

/// The loss of a window as an earlier run found it, or computed and noted.
template <class Compute>
WindowLoss from_journal(const EvaluateOptions& options, std::size_t window, const Compute& compute) {
  if (options.journal == nullptr) return compute();
  if (const auto known = options.journal->find(options.part, window)) return *known;
  const WindowLoss loss = compute();
  options.journal->add(options.part, window, loss);
  return loss;
}

/// Calls body(i) for each i on the threads, with a progress line.
void for_each(std::size_t count, const EvaluateOptions& options, const std::function<void(std::size_t)>& body) {
  std::optional<Progress> progress;
  if (!options.progress.empty()) progress.emplace(options.progress, count);
  std::atomic<std::size_t> done{0};
  const auto driver = std::this_thread::get_id();
  parallel_for(count, options.threads, [&](std::size_t i) {
    body(i);
    const std::size_t finished = ++done;
    if (progress && std::this_thread::get_id() == driver) progress->report(finished);
  });
  if (progress) progress->report(count);
}

/// Tokens that all windows of a group go in with; of each window at most what goes in.
std::size_t common_prefix(const std::vector<TextWindow>& group) {
  std::size_t length = group.front().tokens.size() - 1;
  for (const TextWindow& window : group) {
    length = std::min(length, window.tokens.size() - 1);
    const auto [end, ignored] =
        std::mismatch(window.tokens.begin(), window.tokens.begin() + static_cast<std::ptrdiff_t>(length),
                      group.front().tokens.begin());
    length = static_cast<std::size_t>(end - window.tokens.begin());
  }
  return length;
}

std::vector<WindowLoss> group_losses(const Model& model, const Device& device, const std::vector<TextWindow>& group) {
  const std::size_t shared = common_prefix(group);
  std::vector<std::span<const TokenId>> branches;
  for (const TextWindow& window : group)
    branches.push_back(window.tokens.subspan(shared, window.tokens.size() - 1 - shared));
  const Matrix hidden =
      hidden_states(model, device, group.front().tokens.first(shared), branches, group.front().sequence);
  std::vector<WindowLoss> losses;
  std::size_t branch_begin = shared;
  for (std::size_t b = 0; b < group.size(); ++b) {
    const TextWindow& window = group[b];
    const std::size_t inputs = window.tokens.size() - 1;
    Matrix counted(static_cast<Eigen::Index>(inputs - window.first_counted), hidden.cols());
    for (std::size_t t = window.first_counted; t < inputs; ++t)
      counted.row(static_cast<Eigen::Index>(t - window.first_counted)) =
          hidden.row(static_cast<Eigen::Index>(t < shared ? t : branch_begin + t - shared));
    losses.push_back(window_loss(model, counted, {window.tokens.subspan(window.first_counted), 0}));
    branch_begin += branches[b].size();
  }
  return losses;
}

Estimate loss_per_token(std::span<const WindowLoss> windows) {
  double nll = 0.0, tokens = 0.0, squares = 0.0;
  for (const WindowLoss& window : windows) {
    nll += window.nll;
    tokens += static_cast<double>(window.tokens);
  }
  const double mean = nll / tokens;
  for (const WindowLoss& window : windows) {
    const double residual = window.nll - mean * static_cast<double>(window.tokens);
    squares += residual * residual;
  }
  const auto n = static_cast<double>(windows.size());
  return {mean, n > 1 ? std::sqrt(n / (n - 1) * squares) / tokens : std::numeric_limits<double>::quiet_NaN()};
}

void finish(const Model& model, double start_s, Perplexity& result) {
  summarise(result);
  if (!std::isfinite(result.mean_nll))
    throw Error(model.file().path().string() + ": gives logits that are not finite; download the checkpoint again");
  result.seconds = monotonic_seconds() - start_s;
}

}  // namespace

std::vector<TextWindow> split_text(std::span<const TokenId> tokens, std::size_t window, std::size_t stride) {
  if (tokens.size() < 2)
    throw UsageError("the text has " + std::to_string(tokens.size()) +
                     " tokens, nothing can be predicted; give a longer text");
  if (stride == 0 || stride > window)
    throw UsageError("stride " + std::to_string(stride) + " does not fit a window of " + std::to_string(window) +
                     "; choose 1 to " + std::to_string(window));
  std::vector<TextWindow> windows;
  const std::size_t inputs = tokens.size() - 1;
  std::size_t counted = 0;
  for (std::size_t begin = 0; counted < inputs; begin += stride) {
    const std::size_t end = std::min(begin + window, inputs);
    windows.push_back({tokens.subspan(begin, end - begin + 1), counted - begin, windows.size()});
    counted = end;
  }
  return windows;
}

void summarise(Perplexity& result) {
  const Estimate mean = loss_per_token(result.windows);
  result.mean_nll = mean.value;
  result.perplexity = std::exp(mean.value);
  result.standard_error = result.perplexity * mean.standard_error;
}

Estimate loss_difference(std::span<const WindowLoss> a, std::span<const WindowLoss> b) {
  const auto same_length = [](const WindowLoss& x, const WindowLoss& y) { return x.tokens == y.tokens; };
  if (!std::equal(a.begin(), a.end(), b.begin(), b.end(), same_length))
    throw Error("loss difference: of other windows; compare runs of the same text");
  std::vector<WindowLoss> difference(a.begin(), a.end());
  for (std::size_t w = 0; w < difference.size(); ++w) difference[w].nll -= b[w].nll;
  return loss_per_token(difference);
}

Perplexity evaluate_perplexity(const Model& model, const Device& device, std::span<const TextWindow> windows,
                               const EvaluateOptions& options) {
  const double start_s = monotonic_seconds();
  Perplexity result;
  result.windows.resize(windows.size());
  std::vector<attention::Activity> activity(windows.size());
  for (const TextWindow& window : windows) check_targets(model, window.tokens);
  const bool count = device.analog && options.count_activity && options.journal == nullptr;
  for_each(windows.size(), options, [&](std::size_t w) {
    result.windows[w] = from_journal(options, w, [&] {
      Witness witness;
      witness.sequence = windows[w].sequence;
      if (options.on_head) witness.on_head = [&](const HeadSignals& signals) { options.on_head(w, signals); };
      if (count) witness.activity = &activity[w];
      activity[w].prices = options.prices;
      const TextWindow& window = windows[w];
      return window_loss(model, hidden_states(model, device, window.tokens.first(window.tokens.size() - 1), witness),
                         window);
    });
  });
  for (const attention::Activity& part : activity) result.activity.add(part);
  finish(model, start_s, result);
  return result;
}

std::vector<std::vector<WindowLoss>> evaluate_groups(const Model& model, const Device& device,
                                                     std::span<const std::vector<TextWindow>> groups,
                                                     const EvaluateOptions& options) {
  std::vector<std::size_t> first(groups.size() + 1, 0);  // number of each group's first window, for the journal
  for (std::size_t g = 0; g < groups.size(); ++g) {
    first[g + 1] = first[g] + groups[g].size();
    for (const TextWindow& window : groups[g]) check_targets(model, window.tokens);
  }
  std::vector<std::vector<WindowLoss>> losses(groups.size());
  for_each(groups.size(), options, [&](std::size_t g) {
    for (std::size_t w = first[g]; options.journal != nullptr && w < first[g + 1]; ++w)
      if (const auto known = options.journal->find(options.part, w)) losses[g].push_back(*known);
    if (losses[g].size() == groups[g].size()) return;
    losses[g] = group_losses(model, device, groups[g]);
    for (std::size_t w = first[g]; options.journal != nullptr && w < first[g + 1]; ++w)
      options.journal->add(options.part, w, losses[g][w - first[g]]);
  });
  return losses;
}

Perplexity evaluate_sliding(const Model& model, const Device& device, std::span<const TokenId> tokens,
                            BeyondContext beyond, const EvaluateOptions& options) {
  const double start_s = monotonic_seconds();
  const auto parts = split_text(tokens, model.config().n_ctx, model.config().n_ctx);
  check_targets(model, tokens);
  Perplexity result;
  std::optional<Progress> progress;
  if (!options.progress.empty()) progress.emplace(options.progress, parts.size());
  const bool count = device.analog && options.count_activity && options.journal == nullptr;
  Decoder decoder(model, device, beyond);
  const bool finished = options.journal != nullptr && options.journal->find(options.part, parts.size() - 1);
  for (std::size_t p = 0; p < parts.size(); ++p) {
    const auto inputs = parts[p].tokens.first(parts[p].tokens.size() - 1);
    const Matrix hidden = finished ? Matrix() : decoder.extend(inputs, count ? &result.activity : nullptr);
    result.windows.push_back(from_journal(options, p, [&] { return window_loss(model, hidden, parts[p]); }));
    if (progress) progress->report(p + 1);
  }
  finish(model, start_s, result);
  return result;
}

}  // namespace gaincal::gpt2
