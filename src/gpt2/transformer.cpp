#include "gpt2/transformer.hpp"

#include <algorithm>

#include "core/error.hpp"

namespace gaincal::gpt2 {
namespace {

void check_token(const Model& model, TokenId token) {
  if (token < 0 || static_cast<std::size_t>(token) >= model.config().vocab_size)
    throw Error("token " + std::to_string(token) + " is outside the model's vocabulary of " +
                std::to_string(model.config().vocab_size) + "; use the tokenizer of the same checkpoint");
}

/// x = token embedding + position embedding of one token.
void embed(const Model& model, TokenId token, std::size_t position, float* x) {
  const std::size_t C = model.config().n_embd;
  std::copy_n(model.token_embedding() + static_cast<std::size_t>(token) * C, C, x);
  add(model.position_embedding() + position * C, x, C);
}

/// Tokens of a pass and where they stand: branches follow the prefix, each at the positions after it.
struct Layout {
  std::vector<TokenId> tokens;
  std::vector<std::size_t> position;
  std::size_t prefix = 0;
  std::vector<std::size_t> branch_begin;  ///< rows where branches begin, and the end
};

void check_length(const Config& config, std::size_t T) {
  if (T == 0 || T > config.n_ctx)
    throw Error("a sequence of " + std::to_string(T) + " tokens; the model takes 1 to " + std::to_string(config.n_ctx));
}

Layout lay_out(const Model& model, std::span<const TokenId> prefix,
               std::span<const std::span<const TokenId>> branches) {
  Layout layout;
  const auto append = [&](std::span<const TokenId> tokens, std::size_t first) {
    if (!tokens.empty()) check_length(model.config(), first + tokens.size());
    for (const TokenId token : tokens) {
      check_token(model, token);
      layout.tokens.push_back(token);
      layout.position.push_back(first++);
    }
  };
  append(prefix, 0);
  layout.prefix = prefix.size();
  for (const auto& branch : branches) {
    layout.branch_begin.push_back(layout.tokens.size());
    append(branch, prefix.size());
  }
  layout.branch_begin.push_back(layout.tokens.size());
  return layout;
}

void attend_head(const Model& model, const Device& device, std::size_t index, const Witness& witness, ConstView q,
                 ConstView k, ConstView v, attention::View out) {
  if (device.analog)
    attention::attend(*device.analog, model.scalers[index], q, k, v, out, witness.activity,
                      attention::KernelVersion::automatic, device.instance(index, witness.sequence));
  else
    attend_softmax(q, k, v, out);
}

/// Each branch with the prefix before it; the prefix's own rows are the same in all.
void attend_branches(const Model& model, const Device& device, std::size_t index, const Layout& layout,
                     const Witness& witness, ConstView q, ConstView k, ConstView v, attention::View out) {
  const auto prefix = static_cast<Eigen::Index>(layout.prefix);
  for (std::size_t b = 0; b + 1 < layout.branch_begin.size(); ++b) {
    const auto begin = static_cast<Eigen::Index>(layout.branch_begin[b]);
    const Eigen::Index rows = static_cast<Eigen::Index>(layout.branch_begin[b + 1]) - begin;
    const auto with_prefix = [&](const ConstView& x) {
      Matrix joined(prefix + rows, x.cols());
      joined << x.topRows(prefix), x.middleRows(begin, rows);
      return joined;
    };
    Matrix joined_out(prefix + rows, out.cols());
    attend_head(model, device, index, witness, with_prefix(q), with_prefix(k), with_prefix(v), joined_out);
    out.topRows(prefix) = joined_out.topRows(prefix);
    out.middleRows(begin, rows) = joined_out.bottomRows(rows);
  }
}

Matrix run_blocks(const Model& model, const Device& device, const Layout& layout, const Witness& witness) {
  const Config& config = model.config();
  const std::size_t T = layout.tokens.size(), C = config.n_embd, H = config.n_head;
  const auto D = static_cast<Eigen::Index>(config.head_size());
  const auto rows = static_cast<Eigen::Index>(T), columns = static_cast<Eigen::Index>(C);
  Matrix x(rows, columns), normed(rows, columns), attended(rows, columns), projected(rows, columns);
  Matrix qkv(rows, 3 * columns), inner(rows, static_cast<Eigen::Index>(config.n_inner));
  for (std::size_t t = 0; t < T; ++t) embed(model, layout.tokens[t], layout.position[t], x.data() + t * C);
  for (std::size_t layer = 0; layer < config.n_layer; ++layer) {
    const Block& block = model.blocks()[layer];
    layer_norm(block.ln_1, config.layer_norm_epsilon, x.data(), T, C, normed.data());
    linear(block.attention_in, normed.data(), T, qkv.data());
    for (std::size_t head = 0; head < H; ++head) {
      const Eigen::Index first = static_cast<Eigen::Index>(head) * D;
      const auto q = qkv.middleCols(first, D), k = qkv.middleCols(columns + first, D),
                 v = qkv.middleCols(2 * columns + first, D);
      auto out = attended.middleCols(first, D);
      if (layout.branch_begin.size() > 1)
        attend_branches(model, device, layer * H + head, layout, witness, q, k, v, out);
      else
        attend_head(model, device, layer * H + head, witness, q, k, v, out);
      if (witness.on_head) witness.on_head({layer, head, q, k, v, out});
    }
    linear(block.attention_out, attended.data(), T, projected.data());
    add(projected.data(), x.data(), T * C);
    layer_norm(block.ln_2, config.layer_norm_epsilon, x.data(), T, C, normed.data());
    linear(block.mlp_in, normed.data(), T, inner.data());
    gelu(config.activation, inner.data(), T * config.n_inner);
    linear(block.mlp_out, inner.data(), T, projected.data());
    add(projected.data(), x.data(), T * C);
  }
  layer_norm(model.final_norm(), config.layer_norm_epsilon, x.data(), T, C, x.data());
  return x;
}

}  // namespace

Matrix hidden_states(const Model& model, const Device& device, std::span<const TokenId> tokens,
                     const Witness& witness) {
  check_length(model.config(), tokens.size());
  return run_blocks(model, device, lay_out(model, tokens, {}), witness);
}

Matrix hidden_states(const Model& model, const Device& device, std::span<const TokenId> prefix,
                     std::span<const std::span<const TokenId>> branches, std::uint64_t sequence) {
  Witness witness;
  witness.sequence = sequence;
  return run_blocks(model, device, lay_out(model, prefix, branches), witness);
}

Matrix logits(const Model& model, Eigen::Ref<const Matrix> hidden_rows) {
  const Config& config = model.config();
  Matrix result(hidden_rows.rows(), static_cast<Eigen::Index>(config.vocab_size));
  project_to_vocab(model.head(), config.vocab_size, config.n_embd, hidden_rows.data(),
                   static_cast<std::size_t>(hidden_rows.rows()), result.data());
  return result;
}

BeyondContext beyond_context(const std::string& word, const std::string& where) {
  if (word == "stop") return BeyondContext::refuse;
  if (word == "hold") return BeyondContext::hold;
  if (word == "wrap") return BeyondContext::wrap;
  throw UsageError(where + ": '" + word + "' is unknown; choose stop, hold or wrap");
}

Decoder::Decoder(const Model& model, const Device& device, BeyondContext beyond)
    : model_(&model),
      device_(&device),
      beyond_(beyond),
      x_(model.config().n_embd),
      normed_(model.config().n_embd),
      qkv_(3 * model.config().n_embd),
      attended_(model.config().n_embd),
      projected_(model.config().n_embd),
      inner_(model.config().n_inner) {
  const Config& config = model.config();
  if (device.analog) {
    if (device.analog->query_levels == 0 || device.analog->weight_levels == 0)
      throw UsageError("device " + device.name + ": token by token needs quantised q, k and v; set the levels");
    for (std::size_t head = 0; head < config.n_layer * config.n_head; ++head)
      arrays_.emplace_back(*device.analog, config.head_size(), attention::KernelVersion::automatic,
                           device.instance(head, 0));
  } else {
    keys_.assign(config.n_layer, std::vector<float>(config.n_ctx * config.n_embd));
    values_ = keys_;
  }
}

void Decoder::attend(std::size_t layer, attention::Activity* activity) {
  const Config& config = model_->config();
  const std::size_t C = config.n_embd, D = config.head_size();
  const float *q = qkv_.data(), *k = q + C, *v = k + C;
  if (!device_->analog) {
    const std::size_t row = tokens_ % config.n_ctx;
    std::copy_n(k, C, keys_[layer].data() + row * C);
    std::copy_n(v, C, values_[layer].data() + row * C);
  }
  for (std::size_t head = 0; head < config.n_head; ++head) {
    const std::size_t first = head * D, index = layer * config.n_head + head;
    if (device_->analog)
      arrays_[index].step(model_->scalers[index], q + first, k + first, v + first, attended_.data() + first, activity);
    else
      attend_softmax_row(q + first, keys_[layer].data() + first, values_[layer].data() + first,
                         std::min(tokens_ + 1, config.n_ctx), D, C, attended_.data() + first);
  }
}

std::span<const float> Decoder::step(TokenId token, attention::Activity* activity) {
  const Config& config = model_->config();
  const std::size_t C = config.n_embd;
  if (tokens_ >= config.n_ctx && beyond_ == BeyondContext::refuse)
    throw UsageError("the context of " + std::to_string(config.n_ctx) +
                     " tokens is full; ask for fewer tokens or let the window slide");
  check_token(*model_, token);
  embed(*model_, token, beyond_ == BeyondContext::wrap ? tokens_ % config.n_ctx : std::min(tokens_, config.n_ctx - 1),
        x_.data());
  for (std::size_t layer = 0; layer < config.n_layer; ++layer) {
    const Block& block = model_->blocks()[layer];
    layer_norm(block.ln_1, config.layer_norm_epsilon, x_.data(), 1, C, normed_.data());
    linear(block.attention_in, normed_.data(), 1, qkv_.data());
    attend(layer, activity);
    linear(block.attention_out, attended_.data(), 1, projected_.data());
    add(projected_.data(), x_.data(), C);
    layer_norm(block.ln_2, config.layer_norm_epsilon, x_.data(), 1, C, normed_.data());
    linear(block.mlp_in, normed_.data(), 1, inner_.data());
    gelu(config.activation, inner_.data(), config.n_inner);
    linear(block.mlp_out, inner_.data(), 1, projected_.data());
    add(projected_.data(), x_.data(), C);
  }
  ++tokens_;
  layer_norm(model_->final_norm(), config.layer_norm_epsilon, x_.data(), 1, C, normed_.data());
  return normed_;
}

}  // namespace gaincal::gpt2
