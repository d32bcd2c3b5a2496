#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <string>

#include "cli/program.hpp"
#include "core/files.hpp"
#include "gpt2/model.hpp"
#include "paper_circuit.hpp"
#include "reference.hpp"
#include "store/model_file.hpp"
#include "store/table.hpp"

using namespace gaincal;
using Catch::Contains;

namespace {

using tests::ProgramRun;

/// Runs `gaincal gpt2 <arguments>`; paths have no blanks.
ProgramRun gaincal_gpt2(const std::string& arguments) {
  const tests::ScratchFolder scratch;
  return tests::run_program(scratch.path(), "gpt2 " + arguments);
}

std::string shipped(const std::string& name) {
  return "--model " + (tests::source_dir() / "data" / "gpt2_small" / name).string();
}
const std::string kText = " --text " + (tests::source_dir() / "data" / "text" / "encyclopedia.txt").string();

/// Exit code 1 or 2 and one line on stderr that holds `words`.
void check_refusal(const std::string& arguments, int exit_code, const std::string& words) {
  INFO(arguments);
  const ProgramRun outcome = gaincal_gpt2(arguments);
  CHECK(outcome.exit_code == exit_code);
  CHECK(outcome.output.empty());
  CHECK_THAT(outcome.errors, Contains(words));
  CHECK(std::count(outcome.errors.begin(), outcome.errors.end(), '\n') == 1);
}

}  // namespace

TEST_CASE("gpt2 eval prints a line per device and stores each window", "[gpt2]") {
  const tests::ScratchFolder scratch;
  const auto out = scratch.path() / "results.h5";
  const std::string arguments = "eval " + shipped("linear") + kText +
                                " --device paper-linear --device paper-nonlinear --max-windows 3 --out " + out.string();
  const ProgramRun outcome = gaincal_gpt2(arguments);
  INFO(outcome.errors);
  REQUIRE(outcome.exit_code == 0);
  CHECK_THAT(outcome.output,
             Contains("\npaper-linear ") && Contains("\npaper-nonlinear ") && Contains("      3       768 "));
  const auto results = store::read_dataset(out, store::kResultsSchema);
  CHECK(results.table("perplexity").axis("device").labels ==
        std::vector<std::string>{"paper-linear", "paper-nonlinear"});
  const auto& nll = results.table("windows").quantity("nll").values;
  REQUIRE(nll.size() == 6);
  CHECK(results.table("perplexity").quantity("nll").values[1] == Approx((nll[3] + nll[4] + nll[5]) / 3));
  check_refusal(arguments, 2, "exists already");
}

TEST_CASE("gpt2 eval gives the same bytes on one thread and on three", "[gpt2]") {
  const tests::ScratchFolder scratch;
  const std::string arguments =
      "eval " + shipped("linear") + kText + " --device paper-nonlinear --max-windows 5 --out ";
  const auto one = scratch.path() / "1.h5", three = scratch.path() / "2.h5";
  REQUIRE(gaincal_gpt2(arguments + one.string() + " --threads 1").exit_code == 0);
  const ProgramRun outcome = gaincal_gpt2(arguments + three.string() + " --threads 4000");
  REQUIRE(outcome.exit_code == 0);
  CHECK_THAT(outcome.errors, Contains("warning: --threads 4000 is more than"));
  const auto a = store::read_dataset(one, store::kResultsSchema), b = store::read_dataset(three, store::kResultsSchema);
  CHECK(a.table("windows").quantity("nll").values == b.table("windows").quantity("nll").values);
}

