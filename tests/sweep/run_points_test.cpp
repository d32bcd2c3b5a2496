#include "sweep/run_points.hpp"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "core/error.hpp"
#include "core/files.hpp"
#include "core/log.hpp"
#include "reference.hpp"
#include "spice/decks.hpp"
#include "sweep/waveform.hpp"

using namespace gaincal;
using namespace gaincal::tests;
using Catch::Matchers::Contains;
using spice::Simulator;
using sweep::PointOutcome;
using sweep::run_points;
using sweep::RunOptions;

namespace {

RunOptions with_workers(unsigned workers) {
  RunOptions options;
  options.workers = workers;
  return options;
}

// A divider with its lower resistor at (point + 1) kOhm: 2 V (point + 1) / (point + 2).
std::vector<double> divide(Simulator& simulator, std::size_t point) {
  simulator.load(kDivider);
  simulator.command("alter r2 = " + std::to_string(point + 1) + "k");
  simulator.run("op");
  return {simulator.value("v(out)"), static_cast<double>(point)};
}

void check_divided(const PointOutcome& outcome, std::size_t point) {
  INFO("point " << point << ": " << outcome.failure);
  REQUIRE(outcome.succeeded());
  const double share = static_cast<double>(point + 1) / static_cast<double>(point + 2);
  CHECK(outcome.values.at(0) == Approx(2 * share).epsilon(1e-9));
  CHECK(outcome.values.at(1) == static_cast<double>(point));
}

bool same_bytes(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

// A read of the gain cell: charge into the bit line, final storage voltage, number of time steps.
std::vector<double> read_cell(Simulator& simulator, std::size_t point) {
  static const std::string cell = read_file(source_dir() / "tests/sweep/gain_cell.inc");
  const double v_store_V = 0.1 + 0.1 * static_cast<double>(point % 8);
  const double end_ns = 3.0 + static_cast<double>(point / 8);
  simulator.load("* cell read\n" + cell +
                 "X1 wbl 0 vdd rw rwb bl vdd 0 sn gcell cst=5f\n"
                 "Vdd vdd 0 0.9\nVw wbl 0 0.45\nVbl bl 0 0.45\n"
                 "Vrw rw 0 pwl(0 0 1n 0 1.05n 0.9 " +
                 std::to_string(end_ns) + "n 0.9 " + std::to_string(end_ns + 0.05) +
                 "n 0)\nErwb rwb 0 vol='0.9-v(rw)'\n.ic v(sn)=" + std::to_string(v_store_V) + "\n.end\n");
  simulator.run("tran 50p 6n");
  const auto time_s = simulator.vector("time");
  return {sweep::integral(time_s, simulator.vector("i(vbl)")), simulator.value("v(sn)"),
          static_cast<double>(time_s.size())};
}

long resident_kB() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.rfind("VmRSS:", 0) == 0) return std::strtol(line.c_str() + 6, nullptr, 10);
  return -1;
}

bool process_exists(pid_t process) {
  std::ifstream stat("/proc/" + std::to_string(process) + "/stat");
  std::string content;
  std::getline(stat, content);
  return stat && content.find(") Z") == std::string::npos;
}

bool eventually(const std::function<bool()>& condition, double limit_s = 10.0) {
  for (const double start_s = monotonic_seconds(); monotonic_seconds() - start_s < limit_s; ::usleep(10000))
    if (condition()) return true;
  return condition();
}

}  // namespace

TEST_CASE("outcomes come in the order of their points on any number of workers", "[sweep]") {
  for (const unsigned workers : {1u, 2u, 5u}) {
    const auto outcomes = run_points(40, 2, divide, with_workers(workers));
    REQUIRE(outcomes.size() == 40);
    for (std::size_t point = 0; point < outcomes.size(); ++point) check_divided(outcomes[point], point);
  }
  CHECK(run_points(0, 2, divide, {}).empty());
}

TEST_CASE("a cell transient has the same bits on 1 and 2 workers and in reversed order", "[sweep]") {
  constexpr std::size_t kPoints = 16;
  const auto one = run_points(kPoints, 3, read_cell, with_workers(1));
  const auto two = run_points(kPoints, 3, read_cell, with_workers(2));
  const auto reversed = run_points(
      kPoints, 3, [](Simulator& simulator, std::size_t point) { return read_cell(simulator, kPoints - 1 - point); },
      with_workers(1));
  for (std::size_t point = 0; point < kPoints; ++point) {
    INFO("point " << point << ": " << one[point].failure);
    REQUIRE(one[point].succeeded());
    CHECK(same_bytes(one[point].values, two[point].values));
    CHECK(same_bytes(one[point].values, reversed[kPoints - 1 - point].values));
  }
  // Not all the same: a higher stored voltage draws more charge out of the bit line.
  for (std::size_t point = 1; point < 8; ++point) CHECK(one[point].values[0] < one[point - 1].values[0]);
}

