#pragma once

#include "netlist/design.hpp"
#include "spice/simulator.hpp"

/// What a charge-to-pulse converter of a design does, one conversion after another.
namespace gaincal::sweep {

struct Conversion {
  double width_s = 0.0, energy_J = 0.0;
  bool positive = true;  ///< sign of a signed converter
};
Conversion convert(spice::Simulator& simulator, const netlist::Design& design, bool is_signed, double q_C);

/// What a chip does once: the lead of the ramp is set so that the line through the range passes through zero, after the
/// reference of a signed converter so that its sign changes at zero charge.
void calibrate_converter(spice::Simulator& simulator, netlist::Design& design, bool is_signed);

/// Figures of a converter as it is calibrated. "The line" goes through conversions at a quarter and three quarters of
/// the range, on each side of its own.
struct ConverterFigures {
  double zero_s = 0.0;       ///< width at zero charge, or just beside it
  double wrong = 0.0;        ///< of ten conversions from 1 LSB on: wrong signs, missing or false pulses
  double first_s = 0.0;      ///< width from the line at 1 LSB, largest
  double deviation_s = 0.0;  ///< width from the line at 10, 50 and 90 % of the range, largest
  double q_sat_C = 0.0;      ///< charge whose pulse is the longest
  double end_s = 0.0;        ///< longest width beyond saturation
  double energy_J = 0.0;     ///< of a conversion, largest
  double short_s = 0.0;      ///< shortest width beyond saturation
};
ConverterFigures measure_converter(spice::Simulator& simulator, const netlist::Design& design, bool is_signed);

/// Noise of a converter as a pulse shows it, sigma of its width. The comparator averages the noise at its input over
/// the time from the crossing of its reference to its decision, which is what the calibrated lead of the ramp makes up
/// for; the noise of the PMOS ramp and its bias adds up over the longest pulse (that of the NMOS ramp of a signed
/// converter is not simulated); the reset of the bit line leaves sqrt(k T C).
struct ConverterNoise {
  double density_V_rtHz = 0.0;  ///< at the comparator's input, at 1 / (2 lead)
  double comparator_s = 0.0, ramp_s = 0.0, reset_s = 0.0;
  double all_s = 0.0;  ///< root of the sum of squares
};
ConverterNoise measure_noise(spice::Simulator& simulator, const netlist::Design& design, bool is_signed);

}  // namespace gaincal::sweep
