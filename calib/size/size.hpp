#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

#include "size/figures.hpp"

/// Sizes of a design for a target, with SPICE in the loop.
namespace gaincal::size {

enum class Relation { equal, at_most, at_least };

/// `full_scale_charge=25fC`, `read_energy<=20fJ`, `score_longest>=14.9ns`.
struct Target {
  std::size_t figure = 0;  ///< in figures()
  Relation relation = Relation::equal;
  double value = 0.0;

  double offset(double found) const;    ///< found minus asked, in parts of what is asked
  double distance(double found) const;  ///< its magnitude; 0 where an inequality holds
  std::string text() const;
};
/// Throws  UsageError for an unknown figure, no relation, another unit, an equation to 0, or a limit of 0 units
Target parse_target(const std::string& text);

/// A size that may change: a key of the design file that holds a positive quantity.
struct Variable {
  std::string key;
  Unit unit = Unit::none;
  double start = 0.0, low = 0.0, high = 0.0;
};

/// A design file as text, from which candidates are made.
struct Source {
  std::string toml;
  std::filesystem::path file;
  std::vector<std::string> overrides;  ///< `key=value`
};
Source read_source(const std::filesystem::path& file, const std::vector<std::string>& overrides);

/// `cell.l_n` (a quarter to four times what the design has) or `cell.l_n=0.5um:3um`.
///
/// Throws  UsageError for a key that is not there or holds no positive quantity, a range that is empty or leaves out
///         what the design has
Variable parse_variable(const std::string& text, const Source& source);

struct Problem {
  Source source;
  std::vector<Target> targets;
  std::vector<Variable> variables;  ///< none: by default_variables
  std::vector<std::size_t> least;   ///< figures that shall be small as well
  double tolerance = 0.01;          ///< of a target
  int max_steps = 12;
  unsigned workers = 0;
};

/// Read lengths of the cell, and currents and bit-line capacitor of a converter, where a target names a figure of it.
std::vector<Variable> default_variables(const Source& source, const std::vector<Target>& targets);

/// What a search found. Sizes are rounded to four digits and the figures are those of the rounded design as it is
/// written, with the calibration of its converters.
struct Sizing {
  std::vector<double> sizes;             ///< by variable
  std::vector<std::string> assignments;  ///< `key=value` on the source: sizes and calibration
  std::vector<double> figures;           ///< by figures()
  std::size_t candidates = 0;            ///< that were simulated
  bool met = false;                      ///< all targets within the tolerance
};

/// Throws  UsageError where there are more equations than sizes, a size is given twice, or belongs to a part that no
///         target asks for
void check(const Problem& problem);

/// Searches sizes that meet the targets and move little, in the sum of the squares of their logarithms, up to the first
/// that are within the tolerance: sequential quadratic programming (SLSQP of NLopt) with the targets as constraints and
/// differences by SPICE, candidates side by side in worker processes. The same sizes whatever the number of workers.
///
/// start  sizes to start from; none: those of the design
///
/// Throws  what check() does; Error naming the part and ngspice's reason when the start cannot be simulated
Sizing search(const Problem& problem, const std::vector<double>& start = {});

/// Figures of the source as it is written, by figures().
///
/// Throws  Error naming the part and ngspice's reason when it cannot be simulated
std::vector<double> measure_source(const Problem& problem);

/// Figures of a sizing: [0] the design's own corner, then the others.
struct CornerFigures {
  std::vector<std::string> corners;
  std::vector<Measured> measured;  ///< converters calibrated at each corner
};
CornerFigures measure_corners(const Problem& problem, const Sizing& sizing);

/// Sizes and figures before and after, the worst over corners, targets and whether they are met.
void print_sizing(std::ostream& stream, const Problem& problem, const std::vector<double>& before, const Sizing& sizing,
                  const CornerFigures& corners);
/// One column for each sizing: what the other figures cost.
void print_trade(std::ostream& stream, const Problem& problem, const Target& traded,
                 const std::vector<std::pair<double, Sizing>>& sizings);

/// The design file with the sizes of `sizing`, its comments kept, to be written to `out`: names of other files in it
/// are made relative to there.
std::string sized_design(const Problem& problem, const Sizing& sizing, const std::filesystem::path& out);

}  // namespace gaincal::size
