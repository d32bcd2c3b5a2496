#include <cmath>

#include "core/units.hpp"
#include "energy/account.hpp"
#include "energy/paper.hpp"
#include "report/sections.hpp"

namespace gaincal::report {

std::vector<Headline> headlines(const Sources& sources) {
  std::vector<Headline> result;
  if (sources.model) {
    const device::FitQuality& cell = sources.model->model.cell.table_quality;
    if (cell.held_out_points > 0 && cell.full_scale > 0)
      result.push_back({fixed_text(100 * cell.held_out_max / cell.full_scale, 3) + " %",
                        "largest error of the cell model", "of full scale, at points held out from the fit"});
  }
  if (const store::Table* table = find_table(sources.results, "perplexity"); table != nullptr && !table->axes.empty()) {
    const std::vector<std::string> names = labels_of(*table);
    const std::vector<double> adapted = values_or_none(*table, "adapted"), tuned = values_or_none(*table, "tuned");
    for (std::size_t i = 0; i < names.size(); ++i)
      if (names[i] == "fitted-circuit")
        result.push_back({fixed_text(std::isnan(adapted[i]) ? tuned[i] : adapted[i], 2),
                          "perplexity on the fitted circuit", names[0] + ": " + fixed_text(tuned[0], 2)});
  }
  if (sources.results && energy::has_account(*sources.results)) {
    const energy::Account account = energy::read_account(*sources.results);
    result.push_back({format_quantity(account.full_window_total_J(), Unit::joule, 3), "per token and head",
                      "window " + fixed_text(account.window_columns, 0) + ", control at the paper's figure; paper: " +
                          format_quantity(energy::paper::kHead_J, Unit::joule, 3)});
  }
  if (sources.model)
    result.push_back({format_quantity(sources.model->model.t_token_s, Unit::second, 3), "a token through a layer",
                      "paper: " + format_quantity(energy::paper::kToken_s, Unit::second, 3)});
  return result;
}

Section provenance_section(const Sources& sources) {
  Section section{"provenance", "Provenance"};
  DataTable table{"provenance_table",
                  "What wrote the files and what was simulated",
                  {"file", "tool", "ngspice", "netlist hash", "seed", "command line"},
                  {}};
  const auto add = [&](const char* file, const Provenance& provenance) {
    table.rows.push_back({file, provenance.tool_version, provenance.ngspice_version, provenance.netlist_hash,
                          std::to_string(provenance.seed), provenance.command_line});
  };
  if (sources.dataset) add("dataset.h5", sources.dataset->provenance);
  if (sources.model) add("model.h5", sources.model->provenance);
  if (sources.results) add("results.h5", sources.results->provenance);
  if (sources.study) add("study.h5", sources.study->provenance);
  if (sources.verify) add("verify.h5", sources.verify->provenance);
  if (sources.mismatch) add("mismatch/dataset.h5", sources.mismatch->provenance);
  if (sources.corners) add("corners/dataset.h5", sources.corners->provenance);
  section.blocks.push_back(std::move(table));
  if (sources.dataset && !sources.dataset->attributes.empty()) {
    DataTable facts{"facts", "Facts about the design, from dataset.h5", {"name", "value"}, {}};
    for (const auto& [name, value] : sources.dataset->attributes) facts.rows.push_back({name, value});
    section.blocks.push_back(std::move(facts));
  }
  if (const store::Table* stages = find_table(sources.results, "stages"); stages != nullptr && !stages->axes.empty()) {
    DataTable times{"stages", "Wall-clock time of the run", {"stage", "time (s)"}, {}};
    const std::vector<std::string> names = labels_of(*stages);
    const std::vector<double> seconds = values_or_none(*stages, "seconds");
    for (std::size_t i = 0; i < names.size(); ++i) times.rows.push_back({names[i], number_cell(seconds[i], 1)});
    section.blocks.push_back(std::move(times));
  }
  for (const auto* file : {&sources.dataset, &sources.results})
    if (*file && !(*file)->design_toml.empty()) {
      section.blocks.push_back(Details{"The design file as used", (*file)->design_toml});
      break;
    }
  return section;
}

}  // namespace gaincal::report
