#include "gpt2/transformer.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "core/error.hpp"
#include "gpt2/device_choice.hpp"
#include "reference.hpp"
#include "reference_model.hpp"

using namespace gaincal;
using namespace gaincal::gpt2;
using Catch::Contains;

TEST_CASE("softmax logits are those of the authors' model, with either GELU", "[gpt2]") {
  const auto ref = tests::reference_dir("ref");
  if (!ref) return;
  for (const auto& [file, activation] :
       {std::pair("causal_T200", Activation::gelu_erf), std::pair("causal_T200_gelutanh", Activation::gelu_tanh)}) {
    INFO(file);
    const auto expected = store::read_npy(*ref / (std::string(file) + ".logits.npy"));
    const Model model = tests::tiny_model(*ref, activation);
    const Matrix got = logits(model, hidden_states(model, {}, tests::tiny_tokens(*ref, 200)));
    const auto errors = tests::position_errors(got, expected.values.data());
    CHECK(*std::max_element(errors.begin(), errors.end()) < 1e-4);
  }
}

TEST_CASE("the small models give the stored logits and levels of window 0", "[gpt2]") {
  const auto dir = tests::reference_dir("small_model");
  if (!dir) return;
  const auto tokens = tests::small_windows(*dir, "test")[0];
  for (const auto& [name, device] : tests::small_cases()) {
    INFO(name);
    const Model model = Model::load(*dir / name);
    const auto expected = store::read_npy(*dir / name / "logits_window0.npy");
    store::NumpyArray levels;
    if (device.analog) levels = store::read_npy(*dir / name / "levels_window0.npy");
    std::size_t compared = 0, different = 0;
    Witness witness;
    witness.on_head = [&](const HeadSignals& signals) {
      if (!device.analog) return;
      const auto& scalers = model.scalers[signals.layer * model.config().n_head + signals.head];
      const auto count = [&](std::size_t kind, ConstView x, Affine affine, float top, float step) {
        const double* stored = tests::at(levels, {signals.layer, kind, signals.head});
        for (Eigen::Index i = 0; i < x.rows(); ++i)
          for (Eigen::Index d = 0; d < x.cols(); ++d, ++compared) {
            const float level = std::nearbyint(std::clamp(affine.a * x(i, d) + affine.b, 0.0f, top) / step);
            different += static_cast<double>(level) != stored[i * x.cols() + d] ? 1 : 0;
          }
      };
      count(0, signals.q, affine_of(scalers, Signal::q), 1.0f, 1.0f / 15.0f);
      count(1, signals.k, affine_of(scalers, Signal::k), 0.9f, 0.9f / 7.0f);
      count(2, signals.v, affine_of(scalers, Signal::v), 0.9f, 0.9f / 7.0f);
    };
    const std::span<const TokenId> inputs = std::span(tokens).first(256);
    const Matrix got = logits(model, hidden_states(model, device, inputs, witness));
    const auto errors = tests::position_errors(got, expected.values.data());
    double squares = 0.0;
    Eigen::Index same_top = 0;
    for (Eigen::Index t = 0; t < got.rows(); ++t) {
      Eigen::Index top = 0, expected_top = 0;
      const Eigen::Map<const Eigen::RowVectorXd> row(expected.values.data() + t * got.cols(), got.cols());
      got.row(t).maxCoeff(&top);
      row.maxCoeff(&expected_top);
      same_top += top == expected_top ? 1 : 0;
      squares += (got.row(t).cast<double>() - row).squaredNorm();
    }
    const double rms = std::sqrt(squares / static_cast<double>(got.size()));
    CAPTURE(rms, different, compared);
    CHECK(same_top == 256);
    if (device.analog) {
      CHECK(rms < 1e-2);
      CHECK(compared == 589824);
      CHECK(different < compared / 1000);
    } else {
      CHECK(*std::max_element(errors.begin(), errors.end()) < 1e-3);
    }
  }
}

TEST_CASE("the small models give the stored top logits, sums and targets of four windows", "[gpt2]") {
  const auto dir = tests::reference_dir("small_model");
  if (!dir) return;
  const auto windows = tests::small_windows(*dir, "test");
  for (const auto& [name, device] : tests::small_cases()) {
    INFO(name);
    const Model model = Model::load(*dir / name);
    const auto ids = store::read_npy(*dir / name / "top32_ids.npy");
    const auto top = store::read_npy(*dir / name / "top32_logits.npy");
    const auto sums = store::read_npy(*dir / name / "logsumexp.npy");
    const auto targets = store::read_npy(*dir / name / "target_logits.npy");
    double squares = 0.0, worst = 0.0;
    std::size_t count = 0;
    const auto compare = [&](double got, double expected) {
      const double error = std::abs(got - expected);
      if (!(error <= worst)) worst = error;
      squares += error * error;
      ++count;
    };
    for (std::size_t w = 0; w < 4; ++w) {
      const auto& tokens = windows[tests::kLogitWindows[w]];
      const Matrix got = logits(model, hidden_states(model, device, std::span(tokens).first(256)));
      for (std::size_t t = 0; t < 256; ++t) {
        const float* row = got.data() + t * 2048;
        for (std::size_t i = 0; i < 32; ++i)
          compare(row[static_cast<std::size_t>(tests::at(ids, {w, t})[i])], tests::at(top, {w, t})[i]);
        compare(log_sum_exp(row, 2048), *tests::at(sums, {w, t}));
        compare(row[tokens[t + 1]], *tests::at(targets, {w, t}));
      }
    }
    CHECK(count == 4 * 256 * 34);
    CAPTURE(worst);
    if (device.analog)
      CHECK(std::sqrt(squares / static_cast<double>(count)) < 1e-2);
    else
      CHECK(worst < 1e-3);
  }
}

