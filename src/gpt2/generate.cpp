#include "gpt2/generate.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.hpp"
#include "core/log.hpp"
#include "gpt2/utf8.hpp"

namespace gaincal::gpt2 {
namespace {

constexpr std::uint64_t kSamplingStream = 1;

std::span<const float> logits_of(const Model& model, const Tokenizer& tokenizer, std::span<const float> hidden,
                                 std::vector<float>& scores) {
  project_to_vocab(model.head(), model.config().vocab_size, model.config().n_embd, hidden.data(), 1, scores.data());
  if (!std::all_of(scores.begin(), scores.end(), [](float score) { return std::isfinite(score); }))
    throw Error(model.file().path().string() + ": gives logits that are not finite; download the checkpoint again");
  return std::span<const float>(scores).first(tokenizer.vocab_size());  // rows of padding have no text
}

}  // namespace

TokenId sample_token(std::span<const float> logits, const Sampling& sampling, std::uint64_t index) {
  const auto likelier = [&](TokenId a, TokenId b) {
    const float at_a = logits[static_cast<std::size_t>(a)], at_b = logits[static_cast<std::size_t>(b)];
    return at_a > at_b || (at_a == at_b && a < b);
  };
  std::vector<TokenId> candidates(logits.size());
  std::iota(candidates.begin(), candidates.end(), 0);
  if (sampling.temperature == 0.0) return *std::min_element(candidates.begin(), candidates.end(), likelier);
  if (sampling.top_k > 0 && sampling.top_k < candidates.size()) {
    std::partial_sort(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(sampling.top_k),
                      candidates.end(), likelier);
    candidates.resize(sampling.top_k);
  }
  double top = -INFINITY;
  for (const TokenId id : candidates) top = std::max(top, static_cast<double>(logits[static_cast<std::size_t>(id)]));
  std::vector<double> cumulative(candidates.size());
  double sum = 0.0;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    sum +=
        std::exp((static_cast<double>(logits[static_cast<std::size_t>(candidates[i])]) - top) / sampling.temperature);
    cumulative[i] = sum;
  }
  const double draw = CounterRandom(sampling.seed, kSamplingStream).uniform(index) * sum;
  const auto found = std::upper_bound(cumulative.begin(), cumulative.end(), draw);
  return candidates[std::min(static_cast<std::size_t>(found - cumulative.begin()), candidates.size() - 1)];
}

GenerateReport generate(const Model& model, const Tokenizer& tokenizer, const Device& device,
                        std::span<const TokenId> prompt, const GenerateOptions& options,
                        const std::function<void(std::string_view)>& sink) {
  if (!(options.sampling.temperature >= 0.0) || !std::isfinite(options.sampling.temperature))
    throw UsageError("temperature must be a number of at least 0");
  std::vector<TokenId> start(prompt.begin(), prompt.end());
  if (start.empty() && tokenizer.end_of_text()) start.push_back(*tokenizer.end_of_text());
  if (start.empty()) throw UsageError("the prompt is empty and the vocabulary has no <|endoftext|>; give a prompt");
  const bool ends = options.beyond == BeyondContext::refuse;
  if (ends && start.size() > model.config().n_ctx)
    throw UsageError("the prompt has " + std::to_string(start.size()) + " tokens, the model's context is " +
                     std::to_string(model.config().n_ctx) + "; shorten it or let the window slide");
  GenerateReport report;
  Decoder decoder(model, device, options.beyond);
  attention::Activity* activity = device.analog ? &report.activity : nullptr;
  std::vector<float> scores(model.config().vocab_size);
  Utf8Stream text;
  const double start_s = monotonic_seconds();
  std::span<const float> hidden;
  Matrix states;
  for (std::size_t begin = 0; begin < start.size(); begin += model.config().n_ctx) {
    const std::size_t count = std::min(model.config().n_ctx, start.size() - begin);
    states = decoder.extend(std::span(start).subspan(begin, count), activity);
    hidden = {states.row(states.rows() - 1).data(), model.config().n_embd};
  }
  report.prompt_s = monotonic_seconds() - start_s;
  while (report.tokens.size() < options.tokens) {
    const TokenId next =
        sample_token(logits_of(model, tokenizer, hidden, scores), options.sampling, report.tokens.size());
    if (next == tokenizer.end_of_text()) break;
    report.tokens.push_back(next);
    sink(text.push(tokenizer.token_bytes(next)));
    if (report.tokens.size() == options.tokens) break;
    if (ends && decoder.tokens() == model.config().n_ctx) {
      report.context_full = true;
      break;
    }
    hidden = decoder.step(next, activity);
  }
  sink(text.finish());
  report.decode_s = monotonic_seconds() - start_s - report.prompt_s;
  return report;
}

}  // namespace gaincal::gpt2
