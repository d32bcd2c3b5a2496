#include "gpt2/capture.hpp"

#include <algorithm>
#include <charconv>

#include "attention/operands.hpp"
#include "core/error.hpp"
#include "core/random.hpp"

namespace gaincal::gpt2 {
namespace {

using attention::kArrayColumns;
using attention::kArrayRows;

std::optional<std::size_t> part(const std::string& word, const char* name, std::size_t count,
                                const std::string& where) {
  if (word == "*") return std::nullopt;
  std::size_t number = 0;
  const auto [end, status] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (status != std::errc() || end != word.data() + word.size() || number >= count)
    throw UsageError(where + ": '" + word + "' is no " + name + "; write 0 to " + std::to_string(count - 1) + ", or *");
  return number;
}

store::Axis numbered(const char* name, std::size_t count, const char* description) {
  store::Axis axis{name, "1", {}, {}, description};
  for (std::size_t i = 0; i < count; ++i) axis.values.push_back(static_cast<double>(i));
  return axis;
}

/// Numbers that a request leaves open, or the one that it names.
std::vector<std::size_t> choices(const std::optional<std::size_t>& named, std::size_t count) {
  if (named) return {*named};
  std::vector<std::size_t> all(count);
  for (std::size_t i = 0; i < count; ++i) all[i] = i;
  return all;
}

}  // namespace

CaptureWhere parse_capture(const std::string& words, const Config& config, const std::string& where) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= words.size();) {
    const std::size_t end = std::min(words.find(',', begin), words.size());
    parts.push_back(words.substr(begin, end - begin));
    begin = end + 1;
  }
  if (parts.size() > 3) throw UsageError(where + ": '" + words + "' has more than LAYER,HEAD,TOKEN");
  parts.resize(3, "*");
  return {part(parts[0], "layer", config.n_layer, where), part(parts[1], "head", config.n_head, where),
          part(parts[2], "token", config.n_ctx, where)};
}

std::size_t Capture::full_tiles(std::size_t token) const {
  return std::min((token + 1) / kArrayColumns, device_->analog->window / kArrayColumns);
}

Capture::Capture(const Model& model, const Device& device, const std::vector<std::size_t>& lengths,
                 const std::vector<CaptureWhere>& where, std::size_t count, std::uint64_t seed)
    : model_(&model), device_(&device) {
  if (!device.analog || device.analog->query_levels == 0 || device.analog->weight_levels == 0)
    throw UsageError("--capture: device '" + device.name + "' has no codes and levels; give a model.h5");
  if (device.analog->tile_map != attention::TileMap::ring || device.analog->tile_columns != kArrayColumns)
    throw UsageError("--capture: sub-tiles are those of a ring; leave out --tile-map");
  struct Candidates {
    std::size_t window;
    std::vector<std::size_t> layers, heads, tokens;
    std::size_t tiles, size;  // of one head; of all
  };
  std::vector<Candidates> blocks;
  std::size_t total = 0;
  for (std::size_t window = 0; window < lengths.size(); ++window)
    for (const CaptureWhere& wanted : where) {
      Candidates block{window,
                       choices(wanted.layer, model.config().n_layer),
                       choices(wanted.head, model.config().n_head),
                       choices(wanted.token, lengths[window]),
                       0,
                       0};
      std::erase_if(block.tokens, [&](std::size_t token) { return token >= lengths[window]; });
      for (const std::size_t token : block.tokens) block.tiles += full_tiles(token);
      block.size = block.layers.size() * block.heads.size() * block.tiles;
      total += block.size;
      blocks.push_back(std::move(block));
    }
  if (total == 0)
    throw UsageError("--capture: no sub-tile of " + std::to_string(kArrayColumns) +
                     " tokens is full there; choose later tokens or a longer --context");
  const CounterRandom random(seed, 0);
  const std::size_t taken = std::min(count, total);
  const double stretch = static_cast<double>(total) / static_cast<double>(taken);
  for (std::size_t i = 0; i < taken; ++i) {
    std::size_t place = i;
    if (taken < total)
      place = std::min(static_cast<std::size_t>((static_cast<double>(i) + random.uniform(i)) * stretch), total - 1);
    const Candidates* block = blocks.data();
    for (; place >= block->size; ++block) place -= block->size;
    const std::size_t head = place / block->tiles;
    std::size_t tile = place % block->tiles;
    const std::size_t* token = block->tokens.data();
    for (; tile >= full_tiles(*token); ++token) tile -= full_tiles(*token);
    picks_.push_back({block->window,
                      block->layers[head / block->heads.size()],
                      block->heads[head % block->heads.size()],
                      *token,
                      tile,
                      {},
                      {},
                      {},
                      {}});
  }
}

void Capture::see(std::size_t window, const HeadSignals& signals) {
  std::optional<attention::Operands> operands;
  const std::size_t M = device_->analog->window, D = static_cast<std::size_t>(signals.q.cols());
  for (Pick& pick : picks_) {
    if (pick.window != window || pick.layer != signals.layer || pick.head != signals.head) continue;
    if (!operands)
      operands =
          attention::prepare(*device_->analog, model_->scalers[signals.layer * model_->config().n_head + signals.head],
                             signals.q, signals.k, signals.v);
    const auto row = [&](const std::vector<std::uint8_t>& codes, std::size_t t, std::vector<std::uint8_t>& kept) {
      const auto begin = codes.begin() + static_cast<std::ptrdiff_t>(t * kArrayRows);
      kept.insert(kept.end(), begin, begin + static_cast<std::ptrdiff_t>(D));
    };
    row(operands->q_code, pick.token, pick.q_code);
    for (std::size_t c = 0; c < kArrayColumns; ++c) {
      const std::size_t column = pick.tile * kArrayColumns + c, now = pick.token % M;
      const std::size_t age = now >= column ? now - column : now + M - column;
      pick.age.push_back(age);
      row(operands->k_level, pick.token - age, pick.k_level);
      row(operands->v_level, pick.token - age, pick.v_level);
    }
  }
}

std::vector<store::Table> Capture::tables() const {
  store::Axis sets = numbered("set", picks_.size(), "a query and a sub-tile that it reads");
  const store::Axis rows = numbered("row", model_->config().head_size(), "feature of the head"),
                    tokens = numbered("token", kArrayColumns, "column of the sub-tile");
  store::Quantity q_code{"q_code", "1", "pulse width of the query", {}}, age{"age", "1", "tokens since the write", {}};
  store::Quantity k_level{"k_level", "1", "written level of the key", {}},
      v_level{"v_level", "1", "written level of the value", {}};
  for (const Pick& pick : picks_) {
    sets.labels.push_back("window " + std::to_string(pick.window) + ", layer " + std::to_string(pick.layer) +
                          ", head " + std::to_string(pick.head) + ", token " + std::to_string(pick.token) +
                          ", sub-tile " + std::to_string(pick.tile));
    q_code.values.insert(q_code.values.end(), pick.q_code.begin(), pick.q_code.end());
    age.values.insert(age.values.end(), pick.age.begin(), pick.age.end());
    k_level.values.insert(k_level.values.end(), pick.k_level.begin(), pick.k_level.end());
    v_level.values.insert(v_level.values.end(), pick.v_level.begin(), pick.v_level.end());
  }
  return {{"queries", "operands of the rows", {sets, rows}, {q_code}, {}, {}},
          {"tokens", "ages of the columns", {sets, tokens}, {age}, {}, {}},
          {"cells", "operands of the cells", {sets, tokens, rows}, {k_level, v_level}, {}, {}}};
}

}  // namespace gaincal::gpt2
