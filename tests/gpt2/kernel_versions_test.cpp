#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <nlohmann/json.hpp>

#include "attention/random_head.hpp"
#include "core/files.hpp"
#include "core/parallel.hpp"
#include "gpt2/evaluate.hpp"
#include "reference.hpp"
#include "reference_model.hpp"

using namespace gaincal;
using namespace gaincal::gpt2;
using attention::kernel_name;

namespace {

constexpr unsigned kThreads[] = {1, 4};

}  // namespace

TEST_CASE("every kernel version on one and four threads gives the authors' logits of the random model", "[gpt2]") {
  const auto ref = tests::reference_dir("ref");
  if (!ref) return;
  const Model model = tests::tiny_model(*ref);
  for (const bool quantised : {false, true}) {
    auto cases = tests::tiny_cases(quantised);
    std::vector<std::vector<TokenId>> tokens;
    std::vector<store::NumpyArray> expected;
    for (const auto& c : cases) {
      tokens.push_back(tests::tiny_tokens(*ref, c.tokens));
      expected.push_back(store::read_npy(*ref / (c.file + ".logits.npy")));
    }
    for (const auto version : tests::kernel_versions()) {
      std::vector<Matrix> first;
      for (const unsigned threads : kThreads) {
        std::vector<Matrix> got(cases.size());
        for (auto& c : cases) c.device.kernel = version;
        parallel_for(cases.size(), threads,
                     [&](std::size_t i) { got[i] = logits(model, hidden_states(model, cases[i].device, tokens[i])); });
        for (std::size_t i = 0; i < cases.size(); ++i) {
          INFO(cases[i].file << ", " << kernel_name(version) << ", threads " << threads);
          const auto errors = tests::position_errors(got[i], expected[i].values.data());
          const double worst = *std::max_element(errors.begin(), errors.end());
          const auto near = std::count_if(errors.begin(), errors.end(), [](double e) { return e < 1e-4; });
          CHECK(near >= (quantised ? std::ceil(0.95 * static_cast<double>(errors.size())) : errors.size()));
          CHECK(worst < (quantised ? 0.1 : 1e-4));  // a level may flip at a rounding edge
          if (!first.empty()) CHECK(got[i] == first[i]);
        }
        if (first.empty()) first = std::move(got);
      }
    }
  }
}

TEST_CASE("every kernel version on one and four threads gives the losses of the small models", "[gpt2]") {
  const auto dir = tests::reference_dir("small_model");
  if (!dir) return;
  const auto texts = tests::small_windows(*dir, "test");
  std::vector<TextWindow> windows;
  for (const std::size_t w : tests::kLogitWindows) windows.push_back({texts[w], 0, w});
  const auto stored = nlohmann::json::parse(read_file(*dir / "results.json"));
  for (auto& [name, device] : tests::small_cases()) {
    if (!device.analog) continue;
    const Model model = Model::load(*dir / name);
    const auto expected = store::read_npy(*dir / name / "logits_window0.npy");
    for (const auto version : tests::kernel_versions()) {
      INFO(name << ", " << kernel_name(version));
      device.kernel = version;
      const Matrix got = logits(model, hidden_states(model, device, windows[0].tokens.first(256)));
      double squares = 0.0;
      for (Eigen::Index i = 0; i < got.size(); ++i)
        squares += std::pow(double{got.data()[i]} - expected.values[static_cast<std::size_t>(i)], 2);
      CHECK(std::sqrt(squares / static_cast<double>(got.size())) < 1e-2);
      std::vector<WindowLoss> first;
      for (const unsigned threads : kThreads) {
        EvaluateOptions options;
        options.threads = threads;
        const Perplexity result = evaluate_perplexity(model, device, windows, options);
        for (std::size_t w = 0; w < windows.size(); ++w) {
          const auto& of_window = stored[name]["test"]["window_nll"][tests::kLogitWindows[w]];
          CHECK(std::abs(result.windows[w].mean() - of_window.get<double>()) < 5e-3);
          if (!first.empty()) CHECK(result.windows[w].nll == first[w].nll);
        }
        first = result.windows;
      }
    }
  }
}

TEST_CASE("every kernel version decodes the small model to the rows of its whole sequence", "[gpt2]") {
  const Model model = Model::load(tests::source_dir() / "data" / "gpt2_small" / "linear");
  std::vector<TokenId> tokens(150);
  for (std::size_t t = 0; t < tokens.size(); ++t) tokens[t] = static_cast<TokenId>(t * t * 7 % 2000);
  Device device = tests::paper_device(false, 64);
  device.analog->tile_map = attention::TileMap::ring;
  for (const auto version : tests::kernel_versions()) {
    INFO(kernel_name(version));
    device.kernel = version;
    const Matrix whole = hidden_states(model, device, tokens);
    Decoder decoder(model, device);
    int near = 0;
    for (std::size_t t = 0; t < tokens.size(); ++t) {
      const auto row = decoder.step(tokens[t]);
      const Eigen::Map<const Eigen::RowVectorXf> got(row.data(), static_cast<Eigen::Index>(row.size()));
      near += (got - whole.row(static_cast<Eigen::Index>(t))).lpNorm<Eigen::Infinity>() < 1e-3f ? 1 : 0;
    }
    CHECK(near >= 143);  // a level may flip at a rounding edge
  }
}
