// Rate of the sweep engine against what people do today, on the same decks and machine, one after the other in one run:
// a shell loop of `ngspice -b` (one process a point), and nested .dc inside one plain ngspice. Rates are per core:
// points a second over the cores that a method keeps busy (its processor time over the wall time, at least one),
// because ngspice takes two OpenMP threads for any circuit unless it is told otherwise. Exit code 1 where a ratio is
// below its bound.
//
// pygmid's own sweep starts Cadence Spectre and nothing else (1.2.12), so it cannot be run here. What it does for the
// MOSFET table is done with ngspice instead: a process for each length with both voltages nested, and a text file of
// results. Reading that file back, which pygmid does in Python, is not counted.

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/files.hpp"
#include "core/log.hpp"
#include "sweep/engine.hpp"
#include "sweep/plan_job.hpp"

namespace {

namespace fs = std::filesystem;
using namespace gaincal;

constexpr double kDcBound = 200.0;
constexpr double kTransientBound = 8.0;
constexpr double kNestedBound = 0.8;
constexpr int kRounds = 3;  // the best of each, so that other work on the machine counts for little

const char* const kMosfet = R"~(
name = "mosfet"
[circuit]
technology = "gc28"
text = """
Vd d 0 0
Vg g 0 0
M1 d g 0 0 nsvt W=1u L=0.1u
"""
[[axis]]
name = "l"
instance = "m1[l]"
from = "50nm"
to = "1um"
points = 6
[[axis]]
name = "vd"
from = "0V"
to = "0.9V"
points = 91
[[axis]]
name = "vg"
from = "0V"
to = "0.9V"
points = 91
[analysis]
kind = "op"
[[measure]]
name = "id"
kind = "value"
of = "@m1[id]"
[[measure]]
name = "gm"
kind = "value"
of = "@m1[gm]"
[[measure]]
name = "gds"
kind = "value"
of = "@m1[gds]"
)~";

const char* const kRead = R"~(
name = "read"
[circuit]
deck = "cell_read"
[[axis]]
name = "v_store"
from = "0V"
to = "0.9V"
points = 300
[[axis]]
name = "t_pulse"
values = ["11ns"]
[[measure]]
name = "q"
kind = "integral"
of = "i(vbl)"
)~";

