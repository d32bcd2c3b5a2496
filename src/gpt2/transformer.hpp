#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "attention/activity.hpp"
#include "attention/attend.hpp"
#include "gpt2/model.hpp"

namespace gaincal::gpt2 {

/// What computes the attention: software softmax, or gain-cell arrays.
struct Device {
  std::string name = "softmax";
  std::optional<attention::AnalogDevice> analog;  ///< nothing: softmax
  /// Layer * n_head + head of the chip; empty where its cells are alike.
  std::vector<attention::HeadVariation> heads = {};
  attention::KernelVersion kernel = attention::KernelVersion::automatic;

  attention::Instance instance(std::size_t index, std::uint64_t sequence) const {
    return {heads.empty() ? nullptr : &heads[index], sequence};
  }
};

/// One head of one layer after its attention: q, k, v before the scalers, out as it enters the output projection. (T,
/// D)
struct HeadSignals {
  std::size_t layer, head;
  ConstView q, k, v, out;
};

/// Who looks on, or counts, during a forward pass. Called on the thread of the pass, heads in order.
struct Witness {
  std::function<void(const HeadSignals&)> on_head;
  attention::Activity* activity = nullptr;  ///< analog devices only
  std::uint64_t sequence = 0;               ///< whose jitter the converters have
};

/// The blocks and the final norm over a whole sequence: (T, C), one row a token. Runs on the calling thread.
///
/// Throws Error when there is no token, more than n_ctx, or one outside the vocabulary.
Matrix hidden_states(const Model& model, const Device& device, std::span<const TokenId> tokens,
                     const Witness& witness = {});

/// The same of a prefix and of branches that each continue it alone: the rows of the prefix, then those of each branch.
/// What the branches have in common is computed once; the rows are those of prefix + branch up to rounding.
Matrix hidden_states(const Model& model, const Device& device, std::span<const TokenId> prefix,
                     std::span<const std::span<const TokenId>> branches, std::uint64_t sequence);

/// Logits of some rows of the hidden states: (rows, vocab_size).
Matrix logits(const Model& model, Eigen::Ref<const Matrix> hidden_rows);

/// Position embedding of tokens beyond the model's context; the attention sees the newest n_ctx tokens (softmax) or the
/// device's window.
enum class BeyondContext {
  refuse,  ///< a sequence ends with the context
  hold,    ///< every later token has the last position
  wrap,    ///< position t mod n_ctx: that of the column which a ring of n_ctx tokens overwrites
};

/// "stop", "hold" or "wrap". Throws UsageError for another word; `where` begins the message.
BeyondContext beyond_context(const std::string& word, const std::string& where);

/// The signals of a pass over T tokens, a row each, in one layer after the other.
struct Pass {
  Pass(const Config& config, std::size_t T);

  Matrix x;  ///< (T, C) the residual stream
  Matrix normed, qkv, attended, projected, inner;
};

/// One sequence, token by token, with what attention must remember: keys and values for softmax, written levels for
/// arrays. Gives the rows of `hidden_states` up to rounding.
class Decoder {
 public:
  /// `model` and `device` must outlive it. Throws UsageError for a device without quantisation.
  Decoder(const Model& model, const Device& device, BeyondContext beyond = BeyondContext::refuse);

  /// Takes the next token; returns its final hidden state (C). Memory and time do not grow beyond the context.
  ///
  /// Throws UsageError beyond n_ctx where that is refused.
  std::span<const float> step(TokenId token, attention::Activity* activity = nullptr);

  /// Takes several tokens at once, a prompt or a piece of a long text, with products of matrices where `step` has those
  /// of vectors; returns their final hidden states (T, C), those of the first piece `hidden_states` to the last bit.
  /// Working memory grows with T.
  ///
  /// Throws as step.
  Matrix extend(std::span<const TokenId> tokens, attention::Activity* activity = nullptr);

  std::size_t tokens() const { return tokens_; }

 private:
  void embed_next(TokenId token, std::size_t ahead, float* x) const;
  void attend_one(std::size_t layer, attention::Activity* activity);
  void attend_arrays(std::size_t layer, Pass& pass, attention::Activity* activity);
  void attend_keys(std::size_t layer, Pass& pass);

  const Model* model_;
  const Device* device_;
  BeyondContext beyond_;
  std::size_t tokens_ = 0;
  std::vector<attention::HeadCache> arrays_;  // layer * n_head + head; analog
  std::vector<Matrix> keys_, values_;         // per layer a ring (n_ctx, C); softmax
  Pass one_;                                  // of a step
};

}  // namespace gaincal::gpt2
