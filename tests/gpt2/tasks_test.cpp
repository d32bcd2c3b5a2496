#include "gpt2/tasks.hpp"

#include <catch2/catch.hpp>
#include <cmath>

#include "core/error.hpp"
#include "core/files.hpp"
#include "gpt2/device_choice.hpp"
#include "reference.hpp"

using namespace gaincal;
using namespace gaincal::gpt2;
using Catch::Contains;

namespace {

struct SmallModel {
  std::filesystem::path folder = tests::source_dir() / "data" / "gpt2_small" / "linear";
  Model model = Model::load(folder);
  Tokenizer tokenizer = Tokenizer::of_checkpoint(folder);
};

/// -log p of a continuation, from the logits of the whole passage.
double loss_of(const SmallModel& small, const std::string& context, const std::string& continuation) {
  auto tokens = small.tokenizer.encode(context);
  const std::size_t first = tokens.size();
  for (const TokenId token : small.tokenizer.encode(continuation)) tokens.push_back(token);
  const Matrix scores = logits(small.model, hidden_states(small.model, {}, tokens));
  double nll = 0.0;
  for (std::size_t t = first; t < tokens.size(); ++t) {
    double sum = 0.0;
    const auto row = static_cast<Eigen::Index>(t - 1);
    for (Eigen::Index i = 0; i < scores.cols(); ++i) sum += std::exp(static_cast<double>(scores(row, i)));
    nll += std::log(sum) - static_cast<double>(scores(row, tokens[t]));
  }
  return nll;
}

std::filesystem::path write_lines(const tests::ScratchFolder& scratch, const std::string& lines) {
  write_text(scratch.path() / "task.jsonl", lines);
  return scratch.path() / "task.jsonl";
}

}  // namespace

TEST_CASE("choices are scored by the loss of their tokens after the context", "[gpt2]") {
  const tests::ScratchFolder scratch;
  const SmallModel small;
  const auto path =
      write_lines(scratch,
                  R"({"id": 7, "context": "The river flows", "choices": [" into the sea", " qzx"], "label": 0}
{"contexts": ["The town", "A small"], "continuation": " was built in 1910", "label": 1}
)");
  const Task task = read_task("piqa", path);
  REQUIRE(task.items.size() == 2);
  CHECK(task.items[0].id == 7);
  const TaskResult result = run_task(small.model, small.tokenizer, {}, task);
  CHECK(result.choice_nll[0][0] == Approx(loss_of(small, "The river flows", " into the sea")).epsilon(1e-5));
  CHECK(result.choice_nll[0][1] == Approx(loss_of(small, "The river flows", " qzx")).epsilon(1e-5));
  CHECK(result.choice_nll[1][1] == Approx(loss_of(small, "A small", " was built in 1910")).epsilon(1e-5));
  for (std::size_t i = 0; i < 2; ++i) {
    const auto& nll = result.choice_nll[i];
    CHECK(result.correct[i] == (nll[task.items[i].label] < nll[1 - task.items[i].label] ? 1.0 : 0.0));
    CHECK(result.nll[i] == nll[task.items[i].label]);
  }
  const double per_byte = result.choice_nll[0][0] / 12.0, per_byte_other = result.choice_nll[0][1] / 3.0;
  CHECK(result.correct_normalised[0] == (per_byte < per_byte_other ? 1.0 : 0.0));
}

TEST_CASE("the last word is right where greedy decoding gives it", "[gpt2]") {
  const tests::ScratchFolder scratch;
  const SmallModel small;
  const std::string context = "He was born in the United";
  const auto tokens = small.tokenizer.encode(context);
  const Matrix hidden = hidden_states(small.model, {}, tokens);
  Eigen::Index best = 0;
  logits(small.model, hidden.bottomRows(1)).row(0).maxCoeff(&best);
  const std::string word = small.tokenizer.decode(std::vector<TokenId>{static_cast<TokenId>(best)});
  const auto path = write_lines(scratch, R"({"context": ")" + context + R"(", "choices": [")" + word +
                                             R"("], "label": 0}
{"context": ")" + context + R"(", "choices": [" bridge"], "label": 0}
)");
  const TaskResult result = run_task(small.model, small.tokenizer, {}, read_task("lambada", path));
  CHECK(result.correct == std::vector<double>{1.0, 0.0});
  CHECK(result.correct_normalised.empty());
  CHECK(result.perplexity().value == Approx(std::exp((result.nll[0] + result.nll[1]) / 2)));
  CHECK(result.accuracy().standard_error == Approx(0.5));
}

TEST_CASE("a context longer than the model's loses its start", "[gpt2]") {
  const tests::ScratchFolder scratch;
  const SmallModel small;
  std::string tail;
  for (int i = 0; i < 400; ++i) tail += " 7";
  const auto item = [](const std::string& context) {
    return R"({"context": ")" + context + R"(", "choices": [" end", " of"], "label": 0})" + "\n";
  };
  const auto path = write_lines(scratch, item("A" + tail) + item("Some other words" + tail) + item(""));
  const TaskResult result = run_task(small.model, small.tokenizer, {}, read_task("hellaswag", path));
  CHECK(result.choice_nll[0] == result.choice_nll[1]);
  CHECK(std::isfinite(result.nll[2]));
  const auto longer = write_lines(scratch, R"({"context": "a", "choices": ["b", ")" + tail + R"("], "label": 0})");
  CHECK_THROWS_WITH(run_task(small.model, small.tokenizer, {}, read_task("piqa", longer)),
                    Contains("task piqa, item 0") && Contains("does not fit the context of 256"));
}