TEST_CASE("a worker simulates on one thread", "[sweep]") {
  const auto count = [](Simulator& simulator, std::size_t point) -> std::vector<double> {
    read_cell(simulator, point);
    // The thread of the run is on its way out; those of OpenMP would stay.
    const auto threads = [] {
      const std::filesystem::directory_iterator list("/proc/self/task");
      return std::distance(begin(list), end(list));
    };
    eventually([&] { return threads() == 1; }, 2.0);
    return {static_cast<double>(threads())};
  };
  const auto outcomes = run_points(1, 1, count, {});
  CHECK(outcomes[0].failure.empty());
  CHECK(outcomes[0].values == std::vector<double>{1.0});
}

TEST_CASE("random functions of a deck depend on the point alone", "[sweep]") {
  const auto draw = [](Simulator& simulator, std::size_t) -> std::vector<double> {
    simulator.load("* draw\n.param r={agauss(1k,100,1)}\nV1 a 0 1\nR1 a 0 {r}\n.end\n");
    simulator.run("op");
    return {-1.0 / simulator.value("i(v1)")};
  };
  const auto one = run_points(12, 1, draw, with_workers(1));
  const auto three = run_points(12, 1, draw, with_workers(3));
  for (std::size_t point = 0; point < 12; ++point) {
    REQUIRE(one[point].succeeded());
    CHECK(one[point].values == three[point].values);
    CHECK(one[point].values[0] != one[(point + 1) % 12].values[0]);
  }
}

TEST_CASE("every way to fail costs its point and no other", "[sweep]") {
  const auto simulate = [](Simulator& simulator, std::size_t point) -> std::vector<double> {
    switch (point) {
      case 2:
        simulator.load(kMissingModel);
        break;
      case 4:
        simulator.load(kUndefinedParameter);
        break;
      case 6:
        simulator.load(kNoSolution);
        simulator.run("op");
        break;
      case 8:
        raise(SIGSEGV);
        break;
      case 10:
        std::fprintf(stderr, "assertion failed here\n");
        std::abort();
      case 12:
        std::_Exit(7);
      case 14:
        for (;;) ::pause();
      case 16:
        return {1.0};
      case 18:
        return {1.0, std::nan("")};
      case 20:
        throw 5;
      case 22:
        throw Error("two\nlines");
      case 24:
        simulator.command("quit");
        break;
      default:
        break;
    }
    return divide(simulator, point);
  };
  for (const unsigned workers : {1u, 2u}) {
    RunOptions options = with_workers(workers);
    options.point_timeout_s = 2.0;
    const auto outcomes = run_points(30, 2, simulate, options);
    REQUIRE(outcomes.size() == 30);
    for (std::size_t point = 0; point < 30; ++point) {
      const bool meant_to_fail = point >= 2 && point <= 24 && point % 2 == 0;
      if (!meant_to_fail) {
        check_divided(outcomes[point], point);
        continue;
      }
      INFO("point " << point);
      CHECK_FALSE(outcomes[point].succeeded());
      REQUIRE(outcomes[point].values.size() == 2);
      CHECK(std::isnan(outcomes[point].values[0]));
    }
    CHECK_THAT(outcomes[2].failure, Contains("could not find a valid modelname"));
    CHECK_THAT(outcomes[4].failure, Contains("Undefined parameter [foo]"));
    CHECK_THAT(outcomes[6].failure, Contains("Timestep too small"));
    CHECK_THAT(outcomes[8].failure, Contains("SIGSEGV"));
    CHECK_THAT(outcomes[10].failure, Contains("SIGABRT") && Contains("assertion failed here"));
    CHECK_THAT(outcomes[12].failure, Contains("exit code 7"));
    CHECK_THAT(outcomes[14].failure, Contains("timeout after 2 s"));
    CHECK_THAT(outcomes[16].failure, Contains("1 values instead of 2"));
    CHECK_THAT(outcomes[18].failure, Contains("value 1 of 2 is not finite"));
    CHECK_THAT(outcomes[20].failure, Contains("exception"));
    CHECK(outcomes[22].failure == "two lines");
    CHECK_THAT(outcomes[24].failure, Contains("quit"));
  }
}

TEST_CASE("points queued behind a crash go to another worker", "[sweep]") {
  // Fast points are dealt ahead, so several wait at the worker when it dies.
  const auto simulate = [](Simulator&, std::size_t point) -> std::vector<double> {
    if (point % 100 == 57) raise(SIGKILL);
    return {static_cast<double>(point)};
  };
  const auto outcomes = run_points(500, 1, simulate, with_workers(2));
  for (std::size_t point = 0; point < outcomes.size(); ++point) {
    if (point % 100 == 57)
      CHECK_THAT(outcomes[point].failure, Contains("SIGKILL"));
    else
      CHECK(outcomes[point].values == std::vector<double>{static_cast<double>(point)});
  }
}

