#include "attention/block.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <span>

namespace gaincal::attention {

namespace {

Converter converter_of(const PulseCurve& curve) {
  Converter c;
  if (!curve.table.empty()) {
    c.table = curve.table.data();
    c.q_min = curve.q_min;
    c.inverse_step = 1.0f / curve.q_step;
    c.last = static_cast<float>(curve.table.size() - 1);
  }
  c.q0 = curve.q0;
  c.inverse_k = 1.0f / curve.k;
  return c;
}

void count_scores(const BlockShape& shape, const Run& run, const float* S, const float* phi, Activity& activity,
                  ColumnPulses& pulses) {
  std::uint32_t* count = &pulses.count[run.first - pulses.first];
  double* width = &pulses.width[run.first - pulses.first];
  for (std::ptrdiff_t t = 0; t < shape.tokens; ++t) {
    const std::ptrdiff_t begin = first_column(shape, t), end = last_column(shape, t);
    if (begin >= end) continue;
    const auto columns = static_cast<std::size_t>(end - begin);
    const float* row = phi + t * kBlock;
    if (pulses.meter == nullptr) {
      activity.score_charge.add(S + t * kBlock + begin, columns);
    } else {
      const auto token = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(run.first) + shape.first_age + t);
      TokenEnergy& energy = pulses.meter->token(token);
      energy[Event::score_conversion] +=
          activity.score_charge.add(S + t * kBlock + begin, columns, pulses.meter->prices().score_conversion)
              .converter_J;
      energy[Event::columns] += static_cast<double>(columns);
      for (std::ptrdiff_t s = begin; s < end; ++s)
        pulses.meter->sum_pulse(token, run.first + static_cast<std::size_t>(s), double{row[s]});
    }
    for (std::ptrdiff_t s = begin; s < end; ++s) count[s] += row[s] > 0.0f ? 1 : 0;
    for (std::ptrdiff_t s = begin; s < end; ++s) width[s] += double{row[s]};
  }
}

float sum_of_row(const float* row) {
  float sum = 0.0f;
  for (std::size_t d = 0; d < kBlock; ++d) sum += row[d];
  return sum;
}

/// (n, 4) coefficients of the bit line at each token's pulses.
void find_cubics(const device::BitLineModel& line, const float* full_pulses, std::size_t n, float* cubic) {
  for (std::size_t t = 0; t < n; ++t) {
    const std::array<double, 4> c = line.coefficients(double{full_pulses[t]});
    for (std::size_t k = 0; k < c.size(); ++k) cubic[4 * t + k] = static_cast<float>(c[k]);
  }
}

void collect_with(const device::BitLineModel& line, const float* cubic, Collection& collection) {
  constexpr double kfC_per_C = 1e15;
  collection.coefficient = cubic;
  collection.q_min = static_cast<float>(line.q_min_C * kfC_per_C);
  collection.q_max = static_cast<float>(line.q_max_C * kfC_per_C);
}

/// full_pulses[t] += the pulses of the run, in the order of its columns whatever the block.
void add_pulses(const BlockShape& shape, const float* phi, float* full_pulses) {
  for (std::ptrdiff_t t = 0; t < shape.tokens; ++t) {
    for (std::ptrdiff_t s = first_column(shape, t); s < last_column(shape, t); ++s) {
      full_pulses[t] += phi[t * static_cast<std::ptrdiff_t>(kBlock) + s];
    }
  }
}

void jitter_scores(const BlockShape& shape, const Jitter& jitter, std::size_t first_query, std::size_t ring_column,
                   float* phi) {
  for (std::ptrdiff_t t = 0; t < shape.tokens; ++t) {
    for (std::ptrdiff_t s = first_column(shape, t); s < last_column(shape, t); ++s) {
      float& width = phi[t * static_cast<std::ptrdiff_t>(kBlock) + s];
      width = jitter.score(width, first_query + static_cast<std::size_t>(t), ring_column + static_cast<std::size_t>(s));
    }
  }
}

/// sum (tokens, 64) += what the counter makes of value (tokens, 64) with its jitter.
void count_with_jitter(const Converter& output, const Jitter& jitter, std::size_t first_query, std::size_t tile,
                       std::size_t tokens, std::size_t head_size, const float* value, float* sum) {
  for (std::size_t t = 0; t < tokens; ++t) {
    for (std::size_t d = 0; d < head_size; ++d) {
      const float y = jitter.output(value[t * kBlock + d], first_query + t, tile, d);
      sum[t * kBlock + d] += output.step == 0.0f ? y : counted(output, y);
    }
  }
}

}  // namespace

