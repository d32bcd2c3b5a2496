#include "sweep/plan.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <set>

#include "sweep/plan_job.hpp"
#include "sweep/plan_netlist.hpp"
#include "sweep/plan_runner.hpp"

using namespace gaincal;
using namespace gaincal::sweep;

namespace {

const std::string kDivider = R"~(
name = "divider"
[circuit]
text = """
.param r=1k
V1 in 0 1
R1 in out {r}
R2 out 0 1k
"""
[[axis]]
name = "r"
values = ["1k", "3k"]
[analysis]
kind = "op"
[[measure]]
name = "out"
kind = "value"
of = "v(out)"
)~";

std::vector<double> axis_of(const std::string& grid) {
  return parse_plan("name = \"p\"\n[circuit]\ntext = \"R1 a 0 1k\"\n[[axis]]\nname = \"x\"\n" + grid +
                        "\n[analysis]\nkind = \"op\"\n",
                    "plan.toml")
      .axes.at(0)
      .values;
}

}  // namespace

TEST_CASE("an axis is a list, steps, points or equal ratios, in SI", "[sweep]") {
  CHECK(axis_of("values = [\"10nm\", \"2um\"]") == std::vector<double>{1e-8, 2e-6});
  CHECK(axis_of("values = [1, 2.5]") == std::vector<double>{1, 2.5});
  CHECK(axis_of("from = \"0V\"\nto = \"0.9V\"\nstep = \"0.3V\"").size() == 4);
  CHECK(axis_of("from = \"0V\"\nto = \"0.9V\"\nstep = \"25mV\"").back() == 0.9);
  CHECK(axis_of("from = 0\nto = \"15ns\"\npoints = 16")[1] == Approx(1e-9).epsilon(1e-14));
  CHECK(axis_of("from = \"1k\"\nto = \"1M\"\npoints = 4\nscale = \"log\"")[2] == Approx(1e5).epsilon(1e-12));
  CHECK(axis_of("from = \"5V\"\nto = \"1V\"\nstep = \"-1V\"").size() == 5);
}

TEST_CASE("the unit of a text is seen through its prefix", "[sweep]") {
  CHECK(unit_of("0.1um") == Unit::metre);
  CHECK(unit_of("5m") == Unit::none);
  CHECK(unit_of("2kOhm") == Unit::ohm);
  CHECK(unit_of("3 MHz") == Unit::hertz);
  CHECK(unit_of("10nH") == Unit::henry);
  CHECK(unit_of("1e-15") == Unit::none);
  CHECK(unit_of("-40degC") == Unit::celsius);
}

TEST_CASE("points of a plan are the outer product of its axes, the last one fastest", "[sweep]") {
  const auto points = tests::run_plan(kDivider, {"axis.r.values=[\"1k\",\"3k\",\"9k\"]"});
  REQUIRE(points.size() == 3);
  CHECK(tests::column(points, 0)[0] == Approx(0.5).epsilon(1e-6));
  CHECK(tests::column(points, 0)[1] == Approx(0.25).epsilon(1e-6));
  CHECK(tests::column(points, 0)[2] == Approx(0.1).epsilon(1e-6));
}

TEST_CASE("zipped axes move together", "[sweep]") {
  const std::string plan = kDivider + "\n[[axis]]\nname = \"v1\"\nvalues = [\"1V\", \"2V\"]\nzip = \"z\"\n";
  const SweepJob job = make_job(parse_plan(plan, "p.toml", {"axis.r.zip=z"}));
  REQUIRE(job.points() == 2);
  const auto points = tests::run_job(job);
  CHECK(points[0].values[0] == Approx(0.5).epsilon(1e-6));
  CHECK(points[1].values[0] == Approx(0.5).epsilon(1e-6));  // 2 V over 1 + 3
}

TEST_CASE("a value of --set takes the type that the plan has", "[sweep]") {
  CHECK(parse_plan(kDivider, "p.toml", {"name=7"}).name == "7");
  CHECK(parse_plan(kDivider, "p.toml", {"axis[0].values=[1,2,3]"}).axes[0].values.size() == 3);
  CHECK(parse_plan(kDivider, "p.toml", {"conditions.temperature=85C"}).temperatures_C == std::vector<double>{85});
}

TEST_CASE("a value added to an axis leaves the other shards as they were", "[sweep]") {
  const std::string three = "axis[0].values=[\"1k\",\"2k\",\"3k\"]",
                    four = "axis[0].values=[\"1k\",\"2k\",\"3k\",\"4k\"]";
  const std::string plan = kDivider + "[[axis]]\nname = \"r2\"\nfrom = 1\nto = 2500\npoints = 2500\n";
  const SweepJob before = make_job(parse_plan(plan, "p.toml", {three}));
  const SweepJob after = make_job(parse_plan(plan, "p.toml", {four}));
  CHECK(before.content == after.content);
  std::set<std::string> keys;
  const auto key = [](const SweepJob& job, const std::vector<std::size_t>& shard) {
    std::string text;
    for (const std::size_t point : shard) text += job.point_key(point);
    return text;
  };
  for (const auto& shard : after.shards) keys.insert(key(after, shard));
  for (const auto& shard : before.shards) CHECK(keys.contains(key(before, shard)));
  std::size_t total = 0;
  for (const auto& shard : after.shards) total += shard.size();
  CHECK(total == after.points());
}

TEST_CASE("parameters are replaced at the top level only", "[sweep]") {
  const std::string text = "* t\n.param a=1 b = {2*a}\n+ c='a+b'\n.subckt s x\n.param a=7\n.ends\nR1 x 0 {a}\n";
  const std::string edited = with_parameters(text, {{"a", 3.0}, {"c", 0.5}});
  CHECK(edited.find(".param a=3 b = {2*a}\n+ c=0.5\n") != std::string::npos);
  CHECK(edited.find(".param a=7") != std::string::npos);
  CHECK(parameter_value(edited, "a") == 3.0);
}

