#include "sweep/methods.hpp"

#include <catch2/catch.hpp>
#include <cmath>

#include "sweep/plan_runner.hpp"

using namespace gaincal;
using namespace gaincal::sweep;

namespace {

const std::string kMosfet = R"~(
name = "mosfet"
[circuit]
technology = "gc28"
text = """
Vd d 0 0
Vg g 0 0
M1 d g 0 0 nsvt W=1u L=0.1u
"""
[[axis]]
name = "w"
instance = "m1[w]"
values = ["0.2um", "1um"]
[[axis]]
name = "vd"
from = "0.1V"
to = "0.9V"
step = "0.2V"
[[axis]]
name = "vg"
from = "0.3V"
to = "0.9V"
points = 7
[analysis]
kind = "op"
[[measure]]
name = "id"
kind = "value"
of = "@m1[id]"
[[measure]]
name = "cgg"
kind = "value"
of = "@m1[cgg]"
)~";

const std::string kRead = R"~(
name = "read"
[circuit]
deck = "cell_read"
[[axis]]
name = "v_store"
from = "0V"
to = "0.9V"
points = 6
[[measure]]
name = "q"
kind = "integral"
of = "i(vbl)"
[[measure]]
name = "e"
kind = "energy"
of = "vdd"
[[measure]]
name = "v"
kind = "value_at"
of = "v(sn)"
at = "8ns"
)~";

std::string method_of(const std::string& toml, const std::vector<std::string>& overrides = {}) {
  return make_job(parse_plan(toml, "p.toml", overrides)).method;
}

/// Largest difference of a column between two runs, over the largest value of the column.
double distance(const std::vector<JobPoint>& a, const std::vector<JobPoint>& b, std::size_t column) {
  double most = 0.0, scale = 0.0;
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    REQUIRE(a[i].failure == "");
    REQUIRE(b[i].failure == "");
    REQUIRE(a[i].point == b[i].point);
    most = std::max(most, std::abs(a[i].values[column] - b[i].values[column]));
    scale = std::max(scale, std::abs(a[i].values[column]));
  }
  return most / scale;
}

}  // namespace

TEST_CASE("the method follows from what the axes are", "[sweep]") {
  CHECK(method_of(kMosfet) == "nested .dc");
  CHECK(method_of(kMosfet, {"axis.vg.scale=log"}) == "alter");
  CHECK(method_of(kMosfet, {"method=reload"}) == "reload");
  CHECK(method_of(kRead) == "10 copies");
  CHECK(method_of(kRead, {"axis[0].name=cst", "axis[0].from=1fF", "axis[0].to=9fF"}) == "reload");
  CHECK_THROWS_WITH(method_of(kRead, {"method=nested_dc"}), Catch::Contains("p.toml: method"));
}

TEST_CASE("nested .dc, alter and reload give the same operating points", "[sweep]") {
  const auto reload = tests::run_plan(kMosfet, {"method=reload"});
  const auto alter = tests::run_plan(kMosfet, {"method=alter"});
  const auto nested = tests::run_plan(kMosfet);
  REQUIRE(reload.size() == 70);
  for (const std::size_t column : {0u, 1u}) {
    CHECK(distance(reload, alter, column) < 1e-9);
    CHECK(distance(reload, nested, column) < 1e-6);  // the start of a step is the point before: reltol is 1e-3
  }
  CHECK(tests::column(reload, 0)[6] < 0.3 * tests::column(reload, 0)[41]);  // the width did act
}

TEST_CASE("copies in one netlist give the transients of single ones within their shared time steps", "[sweep]") {
  const auto reload = tests::run_plan(kRead, {"method=reload"});
  const auto copies = tests::run_plan(kRead, {"method=copies"});
  for (const std::size_t column : {0u, 1u, 2u}) CHECK(distance(reload, copies, column) < 1e-3);
}

TEST_CASE("copies carry the mismatch of their own sample", "[sweep]") {
  const std::vector<std::string> sampled = {"monte_carlo.samples=4", "axis.v_store.points=2"};
  auto with = [&](const char* method) {
    std::vector<std::string> overrides = sampled;
    overrides.push_back(method);
    return tests::run_plan(kRead, overrides);
  };
  const auto reload = with("method=reload"), alter = with("method=alter"), copies = with("method=copies");
  CHECK(distance(reload, alter, 0) < 1e-3);
  CHECK(distance(reload, copies, 0) < 1e-3);
  CHECK(std::abs(reload[0].values[0] - reload[2].values[0]) > 2e-3 * std::abs(reload[0].values[0]));
}

TEST_CASE("the rest of a shard gives what the whole shard gave", "[sweep]") {
  const SweepJob job = make_job(parse_plan(kMosfet, "p.toml"));
  const auto whole = tests::run_job(job);
  SweepJob rest = job;
  rest.shards = {{job.shards[0].begin() + 10, job.shards[0].end()}};
  const auto part = tests::run_job(rest);
  REQUIRE(part.size() == 60);
  for (std::size_t i = 0; i < part.size(); ++i) {
    CHECK(part[i].point == whole[i + 10].point);
    CHECK(part[i].values[0] == Approx(whole[i + 10].values[0]).epsilon(1e-5));
  }
}

TEST_CASE("equal lists of points give equal bits", "[sweep]") {
  for (const std::string& plan : {kMosfet, kRead}) {
    const auto first = tests::run_plan(plan), second = tests::run_plan(plan);
    for (std::size_t i = 0; i < first.size(); ++i) CHECK(first[i].values == second[i].values);
  }
}
