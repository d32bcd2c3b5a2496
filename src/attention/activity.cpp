#include "attention/activity.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "attention/analog_device.hpp"
#include "core/error.hpp"

namespace gaincal::attention {

namespace {

/// Knots of a HardSigmoid's histogram per k of charge.
constexpr int kKnotsPerK = 32;

KnotHistogram knots_of(const PulseCurve& curve, double from, double to) {
  if (!curve.table.empty()) return {curve.q_min, curve.q_step, std::vector<double>(curve.table.size())};
  const auto count = static_cast<std::size_t>(std::lround((to - from) * kKnotsPerK)) + 1;
  return {curve.q0 + from * curve.k, double{curve.k} / kKnotsPerK, std::vector<double>(count)};
}

template <class T>
void add_to(std::vector<T>& sum, const std::vector<T>& term, const char* name) {
  if (sum.size() != term.size()) {
    throw Error(std::string("activity: ") + name + " has " + std::to_string(sum.size()) + " entries here and " +
                std::to_string(term.size()) + " there; add up runs of the same device only");
  }
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += term[i];
}

void add_heads(std::vector<HeadEnergy>& sum, const std::vector<HeadEnergy>& term) {
  if (sum.size() != term.size())
    throw Error("activity: energy of " + std::to_string(sum.size()) + " heads here and of " +
                std::to_string(term.size()) + " there; add up runs of the same model only");
  for (std::size_t i = 0; i < sum.size(); ++i) {
    sum[i].sum.add(term[i].sum);
    sum[i].square_sum_J2 += term[i].square_sum_J2;
  }
}

}  // namespace

std::pair<std::size_t, double> KnotHistogram::place(double x) const {
  const double last = static_cast<double>(weight.size() - 1);
  const double u = std::clamp((x - x_min) / x_step, 0.0, last);
  const auto i = static_cast<std::size_t>(std::min(std::floor(u), last - 1.0));
  return {i, u - static_cast<double>(i)};
}

void KnotHistogram::add(double x) {
  const auto [i, f] = place(x);
  weight[i] += 1.0 - f;
  weight[i + 1] += f;
}

ConversionPrice KnotHistogram::price(double x, std::span<const ConversionPrice> prices) const {
  const auto [i, f] = place(x);
  return {(1.0 - f) * prices[i].converter_J + f * prices[i + 1].converter_J,
          (1.0 - f) * prices[i].counter_J + f * prices[i + 1].counter_J};
}

ConversionPrice KnotHistogram::add(const float* x, std::size_t n, std::span<const ConversionPrice> prices) {
  ConversionPrice sum;
  constexpr std::size_t kChunk = 64;
  int below[kChunk];
  float fraction[kChunk];
  const auto min = static_cast<float>(x_min), inverse_step = static_cast<float>(1.0 / x_step);
  const auto last = static_cast<float>(weight.size() - 1);
  const int last_below = static_cast<int>(weight.size()) - 2;
  for (std::size_t begin = 0; begin < n; begin += kChunk) {
    const std::size_t count = std::min(kChunk, n - begin);
    for (std::size_t i = 0; i < count; ++i) {
      const float u = (x[begin + i] - min) * inverse_step;
      const float low = u > 0.0f ? u : 0.0f;
      const float inside = low < last ? low : last;
      const int knot = static_cast<int>(inside);
      below[i] = knot < last_below ? knot : last_below;
      fraction[i] = inside - static_cast<float>(below[i]);
    }
    for (std::size_t i = 0; i < count; ++i) {
      const double f = double{fraction[i]};
      double* w = &weight[static_cast<std::size_t>(below[i])];
      w[0] += 1.0 - f;
      w[1] += f;
    }
    if (prices.empty()) continue;
    for (std::size_t i = 0; i < count; ++i) {
      const double f = double{fraction[i]};
      const ConversionPrice* price = &prices[static_cast<std::size_t>(below[i])];
      sum.converter_J += (1.0 - f) * price[0].converter_J + f * price[1].converter_J;
      sum.counter_J += (1.0 - f) * price[0].counter_J + f * price[1].counter_J;
    }
  }
  return sum;
}

void Activity::add(const Activity& other) {
  if (other.empty()) return;
  if (empty()) {
    *this = other;
    return;
  }
  head_tokens += other.head_tokens;
  add_to(k_reads, other.k_reads, "k_reads");
  add_to(v_reads, other.v_reads, "v_reads");
  add_to(v_read_time, other.v_read_time, "v_read_time");
  add_to(score_charge.weight, other.score_charge.weight, "score_charge");
  add_to(output_charge.weight, other.output_charge.weight, "output_charge");
  add_to(k_writes, other.k_writes, "k_writes");
  add_to(v_writes, other.v_writes, "v_writes");
  if (prices != nullptr) {
    add_heads(heads, other.heads);
    tokens.insert(tokens.end(), other.tokens.begin(), other.tokens.end());
  }
}

Activity make_activity(const AnalogDevice& device) {
  check_device(device);
  const auto queries = static_cast<std::size_t>(device.query_levels);
  const auto weights = static_cast<std::size_t>(device.weight_levels);
  Activity activity;
  activity.k_reads.assign(queries * weights, 0);
  activity.v_reads.assign(weights, 0);
  activity.v_read_time.assign(weights, 0.0);
  activity.k_writes.assign(weights, 0);
  activity.v_writes.assign(weights, 0);
  activity.score_charge = knots_of(device.score, -1.0, 2.0);
  PulseCurve output = device.output;
  output.q0 = 0.0f;
  activity.output_charge = knots_of(output, -2.0, 2.0);
  return activity;
}

void start_activity(const AnalogDevice& device, Activity& activity) {
  if (!activity.empty()) return;
  const std::shared_ptr<const EventPrices> prices = activity.prices;
  activity = make_activity(device);
  activity.prices = prices;
  if (prices == nullptr) return;
  const std::size_t levels = activity.k_writes.size();
  if (levels == 0 || activity.k_reads.empty() || prices->write.size() != levels ||
      prices->k_cell.size() != activity.k_reads.size() ||
      prices->score_conversion.size() != activity.score_charge.weight.size() ||
      prices->output_conversion.size() != activity.output_charge.weight.size())
    throw Error("activity: prices of other levels or converters than the device; make them for this device");
}

void add_head(const TokenMeter& meter, Activity& activity) {
  const std::vector<TokenEnergy>& rows = meter.tokens();
  if (activity.tokens.empty()) activity.tokens.resize(rows.size());
  if (activity.tokens.size() != rows.size())
    throw Error("activity: a head of " + std::to_string(rows.size()) + " tokens after one of " +
                std::to_string(activity.tokens.size()) + "; keep one activity for each text");
  HeadEnergy head;
  for (std::size_t t = 0; t < rows.size(); ++t) {
    activity.tokens[t].add(rows[t]);
    head.sum.add(rows[t]);
    const double total_J = rows[t].total_J();
    head.square_sum_J2 += total_J * total_J;
  }
  activity.heads.push_back(head);
}

}  // namespace gaincal::attention
