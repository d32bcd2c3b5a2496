#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "core/log.hpp"
#include "core/random.hpp"
#include "sweep/jobs.hpp"
#include "trials.hpp"

namespace gaincal::trials {
namespace {

using tests::discharge_job;
using tests::eventually;
using tests::options_for;

constexpr std::size_t kPoints = 240;
constexpr std::size_t kPerShard = 20;
constexpr std::size_t kShards = kPoints / kPerShard;
constexpr int kMostKills = 3;

sweep::SweepJob job() {
  sweep::SweepJob job = discharge_job(kPoints, kPerShard, [](spice::Simulator&, std::size_t) { ::usleep(2000); });
  job.piece = 6;
  return job;
}

/// A driver in a process group of its own, which its workers share.
pid_t start_driver(const std::filesystem::path& out, const std::filesystem::path& log) {
  std::fflush(nullptr);
  const pid_t driver = ::fork();
  if (driver != 0) {
    ::setpgid(driver, driver);
    return driver;
  }
  ::setpgid(0, 0);
  int code = 1;
  try {
    const tests::RedirectedErrors redirected(log);
    sweep::SweepOptions options = options_for(out, 2);
    options.log_json = true;
    code = sweep::run_sweep(job(), options).exit_code();
  } catch (const std::exception& failure) {
    std::ofstream(log, std::ios::app) << failure.what() << "\n";
  }
  ::_exit(code);
}

bool group_is_gone(pid_t group) {
  return eventually([&] { return ::kill(-group, 0) != 0 && errno == ESRCH; }, 5.0);
}

/// How often each shard was reported as finished.
void count_shards(const std::filesystem::path& log, std::map<std::string, int>& finished) {
  std::ifstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    const auto event = nlohmann::json::parse(line, nullptr, false);
    if (event.is_object() && event.value("event", "") == "shard") ++finished[event.at("shard")];
  }
}

/// Names of the shard files that are complete.
std::vector<std::string> shard_files(const std::filesystem::path& out) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(out / "shards", ignored))
    if (entry.path().extension() == ".h5") names.push_back(entry.path().stem().string());
  return names;
}

enum class Victim { driver, worker, both };

void kill_one(pid_t driver, Victim victim, double choice) {
  const std::vector<pid_t> workers = tests::children_of(driver);
  if (victim == Victim::both) ::kill(-driver, SIGKILL);
  if (victim == Victim::driver) ::kill(driver, SIGKILL);
  if (victim == Victim::worker && !workers.empty())
    ::kill(workers[static_cast<std::size_t>(choice * static_cast<double>(workers.size()))], SIGKILL);
}

class Moment {
 public:
  Moment(std::uint64_t seed, std::size_t number, double whole_s, std::string expected)
      : random_(seed, number),
        victim_(static_cast<Victim>(number % 3)),
        whole_s_(whole_s),
        expected_(std::move(expected)) {}

  bool survive() {
    int code = -1;
    for (int run = 0; code != 0; ++run) {
      const std::vector<std::string> before = shard_files(folder_.path());
      const auto log = folder_.path() / ("log" + std::to_string(run));
      code = one_run(log, run < kMostKills);
      std::map<std::string, int> finished;
      count_shards(log, finished);
      for (const std::string& name : before)
        if (finished.contains(name)) return wrong("a finished shard was computed again");
      for (const auto& [name, times] : finished) finished_[name] += times;
      if (run > kMostKills) return wrong("an undisturbed run fails");
    }
    for (const auto& [name, times] : finished_)
      if (times > 1) return wrong("a shard was finished twice");
    if (shard_files(folder_.path()).size() != kShards) return wrong("shard files are missing or too many");
    if (tests::dataset_bytes(folder_.path()) != expected_) return wrong("the data differ");
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.path()))
      if (entry.path().filename().string().find(".tmp") != std::string::npos) return wrong("a temporary file is left");
    return true;
  }

  int kills() const { return kills_; }

 private:
  int one_run(const std::filesystem::path& log, bool disturb) {
    const pid_t driver = start_driver(folder_.path(), log);
    // Several kills of one sweep: the later ones at moments of what is left.
    if (disturb) {
      ::usleep(static_cast<useconds_t>(random_.uniform(draws_++) * whole_s_ * 1e6));
      kill_one(driver, victim_, random_.uniform(draws_++));
      ++kills_;
    }
    int status = 0;
    ::waitpid(driver, &status, 0);
    if (!group_is_gone(driver)) {
      left_behind_ = true;
      ::kill(-driver, SIGKILL);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  bool wrong(const std::string& what) const {
    std::printf("  %s\n", what.c_str());
    return false;
  }

 public:
  bool left_behind() const { return left_behind_; }

 private:
  TrialFolder folder_;
  CounterRandom random_;
  Victim victim_;
  double whole_s_;
  std::string expected_;
  std::map<std::string, int> finished_;
  std::uint64_t draws_ = 0;
  int kills_ = 0;
  bool left_behind_ = false;
};

}  // namespace

bool kill_trial(std::size_t moments, std::uint64_t seed) {
  TrialFolder undisturbed;
  const double start_s = monotonic_seconds();
  const pid_t driver = start_driver(undisturbed.path(), undisturbed.path() / "log");
  int status = 0;
  ::waitpid(driver, &status, 0);
  const double whole_s = monotonic_seconds() - start_s;
  if (status != 0) {
    std::printf("the undisturbed run fails\n");
    return false;
  }
  const std::string expected = tests::dataset_bytes(undisturbed.path());
  std::printf("undisturbed: %zu shards, %zu points, %.2f s; seed %llu\n", kShards, kPoints, whole_s,
              static_cast<unsigned long long>(seed));
  int kills = 0;
  std::size_t bad = 0;
  for (std::size_t number = 0; number < moments; ++number) {
    Moment moment(seed, number, whole_s, expected);
    bool good = moment.survive();
    if (moment.left_behind()) {
      std::printf("  a process is left behind\n");
      good = false;
    }
    kills += moment.kills();
    if (!good) {
      ++bad;
      std::printf("moment %zu (%s) is wrong\n", number,
                  number % 3 == 0 ? "driver" : (number % 3 == 1 ? "worker" : "both"));
    }
  }
  std::printf(
      "%zu sweeps, %d kills (driver, worker, both in turn): %zu with other data, a shard computed twice or a "
      "process left\n",
      moments, kills, bad);
  return bad == 0;
}

}  // namespace gaincal::trials
