#include "gpt2/evaluate.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/files.hpp"
#include "gpt2/device_choice.hpp"
#include "reference.hpp"
#include "reference_model.hpp"

using namespace gaincal;
using namespace gaincal::gpt2;
using Catch::Contains;

namespace {

std::vector<TextWindow> as_windows(const std::vector<std::vector<TokenId>>& texts, std::size_t count) {
  std::vector<TextWindow> windows;
  for (std::size_t w = 0; w < count; ++w) windows.push_back({texts[w], 0, w});
  return windows;
}

bool same_bits(const Perplexity& a, const Perplexity& b) {
  if (a.windows.size() != b.windows.size()) return false;
  for (std::size_t w = 0; w < a.windows.size(); ++w)
    if (std::memcmp(&a.windows[w].nll, &b.windows[w].nll, sizeof(double)) != 0) return false;
  return a.perplexity == b.perplexity && a.activity.head_tokens == b.activity.head_tokens &&
         a.activity.k_reads == b.activity.k_reads && a.activity.v_read_time == b.activity.v_read_time &&
         a.activity.score_charge.weight == b.activity.score_charge.weight &&
         a.activity.output_charge.weight == b.activity.output_charge.weight;
}

}  // namespace

TEST_CASE("windows predict every token but the first exactly once", "[gpt2]") {
  std::vector<TokenId> tokens(1001);
  for (std::size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<TokenId>(i);
  for (const auto& [window, stride] : {std::pair(256, 256), std::pair(256, 100), std::pair(1000, 1000),
                                       std::pair(2000, 1), std::pair(7, 3), std::pair(1, 1)}) {
    INFO(window << " " << stride);
    const auto windows = split_text(tokens, static_cast<std::size_t>(window), static_cast<std::size_t>(stride));
    TokenId next = 1;
    for (const TextWindow& w : windows) {
      REQUIRE(w.tokens.size() <= static_cast<std::size_t>(window) + 1);
      for (std::size_t t = w.first_counted; t + 1 < w.tokens.size(); ++t) REQUIRE(w.tokens[t + 1] == next++);
      if (w.tokens.front() != 0) CHECK(w.first_counted == static_cast<std::size_t>(window - stride));
    }
    CHECK(next == 1001);
  }
  CHECK(split_text(tokens, 250, 250).size() == 4);
}

TEST_CASE("a text with nothing to predict and a stride that does not fit are refused", "[gpt2]") {
  const std::vector<TokenId> tokens = {1, 2, 3};
  CHECK_THROWS_WITH(split_text({}, 4, 4), Contains("0 tokens"));
  CHECK_THROWS_AS(split_text(std::span(tokens).first(1), 4, 4), UsageError);
  CHECK_THROWS_WITH(split_text(tokens, 4, 0), Contains("stride 0"));
  CHECK_THROWS_WITH(split_text(tokens, 4, 5), Contains("stride 5"));
}

TEST_CASE("mean, perplexity and standard error are those of the windows", "[gpt2]") {
  Perplexity result;
  result.windows = {{10.0, 5}, {30.0, 10}, {20.0, 10}};
  summarise(result);
  CHECK(result.mean_nll == Approx(60.0 / 25.0));
  CHECK(result.perplexity == Approx(std::exp(2.4)));
  const double squares = 2.0 * 2.0 + 6.0 * 6.0 + 4.0 * 4.0;
  CHECK(result.standard_error == Approx(std::exp(2.4) * std::sqrt(1.5 * squares) / 25.0));
  result.windows.resize(1);
  summarise(result);
  CHECK(std::isnan(result.standard_error));
}

TEST_CASE("the difference of two runs is that of their windows, each with its weight", "[gpt2]") {
  const std::vector<WindowLoss> a = {{10.0, 5}, {30.0, 10}, {20.0, 10}}, b = {{9.0, 5}, {27.0, 10}, {21.0, 10}};
  const Estimate difference = loss_difference(a, b);
  CHECK(difference.value == Approx(3.0 / 25.0));
  const double squares = 0.4 * 0.4 + 1.8 * 1.8 + 2.2 * 2.2;
  CHECK(difference.standard_error == Approx(std::sqrt(1.5 * squares) / 25.0));
  CHECK(loss_difference(a, a).standard_error == 0.0);
  CHECK_THROWS_AS(loss_difference(a, std::span(b).first(2)), Error);
}

TEST_CASE("the small models reach their stored perplexity on all test windows", "[gpt2]") {
  const auto dir = tests::reference_dir("small_model");
  if (!dir) return;
  const auto texts = tests::small_windows(*dir, "test");
  const auto windows = as_windows(texts, texts.size());
  const auto expected = nlohmann::json::parse(read_file(*dir / "results.json"));
  for (const auto& [name, device] : tests::small_cases()) {
    INFO(name);
    const Model model = Model::load(*dir / name);
    EvaluateOptions options;
    options.threads = 2;
    const Perplexity result = evaluate_perplexity(model, device, windows, options);
    const auto& stored = expected[name]["test"];
    CHECK(std::abs(result.perplexity - stored["ppl"].get<double>()) < 0.02);
    double worst = 0.0;
    for (std::size_t w = 0; w < windows.size(); ++w)
      worst = std::max(worst, std::abs(result.windows[w].mean() - stored["window_nll"][w].get<double>()));
    CHECK(worst < (device.analog ? 5e-3 : 1e-5));
  }
}

TEST_CASE("thread count and order of windows change no bit", "[gpt2]") {
  const auto dir = tests::reference_dir("small_model");
  if (!dir) return;
  const auto texts = tests::small_windows(*dir, "test");
  const auto windows = as_windows(texts, 6);
  tests::SmallCase chip = tests::small_cases()[2];
  chip.device.analog->variation = {0.05, 0.1, 0.5, 0.5, 0.02, 9, 0};  // the last but two: jitter
  for (std::size_t head = 0; head < 4 * 3; ++head)
    chip.device.heads.push_back(attention::draw_head(*chip.device.analog, head / 3, head % 3));
  for (const auto& [name, device] : {tests::small_cases()[0], tests::small_cases()[2], chip}) {
    INFO(name << (device.heads.empty() ? "" : " on a chip"));
    const Model model = Model::load(*dir / name);
    EvaluateOptions one, four;
    four.threads = 4;
    const Perplexity alone = evaluate_perplexity(model, device, windows, one);
    CHECK(same_bits(alone, evaluate_perplexity(model, device, windows, four)));
    const std::vector<TextWindow> reversed(windows.rbegin(), windows.rend());
    Perplexity backwards = evaluate_perplexity(model, device, reversed, four);
    for (std::size_t w = 0; w < 6; ++w) CHECK(backwards.windows[5 - w].nll == alone.windows[w].nll);
    if (device.analog) CHECK(alone.activity.head_tokens == 6 * 256 * 4 * 3);
  }
}

TEST_CASE("a stream within the context is one window, beyond it each token is predicted once", "[gpt2]") {
  const auto folder = tests::source_dir() / "data" / "gpt2_small" / "linear";
  const Model model = Model::load(folder);
  const auto tokens = Tokenizer::of_checkpoint(folder).encode(
      read_file(tests::source_dir() / "data" / "text" / "encyclopedia.txt"), SpecialTokens::parse);
  const auto text = std::span<const TokenId>(tokens);
  const Device device = make_device("paper-linear", model.config());
  const auto one = evaluate_perplexity(model, device, split_text(text.first(201), 256, 256));
  const auto stream = evaluate_sliding(model, device, text.first(201), BeyondContext::hold);
  CHECK(stream.windows[0].nll == one.windows[0].nll);
  CHECK(stream.activity.head_tokens == one.activity.head_tokens);
  CHECK_THROWS_WITH(evaluate_sliding(model, device, text.first(600), BeyondContext::refuse), Contains("is full"));
  const auto hold = evaluate_sliding(model, device, text.first(600), BeyondContext::hold);
  const auto wrap = evaluate_sliding(model, device, text.first(600), BeyondContext::wrap);
  REQUIRE(hold.windows.size() == 3);
  CHECK(hold.windows[0].tokens + hold.windows[1].tokens + hold.windows[2].tokens == 599);
  CHECK(hold.windows[0].nll == wrap.windows[0].nll);  // positions differ from the second part on
  CHECK(hold.windows[1].nll != wrap.windows[1].nll);
}

TEST_CASE("losses come back from a journal to the last bit, but for a line cut off", "[gpt2]") {
  const tests::ScratchFolder scratch;
  const auto path = scratch.path() / "run.part";
  const WindowLoss loss{1.0 / 3.0, 256, 7}, other{2e300, 1, 0};
  {
    LossJournal journal(path, "this run", false);
    CHECK(journal.found() == 0);
    journal.add("a device", 0, loss);
    journal.add("a device", 12, other);
    journal.add("another", 0, other);
  }
  const std::string text = read_file(path);
  write_text(path, text.substr(0, text.size() - 3));
  LossJournal again(path, "this run", false);
  CHECK(again.found() == 2);
  REQUIRE(again.find("a device", 0));
  CHECK(again.find("a device", 0)->nll == loss.nll);
  CHECK(again.find("a device", 0)->tokens == 256);
  CHECK(again.find("a device", 0)->likeliest == 7);
  CHECK(again.find("a device", 12)->nll == other.nll);
  CHECK_FALSE(again.find("another", 0));
  CHECK_THROWS_WITH(LossJournal(path, "another run", false), Contains("other options"));
  CHECK(LossJournal(path, "another run", true).found() == 0);
  again.remove();
  CHECK_FALSE(std::filesystem::exists(path));
  CHECK_THROWS_AS(LossJournal(scratch.path() / "none" / "run.part", "this run", false), Error);
}

TEST_CASE("overlapping windows give tokens more context and a lower loss", "[gpt2]") {
  const auto dir = tests::reference_dir("small_model");
  if (!dir) return;
  const Model model = Model::load(*dir / "softmax");
  const auto texts = tests::small_windows(*dir, "test");
  const auto plain = evaluate_perplexity(model, {}, split_text(texts[7], 64, 64));
  const auto strided = evaluate_perplexity(model, {}, split_text(texts[7], 64, 16));
  CHECK(strided.mean_nll < plain.mean_nll);
}

TEST_CASE("a model whose logits are not finite is refused by name", "[gpt2]") {
  const tests::ScratchFolder scratch;
  const auto shipped = tests::source_dir() / "data" / "gpt2_small" / "softmax";
  std::vector<TensorData> tensors;
  const SafetensorsFile file(shipped / "model.safetensors");
  const std::vector<float> broken(192, std::numeric_limits<float>::quiet_NaN());
  const auto bytes = encode_values(broken, DType::f32);
  for (const auto& [name, info] : file.tensors())
    if (name == "ln_f.bias")
      tensors.push_back({name, "F32", info.shape, bytes});
    else
      tensors.push_back({name, info.dtype, info.shape, file.bytes(name)});
  write_safetensors(scratch.path() / "model.safetensors", tensors);
  write_text(scratch.path() / "config.json", read_file(shipped / "config.json"));
  const Model model = Model::load(scratch.path());
  const std::vector<TokenId> text(20, 100);
  CHECK_THROWS_WITH(evaluate_perplexity(model, {}, split_text(text, 16, 16)),
                    Contains("model.safetensors: gives logits that are not finite"));
}
