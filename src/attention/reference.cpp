#include <algorithm>
#include <optional>

#include "attention/attend.hpp"
#include "attention/block.hpp"
#include "attention/operands.hpp"

namespace gaincal::attention {

namespace {

/// Charges of one cell: full-length pulse, and per pulse.
struct Cell {
  const AnalogDevice& device;
  const Operands& operands;

  double read(std::size_t age, const std::vector<std::uint8_t>& level, const std::vector<float>& volts,
              std::size_t i) const {
    if (device.read.size() == 0) return polynomial_charge(device, age, volts[i]);
    return double{device.read(static_cast<Eigen::Index>(age), level[i])};
  }
  double edge(std::size_t age, const std::vector<std::uint8_t>& level, std::size_t i) const {
    if (device.edge.size() == 0) return 0.0;
    return double{device.edge(static_cast<Eigen::Index>(age), level[i])};
  }
};

/// What the head's cells and converters have of their own; token s stands in column s mod M.
struct Differences {
  const HeadVariation* head;
  std::size_t window;

  double k_gain(std::size_t s, std::size_t d) const { return head == nullptr ? 1.0 : cell(head->k_gain, s, d, 1.0); }
  double v_gain(std::size_t s, std::size_t d) const { return head == nullptr ? 1.0 : cell(head->v_gain, s, d, 1.0); }
  double k_offset(std::size_t s, std::size_t d) const {
    return head == nullptr ? 0.0 : cell(head->k_offset, s, d, 0.0);
  }
  double v_offset(std::size_t s, std::size_t d) const {
    return head == nullptr ? 0.0 : cell(head->v_offset, s, d, 0.0);
  }
  double score_offset(std::size_t s) const {
    return head == nullptr || head->score_offset.empty() ? 0.0 : double{head->score_offset[s % window]};
  }
  double output_offset(std::size_t tile, std::size_t d) const {
    return head == nullptr || head->output_offset.empty() ? 0.0 : double{head->output_offset[tile * kArrayRows + d]};
  }

