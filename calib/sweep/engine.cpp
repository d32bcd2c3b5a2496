#include "sweep/engine.hpp"

#include <algorithm>
#include <csignal>
#include <deque>
#include <map>
#include <set>

#include "core/error.hpp"
#include "core/log.hpp"
#include "sweep/merge.hpp"
#include "sweep/sweep_log.hpp"

namespace gaincal::sweep {
namespace fs = std::filesystem;
namespace {

volatile std::sig_atomic_t interrupts = 0;
volatile std::sig_atomic_t ends = 0;

void take_interrupt(int) { interrupts = interrupts + 1; }
void take_end(int) { ends = 1; }

/// Ctrl-C and requests to end are noted, not obeyed at once, while it lives. A full file is an error, not a death.
class Attention {
 public:
  Attention() {
    interrupts = 0;
    ends = 0;
    set(SIGINT, take_interrupt, interrupt_before_);
    set(SIGTERM, take_end, end_before_);
    set(SIGHUP, take_end, hang_up_before_);
    set(SIGXFSZ, SIG_IGN, full_before_);
  }
  ~Attention() {
    ::sigaction(SIGINT, &interrupt_before_, nullptr);
    ::sigaction(SIGTERM, &end_before_, nullptr);
    ::sigaction(SIGHUP, &hang_up_before_, nullptr);
    ::sigaction(SIGXFSZ, &full_before_, nullptr);
  }
  Attention(const Attention&) = delete;
  Attention& operator=(const Attention&) = delete;

  static bool ending() { return ends != 0 || interrupts > 0; }
  static Wish wish() {
    if (ends != 0 || interrupts > 1) return Wish::stop;
    return interrupts == 1 ? Wish::finish_running : Wish::go_on;
  }

 private:
  static void set(int number, void (*handler)(int), struct sigaction& before) {
    ::sigaction(number, nullptr, &before);
    if (before.sa_handler == SIG_IGN) return;  // nohup
    struct sigaction action {};
    action.sa_handler = handler;
    sigemptyset(&action.sa_mask);
    ::sigaction(number, &action, nullptr);
  }
  struct sigaction interrupt_before_ {};
  struct sigaction end_before_ {};
  struct sigaction hang_up_before_ {};
  struct sigaction full_before_ {};
};

void make_folder(const fs::path& folder) {
  std::error_code status;
  fs::create_directories(folder, status);
  if (status) throw Error(folder.string() + ": cannot be made (" + status.message() + "); choose another --out");
}

store::ShardFile shard_file(const SweepJob& job, const SweepOptions& options, const std::string& name,
                            std::vector<JobPoint> results) {
  store::ShardFile shard;
  shard.provenance = options.provenance;
  shard.provenance.netlist_hash = content_hash(job.content);
  shard.shard = name;
  for (const store::Quantity& column : job.columns) shard.columns.push_back(column.name);
  for (JobPoint& result : results) {
    shard.values.insert(shard.values.end(), result.values.begin(), result.values.end());
    shard.reason.push_back(std::move(result.failure));
    shard.rung.push_back(result.rung);
    shard.seconds.push_back(result.seconds);
  }
  return shard;
}

/// Some points of a shard: what a worker gets.
struct Piece {
  std::size_t shard = 0;
  std::size_t begin = 0;  // in the list of the shard
};

/// The results of a shard while its pieces come in.
struct Gathering {
  std::vector<JobPoint> results;
  std::size_t missing = 0;  // points
};

/// The shards of a run that are to be computed, in pieces that are tasks for the pool.
class Run {
 public:
  Run(const SweepJob& job, const SweepOptions& options)
      : job_(job), options_(options), names_(shard_names(job)), log_(options.log_json, job) {}

  SweepSummary run() {
    const double start_s = monotonic_seconds();
    look();
    log_.start(summary_, points_to_compute_);
    const Attention attention;
    compute();
    summary_.elapsed_s = monotonic_seconds() - start_s;
    summary_.interrupted = Attention::ending() && summary_.missing() > 0;
    if (options_.range.whole() && summary_.missing() == 0) {
      log_.note("merging " + std::to_string(summary_.shards) + " shards");
      summary_.dataset = merge_shards(job_, options_, names_).dataset;
    }
    log_.end(summary_);
    if (summary_.interrupted)
      log_.note("interrupted; the same command" + std::string(options_.force ? " without --force" : "") +
                " goes on with the " + std::to_string(summary_.missing()) + " shards that are missing");
    return summary_;
  }

 private:
  void look() {
    const std::size_t begin = options_.range.begin(names_.size());
    const std::size_t end = options_.range.end(names_.size());
    summary_.shards = end - begin;
    summary_.workers = pool_size(options_.pool);
    summary_.stale = stale_shards(options_.out, names_);
    for (std::size_t shard = begin; shard < end; ++shard)
      if (!take_finished(shard)) {
        const std::size_t points = job_.shards[shard].size();
        points_to_compute_ += points;
        for (std::size_t first = 0; first < points; first += job_.piece == 0 ? points : job_.piece) {
          pending_.push_back(pieces_.size());
          pieces_.push_back({shard, first});
        }
      }
  }

  bool take_finished(std::size_t shard) {
    if (options_.force || !fs::exists(shard_path(options_.out, names_[shard]))) return false;
    try {
      const store::ShardFile found = read_finished(job_, options_.out, names_[shard], shard);
      if (options_.retry_failed && has_failures(found)) return false;
      summary_.add(found, job_.shards[shard]);
      ++summary_.taken;
      return true;
    } catch (const Error& failure) {
      ++summary_.damaged;
      log_.note(failure.what());
      return false;
    }
  }