TEST_CASE("gpt2 tasks compares devices on the same questions", "[gpt2]") {
  const tests::ScratchFolder scratch;
  const auto out = scratch.path() / "results.h5", file = scratch.path() / "questions.jsonl";
  write_text(file, R"({"id": 3, "context": "The river flows", "choices": [" into the sea", " qzx"], "label": 0}
{"id": 4, "context": "The town lies", "choices": [" xqz vvv", " in the north"], "label": 1}
)");
  const std::string arguments = "tasks " + shipped("linear") + " --task arc-easy=" + file.string();
  const ProgramRun outcome = gaincal_gpt2(arguments + " --task lambada=" + file.string() +
                                          " --device softmax --device paper-nonlinear --out " + out.string());
  INFO(outcome.errors);
  REQUIRE(outcome.exit_code == 0);
  CHECK_THAT(outcome.output, Contains("\narc-easy ") && Contains("\nlambada ") && Contains("100.00 +- 0.00"));
  const auto results = store::read_dataset(out, store::kResultsSchema);
  CHECK(results.table("tasks").quantity("accuracy").values[0] == 1.0);
  CHECK(results.table("items_arc_easy").axis("item").labels == std::vector<std::string>{"3", "4"});
  CHECK(results.table("items_arc_easy").quantity("nll").values.size() == 4);
  check_refusal(arguments + " --limit 0", 2, "--limit: '0' does not fit");
  check_refusal(arguments + " --task piqa", 2, "--task: 'piqa' has no file");
  check_refusal(arguments + " --task boolq=x", 2, "task 'boolq' is unknown");
  check_refusal(arguments + " --task arc-easy=x", 2, "given twice");
  write_text(file, "{\"context\": \"a\"}\n");
  check_refusal(arguments, 1, "questions.jsonl: line 1: field 'choices' is missing");
}

TEST_CASE("five tasks on three devices are one command, whose data repeat to the last digit", "[gpt2]") {
  const auto benchmarks = tests::reference_dir("benchmarks");
  if (!benchmarks) return;
  const tests::ScratchFolder scratch;
  std::string arguments =
      "tasks " + shipped("linear") + " --device softmax --device paper-linear" + " --device paper-nonlinear --limit 3";
  for (const auto& [name, file] : {std::pair("hellaswag", "hellaswag_val_500"),
                                   {"piqa", "piqa_500"},
                                   {"winogrande", "winogrande_500"},
                                   {"arc-easy", "arc_easy_500"},
                                   {"arc-challenge", "arc_challenge_500"}})
    arguments += " --task " + std::string(name) + "=" + (*benchmarks / (std::string(file) + ".jsonl")).string();
  std::vector<store::Dataset> runs;
  for (const int threads : {1, 3}) {
    const auto out = (scratch.path() / (std::to_string(threads) + ".h5")).string();
    const ProgramRun outcome = gaincal_gpt2(arguments + " --threads " + std::to_string(threads) + " --out " + out);
    INFO(outcome.errors);
    REQUIRE(outcome.exit_code == 0);
    for (const char* task : {"\nhellaswag ", "\npiqa ", "\nwinogrande ", "\narc-easy ", "\narc-challenge "})
      CHECK_THAT(outcome.output, Contains(task));
    runs.push_back(store::read_dataset(out, store::kResultsSchema));
  }
  REQUIRE(runs[0].tables.size() == 6);
  for (std::size_t t = 0; t < 6; ++t)
    for (std::size_t q = 0; q < runs[0].tables[t].quantities.size(); ++q) {
      const auto &one = runs[0].tables[t].quantities[q], &three = runs[1].tables[t].quantities[q];
      INFO(runs[0].tables[t].name << " " << one.name);
      REQUIRE(one.values.size() == three.values.size());
      CHECK(std::memcmp(one.values.data(), three.values.data(), one.values.size() * sizeof(double)) == 0);
    }
  const auto& table = runs[0].table("tasks");
  CHECK(table.quantity("accuracy_normalised").values.size() == 15);
  CHECK(table.quantity("accuracy_normalised_error").values.size() == 15);
}

TEST_CASE("gpt2 generate goes on beyond the context where asked", "[gpt2]") {
  // The seed is one whose text does not end within 300 tokens.
  const std::string arguments =
      "generate " + shipped("linear") + " --prompt 'The river' --tokens 300 --device paper-nonlinear --seed 3";
  const ProgramRun stopped = gaincal_gpt2(arguments);
  CHECK(stopped.exit_code == 0);
  CHECK_THAT(stopped.errors, Contains("the context of 256 tokens is full"));
  for (const char* positions : {"hold", "wrap"}) {
    const ProgramRun outcome = gaincal_gpt2(arguments + " --beyond " + positions);
    CHECK(outcome.exit_code == 0);
    CHECK_THAT(outcome.errors, Contains("300 new in") && !Contains("is full"));
    CHECK(outcome.output.substr(0, stopped.output.size() - 1) == stopped.output.substr(0, stopped.output.size() - 1));
    CHECK(outcome.output.size() > stopped.output.size());
  }
  check_refusal(arguments + " --beyond never", 2, "--beyond: 'never' is unknown");
}

