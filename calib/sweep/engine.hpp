#pragma once

#include <filesystem>
#include <string>

#include "core/provenance.hpp"
#include "sweep/job.hpp"
#include "sweep/pool.hpp"
#include "sweep/shard.hpp"
#include "sweep/summary.hpp"

namespace gaincal::sweep {

struct SweepOptions {
  std::filesystem::path out;  ///< folder; made where it is missing
  ShardRange range;           ///< part of the shards; a dataset is written only for the whole
  PoolOptions pool;
  bool force = false;         ///< compute finished shards again
  bool retry_failed = false;  ///< compute shards with failed points again
  bool log_json = false;
  Provenance provenance;  ///< of the files; the hash of what is simulated is added
  std::string plan_toml;  ///< text of the plan, kept in the dataset
};

/// Computes the shards of `job` that OUT does not hold yet and, where all of them were asked for, merges them into
/// OUT/dataset.h5. Shard files are complete or not there, so the run may be killed at any time and goes on where it
/// was; finished shards are checked, and computed again where they are damaged. The data do not depend on the number of
/// workers, on ranges or on interruptions.
///
/// Ctrl-C once: no more shards are begun, those that are begun are finished. Twice, or SIGTERM, or SIGHUP: stops at
/// once. A failed point stops nothing: it is kept with its reason.
///
/// Throws  Error when OUT cannot be written (disk full; finished shards stay), another run has these shards, or no
///         simulator can be started
SweepSummary run_sweep(const SweepJob& job, const SweepOptions& options);

/// Merges the shards in `options.out` into OUT/dataset.h5: one table with the job's axes, its columns, and `rung`.
///
/// Throws  Error when shards are missing or damaged, saying how many and how to compute them
SweepSummary merge_sweep(const SweepJob& job, const SweepOptions& options);

/// What `options.out` holds of the job, without changing anything. Checks every shard file.
SweepSummary sweep_status(const SweepJob& job, const SweepOptions& options);

}  // namespace gaincal::sweep
