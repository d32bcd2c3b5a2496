#pragma once

#include <string>
#include <vector>

#include "spice/simulator.hpp"
#include "sweep/plan.hpp"
#include "sweep/plan_points.hpp"

namespace gaincal::sweep {

/// Standard normal draw of one sample of one device or parameter; depends on nothing else.
double monte_carlo_draw(std::uint64_t seed, std::size_t sample, const std::string& name);

/// Threshold shift and current factor of each MOSFET of the loaded circuit for a sample (Pelgrom):
///
///   delvto = z_1 avt / sqrt(m W L)          mulu0 = 1 + z_2 abeta / sqrt(m W L)
///
/// with W, L and multiplicity as ngspice has them, and z of the names "DEVICE:vt" and "DEVICE:beta".
///
/// names         of the devices in the draw
/// loaded_names  those of the loaded circuit ("m1" may be "m.xcopy3.m1" there)
///
/// Throws  Error when a device has no W or L
std::vector<Alteration> mismatch_of(const spice::Simulator& simulator, const MonteCarlo& monte_carlo,
                                    std::size_t sample, const std::vector<std::string>& names,
                                    const std::vector<std::string>& loaded_names);
/// Alters the loaded circuit so.
///
/// Throws  Error also when a device has no delvto (the model is not BSIM)
void apply_mismatch(spice::Simulator& simulator, const MonteCarlo& monte_carlo, std::size_t sample,
                    const std::vector<std::string>& names, const std::vector<std::string>& loaded_names);
/// What mismatch_of alters, in its order.
std::vector<std::string> mismatch_targets(const MonteCarlo& monte_carlo, const std::vector<std::string>& loaded_names);

}  // namespace gaincal::sweep
