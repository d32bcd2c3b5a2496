#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "device/circuit_model.hpp"
#include "device/conditions.hpp"
#include "fit/operands.hpp"
#include "netlist/design.hpp"

namespace gaincal::fit {

/// What a model needs to know of the design and no curve tells.
struct DesignFacts {
  std::string design_name, technology_name;
  std::size_t rows = 0;                                  ///< cells on a bit line
  std::size_t query_levels = 0;                          ///< pulse widths
  std::size_t counter_levels = 0;                        ///< of the signed converter, both signs
  double t_max_s = 0.0;                                  ///< longest pulse
  double t_token_s = 0.0;                                ///< one token through one layer
  std::vector<device::EnergyConstant> energy_constants;  ///< passed on to the model
  std::vector<device::Phase> phases;                     ///< passed on to the model
  Operands operands = {};                                ///< what a run reads; none: all points count alike
  device::Condition nominal = {};                        ///< corner, temperature and supply of the design
};

DesignFacts design_facts(const netlist::Design& design);

}  // namespace gaincal::fit
