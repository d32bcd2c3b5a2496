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
    attention::attend(*device.analog, model.scalers[index], q, k, v, out, witness.activity, device.kernel,
                      device.instance(index, witness.sequence));
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

/// All blocks and the final norm on pass.x; attend(layer) makes pass.attended of pass.qkv.
template <class Attend>
void run_blocks(const Model& model, Pass& pass, const Attend& attend) {
  const Config& config = model.config();
  const auto T = static_cast<std::size_t>(pass.x.rows());
  const std::size_t C = config.n_embd;
  for (std::size_t layer = 0; layer < config.n_layer; ++layer) {
    const Block& block = model.blocks()[layer];
    layer_norm(block.ln_1, config.layer_norm_epsilon, pass.x.data(), T, C, pass.normed.data());
    linear(block.attention_in, pass.normed.data(), T, pass.qkv.data());
    attend(layer);
    linear(block.attention_out, pass.attended.data(), T, pass.projected.data());
    add(pass.projected.data(), pass.x.data(), T * C);
    layer_norm(block.ln_2, config.layer_norm_epsilon, pass.x.data(), T, C, pass.normed.data());
    linear(block.mlp_in, pass.normed.data(), T, pass.inner.data());
    gelu(config.activation, pass.inner.data(), T * config.n_inner);
    linear(block.mlp_out, pass.inner.data(), T, pass.projected.data());
    add(pass.projected.data(), pass.x.data(), T * C);
  }
  layer_norm(model.final_norm(), config.layer_norm_epsilon, pass.x.data(), T, C, pass.x.data());
}

/// q, k, v and out of one head in a pass. (T, D)
struct HeadColumns {
  HeadColumns(const Config& config, std::size_t head, Pass& pass)
      : D(static_cast<Eigen::Index>(config.head_size())),
        C(static_cast<Eigen::Index>(config.n_embd)),
        first(static_cast<Eigen::Index>(head) * D),
        q(pass.qkv.middleCols(first, D)),
        k(pass.qkv.middleCols(C + first, D)),
        v(pass.qkv.middleCols(2 * C + first, D)),
        out(pass.attended.middleCols(first, D)) {}
  Eigen::Index D, C, first;
  ConstView q, k, v;
  attention::View out;
};

Matrix run_layout(const Model& model, const Device& device, const Layout& layout, const Witness& witness) {
  const Config& config = model.config();
  const std::size_t H = config.n_head;
  Pass pass(config, layout.tokens.size());
  for (std::size_t t = 0; t < layout.tokens.size(); ++t)
    embed(model, layout.tokens[t], layout.position[t], pass.x.row(static_cast<Eigen::Index>(t)).data());
  run_blocks(model, pass, [&](std::size_t layer) {
    for (std::size_t head = 0; head < H; ++head) {
      HeadColumns of(config, head, pass);
      if (layout.branch_begin.size() > 1)
        attend_branches(model, device, layer * H + head, layout, witness, of.q, of.k, of.v, of.out);
      else
        attend_head(model, device, layer * H + head, witness, of.q, of.k, of.v, of.out);
      if (witness.on_head) witness.on_head({layer, head, of.q, of.k, of.v, of.out});
    }
  });
  return std::move(pass.x);
}

}  // namespace

Matrix hidden_states(const Model& model, const Device& device, std::span<const TokenId> tokens,
                     const Witness& witness) {
  check_length(model.config(), tokens.size());
  return run_layout(model, device, lay_out(model, tokens, {}), witness);
}

