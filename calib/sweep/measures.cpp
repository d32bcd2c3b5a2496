#include "sweep/measures.hpp"

#include <algorithm>
#include <string>

#include "core/error.hpp"
#include "sweep/waveform.hpp"

namespace gaincal::sweep {
namespace {

using netlist::Deck;
using netlist::Design;
using spice::Simulator;

constexpr double kSettleBand_V = 2e-3;

/// What drivers take from their rails while a line goes as the simulated ideal source does, which itself would deliver
/// only half of C V^2: charge into the line comes from the high rail, charge out of it goes to the low one, and nothing
/// is given back. Between two of `times_s` the line moves once, so that only the net charge counts; the current itself
/// rings from step to step.
double driver_energy_J(const Simulator& simulator, const std::vector<double>& time_s, const std::string& source,
                       const std::vector<double>& times_s, double v_high_V, double v_low_V) {
  const std::vector<double> current_A = simulator.vector("i(" + source + ")");
  double energy_J = 0.0;
  for (std::size_t i = 1; i < times_s.size(); ++i) {
    const double charge_C = -integral(time_s, current_A, times_s[i - 1], times_s[i]);
    energy_J += charge_C > 0 ? v_high_V * charge_C : v_low_V * charge_C;
  }
  return energy_J;
}

void simulate(Simulator& simulator, const Deck& deck, const Prepare& prepare = {}) {
  simulator.load(deck.text);
  if (prepare) prepare(simulator);
  simulator.run(deck.analysis);
}

}  // namespace

std::vector<double> measure_cell_read(Simulator& simulator, const Design& design, const Deck& deck,
                                      const Prepare& prepare) {
  simulate(simulator, deck, prepare);
  const std::vector<double> time_s = simulator.vector("time");
  const std::vector<double> v_store_V = simulator.vector("v(sn)");
  const double supply_V = design.technology.supply_V;
  const std::vector<double> moves_s = {0.0, 0.5 * (deck.t_start_s + deck.t_end_s), kToEnd};
  return {-integral(time_s, simulator.vector("i(vbl)")), source_energy(time_s, supply_V, simulator.vector("i(vdd)")),
          driver_energy_J(simulator, time_s, "vrw", moves_s, supply_V, 0.0) +
              driver_energy_J(simulator, time_s, "vrwb", moves_s, supply_V, 0.0),
          v_store_V.back() - v_store_V.front()};
}

std::vector<double> measure_cell_write(Simulator& simulator, const Design& design, const Deck& deck,
                                       double v_target_V) {
  simulate(simulator, deck);
  std::vector<double> time_s = simulator.vector("time");
  std::vector<double> v_store_V = simulator.vector("v(sn)");
  const double v_stored_V = v_store_V.back();
  const double supply_V = design.technology.supply_V;
  const double high_V = design.lines.v_boost_high_V, low_V = design.lines.v_boost_low_V;
  const double half_edge_s = 0.5 * design.lines.edge_s;
  const double t_opens_s = deck.t_start_s - half_edge_s, t_closes_s = deck.t_end_s - half_edge_s;
  const std::vector<double> moves_s = {0.0, t_opens_s, t_closes_s, kToEnd};
  const double energy_J = source_energy(time_s, supply_V, simulator.vector("i(vdd)")) +
                          driver_energy_J(simulator, time_s, "vwbl", moves_s, supply_V, 0.0) +
                          driver_energy_J(simulator, time_s, "vww", moves_s, high_V, design.lines.v_write_off_V) +
                          driver_energy_J(simulator, time_s, "vwwb", moves_s, high_V, low_V);
  // Settling is judged while the word lines are open; closing them injects charge.
  const auto open = std::upper_bound(time_s.begin(), time_s.end(), t_closes_s) - time_s.begin();
  time_s.resize(static_cast<std::size_t>(open));
  v_store_V.resize(static_cast<std::size_t>(open));
  const auto settled_s =
      settling_time(time_s, v_store_V, v_target_V + design.write_offset_V, kSettleBand_V, deck.t_start_s);
  if (!settled_s) throw Error("the stored voltage has not settled when the word lines close");
  return {v_stored_V, energy_J, *settled_s - deck.t_start_s};
}

std::vector<double> measure_cell_leak(Simulator& simulator, const Deck& deck, const std::vector<double>& ages_s) {
  simulate(simulator, deck);
  const std::vector<double> time_s = simulator.vector("time");
  const std::vector<double> v_store_V = simulator.vector("v(sn)");
  std::vector<double> values;
  for (const double age_s : ages_s) values.push_back(value_at(time_s, v_store_V, std::min(age_s, time_s.back())));
  return values;
}

std::vector<double> measure_readout(Simulator& simulator, const Design& design, const Deck& deck, bool is_signed,
                                    const Prepare& prepare) {
  simulate(simulator, deck, prepare);
  const std::vector<double> time_s = simulator.vector("time");
  const std::vector<double> v_out_V = simulator.vector("v(out)");
  const double supply_V = design.technology.supply_V;
  if (crossing_time(time_s, v_out_V, 0.5 * supply_V, Edge::rising, 2)) throw Error("the converter pulses twice");
  const double energy_J = source_energy(time_s, supply_V, simulator.vector("i(vdd)")) +
                          source_energy(time_s, supply_V, simulator.vector("i(vbias)"));
  const double width_s = pulse_width(time_s, v_out_V, 0.5 * supply_V);
  if (!is_signed) return {width_s, energy_J};
  const double v_sign_V = value_at(time_s, simulator.vector("v(sgn)"), deck.t_start_s);
  return {width_s, v_sign_V > 0.5 * supply_V ? 1.0 : -1.0, energy_J};
}

}  // namespace gaincal::sweep
