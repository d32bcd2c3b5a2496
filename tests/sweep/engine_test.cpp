#include "sweep/engine.hpp"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/files.hpp"
#include "core/log.hpp"
#include "reference.hpp"
#include "spice/decks.hpp"
#include "store/table.hpp"
#include "sweep/jobs.hpp"

using namespace gaincal;
using namespace gaincal::tests;
using Catch::Matchers::Contains;
using sweep::run_sweep;
using sweep::SweepJob;
using sweep::SweepOptions;
using sweep::SweepSummary;

namespace {

/// A run whose words on stderr are kept away from the terminal.
SweepSummary quiet_run(const SweepJob& job, const SweepOptions& options) {
  const ScratchFolder scratch;
  const RedirectedErrors redirected(scratch.path() / "log.txt");
  return run_sweep(job, options);
}

store::Table table_of(const std::filesystem::path& out) { return store::read_dataset(out / "dataset.h5").tables.at(0); }

std::vector<std::filesystem::path> shard_files(const std::filesystem::path& out) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(out / "shards")) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

/// Runs in a process of its own; its exit code: what `body` returns, 1 where it throws, -signal where it is killed.
int in_a_process(const std::function<int()>& body, const std::function<void(pid_t)>& meanwhile = {}) {
  const pid_t process = ::fork();
  REQUIRE(process >= 0);
  if (process == 0) {
    int code = 1;
    try {
      code = body();
    } catch (const std::exception& failure) {
      std::fprintf(stderr, "%s\n", failure.what());
    }
    std::fflush(nullptr);
    ::_exit(code);
  }
  if (meanwhile) meanwhile(process);
  int status = 0;
  ::waitpid(process, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace

TEST_CASE("a sweep lands in one dataset over its axes", "[sweep]") {
  const ScratchFolder out;
  const SweepSummary summary = quiet_run(discharge_job(25, 10), options_for(out.path(), 2));
  CHECK(summary.computed == 3);
  CHECK(summary.points == 25);
  CHECK(summary.failed == 0);
  CHECK(summary.exit_code() == 0);
  REQUIRE(summary.dataset);
  const store::Table table = table_of(out.path());
  CHECK(table.name == "discharge");
  CHECK(table.axis("c").values.at(24) == 25e-12);
  for (std::size_t point = 0; point < 25; ++point)
    CHECK(table.quantity("v_out").values.at(point) == Approx(discharged_V(point)).epsilon(1e-3));
  CHECK(table.quantity("rung").values == std::vector<double>(25, 0.0));
}

TEST_CASE("finished shards are taken, --force computes them again", "[sweep]") {
  const ScratchFolder out;
  SweepOptions options = options_for(out.path());
  quiet_run(discharge_job(30, 10), options);
  const std::string data = dataset_bytes(out.path());
  SweepSummary summary = quiet_run(discharge_job(30, 10), options);
  CHECK(summary.taken == 3);
  CHECK(summary.computed == 0);
  CHECK(dataset_bytes(out.path()) == data);
  options.force = true;
  summary = quiet_run(discharge_job(30, 10), options);
  CHECK(summary.taken == 0);
  CHECK(summary.computed == 3);
  CHECK(dataset_bytes(out.path()) == data);
}

TEST_CASE("an edited plan computes only what is new", "[sweep]") {
  const ScratchFolder out;
  quiet_run(discharge_job(30, 10), options_for(out.path()));
  SweepJob longer = discharge_job(50, 10);
  SweepSummary summary = quiet_run(longer, options_for(out.path()));
  CHECK(summary.taken == 3);
  CHECK(summary.computed == 2);
  CHECK(summary.stale == 0);
  // Another circuit keeps nothing; what the old one left stays where it is.
  longer.content += "* edited\n";
  summary = quiet_run(longer, options_for(out.path()));
  CHECK(summary.taken == 0);
  CHECK(summary.computed == 5);
  CHECK(summary.stale == 5);
  CHECK(shard_files(out.path()).size() == 10);
}

TEST_CASE("shards that only move inside of the sweep are taken", "[sweep]") {
  const ScratchFolder out;
  quiet_run(discharge_job(20, 10), options_for(out.path()));
  SweepJob moved = discharge_job(20, 10);
  std::swap(moved.shards[0], moved.shards[1]);
  CHECK(quiet_run(moved, options_for(out.path())).taken == 2);
  CHECK(table_of(out.path()).quantity("v_out").values.at(0) == Approx(discharged_V(0)).epsilon(1e-3));
}

TEST_CASE("a shard file that was altered or shortened is found and computed again", "[sweep]") {
  const ScratchFolder out;
  quiet_run(discharge_job(40, 10), options_for(out.path()));
  const std::string data = dataset_bytes(out.path());
  const auto files = shard_files(out.path());
  const auto rewrite = [](const std::filesystem::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  };
  std::string bytes = read_file(files[0]);
  const double value = table_of(out.path()).quantity("v_out").values.at(0);
  const std::string stored(reinterpret_cast<const char*>(&value), sizeof value);
  std::size_t changed = 0;
  for (const auto& path : files) {  // one bit of one value
    std::string content = read_file(path);
    const std::size_t at = content.find(stored);
    if (at == std::string::npos) continue;
    content[at] = static_cast<char>(content[at] ^ 1);
    rewrite(path, content);
    ++changed;
  }
  REQUIRE(changed == 1);
  const auto untouched = [&](const std::filesystem::path& path) {
    return read_file(path).find(stored) != std::string::npos || path != files[0];
  };
  const auto cut = untouched(files[1]) ? files[1] : files[2];
  bytes = read_file(cut);
  rewrite(cut, bytes.substr(0, bytes.size() / 2));
  const SweepSummary status = sweep::sweep_status(discharge_job(40, 10), options_for(out.path()));
  CHECK(status.damaged >= 1);
  CHECK(status.missing() == status.damaged);
  CHECK_THROWS_WITH(sweep::merge_sweep(discharge_job(40, 10), options_for(out.path())),
                    Contains("missing") && (Contains("checksum") || Contains("shortened")));

  const SweepSummary summary = quiet_run(discharge_job(40, 10), options_for(out.path()));
  CHECK(summary.computed == status.damaged);
  CHECK(summary.damaged == status.damaged);
  CHECK(dataset_bytes(out.path()) == data);
}

TEST_CASE("a sweep has the same bytes on 1 and 2 workers and in ranges", "[sweep]") {
  const ScratchFolder one, two, ranges;
  const SweepJob job = discharge_job(60, 7);
  quiet_run(job, options_for(one.path(), 1));
  quiet_run(job, options_for(two.path(), 2));
  std::size_t computed = 0;
  for (std::size_t index = 1; index <= 4; ++index) {
    SweepOptions options = options_for(ranges.path());
    options.range = {index, 4};
    const SweepSummary summary = quiet_run(job, options);
    computed += summary.computed;
    CHECK_FALSE(summary.dataset);
  }
  CHECK(computed == job.shards.size());
  CHECK(sweep::merge_sweep(job, options_for(ranges.path())).points == 60);
  CHECK(dataset_bytes(one.path()) == dataset_bytes(two.path()));
  CHECK(dataset_bytes(one.path()) == dataset_bytes(ranges.path()));
}

TEST_CASE("workers share the pieces of one shard, and its bytes are those of one worker", "[sweep]") {
  const ScratchFolder one, two, marks;
  const auto mark = [&](spice::Simulator&, std::size_t) {
    std::ofstream(marks.path() / std::to_string(::getpid())) << "x";
    ::usleep(3000);
  };
  SweepJob job = discharge_job(50, 50, mark);
  job.piece = 8;
  quiet_run(job, options_for(one.path(), 1));
  quiet_run(job, options_for(two.path(), 2));
  CHECK(shard_files(two.path()).size() == 1);
  const std::filesystem::directory_iterator processes(marks.path());
  CHECK(std::distance(begin(processes), end(processes)) == 3);  // one alone, then two
  CHECK(dataset_bytes(one.path()) == dataset_bytes(two.path()));
}

TEST_CASE("points that fail in every way cost themselves, and the sweep says why", "[sweep]") {
  const auto break_some = [](spice::Simulator& simulator, std::size_t point) {
    switch (point % 20) {
      case 3:
        throw Error("a measure found nothing at 1.5e-9 s");
      case 7:
        raise(SIGSEGV);
        break;
      case 11:
        simulator.command("quit");
        break;
      case 15:
        for (;;) ::pause();
      case 19:
        std::exit(7);
      default:
        break;
    }
  };
  SweepSummary summaries[2];
  std::string data[2];
  for (const unsigned workers : {1u, 2u}) {
    const ScratchFolder out;
    SweepOptions options = options_for(out.path(), workers);
    options.pool.point_timeout_s = 0.3;
    const SweepSummary summary = quiet_run(discharge_job(40, 20, break_some), options);
    CHECK(summary.points == 40);
    CHECK(summary.failed == 10);
    CHECK(summary.exit_code() == 3);
    CHECK(summary.failures.size() == 5);
    const store::Table table = table_of(out.path());
    for (std::size_t point = 0; point < 40; ++point) {
      INFO("point " << point << ": " << table.reason.at(point));
      if (point % 4 != 3) {
        CHECK(table.quantity("v_out").values[point] == Approx(discharged_V(point)).epsilon(1e-3));
        continue;
      }
      CHECK(table.point_failed(point));
      CHECK(std::isnan(table.quantity("v_out").values[point]));
      const char* reasons[] = {"found nothing", "SIGSEGV", "quit", "timeout after 300 ms", "exit code 7"};
      CHECK_THAT(table.reason[point], Contains(reasons[point % 20 / 4]));
    }
    data[workers - 1] = dataset_bytes(out.path());
  }
  CHECK(data[0] == data[1]);
}

TEST_CASE("a point that takes too much memory fails alone", "[sweep]") {
#ifdef __SANITIZE_ADDRESS__
  WARN("skipped: the sanitizer takes more memory than the limit");
  return;
#endif
  const auto greedy = [](spice::Simulator&, std::size_t point) {
    if (point != 13) return;
    std::vector<std::vector<char>> taken;
    for (;;) {
      taken.emplace_back(8 << 20, 'x');
      ::usleep(5000);
    }
  };
  const ScratchFolder out;
  SweepOptions options = options_for(out.path(), 2);
  options.pool.memory_limit_kB = 300 * 1024;
  const SweepSummary summary = quiet_run(discharge_job(30, 10, greedy), options);
  CHECK(summary.failed == 1);
  CHECK(table_of(out.path()).reason.at(13) == "takes more memory than the 300 MB of a worker");
}

TEST_CASE("a worker killed from outside costs nothing", "[sweep]") {
  const ScratchFolder out, undisturbed, marks;
  quiet_run(discharge_job(30, 10), options_for(undisturbed.path()));
  const auto once = [&](spice::Simulator&, std::size_t point) {
    const auto mark = marks.path() / std::to_string(point);
    if (point % 10 != 5 || std::filesystem::exists(mark)) return;
    std::ofstream(mark) << "x";
    raise(SIGKILL);
  };
  const SweepSummary summary = quiet_run(discharge_job(30, 10, once), options_for(out.path(), 2));
  CHECK(summary.failed == 0);
  CHECK(std::filesystem::exists(marks.path() / "25"));
  CHECK(dataset_bytes(out.path()) == dataset_bytes(undisturbed.path()));
}

TEST_CASE("Ctrl-C finishes the shards that are begun, twice stops at once", "[sweep]") {
  // In whole shards two of them are begun, one for each worker; in pieces the workers share one.
  for (const auto& [times, piece, begun] : {std::tuple{1, 0, 2}, {1, 6, 1}, {2, 0, 2}, {2, 6, 1}}) {
    CAPTURE(times, piece);
    const ScratchFolder out, marks;
    // From the third shard on a point waits for the file `go`, and leaves a file of its process's name.
    const auto go = marks.path() / "go";
    SweepJob job = discharge_job(200, 20, [&](spice::Simulator&, std::size_t point) {
      if (point < 40) return;
      std::ofstream(marks.path() / std::to_string(::getpid())) << "x";
      eventually([&] { return std::filesystem::exists(go); }, 60.0);
    });
    job.piece = static_cast<std::size_t>(piece);
    const auto log = out.path() / "log.txt";
    std::filesystem::create_directories(out.path() / "shards");
    const auto run = [&] {
      const RedirectedErrors redirected(log);
      return run_sweep(job, options_for(out.path(), 2)).exit_code();
    };
    const int code = in_a_process(run, [&](pid_t driver) {
      CHECK(eventually([&] {
        const std::filesystem::directory_iterator waiting(marks.path());
        return shard_files(out.path()).size() == 2 && std::distance(begin(waiting), end(waiting)) == 2;
      }));
      ::kill(driver, SIGINT);
      const std::string note = "stopping after the " + std::to_string(begun) + " shards that are begun";
      CHECK(eventually([&] { return read_file(log).find(note) != std::string::npos; }));
      if (times == 2)
        ::kill(driver, SIGINT);
      else
        std::ofstream(go) << "x";
    });
    CHECK(code == 130);
    CHECK_THAT(read_file(log), Contains("the same command goes on with the"));
    const SweepSummary status = sweep::sweep_status(job, options_for(out.path()));
    CHECK(status.taken == static_cast<std::size_t>(times == 2 ? 2 : 2 + begun));
    CHECK(status.damaged == 0);
    CHECK(status.stale == 0);
  }
}

TEST_CASE("a second run in the same folder is refused, other ranges are not", "[sweep]") {
  const ScratchFolder out;
  const SweepJob job = discharge_job(40, 10);
  const auto with_range = [&](std::size_t index) {
    SweepOptions options = options_for(out.path());
    options.range = {index, 2};
    return options;
  };
  {
    const sweep::FolderLock first_half(out.path(), 0, 2);
    CHECK_THROWS_WITH(quiet_run(job, options_for(out.path())), Contains("another gaincal sweep"));
    CHECK_THROWS_WITH(quiet_run(job, with_range(1)), Contains("another gaincal sweep"));
    CHECK(quiet_run(job, with_range(2)).computed == 2);
  }
  CHECK(quiet_run(job, options_for(out.path())).computed == 2);
}

TEST_CASE("a full disk stops the run with its reason, and it goes on later", "[sweep]") {
  const ScratchFolder out;
  const auto log = out.path() / "log.txt";
  // A small shard fits, the others do not.
  const auto job = [] {
    SweepJob growing = discharge_job(6020, 3000);
    growing.shards = {{}, {}, {}};
    for (std::size_t point = 0; point < 6020; ++point)
      growing.shards[point < 20 ? 0 : (point < 3020 ? 1 : 2)].push_back(point);
    growing.simulate = [](spice::Simulator&, std::span<const std::size_t> list, const auto& emit) {
      for (const std::size_t point : list) emit(sweep::JobPoint{point, {discharged_V(point), 1.0}, {}, 0, 1e-6});
    };
    return growing;
  };
  const int code = in_a_process([&] {
    const RedirectedErrors redirected(log);
    try {
      const rlimit limit{72 * 1024, 72 * 1024};
      ::setrlimit(RLIMIT_FSIZE, &limit);
      return run_sweep(job(), options_for(out.path())).exit_code();
    } catch (const Error& failure) {
      std::fprintf(stderr, "%s\n", failure.what());
      return static_cast<int>(failure.exit_code());
    }
  });
  CHECK(code == 1);
  CHECK_THAT(read_file(log), Contains("File too large") && Contains("the same command goes on"));
  for (const auto& path : shard_files(out.path())) CHECK(path.extension() == ".h5");
  const SweepSummary summary = quiet_run(job(), options_for(out.path()));
  CHECK(summary.taken == 1);
  CHECK(summary.damaged == 0);
  CHECK(summary.points == 6020);
}

TEST_CASE("a log of JSON lines holds start, each shard and the end", "[sweep]") {
  const ScratchFolder out;
  const auto log = out.path() / "log.jsonl";
  {
    const RedirectedErrors redirected(log);
    SweepOptions options = options_for(out.path());
    options.log_json = true;
    run_sweep(discharge_job(30, 10,
                            [](spice::Simulator&, std::size_t point) {
                              if (point == 4) throw Error("no \"such\" \xff measure");
                            }),
              options);
  }
  std::ifstream lines(log);
  std::map<std::string, int> events;
  nlohmann::json last;
  for (std::string line; std::getline(lines, line);) {
    last = nlohmann::json::parse(line);
    ++events[last.at("event")];
  }
  CHECK(events["start"] == 1);
  CHECK(events["shard"] == 3);
  CHECK(last.at("event") == "end");
  CHECK(last.at("failed") == 1);
  CHECK_THAT(last.at("failures").at(0).at("reason").get<std::string>(), Contains("no \"such\""));
}