bool still(const device::BitLineModel& line) { return line.coeff == device::BitLineModel{}.coeff; }

Converter score_converter(const AnalogDevice& device) { return converter_of(device.score); }

Converter output_converter(const AnalogDevice& device) {
  Converter c = converter_of(device.output);
  c.step = device.output_levels == 0 ? 0.0f : static_cast<float>(2.0 / (device.output_levels - 1));
  c.counter_max = device.counter_max == 0 ? std::numeric_limits<float>::max() : static_cast<float>(device.counter_max);
  return c;
}

std::size_t tile_of(const AnalogDevice& device, std::size_t s) {
  return (device.tile_map == TileMap::ring ? s % device.window : s) / device.tile_columns;
}

void list_runs(const AnalogDevice& device, std::size_t first, std::size_t tokens, std::vector<Run>& runs) {
  const std::size_t M = device.window, C = device.tile_columns;
  const std::size_t begin = first + 1 > M ? first + 1 - M : 0, end = first + tokens;
  runs.clear();
  const auto add = [&](std::size_t tile, std::size_t from, std::size_t to) {
    from = std::max(from, begin);
    to = std::min(to, end);
    if (from < to) runs.push_back({tile, from, to - from});
  };
  if (device.tile_map == TileMap::absolute) {
    for (std::size_t from = begin; from < end;) {
      const std::size_t to = std::min((from / C + 1) * C, (from / M + 1) * M);
      add(from / C, from, to);
      from = to;
    }
    return;
  }
  for (std::size_t tile = 0; tile * C < M; ++tile) {
    for (std::size_t lap = begin / M; lap * M < end; ++lap) {
      add(tile, lap * M + tile * C, lap * M + std::min(M, tile * C + C));
    }
  }
}

void ColumnPulses::reset(std::size_t first_token, std::size_t n) {
  first = first_token;
  count.assign(n, 0);
  width.assign(n, 0.0);
}

