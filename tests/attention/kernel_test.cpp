#include <catch2/catch.hpp>
#include <cmath>

#include "attention/attend.hpp"
#include "attention/block.hpp"
#include "attention/random_head.hpp"
#include "attention/table_engine.hpp"
#include "core/error.hpp"
#include "core/random.hpp"

using namespace gaincal::attention;
using gaincal::tests::RandomHead;

namespace {

/// Largest |tuned - reference| of a head, and on how many numbers it exceeds the rounding of a sum.
void check_head(const AnalogDevice& device, const RandomHead& head, KernelVersion version,
                const Instance& instance = {}) {
  const Eigen::Index T = head.q.rows(), D = head.q.cols();
  Matrix reference(T, D), tuned(T, D), again(T, D);
  Trace trace;
  attend_reference(device, head.scalers, head.q, head.k, head.v, reference, &trace, nullptr, instance);
  attend(device, head.scalers, head.q, head.k, head.v, tuned, nullptr, version, instance);
  attend(device, head.scalers, head.q, head.k, head.v, again, nullptr, version, instance);
  CHECK(tuned == again);

  // A differs by the rounding of its own sum and by that of the widths, whose slope is at most `slope` per charge.
  double slope = 1.0 / double{device.score.k};
  for (std::size_t i = 1; i < device.score.table.size(); ++i) {
    slope = std::max(slope, double{device.score.table[i] - device.score.table[i - 1]} / double{device.score.q_step});
  }
  const double dS = kScoreTolerance * gaincal::tests::largest_score(device, static_cast<std::size_t>(D));
  const double dphi = slope * dS + 2e-7;
  double dA = kScoreTolerance * gaincal::tests::largest_output(device) + dphi * gaincal::tests::largest_output(device);
  double value_per_charge = 1.0 / double{device.output.k};
  for (std::size_t i = 1; i < device.output.table.size(); ++i) {
    value_per_charge = std::max(
        value_per_charge, double{device.output.table[i] - device.output.table[i - 1]} / double{device.output.q_step});
  }
  const double dy = dA * value_per_charge + 2e-7;
  const double step = 2.0 / 31.0;
  int wrong = 0, flipped = 0;
  for (Eigen::Index t = 0; t < T; ++t) {
    for (Eigen::Index d = 0; d < D; ++d) {
      const double difference = std::abs(double{tuned(t, d)} - double{reference(t, d)}) / double{head.scalers.output_a};
      if (device.output_levels == 0) {
        wrong += difference > dy * static_cast<double>(trace.A_tiles.size()) ? 1 : 0;
      } else {
        wrong += difference > 1e-6 && std::abs(difference - step * std::round(difference / step)) > 1e-6 ? 1 : 0;
        flipped += difference > 0.5 * step ? 1 : 0;
      }
    }
  }
  CHECK(wrong == 0);
  // A level may flip where A lies within dy of an edge: a share 2 dy / step of the values; four times that, and a few.
  const double values = static_cast<double>(T * D) * static_cast<double>(trace.A_tiles.size());
  CHECK(flipped <= 4.0 * 2.0 * dy / step * values + 2.0);
}

}  // namespace

TEST_CASE("every kernel version is the reference on any device", "[attention]") {
  const std::size_t T = 150;
  for (const std::size_t D : {64, 32, 7}) {
    const RandomHead head(T, D, 21 + D);
    for (auto& [name, device] : gaincal::tests::random_devices(T, 31)) {
      for (const int output_levels : {32, 0}) {
        device.output_levels = output_levels;
        for (const KernelVersion version : gaincal::tests::kernel_versions()) {
          INFO(name << ", D = " << D << ", output levels " << output_levels << ", " << kernel_name(version));
          check_head(device, head, version);
        }
      }
    }
  }
}

TEST_CASE("every kernel version is the reference on any chip", "[attention]") {
  // Bit lines of these chips have slopes below 1, so that the bounds of still ones hold.
  const std::size_t T = 150;
  for (const std::size_t D : {64, 7}) {
    const RandomHead head(T, D, 41 + D);
    for (const double jitter : {0.0, 0.02}) {
      for (auto& [name, device, drawn] : gaincal::tests::random_chips(T, 42, jitter)) {
        if (kernel_available(KernelVersion::avx2)) {
          INFO(name);
          const PreparedTable table(device, choose_kernel(KernelVersion::avx2, device.weight_levels));
          const bool leaks = name.find("leaking") != std::string::npos;
          CHECK(table.table().straight ==
                (leaks && !drawn.k_gain.empty() && device.window >= 8 && device.weight_levels <= kRegisterLevels));
        }
        for (const int output_levels : {32, 0}) {
          device.output_levels = output_levels;
          for (const KernelVersion version : gaincal::tests::kernel_versions()) {
            INFO(name << ", D = " << D << ", jitter " << jitter << ", output levels " << output_levels << ", "
                      << kernel_name(version));
            check_head(device, head, version, {&drawn, 5});
          }
        }
      }
    }
  }
}

