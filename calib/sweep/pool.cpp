#include "sweep/pool.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <deque>
#include <limits>
#include <map>
#include <memory>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/parallel.hpp"
#include "core/units.hpp"

namespace gaincal::sweep {
namespace {

constexpr double kStartTimeout_s = 60.0;
// A worker stops a transient that is over its limit; what it cannot stop in this time goes with the process.
constexpr double kHaltGrace_s = 2.0;
constexpr int kStartsInARow = 5;
constexpr double kStartPause_s = 0.3;
// A wait that overruns by this much means that the whole program was suspended (Ctrl-Z), not that a point is slow.
constexpr double kSuspended_s = 1.0;
constexpr double kWatchEvery_s = 0.2;
constexpr std::uint64_t kNoticeableGrowth_kB = 4096;
// How often a point may be fatal before it is held to be the cause.
constexpr int kDeaths = 2;
constexpr int kKills = 5;
// A list that hangs is found after this many limits of a point.
constexpr std::size_t kMostTogether = 20;
constexpr double kMemoryShare = 0.8;

std::uint64_t machine_memory_kB() {
  return static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) /
         1024;
}

/// A task with what is known of it.
struct Assignment {
  Task task;
  std::vector<JobPoint> results;  // in the order of task.points
  std::map<std::size_t, int> deaths;

  std::size_t failed() const {
    return static_cast<std::size_t>(
        std::count_if(results.begin(), results.end(), [](const JobPoint& point) { return !point.failure.empty(); }));
  }
};

struct Place {
  std::unique_ptr<Worker> worker;
  bool ready = false;
  bool retiring = false;  // gets no more tasks
  double started_s = 0.0;
  double excused_s = 0.0;         // time before does not count against a point
  std::uint64_t resident_kB = 0;  // when it was fresh
  std::size_t served = 0;
  std::deque<Assignment> queue;  // the front is being simulated
  std::size_t begun_at = 0;      // results of the front that an earlier worker gave
};

class Pool {
 public:
  Pool(const SimulatePoints& simulate, std::size_t values_per_point, const Batch& batch, const PoolOptions& options)
      : simulate_(simulate), values_per_point_(values_per_point), batch_(batch), options_(options) {
    places_.resize(std::min<std::size_t>(pool_size(options), std::max<std::size_t>(batch.waiting(), 1)));
    memory_limit_kB_ =
        options.memory_limit_kB != 0
            ? options.memory_limit_kB
            : static_cast<std::uint64_t>(kMemoryShare * static_cast<double>(machine_memory_kB())) / places_.size();
  }

  void run() {
    for (;;) {
      for (Place& place : places_) deal(place);
      if (idle()) return;
      wait();
      for (Place& place : places_) listen(place);
      for (Place& place : places_) check_time(place);
      if (watch()) return;
    }
  }

 private:
  std::size_t waiting() const { return wish_ == Wish::stop ? 0 : returned_.size() + batch_.waiting(); }

  bool idle() const {
    return waiting() == 0 &&
           std::all_of(places_.begin(), places_.end(), [](const Place& place) { return place.queue.empty(); });
  }

  /// True when the batch is to be left as it is.
  bool watch() {
    const double now_s = monotonic_seconds();
    if (now_s - watched_s_ < kWatchEvery_s) return false;
    watched_s_ = now_s;
    std::size_t done = 0, failed = 0;
    const auto count = [&](const Assignment& assignment) {
      done += assignment.results.size();
      failed += assignment.failed();
    };
    for (const Place& place : places_) std::for_each(place.queue.begin(), place.queue.end(), count);
    std::for_each(returned_.begin(), returned_.end(), count);
    for (Place& place : places_) check_memory(place);
    if (const Wish wish = batch_.watch(done, failed); wish > wish_) {
      wish_ = wish;
      if (wish_ == Wish::finish_running) finish_running();
    }
    return wish_ == Wish::stop;
  }

