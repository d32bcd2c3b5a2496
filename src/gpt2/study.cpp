#include "gpt2/study.hpp"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>

#include "core/error.hpp"
#include "core/parallel.hpp"
#include "core/units.hpp"
#include "store/model_file.hpp"

namespace gaincal::gpt2 {
namespace {

constexpr double kMostBits = 8;

/// A pure number of a knob, from `least` to `most`; `what` says what is wrong with another.
double number_in(const std::string& name, const std::string& value, double least, double most, const char* what) {
  const double number = parse_quantity(value, Unit::none, "knob " + name);
  if (!(number >= least) || number > most) throw UsageError("knob " + name + ": " + value + " is no " + what);
  return number;
}

int levels_of(const std::string& name, const std::string& value) {
  constexpr const char* kWhat = "number of bits from 0 to 8";
  const double bits = number_in(name, value, 0.0, kMostBits, kWhat);
  if (bits != std::floor(bits)) throw UsageError("knob " + name + ": " + value + " is no " + kWhat);
  return bits == 0.0 ? 0 : 1 << static_cast<int>(bits);
}

double number_of(const std::string& name, const std::string& value) {
  if (name == "corner") return std::numeric_limits<double>::quiet_NaN();
  const Unit unit = name == "temperature" ? Unit::celsius : name == "supply" ? Unit::volt : Unit::none;
  return parse_quantity(value, unit, "knob " + name);
}

bool is_paper(const std::string& device) { return device.starts_with("paper-"); }

void check_turns(const std::string& device, const std::string& knob) {
  const auto among = [&](std::initializer_list<const char*> names) {
    return std::find(names.begin(), names.end(), knob) != names.end();
  };
  if (is_paper(device) && among({"corner", "temperature", "supply"}))
    throw UsageError("knob " + knob + " is of circuits; turn it on a model.h5");
}

/// Each window's loss, mean over chips.
std::vector<WindowLoss> mean_losses(const std::vector<Perplexity>& chips) {
  std::vector<WindowLoss> losses = chips.front().windows;
  for (std::size_t w = 0; w < losses.size(); ++w) {
    double sum = 0.0;
    for (const Perplexity& chip : chips) sum += chip.windows[w].nll;
    losses[w].nll = sum / static_cast<double>(chips.size());
  }
  return losses;
}

void summarise_chips(StudyRow& row) {
  std::vector<double> perplexities;
  for (const Perplexity& chip : row.chips) perplexities.push_back(chip.perplexity);
  row.perplexity = mean_estimate(perplexities);
  row.spread = row.perplexity.standard_error * std::sqrt(static_cast<double>(perplexities.size()));
  if (perplexities.size() == 1) row.perplexity.standard_error = row.chips.front().standard_error;
  row.lowest = *std::min_element(perplexities.begin(), perplexities.end());
  row.highest = *std::max_element(perplexities.begin(), perplexities.end());
}

/// One point on every chip.
std::vector<Perplexity> run_point(const Model& model, const std::string& device, const DeviceOptions& point,
                                  std::span<const TextWindow> windows, std::size_t chips,
                                  const EvaluateOptions& options) {
  const Device first = make_device(device, model.config(), point);
  std::vector<Perplexity> results(first.heads.empty() ? 1 : chips);
  const std::size_t at_once =
      std::min(results.size(), (options.threads + windows.size() - 1) / std::max<std::size_t>(1, windows.size()));
  parallel_for(results.size(), static_cast<unsigned>(at_once), [&](std::size_t c) {
    EvaluateOptions evaluate = options;
    evaluate.threads = std::max(1u, options.threads / static_cast<unsigned>(at_once));
    evaluate.part += " chip " + std::to_string(c);
    if (at_once > 1) evaluate.progress.clear();
    DeviceOptions chip = point;
    chip.threads = evaluate.threads;
    if (!first.heads.empty()) chip.circuit.chip = point.circuit.chip.value_or(0) + c;
    results[c] =
        evaluate_perplexity(model, c == 0 ? first : make_device(device, model.config(), chip), windows, evaluate);
  });
  return results;
}

}  // namespace

std::vector<Knob> default_knobs(const std::string& device, const Config& config) {
  const std::vector<std::string> bits = {"2", "3", "4", "5", "6"};
  std::vector<Knob> knobs = {{"query-bits", bits},
                             {"weight-bits", bits},
                             {"output-bits", bits},
                             {"leak", {"0", "1e-4", "1e-3", "3e-3", "1e-2"}}};
  Knob window{"window", {}};
  for (std::size_t tokens = config.n_ctx; tokens >= 16 && window.values.size() < 5; tokens /= 2)
    window.values.push_back(std::to_string(tokens));
  knobs.push_back(window);
  knobs.push_back({"mismatch", {"0", "0.01", "0.02", "0.05", "0.1"}});
  knobs.push_back({"jitter", {"0", "0.01", "0.02", "0.05"}});
  if (!is_paper(device)) {
    const auto conditions = store::read_model(circuit_path(device)).conditions;
    if (conditions.corners.size() > 1) knobs.push_back({"corner", conditions.corners});
    if (conditions.temperatures_C.size() > 1) {
      const auto text = [](double temperature_C) { return format_quantity(temperature_C, Unit::celsius); };
      knobs.push_back(
          {"temperature", {text(conditions.temperatures_C.front()), text(conditions.temperatures_C.back())}});
    }
  }
  return knobs;
}

DeviceOptions with_knob(DeviceOptions base, const std::string& name, const std::string& value) {
  if (name == "query-bits") {
    base.query_levels = levels_of(name, value);
  } else if (name == "weight-bits") {
    base.weight_levels = levels_of(name, value);
  } else if (name == "output-bits") {
    base.output_levels = levels_of(name, value);
  } else if (name == "leak") {
    base.leak_per_token = number_in(name, value, 0.0, HUGE_VAL, "decay per token of at least 0");
  } else if (name == "window") {
    const double tokens = number_in(name, value, 1.0, 1048576.0, "number of tokens");
    if (tokens != std::floor(tokens)) throw UsageError("knob window: " + value + " is no number of tokens");
    base.window = static_cast<std::size_t>(tokens);
  } else if (name == "mismatch") {
    base.mismatch = number_in(name, value, 0.0, 1.0, "relative sigma from 0 to 1");
  } else if (name == "jitter") {
    base.jitter = number_in(name, value, 0.0, 1.0, "part of the longest pulse from 0 to 1");
  } else if (name == "corner") {
    base.circuit.corner = value;
  } else if (name == "temperature") {
    base.circuit.temperature_C = parse_quantity(value, Unit::celsius, "knob temperature");
  } else if (name == "supply") {
    base.circuit.supply_V = parse_quantity(value, Unit::volt, "knob supply");
  } else {
    throw UsageError("knob '" + name +
                     "' is unknown; choose query-bits, weight-bits, output-bits, leak, window, mismatch, jitter, "
                     "corner, temperature or supply");
  }
  return base;
}

std::vector<StudyRow> run_study(const Model& model, const std::string& device, const DeviceOptions& base,
                                std::span<const Knob> knobs, std::span<const TextWindow> windows, std::size_t chips,
                                const EvaluateOptions& options) {
  std::vector<StudyRow> rows(1);
  rows[0].number = std::numeric_limits<double>::quiet_NaN();
  std::vector<DeviceOptions> points = {base};
  for (const Knob& knob : knobs) {
    check_turns(device, knob.name);
    for (const std::string& value : knob.values) {
      rows.emplace_back();
      rows.back().knob = knob.name;
      rows.back().value = value;
      rows.back().number = number_of(knob.name, value);
      points.push_back(with_knob(base, knob.name, value));
    }
  }
  for (DeviceOptions point : points) {  // all of them before any work, without the cells of a chip
    point.circuit.chip.reset(), point.mismatch.reset(), point.jitter = 0.0;
    make_device(device, model.config(), point);
  }
  EvaluateOptions evaluate = options;
  evaluate.count_activity = false;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    StudyRow& row = rows[r];
    if (!options.progress.empty())
      evaluate.progress = options.progress + " " + std::to_string(r + 1) + "/" + std::to_string(rows.size());
    evaluate.part = row.knob.empty() ? "base" : row.knob + "=" + row.value;
    row.chips = run_point(model, device, points[r], windows, chips, evaluate);
    summarise_chips(row);
    row.difference = loss_difference(mean_losses(row.chips), mean_losses(rows[0].chips));
  }
  return rows;
}

}  // namespace gaincal::gpt2