TEST_CASE("kernels take any number of tokens around the block size", "[attention]") {
  for (const std::size_t T : {0, 1, 2, 3, 15, 63, 64, 65, 129}) {
    const RandomHead head(T, 64, 51);
    for (const auto& [name, device] : gaincal::tests::random_devices(T + 30, 52)) {
      if (device.window < 50) continue;
      for (const KernelVersion version : gaincal::tests::kernel_versions()) {
        INFO(name << ", T = " << T << ", " << kernel_name(version));
        check_head(device, head, version);
      }
    }
  }
}

TEST_CASE("unquantised weights and a polynomial's many levels take the moment products", "[attention]") {
  for (const int weight_levels : {0, 64}) {
    for (const LeakMode mode : {LeakMode::per_moment, LeakMode::whole_charge}) {
      PaperOptions options;
      options.weight_levels = weight_levels;
      options.query_levels = weight_levels;
      options.output_levels = 0;
      options.window = 90;
      options.leak_per_token = 3e-3;
      options.leak_mode = mode;
      const AnalogDevice device = make_paper_device(options);
      REQUIRE(device.read.size() == 0);
      const RandomHead head(170, 64, 61);
      Matrix reference(170, 64), tuned(170, 64);
      attend_reference(device, head.scalers, head.q, head.k, head.v, reference);
      attend(device, head.scalers, head.q, head.k, head.v, tuned);
      CHECK((tuned - reference).cwiseAbs().maxCoeff() < 5e-6f);
    }
  }
}

TEST_CASE("a polynomial gives the same through its table and through its moments", "[attention]") {
  PaperOptions options;
  options.output_levels = 0;
  options.window = 100;
  const AnalogDevice table = make_paper_device(options);
  AnalogDevice moments = table;
  moments.read.resize(0, 0);
  const RandomHead head(130, 64, 62);
  Matrix a(130, 64), b(130, 64);
  attend(table, head.scalers, head.q, head.k, head.v, a);
  attend(moments, head.scalers, head.q, head.k, head.v, b);
  CHECK((a - b).cwiseAbs().maxCoeff() < 5e-6f);
}

TEST_CASE("a chip gives the same through its table and through its moments", "[attention]") {
  PaperOptions options;
  options.output_levels = 0;
  options.window = 50;
  AnalogDevice table = make_paper_device(options);
  table.variation = {0.1, 0.5, 1.0, 1.0, 0.0, 9, 0};
  table.score_bit_line.coeff[1][1] = table.output_bit_line.coeff[1][1] = -2e-3;
  AnalogDevice moments = table;
  moments.read.resize(0, 0);
  const HeadVariation drawn = draw_head(table, 0, 0);
  const RandomHead head(130, 64, 62);
  Matrix a(130, 64), b(130, 64), reference(130, 64);
  attend(table, head.scalers, head.q, head.k, head.v, a, nullptr, KernelVersion::automatic, {&drawn, 0});
  attend(moments, head.scalers, head.q, head.k, head.v, b, nullptr, KernelVersion::automatic, {&drawn, 0});
  attend_reference(moments, head.scalers, head.q, head.k, head.v, reference, nullptr, nullptr, {&drawn, 0});
  CHECK((a - b).cwiseAbs().maxCoeff() < 5e-6f);
  CHECK((b - reference).cwiseAbs().maxCoeff() < 5e-6f);
}

TEST_CASE("a kernel that the processor lacks is refused", "[attention]") {
  CHECK(kernel_available(KernelVersion::portable));
  CHECK(kernel_available(best_kernel()));
  const RandomHead head(2, 64, 1);
  Matrix out(2, 64);
  for (const KernelVersion version : {KernelVersion::avx2, KernelVersion::avx512}) {
    if (kernel_available(version)) continue;
    CHECK_THROWS_AS(attend(make_paper_device({}), {}, head.q, head.k, head.v, out, nullptr, version), gaincal::Error);
  }
}