TEST_CASE("gpt2 generate tells what a token costs on a circuit, whatever the temperature of the draws", "[gpt2]") {
  const tests::ScratchFolder scratch;
  const auto circuit = (scratch.path() / "model.h5").string();
  store::ModelFile file{{}, tests::paper_circuit(), {}};
  file.conditions.nominal = {"tt", 27.0, 0.9};
  store::write_model(circuit, file);
  const std::string arguments =
      "generate " + shipped("linear") + " --prompt 'The river' --tokens 5 --device " + circuit;
  const ProgramRun outcome = gaincal_gpt2(arguments + " --temperature 0.5");
  INFO(outcome.errors);
  REQUIRE(outcome.exit_code == 0);
  CHECK_THAT(outcome.errors, Contains(" tokens/s, ") && Contains(" nJ/token in the attention of all heads"));
  check_refusal(arguments + " --circuit-temperature 85C", 1, "model.h5: holds one condition");
}

TEST_CASE("gpt2 sweep prints and stores a row per setting", "[gpt2]") {
  const tests::ScratchFolder scratch;
  const auto out = scratch.path() / "study.h5";
  const std::string arguments = "sweep " + shipped("linear") + kText + " --max-windows 2";
  const ProgramRun outcome = gaincal_gpt2(arguments + " --knob weight-bits=2,3 --knob leak=1e-2 --out " + out.string());
  INFO(outcome.errors);
  REQUIRE(outcome.exit_code == 0);
  CHECK_THAT(outcome.output, Contains("\nbase ") && Contains("\nweight-bits ") && Contains("\nleak "));
  const auto results = store::read_dataset(out, store::kResultsSchema);
  CHECK(results.table("study").axis("point").labels ==
        std::vector<std::string>{"base", "weight-bits=2", "weight-bits=3", "leak=1e-2"});
  const auto& values = results.table("study").quantity("value").values;
  CHECK(std::isnan(values[0]));
  CHECK(std::vector<double>(values.begin() + 1, values.end()) == std::vector<double>{2, 3, 0.01});
  check_refusal(arguments + " --knob leak", 2, "--knob: 'leak' has no values");
  check_refusal(arguments + " --knob leak=1,,2", 2, "knob leak: '' is not a finite number");
  check_refusal(arguments + " --knob colour=1", 2, "knob 'colour' is unknown");
  check_refusal(arguments + " --knob corner=ss", 2, "knob corner is of circuits");
  check_refusal(arguments + " --device softmax", 2, "softmax has no knobs");
  check_refusal(arguments + " --chips 0", 2, "--chips: '0' does not fit");
  const ProgramRun chips = gaincal_gpt2(arguments + " --knob mismatch=0,0.3 --chips 3 --force --out " + out.string());
  INFO(chips.errors);
  REQUIRE(chips.exit_code == 0);
  const auto table = store::read_dataset(out, store::kResultsSchema).table("chips");
  REQUIRE(table.quantity("perplexity").values.size() == 9);
  CHECK(std::isnan(table.quantity("perplexity").values[5]));  // without mismatch chips do not differ
  CHECK(table.quantity("perplexity").values[7] != table.quantity("perplexity").values[8]);
}

TEST_CASE("gpt2 eval takes a text of any length as one stream", "[gpt2]") {
  const tests::ScratchFolder scratch;
  const auto out = scratch.path() / "results.h5", text = scratch.path() / "text.txt";
  write_text(text, read_file(tests::source_dir() / "data" / "text" / "encyclopedia.txt").substr(0, 2400));
  const std::string arguments = "eval " + shipped("linear") + " --text " + text.string();
  const ProgramRun outcome =
      gaincal_gpt2(arguments + " --sliding hold --device softmax --device paper-linear --out " + out.string());
  INFO(outcome.errors);
  REQUIRE(outcome.exit_code == 0);
  const auto results = store::read_dataset(out, store::kResultsSchema);
  CHECK(results.table("windows").axis("window").values.size() > 2);
  check_refusal(arguments + " --sliding never", 2, "--sliding: 'never' is unknown");
  check_refusal(arguments + " --sliding stop", 2, "--sliding: choose hold or wrap");
  check_refusal(arguments + " --sliding hold --stride 9", 2, "--sliding and --stride exclude each other");
}

