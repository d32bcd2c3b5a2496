#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "gpt2/evaluate.hpp"

namespace gaincal::gpt2 {

enum class TaskKind {
  last_word,        ///< LAMBADA: predict the one continuation, greedily; perplexity of it
  multiple_choice,  ///< the likeliest continuation is the answer
};

/// What is scored: the continuation, given the context.
struct TaskChoice {
  std::string context, continuation;
};

struct TaskItem {
  std::int64_t id = 0;
  std::vector<TaskChoice> choices;
  std::size_t label = 0;  ///< the right one
};

struct Task {
  std::string name;
  TaskKind kind = TaskKind::multiple_choice;
  std::vector<TaskItem> items;
};

/// Reads a benchmark: one JSON object a line, either {context, choices, label} or {contexts, continuation, label}, `id`
/// a whole number where there is one. Empty lines are skipped.
///
/// name    lambada (last word) or hellaswag, piqa, winogrande, winograd, arc-easy, arc-challenge
/// limit   only the first items; 0: all
/// Throws  UsageError for another name; Error naming file, line and field
Task read_task(const std::string& name, const std::filesystem::path& path, std::size_t limit = 0);

/// Takes out the items with a continuation longer than the model's context, which no window holds, and returns a line
/// about each: to be done before devices are compared, so that all score the same items.
std::vector<std::string> remove_unfit_items(const Model& model, const Tokenizer& tokenizer, Task& task);

/// Mean of n numbers and s / sqrt(n); NaN with fewer than two.
Estimate mean_estimate(std::span<const double> values);

/// Scores per item, in the order of the task.
struct TaskResult {
  std::vector<std::vector<double>> choice_nll;  ///< nat, of all tokens of a continuation
  std::vector<double> correct;                  ///< 1 or 0; last word: every token was the likeliest
  std::vector<double> correct_normalised;       ///< by nll per byte of the continuation; multiple choice only
  std::vector<double> nll;                      ///< of the right continuation
  double seconds = 0.0;

  Estimate accuracy() const { return mean_estimate(correct); }
  Estimate accuracy_normalised() const { return mean_estimate(correct_normalised); }
  /// exp of the mean nll of an item's right continuation.
  Estimate perplexity() const;
};

/// Runs every continuation on the device, items in parallel; the start that the choices of an item have in common is
/// computed once. The same bits for any number of threads.
///
/// Context and continuation are encoded apart; where both do not fit the model's context the start of the first is
/// dropped, and an empty context is the end-of-text token. The normalised choice is that of least nll per byte of the
/// continuation without its leading blank; equal scores go to the first.
///
/// Throws Error naming the item when a continuation is longer than the model's context (remove_unfit_items) or there is
/// nothing to predict it from
TaskResult run_task(const Model& model, const Tokenizer& tokenizer, const Device& device, const Task& task,
                    const EvaluateOptions& options = {});

/// a - b on the same items. Throws Error when they have not the same number.
Estimate paired_difference(std::span<const double> a, std::span<const double> b);

}  // namespace gaincal::gpt2