TEST_CASE("devices of a flattened netlist have the names of ngspice", "[sweep]") {
  const NetlistText netlist(
      "* t\n.subckt in a b\nM1 a b 0 0 n w=1u\n.ends\n.subckt out a b\nXi a b in\nR1 a b 1\n.ends\n"
      "X1 p q out\nV1 p 0 1\n",
      ".", "t");
  CHECK(netlist.find("m.x1.xi.m1") != nullptr);
  CHECK(netlist.find("r.x1.r1") != nullptr);
  CHECK(netlist.find("v1")->top);
  CHECK(netlist.find("m1") == nullptr);
}

TEST_CASE("transient measures agree with the exponential of an RC", "[sweep]") {
  const auto points = tests::run_plan(R"~(
name = "rc"
[circuit]
text = """
V1 in 0 pulse(0 1 0 1p 1p 1 2)
R1 in out 1k
C1 out 0 1n
.meas tran vmax max v(out) from=0 to={2u+1u}
"""
options = ["reltol=1e-5"]
[analysis]
kind = "tran"
step = "5ns"
stop = "10us"
max_step = "5ns"
[[measure]]
name = "v1"
kind = "value_at"
of = "v(out)"
at = "1us"
[[measure]]
name = "t50"
kind = "crossing"
of = "v(out)"
level = "0.5V"
edge = "rising"
[[measure]]
name = "area"
kind = "integral"
of = "v(out)"
to = "1us"
[[measure]]
name = "energy"
kind = "energy"
of = "v1"
[[measure]]
name = "settled"
kind = "settling"
of = "v(out)"
target = "1V"
band = "10mV"
[[measure]]
name = "top"
kind = "max"
of = "v(out)"
[[measure]]
name = "vmax"
kind = "meas"
[[measure]]
name = "wave"
kind = "waveform"
of = "v(in,out)"
from = "0.5us"
to = "1us"
points = 2
)~");
  REQUIRE(points.size() == 1);
  REQUIRE(points[0].failure == "");
  const std::vector<double>& v = points[0].values;
  CHECK(v[0] == Approx(1 - std::exp(-1.0)).epsilon(1e-4));
  CHECK(v[1] == Approx(1e-6 * std::log(2.0)).epsilon(1e-4));
  CHECK(v[2] == Approx(1e-6 * std::exp(-1.0)).epsilon(2e-4));
  CHECK(v[3] == Approx(1e-9).epsilon(2e-3));  // C V^2, but for the last e^-10
  CHECK(v[4] == Approx(1e-6 * std::log(100.0)).epsilon(1e-3));
  CHECK(v[5] == Approx(1 - std::exp(-10.0)).epsilon(1e-5));
  CHECK(v[6] == Approx(1 - std::exp(-3.0)).epsilon(2e-4));
  CHECK(v[7] == Approx(std::exp(-0.5)).epsilon(1e-4));
  CHECK(v[8] == Approx(std::exp(-1.0)).epsilon(1e-4));
}

TEST_CASE("ac, dc and noise measures agree with an RC and a resistor", "[sweep]") {
  const std::string circuit =
      "name = \"rc\"\n[circuit]\ntext = \"\"\"\nV1 in 0 dc 0.5 ac 1\nR1 in out 1k\nC1 out 0 1n\n\"\"\"\n[analysis]\n";
  const auto ac = tests::run_plan(circuit +
                                  "kind = \"ac\"\nfrom = \"1kHz\"\nto = \"10MHz\"\npoints_per_decade = 100\n"
                                  "[[measure]]\nname = \"f\"\nkind = \"bandwidth\"\nof = \"v(out)\"\n"
                                  "[[measure]]\nname = \"p\"\nkind = \"phase\"\nof = \"v(out)\"\nat = "
                                  "\"159.1549431kHz\"\n");
  REQUIRE(ac[0].failure == "");
  CHECK(ac[0].values[0] == Approx(159154.9).epsilon(1e-4));
  CHECK(ac[0].values[1] == Approx(-45.0).epsilon(1e-3));
  const auto dc = tests::run_plan(circuit +
                                  "kind = \"dc\"\nsource = \"v1\"\nfrom = \"0V\"\nto = \"1V\"\nstep = \"0.1V\"\n"
                                  "[[measure]]\nname = \"x\"\nkind = \"crossing\"\nof = \"v(out)\"\nlevel = "
                                  "\"0.33V\"\n");
  REQUIRE(dc[0].failure == "");
  CHECK(dc[0].values[0] == Approx(0.33).epsilon(1e-6));
  const auto noise = tests::run_plan(circuit +
                                     "kind = \"noise\"\noutput = \"v(out)\"\nsource = \"v1\"\nfrom = \"1Hz\"\n"
                                     "to = \"1GHz\"\n[[measure]]\nname = \"d\"\nkind = \"value_at\"\nof = "
                                     "\"onoise_spectrum\"\nat = \"10Hz\"\n[[measure]]\nname = \"t\"\nkind = "
                                     "\"total\"\nof = \"onoise_total\"\n");
  REQUIRE(noise[0].failure == "");
  CHECK(noise[0].values[0] == Approx(std::sqrt(4 * 1.380649e-23 * 300.15 * 1e3)).epsilon(1e-3));
  CHECK(noise[0].values[1] == Approx(std::sqrt(1.380649e-23 * 300.15 / 1e-9)).epsilon(5e-3));
}
