#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "spice/simulator.hpp"
#include "store/table.hpp"

namespace gaincal::sweep {

/// What became of one point of a job.
struct JobPoint {
  std::size_t point = 0;
  std::vector<double> values;  ///< one per column; NaN where it failed
  std::string failure;         ///< why it failed; empty: succeeded
  int rung = 0;                ///< step of the retry ladder that succeeded; 0: the plan's own options
  double seconds = 0.0;        ///< wall clock in the worker
};

/// Columns that are one curve over a grid: a table of their own in the dataset, with the grid as its last axis.
struct WaveformColumns {
  store::Quantity quantity;  ///< `values` empty
  store::Axis grid;
  std::size_t first = 0;  ///< column of the first grid value; the others follow
};

/// A sweep as the engine sees it: numbered points that are simulated shard by shard in worker processes. Made from a
/// plan file by make_job; tests make their own.
struct SweepJob {
  std::string name;
  /// Everything that a result depends on but the points: netlist, models, options, measures, ngspice version. Hashed.
  std::string content;
  /// Axes of the dataset; points are their outer product, row-major, last axis fastest.
  std::vector<store::Axis> axes;
  /// Columns of a point: name, unit, description; `values` empty.
  std::vector<store::Quantity> columns;
  std::vector<WaveformColumns> waveforms;
  /// Text that identifies the operands of a point; with `content` it decides whether a finished shard still holds.
  std::function<std::string(std::size_t point)> point_key;
  /// Points of a shard, in order. Shards cut along the outer axes, so that a value added to one of them adds shards and
  /// changes none.
  std::vector<std::vector<std::size_t>> shards;
  /// A shard is dealt to the workers in pieces of so many points, so that all of them are busy to the end of a sweep of
  /// few shards. A piece is one list of `simulate`, whoever works on it. 0: whole shards.
  std::size_t piece = 0;
  /// How the points of a shard are simulated, for the log: "nested .dc", "alter", "8 copies", "reload".
  std::string method;
  /// At most so many points are simulated in one analysis; the wall-clock limit of a point is longer for them together.
  std::size_t together = 1;
  /// Simulates points (all or the rest of one shard) in a worker and reports each through `emit` as soon as it is
  /// known. Given the same list of points it gives the same bits, whatever the process simulated before.
  std::function<void(spice::Simulator&, std::span<const std::size_t> points, const std::function<void(JobPoint)>& emit)>
      simulate;

  std::size_t points() const;
};

}  // namespace gaincal::sweep
