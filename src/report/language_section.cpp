#include <algorithm>
#include <cctype>
#include <cmath>

#include "core/units.hpp"
#include "report/sections.hpp"

namespace gaincal::report {
namespace {

using Style = Series::Style;

constexpr std::size_t kLongestTitle = 40;  // of a panel, to stay inside it

}  // namespace

Section language_section(const Sources& sources) {
  Section section{"language", "The language model"};
  const store::Table* table = find_table(sources.results, "perplexity");
  if (table == nullptr || table->axes.empty()) {
    section.blocks.push_back(Missing{"the perplexities of results.h5", kFlow});
    return section;
  }
  Figure figure{
      "Perplexity of the evaluation text by what computes the attention, lower is better; the error bar is the "
      "standard error from the spread between windows. Scalers are the affine factors before and after each "
      "head. While they adapt on the calibration text the perplexity falls, and more heads meet the means and "
      "deviations that the checkpoint was tuned for.",
      {}};
  Panel panel{"perplexity", "Perplexity by device", "perplexity", "", false, {}, labels_of(*table), {}};
  const std::vector<double> initial = values_or_none(*table, "initial"), adapted = values_or_none(*table, "adapted"),
                            error = values_or_none(*table, "standard_error");
  std::vector<double> tuned = values_or_none(*table, "tuned");
  const std::vector<double> plain = values_or_none(*table, "perplexity");  // of 'gaincal gpt2 eval'
  for (std::size_t i = 0; i < tuned.size(); ++i)
    if (std::isnan(tuned[i])) tuned[i] = plain[i];
  panel.bars = {bars("a = 1, b = 0", Colour::muted, initial, 1),
                bars("of the checkpoint", Colour::closed_form, tuned, 1), bars("adapted", Colour::table, adapted, 1)};
  for (BarGroup* group : {&panel.bars[1], &panel.bars[2]}) group->error.assign(error.size(), 0.0);
  for (std::size_t i = 0; i < error.size(); ++i)
    panel.bars[std::isnan(adapted[i]) ? 1 : 2].error[i] = std::isnan(error[i]) ? 0.0 : error[i];
  figure.panels.push_back(std::move(panel));
  Panel curve{"adaptation", "Perplexity while the scalers adapt", "iteration", "perplexity"};
  Panel met{"adaptation_met", "Statistics within the tolerance", "iteration", "share (%)"};
  for (const store::Table& candidate : sources.results->tables) {
    if (candidate.name.rfind("adaptation_", 0) != 0 || candidate.axes.size() != 1) continue;
    const Colour colour = curve.series.empty() ? Colour::closed_form : Colour::table;
    const std::string name = candidate.name.substr(std::string("adaptation_").size());
    const std::vector<double>& iteration = candidate.axes[0].values;
    curve.series.push_back({name, Style::line, colour, iteration, values_or_none(candidate, "perplexity")});
    met.series.push_back({name, Style::line, colour, iteration, values_or_none(candidate, "statistics_met")});
    for (double& share : met.series.back().y) share *= 100;
  }
  const bool adapted_any = !curve.series.empty();
  if (adapted_any) {
    figure.panels.push_back(std::move(curve));
    figure.panels.push_back(std::move(met));
  }
  section.blocks.push_back(std::move(figure));
  if (!adapted_any) section.blocks.push_back(Missing{"the adaptation curves of results.h5", kFlow});
  DataTable list{"perplexities",
                 "Perplexity by scalers; the standard error is that of the last column with a value",
                 {"device", "a = 1, b = 0", "of the checkpoint", "adapted", "standard error"},
                 {}};
  const std::vector<std::string> names = labels_of(*table);
  for (std::size_t i = 0; i < names.size(); ++i)
    list.rows.push_back({names[i], number_cell(initial[i], 2), number_cell(tuned[i], 2), number_cell(adapted[i], 2),
                         number_cell(error[i], 2)});
  section.blocks.push_back(std::move(list));
  return section;
}

namespace {

/// Of a property whose values are numbers, or words such as corners.
Panel study_panel(const std::string& property, bool words) {
  std::string id = "study_" + property;
  std::replace_if(
      id.begin(), id.end(), [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); }, '_');
  const std::string title = property.substr(0, kLongestTitle), loss = "loss to the base (nat per token)";
  if (words) {
    Panel panel{id, title, loss, ""};
    panel.bars = {BarGroup{"difference", Colour::table, {}, {}, {}, {}}};
    return panel;
  }
  Panel panel{id, title, title, loss};
  panel.series = {{"difference", Series::Style::line, Colour::table, {}, {}},
                  {"", Series::Style::points, Colour::table, {}, {}},
                  {"one standard error", Series::Style::thin_line, Colour::muted, {}, {}},
                  {"", Series::Style::thin_line, Colour::muted, {}, {}}};
  return panel;
}

}  // namespace

Section sensitivity_section(const Sources& sources) {
  Section section{"sensitivity", "Sensitivity of the language model"};
  const store::Table* study = find_table(sources.study, "study");
  if (study == nullptr) study = find_table(sources.results, "study");
  if (study == nullptr || study->axes.empty()) {
    section.blocks.push_back(
        Missing{"a study of what each property of the device costs, study.h5",
                "gaincal gpt2 sweep --model CHECKPOINT --text TEXT --device paper-nonlinear --out DIR/study.h5"});
    return section;
  }
  const std::vector<std::string> points = labels_of(*study);
  const std::vector<double> value = values_or_none(*study, "value"), perplexity = values_or_none(*study, "perplexity"),
                            difference = values_or_none(*study, "difference"),
                            error = values_or_none(*study, "difference_error");
  Figure figure{
      "Loss of the language model against the base when one property of the device is changed and the scalers stay as "
      "they are; the thin lines and error bars are one standard error, from the same windows of text. Zero costs "
      "nothing.",
      {}};
  DataTable table{"study",
                  "Each point of the study",
                  {"property", "value", "perplexity", "difference (nat per token)", "its standard error"},
                  {}};
  std::string last;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const std::size_t equals = std::min(points[i].rfind('='), points[i].size());
    const std::string property = points[i].substr(0, equals);
    const std::string word = points[i].substr(std::min(equals + 1, points[i].size()));
    table.rows.push_back({property,
                          {std::isnan(value[i]) ? word : format_quantity(value[i], Unit::none, 4), value[i]},
                          number_cell(perplexity[i], 2),
                          number_cell(difference[i], 4),
                          number_cell(error[i], 4)});
    if (property == "base") continue;
    if (property != last) figure.panels.push_back(study_panel(property, std::isnan(value[i])));
    last = property;
    Panel& panel = figure.panels.back();
    if (!panel.bars.empty()) {
      panel.categories.push_back(word);
      panel.bars[0].from.push_back(0.0);
      panel.bars[0].to.push_back(difference[i]);
      panel.bars[0].error.push_back(std::isnan(error[i]) ? 0.0 : error[i]);
      panel.bars[0].labels.push_back(number_cell(difference[i], 3).text);
      continue;
    }
    const double offsets[] = {0.0, 0.0, error[i], -error[i]};
    for (std::size_t s = 0; s < 4; ++s) {
      panel.series[s].x.push_back(value[i]);
      panel.series[s].y.push_back(difference[i] + offsets[s]);
    }
  }
  section.blocks.push_back(std::move(figure));
  section.blocks.push_back(std::move(table));
  return section;
}

}  // namespace gaincal::report