Matrix hidden_states(const Model& model, const Device& device, std::span<const TokenId> prefix,
                     std::span<const std::span<const TokenId>> branches, std::uint64_t sequence) {
  Witness witness;
  witness.sequence = sequence;
  return run_layout(model, device, lay_out(model, prefix, branches), witness);
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

Pass::Pass(const Config& config, std::size_t T) {
  const auto rows = static_cast<Eigen::Index>(T), columns = static_cast<Eigen::Index>(config.n_embd);
  for (Matrix* signal : {&x, &normed, &attended, &projected}) signal->resize(rows, columns);
  qkv.resize(rows, 3 * columns);
  inner.resize(rows, static_cast<Eigen::Index>(config.n_inner));
}

Decoder::Decoder(const Model& model, const Device& device, BeyondContext beyond)
    : model_(&model), device_(&device), beyond_(beyond), one_(model.config(), 1) {
  const Config& config = model.config();
  if (device.analog) {
    if (device.analog->query_levels == 0 || device.analog->weight_levels == 0)
      throw UsageError("device " + device.name + ": token by token needs quantised q, k and v; set the levels");
    const auto table = attention::prepare_table(*device.analog, device.kernel);
    for (std::size_t head = 0; head < config.n_layer * config.n_head; ++head)
      arrays_.emplace_back(*device.analog, config.head_size(), device.kernel, device.instance(head, 0), table);
  } else {
    keys_.assign(config.n_layer,
                 Matrix(static_cast<Eigen::Index>(config.n_ctx), static_cast<Eigen::Index>(config.n_embd)));
    values_ = keys_;
  }
}

void Decoder::attend_one(std::size_t layer, attention::Activity* activity) {
  const Config& config = model_->config();
  const std::size_t C = config.n_embd, D = config.head_size();
  const float *q = one_.qkv.data(), *k = q + C, *v = k + C;
  if (!device_->analog) {
    const auto row = static_cast<Eigen::Index>(tokens_ % config.n_ctx);
    std::copy_n(k, C, keys_[layer].row(row).data());
    std::copy_n(v, C, values_[layer].row(row).data());
  }
  for (std::size_t head = 0; head < config.n_head; ++head) {
    const std::size_t first = head * D, index = layer * config.n_head + head;
    float* out = one_.attended.data() + first;
    if (device_->analog)
      arrays_[index].step(model_->scalers[index], q + first, k + first, v + first, out, activity);
    else
      attend_softmax_row(q + first, keys_[layer].data() + first, values_[layer].data() + first,
                         std::min(tokens_ + 1, config.n_ctx), D, C, out);
  }
}

void Decoder::attend_arrays(std::size_t layer, Pass& pass, attention::Activity* activity) {
  const Config& config = model_->config();
  for (std::size_t head = 0; head < config.n_head; ++head) {
    const std::size_t index = layer * config.n_head + head;
    HeadColumns of(config, head, pass);
    arrays_[index].extend(model_->scalers[index], of.q, of.k, of.v, of.out, activity);
  }
}

void Decoder::attend_keys(std::size_t layer, Pass& pass) {
  const Config& config = model_->config();
  const Eigen::Index T = pass.x.rows(), C = pass.x.cols();
  const std::size_t past = std::min(tokens_, config.n_ctx - 1);
  const auto held = static_cast<Eigen::Index>(past);
  const auto ring_row = [&](std::size_t token) { return static_cast<Eigen::Index>(token % config.n_ctx); };
  Matrix k(held + T, C), v(held + T, C);  // the ring from its oldest token on, then the new ones
  for (std::size_t i = 0; i < past; ++i) {
    k.row(static_cast<Eigen::Index>(i)) = keys_[layer].row(ring_row(tokens_ - past + i));
    v.row(static_cast<Eigen::Index>(i)) = values_[layer].row(ring_row(tokens_ - past + i));
  }
  k.bottomRows(T) = pass.qkv.middleCols(C, C);
  v.bottomRows(T) = pass.qkv.rightCols(C);
  for (std::size_t head = 0; head < config.n_head; ++head) {
    HeadColumns of(config, head, pass);
    attend_softmax(of.q, k.middleCols(of.first, of.D), v.middleCols(of.first, of.D), of.out, config.n_ctx);
  }
  for (Eigen::Index t = std::max<Eigen::Index>(0, T - static_cast<Eigen::Index>(config.n_ctx)); t < T; ++t) {
    const Eigen::Index row = ring_row(tokens_ + static_cast<std::size_t>(t));
    keys_[layer].row(row) = k.row(held + t);
    values_[layer].row(row) = v.row(held + t);
  }
}

void Decoder::embed_next(TokenId token, std::size_t ahead, float* x) const {
  const std::size_t n_ctx = model_->config().n_ctx, t = tokens_ + ahead;
  if (t >= n_ctx && beyond_ == BeyondContext::refuse)
    throw UsageError("the context of " + std::to_string(n_ctx) +
                     " tokens is full; ask for fewer tokens or let the window slide");
  check_token(*model_, token);
  embed(*model_, token, beyond_ == BeyondContext::wrap ? t % n_ctx : std::min(t, n_ctx - 1), x);
}

std::span<const float> Decoder::step(TokenId token, attention::Activity* activity) {
  embed_next(token, 0, one_.x.data());
  run_blocks(*model_, one_, [&](std::size_t layer) { attend_one(layer, activity); });
  ++tokens_;
  return {one_.x.data(), model_->config().n_embd};
}

Matrix Decoder::extend(std::span<const TokenId> tokens, attention::Activity* activity) {
  Pass pass(model_->config(), tokens.size());
  for (std::size_t t = 0; t < tokens.size(); ++t)
    embed_next(tokens[t], t, pass.x.row(static_cast<Eigen::Index>(t)).data());
  run_blocks(*model_, pass, [&](std::size_t layer) {
    if (device_->analog)
      attend_arrays(layer, pass, activity);
    else
      attend_keys(layer, pass);
  });
  tokens_ += tokens.size();
  return std::move(pass.x);
}

}  // namespace gaincal::gpt2
