/// Milliseconds of processor time of one head on this machine, best of several runs: prefill of 1024 tokens over a full
/// window, and decode of one token with a full window behind it.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <functional>
#include <string>

#include "attention/attend.hpp"
#include "attention/random_head.hpp"
#include "bench/circuit_like.hpp"

namespace {

using namespace gaincal;
using namespace gaincal::attention;

constexpr std::size_t kTokens = 1024, kHeadSize = 64;
constexpr int kRuns = 25;

double best_ms(const std::function<void()>& body) {
  double best_s = 1e9;
  for (int i = 0; i < kRuns; ++i) {
    const std::clock_t start = std::clock();
    body();
    best_s = std::min(best_s, static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
  }
  return 1e3 * best_s;
}

void row(const std::string& name, const AnalogDevice& device, const tests::RandomHead& head, KernelVersion version) {
  Matrix out(head.q.rows(), head.q.cols());
  const HeadVariation drawn = draw_head(device, 0, 0);
  const Instance instance{&drawn, 0};
  const double prefill =
      best_ms([&] { attend(device, head.scalers, head.q, head.k, head.v, out, nullptr, version, instance); });
  Activity activity;
  const double counted =
      best_ms([&] { attend(device, head.scalers, head.q, head.k, head.v, out, &activity, version, instance); });
  std::string decode = "       -";
  if (device.read.size() != 0) {
    HeadCache cache(device, kHeadSize, version, instance);
    const auto token = [&](Eigen::Index t) {
      cache.step(head.scalers, head.q.row(t).data(), head.k.row(t).data(), head.v.row(t).data(), out.row(t).data());
    };
    for (Eigen::Index t = 0; t < out.rows(); ++t) token(t);
    const double ms = best_ms([&] {
      for (Eigen::Index t = 0; t < 100; ++t) token(t);
    });
    decode = std::to_string(10.0 * ms).substr(0, 8);
  }
  std::printf("%-30s %-9s %10.2f %16.2f %12s\n", name.c_str(), std::string(kernel_name(version)).c_str(), prefill,
              counted, decode.c_str());
  std::fflush(stdout);
}

}  // namespace

int main() {
  const tests::RandomHead head(kTokens, kHeadSize, 1);
  const AnalogDevice cubic = make_paper_device({});
  PaperOptions options;
  options.weight_levels = 16;
  const AnalogDevice wide = make_paper_device(options);
  options.weight_levels = 0;
  const AnalogDevice unquantised = make_paper_device(options);
  std::printf("one head, %zu tokens, head size %zu\n", kTokens, kHeadSize);
  std::printf("%-30s %-9s %10s %16s %12s\n", "device", "kernel", "prefill ms", "with counts ms", "decode us");
  for (const KernelVersion version : tests::kernel_versions()) {
    row("cubic, leak, 8 levels", cubic, head, version);
    row("the same, 16 levels", wide, head, version);
    row("8 levels, edge and curves", tests::like_a_circuit(cubic, false), head, version);
    row("the same, a chip", tests::like_a_circuit(cubic, true), head, version);
    row("cubic, leak, unquantised", unquantised, head, version);
  }
}
