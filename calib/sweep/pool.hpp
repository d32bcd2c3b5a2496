#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sweep/worker.hpp"

namespace gaincal::sweep {

/// What the owner of a batch wants next.
enum class Wish {
  go_on,
  finish_running,  ///< begin nothing new; return when what is running, and what belongs to it, is done
  stop             ///< kill the workers and return
};

/// A batch of tasks, as the pool sees it.
struct Batch {
  /// The next task (numbers are given by the pool), or nothing when none is left.
  std::function<std::optional<Task>()> take;
  /// Tasks that `take` would still give.
  std::function<std::size_t()> waiting;
  /// Called once for each task, with one result for each of its points, in their order.
  std::function<void(const Task&, std::vector<JobPoint>)> finish;
  /// Asked once when the wish is finish_running, with the labels of the tasks that are running: from then on `take`
  /// gives only what belongs to them, and `wanted` says whether a label does.
  std::function<void(const std::vector<std::size_t>& running)> finish_only;
  std::function<bool(std::size_t label)> wanted;
  /// Called several times a second with the points that have arrived of tasks not finished yet.
  std::function<Wish(std::size_t done, std::size_t failed)> watch;
  /// Something worth a line of log; may be empty.
  std::function<void(const std::string&)> note;
};

struct PoolOptions {
  unsigned workers = 0;         ///< 0: all cores
  double point_timeout_s = 60;  ///< wall clock
  /// Points of a list that are simulated in one analysis: their limit is so many times that of a point, up to 20 times.
  std::size_t together = 1;
  /// A worker is replaced between tasks when it has done so many points and grown at all, or has grown by so much.
  std::size_t recycle_points = 10000;
  std::size_t recycle_growth_kB = 64 * 1024;
  /// A worker that takes more is killed, and its point fails. 0: four fifths of the machine's, shared by the workers.
  std::uint64_t memory_limit_kB = 0;
};

/// Simulates tasks in worker processes, each of which has a task more in its queue than it works on.
///
/// A task whose worker dies is done again from its start in a fresh one, so its values are those of an undisturbed run.
/// Where the same point is fatal again (at once for a timeout, too much memory and a simulator that has given up; a
/// SIGKILL from outside says nothing about the point and counts only after several), the points of the task are done
/// one by one. Then a point that is fatal again fails alone, with the reason, and what came before it stays.
///
/// Call it from a process without other threads (it forks without exec), and from its main thread.
///
/// Throws  Error when no simulator can be started, no process can be made, or a function of `batch` throws; the workers
///         are gone then
void run_pool(const SimulatePoints& simulate, std::size_t values_per_point, const Batch& batch,
              const PoolOptions& options);

/// Workers that run_pool uses at most.
unsigned pool_size(const PoolOptions& options);

}  // namespace gaincal::sweep
