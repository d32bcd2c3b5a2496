#include "gpt2/tasks.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/error.hpp"
#include "core/files.hpp"
#include "core/log.hpp"

namespace gaincal::gpt2 {
namespace {

using nlohmann::json;

constexpr std::array<const char*, 7> kNames = {"lambada",  "hellaswag", "piqa",         "winogrande",
                                               "winograd", "arc-easy",  "arc-challenge"};

/// One line of a benchmark file; every complaint names file, line and field.
class Line {
 public:
  Line(std::string where, const std::string& text) : where_(std::move(where)) {
    try {
      object_ = json::parse(text);
    } catch (const json::exception&) {
      throw Error(where_ + ": is no JSON; each line must be one object");
    }
    if (!object_.is_object()) throw Error(where_ + ": is no JSON object; each line must be one");
  }

  bool has(const char* field) const { return object_.contains(field); }

  std::string text(const char* field) const {
    const json& value = get(field);
    if (!value.is_string()) throw refuse(field, "is no text");
    return value.get<std::string>();
  }

  std::vector<std::string> texts(const char* field) const {
    const json& value = get(field);
    const auto is_text = [](const json& entry) { return entry.is_string(); };
    if (!value.is_array() || value.empty() || !std::all_of(value.begin(), value.end(), is_text))
      throw refuse(field, "is no list of texts");
    return value.get<std::vector<std::string>>();
  }

  std::size_t label(std::size_t choices) const {
    const json& value = get("label");
    if (!value.is_number_unsigned() || value.get<std::size_t>() >= choices)
      throw refuse("label", "is no number from 0 to " + std::to_string(choices - 1));
    return value.get<std::size_t>();
  }

  std::int64_t id(std::int64_t otherwise) const {
    if (!has("id")) return otherwise;
    if (!get("id").is_number_integer()) throw refuse("id", "is no whole number");
    return get("id").get<std::int64_t>();
  }

  Error refuse(const std::string& field, const std::string& why) const {
    return Error(where_ + ": field '" + field + "' " + why + "; correct the line");
  }

 private:
  const json& get(const char* field) const {
    if (!has(field)) throw refuse(field, "is missing");
    return object_[field];
  }

  std::string where_;
  json object_;
};

TaskItem read_item(const Line& line, TaskKind kind, std::int64_t number) {
  TaskItem item;
  item.id = line.id(number);
  if (line.has("contexts")) {
    const std::string continuation = line.text("continuation");
    for (const std::string& context : line.texts("contexts")) item.choices.push_back({context, continuation});
  } else {
    const std::string context = line.text("context");
    for (const std::string& choice : line.texts("choices")) item.choices.push_back({context, choice});
  }
  for (const TaskChoice& choice : item.choices)
    if (choice.continuation.empty())
      throw line.refuse(line.has("contexts") ? "continuation" : "choices", "has an empty text");
  if (kind == TaskKind::multiple_choice && item.choices.size() < 2)
    throw line.refuse(line.has("contexts") ? "contexts" : "choices", "has one entry, nothing to choose");
  item.label = line.label(item.choices.size());
  return item;
}

/// Context and continuation as one pass.
struct Passage {
  std::vector<TokenId> tokens;
  std::size_t first_counted = 0;
};

Passage encode_choice(const Model& model, const Tokenizer& tokenizer, const TaskChoice& choice,
                      const std::string& where) {
  auto tokens = tokenizer.encode(choice.context, SpecialTokens::as_text, where + ", context");
  if (tokens.empty()) {
    if (!tokenizer.end_of_text())
      throw Error(where + ": the context is empty and the vocabulary has no <|endoftext|>; give a context");
    tokens.push_back(*tokenizer.end_of_text());
  }
  const auto continuation = tokenizer.encode(choice.continuation, SpecialTokens::as_text, where + ", continuation");
  const std::size_t most = model.config().n_ctx + 1;  // the last token is only predicted
  if (continuation.size() + 1 > most)
    throw Error(where + ": a continuation of " + std::to_string(continuation.size()) +
                " tokens does not fit the context of " + std::to_string(model.config().n_ctx) + "; drop the item");
  tokens.insert(tokens.end(), continuation.begin(), continuation.end());
  if (tokens.size() > most) tokens.erase(tokens.begin(), tokens.end() - static_cast<std::ptrdiff_t>(most));
  const std::size_t first = tokens.size() - continuation.size() - 1;
  return {std::move(tokens), first};
}

double bytes_of(const std::string& continuation) {
  const std::size_t blank = continuation.front() == ' ' && continuation.size() > 1 ? 1 : 0;
  return static_cast<double>(continuation.size() - blank);
}

std::size_t least(std::span<const double> scores) {
  return static_cast<std::size_t>(std::min_element(scores.begin(), scores.end()) - scores.begin());
}

}  // namespace

Task read_task(const std::string& name, const std::filesystem::path& path, std::size_t limit) {
  if (std::find(kNames.begin(), kNames.end(), name) == kNames.end()) {
    std::string known;
    for (const char* word : kNames) known.append(known.empty() ? "" : ", ").append(word);
    throw UsageError("task '" + name + "' is unknown; choose " + known);
  }
  Task task{name, name == "lambada" ? TaskKind::last_word : TaskKind::multiple_choice, {}};
  std::istringstream lines(read_file(path));
  std::size_t number = 0;
  for (std::string text; std::getline(lines, text) && (limit == 0 || task.items.size() < limit);) {
    ++number;
    if (text.find_first_not_of(" \t\r") == std::string::npos) continue;
    const Line line(path.string() + ": line " + std::to_string(number), text);
    task.items.push_back(read_item(line, task.kind, static_cast<std::int64_t>(task.items.size())));
  }
  if (task.items.empty()) throw Error(path.string() + ": has no item; give a benchmark of one JSON object a line");
  return task;
}

std::vector<std::string> remove_unfit_items(const Model& model, const Tokenizer& tokenizer, Task& task) {
  std::vector<std::string> reasons;
  std::erase_if(task.items, [&](const TaskItem& item) {
    const std::string where = "task " + task.name + ", item " + std::to_string(item.id);
    for (const TaskChoice& choice : item.choices) {
      const std::size_t length = tokenizer.encode(choice.continuation, SpecialTokens::as_text, where).size();
      if (length <= model.config().n_ctx) continue;
      reasons.push_back(where + ": a continuation of " + std::to_string(length) +
                        " tokens does not fit the context of " + std::to_string(model.config().n_ctx) +
                        "; the item is left out");
      return true;
    }
    return false;
  });
  if (task.items.empty()) throw Error("task " + task.name + ": no item fits the model's context");
  return reasons;
}

Estimate mean_estimate(std::span<const double> values) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  if (values.empty()) return {kNone, kNone};
  const auto n = static_cast<double>(values.size());
  double sum = 0.0, squares = 0.0;
  for (const double value : values) sum += value;
  const double mean = sum / n;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return {mean, n > 1.0 ? std::sqrt(squares / (n - 1.0) / n) : kNone};
}