TEST_CASE("items that no window holds are left out by name", "[gpt2]") {
  const tests::ScratchFolder scratch;
  const SmallModel small;
  const std::string fits = R"({"context": "a", "choices": [" b", " c"], "label": 0})"
                           "\n";
  const std::string is_long = R"({"id": 71, "context": "a", "choices": [" b", "QQ"], "label": 0})"
                              "\n";
  std::string line = is_long;
  line.replace(line.find("QQ"), 2, std::string(257, '7'));
  Task task = read_task("piqa", write_lines(scratch, fits + line + fits));
  CHECK_THROWS_WITH(run_task(small.model, small.tokenizer, {}, task), Contains("item 71"));
  const auto reasons = remove_unfit_items(small.model, small.tokenizer, task);
  REQUIRE(reasons.size() == 1);
  CHECK_THAT(reasons[0], Contains("item 71") && Contains("context of 256"));
  CHECK(run_task(small.model, small.tokenizer, {}, task).correct.size() == 2);
  Task none = read_task("piqa", write_lines(scratch, line));
  CHECK_THROWS_WITH(remove_unfit_items(small.model, small.tokenizer, none), Contains("no item fits"));
}

TEST_CASE("a task gives the same bits on any number of threads", "[gpt2]") {
  const auto dir = tests::reference_dir("benchmarks");
  if (!dir) return;
  const SmallModel small;
  const Device device = make_device("paper-nonlinear", small.model.config());
  for (const auto& [name, file] : {std::pair("lambada", "lambada_openai_500"), {"winogrande", "winogrande_500"}}) {
    const Task task = read_task(name, *dir / (std::string(file) + ".jsonl"), 6);
    EvaluateOptions options;
    const TaskResult one = run_task(small.model, small.tokenizer, device, task, options);
    options.threads = 3;
    const TaskResult three = run_task(small.model, small.tokenizer, device, task, options);
    CHECK(one.choice_nll == three.choice_nll);
    CHECK(one.correct == three.correct);
  }
}

TEST_CASE("every shipped benchmark is read whole", "[gpt2]") {
  const auto dir = tests::reference_dir("benchmarks");
  if (!dir) return;
  for (const auto& [name, file, items, choices] : {std::tuple("lambada", "lambada_openai_500", 500, 1),
                                                   {"hellaswag", "hellaswag_val_500", 500, 4},
                                                   {"piqa", "piqa_500", 500, 2},
                                                   {"winogrande", "winogrande_500", 500, 2},
                                                   {"winograd", "winograd_wsc_273", 273, 2},
                                                   {"arc-easy", "arc_easy_500", 500, 4},
                                                   {"arc-challenge", "arc_challenge_500", 500, 4}}) {
    const Task task = read_task(name, *dir / (std::string(file) + ".jsonl"));
    CHECK(task.items.size() == static_cast<std::size_t>(items));
    CHECK(task.items.front().choices.size() == static_cast<std::size_t>(choices));
  }
}

TEST_CASE("a bad line of a benchmark is named with its field", "[gpt2]") {
  const tests::ScratchFolder scratch;
  const std::string good = R"({"context": "a", "choices": [" b", " c"], "label": 1})"
                           "\n\n";
  const auto complaint = [&](const std::string& line, const std::string& words) {
    INFO(line);
    const auto path = write_lines(scratch, good + line + "\n");
    CHECK_THROWS_WITH(read_task("piqa", path), Contains("task.jsonl: line 3: ") && Contains(words));
  };
  complaint("{", "is no JSON");
  complaint("[1]", "no JSON object");
  complaint(R"({"choices": ["b", "c"], "label": 1})", "field 'context' is missing");
  complaint(R"({"context": 3, "choices": ["b", "c"], "label": 1})", "field 'context' is no text");
  complaint(R"({"context": "a", "label": 1})", "field 'choices' is missing");
  complaint(R"({"context": "a", "choices": "b", "label": 0})", "field 'choices' is no list");
  complaint(R"({"context": "a", "choices": ["b"], "label": 0})", "field 'choices' has one entry");
  complaint(R"({"context": "a", "choices": ["b", ""], "label": 0})", "field 'choices' has an empty text");
  complaint(R"({"context": "a", "choices": ["b", "c"]})", "field 'label' is missing");
  complaint(R"({"context": "a", "choices": ["b", "c"], "label": 2})", "field 'label' is no number from 0 to 1");
  complaint(R"({"contexts": ["a", "b"], "label": 0})", "field 'continuation' is missing");
  complaint(R"({"id": "x", "context": "a", "choices": ["b", "c"], "label": 0})", "field 'id' is no whole number");
  CHECK_THROWS_WITH(read_task("boolq", write_lines(scratch, good)), Contains("task 'boolq' is unknown"));
  CHECK_THROWS_WITH(read_task("piqa", write_lines(scratch, "\n")), Contains("has no item"));
}

TEST_CASE("a paired difference is that of the items", "[gpt2]") {
  const std::vector<double> a = {1, 1, 0, 1}, b = {0, 1, 0, 0};
  const Estimate difference = paired_difference(a, b);
  CHECK(difference.value == Approx(0.5));
  CHECK(difference.standard_error == Approx(std::sqrt((4 * 0.25) / 3.0 / 4.0)));
  CHECK_THROWS_AS(paired_difference(a, std::span(b).first(3)), Error);
}