TEST_CASE("gpt2 eval and tasks go on where an interrupted run ended, to the same data", "[gpt2]") {
  const tests::ScratchFolder scratch;
  const auto out = scratch.path() / "results.h5", whole = scratch.path() / "whole.h5";
  const auto part = out.string() + ".part", questions = (scratch.path() / "questions.jsonl").string();
  std::string lines;
  for (int i = 0; i < 4; ++i)
    lines += "{\"context\": \"The river\", \"choices\": [\" flows\", \" qzx\"], \"label\": 0}\n";
  write_text(questions, lines);
  const std::string of_model = shipped("linear") + " --device paper-linear ";
  const struct {
    std::string words, table, other_option;
  } runs[] = {{"eval " + of_model + kText + " --max-windows 6 --out ", "windows", " --leak 1e-3"},
              {"eval " + of_model + kText + " --sliding hold --out ", "windows", " --leak 1e-3"},
              {"tasks " + of_model + " --task piqa=" + questions + " --out ", "items_piqa", " --limit 2"}};
  for (const auto& [words, table, other_option] : runs) {
    INFO(words);
    REQUIRE(gaincal_gpt2(words + whole.string() + " --force").exit_code == 0);
    // The results cannot be written where a folder stands: the run fails when its work is done, and the losses stay.
    std::filesystem::create_directory(out);
    CHECK(gaincal_gpt2(words + out.string() + " --force").exit_code == 1);
    std::filesystem::remove(out);
    const std::string losses = read_file(part);
    REQUIRE(std::count(losses.begin(), losses.end(), '\n') > 6);
    std::size_t end = 0;
    for (int line = 0; line < 5; ++line) end = losses.find('\n', end) + 1;
    write_text(part, losses.substr(0, end + 9));  // the first line says which run, the last is cut off
    check_refusal(words + out.string() + other_option, 2, "was left by a run with other options");
    const ProgramRun outcome = gaincal_gpt2(words + out.string());
    INFO(outcome.errors);
    REQUIRE(outcome.exit_code == 0);
    CHECK_THAT(outcome.errors, Contains("4 windows are done already"));
    CHECK_FALSE(std::filesystem::exists(part));
    CHECK(store::read_dataset(out, store::kResultsSchema).table(table).quantity("nll").values ==
          store::read_dataset(whole, store::kResultsSchema).table(table).quantity("nll").values);
    std::filesystem::remove(out);
  }
}

TEST_CASE("gpt2 generate continues the prompt and repeats a seed", "[gpt2]") {
  const std::string arguments =
      "generate " + shipped("linear") + " --device paper-nonlinear --prompt 'The river' --tokens 12 --seed 3";
  const ProgramRun outcome = gaincal_gpt2(arguments);
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.output.starts_with("The river"));
  CHECK(outcome.output.size() > 20);
  CHECK(outcome.output == gaincal_gpt2(arguments).output);
  CHECK_THAT(outcome.errors, Contains("12 new in"));
}

TEST_CASE("gpt2 adapt prints its way and writes a checkpoint that eval reads", "[gpt2]") {
  const tests::ScratchFolder scratch;
  const auto out = scratch.path() / "adapted";
  const ProgramRun outcome =
      gaincal_gpt2("adapt " + shipped("linear") + kText +
                   " --device paper-nonlinear --max-windows 2 --iterations 4 --out " + out.string());
  INFO(outcome.errors);
  REQUIRE(outcome.exit_code == 0);
  CHECK_THAT(outcome.output, Contains("targets recorded on paper-linear") && Contains("        4 "));
  CHECK_THAT(outcome.errors, Contains("warning: not every mean"));
  CHECK(gpt2::Model::load(out).targets());
  const ProgramRun eval =
      gaincal_gpt2("eval --model " + out.string() + kText + " --device paper-nonlinear --max-windows 1");
  CHECK(eval.exit_code == 0);
}

