#include "sweep/run_points.hpp"

#include <poll.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/units.hpp"
#include "sweep/pool.hpp"

namespace gaincal::sweep {
namespace {

constexpr double kStartTimeout_s = 60.0;
// Points dealt at once: one where they are slow, so that no worker sits on work that another could do.
constexpr double kDealt_s = 2e-3;
constexpr std::size_t kMaxDealt = 16;

}  // namespace

std::vector<PointOutcome> run_points(std::size_t points, std::size_t values_per_point, const PointFunction& simulate,
                                     const RunOptions& options) {
  const SimulatePoints simulate_list = [&](spice::Simulator& simulator, std::span<const std::size_t> list,
                                           const std::function<void(JobPoint)>& emit) {
    for (const std::size_t point : list) {
      JobPoint result;
      result.point = point;
      simulator.command("setseed " + std::to_string(point % 2147483646 + 1));
      result.values = simulate(simulator, point);
      emit(std::move(result));
    }
  };
  PoolOptions pool;
  pool.workers = options.workers;
  pool.point_timeout_s = options.point_timeout_s;
  std::vector<std::optional<PointOutcome>> outcomes(points);
  std::optional<Progress> progress;
  if (!options.label.empty()) progress.emplace(options.label, points);
  std::size_t next = 0, done = 0, failed = 0;
  double busy_s = 0.0;

  Batch batch;
  batch.waiting = [&] { return points - next; };
  batch.take = [&]() -> std::optional<Task> {
    const double mean_s = busy_s / static_cast<double>(std::max<std::size_t>(done, 1));
    const std::size_t fast = done == 0 ? 1 : static_cast<std::size_t>(kDealt_s / std::max(mean_s, 1e-9)) + 1;
    const std::size_t fair = (points - next) / pool_size(pool) / 2 + 1;
    const std::size_t count = std::min({kMaxDealt, fast, fair, points - next});
    Task task;
    for (std::size_t i = 0; i < count; ++i) task.points.push_back(next++);
    task.one_by_one = true;
    return task;
  };
  batch.finish = [&](const Task&, std::vector<JobPoint> results) {
    for (JobPoint& result : results) {
      ++done;
      failed += result.failure.empty() ? 0 : 1;
      busy_s += result.seconds;
      if (!result.failure.empty()) result.values.assign(values_per_point, std::numeric_limits<double>::quiet_NaN());
      outcomes[result.point].emplace(PointOutcome{std::move(result.values), std::move(result.failure)});
    }
  };
  batch.watch = [&](std::size_t running_done, std::size_t running_failed) {
    if (progress) progress->report(done + running_done, failed + running_failed);
    return Wish::go_on;
  };
  std::string ended = "no worker process";
  try {
    run_pool(simulate_list, values_per_point, batch, pool);
  } catch (const Error& failure) {
    // What was found is kept.
    if (done == 0) throw;
    ended += std::string(": ") + failure.what();
  }
  if (progress) progress->report(done, failed);
  const PointOutcome open{std::vector<double>(values_per_point, std::numeric_limits<double>::quiet_NaN()), ended};
  std::vector<PointOutcome> all;
  for (std::optional<PointOutcome>& outcome : outcomes) all.push_back(outcome ? std::move(*outcome) : open);
  return all;
}

std::string simulator_version() {
  Worker worker([](spice::Simulator&, std::span<const std::size_t>, const std::function<void(JobPoint)>&) {}, 0,
                kStartTimeout_s);
  const double start_s = monotonic_seconds();
  while (monotonic_seconds() - start_s < kStartTimeout_s) {
    pollfd socket{worker.socket(), POLLIN, 0};
    ::poll(&socket, 1, 1000);
    for (const WorkerReport& report : worker.receive()) {
      if (report.kind == WorkerReport::Kind::ready) return report.text;
      throw Error(report.text);
    }
    if (worker.ended()) throw Error("simulator: no start: " + worker.end().text);
  }
  throw Error("simulator: no start: timeout after " + format_quantity(kStartTimeout_s, Unit::second));
}

}  // namespace gaincal::sweep
