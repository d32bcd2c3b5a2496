#include <algorithm>
#include <string>
#include <utility>

#include "attention/attend.hpp"
#include "attention/operands.hpp"
#include "attention/table_engine.hpp"
#include "core/error.hpp"

namespace gaincal::attention {

namespace {

void pack_column(const std::uint8_t* level, std::size_t D, std::uint8_t* column) {
  for (std::size_t d = 0; d < D; ++d) column[packed_place(d)] = level[d];
}

/// v: packed levels, token s in column s mod capacity.
void count_v_reads(const ColumnPulses& pulses, const std::uint8_t* v, std::size_t capacity, std::size_t D,
                   Activity& activity) {
  for (std::size_t i = 0; i < pulses.count.size(); ++i) {
    if (pulses.count[i] == 0) continue;
    const std::uint8_t* levels_of = v + (pulses.first + i) % capacity * kArrayRows;
    for (std::size_t d = 0; d < D; ++d) {
      const std::size_t level = levels_of[packed_place(d)];
      activity.v_reads[level] += pulses.count[i];
      activity.v_read_time[level] += pulses.width[i];
    }
  }
}

}  // namespace

std::shared_ptr<const PreparedTable> prepare_table(const AnalogDevice& device, KernelVersion version) {
  check_device(device);
  return std::make_shared<const PreparedTable>(device, choose_kernel(version, device.weight_levels));
}

HeadCache::HeadCache(const AnalogDevice& device, std::size_t head_size, KernelVersion version, const Instance& instance,
                     std::shared_ptr<const PreparedTable> table)
    : device_(&device), head_size_(head_size), instance_(instance), table_(std::move(table)) {
  check_shapes(device, static_cast<Eigen::Index>(head_size));
  check_instance(device, instance);
  if (device.read.size() == 0) {
    throw Error(
        "attention: a cache stores levels, and this device has no level table; quantise weights to 2..16 levels");
  }
  if (table_ == nullptr) table_ = prepare_table(device, version);
  const std::size_t columns = device.window + kColumnPadding;
  k_level_.assign(columns * kArrayRows, 0);
  v_level_.assign(columns * kArrayRows, 0);
  k_count_.assign(kArrayRows * static_cast<std::size_t>(device.weight_levels), 0);
}

void HeadCache::step(const HeadScalers& scalers, const float* q, const float* k, const float* v, float* out,
                     Activity* activity) {
  const std::size_t M = device_->window, D = head_size_;
  const std::size_t t = tokens_, column = (t % M) * kArrayRows;
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
  if (activity != nullptr) start_activity(*device_, *activity);
  count_token(q_code, k_level, v_level, t < M ? nullptr : &k_level_[column], activity);
  pack_column(k_level, D, &k_level_[column]);
  pack_column(v_level, D, &v_level_[column]);
  ++tokens_;

  ColumnPulses pulses;
  const std::size_t held = std::min(t + 1, M);
  if (activity != nullptr) pulses.reset(t + 1 - held, held);
  const TableCells cells(*table_, x, t, k_level_.data(), v_level_.data(), M, instance_.head);
  alignas(64) float out_sum[kBlock];
  attend_blocks({*device_, table_->kernel(), cells, instance_, D}, x, t, 1, runs_, out_sum, activity, &pulses);
  for (std::size_t d = 0; d < D; ++d) out[d] = scalers.output_a * out_sum[d] + scalers.output_b;
  if (activity != nullptr) count_v_reads(pulses, v_level_.data(), M, D, *activity);
}

void HeadCache::extend(const HeadScalers& scalers, ConstView q, ConstView k, ConstView v, View out,
                       Activity* activity) {
  check_shapes(*device_, q, k, v, out);
  if (static_cast<std::size_t>(q.cols()) != head_size_)
    throw Error("attention: heads of " + std::to_string(q.cols()) + " values for a cache of " +
                std::to_string(head_size_) + "; keep one cache a head");
  const std::size_t M = device_->window, D = head_size_, T = static_cast<std::size_t>(q.rows()), first = tokens_;
  const Operands operands = prepare(*device_, scalers, q, k, v);
  // What the first query sees is overwritten before the last one has its turn: here all of them stand side by side, in
  // whole laps of the ring, so that no run is broken.
  const std::size_t held = std::min(first, M), capacity = (held + T + M - 1) / M * M;
  std::vector<std::uint8_t> k_all((capacity + kColumnPadding) * kArrayRows), v_all(k_all.size());
  const auto place = [&](std::size_t s) { return s % capacity * kArrayRows; };
  for (std::size_t s = first - held; s < first; ++s) {
    std::copy_n(&k_level_[s % M * kArrayRows], kArrayRows, &k_all[place(s)]);
    std::copy_n(&v_level_[s % M * kArrayRows], kArrayRows, &v_all[place(s)]);
  }
  ColumnPulses pulses;
  if (activity != nullptr) {
    start_activity(*device_, *activity);
    pulses.reset(first - held, held + T);
  }
  const std::vector<std::uint8_t> no_codes(kArrayRows);
  for (std::size_t t = 0; t < T; ++t) {
    const std::uint8_t *k_level = &operands.k_level[t * kArrayRows], *v_level = &operands.v_level[t * kArrayRows];
    const std::uint8_t* codes = operands.q_code.empty() ? no_codes.data() : &operands.q_code[t * kArrayRows];
    count_token(codes, k_level, v_level, first + t < M ? nullptr : &k_all[place(first + t - M)], activity);
    pack_column(k_level, D, &k_all[place(first + t)]);
    pack_column(v_level, D, &v_all[place(first + t)]);
  }
  tokens_ += T;

  const TableCells cells(*table_, operands.q.data(), first, k_all.data(), v_all.data(), capacity, instance_.head);
  alignas(64) float out_sum[kQueries * kBlock];
  for (std::size_t t0 = 0; t0 < T; t0 += kQueries) {
    const std::size_t tokens = std::min(kQueries, T - t0);
    attend_blocks({*device_, table_->kernel(), cells, instance_, D}, &operands.q[t0 * kArrayRows], first + t0, tokens,
                  runs_, out_sum, activity, &pulses);
    for (std::size_t t = 0; t < tokens; ++t) {
      float* row = out.row(static_cast<Eigen::Index>(t0 + t)).data();
      for (std::size_t d = 0; d < D; ++d) row[d] = scalers.output_a * out_sum[t * kBlock + d] + scalers.output_b;
    }
  }
  if (activity != nullptr) count_v_reads(pulses, v_all.data(), capacity, D, *activity);
  for (std::size_t s = tokens_ - std::min(T, M); s < tokens_; ++s) {
    std::copy_n(&k_all[place(s)], kArrayRows, &k_level_[s % M * kArrayRows]);
    std::copy_n(&v_all[place(s)], kArrayRows, &v_level_[s % M * kArrayRows]);
  }
}

void HeadCache::count_token(const std::uint8_t* q_code, const std::uint8_t* k_level, const std::uint8_t* v_level,
                            const std::uint8_t* overwritten, Activity* activity) {
  const auto levels = static_cast<std::size_t>(device_->weight_levels);
  for (std::size_t d = 0; d < head_size_; ++d) {
    if (overwritten != nullptr) --k_count_[d * levels + overwritten[packed_place(d)]];
    ++k_count_[d * levels + k_level[d]];
  }
  if (activity == nullptr) return;
  ++activity->head_tokens;
  for (std::size_t d = 0; d < head_size_; ++d) {
    ++activity->k_writes[k_level[d]];
    ++activity->v_writes[v_level[d]];
    if (device_->query_levels == 0 || q_code[d] == 0) continue;
    for (std::size_t l = 0; l < levels; ++l) activity->k_reads[q_code[d] * levels + l] += k_count_[d * levels + l];
  }
}

}  // namespace gaincal::attention
