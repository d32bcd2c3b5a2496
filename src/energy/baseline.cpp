#include "energy/baseline.hpp"

#include <sstream>

#include "energy/compare.hpp"
#include "energy/timing.hpp"
#include "energy/tokens.hpp"

namespace gaincal::energy {

Baseline make_baseline(const store::Dataset& results, const device::CircuitModel& model, const Constants& constants,
                       double layers) {
  Baseline baseline{read_account(results), model, {}, constants, layers};
  baseline.shape = shape_of(baseline.account, results, constants);
  return baseline;
}

std::vector<Sheet> cost_sheets(const store::Dataset& results, const Baseline& baseline, const View& view) {
  const device::CircuitModel& model = baseline.model;
  std::vector<double> tolerances = view.tolerances;
  if (tolerances.empty()) tolerances = {0.01, 0.05, half_level_step(model)};
  std::vector<Sheet> sheets = {energy_sheet(baseline.account)};
  if (results.has_table("energy_tokens")) sheets.push_back(statistics_sheet(results.table("energy_tokens")));
  if (results.has_table("energy_heads")) sheets.push_back(heads_sheet(results.table("energy_heads")));
  sheets.push_back(comparison_sheet(baseline));
  sheets.push_back(array_sheet(baseline));
  sheets.push_back(whole_model_sheet(baseline));
  sheets.push_back(timing_sheet(make_timing(model, view.pipelined)));
  sheets.push_back(throughput_sheet(model, baseline.layers));
  sheets.push_back(area_sheet(baseline.shape, baseline.constants));
  sheets.push_back(retention_sheet(model, baseline.shape, baseline.layers, tolerances));
  sheets.push_back(refresh_sheet(model, baseline.shape, tolerances.back()));
  return sheets;
}

std::vector<Sheet> scaling_sheets(const Baseline& baseline) {
  return {window_scaling(baseline), head_scaling(baseline), level_scaling(baseline), model_scaling(baseline)};
}

Sheet constants_sheet(const Constants& constants) {
  Sheet sheet{"constants",
              "Figures that were not simulated; --set NAME=VALUE changes one",
              {{"name", Unit::none, true},
               {"value", Unit::none, true},
               {"origin", Unit::none, true},
               {"source", Unit::none, true}},
              {}};
  for (const Constant& constant : constants.all())
    sheet.rows.push_back(
        {constant.name, shown({"", constant.unit}, constant.value), origin_name(constant.origin), constant.source});
  return sheet;
}

}  // namespace gaincal::energy
