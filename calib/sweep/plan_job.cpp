#include "sweep/plan_job.hpp"

#include <algorithm>
#include <cmath>
#include <memory>

#include "core/error.hpp"
#include "core/log.hpp"
#include "sweep/methods.hpp"
#include "sweep/plan_axis.hpp"
#include "sweep/plan_monte_carlo.hpp"
#include "sweep/run_points.hpp"

namespace gaincal::sweep {
namespace {

// Points of a shard: long enough to be worth a file, short enough to lose.
constexpr std::size_t kSlowShard = 240;    // a point is a transient or a reload
constexpr std::size_t kAlterShard = 2000;  // an alter and an operating point
constexpr std::size_t kDcShard = 20000;    // a step of a nested .dc
// Points of a piece: what one worker simulates of a shard after a load of its own, which costs a few per cent of it.
constexpr std::size_t kSlowPiece = 20;
constexpr std::size_t kSpectrumPiece = 80;  // an alter and a sweep over frequency or a source
constexpr std::size_t kAlterPiece = 250;
constexpr std::size_t kDcPiece = 5000;
constexpr std::size_t kTrialPoints = 5;  // of transients; operating points as many as fit a block
constexpr std::size_t kTrialOperatingPoints = 200;
constexpr double kBytesOfValue = 8.0;
constexpr double kBytesOfPoint = 12.0;  // status and rung
constexpr double kBytesOfShard = 10e3;
// Before a trial there is no better figure.
constexpr double kGuessedPoint_s = 5e-3;

std::string time_text(double seconds) {
  if (seconds < 1) return number_text(std::ceil(seconds * 1e3)) + " ms";
  if (seconds < 120) return number_text(std::round(seconds * 10) / 10) + " s";
  if (seconds < 7200) return number_text(std::round(seconds / 6) / 10) + " min";
  if (seconds < 48 * 3600) return number_text(std::round(seconds / 360) / 10) + " h";
  return number_text(std::round(seconds / 8640) / 10) + " days";
}

std::string size_text(double bytes) {
  if (bytes < 1e6) return number_text(std::round(bytes / 1e2) / 10) + " kB";
  if (bytes < 1e9) return number_text(std::round(bytes / 1e5) / 10) + " MB";
  return number_text(std::round(bytes / 1e8) / 10) + " GB";
}

double disk_bytes(double points, double shards, std::size_t columns) {
  return points * (kBytesOfValue * static_cast<double>(columns) + kBytesOfPoint) + shards * kBytesOfShard;
}

std::size_t shard_limit(const PlanSpec& spec) {
  if (spec.plan.shard_points > 0) return spec.plan.shard_points;
  if (spec.method.nested_dc) return kDcShard;
  const bool fast = spec.method.name == "alter" && spec.plan.analysis.kind == PlanAnalysis::Kind::op;
  return fast ? kAlterShard : kSlowShard;
}

/// Whole rows of a nested .dc and whole groups of copies, so that nothing is simulated otherwise for being cut.
std::size_t piece_of(const PlanSpec& spec) {
  const auto whole = [](std::size_t unit, std::size_t limit) { return unit * std::max<std::size_t>(1, limit / unit); };
  const Method& method = spec.method;
  if (method.nested_dc) return whole(spec.points->dimensions()[method.inner].size, kDcPiece);
  if (method.copies > 1) return whole(method.copies, kSlowPiece);
  const PlanAnalysis::Kind kind = spec.plan.analysis.kind;
  if (method.name != "alter" || kind == PlanAnalysis::Kind::tran) return kSlowPiece;
  return kind == PlanAnalysis::Kind::op ? kAlterPiece : kSpectrumPiece;
}

std::vector<std::vector<std::size_t>> cut_shards(const PlanSpec& spec) {
  const PlanPoints& points = *spec.points;
  const std::size_t limit = shard_limit(spec);
  // The innermost dimensions that fit a shard as a whole are its block; the next one is cut into runs.
  std::size_t block = 1, cut = points.dimensions().size();
  while (cut > 0 && block * points.dimensions()[cut - 1].size <= limit) block *= points.dimensions()[--cut].size;
  std::vector<std::vector<std::size_t>> shards;
  const std::size_t cut_size = cut == 0 ? 1 : points.dimensions()[cut - 1].size;
  // A row of a nested .dc that is longer than a shard is not cut: half of it would be simulated point by point.
  const std::size_t run = spec.method.nested_dc && cut == points.dimensions().size()
                              ? cut_size
                              : std::max<std::size_t>(1, std::min(cut_size, limit / block));
  for (std::size_t outer = 0; outer < points.count(); outer += block * cut_size)
    for (std::size_t first = 0; first < cut_size; first += run) {
      std::vector<std::size_t> shard(std::min(run, cut_size - first) * block);
      for (std::size_t i = 0; i < shard.size(); ++i) shard[i] = outer + first * block + i;
      shards.push_back(std::move(shard));
    }
  return shards;
}

std::shared_ptr<PlanSpec> make_spec(const Plan& plan) {
  auto spec = std::make_shared<PlanSpec>();
  spec->plan = plan;
  spec->circuit = std::make_unique<PlanCircuit>(plan);
  spec->points = std::make_unique<PlanPoints>(spec->plan, *spec->circuit);
  spec->measures = std::make_unique<PlanMeasures>(plan, *spec->circuit);
  MonteCarlo& monte_carlo = spec->plan.monte_carlo;
  if (monte_carlo.samples > 0 && monte_carlo.mismatch) {
    if (monte_carlo.avt_V_m < 0) {
      if (!spec->circuit->avt_V_m())
        throw UsageError(plan.file_name +
                         ": monte_carlo.avt_mV_um: missing, and the circuit has no technology that "
                         "knows it; add it or a technology");
      monte_carlo.avt_V_m = *spec->circuit->avt_V_m();
    }
    if (monte_carlo.abeta_m < 0) monte_carlo.abeta_m = spec->circuit->abeta_m();
    for (const Element& element : spec->circuit->netlist().elements())
      if (element.name.front() == 'm') spec->mosfets.push_back(element.name);
    if (spec->mosfets.empty())
      throw UsageError(plan.file_name + ": monte_carlo.mismatch: the netlist has no MOSFET; set it to false");
  }
  return spec;
}

void refuse_many(const PlanSpec& spec, const JobOptions& options) {
  const double points = spec.points->estimate();
  if (points <= kManyPoints || options.allow_many) {
    if (points > 1e12)
      throw UsageError(spec.plan.file_name + ": axis: " + number_text(points) + " points; thin the axes");
    return;
  }
  const std::size_t columns = spec.measures->columns().size();
  throw UsageError(spec.plan.file_name + ": axis: " + number_text(points) + " points, at a guess of " +
                   number_text(kGuessedPoint_s * 1e3) + " ms a point " + time_text(points * kGuessedPoint_s) +
                   " on one worker and " + size_text(disk_bytes(points, points / kSlowShard, columns)) +
                   " on disk; thin the axes, or say --yes");
}

std::string without_ngspice(std::string reason) {
  if (reason.starts_with("ngspice: ")) reason.erase(0, 9);
  return reason;
}

/// Tries the first point in a process of its own and turns what can only be a mistake of the plan into its message.
void probe(const PlanSpec& spec) {
  const std::string file = spec.plan.file_name;
  RunOptions options;
  options.workers = 1;
  // The phase travels as a value or in front of the reason.
  const std::vector<PointOutcome> outcomes = run_points(
      1, 1,
      [&](spice::Simulator& simulator, std::size_t) {
        const Trial trial = try_point(spec, simulator, 0);
        if (trial.phase != Trial::Phase::done)
          throw Error(std::to_string(static_cast<int>(trial.phase)) + trial.failure);
        return std::vector<double>{0.0};
      },
      options);
  if (outcomes[0].succeeded()) return;
  const std::string& text = outcomes[0].failure;
  if (text.empty() || text[0] < '0' || text[0] > '9') return;  // a crash or timeout is the engine's affair
  const auto phase = static_cast<Trial::Phase>(text[0] - '0');
  const std::string reason = without_ngspice(text.substr(1));
  if (phase == Trial::Phase::load)
    throw UsageError(file + ": circuit: ngspice does not take the netlist: " + reason + "; correct it");
  if (phase == Trial::Phase::alter)
    throw UsageError(file + ": axis: ngspice cannot set it: " + reason + "; correct its name");
  const bool missing =
      reason.find("no vector") != std::string::npos || reason.find("no such vector") != std::string::npos;
  if (missing) throw UsageError(file + ": measure: the circuit has no such node or device: " + reason);
}

}  // namespace

std::size_t SweepJob::points() const {
  std::size_t count = 1;
  for (const store::Axis& axis : axes) count *= axis.values.size();
  return count;
}

namespace {

SweepJob job_of(const std::shared_ptr<PlanSpec>& spec, const JobOptions& options) {
  refuse_many(*spec, options);
  spec->method = choose_method(*spec);
  if (options.probe) probe(*spec);
  SweepJob job;
  job.name = spec->plan.name;
  const MonteCarlo& mc = spec->plan.monte_carlo;
  job.content = "plan 2\n" + simulator_version() + "\n" + spec->circuit->content() + spec->plan.analysis.command + " " +
                number_text(spec->plan.analysis.step_s) + "\n" + spec->measures->content() + spec->method.name +
                " in pieces of " + std::to_string(piece_of(*spec)) + "\n";
  if (mc.samples > 0) {
    job.content += "seed " + std::to_string(mc.seed) + " avt " + number_text(mc.avt_V_m) + " abeta " +
                   number_text(mc.abeta_m) + " mismatch " + std::to_string(int(mc.mismatch)) + "\n";
    for (const ProcessVariation& process : mc.process)
      job.content += process.parameter + " " + number_text(process.sigma) + "\n";
  }
  job.axes = spec->points->axes();
  job.columns = spec->measures->columns();
  job.waveforms = spec->measures->waveforms();
  job.point_key = [spec](std::size_t point) { return spec->points->key(point); };
  job.shards = cut_shards(*spec);
  job.piece = piece_of(*spec);
  job.method = spec->method.name;
  if (spec->method.copies > 1) job.together = spec->method.copies;
  if (spec->method.nested_dc) job.together = kDcShard;
  job.simulate = [spec](spice::Simulator& simulator, std::span<const std::size_t> points,
                        const std::function<void(JobPoint)>& emit) { simulate_points(*spec, simulator, points, emit); };
  return job;
}

/// Mismatch of a point, asked of a simulator that has its circuit; nothing where that fails.
std::vector<Alteration> mismatch_at(const PlanSpec& spec, std::size_t point) {
  std::vector<Alteration> mismatch;
  for (std::string& target : mismatch_targets(spec.plan.monte_carlo, spec.mosfets))
    mismatch.push_back({std::move(target), 0.0});
  if (mismatch.empty()) return {};
  RunOptions options;
  options.workers = 1;
  const std::vector<PointOutcome> outcome = run_points(
      1, mismatch.size(),
      [&](spice::Simulator& simulator, std::size_t) {
        simulator.load(loaded_deck(spec, point));
        std::vector<double> values;
        for (const Alteration& alteration : spec.points->alterations(point)) simulator.command(alteration.command());
        for (const Alteration& alteration :
             mismatch_of(simulator, spec.plan.monte_carlo, spec.points->sample(point), spec.mosfets, spec.mosfets))
          values.push_back(alteration.value);
        return values;
      },
      options);
  if (!outcome[0].succeeded()) return {};
  for (std::size_t i = 0; i < mismatch.size(); ++i) mismatch[i].value = outcome[0].values[i];
  return mismatch;
}

}  // namespace

SweepJob make_job(const Plan& plan, const JobOptions& options) { return job_of(make_spec(plan), options); }

std::string describe_dry_run(const Plan& plan, const JobOptions& options) {
  const std::shared_ptr<PlanSpec> spec = make_spec(plan);
  JobOptions all = options;
  all.allow_many = true;
  const bool many = spec->points->estimate() > kManyPoints;
  if (many) refuse_many(*spec, options);
  const SweepJob job = job_of(spec, all);
  const bool fast = spec->plan.analysis.kind == PlanAnalysis::Kind::op;
  std::size_t trial = std::max(fast ? kTrialOperatingPoints : kTrialPoints, spec->method.copies);
  if (spec->method.nested_dc) trial = spec->points->dimensions()[spec->method.inner].size;
  trial = std::min(trial, job.shards.front().size());
  RunOptions run;
  run.workers = 1;
  const std::vector<PointOutcome> outcome = run_points(
      1, 2,
      [&](spice::Simulator& simulator, std::size_t) {
        const double start_s = monotonic_seconds();
        double failed = 0;
        job.simulate(simulator, std::span(job.shards.front()).first(trial),
                     [&](const JobPoint& point) { failed += point.failure.empty() ? 0 : 1; });
        return std::vector<double>{monotonic_seconds() - start_s, failed};
      },
      run);
  const std::size_t first = job.shards.front().front();
  const auto longest = std::max_element(job.shards.begin(), job.shards.end(),
                                        [](const auto& a, const auto& b) { return a.size() < b.size(); });
  std::string text = "plan      " + job.name + "\npoints    " + std::to_string(job.points()) + " (";
  for (const store::Axis& axis : job.axes)
    text += (&axis == job.axes.data() ? "" : " x ") + std::to_string(axis.values.size()) + " " + axis.name;
  if (job.axes.empty()) text += "one";
  text += ")\ncolumns   " + std::to_string(job.columns.size()) + "\nshards    " + std::to_string(job.shards.size()) +
          " of at most " + std::to_string(longest->size()) + " points" + "\nmethod    " + job.method + "\n";
  if (outcome[0].succeeded()) {
    const double each_s = outcome[0].values[0] / static_cast<double>(trial);
    text += "time      " + time_text(each_s * static_cast<double>(job.points())) + " on one worker (" +
            format_quantity(each_s, Unit::second, 3) + " a point, from " + std::to_string(trial) + " points, " +
            number_text(outcome[0].values[1]) + " of them failed)\n";
  } else {
    text += "time      unknown: the first points failed: " + outcome[0].failure + "\n";
  }
  text += "disk      " +
          size_text(disk_bytes(static_cast<double>(job.points()), static_cast<double>(job.shards.size()),
                               job.columns.size())) +
          "\n\nfirst deck:\n" + standalone_deck(*spec, first, mismatch_at(*spec, first));
  return text;
}

}  // namespace gaincal::sweep
