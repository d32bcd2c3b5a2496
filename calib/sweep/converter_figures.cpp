#include "sweep/converter_figures.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "netlist/decks.hpp"
#include "sweep/measures.hpp"
#include "sweep/waveform.hpp"

namespace gaincal::sweep {
namespace {

using netlist::Design;
using spice::Simulator;

constexpr int kLeadSteps = 3;
constexpr int kTrimSteps = 8;
constexpr double kTrimRange_V = 20e-3;
constexpr double kFalsePulse_s = 20e-12;
constexpr double kBoltzmann_J_K = 1.380649e-23, kZeroCelsius_K = 273.15;

/// Width that a straight line through two conversions inside the range has at zero charge, and its slope in s/C.
struct Line {
  double zero_s, slope_s_C;
};

Line line(Simulator& simulator, const Design& design, bool is_signed, double q_full_C) {
  const double low_C = 0.25 * q_full_C, high_C = 0.75 * q_full_C;
  const double low_s = convert(simulator, design, is_signed, low_C).width_s,
               high_s = convert(simulator, design, is_signed, high_C).width_s;
  const double slope = (high_s - low_s) / (high_C - low_C);
  return {low_s - slope * low_C, slope};
}

}  // namespace

Conversion convert(Simulator& simulator, const Design& design, bool is_signed, double q_C) {
  const auto deck = is_signed ? netlist::readout_signed_deck(design, q_C) : netlist::readout_unsigned_deck(design, q_C);
  const auto values = measure_readout(simulator, design, deck, is_signed);
  return {values.front(), values.back(), !is_signed || values[1] > 0};
}

void calibrate_converter(Simulator& simulator, Design& design, bool is_signed) {
  netlist::ReadoutDesign& readout = is_signed ? design.output_readout : design.score_readout;
  const double q_full_C = design.saturation_charge_C(readout);
  if (is_signed) {
    double low_V = -kTrimRange_V, high_V = kTrimRange_V;
    for (int step = 0; step < kTrimSteps; ++step) {
      readout.v_trim_V = 0.5 * (low_V + high_V);
      (convert(simulator, design, true, 0.0).positive ? high_V : low_V) = readout.v_trim_V;
    }
  }
  for (int step = 0; step < kLeadSteps; ++step) {
    double late_s = line(simulator, design, is_signed, q_full_C).zero_s;
    if (is_signed) late_s = 0.5 * (late_s + line(simulator, design, true, -q_full_C).zero_s);
    readout.t_lead_s = std::max(0.0, readout.t_lead_s + late_s);
  }
}

ConverterFigures measure_converter(Simulator& simulator, const Design& design, bool is_signed) {
  const netlist::ReadoutDesign& readout = is_signed ? design.output_readout : design.score_readout;
  const double q_full_C = design.saturation_charge_C(readout);
  const double lsb_C = q_full_C / (is_signed ? 0.5 * static_cast<double>(design.counter_levels) - 0.5
                                             : static_cast<double>(design.query_levels) - 1.0);
  ConverterFigures figures;
  figures.zero_s = convert(simulator, design, is_signed, 0.0).width_s;
  figures.end_s = design.t_max_s;
  figures.short_s = 2 * design.t_max_s;
  for (const double sign : {1.0, -1.0}) {
    if (sign < 0 && !is_signed) {  // no charge of the other sign may give a pulse
      for (const double lsb : {1.0, 1.25, 1.5, 2.0, 4.0})
        figures.wrong += convert(simulator, design, false, -lsb * lsb_C).width_s > kFalsePulse_s;
      continue;
    }
    const Line fit = line(simulator, design, is_signed, sign * q_full_C);
    const auto from_line_s = [&](double q_C) {
      const Conversion conversion = convert(simulator, design, is_signed, q_C);
      figures.energy_J = std::max(figures.energy_J, conversion.energy_J);
      return conversion.width_s - (fit.zero_s + fit.slope_s_C * q_C);
    };
    for (const double lsb : {1.0, 1.25, 1.5, 2.0, 4.0}) {
      const Conversion conversion = convert(simulator, design, is_signed, sign * lsb * lsb_C);
      figures.wrong += (conversion.positive != (sign > 0)) || conversion.width_s <= 0;
    }
    figures.first_s = std::max(figures.first_s, std::abs(from_line_s(sign * lsb_C)));
    for (const double part : {0.1, 0.5, 0.9})
      figures.deviation_s = std::max(figures.deviation_s, std::abs(from_line_s(part * sign * q_full_C)));
    figures.q_sat_C = std::max(figures.q_sat_C, std::abs((design.t_max_s - fit.zero_s) / fit.slope_s_C));
    const double beyond_s = convert(simulator, design, is_signed, sign * 1.3 * q_full_C).width_s;
    figures.end_s = std::max(figures.end_s, beyond_s);
    figures.short_s = std::min(figures.short_s, beyond_s);
    figures.zero_s = std::max(figures.zero_s, convert(simulator, design, is_signed, sign * 0.02 * lsb_C).width_s);
  }
  return figures;
}

ConverterNoise measure_noise(Simulator& simulator, const Design& design, bool is_signed) {
  const netlist::ReadoutDesign& readout = is_signed ? design.output_readout : design.score_readout;
  if (!(readout.t_lead_s > 0)) throw Error("the ramp has no lead, so that the comparator has no time to decide");
  const double slope_V_s = readout.i_ramp_A / readout.c_bit_line_F;
  // Over a time T noise counts up to about 1 / (2 T).
  const auto density = [&](netlist::NoiseOf what, const std::string& spectrum, double over_s) {
    const netlist::Deck deck = netlist::readout_noise_deck(design, is_signed, what);
    simulator.load(deck.text);
    simulator.run(deck.analysis);
    const std::vector<double> f_Hz = simulator.vector("noise1.frequency");
    return value_at(f_Hz, simulator.vector(spectrum), std::clamp(0.5 / over_s, f_Hz.front(), f_Hz.back()));
  };
  ConverterNoise noise;
  noise.density_V_rtHz = density(netlist::NoiseOf::comparator, "noise1.inoise_spectrum", readout.t_lead_s);
  // One-sided densities: white noise averaged over a time T has the variance S / (2 T), integrated over it S T / 2.
  noise.comparator_s = noise.density_V_rtHz / std::sqrt(2 * readout.t_lead_s) / slope_V_s;
  const double ramp_A_rtHz = density(netlist::NoiseOf::ramp, "noise1.onoise_spectrum", design.t_max_s);
  noise.ramp_s = ramp_A_rtHz * std::sqrt(0.5 * design.t_max_s) / readout.i_ramp_A;
  const double kT_J = kBoltzmann_J_K * (design.temperature_C + kZeroCelsius_K);
  noise.reset_s = std::sqrt(kT_J * readout.c_bit_line_F) / readout.i_ramp_A;
  noise.all_s = std::hypot(noise.comparator_s, noise.ramp_s, noise.reset_s);
  return noise;
}

}  // namespace gaincal::sweep
