#include "attention/attend.hpp"

#include <algorithm>
#include <memory>
#include <optional>

#include "attention/moment_engine.hpp"
#include "attention/operands.hpp"
#include "attention/table_engine.hpp"

namespace gaincal::attention {

namespace {

/// Writes and K reads, from the codes alone: a query's pulses of one row meet the levels that the window holds there.
void count_codes(const AnalogDevice& device, const Operands& operands, std::size_t T, std::size_t D, Activity& activity,
                 TokenMeter* meter) {
  activity.head_tokens += T;
  if (device.weight_levels == 0) return;
  const auto levels = static_cast<std::size_t>(device.weight_levels);
  std::vector<std::uint32_t> held(D * levels, 0);  // (D, levels) cells of the window
  for (std::size_t t = 0; t < T; ++t) {
    for (std::size_t d = 0; d < D; ++d) {
      const std::size_t k = operands.k_level[t * kArrayRows + d];
      ++activity.k_writes[k];
      ++activity.v_writes[operands.v_level[t * kArrayRows + d]];
      if (meter != nullptr)
        meter->token(t)[Event::write] +=
            meter->prices().write[k] + meter->prices().write[operands.v_level[t * kArrayRows + d]];
      ++held[d * levels + k];
      if (t >= device.window) --held[d * levels + operands.k_level[(t - device.window) * kArrayRows + d]];
      if (device.query_levels == 0) continue;
      const std::size_t code = operands.q_code[t * kArrayRows + d];
      if (code == 0) continue;
      for (std::size_t l = 0; l < levels; ++l) activity.k_reads[code * levels + l] += held[d * levels + l];
      if (meter == nullptr) continue;
      for (std::size_t l = 0; l < levels; ++l) {
        const double reads = held[d * levels + l];
        meter->token(t)[Event::k_word_line] += reads * meter->prices().word_line[l];
        meter->token(t)[Event::k_cell] += reads * meter->prices().k_cell[code * levels + l];
      }
    }
  }
}

void count_pulses(const std::vector<std::uint8_t>& v_level, const ColumnPulses& pulses, std::size_t T, std::size_t D,
                  Activity& activity) {
  for (std::size_t s = 0; s < T; ++s) {
    for (std::size_t d = 0; d < D; ++d) {
      const std::size_t level = v_level[s * kArrayRows + d];
      activity.v_reads[level] += pulses.count[s];
      activity.v_read_time[level] += pulses.width[s];
    }
  }
}

}  // namespace

void attend(const AnalogDevice& device, const HeadScalers& scalers, ConstView q, ConstView k, ConstView v, View out,
            Activity* activity, KernelVersion version, const Instance& instance) {
  check_shapes(device, q, k, v, out);
  check_instance(device, instance);
  const auto T = static_cast<std::size_t>(q.rows());
  const auto D = static_cast<std::size_t>(q.cols());
  const Kernel kernel = choose_kernel(version, device.weight_levels);
  const Operands operands = prepare(device, scalers, q, k, v);

  std::optional<PreparedTable> table;
  std::vector<std::uint8_t> k_packed, v_packed;
  std::unique_ptr<Cells> cells;
  if (device.read.size() != 0) {
    k_packed = pack_columns(operands.k_level);
    v_packed = pack_columns(operands.v_level);
    table.emplace(device, kernel);
    cells =
        std::make_unique<TableCells>(*table, operands.q.data(), 0, k_packed.data(), v_packed.data(), T, instance.head);
  } else {
    cells = std::make_unique<MomentCells>(device, operands, T, instance.head);
  }

  ColumnPulses pulses;
  std::optional<TokenMeter> meter;
  if (activity != nullptr) {
    start_activity(device, *activity);
    if (activity->prices != nullptr) meter.emplace(*activity->prices, operands.v_level, T, D, kArrayRows);
    pulses.meter = meter ? &*meter : nullptr;
    count_codes(device, operands, T, D, *activity, pulses.meter);
    pulses.reset(0, T);
  }
  const BlockContext context{device, kernel, *cells, instance, D};
  std::vector<std::vector<Run>> runs;
  alignas(64) float out_sum[kQueries * kBlock];
  for (std::size_t t0 = 0; t0 < T; t0 += kQueries) {
    const std::size_t tokens = std::min(kQueries, T - t0);
    attend_blocks(context, &operands.q[t0 * kArrayRows], t0, tokens, runs, out_sum, activity, &pulses);
    for (std::size_t t = 0; t < tokens; ++t) {
      float* row = out.row(static_cast<Eigen::Index>(t0 + t)).data();
      for (std::size_t d = 0; d < D; ++d) row[d] = scalers.output_a * out_sum[t * kBlock + d] + scalers.output_b;
    }
  }
  if (activity != nullptr && device.weight_levels != 0) count_pulses(operands.v_level, pulses, T, D, *activity);
  if (meter) add_head(*meter, *activity);
}

}  // namespace gaincal::attention
