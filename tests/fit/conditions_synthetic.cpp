#include "fit/conditions_synthetic.hpp"

#include <cmath>

namespace gaincal::tests {
namespace {

void stack(store::Dataset& into, const std::string& prefix, const std::vector<double>& temperatures_C) {
  std::vector<store::Table> stacked;
  for (const std::string corner : {"tt", "ss"})
    for (const double temperature_C : temperatures_C) {
      store::Dataset here = synthetic_dataset(circuit_at(corner, temperature_C));
      if (stacked.empty()) {
        stacked = std::move(here.tables);
        continue;
      }
      for (std::size_t t = 0; t < stacked.size(); ++t)
        for (std::size_t q = 0; q < stacked[t].quantities.size(); ++q) {
          const std::vector<double>& values = here.tables[t].quantities[q].values;
          std::vector<double>& all = stacked[t].quantities[q].values;
          all.insert(all.end(), values.begin(), values.end());
        }
    }
  for (store::Table& table : stacked) {
    table.name = prefix + table.name;
    const std::vector<store::Axis> leading = {
        {"corner", "1", {0, 1}, {"tt", "ss"}}, {"temperature", "degC", temperatures_C}, {"supply", "V", {0.9}}};
    table.axes.insert(table.axes.begin(), leading.begin(), leading.end());
    into.tables.push_back(std::move(table));
  }
}

}  // namespace

SyntheticCircuit circuit_at(const std::string& corner, double temperature_C) {
  SyntheticCircuit circuit;
  const double d = (temperature_C - 27) / 100, follows = 1 - 0.2 * d + 0.05 * d * d;
  for (double& each : circuit.i_A.coeff) each *= follows * (corner == "ss" ? 0.8 : 1.0);
  for (device::HardSigmoid* side : {&circuit.score, &circuit.positive, &circuit.negative})
    side->slope_s_per_C *= 1 + 0.01 * d;
  circuit.tau_s = 5 * std::exp2(-(temperature_C - 27) / 20);
  circuit.p_W *= follows;
  return circuit;
}

store::Dataset conditions_dataset() {
  store::Dataset dataset = synthetic_dataset(circuit_at("tt", 27));
  stack(dataset, "conditions_", {-40, 27, 85});
  stack(dataset, "left_out_", {-6.5, 56});
  return dataset;
}

fit::DesignFacts conditions_facts() {
  fit::DesignFacts facts = synthetic_facts();
  facts.nominal = {"tt", 27, 0.9};
  return facts;
}

}  // namespace gaincal::tests
