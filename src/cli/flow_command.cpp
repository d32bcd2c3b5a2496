#include <cmath>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <limits>
#include <sstream>

#include "cli/command.hpp"
#include "core/files.hpp"
#include "core/log.hpp"
#include "core/parallel.hpp"
#include "energy/account.hpp"
#include "energy/prices.hpp"
#include "energy/tokens.hpp"
#include "fit/fit.hpp"
#include "gpt2/adapt.hpp"
#include "gpt2/device_choice.hpp"
#include "gpt2/evaluate.hpp"
#include "netlist/design.hpp"
#include "report/report.hpp"
#include "store/model_file.hpp"
#include "store/table.hpp"
#include "sweep/characterize.hpp"
#include "verify/verify.hpp"

namespace gaincal::cli {
namespace {

namespace fs = std::filesystem;
constexpr double kChargeUnit_C = 1e-15;  // of the circuit device
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr const char* kUsage = "gaincal flow DESIGN.toml --out DIR [options]";

/// Seconds per stage, in order, said as they pass.
class Stages {
 public:
  template <typename Work>
  auto run(const std::string& name, const Work& work) {
    log_info("== " + name);
    const double start_s = monotonic_seconds();
    struct Stop {
      Stages& stages;
      const std::string& name;
      double start_s;
      ~Stop() { stages.add(name, monotonic_seconds() - start_s); }
    } stop{*this, name, start_s};
    return work();
  }
  const std::vector<std::string>& names() const { return names_; }
  const std::vector<double>& seconds() const { return seconds_; }

 private:
  void add(const std::string& name, double seconds) {
    names_.push_back(name);
    seconds_.push_back(seconds);
  }
  std::vector<std::string> names_;
  std::vector<double> seconds_;
};

/// Perplexity of one device; one that the checkpoint was tuned for has `tuned` alone.
struct DeviceResult {
  std::string name;
  gpt2::Perplexity tuned;                   ///< with the scalers of the checkpoint
  std::optional<gpt2::Perplexity> initial;  ///< a = 1, b = 0
  std::optional<gpt2::Perplexity> adapted;
  std::optional<gpt2::AdaptReport> adaptation;
};

/// The language-model half of the flow: checkpoints, texts and the devices they run on.
class LanguageModel {
 public:
  LanguageModel(const netlist::Workload& workload, unsigned threads)
      : workload_(workload),
        software_(gpt2::Model::load(workload.softmax)),
        linear_(gpt2::Model::load(workload.linear)) {
    evaluate_options_.threads = threads;
    const auto tokenizer = gpt2::Tokenizer::of_checkpoint(workload.linear);
    linear_.check_tokenizer(tokenizer);
    software_.check_tokenizer(tokenizer);
    const auto tokenise = [&](const fs::path& path) {
      return tokenizer.encode(read_file(path), gpt2::SpecialTokens::parse, path.string());
    };
    text_ = tokenise(workload.text);
    calibration_ = tokenise(workload.calibration_text);
    windows_ = gpt2::split_text(text_, context(), context());
    batch_ = gpt2::split_text(calibration_, context(), context());
  }

  std::size_t context() const { return linear_.config().n_ctx; }
  const gpt2::Config& config() const { return linear_.config(); }
  std::size_t tokens() const { return text_.size(); }
  std::size_t windows() const { return windows_.size(); }

  gpt2::Device device(const std::string& choice) const { return gpt2::make_device(choice, linear_.config()); }

  DeviceResult run_software() const { return {"software", evaluate(software_, {}), {}, {}, {}}; }
  DeviceResult run_linear() const { return {"paper-linear", evaluate(linear_, device("paper-linear")), {}, {}, {}}; }

  /// Runs the linear checkpoint on another device as it is, then with scalers that start at a = 1, b = 0 and adapt on
  /// the calibration text to the statistics of the linear device. With prices the last run keeps its energy.
  DeviceResult run_adapted(const gpt2::Device& target, std::shared_ptr<const attention::EventPrices> prices = {}) {
    DeviceResult result{target.name, evaluate(linear_, target), {}, {}, {}};
    const std::vector<attention::HeadScalers> tuned = linear_.scalers;
    if (linear_signals_.empty())
      linear_signals_ = gpt2::measure_signals(linear_, device("paper-linear"), batch_, evaluate_options_).heads;
    gpt2::reset_scalers(linear_);
    result.initial = evaluate(linear_, target);
    gpt2::AdaptOptions options;
    options.threads = evaluate_options_.threads;
    result.adaptation =
        gpt2::adapt_scalers(linear_, target, linear_signals_, batch_, options, [](const gpt2::AdaptIteration& step) {
          std::ostringstream line;
          line << "  iteration " << step.iteration << ": perplexity " << std::setprecision(4) << step.perplexity << " ("
               << step.met << " of " << step.conditions << " statistics met)";
          log_info(line.str());
        });
    evaluate_options_.prices = std::move(prices);
    result.adapted = evaluate(linear_, target);
    evaluate_options_.prices = {};
    linear_.scalers = tuned;
    return result;
  }

