#include "sweep/plan_monte_carlo.hpp"

#include <cmath>
#include <cstdlib>

#include "core/error.hpp"
#include "core/provenance.hpp"
#include "core/random.hpp"
#include "sweep/plan_axis.hpp"

namespace gaincal::sweep {

double monte_carlo_draw(std::uint64_t seed, std::size_t sample, const std::string& name) {
  const std::uint64_t stream = std::strtoull(content_hash(name).substr(0, 16).c_str(), nullptr, 16);
  return CounterRandom(seed, stream).normal(sample);
}

std::vector<std::string> mismatch_targets(const MonteCarlo& monte_carlo, const std::vector<std::string>& loaded_names) {
  std::vector<std::string> targets;
  for (const std::string& name : loaded_names) {
    targets.push_back("@" + name + "[delvto]");
    if (monte_carlo.abeta_m != 0) targets.push_back("@" + name + "[mulu0]");
  }
  return targets;
}

std::vector<Alteration> mismatch_of(const spice::Simulator& simulator, const MonteCarlo& monte_carlo,
                                    std::size_t sample, const std::vector<std::string>& names,
                                    const std::vector<std::string>& loaded_names) {
  std::vector<double> values;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string device = "@" + loaded_names[i];
    // A multiplicity that the netlist does not give is 0 until the first analysis.
    const double multiplicity = std::fmax(simulator.value(device + "[m]"), 0.0);
    const double area_m2 =
        simulator.value(device + "[w]") * simulator.value(device + "[l]") * (multiplicity == 0 ? 1.0 : multiplicity);
    if (!(area_m2 > 0)) throw Error("mismatch: device " + names[i] + " has no gate area; give it W and L");
    const double root_m = std::sqrt(area_m2);
    values.push_back(monte_carlo.avt_V_m / root_m * monte_carlo_draw(monte_carlo.seed, sample, names[i] + ":vt"));
    if (monte_carlo.abeta_m != 0)
      values.push_back(1.0 +
                       monte_carlo.abeta_m / root_m * monte_carlo_draw(monte_carlo.seed, sample, names[i] + ":beta"));
  }
  std::vector<Alteration> alterations;
  for (std::string& target : mismatch_targets(monte_carlo, loaded_names)) {
    const double value = values[alterations.size()];
    alterations.push_back({std::move(target), value});
  }
  return alterations;
}

void apply_mismatch(spice::Simulator& simulator, const MonteCarlo& monte_carlo, std::size_t sample,
                    const std::vector<std::string>& names, const std::vector<std::string>& loaded_names) {
  for (const Alteration& alteration : mismatch_of(simulator, monte_carlo, sample, names, loaded_names))
    simulator.command(alteration.command());
}

}  // namespace gaincal::sweep
