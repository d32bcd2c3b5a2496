#include "sweep/plan_monte_carlo.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>

#include "store/table.hpp"
#include "sweep/engine.hpp"
#include "sweep/plan_runner.hpp"

using namespace gaincal;
using namespace gaincal::sweep;

namespace {

// The read path of the cell at its operating point: storage node, bit line and word lines held.
const std::string kCell = R"~(
name = "cell"
[circuit]
technology = "gc28"
text = """
Vdd vdd 0 0.9
Vbl bl 0 0.45
Vsn sn 0 0.9
Mn x sn 0 0 nsvt W=0.1u L=1.5u
Msn bl vdd x 0 nsvt W=0.1u L=50n
Mp y sn vdd vdd psvt W=0.22u L=1.5u
Msp bl 0 y vdd psvt W=0.2u L=50n
"""
options = ["reltol=1e-6", "abstol=1e-15"]
[[axis]]
name = "v_store"
source = "vsn"
values = ["0.9V"]
[analysis]
kind = "op"
[[measure]]
name = "i"
kind = "value"
of = "i(vbl)"
)~";

struct Device {
  std::string name;
  double area_m2;
};
const std::vector<Device> kDevices = {
    {"mn", 0.1e-6 * 1.5e-6}, {"msn", 0.1e-6 * 50e-9}, {"mp", 0.22e-6 * 1.5e-6}, {"msp", 0.2e-6 * 50e-9}};
constexpr double kAvt_V_m = 1.8e-9;
constexpr std::size_t kSamples = 1000;

struct Moments {
  double mean = 0.0, sigma = 0.0;
};

Moments moments(const std::vector<double>& values) {
  Moments m;
  for (const double value : values) m.mean += value / static_cast<double>(values.size());
  for (const double value : values)
    m.sigma += (value - m.mean) * (value - m.mean) / static_cast<double>(values.size() - 1);
  m.sigma = std::sqrt(m.sigma);
  return m;
}

/// Current where one threshold is shifted.
double current(const std::string& device, double shift_V, double v_store_V) {
  const std::string axis =
      "[[axis]]\nname = \"shift\"\ninstance = \"" + device + "[delvto]\"\nvalues = [" + std::to_string(shift_V) + "]\n";
  return tests::run_plan(kCell + axis, {"axis.v_store.values=[" + std::to_string(v_store_V) + "]"})[0].values[0];
}

/// Currents of the samples at the listed voltages, from datasets of 1 and 2 workers and of a resumed run, which must be
/// the same to the last bit.
std::vector<double> sampled(const std::string& voltages) {
  const SweepJob job = make_job(parse_plan(kCell, "p.toml",
                                           {"monte_carlo.samples=" + std::to_string(kSamples), "monte_carlo.seed=11",
                                            "shard_points=200", "axis.v_store.values=" + voltages}));
  const auto folder = std::filesystem::temp_directory_path() / ("gaincal_plan_mc_" + std::to_string(::getpid()));
  std::vector<std::vector<double>> runs;
  const auto run = [&](const std::string& name, unsigned workers, ShardRange range) {
    SweepOptions options;
    options.out = folder / name;
    options.pool.workers = workers;
    options.range = range;
    const SweepSummary summary = run_sweep(job, options);
    CHECK(summary.failed == 0);
    if (summary.dataset) runs.push_back(store::read_dataset(*summary.dataset).tables.at(0).quantity("i").values);
    return summary;
  };
  run("one", 1, {});
  run("two", 2, {});
  // The middle third first, as an interrupted run leaves it, the rest later.
  const std::size_t before = run("resumed", 2, {2, 3}).points_computed;
  CHECK(before > 0);
  CHECK(run("resumed", 2, {}).points_computed == job.points() - before);
  std::filesystem::remove_all(folder);
  REQUIRE(runs.size() == 3);
  CHECK(runs[0] == runs[1]);
  CHECK(runs[0] == runs[2]);
  return runs[0];
}

/// The stored voltage at which the current of each sample is zero, on the straight line between the two voltages.
std::vector<double> zeros(const std::vector<double>& currents_A, double low_V, double high_V) {
  std::vector<double> result;
  for (std::size_t i = 0; i + 1 < currents_A.size(); i += 2) {
    const double a = currents_A[i], b = currents_A[i + 1];
    result.push_back(low_V - a * (high_V - low_V) / (b - a));
  }
  return result;
}

}  // namespace

