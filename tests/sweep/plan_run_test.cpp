#include <unistd.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "core/files.hpp"
#include "reference.hpp"
#include "store/table.hpp"
#include "sweep/engine.hpp"
#include "sweep/plan_runner.hpp"

using namespace gaincal;

namespace {

const std::string kDiodeLoad = R"~(
name = "diode_load"
[circuit]
technology = "gc28"
text = """
Vdd vdd 0 0.9
R1 vdd d 10k
M1 d d 0 0 nsvt W=1u L=0.1u
"""
options = ["reltol=1e-6"]
[[axis]]
name = "r"
instance = "r1"
values = ["10k", "20k"]
[analysis]
kind = "op"
[[measure]]
name = "v"
kind = "value"
of = "v(d)"
)~";

}  // namespace

TEST_CASE("a point without a solution tries every rung and keeps the first reason", "[sweep]") {
  const std::string hopeless = R"~(
name = "hopeless"
[circuit]
text = """
Vf f 0 1
B1 a 0 v=v(f)*(v(a)+1+sqrt(v(a)*v(a)+1))
Ra a 0 1k
"""
[[axis]]
name = "f"
source = "vf"
values = ["1V", "0V"]
[analysis]
kind = "op"
[[measure]]
name = "v"
kind = "value"
of = "v(a)"
)~";
  for (const char* method : {"method=alter", "method=nested_dc"}) {
    const auto points = tests::run_plan(hopeless, {method});
    REQUIRE(points.size() == 2);
    CHECK(points[0].failure.find("ngspice: op: doAnalyses") == 0);
    CHECK(std::isnan(points[0].values.at(0)));
    CHECK(points[1].failure == "");
    CHECK(points[1].values.at(0) == Approx(0.0).margin(1e-9));
    CHECK(points[1].rung == 0);
  }
}

TEST_CASE("a point that the plan's options cannot solve is rescued by the ladder, which is recorded", "[sweep]") {
  // At 5 ns the node falls from 5 V to 0 on an exponential, which Newton's method follows in steps of 1/40 V: more of
  // them than the plan's options allow at one time point, however short the time step.
  const std::string hard = R"~(
name = "hard"
[circuit]
text = """
V1 in 0 0
B1 a 0 i=time>5n ? exp(40*v(a))-1 : v(a)-5
Rin in 0 1k
"""
[[axis]]
name = "v"
source = "v1"
values = ["0V"]
[analysis]
kind = "tran"
step = "50ps"
stop = "10ns"
[[measure]]
name = "before"
kind = "value"
of = "v(a)"
at = "4ns"
[[measure]]
name = "after"
kind = "value"
of = "v(a)"
at = "9ns"
)~";
  const auto points = tests::run_plan(hard, {"method=alter"});
  REQUIRE(points.size() == 1);
  CHECK(points[0].failure == "");
  CHECK(points[0].rung == 1);
  CHECK(points[0].values.at(0) == Approx(5.0).epsilon(1e-6));
  CHECK(points[0].values.at(1) == Approx(0.0).margin(1e-4));
}

TEST_CASE("larger gmin, source stepping and the Gear method each rescue a point, which is recorded", "[sweep]") {
  const auto rescued = [](const std::string& circuit, const std::string& rest) {
    const auto points = tests::run_plan("name = \"hard\"\n[circuit]\ntext = \"\"\"\n" + circuit + rest, {});
    REQUIRE(points.size() == 1);
    CHECK(points[0].failure == "");
    return points[0];
  };
  // An arc tangent throws Newton's method out from 14 steps of its width; the user has switched off what ngspice would
  // do then. With a conductance that falls from large values the node follows to the zero at 1 V.
  const std::string no_stepping = "\"\"\"\noptions = [\"gminsteps=0\", \"srcsteps=0\"]\n";
  const std::string at_1V =
      "[[axis]]\nname = \"v1\"\nvalues = [\"1V\"]\n[analysis]\nkind = \"op\"\n[[measure]]\nname = \"v\"\n"
      "kind = \"value\"\nof = \"v(a)\"\n";
  sweep::JobPoint point =
      rescued("V1 in 0 1\nR1 in 0 1k\nB1 a 0 i=1e-6*atan(10*(v(a)-1))\nRa a 0 1000g\n", no_stepping + at_1V);
  CHECK(point.rung == 2);
  CHECK(point.values.at(0) == Approx(1.0).epsilon(1e-4));
  // Here no conductance helps, because the node is a voltage source; but with the sources at zero the zero is at 0 V.
  point = rescued("V1 in 0 1\nB1 a 0 v=v(a)+atan(10*(v(a)-v(in)*v(in)))\nRa a 0 1k\n", no_stepping + at_1V);
  CHECK(point.rung == 3);
  CHECK(point.values.at(0) == Approx(1.0).epsilon(1e-3));
  // A peak rectifier whose inductances of 10 pH ring with the trapezoidal rule until the time step is too small. The
  // peak is that of steps of 1 ps, which the trapezoidal rule survives.
  const std::string rectifier =
      "V1 in 0 pulse(0 5 1n 1p 1p 3n 20n)\nL1 in a 10p\nB1 a b i=1e-14*(exp(40*min(v(a,b),2))-1)\nC1 b 0 1p\n"
      "R1 b 0 1meg\nL2 b d 10p\nB2 d 0 i=1e-14*(exp(40*min(v(d),2))-1)\n\"\"\"\n";
  const std::string peak = "stop = \"10ns\"\n[[measure]]\nname = \"v\"\nkind = \"max\"\nof = \"v(b)\"\n";
  point = rescued(rectifier, "[analysis]\nkind = \"tran\"\nstep = \"50ps\"\n" + peak);
  CHECK(point.rung == 4);
  const sweep::JobPoint fine =
      rescued(rectifier, "[analysis]\nkind = \"tran\"\nstep = \"50ps\"\nmax_step = \"1ps\"\n" + peak);
  CHECK(fine.rung == 0);
  CHECK(point.values.at(0) == Approx(fine.values.at(0)).epsilon(0.02));
}