namespace {

/// One block of at most 64 queries against the runs of one tile: adds what its converters give to out_sum (tokens, 64).
/// score_cubic (tokens, 4) where the score bit line moves.
void attend_tile(const BlockContext& context, std::size_t first_query, std::size_t tokens, std::span<const Run> runs,
                 const float* score_cubic, float* out_sum, Activity* charges, ColumnPulses* pulses) {
  const AnalogDevice& device = context.device;
  const HeadVariation* varied = context.instance.head;
  const std::size_t tile = runs.front().tile;
  alignas(64) float S[kBlock * kBlock];
  alignas(64) float phi[kBlock * kBlock];
  alignas(64) float A[kBlock * kBlock];
  float output_cubic[kBlock * 4], full_pulses[kBlock];
  const Converter score = score_converter(device), output = output_converter(device);
  const Jitter jitter(device, context.instance);
  Collection of_scores, of_outputs;
  if (!still(device.score_bit_line)) collect_with(device.score_bit_line, score_cubic, of_scores);
  const bool output_moves = !still(device.output_bit_line);
  std::fill_n(S, tokens * kBlock, 0.0f);  // masked charges are converted too, then dropped
  std::fill_n(A, tokens * kBlock, 0.0f);
  std::fill_n(full_pulses, tokens, 0.0f);
  // Queries that see a token of the tile: an interval, as columns fill up and leave the window in order.
  auto seeing_begin = static_cast<std::ptrdiff_t>(tokens);
  std::ptrdiff_t seeing_end = 0;
  for (const Run& run : runs) {
    const BlockShape shape{static_cast<std::ptrdiff_t>(tokens), static_cast<std::ptrdiff_t>(run.columns),
                           static_cast<std::ptrdiff_t>(first_query) - static_cast<std::ptrdiff_t>(run.first),
                           static_cast<std::ptrdiff_t>(device.window), static_cast<std::ptrdiff_t>(first_query)};
    for (std::ptrdiff_t t = 0; t < shape.tokens; ++t) {
      if (first_column(shape, t) >= last_column(shape, t)) continue;
      seeing_begin = std::min(seeing_begin, t);
      seeing_end = std::max(seeing_end, t + 1);
    }
    context.cells.score(shape, run, S);
    if (varied != nullptr && !varied->score_offset.empty()) {
      of_scores.offset = &varied->score_offset[run.first % device.window];
    }
    context.kernel.convert_score(shape, score, of_scores, S, phi);
    if (jitter.any()) jitter_scores(shape, jitter, first_query, run.first % device.window, phi);
    if (charges != nullptr) count_scores(shape, run, S, phi, *charges, *pulses);
    if (output_moves) add_pulses(shape, phi, full_pulses);
    context.cells.weigh(shape, run, phi, A);
  }
  if (seeing_begin >= seeing_end) return;
  const auto begin = static_cast<std::size_t>(seeing_begin), count = static_cast<std::size_t>(seeing_end) - begin;
  if (output_moves) {
    find_cubics(device.output_bit_line, full_pulses + begin, count, output_cubic);
    collect_with(device.output_bit_line, output_cubic, of_outputs);
  }
  if (varied != nullptr && !varied->output_offset.empty()) {
    of_outputs.offset = &varied->output_offset[tile % tiles_of(device) * kBlock];
  }
  Converter converter = output;
  if (jitter.any()) converter.step = 0.0f;  // counted below, from a value with jitter
  float* value = jitter.any() ? phi : out_sum + begin * kBlock;
  if (jitter.any()) std::fill_n(phi, count * kBlock, 0.0f);
  context.kernel.convert_output(converter, of_outputs, A + begin * kBlock, seeing_end - seeing_begin, value);
  if (jitter.any()) {
    count_with_jitter(output, jitter, first_query + begin, tile, count, context.head_size, phi,
                      out_sum + begin * kBlock);
  }
  if (charges == nullptr) return;
  for (std::ptrdiff_t t = seeing_begin; t < seeing_end; ++t) {
    const float* charge = A + static_cast<std::size_t>(t) * kBlock;
    if (pulses->meter == nullptr) {
      charges->output_charge.add(charge, context.head_size);
      continue;
    }
    TokenEnergy& energy = pulses->meter->token(first_query + static_cast<std::size_t>(t));
    const ConversionPrice price =
        charges->output_charge.add(charge, context.head_size, pulses->meter->prices().output_conversion);
    energy[Event::output_conversion] += price.converter_J;
    energy[Event::counter] += price.counter_J;
    energy[Event::adder] += static_cast<double>(context.head_size) * pulses->meter->prices().addition;
    energy[Event::outputs] += static_cast<double>(context.head_size);
  }
}

}  // namespace

void attend_blocks(const BlockContext& context, const float* q, std::size_t first_query, std::size_t tokens,
                   std::vector<std::vector<Run>>& runs, float* out_sum, Activity* charges, ColumnPulses* pulses) {
  const AnalogDevice& device = context.device;
  const std::size_t blocks = (tokens + kBlock - 1) / kBlock;
  const auto tokens_of = [&](std::size_t b) { return std::min(kBlock, tokens - b * kBlock); };
  float score_cubic[kQueries * 4];
  std::array<std::size_t, kQueries / kBlock> next{};
  if (runs.size() < blocks) runs.resize(blocks);
  if (!still(device.score_bit_line)) {
    float full_pulses[kQueries];
    for (std::size_t t = 0; t < tokens; ++t) full_pulses[t] = sum_of_row(q + t * kBlock);
    find_cubics(device.score_bit_line, full_pulses, tokens, score_cubic);
  }
  std::fill_n(out_sum, tokens * kBlock, 0.0f);
  for (std::size_t b = 0; b < blocks; ++b) list_runs(device, first_query + b * kBlock, tokens_of(b), runs[b]);
  for (;;) {
    constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
    std::size_t tile = kNone;
    for (std::size_t b = 0; b < blocks; ++b)
      if (next[b] < runs[b].size()) tile = std::min(tile, runs[b][next[b]].tile);
    if (tile == kNone) return;
    for (std::size_t b = 0; b < blocks; ++b) {
      const std::size_t begin = next[b];
      while (next[b] < runs[b].size() && runs[b][next[b]].tile == tile) ++next[b];
      if (next[b] == begin) continue;
      attend_tile(context, first_query + b * kBlock, tokens_of(b), std::span(runs[b]).subspan(begin, next[b] - begin),
                  score_cubic + b * kBlock * 4, out_sum + b * kBlock * kBlock, charges, pulses);
    }
  }
}

}  // namespace gaincal::attention
