#include "attention/operands.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>

#include "core/error.hpp"

namespace gaincal::attention {

namespace {

constexpr float kLeastScale = 1e-20f;  // Leroux 2025, code: scalers clamp a
/// Adding and subtracting it rounds a float below 2^22 to an integer, half to even, without a call per number.
constexpr float kRound = 12582912.0f;

constexpr std::uint32_t kExponent = 0x7F800000;  // all ones: infinite or no number
/// Heads lie beside each other in a token's row, too far from the next token's for the processor to guess.
constexpr Eigen::Index kRowsAhead = 8;

void fetch_ahead(const ConstView& x, Eigen::Index row) {
  if (row >= x.rows()) return;
  constexpr Eigen::Index kFloatsOfLine = 16;
  for (Eigen::Index d = 0; d < x.cols(); d += kFloatsOfLine) __builtin_prefetch(x.row(row).data() + d);
}

}  // namespace

double moment_factor(const AnalogDevice& device, std::size_t m, std::size_t age) {
  const double power = device.leak_mode == LeakMode::per_moment ? static_cast<double>(m) : 1.0;
  return device.moment[m] * std::exp(-device.leak_per_token * power * static_cast<double>(age));
}

double polynomial_charge(const AnalogDevice& device, std::size_t age, float v_V) {
  const double y = double{v_V} - device.v_zero_V;
  double charge = 0.0, power = 1.0;
  for (std::size_t m = 0; m < device.moment.size(); ++m) {
    charge += moment_factor(device, m, age) * power;
    power *= y;
  }
  return charge;
}

bool quantise(const LevelGrid& grid, float a, float b, const float* x, std::size_t n, float* value,
              std::uint8_t* code) {
  const float scale = std::max(a, kLeastScale);
  std::uint32_t bad = 0;
  for (std::size_t i = 0; i < n; ++i) {
    bad |= (std::bit_cast<std::uint32_t>(x[i]) & kExponent) == kExponent ? 1U : 0U;
    const float y = scale * x[i] + b;
    const float low = y > 0.0f ? y : 0.0f;
    value[i] = low < grid.hi ? low : grid.hi;
  }
  if (grid.levels == 0) return bad == 0;
  for (std::size_t i = 0; i < n; ++i) {
    const float level = (value[i] / grid.step + kRound) - kRound;
    value[i] = grid.step * level;
    if (code != nullptr) code[i] = static_cast<std::uint8_t>(static_cast<int>(level));
  }
  return bad == 0;
}

Operands prepare(const AnalogDevice& device, const HeadScalers& scalers, const ConstView& q, const ConstView& k,
                 const ConstView& v) {
  const auto T = static_cast<std::size_t>(q.rows());
  const auto D = static_cast<std::size_t>(q.cols());
  const LevelGrid query(1.0, device.query_levels);
  const LevelGrid weight(device.v_max_V, device.weight_levels);
  const bool keep_volts = device.read.size() == 0;
  Operands operands;
  operands.q.assign(T * kArrayRows, 0.0f);
  if (device.query_levels != 0) operands.q_code.assign(T * kArrayRows, 0);
  if (keep_volts) {
    operands.k.assign(T * kArrayRows, 0.0f);
    operands.v.assign(T * kArrayRows, 0.0f);
  }
  if (device.weight_levels != 0) {
    operands.k_level.assign(T * kArrayRows, 0);
    operands.v_level.assign(T * kArrayRows, 0);
  }
  std::vector<float> volts(kArrayRows);
  const auto row = [&](const LevelGrid& grid, float a, float b, const ConstView& x, std::size_t t, float* value,
                       std::vector<std::uint8_t>& code, const char* name) {
    const auto r = static_cast<Eigen::Index>(t);
    if (!quantise(grid, a, b, x.row(r).data(), D, value, code.empty() ? nullptr : &code[t * kArrayRows])) {
      throw Error(std::string("attention: ") + name + " of token " + std::to_string(t) +
                  " has a value that is not finite; check the weights before it");
    }
  };
  for (std::size_t t = 0; t < T; ++t) {
    for (const ConstView* x : {&q, &k, &v}) fetch_ahead(*x, static_cast<Eigen::Index>(t) + kRowsAhead);
    row(query, scalers.q_a, scalers.q_b, q, t, &operands.q[t * kArrayRows], operands.q_code, "q");
    row(weight, scalers.k_a, scalers.k_b, k, t, keep_volts ? &operands.k[t * kArrayRows] : volts.data(),
        operands.k_level, "k");
    row(weight, scalers.v_a, scalers.v_b, v, t, keep_volts ? &operands.v[t * kArrayRows] : volts.data(),
        operands.v_level, "v");
  }
  return operands;
}

void check_shapes(const AnalogDevice& device, Eigen::Index head_size) {
  check_device(device);
  if (head_size < 1 || head_size > static_cast<Eigen::Index>(kArrayRows)) {
    throw Error("attention: head size " + std::to_string(head_size) +
                " does not fit an array of 64 rows; use a model with heads of 1..64");
  }
}

void check_shapes(const AnalogDevice& device, const ConstView& q, const ConstView& k, const ConstView& v,
                  const View& out) {
  check_shapes(device, q.cols());
  const auto same = [&](const auto& x) { return x.rows() == q.rows() && x.cols() == q.cols(); };
  if (!same(k) || !same(v) || !same(out)) {
    throw Error("attention: q, k, v and out must all be (tokens, head size); q is " + std::to_string(q.rows()) + " x " +
                std::to_string(q.cols()));
  }
}

}  // namespace gaincal::attention