TEST_CASE("gpt2 refuses what cannot be, in one line", "[gpt2]") {
  const tests::ScratchFolder scratch;
  const auto file = [&](const std::string& name, const std::string& content) {
    write_text(scratch.path() / name, content);
    return (scratch.path() / name).string();
  };
  const std::string eval = "eval " + shipped("linear");
  check_refusal("fly", 2, "no word 'fly'");
  check_refusal("eval", 2, "model is missing");
  check_refusal(eval, 2, "text is missing");
  check_refusal(eval + kText + " --devices x", 2, "--devices");
  check_refusal(eval + kText + " --device abacus", 2, "device 'abacus' is unknown");
  check_refusal(eval + kText + " --device none.h5", 1, "none.h5");
  check_refusal(eval + kText + " --device " + file("bad.h5", "hello"), 1, "bad.h5");
  check_refusal(eval + kText + " --threads 0", 2, "--threads: '0' does not fit");
  check_refusal(eval + kText + " --threads -1", 2, "--threads");
  check_refusal(eval + kText + " --context 257", 2, "--context: '257' does not fit");
  check_refusal(eval + kText + " --leak=-1", 2, "--leak");
  check_refusal(eval + kText + " --leak=5V", 2, "--leak: '5V'");
  check_refusal(eval + kText + " --mismatch 2", 2, "--mismatch: '2' is not between 0 and 1");
  check_refusal(eval + kText + " --jitter=-1", 2, "--jitter: '-1' is not between 0 and 1");
  check_refusal(eval + kText + " --chip one", 2, "--chip: 'one' is no chip number");
  check_refusal(eval + kText + " --tile-map spiral", 2, "--tile-map: 'spiral' is unknown");
  check_refusal(eval + " --text " + file("empty.txt", ""), 2, "empty.txt: has 0 tokens");
  check_refusal(eval + " --text " + file("latin1.txt", "caf\xE9 noir"), 2, "latin1.txt: is not UTF-8 at byte 3");
  check_refusal(eval + " --text " + file("utf16.txt", std::string("\xFF\xFEh\0i\0", 6)), 2,
                "utf16.txt: is not UTF-8 at byte 0");
  check_refusal("generate " + shipped("linear") + " --prompt 'caf\xE9 noir'", 2, "--prompt: is not UTF-8 at byte 3");
  check_refusal("tasks " + shipped("linear") + " --task piqa=" +
                    file("latin1.jsonl", "{\"context\": \"caf\xE9\", \"choices\": [\"a\", \"b\"], \"label\": 0}\n"),
                1, "latin1.jsonl: line 1");
  check_refusal(eval + " --text " + (scratch.path() / "none.txt").string(), 1, "none.txt: no such file");
  check_refusal(eval + kText + " --max-windows 1 --out /nonexistent/r.h5", 2,
                "/nonexistent/r.h5: the folder does not exist");
  check_refusal("eval --model " + scratch.path().string() + kText, 1, "config.json: no such file");
  const auto model = scratch.path() / "other";
  std::filesystem::copy(tests::source_dir() / "data" / "gpt2_small" / "softmax", model);
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string config = read_file(tests::source_dir() / "data" / "gpt2_small" / "softmax" / "config.json");
    REQUIRE(config.find(from) != std::string::npos);
    write_text(model / "config.json", config.replace(config.find(from), from.size(), to));
    return "eval --model " + model.string() + kText;
  };
  check_refusal(with("\"n_layer\": 4", "\"n_layer\": 5"), 1, "no tensor h.4.ln_1.weight");
  check_refusal(with("\"n_embd\": 192", "\"n_embd\": 384"), 1,
                "wte.weight has shape [2048, 192], config.json asks for");
  check_refusal(with("\"n_head\": 3", "\"n_head\": 2") + " --device paper-linear", 2,
                "heads of 96 values do not fit arrays of 64 rows");
  const auto circuit = scratch.path() / "unfitted.h5";
  store::write_model(circuit, {});
  check_refusal(eval + kText + " --device " + circuit.string(), 1, "unfitted.h5: circuit model: write has 0 levels");
  const std::string generate = "generate " + shipped("linear");
  check_refusal(generate + " --prompt-file " + file("long.txt", std::string(3000, '7')), 2,
                "the model's context is 256");
  check_refusal(generate + " --temperature=-1", 2, "temperature");
  check_refusal(generate + " --prompt a --prompt-file b", 2, "exclude each other");
  check_refusal("adapt " + shipped("linear") + kText + " --device softmax --out x", 2, "no scalers to adapt");
  check_refusal("adapt " + shipped("linear") + kText + " --device paper-nonlinear --out " + scratch.path().string(), 2,
                "exists and is not empty");
  check_refusal("adapt " + shipped("linear") + kText + " --device paper-nonlinear --force --out " +
                    (tests::source_dir() / "data" / "gpt2_small" / "linear").string(),
                2, "is the checkpoint that is read");
  check_refusal("adapt " + shipped("softmax") + kText + " --device paper-nonlinear --targets checkpoint --out " +
                    (scratch.path() / "new").string(),
                2, "holds no targets");
}