TEST_CASE("a dry run tells points, shards, method, time, disk and a deck that says all", "[sweep]") {
  const std::string text = sweep::describe_dry_run(sweep::parse_plan(kDiodeLoad, "plan.toml"));
  for (const char* part : {"points    2 (2 r)", "shards    1 of at most 2 points", "method    alter", "on one worker",
                           "disk      ", "M1 d d 0 0 nsvt", ".model nsvt", "alter r1 = 10000", "\nop\n"}) {
    CAPTURE(part);
    CHECK(text.find(part) != std::string::npos);
  }
}

TEST_CASE("the first deck of a Monte Carlo run gives by itself what the sweep gives", "[sweep]") {
  const auto plan =
      sweep::parse_plan(kDiodeLoad, "plan.toml", {"monte_carlo.samples=2", "monte_carlo.abeta_percent_um=1"});
  std::string text = sweep::describe_dry_run(plan);
  text = text.substr(text.find("first deck:\n") + 12);
  CHECK(text.find("alter @m1[delvto] = ") != std::string::npos);
  CHECK(text.find("alter @m1[mulu0] = ") != std::string::npos);
  const tests::ScratchFolder folder;
  const auto deck = folder.path() / "deck.sp", printed = folder.path() / "printed";
  write_text(deck, text.replace(text.find("\nop\n"), 4, "\nop\nset numdgt=12\nprint v(d)\nquit 0\n"));
  if (std::system("command -v ngspice >/dev/null") != 0) {
    WARN("skipped: no ngspice program");
    return;
  }
  REQUIRE(std::system(
              ("OMP_THREAD_LIMIT=1 ngspice -b '" + deck.string() + "' >'" + printed.string() + "' 2>&1").c_str()) == 0);
  const std::string result = read_file(printed);
  const double alone_V = std::strtod(result.c_str() + result.find("v(d) =") + 6, nullptr);
  CHECK(alone_V == Approx(tests::run_job(sweep::make_job(plan))[0].values[0]).epsilon(1e-9));
}

TEST_CASE("a waveform is a table of its own over the points and the time", "[sweep]") {
  const auto job = sweep::make_job(sweep::parse_plan(R"~(
name = "rc"
[circuit]
text = """
.param r=1k
V1 in 0 pulse(0 1 0 1p 1p 1 2)
R1 in out {r}
C1 out 0 1p
"""
[[axis]]
name = "r"
parameter = "r"
values = ["1k", "2k", "4k"]
[analysis]
kind = "tran"
step = "5ps"
stop = "5ns"
[[measure]]
name = "end"
kind = "value"
of = "v(out)"
at = "5ns"
[[measure]]
name = "wave"
kind = "waveform"
of = "v(out)"
from = "1ns"
to = "4ns"
points = 4
[[measure]]
name = "top"
kind = "max"
of = "v(out)"
)~",
                                                     "plan.toml"));
  sweep::SweepOptions options;
  options.out = std::filesystem::temp_directory_path() / ("gaincal_plan_wave_" + std::to_string(::getpid()));
  const auto summary = sweep::run_sweep(job, options);
  REQUIRE(summary.failed == 0);
  const store::Dataset dataset = store::read_dataset(*summary.dataset);
  std::filesystem::remove_all(options.out);
  REQUIRE(dataset.tables.size() == 2);
  const store::Table& points = dataset.table("rc");
  REQUIRE(points.quantities.size() == 3);  // end, top, rung
  CHECK(points.quantity("top").values[2] == Approx(1 - std::exp(-1.25)).epsilon(1e-3));
  const store::Table& wave = dataset.table("rc_wave");
  REQUIRE(wave.axes.size() == 2);
  CHECK(wave.axes[1].name == "time");
  CHECK(wave.axes[1].unit == "s");
  REQUIRE(wave.quantity("wave").unit == "V");
  for (std::size_t r = 0; r < 3; ++r)
    for (std::size_t t = 0; t < 4; ++t) {
      const double tau_s = 1e-9 * static_cast<double>(1 << r), time_s = wave.axes[1].values[t];
      CHECK(wave.quantity("wave").values[4 * r + t] == Approx(1 - std::exp(-time_s / tau_s)).epsilon(2e-3));
    }
}