  void finish_running() {
    std::vector<std::size_t> running;
    for (const Place& place : places_)
      if (!place.queue.empty()) running.push_back(place.queue.front().task.label);
    batch_.finish_only(running);
    const auto unwanted = [&](const Assignment& assignment) { return !batch_.wanted(assignment.task.label); };
    std::erase_if(returned_, unwanted);
    for (Place& place : places_) {
      if (place.queue.size() < 2) continue;
      // What was dealt ahead is not running yet. The worker does not know that it was taken back, so it goes.
      const auto dropped = std::remove_if(place.queue.begin() + 1, place.queue.end(), unwanted);
      place.retiring |= dropped != place.queue.end();
      place.queue.erase(dropped, place.queue.end());
    }
  }

  void deal(Place& place) {
    if (place.retiring && place.queue.empty()) place = Place{};
    if (waiting() == 0 || place.retiring) return;
    if (!place.worker) start(place);
    if (!place.worker || !place.ready) return;
    // A task ahead keeps a worker busy while the driver writes; the last ones go to who is free first.
    while (waiting() > 0 && place.queue.size() < (waiting() > places_.size() ? 2U : 1U)) {
      Assignment assignment;
      if (!returned_.empty()) {
        assignment = std::move(returned_.front());
        returned_.pop_front();
      } else {
        std::optional<Task> task = batch_.take();
        if (!task) return;
        assignment.task = std::move(*task);
      }
      assignment.task.number = ++tasks_;
      if (place.queue.empty()) place.begun_at = assignment.results.size();
      send(*place.worker, assignment);
      place.queue.push_back(std::move(assignment));
    }
  }

  static void send(Worker& worker, const Assignment& assignment) {
    Task rest = assignment.task;
    rest.points.erase(rest.points.begin(),
                      rest.points.begin() + static_cast<std::ptrdiff_t>(assignment.results.size()));
    worker.deal(rest);
  }

  void start(Place& place) {
    if (monotonic_seconds() < not_before_s_) return;
    place = Place{};
    try {
      place.worker = std::make_unique<Worker>(simulate_, values_per_point_, options_.point_timeout_s);
    } catch (const Error& failure) {
      start_failed(place, failure.what());
    }
    place.started_s = monotonic_seconds();
  }

  /// Without any simulator there is no batch. Where others had worked (memory or processes ran out), a start is tried
  /// again after a pause.
  void start_failed(Place& place, const std::string& reason) {
    place = Place{};
    if (!ever_ready_ || ++failed_starts_ >= kStartsInARow) throw Error(reason);
    not_before_s_ = monotonic_seconds() + kStartPause_s;
  }

  /// Seconds that the worker has been at what it is doing; nothing when it is doing nothing.
  std::optional<double> busy_s(const Place& place) const {
    if (!place.worker || (place.ready && place.worker->state().task == 0)) return std::nullopt;
    const double since_s = place.ready ? place.worker->state().since_s.load() : place.started_s;
    return monotonic_seconds() - std::max(since_s, place.excused_s);
  }
  double limit_s(const Place& place) const {
    if (!place.ready) return kStartTimeout_s;
    const bool alone = place.queue.empty() || place.queue.front().task.one_by_one;
    return options_.point_timeout_s *
           static_cast<double>(alone ? 1 : std::clamp<std::size_t>(options_.together, 1, kMostTogether));
  }
  /// When the process has to go: it could stop a transient by itself before.
  double patience_s(const Place& place) const { return limit_s(place) + (place.ready ? kHaltGrace_s : 0.0); }

