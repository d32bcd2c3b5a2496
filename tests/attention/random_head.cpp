#include "attention/random_head.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "core/random.hpp"

namespace gaincal::tests {

using namespace attention;

RandomHead::RandomHead(std::size_t T, std::size_t D, std::uint64_t seed)
    : q(T, D), k(T, D), v(T, D), scalers{0.9f, 0.02f, 0.85f, 0.01f, 0.95f, -0.01f, 1.7f, 0.3f} {
  const CounterRandom random(seed, 1);
  for (Eigen::Index i = 0; i < q.size(); ++i) {
    const auto n = static_cast<std::uint64_t>(3 * i);
    q.data()[i] = static_cast<float>(1.4 * random.uniform(n) - 0.2);
    k.data()[i] = static_cast<float>(0.9 * (1.4 * random.uniform(n + 1) - 0.2));
    v.data()[i] = static_cast<float>(0.9 * (1.4 * random.uniform(n + 2) - 0.2));
  }
}

namespace {

AnalogDevice random_device(std::size_t window, int levels, bool edge, bool curves, TileMap map, std::uint64_t seed) {
  const CounterRandom random(seed, 2);
  std::uint64_t n = 0;
  const auto fill = [&](Table& table, double scale) {
    table.resize(static_cast<Eigen::Index>(window), levels);
    for (Eigen::Index i = 0; i < table.size(); ++i) {
      table.data()[i] = static_cast<float>(scale * (2.0 * random.uniform(n++) - 1.0));
    }
  };
  AnalogDevice device;
  device.window = window;
  device.tile_map = map;
  device.weight_levels = levels;
  fill(device.read, 10.0);
  if (edge) fill(device.edge, 0.5);
  device.score.q0 = -3.0f;  // a masked column would give a pulse if it were converted
  device.score.k = 80.0f;
  device.output.k = 40.0f;
  if (curves) {
    device.counter_max = 15;
    device.score.q_min = -50.0f;
    device.score.q_step = 2.0f;
    device.output.q_min = -60.0f;
    device.output.q_step = 1.5f;
    float width = 0.0f;
    for (int i = 0; i < 60; ++i) {
      device.score.table.push_back(std::min(width, 1.0f));
      if (i > 20) width += static_cast<float>(0.05 * random.uniform(n++));
    }
    float value = -1.1f;
    for (int i = 0; i < 81; ++i) {
      device.output.table.push_back(std::clamp(value, -1.0f, 1.0f));
      value += static_cast<float>(0.055 * random.uniform(n++));
    }
  }
  return device;
}

void leak(AnalogDevice& device) {
  for (Table* table : {&device.read, &device.edge}) {
    for (Eigen::Index age = 1; age < table->rows(); ++age) {
      for (Eigen::Index l = 0; l < table->cols(); ++l) {
        const double rate = 3e-4 * static_cast<double>(l + 1) / static_cast<double>(table->cols());
        (*table)(age, l) = static_cast<float>(double{(*table)(0, l)} * std::exp(-rate * static_cast<double>(age)));
      }
    }
  }
}

}  // namespace

std::vector<RandomDevice> random_devices(std::size_t T, std::uint64_t seed) {
  std::vector<RandomDevice> devices;
  const std::size_t windows[] = {2 * T, 64, 50, 128, 7, 100, 80};
  const int levels[] = {8, 16, 5, 9, 2, 8, 200};
  for (std::size_t i = 0; i < std::size(levels); ++i) {
    for (const TileMap map : {TileMap::ring, TileMap::absolute}) {
      const bool edge = i % 2 == 0 || map == TileMap::absolute, curves = (i + (edge ? 1 : 0)) % 3 == 0;
      devices.push_back({"window " + std::to_string(windows[i]) + ", " + std::to_string(levels[i]) + " levels" +
                             (edge ? ", edge" : "") + (curves ? ", curves" : "") +
                             (map == TileMap::ring ? ", ring" : ", absolute"),
                         random_device(windows[i], levels[i], edge, curves, map, seed + i)});
    }
  }
  return devices;
}

std::vector<ChipDevice> random_chips(std::size_t T, std::uint64_t seed, double jitter) {
  std::vector<ChipDevice> chips;
  std::vector<RandomDevice> devices = random_devices(T, seed);
  for (RandomDevice leaking : random_devices(T, seed + 1)) {
    leak(leaking.device);
    devices.push_back({leaking.name + ", leaking", leaking.device});
  }
  for (auto& [name, device] : devices) {
    device.score_bit_line.coeff = {{{0.0, 0.01, 0.0, 0.0}, {1.0, -1e-3, 1e-6, 0.0}, {1e-5, 0.0, 0.0, 1e-10}, {}}};
    device.output_bit_line.coeff = {{{0.1, -0.01, 0.0, 0.0}, {0.99, -2e-3, 0.0, 1e-8}, {}, {-1e-8, 0.0, 0.0, 0.0}}};
    // Both ends of the charges are met.
    device.score_bit_line.q_max_C = 30e-15, device.score_bit_line.full_pulses_max = 35.0;
    device.output_bit_line.q_min_C = -20e-15, device.output_bit_line.q_max_C = 1.0;
    device.variation = {0.1, 0.3, 2.0, 1.5, jitter, seed, 3};
    // Chips that lack one or the other.
    if (chips.size() % 4 == 1) device.score_bit_line = {}, device.variation.output_offset_sigma = 0.0;
    if (chips.size() % 4 == 2) device.output_bit_line = {}, device.variation.score_offset_sigma = 0.0;
    if (chips.size() % 4 == 3) device.variation.cell_gain_sigma = device.variation.cell_offset_sigma = 0.0;
    chips.push_back({name + ", chip", device, draw_head(device, 1, 2)});
  }
  return chips;
}

double largest_score(const AnalogDevice& device, std::size_t D) {
  const double edge = device.edge.size() == 0 ? 0.0 : double{device.edge.abs().maxCoeff()};
  const Variation& variation = device.variation;  // 5 sigma: one draw in two million is beyond
  return static_cast<double>(D) *
         ((1.0 + 5.0 * variation.cell_gain_sigma) * (double{device.read.abs().maxCoeff()} + edge) +
          5.0 * variation.cell_offset_sigma);
}

double largest_output(const AnalogDevice& device) { return largest_score(device, device.tile_columns); }

std::vector<KernelVersion> kernel_versions() {
  std::vector<KernelVersion> versions;
  for (const auto version : {KernelVersion::portable, KernelVersion::avx2, KernelVersion::avx512}) {
    if (kernel_available(version)) versions.push_back(version);
  }
  return versions;
}

}  // namespace gaincal::tests
