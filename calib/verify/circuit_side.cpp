#include "verify/circuit_side.hpp"

#include "sweep/waveform.hpp"

namespace gaincal::verify {

Measured measure_pulse(const spice::Simulator& simulator, const netlist::Design& design, bool is_signed,
                       const ColumnVectors& vectors, double t_enable_s, double t_window_s) {
  const netlist::ReadoutDesign& readout = is_signed ? design.output_readout : design.score_readout;
  const auto time_s = simulator.vector("time");
  const double v_half_V = 0.5 * design.technology.supply_V;
  const double v_bl_V = sweep::value_at(time_s, simulator.vector(vectors.bit_line), t_enable_s);
  double t_s = sweep::pulse_width(time_s, simulator.vector(vectors.out), v_half_V, t_window_s);
  if (is_signed && sweep::value_at(time_s, simulator.vector(vectors.sign), t_window_s) < v_half_V) t_s = -t_s;
  return {readout.c_bit_line_F * (design.lines.v_reference_V - v_bl_V), t_s};
}

void simulate(spice::Simulator& simulator, const netlist::Deck& deck, const sweep::Prepare& prepare) {
  simulator.load(deck.text);
  if (prepare) prepare(simulator);
  simulator.run(deck.analysis);
}

Measured measure_column(spice::Simulator& simulator, const netlist::Design& design, bool is_signed,
                        const netlist::Deck& deck, const sweep::Prepare& prepare) {
  const netlist::ReadoutDesign& readout = is_signed ? design.output_readout : design.score_readout;
  simulate(simulator, deck, prepare);
  return measure_pulse(simulator, design, is_signed, {"v(bl)", "v(out)", "v(sgn)"},
                       deck.t_start_s - readout.t_setup_s - readout.t_lead_s, deck.t_start_s);
}

}  // namespace gaincal::verify