  void wait() {
    const double before_s = monotonic_seconds();
    double wait_s = kWatchEvery_s;
    std::vector<pollfd> sockets;
    for (const Place& place : places_) {
      if (!place.worker) continue;
      const bool sending = place.worker->sending();
      sockets.push_back({place.worker->socket(), static_cast<short>(POLLIN | (sending ? POLLOUT : 0)), 0});
      if (const auto busy = busy_s(place)) wait_s = std::clamp(patience_s(place) - *busy, 0.0, wait_s);
    }
    const int ready = ::poll(sockets.data(), sockets.size(), static_cast<int>(std::ceil(wait_s * 1e3)));
    if (ready < 0 && errno != EINTR) throw Error(std::string("worker processes: poll: ") + std::strerror(errno));
    if (ready < 0) watched_s_ = 0.0;  // a signal: perhaps Ctrl-C
    const double now_s = monotonic_seconds();
    if (now_s - before_s - wait_s > kSuspended_s)
      for (Place& place : places_) place.excused_s = now_s;
  }

  void listen(Place& place) {
    if (!place.worker) return;
    if (place.worker->sending()) place.worker->send();
    for (WorkerReport& report : place.worker->receive()) {
      if (report.kind == WorkerReport::Kind::cannot_start) return start_failed(place, report.text);
      if (report.kind == WorkerReport::Kind::ready) {
        place.ready = ever_ready_ = true;
        place.resident_kB = place.worker->state().resident_kB;
        failed_starts_ = 0;
        continue;
      }
      // Of a task that was taken back when the batch was asked to end.
      if (place.queue.empty() || place.queue.front().task.number != report.task) continue;
      Assignment& front = place.queue.front();
      switch (report.kind) {
        case WorkerReport::Kind::point:
          take(front, std::move(report.point));
          break;
        case WorkerReport::Kind::task_done:
          complete(place);
          break;
        case WorkerReport::Kind::task_broken:
          separate(front, report.text);
          give_back(place, false);
          break;
        default:
          if (!front.task.one_by_one) separate(front, report.text);
          place.worker->end();
          give_back(place, true);
          return;
      }
    }
    if (place.worker->ended()) lose(place, {}, false);
  }

  void take(Assignment& assignment, JobPoint point) {
    const std::size_t next = assignment.results.size();
    if (next >= assignment.task.points.size() || assignment.task.points[next] != point.point)
      throw Error("worker process: a result for point " + std::to_string(point.point) +
                  ", which is not the next of its list");
    assignment.results.push_back(std::move(point));
  }

  void complete(Place& place) {
    Assignment done = std::move(place.queue.front());
    place.queue.pop_front();
    place.served += done.results.size() - place.begun_at;
    place.begun_at = place.queue.empty() ? 0 : place.queue.front().results.size();
    const std::uint64_t resident_kB = place.worker->state().resident_kB;
    const std::uint64_t growth_kB = resident_kB - std::min(resident_kB, place.resident_kB);
    place.retiring |= (place.served >= options_.recycle_points && growth_kB >= kNoticeableGrowth_kB) ||
                      growth_kB >= options_.recycle_growth_kB;
    finish(std::move(done));
  }

  void finish(Assignment done) {
    if (done.results.size() != done.task.points.size())
      throw Error("worker process: " + std::to_string(done.results.size()) + " results for " +
                  std::to_string(done.task.points.size()) + " points");
    batch_.finish(done.task, std::move(done.results));
  }

  void check_time(Place& place) {
    const auto busy = busy_s(place);
    if (!busy || *busy < patience_s(place)) return;
    if (!place.ready)
      throw Error("simulator: no start: timeout after " + format_quantity(kStartTimeout_s, Unit::second));
    lose(place, "timeout after " + format_quantity(limit_s(place), Unit::second), true);
  }

  void check_memory(Place& place) {
    if (!place.worker || !place.ready || place.worker->resident_kB() <= memory_limit_kB_) return;
    lose(place, "takes more memory than the " + std::to_string(memory_limit_kB_ / 1024) + " MB of a worker", false);
  }

  /// From now on the points of this task are done one by one, from the first.
  void separate(Assignment& assignment, const std::string& reason) {
    if (batch_.note)
      batch_.note("a list of " + std::to_string(assignment.task.points.size()) +
                  " points is done one by one, after: " + reason);
    assignment.task.one_by_one = true;
    assignment.results.clear();
    assignment.deaths.clear();
  }