 private:
  double cell(const std::vector<float>& drawn, std::size_t s, std::size_t d, double otherwise) const {
    return drawn.empty() ? otherwise : double{drawn[s % window * kArrayRows + d]};
  }
};

double collect(const device::BitLineModel& line, double charge, double full_pulses) {
  constexpr double kC_per_fC = 1e-15;
  return line.collected_charge_C(charge * kC_per_fC, full_pulses) / kC_per_fC;
}

void count_token(const AnalogDevice& device, const Operands& o, std::size_t t, std::size_t D, Activity& activity) {
  ++activity.head_tokens;
  if (device.weight_levels == 0) return;
  for (std::size_t d = 0; d < D; ++d) {
    ++activity.k_writes[o.k_level[t * kArrayRows + d]];
    ++activity.v_writes[o.v_level[t * kArrayRows + d]];
  }
}

void count_pair(const AnalogDevice& device, const Operands& o, std::size_t t, std::size_t s, std::size_t D, float phi,
                Activity& activity) {
  if (device.weight_levels == 0) return;
  const auto levels = static_cast<std::size_t>(device.weight_levels);
  for (std::size_t d = 0; d < D; ++d) {
    if (device.query_levels != 0 && o.q_code[t * kArrayRows + d] > 0) {
      ++activity.k_reads[o.q_code[t * kArrayRows + d] * levels + o.k_level[s * kArrayRows + d]];
    }
    if (phi > 0.0f) {
      ++activity.v_reads[o.v_level[s * kArrayRows + d]];
      activity.v_read_time[o.v_level[s * kArrayRows + d]] += double{phi};
    }
  }
}

void price_writes(const Operands& o, std::size_t t, std::size_t D, TokenMeter& meter) {
  for (std::size_t d = 0; d < D; ++d)
    meter.token(t)[Event::write] +=
        meter.prices().write[o.k_level[t * kArrayRows + d]] + meter.prices().write[o.v_level[t * kArrayRows + d]];
}

void price_pair(const KnotHistogram& knots, const Operands& o, std::size_t t, std::size_t s, std::size_t D, float S,
                float phi, TokenMeter& meter) {
  const EventPrices& prices = meter.prices();
  const std::size_t levels = prices.write.size();
  TokenEnergy& energy = meter.token(t);
  energy[Event::score_conversion] += knots.price(double{S}, prices.score_conversion).converter_J;
  energy[Event::columns] += 1.0;
  for (std::size_t d = 0; d < D; ++d) {
    const std::size_t code = o.q_code[t * kArrayRows + d], level = o.k_level[s * kArrayRows + d];
    if (code == 0) continue;
    energy[Event::k_word_line] += prices.word_line[level];
    energy[Event::k_cell] += prices.k_cell[code * levels + level];
  }
  meter.sum_pulse(t, s, double{phi});
}

void price_output(const KnotHistogram& knots, float charge, TokenEnergy& energy, const EventPrices& prices) {
  const ConversionPrice price = knots.price(double{charge}, prices.output_conversion);
  energy[Event::output_conversion] += price.converter_J;
  energy[Event::counter] += price.counter_J;
  energy[Event::adder] += prices.addition;
  energy[Event::outputs] += 1.0;
}

void start_trace(const AnalogDevice& device, const Operands& o, Eigen::Index T, Eigen::Index D, Trace& trace) {
  using Codes = Eigen::Map<const Trace::Codes, 0, Eigen::OuterStride<>>;
  const auto codes = [&](const std::vector<std::uint8_t>& x) -> Trace::Codes {
    if (x.empty()) return {};
    return Codes(x.data(), T, D, Eigen::OuterStride<>(kArrayRows));
  };
  const LevelGrid grid(device.v_max_V, device.weight_levels);
  const auto volts = [&](const std::vector<float>& x, const Trace::Codes& level) -> Matrix {
    if (x.empty()) return level.cast<float>() * grid.step;
    return Eigen::Map<const Matrix, 0, Eigen::OuterStride<>>(x.data(), T, D, Eigen::OuterStride<>(kArrayRows));
  };
  trace.q_code = codes(o.q_code);
  trace.k_level = codes(o.k_level);
  trace.v_level = codes(o.v_level);
  trace.q = volts(o.q, {});
  trace.k = volts(o.k, trace.k_level);
  trace.v = volts(o.v, trace.v_level);
  trace.S = Matrix::Zero(T, T);
  trace.phi = Matrix::Zero(T, T);
  trace.out_sum = Matrix::Zero(T, D);
  const auto last = std::min(static_cast<std::size_t>(T), device.tile_map == TileMap::ring ? device.window : T);
  trace.A_tiles.assign((last + device.tile_columns - 1) / device.tile_columns, Matrix::Zero(T, D));
}

}  // namespace

void attend_reference(const AnalogDevice& device, const HeadScalers& scalers, ConstView q, ConstView k, ConstView v,
                      View out, Trace* trace, Activity* activity, const Instance& instance) {
  check_shapes(device, q, k, v, out);
  check_instance(device, instance);
  const Eigen::Index T = q.rows(), D = q.cols();
  const auto rows = static_cast<std::size_t>(D);
  const Operands o = prepare(device, scalers, q, k, v);
  const Cell cell{device, o};
  const Converter score = score_converter(device), output = output_converter(device);
  if (trace != nullptr) start_trace(device, o, T, D, *trace);
  std::optional<TokenMeter> meter;
  if (activity != nullptr) {
    start_activity(device, *activity);
    if (activity->prices != nullptr)
      meter.emplace(*activity->prices, o.v_level, static_cast<std::size_t>(T), rows, kArrayRows);
  }

  const std::size_t tiles =
      T == 0 ? 0
             : tile_of(device, std::min<std::size_t>(static_cast<std::size_t>(T), device.tile_map == TileMap::ring
                                                                                      ? device.window
                                                                                      : static_cast<std::size_t>(T)) -
                                   1) +
                   1;
  const Differences cells{instance.head, device.window};
  const Jitter jitter(device, instance);
  std::vector<double> A(tiles * rows), pulses(tiles);
  std::vector<bool> enabled(tiles);
  for (std::size_t t = 0; t < static_cast<std::size_t>(T); ++t) {
    if (activity != nullptr) count_token(device, o, t, rows, *activity);
    if (meter) price_writes(o, t, rows, *meter);
    std::fill(A.begin(), A.end(), 0.0);
    std::fill(pulses.begin(), pulses.end(), 0.0);
    std::fill(enabled.begin(), enabled.end(), false);
    double query_pulses = 0.0;
    for (std::size_t d = 0; d < rows; ++d) query_pulses += double{o.q[t * kArrayRows + d]};
    const std::size_t oldest = t + 1 > device.window ? t + 1 - device.window : 0;
    for (std::size_t s = oldest; s <= t; ++s) {
      const std::size_t age = t - s;
      double charge = 0.0;
      for (std::size_t d = 0; d < rows; ++d) {
        const double x = double{o.q[t * kArrayRows + d]};
        double poured = x * cell.read(age, o.k_level, o.k, s * kArrayRows + d);
        if (x > 0.0) poured += cell.edge(age, o.k_level, s * kArrayRows + d);
        charge += cells.k_gain(s, d) * poured + x * cells.k_offset(s, d);
      }
      const auto S = static_cast<float>(collect(device.score_bit_line, charge, query_pulses) + cells.score_offset(s));
      float phi = score_width(score, S);
      if (jitter.any()) phi = jitter.score(phi, t, s % device.window);
      const std::size_t tile = tile_of(device, s);
      enabled[tile] = true;
      if (phi > 0.0f) {
        for (std::size_t d = 0; d < rows; ++d) {
          A[tile * rows + d] += cells.v_gain(s, d) * (double{phi} * cell.read(age, o.v_level, o.v, s * kArrayRows + d) +
                                                      cell.edge(age, o.v_level, s * kArrayRows + d)) +
                                double{phi} * cells.v_offset(s, d);
        }
        pulses[tile] += double{phi};
      }
      if (trace != nullptr) {
        trace->S(static_cast<Eigen::Index>(t), static_cast<Eigen::Index>(s)) = S;
        trace->phi(static_cast<Eigen::Index>(t), static_cast<Eigen::Index>(s)) = phi;
      }
      if (activity != nullptr) {
        activity->score_charge.add(double{S});
        count_pair(device, o, t, s, rows, phi, *activity);
        if (meter) price_pair(activity->score_charge, o, t, s, rows, S, phi, *meter);
      }
    }
    const auto row = static_cast<Eigen::Index>(t);
    for (std::size_t d = 0; d < rows; ++d) {
      const auto col = static_cast<Eigen::Index>(d);
      float sum = 0.0f;
      for (std::size_t tile = 0; tile < tiles; ++tile) {
        if (!enabled[tile]) continue;
        const auto charge = static_cast<float>(collect(device.output_bit_line, A[tile * rows + d], pulses[tile]) +
                                               cells.output_offset(tile % tiles_of(device), d));
        float value = output_width(output, charge);
        if (jitter.any()) value = jitter.output(value, t, tile, d);
        sum += device.output_levels == 0 ? value : counted(output, value);
        if (trace != nullptr) trace->A_tiles[tile](row, col) = charge * output.inverse_k;
        if (activity != nullptr) activity->output_charge.add(double{charge});
        if (meter) price_output(activity->output_charge, charge, meter->token(t), meter->prices());
      }
      if (trace != nullptr) trace->out_sum(row, col) = sum;
      out(row, col) = scalers.output_a * sum + scalers.output_b;
    }
  }
  if (meter) add_head(*meter, *activity);
}

}  // namespace gaincal::attention
