#pragma once

#include <complex>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "spice/messages.hpp"

namespace gaincal::spice {

/// ngspice in this process: load a deck, run an analysis, read vectors.
///
/// One at a time in a process; a batch gives each worker process its own (see sweep/run_points.hpp). The text that
/// ngspice prints is kept, never shown, and ends up in the Error where a call failed. The `.spiceinit` of the user is
/// not read, so that a result does not depend on who computes it.
///
/// Where ngspice gives up for good (an undefined parameter does that) the call throws and alive() is false from then
/// on: every further call throws, and the process has to be replaced.
class Simulator {
 public:
  /// Throws  Error naming the Debian package when libngspice is missing; Error when the process has a simulator already
  Simulator();
  ~Simulator();
  Simulator(const Simulator&) = delete;
  Simulator& operator=(const Simulator&) = delete;

  /// Replaces the circuit by `deck`, the text of a netlist whose first line is its title. Analysis lines (`.tran`) act
  /// on run("run"); `.control` sections are ignored; includes are relative to the working folder. A line
  /// `* ngbehavior hsa` sets the dialect that the deck is read in.
  ///
  /// Nothing of the circuit before is left, so a result does not depend on what was simulated earlier. (Random
  /// functions are: give `setseed` before a load where the deck draws.)
  ///
  /// Throws  Error with ngspice's reason when the deck cannot be parsed
  void load(const std::string& deck);

  /// Runs one analysis, e.g. "op", "tran 50p 22n", "ac dec 10 1k 1meg", or "run" for those that the deck holds. The
  /// vectors of the run before are dropped.
  ///
  /// together  points that the run computes at once: the limit of limit_points times this many
  ///
  /// Throws  Error with ngspice's reason when it does not converge or gives no vectors; "timeout" past the limit
  void run(const std::string& analysis, std::size_t together = 1);

  /// Stops each transient that is longer under way (wall clock) than this for a point: run() throws, and the circuit
  /// can be run again. A transient that does not stop when told to leaves alive() false.
  void limit_points(double limit_s) { point_limit_s_ = limit_s; }

  /// Sends any other command: "alter r1 = 2k", "option reltol=1e-4", "setseed 7".
  ///
  /// Throws  Error with ngspice's reason when the text it prints reports a failure
  void command(const std::string& text);

  /// A copy of a vector of the last run: "time", "v(bl)", "i(vbl)", "@m.x1.mn[id]" (the last after a `.save` that names
  /// it, or after an op); SI units, one value per accepted time step (not equidistant), one value after an op.
  ///
  /// Throws  Error when there is no such vector, it is empty, or it is complex
  std::vector<double> vector(const std::string& name) const;

  /// The same for the complex vectors of an ac analysis; real vectors have zero imaginary parts.
  std::vector<std::complex<double>> complex_vector(const std::string& name) const;

  /// Last value of a real vector: the result of an op, or the end of a transient.
  double value(const std::string& name) const;

  /// Whether a circuit is loaded, for functions that load once and `alter` afterwards.
  bool loaded() const { return loaded_; }

  /// False once ngspice gave up for good.
  bool alive() const;

  /// Version and build date, e.g. "ngspice-39 (Sun Feb 5 13:44:35 UTC 2023)".
  static const std::string& version();

 private:
  void send(const std::string& text, Messages& messages) const;
  void run_limited(const std::string& analysis, double limit_s, Messages& messages);
  void drop_vectors();
  void drop_circuit();

  std::optional<double> point_limit_s_;
  bool loaded_ = false;
  bool circuit_in_memory_ = false;  // also after a failed load, which leaves its half-parsed circuit behind
};

}  // namespace gaincal::spice
