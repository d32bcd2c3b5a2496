#include <algorithm>
#include <cstdio>
#include <limits>

#include "cli/gpt2_session.hpp"
#include "core/log.hpp"
#include "gpt2/tasks.hpp"
#include "store/table.hpp"

namespace gaincal::cli {
namespace {

constexpr const char* kUsage =
    "gaincal gpt2 tasks --model DIR --task NAME=FILE.jsonl... [--device softmax|paper-linear|paper-nonlinear|MODEL.h5]"
    "... [--limit N] [--out results.h5]";

/// One task on every device, devices in the order given.
struct TaskOutcome {
  gpt2::Task task;
  std::vector<gpt2::TaskResult> results;
};

std::vector<gpt2::Task> read_tasks(const po::variables_map& values) {
  const std::size_t limit =
      values.count("limit") > 0 ? static_cast<std::size_t>(whole_number(values, "limit", 1, UINT32_MAX)) : 0;
  std::vector<gpt2::Task> tasks;
  for (const std::string& word : required<std::vector<std::string>>(values, "task", kUsage)) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) throw UsageError("--task: '" + word + "' has no file; write NAME=FILE.jsonl");
    const std::string name = word.substr(0, equals);
    if (std::any_of(tasks.begin(), tasks.end(), [&](const gpt2::Task& task) { return task.name == name; }))
      throw UsageError("--task: " + name + " is given twice; once is enough");
    tasks.push_back(gpt2::read_task(name, word.substr(equals + 1), limit));
  }
  return tasks;
}

std::string cell(const gpt2::Estimate& estimate, double scale, const char* format) {
  if (estimate.value != estimate.value) return "-";
  char text[64];
  std::snprintf(text, sizeof text, format, scale * estimate.value, scale * estimate.standard_error);
  return text;
}

void print_table(const std::vector<TaskOutcome>& outcomes, const std::vector<gpt2::Device>& devices) {
  int width = 6;
  for (const gpt2::Device& device : devices) width = std::max(width, static_cast<int>(device.name.size()));
  std::printf("%-13s  %-*s  %5s  %16s  %16s  %20s  %18s  %18s  %7s\n", "task", width, "device", "items", "accuracy %",
              "normalised %", "perplexity", "accuracy - first", "nat - first", "s");
  for (const TaskOutcome& outcome : outcomes)
    for (std::size_t d = 0; d < devices.size(); ++d) {
      const gpt2::TaskResult &result = outcome.results[d], &first = outcome.results.front();
      const bool last_word = outcome.task.kind == gpt2::TaskKind::last_word;
      const auto& chosen = last_word ? result.correct : result.correct_normalised;
      const auto& chosen_first = last_word ? first.correct : first.correct_normalised;
      std::printf("%-13s  %-*s  %5zu  %16s  %16s  %20s  %18s  %18s  %7.1f\n", outcome.task.name.c_str(), width,
                  devices[d].name.c_str(), result.correct.size(),
                  cell(result.accuracy(), 100.0, "%.2f +- %.2f").c_str(),
                  cell(result.accuracy_normalised(), 100.0, "%.2f +- %.2f").c_str(),
                  last_word ? cell(result.perplexity(), 1.0, "%.4g +- %.2g").c_str() : "-",
                  d == 0 ? "-" : cell(gpt2::paired_difference(chosen, chosen_first), 100.0, "%+.2f +- %.2f").c_str(),
                  d == 0 ? "-" : cell(gpt2::paired_difference(result.nll, first.nll), 1.0, "%+.4f +- %.4f").c_str(),
                  result.seconds);
    }
  std::printf("+-: one standard error. '- first': against the first device on the same items; accuracy is the %s\n",
              "normalised one where there are choices, nat the loss of the right continuation.");
}

