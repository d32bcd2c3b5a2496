#include "cli/sweep_run.hpp"

#include <filesystem>
#include <iostream>

#include "cli/sweep_plan.hpp"
#include "core/log.hpp"
#include "sweep/engine.hpp"
#include "sweep/plan_job.hpp"
#include "sweep/run_points.hpp"
#include "sweep/slurm.hpp"

namespace gaincal::cli {
namespace fs = std::filesystem;
namespace {

using Words = std::vector<std::string>;

Words overrides(const po::variables_map& values) {
  return values.count("set") > 0 ? values["set"].as<Words>() : Words();
}

fs::path output_folder(const std::string& plan, const po::variables_map& values) {
  if (values.count("out") > 0) return values["out"].as<std::string>();
  return fs::path("out") / fs::path(plan).stem();
}

sweep::SweepOptions sweep_options(const sweep::Plan& plan, const std::string& file, const po::variables_map& values) {
  sweep::SweepOptions options;
  options.out = output_folder(file, values);
  options.plan_toml = plan.toml;
  options.provenance.command_line = command_line();
  options.provenance.ngspice_version = sweep::simulator_version();
  options.provenance.seed = plan.monte_carlo.seed;
  if (values.count("shard-range") > 0)
    options.range = sweep::parse_shard_range(values["shard-range"].as<std::string>());
  return options;
}

sweep::SweepJob job_of(const sweep::Plan& plan, const po::variables_map& values, bool probe) {
  sweep::JobOptions options;
  options.allow_many = !probe || values.count("yes") > 0;
  options.probe = probe;
  return sweep::make_job(plan, options);
}

po::options_description common_options() {
  po::options_description options("options");
  options.add_options()("plan", po::value<std::string>(), "plan file")(
      "out", po::value<std::string>(), "output folder (default: out/ and the plan's file name)")(
      "set", po::value<Words>()->composing(), "key=value: replaces a value of the plan");
  return options;
}

int status(const po::variables_map& values, const std::string& file) {
  const sweep::Plan plan = sweep::load_plan(file, overrides(values));
  const sweep::SweepJob job = job_of(plan, values, false);
  const sweep::SweepSummary summary = sweep::sweep_status(job, sweep_options(plan, file, values));
  std::cout << sweep::describe(summary, job);
  return 0;
}

int merge(const po::variables_map& values, const std::string& file) {
  const sweep::Plan plan = sweep::load_plan(file, overrides(values));
  const sweep::SweepJob job = job_of(plan, values, false);
  const sweep::SweepSummary summary = sweep::merge_sweep(job, sweep_options(plan, file, values));
  log_info(sweep::describe(summary, job) + summary.dataset->string());
  return summary.exit_code();
}

int slurm(const po::variables_map& values, const std::string& file) {
  const sweep::Plan plan = sweep::load_plan(file, overrides(values));
  const std::size_t shards = job_of(plan, values, true).shards.size();  // what cannot run must not be queued
  sweep::SlurmOptions options;
  options.name = plan.name;
  options.out = fs::absolute(output_folder(file, values));
  options.program = fs::read_symlink("/proc/self/exe");
  options.sweep_words = {fs::absolute(file).string(), "--out", options.out.string()};
  for (const std::string& word : overrides(values)) {
    options.sweep_words.push_back("--set");
    options.sweep_words.push_back(word);
  }
  options.tasks = values["tasks"].as<std::size_t>();
  options.cpus = values["cpus"].as<std::size_t>();
  if (shards < options.tasks)
    log_warning("the plan has " + std::to_string(shards) + " shards, so " + std::to_string(options.tasks - shards) +
                " of " + std::to_string(options.tasks) + " tasks have nothing to do; lower --tasks or shard_points");
  if (values.count("sbatch") > 0) options.sbatch_options = values["sbatch"].as<Words>();
  const sweep::SlurmScripts scripts = sweep::write_slurm_scripts(options);
  std::cout << scripts.array.string() << "\n" << scripts.merge.string() << "\n";
  if (values.count("no-submit") > 0) return 0;
  const sweep::SlurmJobs jobs = sweep::submit_slurm_scripts(scripts);
  std::cout << "array job " << jobs.array << ", merge job " << jobs.merge << "\n";
  return 0;
}

}  // namespace

po::options_description plan_options() {
  po::options_description options(
      "Options for a plan. Finished shards stay in the output folder, and the next run takes them. Ctrl-C finishes "
      "the\n"
      "running ones, twice stops at once. Exit code 0: done, 1: failed, 2: misused, 3: done but points failed,\n"
      "130: interrupted");
  options.add_options()("set", po::value<Words>()->composing(), "key=value: replaces a value of the plan")(
      "dry-run", "print points, shards, estimated time and disk, and the first deck; compute nothing")(
      "yes", "do not refuse a very large sweep")("resume", "take finished shards; this is the default")(
      "retry-failed", "compute shards with failed points again")(
      "shard-range", po::value<std::string>(),
      "I/N: the I-th (from 1) of N parts of the shards, without merging; auto or auto/N: I is the index of an array "
      "job (Slurm, SGE, PBS, LSF, or GAINCAL_SHARD_INDEX)")("timeout", po::value<double>()->default_value(60.0),
                                                            "seconds that a point may take")(
      "memory-limit", po::value<std::size_t>()->default_value(0),
      "MB that a worker may take (0: its share of four fifths of the machine's)")("log-json", "JSON lines on stderr");
  return options;
}

int run_plan(const std::string& file, const po::variables_map& values) {
  const bool allow_many = values.count("yes") > 0;
  if (values.count("dry-run") > 0) {
    print_dry_run(file, overrides(values), allow_many);
    return 0;
  }
  const sweep::Plan plan = sweep::load_plan(file, overrides(values));
  const sweep::SweepJob job = job_of(plan, values, true);
  sweep::SweepOptions options = sweep_options(plan, file, values);
  options.pool.workers = values["workers"].as<unsigned>();
  options.pool.point_timeout_s = values["timeout"].as<double>();
  if (!(options.pool.point_timeout_s > 0)) throw UsageError("--timeout must be above 0 s");
  options.pool.memory_limit_kB = 1024 * values["memory-limit"].as<std::size_t>();
  options.force = values.count("force") > 0;
  if (options.force && values.count("resume") > 0)
    throw UsageError("--resume takes finished shards and --force computes them again; keep one of them");
  options.retry_failed = values.count("retry-failed") > 0;
  options.log_json = values.count("log-json") > 0;
  const sweep::SweepSummary summary = sweep::run_sweep(job, options);
  if (summary.dataset) std::cout << summary.dataset->string() << "\n";
  return summary.exit_code();
}

bool is_sweep_subcommand(const std::string& word) { return word == "status" || word == "merge" || word == "slurm"; }

int run_sweep_subcommand(const std::string& subcommand, const std::vector<std::string>& arguments) {
  std::string usage = "gaincal sweep " + subcommand + " PLAN.toml [--out FOLDER]";
  po::options_description options = common_options();
  if (subcommand == "slurm") {
    usage += " --tasks N";
    options.add_options()("tasks", po::value<std::size_t>()->required(), "tasks of the array job")(
        "cpus", po::value<std::size_t>()->default_value(1), "CPUs and workers of a task")(
        "sbatch", po::value<Words>()->composing(), "an option for sbatch, e.g. --sbatch=--partition=long")(
        "no-submit", "only write the scripts");
  }
  const auto values = parse_arguments(usage, options, {"plan"}, arguments);
  if (!values) return 0;
  const std::string file = required<std::string>(*values, "plan", usage);
  if (subcommand == "status") return status(*values, file);
  if (subcommand == "merge") return merge(*values, file);
  return slurm(*values, file);
}

}  // namespace gaincal::cli
