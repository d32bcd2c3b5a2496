#include <algorithm>
#include <cstdio>
#include <limits>

#include "cli/gpt2_session.hpp"
#include "gpt2/study.hpp"

namespace gaincal::cli {
namespace {

constexpr const char* kUsage =
    "gaincal gpt2 sweep --model DIR --text FILE [--device DEVICE] [--knob NAME=VALUE,VALUE...]... [--out results.h5]";

gpt2::Knob read_knob(const std::string& word) {
  const std::size_t equals = word.find('=');
  if (equals == std::string::npos || equals + 1 == word.size())
    throw UsageError("--knob: '" + word + "' has no values; write NAME=VALUE,VALUE");
  gpt2::Knob knob{word.substr(0, equals), {}};
  for (std::size_t begin = equals + 1; begin <= word.size();) {
    const std::size_t end = std::min(word.find(',', begin), word.size());
    knob.values.push_back(word.substr(begin, end - begin));
    begin = end + 1;
  }
  return knob;
}

void print_table(const std::vector<gpt2::StudyRow>& rows) {
  std::printf("%-12s  %8s  %10s  %8s  %24s  %5s  %18s\n", "knob", "value", "perplexity", "+-", "nat/token - base",
              "chips", "lowest .. highest");
  for (const gpt2::StudyRow& row : rows) {
    const bool base = row.knob.empty();
    std::printf("%-12s  %8s  %10.3f  %8.3f", base ? "base" : row.knob.c_str(), base ? "-" : row.value.c_str(),
                row.perplexity.value, row.perplexity.standard_error);
    if (base)
      std::printf("  %24s", "-");
    else
      std::printf("  %+11.5f +- %9.5f", row.difference.value, row.difference.standard_error);
    if (row.chips.size() > 1) std::printf("  %5zu  %8.3f ..%8.3f", row.chips.size(), row.lowest, row.highest);
    std::printf("\n");
  }
  std::printf(
      "+-: one standard error, of the perplexity between chips where there are several, else between windows.\n");
}

store::Dataset as_dataset(const std::string& device, const std::vector<gpt2::StudyRow>& rows) {
  store::Dataset dataset = new_results();
  dataset.attributes["device"] = device;
  std::size_t most_chips = 1;
  for (const gpt2::StudyRow& row : rows) most_chips = std::max(most_chips, row.chips.size());
  store::Axis points = counted_axis("point", rows.size(), "the base, then one knob turned at a time");
  const store::Axis chips = counted_axis("chip", most_chips, "draws of cells and converters");
  store::Quantity value{"value", "1", "of the knob; NaN at the base and of corners", {}};
  store::Quantity perplexity{"perplexity", "1", "of the text, mean over the chips", {}};
  store::Quantity error{"standard_error", "1", "of the perplexity, between chips, or between windows of one chip", {}};
  store::Quantity spread{"spread", "1", "standard deviation between chips; NaN of one", {}};
  store::Quantity difference{"difference", "1", "mean loss in nat per token, minus the base's on the same windows", {}};
  store::Quantity difference_error{"difference_error", "1", "standard error of the difference", {}};
  store::Quantity of_chip{"perplexity", "1", "of the text on each chip; NaN where chips do not differ", {}};
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  for (const gpt2::StudyRow& row : rows) {
    const bool base = row.knob.empty();
    points.labels.push_back(base ? "base" : row.knob + "=" + row.value);
    value.values.push_back(row.number);
    perplexity.values.push_back(row.perplexity.value);
    error.values.push_back(row.perplexity.standard_error);
    spread.values.push_back(row.spread);
    difference.values.push_back(row.difference.value);
    difference_error.values.push_back(row.difference.standard_error);
    for (std::size_t c = 0; c < most_chips; ++c)
      of_chip.values.push_back(c < row.chips.size() ? row.chips[c].perplexity : kNone);
  }
  dataset.tables = {{"study",
                     "perplexity of the text per setting of the device",
                     {points},
                     {value, perplexity, error, spread, difference, difference_error},
                     {},
                     {}},
                    {"chips", "perplexity of each chip", {points, chips}, {of_chip}, {}, {}}};
  return dataset;
}

}  // namespace

int run_gpt2_sweep(const std::vector<std::string>& arguments) {
  po::options_description options("options");
  add_session_options(options);
  add_text_options(options);
  add_output_options(options);
  auto add = options.add_options();
  add("device", po::value<std::string>()->default_value("paper-nonlinear"),
      "base: paper-linear, paper-nonlinear, or a model.h5");
  add("knob", po::value<std::vector<std::string>>()->composing(),
      "NAME=VALUE,VALUE, may be given several times; NAME: query-bits, weight-bits, output-bits (0: unquantised), leak "
      "(of a stored voltage per token), window (tokens), mismatch (relative sigma of the cells), jitter (of the "
      "longest "
      "pulse), and of a model.h5 corner, temperature, supply; default: all of them");
  add("chips", po::value<std::string>()->default_value("8"), "chips drawn where cells or pulses vary");
  const auto values = parse_arguments(kUsage, options, {}, arguments);
  if (!values) return 0;
  const std::string device = (*values)["device"].as<std::string>();
  if (device == "softmax") throw UsageError("--device softmax has no knobs; choose an analog device");
  const auto chips = static_cast<std::size_t>(whole_number(*values, "chips", 1, 100000));
  gpt2::EvaluateOptions evaluate;
  evaluate.threads = thread_count(*values);
  evaluate.progress = "sweep";
  std::vector<gpt2::Knob> knobs;
  if (values->count("knob") > 0)
    for (const std::string& word : (*values)["knob"].as<std::vector<std::string>>()) knobs.push_back(read_knob(word));
  const Session session(*values, kUsage);
  if (knobs.empty()) knobs = gpt2::default_knobs(device, session.model.config());
  const Text text(*values, session, kUsage);
  Output output(*values);
  evaluate.journal = output.journal();
  const auto rows = run_study(session.model, device, session.device_options, knobs, text.windows, chips, evaluate);
  print_table(rows);
  output.write(as_dataset(device, rows));
  return 0;
}

}  // namespace gaincal::cli