 private:
  gpt2::Perplexity evaluate(const gpt2::Model& model, const gpt2::Device& device) const {
    return gpt2::evaluate_perplexity(model, device, windows_, evaluate_options_);
  }

  netlist::Workload workload_;
  gpt2::Model software_, linear_;
  gpt2::EvaluateOptions evaluate_options_;
  std::vector<gpt2::TokenId> text_, calibration_;
  std::vector<gpt2::TextWindow> windows_, batch_;
  std::vector<gpt2::HeadTargets> linear_signals_;  // what the linear device's heads see on the calibration text
};

store::Table perplexity_table(const std::vector<DeviceResult>& results) {
  store::Table table;
  table.name = "perplexity";
  table.description = "perplexity of the evaluation text";
  store::Axis devices{"device", "1", {}};
  store::Quantity initial{
      "initial", "1", "scalers a = 1, b = 0; NaN for a device that the checkpoint was tuned for", {}};
  store::Quantity tuned{"tuned", "1", "with the scalers of the checkpoint", {}};
  store::Quantity adapted{
      "adapted", "1", "with adapted scalers; NaN for a device that the checkpoint was tuned for", {}};
  store::Quantity error{"standard_error", "1", "of the last of them, from the spread between windows", {}};
  for (const DeviceResult& result : results) {
    devices.values.push_back(static_cast<double>(devices.values.size()));
    devices.labels.push_back(result.name);
    initial.values.push_back(result.initial ? result.initial->perplexity : kNone);
    tuned.values.push_back(result.tuned.perplexity);
    adapted.values.push_back(result.adapted ? result.adapted->perplexity : kNone);
    error.values.push_back(result.adapted ? result.adapted->standard_error : result.tuned.standard_error);
  }
  table.axes = {devices};
  table.quantities = {initial, tuned, adapted, error};
  return table;
}

store::Table adaptation_table(const DeviceResult& result) {
  store::Table table;
  table.name = "adaptation_" + result.name;
  table.description = "perplexity of the calibration text while the scalers adapt";
  store::Axis iterations{"iteration", "1", {}};
  std::vector<double> perplexity, met;
  for (const gpt2::AdaptIteration& step : result.adaptation->history) {
    iterations.values.push_back(step.iteration);
    perplexity.push_back(step.perplexity);
    met.push_back(static_cast<double>(step.met) / static_cast<double>(step.conditions));
  }
  table.axes = {iterations};
  table.quantities = {{"perplexity", "1", "of the calibration text", perplexity},
                      {"statistics_met", "1", "share of means and deviations within the tolerance", met}};
  return table;
}

store::Table stage_table(const Stages& stages) {
  store::Table table;
  table.name = "stages";
  table.description = "wall-clock time";
  store::Axis names{"stage", "1", {}};
  for (const std::string& name : stages.names()) {
    names.values.push_back(static_cast<double>(names.values.size()));
    names.labels.push_back(name);
  }
  table.axes = {names};
  table.quantities = {{"seconds", "s", "wall clock", stages.seconds()}};
  return table;
}

void print_perplexities(std::ostream& stream, const std::vector<DeviceResult>& results, const LanguageModel& language) {
  const auto number = [](const std::optional<gpt2::Perplexity>& value) {
    if (!value) return std::string("-");
    std::ostringstream text;
    text << std::fixed << std::setprecision(2) << value->perplexity << " +- " << value->standard_error;
    return text.str();
  };
  const auto row = [&](const std::string& name, const std::string& initial, const std::string& tuned,
                       const std::string& adapted) {
    stream << "  " << std::left << std::setw(20) << name << std::right << std::setw(20) << initial << std::setw(20)
           << tuned << std::setw(20) << adapted << "\n";
  };
  stream << "Perplexity (" << language.tokens() << " tokens in " << language.windows() << " windows), by scalers\n";
  row("device", "a = 1, b = 0", "of the checkpoint", "adapted");
  for (const DeviceResult& result : results)
    row(result.name, number(result.initial), number(result.tuned), number(result.adapted));
}

void print_stages(std::ostream& stream, const Stages& stages) {
  stream << "Time\n";
  double total_s = 0.0;
  for (std::size_t i = 0; i < stages.names().size(); ++i) {
    stream << "  " << std::left << std::setw(30) << stages.names()[i] << std::right << std::fixed
           << std::setprecision(1) << std::setw(8) << stages.seconds()[i] << " s\n";
    total_s += stages.seconds()[i];
  }
  stream << "  " << std::left << std::setw(30) << "total" << std::right << std::setw(8) << total_s << " s\n";
}

/// The page is a view of the files: a missing gnuplot does not fail the run that made them. Whether it was written.
bool write_report(const fs::path& out, const report::Sources& sources) {
  try {
    report::write_report(out / "report.html", report::make_page(sources));
    return true;
  } catch (const Error& failure) {
    log_warning(std::string("no report.html: ") + failure.what() + "; then run 'gaincal report " + out.string() + "'");
    return false;
  }
}

}  // namespace

int run_flow(const std::vector<std::string>& arguments) {
  po::options_description options("options");
  options.add_options()                                                                                        //
      ("design", po::value<std::string>(), "design file")                                                      //
      ("out", po::value<std::string>(), "folder for dataset.h5, model.h5 and results.h5")                      //
      ("workers", po::value<unsigned>()->default_value(0), "worker processes and threads; 0: all")             //
      ("columns", po::value<std::size_t>()->default_value(8), "columns checked against SPICE, per converter")  //
      ("seed", po::value<std::uint64_t>()->default_value(1), "of the operands of those columns")               //
      ("force", "write into an existing folder");
  const auto values = parse_arguments(kUsage, options, {"design"}, arguments);
  if (!values) return 0;
  const fs::path out = required<std::string>(*values, "out", kUsage);
  const netlist::Design design = netlist::load_design(required<std::string>(*values, "design", kUsage));
  if (!design.workload)
    throw UsageError(design.name + ": no [workload] in the design file; add it to run a GPT-2, or use 'gaincal sweep'");
  const unsigned workers = (*values)["workers"].as<unsigned>();
  const unsigned threads = workers > 0 ? workers : available_threads();
  const std::uint64_t seed = (*values)["seed"].as<std::uint64_t>();
  LanguageModel language(*design.workload, threads);  // a bad checkpoint is told before minutes of simulation
  prepare_output_folder(out, values->count("force") > 0);

  Stages stages;
  const store::Dataset dataset = stages.run("characterise in SPICE", [&] {
    store::Dataset result = sweep::characterize(design, {workers});
    result.provenance.command_line = command_line();
    store::write_dataset(out / "dataset.h5", result);
    return result;
  });
  const fit::FitReport fitted = stages.run("fit", [&] {
    fit::FitReport report = fit::fit_circuit(dataset, fit::design_facts(design));
    if (!report.usable()) {
      fit::print_report(std::cout, report);
      throw Error((out / "dataset.h5").string() +
                  ": no usable fit, see the table above; change the design or its grids");
    }
    store::ModelFile file{dataset.provenance, report.model, report.conditions, design.toml};
    store::write_model(out / "model.h5", file);
    return report;
  });
  const device::CircuitModel& model = fitted.model;
  const verify::Operands operands =
      verify::random_operands(design, model, (*values)["columns"].as<std::size_t>(), seed);
  const verify::Verification columns = stages.run("verify columns in SPICE", [&] {
    return verify::verify(design, model, operands, {verify::Level::column, workers, true});
  });

  gpt2::Device circuit = language.device((out / "model.h5").string());
  circuit.name = "fitted-circuit";
  std::vector<DeviceResult> results;
  stages.run("GPT-2 in software", [&] { results.push_back(language.run_software()); });
  stages.run("GPT-2 on paper-linear", [&] { results.push_back(language.run_linear()); });
  stages.run("GPT-2 on paper-nonlinear",
             [&] { results.push_back(language.run_adapted(language.device("paper-nonlinear"))); });
  const auto prices = energy::event_prices(model, *circuit.analog, kChargeUnit_C, {});
  stages.run("GPT-2 on the fitted circuit", [&] { results.push_back(language.run_adapted(circuit, prices)); });
  const attention::Activity& activity = results.back().adapted->activity;
  const energy::Account account =
      energy::make_account(model, energy::price_activity(activity, *prices), static_cast<double>(activity.head_tokens),
                           static_cast<double>(language.config().head_size()), static_cast<double>(design.window));

  store::Dataset file;
  file.schema = store::kResultsSchema;
  file.provenance = dataset.provenance;
  file.provenance.seed = seed;
  file.design_toml = design.toml;
  file.attributes = dataset.attributes;
  file.tables = {perplexity_table(results), adaptation_table(results[2]), adaptation_table(results[3]),
                 energy::energy_table(account), stage_table(stages)};
  for (store::Table& table : energy::distribution_tables(activity, language.config().n_layer))
    file.tables.push_back(std::move(table));
  for (store::Table& table : verify::verification_tables(operands, columns)) file.tables.push_back(std::move(table));
  store::write_dataset(out / "results.h5", file);

  const bool reported = write_report(out, {dataset, store::ModelFile{dataset.provenance, model}, file});

  std::cout << "\n";
  fit::print_report(std::cout, fitted);
  std::cout << "\n";
  verify::print_verification_summary(std::cout, operands, columns);
  std::cout << "\n";
  print_perplexities(std::cout, results, language);
  std::cout << "\n";
  energy::print_sheet(std::cout, energy::energy_sheet(account));
  std::cout << "\n";
  print_stages(std::cout, stages);
  std::cout << "\n"
            << (out / "dataset.h5").string() << "  " << (out / "model.h5").string() << "  "
            << (out / "results.h5").string() << (reported ? "  " + (out / "report.html").string() : "") << "\n";
  return 0;
}

}  // namespace gaincal::cli
