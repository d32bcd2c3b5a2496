#pragma once

#include <complex>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "spice/simulator.hpp"
#include "store/table.hpp"
#include "sweep/job.hpp"
#include "sweep/plan_circuit.hpp"

namespace gaincal::sweep {

/// The vectors of one run, under the names that the plan uses.
class RunVectors {
 public:
  virtual ~RunVectors() = default;
  virtual std::vector<double> real(const std::string& name) const = 0;
  virtual std::vector<std::complex<double>> complex(const std::string& name) const = 0;
  /// time, swept source or frequency
  virtual std::vector<double> abscissa() const = 0;
};

/// The measures of a plan: what they save, what they call their numbers, how they take them.
class PlanMeasures {
 public:
  /// Without measures in the plan, all `.meas` lines of the netlist.
  /// Throws  UsageError: no measure at all, a source or `.meas` line that is not there
  PlanMeasures(const Plan& plan, const PlanCircuit& circuit);

  const std::vector<store::Quantity>& columns() const { return columns_; }
  const std::vector<WaveformColumns>& waveforms() const { return waveforms_; }
  bool uses_meas() const { return !meas_.empty(); }

  /// Lines for the deck: `.save` of what is measured, `.csparam` for the expressions of `.meas` lines.
  std::string deck_lines() const;
  /// Vectors that an operating point must have, one per column. Only for op.
  const std::vector<std::string>& vectors() const { return vectors_; }

  /// All columns of one run. With `simulator`, `.meas` lines too.
  /// Throws  Error when a measure finds nothing, naming it
  std::vector<double> take(const RunVectors& vectors, spice::Simulator* simulator) const;

  /// Everything that the numbers depend on.
  std::string content() const;

 private:
  struct Meas {
    std::string name;
    std::string command;  ///< with \x01<n>\x01 where the value of `.csparam` n stands
    std::vector<std::string> expressions;
    bool is_let = false;
    bool wanted = false;
  };
  void add_meas_lines(const Plan& plan, const PlanCircuit& circuit);
  Meas parse_meas(const std::string& line, const PlanCircuit& circuit, const std::string& where);
  double take_one(const PlanMeasure& measure, const RunVectors& vectors) const;
  double take_complex(const PlanMeasure& measure, const RunVectors& vectors) const;

  PlanAnalysis analysis_;
  std::vector<PlanMeasure> measures_;
  std::vector<std::pair<std::string, std::string>> source_nodes_;  // per measure, of energy
  std::vector<Meas> meas_;
  std::size_t expressions_ = 0;
  std::vector<store::Quantity> columns_;
  std::vector<WaveformColumns> waveforms_;
  std::vector<std::string> vectors_;
};

/// A vector by a name of the plan: "v(a,b)" is the difference of two nodes, ground is "0".
std::vector<double> read_real(const std::function<std::vector<double>(const std::string&)>& read,
                              const std::string& name);

}  // namespace gaincal::sweep