  /// The process is dead, or has to go because of its point: `verdict` says why, and `too_long` whether it is for the
  /// time.
  void lose(Place& place, const std::string& verdict, bool too_long) {
    const WorkerState& state = place.worker->state();
    for (const WorkerReport& report : last_reports(place))
      if (report.kind == WorkerReport::Kind::cannot_start) throw Error(report.text);
    const Worker::Ending ending = place.worker->end();
    if (!place.ready) {
      if (++failed_starts_ >= kStartsInARow) throw Error("simulator: no start: " + ending.text);
      place = Place{};
      return;
    }
    // Only what the process had begun can have been the cause, and not if it came through in the last moment.
    const bool came_through =
        too_long && monotonic_seconds() - std::max(state.since_s.load(), place.excused_s) < patience_s(place);
    if (!place.queue.empty() && state.task == place.queue.front().task.number && !came_through)
      blame(place, verdict.empty() ? ending.text : verdict, !verdict.empty() ? 1 : (ending.killed ? kKills : kDeaths));
    give_back(place, true);
  }

  /// What was still in the socket: results that the process had sent before it died.
  std::vector<WorkerReport> last_reports(Place& place) {
    std::vector<WorkerReport> reports = place.worker->receive();
    for (WorkerReport& report : reports)
      if (report.kind == WorkerReport::Kind::point && !place.queue.empty() &&
          place.queue.front().task.number == report.task)
        take(place.queue.front(), std::move(report.point));
    return reports;
  }

  void blame(Place& place, const std::string& reason, int deaths_allowed) {
    Assignment& front = place.queue.front();
    const std::size_t suspect = place.begun_at + static_cast<std::size_t>(place.worker->state().emitted);
    const std::size_t point = front.task.points[std::min(suspect, front.task.points.size() - 1)];
    if (++front.deaths[point] < deaths_allowed) return;
    if (!front.task.one_by_one) {
      separate(front, reason);
    } else if (suspect == front.results.size() && suspect < front.task.points.size()) {
      front.results.push_back({point, std::vector<double>(values_per_point_, std::numeric_limits<double>::quiet_NaN()),
                               reason, 0, std::max(0.0, monotonic_seconds() - place.worker->state().since_s.load())});
    }
  }

  /// Hands the tasks of a place to whoever is free. `dead`: the process is gone, and of a list nothing holds.
  void give_back(Place& place, bool dead) {
    if (!dead) {  // the process goes on with what comes after
      returned_.push_front(std::move(place.queue.front()));
      place.queue.pop_front();
      place.begun_at = place.queue.empty() ? 0 : place.queue.front().results.size();
      return;
    }
    if (!place.queue.empty()) {
      Assignment& front = place.queue.front();
      if (!front.task.one_by_one) {
        front.results.clear();
      } else if (front.results.size() == front.task.points.size()) {
        finish(std::move(front));
        place.queue.pop_front();
      }
    }
    while (!place.queue.empty()) {
      returned_.push_front(std::move(place.queue.back()));
      place.queue.pop_back();
    }
    place = Place{};
  }

  const SimulatePoints& simulate_;
  std::size_t values_per_point_;
  const Batch& batch_;
  const PoolOptions& options_;
  std::vector<Place> places_;
  std::deque<Assignment> returned_;  // to be done again, or never begun
  std::uint64_t tasks_ = 0;
  bool ever_ready_ = false;
  int failed_starts_ = 0;
  double not_before_s_ = 0.0;  // of the next start
  double watched_s_ = 0.0;
  std::uint64_t memory_limit_kB_ = 0;
  Wish wish_ = Wish::go_on;
};

}  // namespace

unsigned pool_size(const PoolOptions& options) { return options.workers == 0 ? available_threads() : options.workers; }

void run_pool(const SimulatePoints& simulate, std::size_t values_per_point, const Batch& batch,
              const PoolOptions& options) {
  if (batch.waiting() == 0) return;
  Pool(simulate, values_per_point, batch, options).run();
}

}  // namespace gaincal::sweep