TEST_CASE("scores hold at the largest codes and charges, with edges above the reads and below", "[attention]") {
  constexpr std::size_t kWindow = 80;
  const gaincal::CounterRandom random(71, 0);
  for (const int query_levels : {2, 16, 32, 33, 0}) {
    for (const int weight_levels : {2, 8, 9, 16}) {
      for (const float edge : {0.0f, 1e-3f, 0.3f, 5.0f}) {
        for (const bool extreme : {true, false}) {
          AnalogDevice device = make_paper_device({.window = kWindow});
          device.query_levels = query_levels;
          device.weight_levels = weight_levels;
          device.read.resize(kWindow, weight_levels);
          for (Eigen::Index i = 0; i < device.read.size(); ++i) {
            // The last level has the largest charge; ages are orders of magnitude apart, one is empty.
            const double part = 2.0 * random.uniform(static_cast<std::uint64_t>(i)) - 1.0;
            const Eigen::Index age = i / weight_levels;
            const bool last = i % weight_levels == weight_levels - 1;
            device.read.data()[i] = age == 3 ? 0.0f
                                             : static_cast<float>((last ? age % 2 == 0 ? 1.0 : -1.0 : part) *
                                                                  std::exp(-0.1 * static_cast<double>(age)));
          }
          if (edge != 0.0f) device.edge = edge * device.read;
          std::vector<std::uint8_t> level(kWindow * kArrayRows);
          for (std::size_t i = 0; i < level.size(); ++i)
            level[i] = static_cast<std::uint8_t>(
                extreme ? weight_levels - 1 : random.uniform(1000 + i) * static_cast<double>(weight_levels));
          const std::size_t tokens = 3, columns = 64;
          std::vector<float> q(tokens * kArrayRows);
          const double codes = query_levels == 0 ? 1000.0 : query_levels - 1;
          for (std::size_t i = 0; i < q.size(); ++i)
            q[i] = extreme ? 1.0f : static_cast<float>(std::floor(random.uniform(9000 + i) * (codes + 1.0)) / codes);
          const std::vector<std::uint8_t> packed = pack_columns(level);
          const BlockShape shape{tokens, columns, 66, kWindow};
          for (const KernelVersion version : gaincal::tests::kernel_versions()) {
            INFO(query_levels << " codes, " << weight_levels << " levels, edge " << edge << ", "
                              << kernel_name(version));
            const Kernel kernel = choose_kernel(version, weight_levels);
            const PreparedTable table(device, kernel);
            CHECK((table.table().read_digits != nullptr) ==
                  (version == KernelVersion::avx2 && query_levels != 0 && query_levels <= 32));
            std::vector<float> S(tokens * kBlock);
            kernel.score(shape, table.table(), {}, q.data(), packed.data(), packed.data(), S.data());
            double worst = 0.0;  // in units of the bound
            for (std::size_t t = 0; t < tokens; ++t) {
              for (std::size_t s = 0; s < columns; ++s) {
                const auto age = static_cast<Eigen::Index>(66 + t - s);
                double exact = 0.0, largest = 0.0;
                for (std::size_t d = 0; d < kArrayRows; ++d) {
                  const double x = double{q[t * kArrayRows + d]};
                  const Eigen::Index l = level[s * kArrayRows + d];
                  exact += x * double{device.read(age, l)};
                  largest += x * double{device.read.row(age).abs().maxCoeff()};
                  if (edge == 0.0f || x == 0.0) continue;
                  exact += double{device.edge(age, l)};
                  largest += double{device.edge.row(age).abs().maxCoeff()};
                }
                const double off = std::abs(double{S[t * kBlock + s]} - exact);
                if (off > 0.0) worst = std::max(worst, off / (kScoreTolerance * largest));
              }
            }
            CHECK(worst <= 1.0);
          }
        }
      }
    }
  }
}

