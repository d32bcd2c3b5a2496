#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "spice/simulator.hpp"
#include "sweep/job.hpp"

namespace gaincal::sweep {

/// How a worker simulates a list of points; see SweepJob::simulate.
using SimulatePoints = std::function<void(spice::Simulator&, std::span<const std::size_t> points,
                                          const std::function<void(JobPoint)>& emit)>;

/// A list of points for one worker.
struct Task {
  std::uint64_t number = 0;  ///< from 1
  std::vector<std::size_t> points;
  std::size_t label = 0;    ///< for who gave the task
  bool one_by_one = false;  ///< each point is a list of its own, so that a failure belongs to it alone
};

/// What a worker says.
struct WorkerReport {
  enum class Kind : std::uint32_t {
    ready,         ///< text: version of the simulator
    cannot_start,  ///< text: why there is no simulator
    point,         ///< point
    task_done,     ///< every point of the task has been reported
    task_broken,   ///< text: why the rest of the list cannot be simulated together; the worker goes on
    gave_up        ///< text: why the simulator stopped for good; the worker ends
  };
  Kind kind = Kind::ready;
  std::uint64_t task = 0;
  JobPoint point;
  std::string text;
};

/// Where a worker is, in memory that it shares with its driver: known also after a death, and without a message.
struct WorkerState {
  std::atomic<std::uint64_t> task{0};         ///< number of the current task; 0: waiting for one
  std::atomic<std::uint64_t> emitted{0};      ///< points of it that were simulated
  std::atomic<double> since_s{0.0};           ///< when the current point began, monotonic
  std::atomic<std::uint64_t> resident_kB{0};  ///< memory of the process after its last task
};

/// A forked process with a simulator of its own, seen from the driver: a socket carries tasks there and reports back.
/// The process is killed when this object goes, and by the kernel when the driver dies. It keeps no descriptor of the
/// driver.
class Worker {
 public:
  /// Forks. `simulate` is inherited as it stands.
  ///
  /// point_limit_s  wall clock of a point; the process stops a transient beyond it (see Simulator::limit_points)
  /// Throws         Error when the system refuses a process or a socket
  Worker(const SimulatePoints& simulate, std::size_t values_per_point, double point_limit_s);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  int socket() const { return socket_; }
  const WorkerState& state() const { return *state_; }

  /// Queues a task for the process; it works on them in this order.
  void deal(const Task& task);

  /// Whether part of a task waits until the process reads: call send() when the socket can be written.
  bool sending() const { return !outgoing_.empty(); }
  void send();

  /// Complete reports that have arrived, without waiting. Sets ended() when the process has closed its side.
  std::vector<WorkerReport> receive();

  /// Memory of the process at present.
  std::uint64_t resident_kB() const;

  /// Whether the process has closed its side.
  bool ended() const { return ended_; }

  struct Ending {
    std::string text;     ///< e.g. "the worker process was killed by SIGSEGV (Segmentation fault)" and its last words
    bool killed = false;  ///< by SIGKILL or SIGTERM from outside, which says nothing about the point
  };
  /// Kills the process and waits for it. Says how it had ended by itself.
  Ending end();

 private:
  bool parse(WorkerReport& report, std::size_t& position);

  pid_t process_ = -1;
  int socket_ = -1;
  int printed_ = -1;  // memory file that is stdout and stderr of the process
  WorkerState* state_ = nullptr;
  bool ended_ = false;
  std::string outgoing_;
  std::string received_;  // bytes of a report that is not complete yet
};

}  // namespace gaincal::sweep