TEST_CASE("1000 samples of the cell have mean and sigma of the hand calculation on any workers and resumed",
          "[sweep]") {
  // Full-scale current: sigma^2 = sum (dI/dVt sigma_Vt)^2 over the devices, dI/dVt by finite difference.
  double nominal_A = current("mn", 0.0, 0.9), variance = 0.0, curvature = 0.0;
  for (const Device& device : kDevices) {
    const double sigma_V = kAvt_V_m / std::sqrt(device.area_m2);
    const double up = current(device.name, sigma_V, 0.9), down = current(device.name, -sigma_V, 0.9);
    variance += std::pow((up - down) / 2, 2);
    curvature += (up - 2 * nominal_A + down) / 2;
  }
  const Moments full = moments(sampled("[\"0.9V\"]"));
  const double error_A = std::sqrt(variance / kSamples);
  CHECK(std::abs(full.mean - (nominal_A + curvature)) < 3.3 * error_A);
  // The standard error of a sigma is sigma / sqrt(2 n); 3.3 of them are one in a thousand.
  CHECK(std::abs(full.sigma / std::sqrt(variance) - 1) < 3.3 / std::sqrt(2.0 * kSamples));

  // Zero-weight voltage: dV0/dVt = -(dI/dVt) / (dI/dV) at the zero.
  const double low_V = 0.42, high_V = 0.50;
  const double slope = (current("mn", 0.0, high_V) - current("mn", 0.0, low_V)) / (high_V - low_V);
  const double zero_V = low_V - current("mn", 0.0, low_V) / slope;
  double zero_variance = 0.0, zero_shift = 0.0;
  const auto zero_of = [&](const std::string& device, double shift_V) {
    const double a = current(device, shift_V, low_V), b = current(device, shift_V, high_V);
    return low_V - a * (high_V - low_V) / (b - a);
  };
  for (const Device& device : kDevices) {
    const double sigma_V = kAvt_V_m / std::sqrt(device.area_m2);
    const double up = zero_of(device.name, sigma_V), down = zero_of(device.name, -sigma_V);
    zero_variance += std::pow((up - down) / 2, 2);
    zero_shift += (up - 2 * zero_V + down) / 2;
  }
  const Moments zero = moments(zeros(sampled("[\"0.42V\",\"0.50V\"]"), low_V, high_V));
  CHECK(std::abs(zero.mean - (zero_V + zero_shift)) < 3.3 * std::sqrt(zero_variance / kSamples));
  CHECK(std::abs(zero.sigma / std::sqrt(zero_variance) - 1) < 3.3 / std::sqrt(2.0 * kSamples));
  WARN("full scale " << full.mean << " A, sigma " << full.sigma << " A (by hand " << nominal_A + curvature << ", "
                     << std::sqrt(variance) << "); zero " << zero.mean << " V, sigma " << zero.sigma << " V (by hand "
                     << zero_V + zero_shift << ", " << std::sqrt(zero_variance) << ")");
}

TEST_CASE("a sample is the same alone and among others", "[sweep]") {
  const auto few = tests::run_plan(kCell, {"monte_carlo.samples=3"});
  SweepJob job = make_job(parse_plan(kCell, "p.toml", {"monte_carlo.samples=30"}));
  job.shards = {{2}};
  CHECK(tests::run_job(job)[0].values[0] == Approx(few[2].values[0]).epsilon(1e-9));
  CHECK(tests::run_plan(kCell, {"monte_carlo.samples=3", "monte_carlo.seed=2"})[2].values != few[2].values);
}

TEST_CASE("process variation moves all devices of a sample by one draw", "[sweep]") {
  const std::string process =
      "[monte_carlo]\nsamples = 400\nmismatch = false\nseed = 3\n[[monte_carlo.process]]\n"
      "parameter = \"dvtn\"\nsigma = \"10mV\"\n";
  const auto points = tests::run_plan(kCell + process);
  const double slope = (current("mn", 0.01, 0.9) - current("mn", -0.01, 0.9)) / 0.02 +
                       (current("msn", 0.01, 0.9) - current("msn", -0.01, 0.9)) / 0.02;
  const Moments m = moments(tests::column(points, 0));
  CHECK(m.sigma == Approx(std::abs(slope) * 0.01).epsilon(3.3 / std::sqrt(2.0 * 400)));
  const double z = monte_carlo_draw(3, 17, "process:dvtn");
  CHECK(points[17].values[0] == Approx(current("mn", 0.0, 0.9) + slope * 0.01 * z).epsilon(0.01));
}
