#include <algorithm>
#include <string>

#include "attention/attend.hpp"
#include "attention/operands.hpp"
#include "attention/table_engine.hpp"
#include "core/error.hpp"

namespace gaincal::attention {

HeadCache::HeadCache(const AnalogDevice& device, std::size_t head_size, KernelVersion version, const Instance& instance)
    : device_(&device), head_size_(head_size), version_(version), instance_(instance) {
  check_shapes(device, static_cast<Eigen::Index>(head_size));
  check_instance(device, instance);
  if (device.read.size() == 0) {
    throw Error(
        "attention: a cache stores levels, and this device has no level table; quantise weights to 2..16 levels");
  }
  choose_kernel(version, device.weight_levels);
  const std::size_t columns = device.window + kColumnPadding;
  k_level_.assign(columns * kArrayRows, 0);
  v_level_.assign(columns * kArrayRows, 0);
  k_count_.assign(kArrayRows * static_cast<std::size_t>(device.weight_levels), 0);
  level_table(device, padded_read_, padded_edge_);
}

void HeadCache::step(const HeadScalers& scalers, const float* q, const float* k, const float* v, float* out,
                     Activity* activity) {
  const std::size_t M = device_->window, D = head_size_;
  const auto levels = static_cast<std::size_t>(device_->weight_levels);
  const std::size_t t = tokens_, column = (t % M) * kArrayRows;
  const Kernel kernel = choose_kernel(version_, device_->weight_levels);
  const LevelGrid query(1.0, device_->query_levels), weight(device_->v_max_V, device_->weight_levels);

  alignas(64) float x[kArrayRows] = {};
  float volts[kArrayRows];
  std::uint8_t q_code[kArrayRows] = {}, k_level[kArrayRows] = {}, v_level[kArrayRows] = {};
  if (!quantise(query, scalers.q_a, scalers.q_b, q, D, x, q_code) ||
      !quantise(weight, scalers.k_a, scalers.k_b, k, D, volts, k_level) ||
      !quantise(weight, scalers.v_a, scalers.v_b, v, D, volts, v_level)) {
    throw Error("attention: q, k or v of token " + std::to_string(t) +
                " has a value that is not finite; check the weights before it");
  }
  for (std::size_t d = 0; d < D; ++d) {
    const std::size_t place = column + packed_place(d);
    if (t >= M) --k_count_[d * levels + k_level_[place]];
    ++k_count_[d * levels + k_level[d]];
    k_level_[place] = k_level[d];
    v_level_[place] = v_level[d];
  }
  ++tokens_;

  ColumnPulses pulses;
  const std::size_t held = std::min(t + 1, M);
  if (activity != nullptr) {
    if (activity->empty()) *activity = make_activity(*device_);
    pulses.reset(t + 1 - held, held);
  }
  const TableCells cells(kernel, level_table(*device_, padded_read_, padded_edge_), x, t, k_level_.data(),
                         v_level_.data(), M, instance_.head);
  alignas(64) float out_sum[kBlock];
  attend_block({*device_, kernel, cells, instance_, D}, x, t, 1, runs_, out_sum, activity, &pulses);
  for (std::size_t d = 0; d < D; ++d) out[d] = scalers.output_a * out_sum[d] + scalers.output_b;

  if (activity == nullptr) return;
  ++activity->head_tokens;
  for (std::size_t d = 0; d < D; ++d) {
    ++activity->k_writes[k_level[d]];
    ++activity->v_writes[v_level[d]];
    if (device_->query_levels == 0 || q_code[d] == 0) continue;
    for (std::size_t l = 0; l < levels; ++l) activity->k_reads[q_code[d] * levels + l] += k_count_[d * levels + l];
  }
  for (std::size_t i = 0; i < held; ++i) {
    if (pulses.count[i] == 0) continue;
    const std::uint8_t* levels_of = &v_level_[(pulses.first + i) % M * kArrayRows];
    for (std::size_t d = 0; d < D; ++d) {
      const std::size_t level = levels_of[packed_place(d)];
      activity->v_reads[level] += 1;
      activity->v_read_time[level] += pulses.width[i];
    }
  }
}

}  // namespace gaincal::attention
