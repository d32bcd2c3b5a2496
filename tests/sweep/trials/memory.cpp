#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>

#include "core/log.hpp"
#include "sweep/jobs.hpp"
#include "trials.hpp"

namespace gaincal::trials {
namespace {

constexpr std::size_t kPerShard = 200;
constexpr double kAllowed_MB = 12.0;  // a worker grows by about 1 kB a run until it is replaced after 10000

double resident_MB(pid_t process) {
  std::ifstream statm("/proc/" + std::to_string(process) + "/statm");
  double total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20);
}

std::size_t finished(const std::filesystem::path& out) {
  std::size_t files = 0;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(out / "shards", ignored))
    files += entry.path().extension() == ".h5" ? 1 : 0;
  return files;
}

struct Peak {
  double driver_MB = 0.0;
  double worker_MB = 0.0;
};

}  // namespace

bool memory_trial(std::size_t points) {
  const TrialFolder out;
  const std::size_t shards = (points + kPerShard - 1) / kPerShard;
  std::fflush(nullptr);
  const double start_s = monotonic_seconds();
  const pid_t driver = ::fork();
  if (driver == 0) {
    const tests::RedirectedErrors redirected(out.path() / "log");
    ::_exit(sweep::run_sweep(tests::discharge_job(points, kPerShard), tests::options_for(out.path(), 2)).exit_code());
  }
  // Largest values while the first, the middle and the last tenth of the shards were computed.
  std::map<int, Peak> peaks;
  std::size_t workers_seen = 0;
  pid_t newest = 0;
  int status = 0;
  for (; ::waitpid(driver, &status, WNOHANG) == 0; ::usleep(20000)) {
    const std::size_t done = finished(out.path());
    const double share = static_cast<double>(done) / static_cast<double>(shards);
    Peak& peak = peaks[share < 0.1 ? 0 : (share >= 0.45 && share < 0.55 ? 1 : (share >= 0.9 && share < 1 ? 2 : 3))];
    peak.driver_MB = std::max(peak.driver_MB, resident_MB(driver));
    for (const pid_t worker : tests::children_of(driver)) {
      peak.worker_MB = std::max(peak.worker_MB, resident_MB(worker));
      if (worker > newest) {
        newest = worker;
        ++workers_seen;
      }
    }
  }
  if (status != 0) {
    std::printf("the sweep failed\n");
    return false;
  }
  std::printf("%zu transient points in %zu shards, 2 workers, %.1f s, %zu worker processes in all\n", points, shards,
              monotonic_seconds() - start_s, workers_seen);
  std::printf("largest resident MB   driver  worker\n");
  const char* names[] = {"first tenth", "middle tenth", "last tenth", "elsewhere"};
  for (const auto& [part, peak] : peaks)
    std::printf("%-20s %7.1f %7.1f\n", names[part], peak.driver_MB, peak.worker_MB);
  const double driver_growth_MB = peaks[2].driver_MB - peaks[0].driver_MB;
  const double worker_growth_MB = std::max(peaks[1].worker_MB, peaks[2].worker_MB) - peaks[0].worker_MB;
  std::printf("growth: driver %.1f MB, worker %.1f MB; allowed %.0f\n", driver_growth_MB, worker_growth_MB,
              kAllowed_MB);
  return driver_growth_MB < kAllowed_MB && worker_growth_MB < kAllowed_MB;
}

}  // namespace gaincal::trials