TEST_CASE("cells that vary are read from lines over their ages, where the charges lie on them", "[attention]") {
  constexpr std::size_t kTokens = 21, kColumns = 64;
  const gaincal::CounterRandom random(72, 0);
  AnalogDevice varied = make_paper_device({.window = kColumns});
  varied.variation = {0.1, 0.3, 0.0, 0.0, 0.0, 1, 0};
  const HeadVariation drawn = draw_head(varied, 0, 0);
  for (const int weight_levels : {2, 8, 9, 16}) {
    for (const bool with_edge : {false, true}) {
      for (const std::size_t window : {7, 8, 40, 80}) {
        // Parts of the largest bend that still counts as a line; the last falls too steeply for one.
        for (const double bend : {0.0, 0.9, 1.2, -1.0}) {
          AnalogDevice device = make_paper_device({.window = window});
          device.weight_levels = weight_levels;
          device.variation = varied.variation;
          const auto rows = static_cast<Eigen::Index>(window);
          device.read.resize(rows, weight_levels);
          for (Eigen::Index l = 0; l < weight_levels; ++l) {
            // The last level has the largest charge.
            const bool last = l == weight_levels - 1;
            const double start = last ? 1.0 : 2.0 * random.uniform(static_cast<std::uint64_t>(l)) - 1.0;
            const double square = last || bend < 0.0 ? 0.0 : bend * double{kOffLine} / 12.0;  // 12 of it off 7 steps
            const double fall = bend < 0.0 ? -1.0 / 6.0 : last ? 0.0 : 1e-3;
            for (Eigen::Index age = 0; age < rows; ++age) {
              const auto a = static_cast<double>(age);
              device.read(age, l) = static_cast<float>(start * (1.0 + fall * a) + square * a * a);
            }
          }
          if (with_edge) device.edge = -0.5f * device.read;
          std::vector<std::uint8_t> level(kColumns * kArrayRows);
          for (std::size_t i = 0; i < level.size(); ++i)
            level[i] = static_cast<std::uint8_t>(random.uniform(1000 + i) * static_cast<double>(weight_levels));
          const std::vector<std::uint8_t> packed = pack_columns(level);
          std::vector<float> q(kTokens * kArrayRows);
          for (std::size_t i = 0; i < q.size(); ++i)
            q[i] = static_cast<float>(std::floor(random.uniform(9000 + i) * 16.0) / 15.0);
          const CellSpread spread{drawn.k_gain.data(), drawn.k_offset.data()};
          const std::ptrdiff_t first_age = 50, M = rows;
          for (const KernelVersion version : gaincal::tests::kernel_versions()) {
            INFO(weight_levels << " levels, edge " << with_edge << ", window " << window << ", bend " << bend << ", "
                               << kernel_name(version));
            const Kernel kernel = choose_kernel(version, weight_levels);
            const PreparedTable table(device, kernel);
            CHECK(table.table().straight ==
                  (version == KernelVersion::avx2 && window >= 8 && bend >= 0.0 && bend < 1.0));
            std::vector<float> S(kTokens * kBlock), alone(kTokens * kBlock);
            const BlockShape all{kTokens, kColumns, first_age, M, 1003};
            kernel.score(all, table.table(), spread, q.data(), packed.data(), packed.data(), S.data());
            int other = 0;
            double worst = 0.0;  // in units of the bound
            for (std::size_t t = 0; t < kTokens; ++t) {
              const auto later = static_cast<std::ptrdiff_t>(t);
              const BlockShape one{1, kColumns, first_age + later, M, 1003 + later};
              kernel.score(one, table.table(), spread, &q[t * kArrayRows], packed.data(), packed.data(),
                           &alone[t * kBlock]);
              for (std::ptrdiff_t s = first_column(one, 0); s < last_column(one, 0); ++s) {
                const std::ptrdiff_t age = one.first_age - s;
                double exact = 0.0, largest = 0.0;
                for (std::size_t d = 0; d < kArrayRows; ++d) {
                  const std::size_t cell = static_cast<std::size_t>(s) * kArrayRows + d;
                  const double x = double{q[t * kArrayRows + d]}, gain = double{drawn.k_gain[cell]};
                  double charge = x * double{device.read(age, level[cell])}, most = x;
                  if (with_edge && x > 0.0) charge += double{device.edge(age, level[cell])}, most += 0.5;
                  exact += gain * charge + x * double{drawn.k_offset[cell]};
                  largest += std::abs(gain) * most * double{device.read.row(age).abs().maxCoeff()} +
                             x * std::abs(double{drawn.k_offset[cell]});
                }
                const float score = S[t * kBlock + static_cast<std::size_t>(s)];
                other += score != alone[t * kBlock + static_cast<std::size_t>(s)] ? 1 : 0;
                worst = std::max(worst, std::abs(double{score} - exact) / (kScoreTolerance * largest));
              }
            }
            CHECK(other == 0);
            CHECK(worst <= 1.0);
          }
        }
      }
    }
  }
}