TEST_CASE("a prefix of a sequence gives the same rows", "[gpt2]") {
  const auto dir = tests::reference_dir("small_model");
  if (!dir) return;
  const auto tokens = tests::small_windows(*dir, "test")[3];
  const auto prefix = std::span(tokens).first(100);
  for (const auto& [name, device] : tests::small_cases()) {
    INFO(name);
    const Model model = Model::load(*dir / name);
    const Matrix whole = hidden_states(model, device, std::span(tokens).first(256));
    const Matrix part = hidden_states(model, device, prefix);
    const Eigen::VectorXf error = (whole.topRows(100) - part).rowwise().lpNorm<Eigen::Infinity>();
    CHECK((error.array() < 1e-4f).count() >= 95);  // a level may flip at a rounding edge
  }
}

TEST_CASE("token by token gives the rows of the whole sequence", "[gpt2]") {
  const auto dir = tests::reference_dir("small_model");
  if (!dir) return;
  const auto tokens = tests::small_windows(*dir, "test")[5];
  auto cases = tests::small_cases();
  cases.push_back({"dram_adapted", tests::paper_device(true, 64)});  // the ring wraps
  for (auto& [name, device] : cases) {
    if (device.analog) device.analog->tile_map = attention::TileMap::ring;
    INFO(name);
    const Model model = Model::load(*dir / name);
    const auto inputs = std::span(tokens).first(200);
    const Matrix whole = hidden_states(model, device, inputs);
    Decoder decoder(model, device);
    int near = 0;
    for (std::size_t t = 0; t < inputs.size(); ++t) {
      const auto row = decoder.step(inputs[t]);
      const Eigen::Map<const Eigen::RowVectorXf> got(row.data(), static_cast<Eigen::Index>(row.size()));
      near += (got - whole.row(static_cast<Eigen::Index>(t))).lpNorm<Eigen::Infinity>() < 1e-3f ? 1 : 0;
    }
    CHECK(near >= (device.analog ? 190 : 200));
    CHECK(decoder.tokens() == 200);
  }
}

TEST_CASE("pieces of a text give the rows of the text token by token, the first one to the last bit", "[gpt2]") {
  const auto folder = tests::source_dir() / "data" / "gpt2_small";
  std::vector<TokenId> tokens(600);  // beyond the context of 256
  for (std::size_t t = 0; t < tokens.size(); ++t) tokens[t] = static_cast<TokenId>(t * t * 7 % 2000);
  const std::span<const TokenId> text(tokens);
  for (const char* name : {"softmax", "paper-linear"}) {
    const Model model = Model::load(folder / (name == std::string("softmax") ? "softmax" : "linear"));
    DeviceOptions options;
    if (name != std::string("softmax")) options.window = 100;
    const Device device = make_device(name, model.config(), options);
    for (const BeyondContext beyond : {BeyondContext::hold, BeyondContext::wrap}) {
      for (const std::size_t length : {256, 77}) {
        INFO(name << ", pieces of " << length);
        Decoder by_piece(model, device, beyond), by_token(model, device, beyond);
        const Matrix first = by_piece.extend(text.first(length));
        CHECK(first == hidden_states(model, device, text.first(length)));
        Matrix rows(600, first.cols());
        rows.topRows(first.rows()) = first;
        for (std::size_t begin = length; begin < 600; begin += length) {
          const Matrix piece = by_piece.extend(text.subspan(begin, std::min(length, 600 - begin)));
          rows.middleRows(static_cast<Eigen::Index>(begin), piece.rows()) = piece;
        }
        CHECK(by_piece.tokens() == 600);
        int near = 0;
        for (std::size_t t = 0; t < 600; ++t) {
          const auto state = by_token.step(tokens[t]);
          const Eigen::Map<const Eigen::RowVectorXf> row(state.data(), rows.cols());
          near += (rows.row(static_cast<Eigen::Index>(t)) - row).lpNorm<Eigen::Infinity>() < 1e-3f ? 1 : 0;
        }
        CHECK(near >= (device.analog ? 540 : 600));  // a level may flip at a rounding edge, and is remembered
      }
    }
  }
  const Model model = Model::load(folder / "linear");
  const Device device;
  Decoder decoder(model, device);
  CHECK_THROWS_WITH(decoder.extend(text.first(257)), Contains("context of 256 tokens is full"));
}

