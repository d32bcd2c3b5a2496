#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "attention/attend.hpp"
#include "attention/random_head.hpp"
#include "core/error.hpp"

using namespace gaincal::attention;
using gaincal::tests::RandomHead;

TEST_CASE("decoding is bit for bit the rows of the whole sequence", "[attention]") {
  const std::size_t T = 210;
  for (const std::size_t D : {64, 32}) {
    const RandomHead head(T, D, 71);
    for (const auto& [name, device] : gaincal::tests::random_devices(T, 72)) {
      for (const KernelVersion version : gaincal::tests::kernel_versions()) {
        Matrix whole(T, D), decoded(T, D);
        attend(device, head.scalers, head.q, head.k, head.v, whole, nullptr, version);
        HeadCache cache(device, D, version);
        for (Eigen::Index t = 0; t < whole.rows(); ++t) {
          cache.step(head.scalers, head.q.row(t).data(), head.k.row(t).data(), head.v.row(t).data(),
                     decoded.row(t).data());
        }
        INFO(name << ", D = " << D << ", " << kernel_name(version));
        CHECK(decoded == whole);
        CHECK(cache.tokens() == T);
      }
    }
  }
}

TEST_CASE("decoding on a chip is bit for bit the rows of the whole sequence", "[attention]") {
  const std::size_t T = 210;
  const RandomHead head(T, 64, 71);
  for (const double jitter : {0.0, 0.02}) {
    for (auto& [name, device, drawn] : gaincal::tests::random_chips(T, 72, jitter)) {
      if (jitter > 0.0) device.variation.score_residual = device.variation.output_residual = {-0.01f, 0.0f, 0.03f};
      for (const KernelVersion version : gaincal::tests::kernel_versions()) {
        Matrix whole(T, 64), decoded(T, 64);
        attend(device, head.scalers, head.q, head.k, head.v, whole, nullptr, version, {&drawn, 7});
        HeadCache cache(device, 64, version, {&drawn, 7});
        for (Eigen::Index t = 0; t < whole.rows(); ++t) {
          cache.step(head.scalers, head.q.row(t).data(), head.k.row(t).data(), head.v.row(t).data(),
                     decoded.row(t).data());
        }
        INFO(name << ", jitter " << jitter << ", " << kernel_name(version));
        CHECK(decoded == whole);
      }
    }
  }
}

TEST_CASE("pieces of any length are bit for bit the rows of the whole sequence, and count the same", "[attention]") {
  const std::size_t T = 300;
  const RandomHead head(T, 64, 73);
  for (const auto& [name, device, drawn] : gaincal::tests::random_chips(T, 74, 0.02)) {
    for (const std::size_t length : {300, 130, 64, 17}) {
      Matrix whole(T, 64), pieces(T, 64);
      Activity expected, got;
      attend(device, head.scalers, head.q, head.k, head.v, whole, &expected, KernelVersion::automatic, {&drawn, 7});
      HeadCache cache(device, 64, KernelVersion::automatic, {&drawn, 7});
      for (std::size_t begin = 0; begin < T;) {
        const auto first = static_cast<Eigen::Index>(begin);
        const std::size_t rows = std::min(length, T - begin);
        const auto part = [&](const Matrix& x) { return x.middleRows(first, static_cast<Eigen::Index>(rows)); };
        auto out = pieces.middleRows(first, static_cast<Eigen::Index>(rows));
        cache.extend(head.scalers, part(head.q), part(head.k), part(head.v), out, &got);
        begin += rows;
        if (begin == T) break;
        const auto next = static_cast<Eigen::Index>(begin++);  // steps and pieces may take turns
        cache.step(head.scalers, head.q.row(next).data(), head.k.row(next).data(), head.v.row(next).data(),
                   pieces.row(next).data(), &got);
      }
      INFO(name << ", pieces of " << length);
      CHECK(pieces == whole);
      CHECK(cache.tokens() == T);
      CHECK(got.head_tokens == expected.head_tokens);
      CHECK(got.k_reads == expected.k_reads);
      CHECK(got.v_reads == expected.v_reads);
      CHECK(got.k_writes == expected.k_writes);
      CHECK(got.v_writes == expected.v_writes);
      double difference = 0.0;  // summed in another order
      for (std::size_t l = 0; l < got.v_read_time.size(); ++l)
        difference = std::max(difference, std::abs(got.v_read_time[l] - expected.v_read_time[l]));
      CHECK(difference < 1e-6);
    }
  }
  const AnalogDevice quantised = make_paper_device({});
  HeadCache cache(quantised, 64);
  Matrix narrow(3, 32), out(3, 32);
  CHECK_THROWS_WITH(cache.extend({}, narrow, narrow, narrow, out), Catch::Matchers::Contains("heads of 32"));
}

TEST_CASE("a cache of a device without levels is refused", "[attention]") {
  PaperOptions options;
  options.weight_levels = 0;
  const AnalogDevice device = make_paper_device(options);
  CHECK_THROWS_WITH(HeadCache(device, 64), Catch::Matchers::Contains("quantise weights"));
  const AnalogDevice quantised = make_paper_device({});
  CHECK_THROWS_AS(HeadCache(quantised, 65), gaincal::Error);
}
