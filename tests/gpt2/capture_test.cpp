#include "gpt2/capture.hpp"

#include <catch2/catch.hpp>
#include <map>

#include "core/error.hpp"
#include "core/files.hpp"
#include "gpt2/device_choice.hpp"
#include "gpt2/evaluate.hpp"
#include "gpt2/residual.hpp"
#include "gpt2/tokenizer.hpp"
#include "reference.hpp"

using namespace gaincal;
using namespace gaincal::gpt2;
using Catch::Contains;

namespace {

struct Run {
  Model model = Model::load(tests::source_dir() / "data" / "gpt2_small" / "linear");
  std::vector<TokenId> tokens;
  std::vector<TextWindow> windows;
  Device device = make_device("paper-nonlinear", model.config());

  Run() {
    const auto tokenizer = Tokenizer::of_checkpoint(tests::source_dir() / "data" / "gpt2_small" / "linear");
    const auto path = tests::source_dir() / "data" / "text" / "encyclopedia.txt";
    tokens = tokenizer.encode(read_file(path), SpecialTokens::parse, path.string());
    windows = split_text(tokens, 256, 256);
    windows.resize(2);
  }
  std::vector<store::Table> capture(const std::string& where, std::size_t count, unsigned threads = 1,
                                    std::uint64_t seed = 1) {
    Capture capture(model, device, {256, 256}, {parse_capture(where, model.config(), "--capture")}, count, seed);
    EvaluateOptions options;
    options.threads = threads;
    options.count_activity = false;
    options.on_head = [&](std::size_t window, const HeadSignals& signals) { capture.see(window, signals); };
    evaluate_perplexity(model, device, windows, options);
    return capture.tables();
  }
};

}  // namespace

TEST_CASE("captured operands are those of the sub-tile that the label names", "[gpt2]") {
  Run run;
  // Token 130 sees two full sub-tiles of a ring of 256 columns: tokens 0 .. 63 and 64 .. 127.
  const auto tables = run.capture("1,2,130", 100);
  REQUIRE(tables[0].axis("set").labels == std::vector<std::string>{"window 0, layer 1, head 2, token 130, sub-tile 0",
                                                                   "window 0, layer 1, head 2, token 130, sub-tile 1",
                                                                   "window 1, layer 1, head 2, token 130, sub-tile 0",
                                                                   "window 1, layer 1, head 2, token 130, sub-tile 1"});
  const auto& age = tables[1].quantity("age").values;
  CHECK(age[0] == 130);
  CHECK(age[63] == 67);
  CHECK(age[64] == 66);
  CHECK(age[127] == 3);
  // The same codes by the reference kernel's own trace.
  attention::Trace trace;
  EvaluateOptions options;
  options.count_activity = false;
  options.on_head = [&](std::size_t window, const HeadSignals& s) {
    if (window != 1 || s.layer != 1 || s.head != 2) return;
    Matrix out(s.q.rows(), s.q.cols());
    attend_reference(*run.device.analog, run.model.scalers[1 * 3 + 2], s.q, s.k, s.v, out, &trace);
  };
  evaluate_perplexity(run.model, run.device, run.windows, options);
  const auto& codes = tables[0].quantity("q_code").values;
  const auto& k = tables[2].quantity("k_level").values;
  const auto& v = tables[2].quantity("v_level").values;
  for (Eigen::Index d = 0; d < 64; ++d) {
    CHECK(codes[static_cast<std::size_t>(3 * 64 + d)] == trace.q_code(130, d));
    CHECK(k[static_cast<std::size_t>((3 * 64 + 5) * 64 + d)] == trace.k_level(64 + 5, d));
    CHECK(v[static_cast<std::size_t>((2 * 64 + 63) * 64 + d)] == trace.v_level(63, d));
  }
}

TEST_CASE("a sample of all operands depends on the seed alone", "[gpt2]") {
  Run run;
  const auto one = run.capture("*,*,*", 50, 1), two = run.capture("*", 50, 2), other = run.capture("*", 50, 1, 2);
  CHECK(one[0].axis("set").labels == two[0].axis("set").labels);
  CHECK(one[2].quantity("k_level").values == two[2].quantity("k_level").values);
  CHECK(one[0].axis("set").labels != other[0].axis("set").labels);
  std::map<std::string, int> windows;
  for (const std::string& label : one[0].axis("set").labels) ++windows[label.substr(0, label.find(','))];
  CHECK(windows.size() == 2);
}

TEST_CASE("what cannot be captured is refused by name", "[gpt2]") {
  Run run;
  const Config& config = run.model.config();
  CHECK_THROWS_WITH(parse_capture("4,0,0", config, "--capture"), Contains("'4' is no layer") && Contains("0 to 3"));
  CHECK_THROWS_WITH(parse_capture("0,x", config, "--capture"), Contains("'x' is no head"));
  CHECK_THROWS_WITH(parse_capture("0,0,0,0", config, "--capture"), Contains("LAYER,HEAD,TOKEN"));
  CHECK_THROWS_WITH(run.capture("0,0,62", 10), Contains("no sub-tile of 64 tokens is full"));
  run.device = Device{};
  CHECK_THROWS_WITH(run.capture("0,0,200", 10), Contains("softmax") && Contains("model.h5"));
}

TEST_CASE("residuals are what SPICE gave beside the model inside the range", "[gpt2]") {
  store::Dataset verification;
  verification.schema = store::kResultsSchema;
  const auto table = [](const std::string& name, std::vector<double> model, std::vector<double> spice) {
    store::Table made;
    made.name = name;
    made.axes = {{"output", "1", std::vector<double>{0, 1, 2, 3}}};
    made.quantities = {{"value_model", "1", "", std::move(model)}, {"value_spice", "1", "", std::move(spice)}};
    return made;
  };
  verification.tables = {table("column_score", {0.0, 0.5, 1.0, 0.25}, {0.1, 0.75, 0.5, NAN}),
                         table("column_output", {-1.0, -0.5, 0.0, 0.5}, {-1.0, -0.75, 0.0, 0.5})};
  const Residuals residuals = residuals_of(verification, "verify.h5");
  CHECK(residuals.score == std::vector<float>{0.25f});
  CHECK(residuals.output == std::vector<float>{-0.25f, 0.0f});
  verification.tables.pop_back();
  CHECK_THROWS_WITH(residuals_of(verification, "verify.h5"), Contains("verify.h5") && Contains("gaincal verify"));
}