TEST_CASE("a worker that has grown is replaced after its share of points", "[sweep]") {
  static std::vector<char> grown;
  const auto which = [](Simulator&, std::size_t) -> std::vector<double> {
    if (grown.empty()) grown.assign(8 << 20, 'x');
    return {static_cast<double>(::getpid())};
  };
  const auto outcomes = run_points(10100, 1, which, with_workers(1));
  CHECK(outcomes.front().values == outcomes[9900].values);
  CHECK(outcomes.front().values != outcomes.back().values);
}

TEST_CASE("results are kept when no worker can be replaced any more", "[sweep]") {
  // The worker takes the driver's right to open files before it dies.
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit none{3, before.rlim_max};
  const auto outcomes = run_points(
      240, 2,
      [&](Simulator& simulator, std::size_t point) {
        if (point == 200) ::prlimit(::getppid(), RLIMIT_NOFILE, &none, nullptr);
        if (point == 200) raise(SIGKILL);
        return divide(simulator, point);
      },
      with_workers(1));
  std::string refusal;
  try {
    run_points(1, 2, divide, with_workers(1));
  } catch (const Error& failure) {
    refusal = failure.what();
  }
  ::setrlimit(RLIMIT_NOFILE, &before);
  CHECK_THAT(refusal, Contains("worker process"));
  // Points are dealt 16 at a time at most: all lists before the one that died are complete.
  for (std::size_t point = 0; point < 160; ++point) check_divided(outcomes[point], point);
  for (std::size_t point = 200; point < 240; ++point)
    CHECK_THAT(outcomes[point].failure, Contains("no worker process") && Contains("Too many open files"));
}

TEST_CASE("memory stays flat over 2000 loads", "[sweep]") {
#ifdef __SANITIZE_ADDRESS__
  WARN("skipped: the sanitizer keeps freed memory");
  return;
#endif
  const auto simulate = [](Simulator& simulator, std::size_t point) -> std::vector<double> {
    divide(simulator, point % 10);
    return {static_cast<double>(resident_kB())};
  };
  const auto outcomes = run_points(2200, 1, simulate, with_workers(1));
  REQUIRE(outcomes.back().succeeded());
  const double growth_kB = outcomes[2199].values[0] - outcomes[199].values[0];
  INFO("growth " << growth_kB << " kB over 2000 loads and runs");
  CHECK(growth_kB < 4096);
}

TEST_CASE("nothing that a worker prints reaches the terminal", "[sweep]") {
  const ScratchFolder scratch;
  const auto path = scratch.path() / "printed.txt";
  std::fflush(nullptr);
  const int before[] = {::dup(STDOUT_FILENO), ::dup(STDERR_FILENO)};
  std::FILE* file = std::fopen(path.c_str(), "w");
  REQUIRE(file != nullptr);
  ::dup2(::fileno(file), STDOUT_FILENO);
  ::dup2(::fileno(file), STDERR_FILENO);
  const auto outcomes = run_points(
      3, 2,
      [](Simulator& simulator, std::size_t point) {
        std::printf("on stdout\n");
        std::fflush(stdout);
        std::fprintf(stderr, "on stderr\n");
        if (point == 1) simulator.load(kUndefinedParameter);
        return divide(simulator, point);
      },
      with_workers(2));
  ::dup2(before[0], STDOUT_FILENO);
  ::dup2(before[1], STDERR_FILENO);
  ::close(before[0]);
  ::close(before[1]);
  std::fclose(file);
  CHECK(read_file(path).empty());
  CHECK(outcomes[0].succeeded());
  CHECK_FALSE(outcomes[1].succeeded());
}

TEST_CASE("workers die with a driver that is killed", "[sweep]") {
  const ScratchFolder scratch;
  const auto mark = [&](pid_t process) { return scratch.path() / std::to_string(process); };
  const pid_t driver = ::fork();
  REQUIRE(driver >= 0);
  if (driver == 0) {
    run_points(
        4, 1,
        [&](Simulator&, std::size_t) -> std::vector<double> {
          std::ofstream(mark(::getpid())) << "x";
          for (;;) ::pause();
        },
        with_workers(2));
    ::_exit(0);
  }
  const auto workers = [&] {
    std::vector<pid_t> processes;
    for (const auto& entry : std::filesystem::directory_iterator(scratch.path()))
      processes.push_back(std::stoi(entry.path().filename().string()));
    return processes;
  };
  CHECK(eventually([&] { return workers().size() == 2; }));
  ::kill(driver, SIGKILL);
  ::waitpid(driver, nullptr, 0);
  for (const pid_t worker : workers()) CHECK(eventually([&] { return !process_exists(worker); }));
}

TEST_CASE("no process is left when a batch is done", "[sweep]") {
  run_points(6, 2, divide, with_workers(3));
  CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
  CHECK(errno == ECHILD);
}

TEST_CASE("the version of the workers' simulator is known to the driver", "[sweep]") {
  CHECK_THAT(sweep::simulator_version(), Catch::Matchers::StartsWith("ngspice-"));
}