  static bool has_failures(const store::ShardFile& shard) {
    for (const std::string& reason : shard.reason)
      if (!reason.empty()) return true;
    return false;
  }

  void compute() {
    Batch batch;
    batch.waiting = [&] { return pending_.size(); };
    batch.take = [&]() -> std::optional<Task> {
      if (pending_.empty()) return std::nullopt;
      Task task;
      task.label = pending_.front();
      const Piece& piece = pieces_[task.label];
      const std::vector<std::size_t>& points = job_.shards[piece.shard];
      const std::size_t count = job_.piece == 0 ? points.size() : std::min(job_.piece, points.size() - piece.begin);
      const auto first = points.begin() + static_cast<std::ptrdiff_t>(piece.begin);
      task.points.assign(first, first + static_cast<std::ptrdiff_t>(count));
      pending_.pop_front();
      return task;
    };
    batch.finish = [&](const Task& task, std::vector<JobPoint> results) {
      gather(pieces_[task.label], std::move(results));
    };
    batch.finish_only = [&](const std::vector<std::size_t>& running) {
      for (const std::size_t label : running) begun_.insert(pieces_[label].shard);
      for (const auto& [shard, gathering] : gathered_) begun_.insert(shard);
      std::erase_if(pending_, [&](std::size_t label) { return !begun_.contains(pieces_[label].shard); });
      log_.note("stopping after the " + std::to_string(begun_.size()) +
                " shards that are begun; Ctrl-C again stops at once");
    };
    batch.wanted = [&](std::size_t label) { return begun_.contains(pieces_[label].shard); };
    batch.watch = [&](std::size_t done, std::size_t failed) {
      log_.progress(summary_.points_computed + points_gathered_ + done, failed_computed_ + failed_gathered_ + failed);
      return Attention::wish();
    };
    batch.note = [&](const std::string& text) { log_.note(text); };
    PoolOptions pool = options_.pool;
    pool.together = job_.together;
    run_pool(job_.simulate, job_.columns.size(), batch, pool);
  }

  void gather(const Piece& piece, std::vector<JobPoint> results) {
    Gathering& gathering = gathered_[piece.shard];
    if (gathering.results.empty()) {
      gathering.missing = job_.shards[piece.shard].size();
      gathering.results.resize(gathering.missing);
    }
    gathering.missing -= results.size();
    points_gathered_ += results.size();
    failed_gathered_ += count_failed(results);
    std::move(results.begin(), results.end(), gathering.results.begin() + static_cast<std::ptrdiff_t>(piece.begin));
    if (gathering.missing > 0) return;
    std::vector<JobPoint> whole = std::move(gathering.results);
    gathered_.erase(piece.shard);
    points_gathered_ -= whole.size();
    failed_gathered_ -= count_failed(whole);
    finish(piece.shard, std::move(whole));
  }

  static std::size_t count_failed(const std::vector<JobPoint>& results) {
    return static_cast<std::size_t>(
        std::count_if(results.begin(), results.end(), [](const JobPoint& point) { return !point.failure.empty(); }));
  }

  void finish(std::size_t shard, std::vector<JobPoint> results) {
    const store::ShardFile file = shard_file(job_, options_, names_[shard], std::move(results));
    try {
      store::write_shard(shard_path(options_.out, names_[shard]), file);
    } catch (const Error& failure) {
      throw Error(std::string(failure.what()) + "; then the same command goes on with the shards that are missing");
    }
    const std::size_t failed_before = summary_.failed;
    summary_.add(file, job_.shards[shard]);
    const std::size_t failed = summary_.failed - failed_before;
    ++summary_.computed;
    summary_.points_computed += file.points();
    failed_computed_ += failed;
    double seconds = 0.0;
    for (const double point_s : file.seconds) seconds += point_s;
    log_.shard(names_[shard], file.points(), failed, seconds);
    log_.progress(summary_.points_computed + points_gathered_, failed_computed_ + failed_gathered_);
  }

  const SweepJob& job_;
  const SweepOptions& options_;
  std::vector<std::string> names_;
  SweepLog log_;
  SweepSummary summary_;
  std::vector<Piece> pieces_;
  std::deque<std::size_t> pending_;            // of pieces_
  std::map<std::size_t, Gathering> gathered_;  // by shard
  std::set<std::size_t> begun_;                // shards that are finished after Ctrl-C
  std::size_t points_to_compute_ = 0;
  std::size_t failed_computed_ = 0;
  std::size_t points_gathered_ = 0, failed_gathered_ = 0;
};

}  // namespace

SweepSummary run_sweep(const SweepJob& job, const SweepOptions& options) {
  make_folder(options.out / "shards");
  const std::size_t shards = job.shards.size();
  const FolderLock lock(options.out, options.range.begin(shards), options.range.end(shards));
  remove_leftovers(options.out);
  return Run(job, options).run();
}

SweepSummary merge_sweep(const SweepJob& job, const SweepOptions& options) {
  return merge_shards(job, options, shard_names(job));
}

SweepSummary sweep_status(const SweepJob& job, const SweepOptions& options) {
  const std::vector<std::string> names = shard_names(job);
  SweepSummary summary;
  const std::size_t begin = options.range.begin(names.size());
  const std::size_t end = options.range.end(names.size());
  summary.shards = end - begin;
  summary.stale = stale_shards(options.out, names);
  for (std::size_t shard = begin; shard < end; ++shard) {
    if (!fs::exists(shard_path(options.out, names[shard]))) continue;
    try {
      summary.add(read_finished(job, options.out, names[shard], shard), job.shards[shard]);
      ++summary.taken;
    } catch (const Error&) {
      ++summary.damaged;
    }
  }
  return summary;
}

}  // namespace gaincal::sweep
