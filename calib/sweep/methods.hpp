#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sweep/job.hpp"
#include "sweep/plan_measure.hpp"
#include "sweep/plan_points.hpp"

namespace gaincal::sweep {

/// How the points of a shard are simulated, cheapest first (times for one small circuit; see the guide):
/// - nested .dc: innermost axes that are sources with equal steps, analysis op. 10 us a point. The operating point
/// before
///   is the start of the next one, so numbers agree with the others within reltol, not to the last bit.
/// - copies: transients; several points side by side in one netlist. They share their time steps, so numbers agree
///   within the truncation error of the transient (trtol, reltol).
/// - alter: what varies are sources, instance parameters or mismatch; one load, then alter and run.
/// - reload: the text varies (`.param`, corner, temperature).
struct Method {
  bool nested_dc = false;
  std::size_t inner = 0;     ///< dimension of the inner source of a nested .dc
  bool two_sources = false;  ///< the dimension before it is the outer one
  bool reload_always = false;
  bool draws = false;  ///< the netlist has random functions of ngspice: seeded with the point, drawn at each load
  std::size_t copies = 1;
  std::string name;  ///< for the log
};

/// The parts of a plan that a worker needs; shared by all its shards.
struct PlanSpec {
  Plan plan;
  std::unique_ptr<PlanCircuit> circuit;
  std::unique_ptr<PlanPoints> points;
  std::unique_ptr<PlanMeasures> measures;
  std::vector<std::string> mosfets;  ///< of the mismatch
  Method method;
};

/// Throws  UsageError when the plan forces a method that cannot be
Method choose_method(const PlanSpec& spec);

/// Simulates points and emits each, in order. Equal lists give equal bits. A run that does not converge is tried again
/// with, one after the other: a tighter step and more iterations; gmin stepping at a larger gmin; source stepping; the
/// Gear method. Where all fail, the first reason stands.
void simulate_points(const PlanSpec& spec, spice::Simulator& simulator, std::span<const std::size_t> points,
                     const std::function<void(JobPoint)>& emit);

/// The deck of a point with its options, `.save` and `.csparam` lines, as it is loaded.
std::string loaded_deck(const PlanSpec& spec, std::size_t point, int rung = 0);

/// What turns a loaded deck into one that `ngspice -b` runs by itself: alterations (those of the mismatch given) and
/// analysis in a `.control` section.
std::string standalone_deck(const PlanSpec& spec, std::size_t point, const std::vector<Alteration>& mismatch);

inline constexpr int kLastRung = 4;
std::string rung_name(int rung);

/// Marks of the phase in which a trial run failed.
struct Trial {
  enum class Phase { load, alter, run, measure, done } phase = Phase::load;
  std::string failure;
};
/// One point without retries, saying how far it came.
Trial try_point(const PlanSpec& spec, spice::Simulator& simulator, std::size_t point);

}  // namespace gaincal::sweep
