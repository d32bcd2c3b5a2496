#include "fit/fit.hpp"

#include "fit/conditions_fit.hpp"
#include "fit/parts.hpp"

namespace gaincal::fit {

std::string_view status_name(FitStatus status) {
  switch (status) {
    case FitStatus::converged:
      return "converged";
    case FitStatus::too_few_points:
      return "too few points";
    case FitStatus::rank_deficient:
      return "rank deficient";
    case FitStatus::not_monotone:
      return "not monotone";
    case FitStatus::not_converged:
      return "not converged";
    case FitStatus::at_search_limit:
      return "at search limit";
  }
  return "";
}

bool FitReport::usable() const { return first_failure() == nullptr; }

const Outcome* FitReport::first_failure() const {
  for (const Outcome& outcome : outcomes)
    if (!outcome.usable()) return &outcome;
  return nullptr;
}

FitReport fit_tables(const store::Dataset& dataset, const DesignFacts& facts) {
  FitReport report;
  device::CircuitModel& model = report.model;
  model.design_name = facts.design_name;
  model.technology_name = facts.technology_name;
  model.rows = facts.rows;
  model.query_levels = facts.query_levels;
  model.counter_levels = facts.counter_levels;
  model.t_token_s = facts.t_token_s;
  model.energy_constants = facts.energy_constants;
  model.phases = facts.phases;
  model.cell = fit_cell(dataset, facts, report.outcomes, model.forms);
  model.score_readout = fit_readout(dataset, false, facts, report.outcomes, model.forms);
  model.output_readout = fit_readout(dataset, true, facts, report.outcomes, model.forms);
  model.write = fit_write(dataset, report.outcomes);
  model.leak = fit_leak(dataset, report.outcomes, model.forms);
  model.read_energy = fit_read_energy(dataset, report.outcomes);
  return report;
}

FitReport fit_circuit(const store::Dataset& dataset, const DesignFacts& facts) {
  FitReport report = fit_tables(dataset, facts);
  report.conditions.nominal = facts.nominal;
  if (!report.usable()) return report;
  for (const bool is_signed : {false, true})
    (is_signed ? report.model.output_bit_line : report.model.score_bit_line) =
        fit_bit_line(dataset, is_signed, report.model.cell, report.outcomes, report.model.forms);
  report.model.mismatch = fit_mismatch(dataset, report.model, report.outcomes);
  report.conditions = fit_conditions(dataset, facts, report.model, report.outcomes);
  return report;
}

}  // namespace gaincal::fit
