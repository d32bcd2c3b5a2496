#include "attention/variation.hpp"

#include "attention/converter.hpp"
#include "attention/kernel.hpp"
#include "core/error.hpp"

namespace gaincal::attention {

namespace {

enum class Draw : std::uint64_t { k_cells = 16, v_cells, score_offset, output_offset, score_jitter, output_jitter, score_residual, output_residual };

CounterRandom stream(const Variation& variation, std::size_t layer, std::size_t head, Draw draw) {
  return {variation.seed,
          std::uint64_t{variation.chip} << 32 | layer << 20 | head << 8 | static_cast<std::uint64_t>(draw)};
}

CounterRandom stream_of(const AnalogDevice& device, const Instance& instance, Draw draw) {
  const bool drawn = instance.head != nullptr;
  return stream(device.variation, drawn ? instance.head->layer : 0, drawn ? instance.head->head : 0, draw);
}

void draw_cells(const AnalogDevice& device, const CounterRandom& random, std::vector<float>& gain,
                std::vector<float>& offset) {
  const Variation& variation = device.variation;
  const std::size_t cells = device.window * kArrayRows, padded = cells + kColumnPadding * kArrayRows;
  gain.assign(padded, 1.0f);
  offset.assign(padded, 0.0f);
  for (std::size_t i = 0; i < cells; ++i) {
    const auto normal = random.normal_pair(i);
    gain[i] = static_cast<float>(1.0 + variation.cell_gain_sigma * normal[0]);
    offset[i] = static_cast<float>(variation.cell_offset_sigma * normal[1]);
  }
}

std::vector<float> draw_offsets(const CounterRandom& random, double sigma, std::size_t count, std::size_t padding) {
  if (sigma == 0.0) return {};
  std::vector<float> offset(count + padding, 0.0f);
  for (std::size_t i = 0; i < count; ++i) offset[i] = static_cast<float>(sigma * random.normal(i));
  return offset;
}

}  // namespace

std::size_t tiles_of(const AnalogDevice& device) {
  return (device.window + device.tile_columns - 1) / device.tile_columns;
}

HeadVariation draw_head(const AnalogDevice& device, std::size_t layer, std::size_t head) {
  check_device(device);
  const Variation& variation = device.variation;
  const auto random = [&](Draw draw) { return stream(variation, layer, head, draw); };
  HeadVariation drawn;
  drawn.layer = layer;
  drawn.head = head;
  if (variation.cell_gain_sigma != 0.0 || variation.cell_offset_sigma != 0.0) {
    draw_cells(device, random(Draw::k_cells), drawn.k_gain, drawn.k_offset);
    draw_cells(device, random(Draw::v_cells), drawn.v_gain, drawn.v_offset);
  }
  drawn.score_offset = draw_offsets(random(Draw::score_offset), variation.score_offset_sigma, device.window, kBlock);
  drawn.output_offset =
      draw_offsets(random(Draw::output_offset), variation.output_offset_sigma, tiles_of(device) * kArrayRows, 0);
  return drawn;
}

void check_instance(const AnalogDevice& device, const Instance& instance) {
  if (!device.variation.any()) return;
  if (instance.head == nullptr) throw Error("attention: the device's cells vary; draw the head that computes");
  const auto fits = [](const std::vector<float>& drawn, std::size_t count) {
    return drawn.empty() || drawn.size() == count;
  };
  if (!fits(instance.head->k_gain, (device.window + kColumnPadding) * kArrayRows) ||
      !fits(instance.head->score_offset, device.window + kBlock) ||
      !fits(instance.head->output_offset, tiles_of(device) * kArrayRows)) {
    throw Error("attention: the head was drawn for a device of another window; draw it for this one");
  }
}

Jitter::Jitter(const AnalogDevice& device, const Instance& instance)
    : any_(device.variation.each_pulse()),
      sigma_(device.variation.jitter_sigma),
      sequence_(instance.sequence),
      window_(device.window),
      tiles_(tiles_of(device)),
      score_residuals_(device.variation.score_residual),
      output_residuals_(device.variation.output_residual),
      score_(stream_of(device, instance, Draw::score_jitter)),
      output_(stream_of(device, instance, Draw::output_jitter)),
      score_residual_(stream_of(device, instance, Draw::score_residual)),
      output_residual_(stream_of(device, instance, Draw::output_residual)) {}

float Jitter::drawn(const CounterRandom& jitter, const CounterRandom& residual, std::span<const float> residuals,
                    bool inside, std::uint64_t index) const {
  const std::uint64_t at = (sequence_ << 44) + index;
  float sum = sigma_ > 0.0 ? static_cast<float>(sigma_ * jitter.normal(at)) : 0.0f;
  if (inside && !residuals.empty())
    sum += residuals[static_cast<std::size_t>(residual.uniform(at) * static_cast<double>(residuals.size()))];
  return sum;
}

float Jitter::score(float width, std::size_t t, std::size_t column) const {
  if (!(width > 0.0f)) return width;
  const float error = drawn(score_, score_residual_, score_residuals_, width < 1.0f, t * window_ + column);
  return clamp_to(width + error, 0.0f, 1.0f);
}

float Jitter::output(float value, std::size_t t, std::size_t tile, std::size_t d) const {
  const bool inside = value > -1.0f && value < 1.0f;
  const std::uint64_t index = (t * tiles_ + tile % tiles_) * kArrayRows + d;
  return clamp_to(value + drawn(output_, output_residual_, output_residuals_, inside, index), -1.0f, 1.0f);
}

}  // namespace gaincal::attention