class Scratch {
 public:
  Scratch() : folder_(fs::temp_directory_path() / ("gaincal_bench_" + std::to_string(::getpid()))) {
    fs::create_directories(folder_);
  }
  ~Scratch() {
    std::error_code status;
    fs::remove_all(folder_, status);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  fs::path operator/(const std::string& name) const { return folder_ / name; }

 private:
  fs::path folder_;
};

double processor_s() {
  double total_s = 0.0;
  for (const int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage used{};
    ::getrusage(who, &used);
    for (const timeval& time : {used.ru_utime, used.ru_stime})
      total_s += static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  }
  return total_s;
}

struct Rate {
  double per_s = 0.0;
  double cores = 1.0;
  double per_core() const { return per_s / cores; }
  bool operator<(const Rate& other) const { return per_core() < other.per_core(); }
};

Rate rate_of(std::size_t points, const std::function<void()>& work) {
  const double start_s = monotonic_seconds(), processor_start_s = processor_s();
  work();
  const double wall_s = monotonic_seconds() - start_s;
  return {static_cast<double>(points) / wall_s, std::max(1.0, (processor_s() - processor_start_s) / wall_s)};
}

/// Runs a line of shell; its output goes nowhere.
void shell(const std::string& line) {
  if (std::system(("{ " + line + " ; } >/dev/null 2>&1").c_str()) != 0) throw Error("bench: failed: " + line);
}

/// The whole engine: worker, shards on disk, merged dataset.
Rate engine_rate(const sweep::SweepJob& job, const Scratch& scratch) {
  sweep::SweepOptions options;
  options.out = scratch / "out";
  options.pool.workers = 1;
  fs::remove_all(options.out);
  sweep::SweepSummary summary;
  const Rate rate = rate_of(job.points(), [&] { summary = sweep::run_sweep(job, options); });
  if (summary.failed > 0 || summary.points_computed != job.points()) throw Error("bench: points failed");
  return rate;
}

/// A process for each point. The decks are written before.
///
/// limit  one OpenMP thread for each process, which most people's loops do not have
Rate loop_rate(const std::vector<std::string>& decks, const Scratch& scratch, bool limit) {
  std::string names;
  for (std::size_t i = 0; i < decks.size(); ++i) {
    const fs::path deck = scratch / std::to_string(i).append(".sp");
    write_text(deck, decks[i]);
    names.append(" ").append(deck.string());
  }
  const std::string raw = (scratch / "p.raw").string();
  return rate_of(decks.size(), [&] {
    shell(std::string(limit ? "export OMP_THREAD_LIMIT=1; " : "") + "for f in" + names + "; do ngspice -b -r " + raw +
          " $f || exit 1; done");
  });
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  if (at == std::string::npos) throw Error("bench: the deck has no '" + from + "'");
  return text.replace(at, from.size(), to);
}

/// The deck of the first point as `ngspice -b` takes it, without the section for the interactive one.
std::string first_deck(const std::string& plan, const std::string& analysis) {
  const std::string description = sweep::describe_dry_run(sweep::parse_plan(plan, "bench.toml"));
  const std::string text = description.substr(description.find("first deck:\n") + 12);
  return text.substr(0, text.find(".control")) + analysis + "\n.end\n";
}

std::vector<std::string> mosfet_decks(std::size_t count) {
  const std::string deck = first_deck(kMosfet, ".op");
  std::vector<std::string> decks;
  for (std::size_t i = 0; i < count; ++i)
    decks.push_back(replaced(deck, "Vg g 0 0", "Vg g 0 " + std::to_string(0.9 * static_cast<double>(i) / 100)));
  return decks;
}

std::vector<std::string> read_decks(std::size_t count) {
  const std::string deck = first_deck(kRead, ".tran 5e-11 1.5e-08");
  std::vector<std::string> decks;
  for (std::size_t i = 0; i < count; ++i)
    decks.push_back(
        replaced(deck, ".param v_store=0", ".param v_store=" + std::to_string(0.9 * static_cast<double>(i) / 50)));
  return decks;
}

const std::vector<std::string> kLengths = {"5e-08", "2.4e-07", "4.3e-07", "6.2e-07", "8.1e-07", "1e-06"};
constexpr std::size_t kTablePoints = 6 * 91 * 91;

/// A plain ngspice that sweeps both sources and writes a rawfile, once for each length.
std::string table_deck(const std::vector<std::string>& lengths, const std::string& filetype, const fs::path& raw) {
  std::string text = first_deck(kMosfet, "");
  text = text.substr(0, text.rfind(".end"));
  text += ".control\nset num_threads=1\nset filetype=" + filetype + "\n";
  for (const std::string& length : lengths)
    text += "alter @m1[l] = " + length + "\ndc vg 0 0.9025 0.01 vd 0 0.9025 0.01\nwrite " + raw.string() + "\n";
  return text + "quit 0\n.endc\n.end\n";
}

Rate plain_nested_rate(const Scratch& scratch) {
  write_text(scratch / "nested.sp", table_deck(kLengths, "binary", scratch / "n.raw"));
  return rate_of(kTablePoints, [&] { shell("OMP_THREAD_LIMIT=1 ngspice -b " + (scratch / "nested.sp").string()); });
}

Rate process_per_length_rate(const Scratch& scratch) {
  std::string names;
  for (const std::string& length : kLengths) {
    const fs::path deck = scratch / ("l" + length + ".sp");
    write_text(deck, table_deck({length}, "ascii", scratch / ("l" + length + ".raw")));
    names.append(" ").append(deck.string());
  }
  return rate_of(kTablePoints,
                 [&] { shell("export OMP_THREAD_LIMIT=1; for f in" + names + "; do ngspice -b $f || exit 1; done"); });
}

int run() {
  const Scratch scratch;
  const sweep::SweepJob mosfet = sweep::make_job(sweep::parse_plan(kMosfet, "bench.toml"));
  const sweep::SweepJob read = sweep::make_job(sweep::parse_plan(kRead, "bench.toml"));
  const std::vector<std::string> dc_decks = mosfet_decks(40), tran_decks = read_decks(10);
  Rate dc, dc_loop, dc_limit, tran, tran_loop, tran_limit, nested, per_length;
  for (int round = 0; round < kRounds; ++round) {
    dc = std::max(dc, engine_rate(mosfet, scratch));
    nested = std::max(nested, plain_nested_rate(scratch));
    per_length = std::max(per_length, process_per_length_rate(scratch));
    dc_loop = std::max(dc_loop, loop_rate(dc_decks, scratch, false));
    dc_limit = std::max(dc_limit, loop_rate(dc_decks, scratch, true));
    tran = std::max(tran, engine_rate(read, scratch));
    tran_loop = std::max(tran_loop, loop_rate(tran_decks, scratch, false));
    tran_limit = std::max(tran_limit, loop_rate(tran_decks, scratch, true));
  }
  std::printf("%-48s %10s %7s %12s\n", "best of 3", "points/s", "cores", "per core");
  const auto print = [](const std::string& name, const Rate& rate) {
    std::printf("%-48s %10.1f %7.2f %12.1f\n", name.c_str(), rate.per_s, rate.cores, rate.per_core());
  };
  print("engine, DC points (" + mosfet.method + ")", dc);
  print("nested .dc inside one plain ngspice", nested);
  print("  a process per length, text files (as pygmid)", per_length);
  print("shell loop of ngspice -b, DC points", dc_loop);
  print("  with OMP_THREAD_LIMIT=1", dc_limit);
  print("engine, 300-step transients (" + read.method + ")", tran);
  print("shell loop of ngspice -b, the same transients", tran_loop);
  print("  with OMP_THREAD_LIMIT=1", tran_limit);
  const double dc_ratio = dc.per_core() / dc_loop.per_core(), tran_ratio = tran.per_core() / tran_loop.per_core(),
               nested_ratio = dc.per_core() / nested.per_core();
  std::printf("against the loop with the limit: DC %.0f, transient %.1f\n", dc.per_core() / dc_limit.per_core(),
              tran.per_core() / tran_limit.per_core());
  std::printf("ratios per core: DC %.0f (>= %.0f), transient %.1f (>= %.0f), nested %.2f (>= %.1f)\n", dc_ratio,
              kDcBound, tran_ratio, kTransientBound, nested_ratio, kNestedBound);
  return dc_ratio >= kDcBound && tran_ratio >= kTransientBound && nested_ratio >= kNestedBound ? 0 : 1;
}

}  // namespace

int main() {
  try {
    return run();
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "bench_sweep: %s\n", failure.what());
    return 1;
  }
}
