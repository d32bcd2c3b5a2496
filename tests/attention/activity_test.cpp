#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>

#include "attention/attend.hpp"
#include "attention/random_head.hpp"
#include "core/error.hpp"

using namespace gaincal::attention;
using Catch::Matchers::WithinAbs;
using gaincal::tests::RandomHead;

namespace {

/// Charges that differ by rounding move weight between knots by less than this, per conversion.
constexpr double kShift = 1e-4;

void check_histogram(const KnotHistogram& a, const KnotHistogram& b) {
  REQUIRE(a.weight.size() == b.weight.size());
  CHECK(a.x_min == b.x_min);
  CHECK(a.x_step == b.x_step);
  const double conversions = std::accumulate(b.weight.begin(), b.weight.end(), 0.0);
  double moved = 0.0;
  for (std::size_t i = 0; i < a.weight.size(); ++i) moved += std::abs(a.weight[i] - b.weight[i]);
  CHECK(moved <= kShift * conversions);
}

void check_same(const Activity& a, const Activity& b) {
  CHECK(a.head_tokens == b.head_tokens);
  CHECK(a.k_reads == b.k_reads);
  CHECK(a.v_reads == b.v_reads);
  CHECK(a.k_writes == b.k_writes);
  CHECK(a.v_writes == b.v_writes);
  REQUIRE(a.v_read_time.size() == b.v_read_time.size());
  for (std::size_t l = 0; l < a.v_read_time.size(); ++l) {
    CHECK(a.v_read_time[l] == Approx(b.v_read_time[l]).epsilon(1e-6));
  }
  check_histogram(a.score_charge, b.score_charge);
  check_histogram(a.output_charge, b.output_charge);
}

}  // namespace

TEST_CASE("attend, the reference and decoding count the same events", "[attention]") {
  const std::size_t T = 150, D = 40;
  const RandomHead head(T, D, 81);
  for (const auto& [name, device] : gaincal::tests::random_devices(T, 82)) {
    Matrix out(T, D);
    Activity reference;
    attend_reference(device, head.scalers, head.q, head.k, head.v, out, nullptr, &reference);
    for (const KernelVersion version : gaincal::tests::kernel_versions()) {
      INFO(name << ", " << kernel_name(version));
      Activity whole, decoded;
      attend(device, head.scalers, head.q, head.k, head.v, out, &whole, version);
      HeadCache cache(device, D, version);
      for (Eigen::Index t = 0; t < out.rows(); ++t) {
        cache.step(head.scalers, head.q.row(t).data(), head.k.row(t).data(), head.v.row(t).data(), out.row(t).data(),
                   &decoded);
      }
      check_same(whole, reference);
      check_same(decoded, reference);
    }
  }
}

TEST_CASE("a chip's events are counted the same by attend, the reference and decoding", "[attention]") {
  const std::size_t T = 150, D = 40;
  const RandomHead head(T, D, 83);
  for (const auto& [name, device, drawn] : gaincal::tests::random_chips(T, 84)) {
    Matrix out(T, D);
    Activity reference, whole, decoded;
    attend_reference(device, head.scalers, head.q, head.k, head.v, out, nullptr, &reference, {&drawn, 0});
    attend(device, head.scalers, head.q, head.k, head.v, out, &whole, KernelVersion::automatic, {&drawn, 0});
    HeadCache cache(device, D, KernelVersion::automatic, {&drawn, 0});
    for (Eigen::Index t = 0; t < out.rows(); ++t) {
      cache.step(head.scalers, head.q.row(t).data(), head.k.row(t).data(), head.v.row(t).data(), out.row(t).data(),
                 &decoded);
    }
    INFO(name);
    check_same(whole, reference);
    check_same(decoded, reference);
  }
}

TEST_CASE("the reference counts what its trace shows", "[attention]") {
  const std::size_t T = 90, D = 12;
  const RandomHead head(T, D, 91);
  for (const auto& [name, device] : gaincal::tests::random_devices(T, 92)) {
    INFO(name);
    Matrix out(T, D);
    Trace trace;
    Activity activity;
    attend_reference(device, head.scalers, head.q, head.k, head.v, out, &trace, &activity);
    const auto levels = static_cast<std::size_t>(device.weight_levels);
    std::vector<std::uint64_t> k_reads(16 * levels), v_reads(levels), k_writes(levels), v_writes(levels);
    std::vector<double> v_read_time(levels);
    std::size_t pairs = 0;
    for (Eigen::Index t = 0; t < out.rows(); ++t) {
      for (Eigen::Index d = 0; d < out.cols(); ++d) {
        ++k_writes[trace.k_level(t, d)];
        ++v_writes[trace.v_level(t, d)];
      }
      for (Eigen::Index s = 0; s <= t; ++s) {
        if (t - s >= static_cast<Eigen::Index>(device.window)) continue;
        ++pairs;
        for (Eigen::Index d = 0; d < out.cols(); ++d) {
          if (trace.q_code(t, d) > 0) ++k_reads[trace.q_code(t, d) * levels + trace.k_level(s, d)];
          if (trace.phi(t, s) > 0.0f) ++v_reads[trace.v_level(s, d)];
          v_read_time[trace.v_level(s, d)] += double{trace.phi(t, s)};
        }
      }
    }
    CHECK(activity.head_tokens == T);
    CHECK(activity.k_reads == k_reads);
    CHECK(activity.v_reads == v_reads);
    CHECK(activity.k_writes == k_writes);
    CHECK(activity.v_writes == v_writes);
    for (std::size_t l = 0; l < levels; ++l) CHECK(activity.v_read_time[l] == Approx(v_read_time[l]).epsilon(1e-12));
    const auto& scores = activity.score_charge.weight;
    CHECK_THAT(std::accumulate(scores.begin(), scores.end(), 0.0), WithinAbs(static_cast<double>(pairs), 1e-6));
  }
}

TEST_CASE("a knot histogram sums a piecewise linear function exactly and keeps the ends", "[attention]") {
  KnotHistogram histogram{-1.0, 0.5, std::vector<double>(5)};
  const double knots[] = {3.0, -1.0, 0.5, 2.0, 7.0};  // at -1, -0.5, 0, 0.5, 1
  for (const double x : {-0.8, 0.0, 0.3, 0.99, 1.0, 5.0, -9.0}) histogram.add(x);
  double sum = 0.0;
  for (std::size_t i = 0; i < 5; ++i) sum += histogram.weight[i] * knots[i];
  const double expected = (3.0 - 4.0 * 0.4) + 0.5 + (0.5 + 1.5 * 0.6) + (2.0 + 5.0 * 0.98) + 7.0 + 7.0 + 3.0;
  CHECK_THAT(sum, WithinAbs(expected, 1e-12));
}

TEST_CASE("activities of two heads add up, those of two devices are refused", "[attention]") {
  const AnalogDevice device = make_paper_device({});
  const RandomHead head(70, 64, 93);
  Matrix out(70, 64);
  Activity once, twice, sum;
  attend(device, head.scalers, head.q, head.k, head.v, out, &once);
  attend(device, head.scalers, head.q, head.k, head.v, out, &twice);
  attend(device, head.scalers, head.q, head.k, head.v, out, &twice);
  sum.add(once);
  sum.add(once);
  check_same(sum, twice);
  PaperOptions other;
  other.weight_levels = 4;
  Activity four = make_activity(make_paper_device(other));
  CHECK_THROWS_AS(four.add(once), gaincal::Error);
}