TEST_CASE("branches behind a prefix give the rows that each has alone", "[gpt2]") {
  const Model model = Model::load(tests::source_dir() / "data" / "gpt2_small" / "linear");
  std::vector<TokenId> tokens(90);
  for (std::size_t t = 0; t < tokens.size(); ++t) tokens[t] = static_cast<TokenId>(t * t * 7 % 2000);
  const std::span<const TokenId> text(tokens);
  for (const std::size_t length : {30, 0}) {
    const auto prefix = text.first(length);
    std::vector<std::span<const TokenId>> branches = {text.subspan(30, 20), text.subspan(60, 1), text.subspan(50, 40)};
    if (length > 0) branches.push_back({});  // what follows is only predicted
    for (const Device& device : {Device{}, make_device("paper-nonlinear", model.config())}) {
      INFO(device.name << ", prefix of " << length);
      const Matrix joint = hidden_states(model, device, prefix, branches, 0);
      Eigen::Index begin = static_cast<Eigen::Index>(length), near = 0;
      for (const auto& branch : branches) {
        std::vector<TokenId> whole(prefix.begin(), prefix.end());
        whole.insert(whole.end(), branch.begin(), branch.end());
        const Matrix alone = hidden_states(model, device, whole);
        const auto rows = static_cast<Eigen::Index>(branch.size());
        const Matrix difference = joint.middleRows(begin, rows) - alone.bottomRows(rows);
        near += (difference.rowwise().lpNorm<Eigen::Infinity>().array() < 1e-3f).count();
        begin += rows;
      }
      CHECK(begin == joint.rows());
      CHECK(near >= (device.analog ? 58 : 61));  // a level may flip at a rounding edge
    }
  }
}

TEST_CASE("sequences that the model cannot take are refused", "[gpt2]") {
  const auto ref = tests::reference_dir("ref");
  if (!ref) return;
  const Model model = tests::tiny_model(*ref);
  const std::vector<TokenId> none, unknown = {5, 128}, long_text(257, 1);
  CHECK_THROWS_WITH(hidden_states(model, {}, none), Contains("sequence of 0 tokens"));
  CHECK_THROWS_WITH(hidden_states(model, {}, unknown), Contains("token 128 is outside"));
  CHECK_THROWS_WITH(hidden_states(model, {}, long_text), Contains("takes 1 to 256"));
  const Device unquantised = tests::paper_device(true, 256, 0.0, false);
  CHECK_THROWS_AS(Decoder(model, unquantised), UsageError);
  const Device softmax;
  Decoder decoder(model, softmax);
  for (int t = 0; t < 256; ++t) decoder.step(1);
  CHECK_THROWS_WITH(decoder.step(1), Contains("context of 256 tokens is full"));
}

TEST_CASE("beyond its context a decoder remembers only what its windows can reach", "[gpt2]") {
  const Model model = Model::load(tests::source_dir() / "data" / "gpt2_small" / "linear");
  DeviceOptions options;
  options.window = 16;
  const Device device = make_device("paper-nonlinear", model.config(), options);
  // Four layers reach 4 x 15 tokens back. Two texts of 330 tokens, beyond the context of 256, that agree in the
  // last 61.
  constexpr std::size_t kText = 330, kAgree = 61;
  const auto last_state = [&](BeyondContext beyond, std::size_t agree, TokenId old) {
    Decoder decoder(model, device, beyond);
    std::span<const float> state;
    for (std::size_t t = 0; t < kText; ++t)
      state = decoder.step(t + agree < kText ? old : static_cast<TokenId>(7 * t % 2000));
    return std::vector<float>(state.begin(), state.end());
  };
  const auto hold = last_state(BeyondContext::hold, kAgree, 5), wrap = last_state(BeyondContext::wrap, kAgree, 5);
  CHECK(hold == last_state(BeyondContext::hold, kAgree, 900));
  CHECK(wrap == last_state(BeyondContext::wrap, kAgree, 900));
  CHECK(hold != wrap);
  CHECK(hold != last_state(BeyondContext::hold, 10, 900));
}

TEST_CASE("beyond its context software attention sees the newest tokens", "[gpt2]") {
  const Model model = Model::load(tests::source_dir() / "data" / "gpt2_small" / "softmax");
  const Device device;
  Decoder decoder(model, device, BeyondContext::wrap), refusing(model, device);
  std::vector<float> first;
  for (std::size_t t = 0; t < 256; ++t) {
    const auto state = decoder.step(static_cast<TokenId>(t));
    const auto same = refusing.step(static_cast<TokenId>(t));
    REQUIRE(std::equal(state.begin(), state.end(), same.begin()));
  }
  // One token on end: every key and value of a head is the same, whatever is asked.
  for (std::size_t t = 0; t < 5 * 256; ++t) decoder.step(1);
  const auto state = decoder.step(1);
  first.assign(state.begin(), state.end());
  for (std::size_t t = 0; t < 255; ++t) decoder.step(1);
  const auto again = decoder.step(1);  // the same position one lap later
  for (std::size_t i = 0; i < first.size(); ++i) CHECK(again[i] == Approx(first[i]).margin(1e-4));
  CHECK_THROWS_WITH(beyond_context("fly", "--beyond"), Contains("--beyond: 'fly' is unknown"));
}