store::Dataset as_dataset(const std::vector<TaskOutcome>& outcomes, const std::vector<gpt2::Device>& devices) {
  store::Dataset dataset = new_results();
  store::Axis device_axis = counted_axis("device", devices.size(), "what computed the attention");
  for (const gpt2::Device& device : devices) device_axis.labels.push_back(device.name);
  store::Axis task_axis = counted_axis("task", outcomes.size(), "benchmarks");
  store::Quantity items{"items", "1", "questions", {}};
  store::Quantity accuracy{"accuracy", "1", "share answered right", {}};
  store::Quantity accuracy_error{"accuracy_error", "1", "standard error of the accuracy", {}};
  store::Quantity normalised{"accuracy_normalised", "1", "by log-likelihood per byte; NaN without choices", {}};
  store::Quantity normalised_error{"accuracy_normalised_error", "1", "its standard error", {}};
  store::Quantity perplexity{"perplexity", "1", "exp of the mean loss of the right continuation", {}};
  store::Quantity perplexity_error{"perplexity_error", "1", "its standard error", {}};
  for (const TaskOutcome& outcome : outcomes) {
    task_axis.labels.push_back(outcome.task.name);
    std::string table_name = "items_" + outcome.task.name;
    std::replace(table_name.begin(), table_name.end(), '-', '_');
    store::Axis item_axis = counted_axis("item", outcome.task.items.size(), "questions in the order of the file");
    for (const gpt2::TaskItem& item : outcome.task.items) item_axis.labels.push_back(std::to_string(item.id));
    store::Quantity correct{"correct", "1", "1 where the answer is right", {}};
    store::Quantity correct_normalised{
        "correct_normalised", "1", "by log-likelihood per byte; NaN without choices", {}};
    store::Quantity nll{"nll", "1", "loss of the right continuation in nat", {}};
    for (const gpt2::TaskResult& result : outcome.results) {
      items.values.push_back(static_cast<double>(result.correct.size()));
      const auto put = [](store::Quantity& value, store::Quantity& error, const gpt2::Estimate& estimate) {
        value.values.push_back(estimate.value);
        error.values.push_back(estimate.standard_error);
      };
      put(accuracy, accuracy_error, result.accuracy());
      put(normalised, normalised_error, result.accuracy_normalised());
      put(perplexity, perplexity_error, result.perplexity());
      const auto append = [&](store::Quantity& to, std::vector<double> from) {
        from.resize(result.correct.size(), std::numeric_limits<double>::quiet_NaN());
        to.values.insert(to.values.end(), from.begin(), from.end());
      };
      append(correct, result.correct);
      append(correct_normalised, result.correct_normalised);
      append(nll, result.nll);
    }
    dataset.tables.push_back({table_name,
                              "answers to each question of " + outcome.task.name,
                              {device_axis, item_axis},
                              {correct, correct_normalised, nll},
                              {},
                              {}});
  }
  dataset.tables.insert(dataset.tables.begin(),
                        {"tasks",
                         "results per benchmark and device",
                         {task_axis, device_axis},
                         {items, accuracy, accuracy_error, normalised, normalised_error, perplexity, perplexity_error},
                         {},
                         {}});
  return dataset;
}

}  // namespace

int run_gpt2_tasks(const std::vector<std::string>& arguments) {
  po::options_description options("options");
  add_session_options(options);
  auto add = options.add_options();
  add("task", po::value<std::vector<std::string>>()->composing(),
      "NAME=FILE.jsonl, may be given several times; NAME: lambada, hellaswag, piqa, winogrande, winograd, arc-easy, "
      "arc-challenge");
  add("limit", po::value<std::string>(), "only the first items of each task");
  add_devices_option(options);
  add_output_options(options);
  const auto values = parse_arguments(kUsage, options, {}, arguments);
  if (!values) return 0;
  gpt2::EvaluateOptions evaluate;
  evaluate.threads = thread_count(*values);
  auto tasks = read_tasks(*values);
  const Session session(*values, kUsage);
  const auto devices = session.devices(*values);
  for (gpt2::Task& task : tasks)
    for (const std::string& reason : gpt2::remove_unfit_items(session.model, session.tokenizer, task))
      log_warning(reason);
  Output output(*values);
  evaluate.journal = output.journal();
  std::vector<TaskOutcome> outcomes;
  for (const gpt2::Task& task : tasks) {
    TaskOutcome outcome{task, {}};
    for (const gpt2::Device& device : devices) {
      evaluate.progress = evaluate.part = task.name + ", " + device.name;
      outcome.results.push_back(gpt2::run_task(session.model, session.tokenizer, device, task, evaluate));
    }
    outcomes.push_back(std::move(outcome));
  }
  print_table(outcomes, devices);
  output.write(as_dataset(outcomes, devices));
  return 0;
}

}  // namespace gaincal::cli
