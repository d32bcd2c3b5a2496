#include <unistd.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>

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

TEST_CASE("a dry run tells points, shards, method, time, disk and a deck that says all", "[sweep]") {
  const std::string text = sweep::describe_dry_run(sweep::parse_plan(kDiodeLoad, "plan.toml"));
  for (const char* part : {"points    2 (2 r)", "shards    1", "method    alter", "on one worker", "disk      ",
                           "M1 d d 0 0 nsvt", ".model nsvt", "alter r1 = 10000", "\nop\n"}) {
    CAPTURE(part);
    CHECK(text.find(part) != std::string::npos);
  }
}

TEST_CASE("Monte Carlo has the same bits on 1 and 2 workers and after a resume", "[sweep]") {
  const auto job = sweep::make_job(sweep::parse_plan(kDiodeLoad, "plan.toml", {"monte_carlo.samples=3000"}));
  REQUIRE(job.shards.size() > 2);
  const auto folder = std::filesystem::temp_directory_path() / ("gaincal_plan_mc_" + std::to_string(::getpid()));
  std::vector<std::vector<double>> values;
  for (const unsigned workers : {1u, 2u}) {
    sweep::SweepOptions options;
    options.out = folder / std::to_string(workers);
    options.pool.workers = workers;
    const auto summary = sweep::run_sweep(job, options);
    REQUIRE(summary.failed == 0);
    values.push_back(store::read_dataset(*summary.dataset).tables.at(0).quantity("v").values);
  }
  // The middle third first, as an interrupted run leaves it, the rest later.
  sweep::SweepOptions options;
  options.out = folder / "resumed";
  options.range = {2, 3};
  const auto part = sweep::run_sweep(job, options);
  REQUIRE(part.points_computed > 0);
  options.range = {};
  const auto rest = sweep::run_sweep(job, options);
  CHECK(rest.points_computed == job.points() - part.points_computed);
  values.push_back(store::read_dataset(*rest.dataset).tables.at(0).quantity("v").values);
  std::filesystem::remove_all(folder);
  CHECK(values[0] == values[1]);
  CHECK(values[0] == values[2]);
  CHECK(values[0][0] != values[0][2]);
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
