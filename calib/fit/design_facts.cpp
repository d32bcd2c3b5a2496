#include "fit/design_facts.hpp"

#include <numeric>

namespace gaincal::fit {

DesignFacts design_facts(const netlist::Design& design) {
  DesignFacts facts;
  facts.design_name = design.name;
  facts.technology_name = design.technology.name;
  facts.rows = design.rows;
  facts.query_levels = design.query_levels;
  facts.counter_levels = design.counter_levels;
  facts.t_max_s = design.t_max_s;
  facts.energy_constants = design.energy_constants;
  facts.phases = netlist::token_phases(design);
  facts.nominal = {design.corner, design.temperature_C, design.technology.supply_V};
  for (const device::Phase& phase : facts.phases) facts.t_token_s += phase.duration_s;
  return facts;
}

}  // namespace gaincal::fit
