#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <ctime>
#include <fstream>
#include <vector>

#include "gpt2/device_choice.hpp"
#include "reference.hpp"

using namespace gaincal;
using namespace gaincal::gpt2;

namespace {

double thread_cpu_s() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double resident_MiB() {
  std::ifstream statm("/proc/self/statm");
  double all = 0.0, resident = 0.0;
  statm >> all >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

}  // namespace

TEST_CASE("a text of 20000 tokens slides in constant memory and time per token", "[gpt2]") {
  constexpr std::size_t kText = 20000, kPart = 1000;
  const auto folder = tests::source_dir() / "data" / "gpt2_small" / "linear";
  const Model model = Model::load(folder);
  DeviceOptions options;
  options.window = 64;
  for (const char* name : {"paper-linear", "softmax"}) {
    const Device device = make_device(name, model.config(), options);
    Decoder decoder(model, device, BeyondContext::hold);
    std::vector<double> part_s;
    double before_MiB = 0.0;
    for (std::size_t part = 0; part < kText / kPart; ++part) {
      if (part == 3) before_MiB = resident_MiB();
      std::vector<TokenId> tokens(kPart);
      for (std::size_t t = 0; t < kPart; ++t) tokens[t] = static_cast<TokenId>((part * kPart + t) * 7919 % 2000);
      const std::span<const TokenId> text(tokens);
      decoder.extend(text.first(kPart / 2));
      const double start_s = thread_cpu_s();
      for (const TokenId token : text.subspan(kPart / 2)) decoder.step(token);
      part_s.push_back(thread_cpu_s() - start_s);
    }
    CHECK(decoder.tokens() == kText);
    INFO(name);
#if !defined(__SANITIZE_ADDRESS__)             // keeps what is freed
    CHECK(resident_MiB() - before_MiB < 2.0);  // a cache of all tokens would gain 25 MiB in levels, 100 MiB in floats
#endif
    // The quietest part at the start, where the window is full already, and at the end; 17 times as many tokens before.
    const double early_s = *std::min_element(part_s.begin() + 1, part_s.begin() + 7),
                 late_s = *std::min_element(part_s.end() - 6, part_s.end());
    CHECK(late_s < 1.5 * early_s);
  }
}