Estimate TaskResult::perplexity() const {
  const Estimate mean = mean_estimate(nll);
  return {std::exp(mean.value), std::exp(mean.value) * mean.standard_error};
}

Estimate paired_difference(std::span<const double> a, std::span<const double> b) {
  if (a.size() != b.size())
    throw Error("paired difference: " + std::to_string(a.size()) + " items beside " + std::to_string(b.size()) +
                "; compare runs of the same items");
  std::vector<double> difference(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) difference[i] = a[i] - b[i];
  return mean_estimate(difference);
}

TaskResult run_task(const Model& model, const Tokenizer& tokenizer, const Device& device, const Task& task,
                    const EvaluateOptions& options) {
  const double start_s = monotonic_seconds();
  std::vector<std::vector<Passage>> passages(task.items.size());
  std::vector<std::vector<TextWindow>> groups(task.items.size());
  for (std::size_t i = 0; i < task.items.size(); ++i) {
    const TaskItem& item = task.items[i];
    const std::string where = "task " + task.name + ", item " + std::to_string(item.id);
    for (const TaskChoice& choice : item.choices) passages[i].push_back(encode_choice(model, tokenizer, choice, where));
    for (const Passage& passage : passages[i]) groups[i].push_back({passage.tokens, passage.first_counted, i});
  }
  const auto losses = evaluate_groups(model, device, groups, options);

  TaskResult result;
  for (std::size_t i = 0; i < task.items.size(); ++i) {
    const TaskItem& item = task.items[i];
    std::vector<double> nll, per_byte;
    bool greedy = false;
    for (std::size_t c = 0; c < item.choices.size(); ++c) {
      const WindowLoss& loss = losses[i][c];
      if (!std::isfinite(loss.nll))
        throw Error(model.file().path().string() + ": gives logits that are not finite; download the checkpoint again");
      if (c == item.label) greedy = loss.likeliest == loss.tokens;
      nll.push_back(loss.nll);
      per_byte.push_back(loss.nll / bytes_of(item.choices[c].continuation));
    }
    result.nll.push_back(nll[item.label]);
    if (task.kind == TaskKind::last_word) {
      result.correct.push_back(greedy ? 1.0 : 0.0);
    } else {
      result.correct.push_back(least(nll) == item.label ? 1.0 : 0.0);
      result.correct_normalised.push_back(least(per_byte) == item.label ? 1.0 : 0.0);
    }
    result.choice_nll.push_back(std::move(nll));
  }
  result.seconds = monotonic_seconds() - start_s;
  return result;
}

}  // namespace gaincal::gpt2
