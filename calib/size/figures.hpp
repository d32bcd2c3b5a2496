#pragma once

#include <string>
#include <vector>

#include "core/units.hpp"
#include "netlist/design.hpp"

namespace gaincal::size {

/// The circuits that are simulated for a figure.
enum class Part { cell, score, output };
inline constexpr Part kParts[] = {Part::cell, Part::score, Part::output};
/// Table of a design file that holds the sizes of a part: "cell", "score_readout", "output_readout".
std::string table_of(Part part);

/// A figure that a target can name.
struct Figure {
  std::string name, summary;
  Unit unit = Unit::none;
  Part part = Part::cell;
  bool in_reads = false;           ///< measured in full-scale reads, so that it needs the cell too
  bool smallest_is_worst = false;  ///< over corners

  bool needs(Part other) const { return other == part || (in_reads && other == Part::cell); }
};
const std::vector<Figure>& figures();
/// Place of a figure in figures().
///
/// where  begins the message of the error
/// Throws UsageError where there is no such figure
std::size_t figure_named(const std::string& name, const std::string& where);

/// A design to simulate, or why there is none.
struct Candidate {
  netlist::Design design;
  std::string failure;
};

/// Figures of a candidate: one value each in the order of figures(), NaN where its parts were not asked for.
struct Measured {
  std::vector<double> values;
  std::vector<std::string> calibration;  ///< `score_readout.t_lead=..`: settings that the converters were given
  std::string failure;                   ///< of one part that failed; empty: none
};

struct MeasureOptions {
  bool calibrate = true;  ///< set lead and trim of each converter first, as a chip does once
  unsigned workers = 0;   ///< 0: all cores
};

/// Simulates the named parts of each candidate in worker processes; [candidate]. The values do not depend on the number
/// of workers.
///
/// parts  [candidate], those to simulate
/// Throws Error when no simulator can be started
std::vector<Measured> measure(const std::vector<Candidate>& candidates, const std::vector<std::vector<Part>>& parts,
                              const MeasureOptions& options);

/// Takes the values of a part from another candidate that has the same.
void copy_part(Part part, const Measured& from, Measured& to);

}  // namespace gaincal::size
