#include "gpt2/study.hpp"

#include <catch2/catch.hpp>

#include "core/error.hpp"
#include "core/files.hpp"
#include "reference.hpp"

using namespace gaincal;
using namespace gaincal::gpt2;
using Catch::Contains;

TEST_CASE("a study turns one knob at a time and compares with the base", "[gpt2]") {
  const auto folder = tests::source_dir() / "data" / "gpt2_small" / "linear";
  const Model model = Model::load(folder);
  const auto tokens = Tokenizer::of_checkpoint(folder).encode(
      read_file(tests::source_dir() / "data" / "text" / "encyclopedia.txt"), SpecialTokens::parse);
  const auto windows = split_text(std::span(tokens).first(4 * 128 + 1), 128, 128);
  const std::vector<Knob> knobs = {{"weight-bits", {"2", "3", "6"}}, {"leak", {"1e-2"}}, {"window", {"16"}}};
  const auto rows = run_study(model, "paper-linear", {}, knobs, windows, 3);
  REQUIRE(rows.size() == 6);
  CHECK(rows[0].knob.empty());
  CHECK(rows[2].perplexity.value == rows[0].perplexity.value);  // 3 bits are the paper's
  CHECK(rows[2].difference.value == 0.0);
  CHECK(rows[1].difference.value != 0.0);
  CHECK(rows[5].difference.value > 0.0);
  for (const StudyRow& row : rows)
    CHECK(row.difference.value == Approx(row.chips[0].mean_nll - rows[0].chips[0].mean_nll).margin(1e-12));
  DeviceOptions leaky;
  leaky.leak_per_token = 1e-2;
  CHECK(rows[4].perplexity.value ==
        evaluate_perplexity(model, make_device("paper-linear", model.config(), leaky), windows).perplexity);
}

TEST_CASE("a knob that cannot be is refused by name", "[gpt2]") {
  CHECK_THROWS_WITH(with_knob({}, "colour", "1"), Contains("knob 'colour' is unknown"));
  CHECK_THROWS_WITH(with_knob({}, "weight-bits", "2.5"), Contains("knob weight-bits"));
  CHECK_THROWS_WITH(with_knob({}, "leak", "-1"), Contains("knob leak"));
  CHECK_THROWS_WITH(with_knob({}, "mismatch", "2"), Contains("knob mismatch"));
  CHECK_THROWS_WITH(with_knob({}, "jitter", "1ns"), Contains("knob jitter"));
  CHECK_THROWS_WITH(with_knob({}, "window", "0"), Contains("knob window"));
  const Model model = Model::load(tests::source_dir() / "data" / "gpt2_small" / "linear");
  CHECK_THROWS_WITH(run_study(model, "paper-linear", {}, std::vector<Knob>{{"supply", {"1V"}}}, {}, 1),
                    Contains("knob supply is of circuits"));
  CHECK(*with_knob({}, "output-bits", "5").output_levels == 32);
  CHECK(*with_knob({}, "query-bits", "0").query_levels == 0);
}

TEST_CASE("chips of a study spread around their mean, the same on any number of threads", "[gpt2]") {
  const auto folder = tests::source_dir() / "data" / "gpt2_small" / "linear";
  const Model model = Model::load(folder);
  const auto tokens = Tokenizer::of_checkpoint(folder).encode(
      read_file(tests::source_dir() / "data" / "text" / "encyclopedia.txt"), SpecialTokens::parse);
  const auto windows = split_text(std::span(tokens).first(2 * 100 + 1), 100, 100);
  const std::vector<Knob> knobs = {{"mismatch", {"0", "0.3"}}, {"jitter", {"0.2"}}};
  EvaluateOptions many;
  many.threads = 5;
  const auto rows = run_study(model, "paper-linear", {}, knobs, windows, 4);
  const auto again = run_study(model, "paper-linear", {}, knobs, windows, 4, many);
  REQUIRE(rows.size() == 4);
  CHECK(rows[1].chips.size() == 1);  // nothing varies
  CHECK(rows[1].perplexity.value == rows[0].perplexity.value);
  for (const std::size_t r : {2, 3}) {
    REQUIRE(rows[r].chips.size() == 4);
    double sum = 0.0;
    for (std::size_t c = 0; c < 4; ++c) {
      CHECK(rows[r].chips[c].perplexity == again[r].chips[c].perplexity);
      sum += rows[r].chips[c].perplexity;
    }
    CHECK(rows[r].perplexity.value == Approx(sum / 4));
    CHECK(rows[r].spread == Approx(2.0 * rows[r].perplexity.standard_error));
    CHECK(rows[r].lowest < rows[r].highest);
    CHECK(rows[r].difference.value != 0.0);
  }
  CHECK(rows[2].chips[0].perplexity != rows[2].chips[1].perplexity);
}
