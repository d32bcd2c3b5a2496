#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/units.hpp"

namespace gaincal::sweep {

/// What an axis moves. Names in lower case, as ngspice has them.
struct Operand {
  enum class Kind {
    unresolved,  ///< the plan does not say; the netlist decides: parameter, source or instance
    parameter,   ///< `.param` of the netlist, or operand of a deck of ours
    source,      ///< DC value of a voltage or current source
    instance     ///< parameter of a device: device `m.x1.m1`, field `w`
  };
  Kind kind = Kind::unresolved;
  std::string name;
  std::string field;  ///< of an instance
};

struct PlanAxis {
  std::string name;
  Operand operand;
  std::string unit;  ///< SI symbol, "1" for none
  std::vector<double> values;
  std::string zip;  ///< axes of one group move together
  std::string where;
};

/// What is simulated at a point.
struct PlanAnalysis {
  enum class Kind { op, dc, tran, ac, noise };
  Kind kind = Kind::op;
  std::string command;  ///< "tran 1e-11 1e-08"; empty: the one of the deck
  std::string output;   ///< noise: "v(out)"
  double step_s = 0.0, stop_s = 0.0;
};

/// A number, or a waveform, of each point.
struct PlanMeasure {
  enum class Kind {
    value,     ///< op: the vector itself; else with `at`: value_at
    crossing,  ///< where it crosses `level`
    width,     ///< of a pulse above `level`
    integral,  ///< over the abscissa
    energy,    ///< delivered by the source `of`
    settling,  ///< when it stays within `band` of `target` (its last value where there is none)
    minimum,
    maximum,
    magnitude,  ///< ac, at a frequency
    phase,      ///< ac, at a frequency, in degrees
    bandwidth,  ///< ac: first frequency at which the magnitude is 3.01 dB below that at the lowest one
    total,      ///< noise: integrated over the band [V or A]
    meas,       ///< a `.meas` line of ngspice; its numbers have seven digits
    waveform    ///< on a grid
  };
  std::string name;
  Kind kind = Kind::value;
  std::string of;  ///< "v(out)", "i(vdd)", "@m1[gm]"; energy: name of a source
  std::string unit;
  double level = 0.0, target = 0.0, band = 0.0;
  bool has_target = false;
  double from = 0.0, to = 0.0, at = 0.0;
  bool has_from = false, has_to = false, has_at = false;
  std::size_t nth = 1;
  int edge = 0;  ///< +1 rising, -1 falling, 0 either
  std::vector<double> grid;
  std::string line;  ///< meas: "tran vmax max v(out)"
  std::string where;
};

/// A `.param` that varies from die to die, the same for all devices of a sample.
struct ProcessVariation {
  std::string parameter;
  double sigma = 0.0;
};

struct MonteCarlo {
  std::size_t samples = 0;  ///< 0: none
  std::uint64_t seed = 1;
  bool mismatch = false;
  double avt_V_m = 0.0;  ///< sigma of a threshold = avt / sqrt(W L)
  double abeta_m = 0.0;  ///< relative sigma of the current factor = abeta / sqrt(W L)
  std::vector<ProcessVariation> process;
};

/// The circuit of a plan as written; PlanCircuit reads it.
struct CircuitSettings {
  std::string deck;  ///< one of ours, e.g. "cell_read"; empty: a netlist
  std::string design;
  std::string netlist_text;
  std::string netlist_name;      ///< for messages
  std::filesystem::path folder;  ///< where its includes start
  std::vector<std::string> include, lib, options;
  std::string technology;
  std::filesystem::path plan_folder;
  std::string where;
};

enum class MethodChoice { cheapest, reload, alter, nested_dc, copies };

/// Content of a plan file.
struct Plan {
  std::string name;
  std::string file_name;
  std::string toml;  ///< as read, with the overrides as comments at its end
  CircuitSettings circuit;
  std::vector<std::string> corners;  ///< empty: the design's, or none
  std::vector<double> temperatures_C;
  std::vector<double> supplies_V;
  std::vector<PlanAxis> axes;
  MonteCarlo monte_carlo;
  PlanAnalysis analysis;
  std::vector<PlanMeasure> measures;
  MethodChoice method = MethodChoice::cheapest;
  std::size_t copies = 10;
  std::size_t shard_points = 0;  ///< of a shard, at most; 0: by the method
};

/// A file that is a plan, as opposed to a design: it has a [circuit].
bool is_plan_text(std::string_view toml);

/// overrides  `key=value` (see SettingsTable::parse)
///
/// Throws  UsageError naming file, field and remedy: unknown key, empty axis, steps that do not reach the end, a
///         circuit or measure that cannot be. What only the netlist can tell is left to make_job.
Plan parse_plan(std::string_view text, const std::filesystem::path& file_name,
                const std::vector<std::string>& overrides = {});
Plan load_plan(const std::filesystem::path& file, const std::vector<std::string>& overrides = {});

/// Unit that a text such as "0.1um" carries, or none: "m" alone is the prefix milli.
Unit unit_of(std::string_view text);

}  // namespace gaincal::sweep
