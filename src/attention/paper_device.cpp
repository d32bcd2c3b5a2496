#include <array>
#include <cmath>

#include "attention/analog_device.hpp"
#include "attention/operands.hpp"

namespace gaincal::attention {

namespace {

constexpr double kFullScale_V = 0.9;
constexpr double kLinearGain = 19.3;    // Leroux 2025, code: amp_coefficient
constexpr float kScoreSaturation = 80;  // Leroux 2025, code: S / 80, array_scale of the first array
constexpr float kOutputSaturation = 40;
/// C_ij of i(v, v_in) = sum_ij C_ij (v - 0.45)^i v_in^j, i + j <= 3, in the order i = 0: j = 0..3, i = 1: j = 0..2, ...
constexpr std::array<double, 10> kC = {0.17393044, 0.15653739, 0.14088365,  0.12679529,  5.51975209,
                                       4.96777688, 4.4709992,  -1.44776001, -1.30298401, 46.05483778};

/// Moments of the cubic cell with the word line at 0.9 V: P_i = sum_j C_ij 0.9^j.
std::vector<double> cubic_moments() {
  std::vector<double> moment(4, 0.0);
  std::size_t n = 0;
  for (int i = 0; i < 4; ++i) {
    for (int j = 0; j < 4 - i; ++j) moment[static_cast<std::size_t>(i)] += kC[n++] * std::pow(kFullScale_V, j);
  }
  return moment;
}

}  // namespace

AnalogDevice make_paper_device(const PaperOptions& options) {
  AnalogDevice device;
  device.window = options.window;
  device.tile_map = options.tile_map;
  device.query_levels = options.query_levels;
  device.weight_levels = options.weight_levels;
  device.output_levels = options.output_levels;
  device.v_max_V = kFullScale_V;
  device.v_zero_V = kFullScale_V / 2;
  device.leak_per_token = options.leak_per_token;
  device.leak_mode = options.leak_mode;
  device.moment = options.nonlinear ? cubic_moments() : std::vector<double>{0.0, kLinearGain};
  device.score.k = kScoreSaturation;
  device.output.k = kOutputSaturation;
  if (device.weight_levels > 0 && device.weight_levels <= kRegisterLevels) {
    const LevelGrid grid(device.v_max_V, device.weight_levels);
    device.read.resize(static_cast<Eigen::Index>(device.window), device.weight_levels);
    for (Eigen::Index age = 0; age < device.read.rows(); ++age) {
      for (int level = 0; level < device.weight_levels; ++level) {
        device.read(age, level) =
            static_cast<float>(polynomial_charge(device, static_cast<std::size_t>(age), grid.value(level)));
      }
    }
  }
  check_device(device);
  return device;
}

}  // namespace gaincal::attention
