#include <algorithm>
#include <cmath>
#include <iomanip>
#include <iostream>
#include <optional>

#include "cli/command.hpp"
#include "cli/model_choice.hpp"
#include "core/files.hpp"
#include "core/log.hpp"
#include "core/parallel.hpp"
#include "core/units.hpp"
#include "gpt2/device_choice.hpp"
#include "gpt2/evaluate.hpp"
#include "gpt2/tokenizer.hpp"
#include "netlist/design.hpp"
#include "store/model_file.hpp"
#include "sweep/run_points.hpp"
#include "verify/mismatch_check.hpp"
#include "verify/verify.hpp"

namespace gaincal::cli {
namespace {

constexpr const char* kUsage =
    "gaincal verify MODEL.h5 [--level cell|column|array|tile] [--count N --seed S | --operands FILE] [--out FILE]";

/// The design that the model is of, at the instance that is asked for.
netlist::Design design_of(const po::variables_map& values, const std::string& path, const store::ModelFile& file,
                          const device::ModelChoice& choice) {
  netlist::Design design;
  if (values.count("design") > 0) {
    design = netlist::load_design(values["design"].as<std::string>());
  } else {
    if (file.design_toml.empty())
      throw UsageError(path + ": does not hold its design (schema before 1.3); give --design, or rerun 'gaincal fit'");
    try {
      design = netlist::parse_design(file.design_toml, path + ":design_toml");
    } catch (const UsageError& failure) {  // such as a technology that stands in a file elsewhere
      throw UsageError(std::string(failure.what()) + ", or give the design file with --design");
    }
  }
  if (design.name != file.model.design_name)
    throw UsageError("design '" + design.name + "' is not the one of " + path + ", '" + file.model.design_name +
                     "'; give the design that the model was made of");
  if (choice.corner) {
    design.technology.corner(*choice.corner);
    design.corner = *choice.corner;
  }
  if (choice.temperature_C) design.temperature_C = *choice.temperature_C;
  if (choice.supply_V) design.technology.supply_V = *choice.supply_V;
  return design;
}

verify::Operands operands_of(const po::variables_map& values, const netlist::Design& design,
                             const store::ModelFile& file) {
  const std::size_t count = values["count"].as<std::size_t>();
  if (count == 0) throw UsageError("--count: 0 compares nothing; write 1 or more");
  if (values.count("operands") == 0)
    return verify::random_operands(design, file.model, count, values["seed"].as<std::uint64_t>());
  verify::Operands operands = verify::read_operands(values["operands"].as<std::string>(), design, file);
  if (values["count"].defaulted() || count >= operands.sets.size()) return operands;
  std::vector<verify::OperandSet> sets;
  for (std::size_t i = 0; i < count; ++i) sets.push_back(operands.sets[i * operands.sets.size() / count]);
  operands.sets = std::move(sets);
  return operands;
}

/// What the residuals of a verification do to a GPT-2: perplexity without them, and with draws of them.
void print_perplexity(const po::variables_map& values, const std::string& model, const device::ModelChoice& choice,
                      gpt2::Residuals residuals) {
  const std::string folder = values["gpt2"].as<std::string>(), text = required<std::string>(values, "text", kUsage);
  const auto draws = values["draws"].as<std::size_t>();
  if (draws < 2) throw UsageError("--draws: give 2 or more, so that their spread is known");
  const gpt2::Model checkpoint = gpt2::Model::load(folder);
  const auto tokenizer = gpt2::Tokenizer::of_checkpoint(folder);
  checkpoint.check_tokenizer(tokenizer);
  const auto tokens = tokenizer.encode(read_file(text), gpt2::SpecialTokens::parse, text);
  const std::size_t context = checkpoint.config().n_ctx;
  const auto windows = gpt2::split_text(tokens, context, context);
  gpt2::EvaluateOptions evaluate;
  evaluate.threads = available_threads();
  evaluate.count_activity = false;
  gpt2::DeviceOptions options;
  options.circuit = choice;
  const auto perplexity = [&] {
    return evaluate_perplexity(checkpoint, make_device(model, checkpoint.config(), options), windows, evaluate)
        .perplexity;
  };
  const double without = perplexity();
  options.residuals = std::move(residuals);
  double sum = 0.0, squares = 0.0;
  for (options.seed = 1; options.seed <= draws; ++options.seed) {
    const double difference = perplexity() - without;
    sum += difference;
    squares += difference * difference;
  }
  const auto n = static_cast<double>(draws);
  const double spread = std::sqrt(std::max(0.0, squares - sum * sum / n) / (n - 1));
  std::cout << std::fixed << std::setprecision(3) << "perplexity " << without << ", with the SPICE residual "
            << without + sum / n << " +- " << spread << "\n  " << draws << " draws, +- between draws; the shift "
            << sum / n << " +- " << spread / std::sqrt(n) << "; scalers of the checkpoint; " << tokens.size()
            << " tokens of " << text << "\n";
}

}  // namespace

int run_verify(const std::vector<std::string>& arguments) {
  po::options_description options("options");
  auto add = options.add_options();
  add("model", po::value<std::string>(), "fitted circuit, model.h5");
  add("level", po::value<std::string>()->default_value("column"),
      "what is simulated: a cell, a column with its converter, an array of columns, or a sub-tile of two arrays");
  add("count", po::value<std::size_t>()->default_value(16), "operand sets: random ones, or so many of --operands");
  add("seed", po::value<std::uint64_t>()->default_value(1), "of random operands, and of mismatch");
  add("operands", po::value<std::string>(),
      "operands of 'gaincal gpt2 eval --capture', or an .npz with arrays Q, K, V (sets, tokens, rows)");
  add("design", po::value<std::string>(), "design file, where its technology stands in a file (default: as in MODEL)");
  add("least-exact", po::value<std::string>()->default_value("85%"), "of outputs that are to be the circuit's own");
  add("least-within", po::value<std::string>()->default_value("99%"), "of outputs that are to be within 1 LSB");
  add("mismatch-samples", po::value<std::size_t>()->default_value(0),
      "chips on which a column is simulated too: sigma of its output, SPICE and model");
  add("gpt2", po::value<std::string>(), "checkpoint: perplexity with what SPICE gave beside the models; needs --text");
  add("text", po::value<std::string>(), "text file, UTF-8");
  add("draws", po::value<std::size_t>()->default_value(8), "of the residuals");
  add("workers", po::value<unsigned>()->default_value(0), "worker processes; 0: one per core");
  add("out", po::value<std::string>(), "operands and both results (HDF5)");
  add("force", "overwrite --out");
  add_model_options(options);
  const auto values = parse_arguments(kUsage, options, {"model"}, arguments);
  if (!values) return 0;
  const auto path = required<std::string>(*values, "model", kUsage);
  const std::string out = values->count("out") > 0 ? (*values)["out"].as<std::string>() : "";
  if (!out.empty()) refuse_overwrite(out, values->count("force") > 0);
  if (values->count("text") > 0 && values->count("gpt2") == 0)
    throw UsageError("--text: is for the perplexity of a checkpoint; give --gpt2 DIR too");
  const double least_exact = parse_share((*values)["least-exact"].as<std::string>(), "--least-exact");
  const double least_within = parse_share((*values)["least-within"].as<std::string>(), "--least-within");
  verify::VerifyOptions how;
  how.level = verify::parse_level((*values)["level"].as<std::string>());
  how.workers = (*values)["workers"].as<unsigned>();
  const auto samples = (*values)["mismatch-samples"].as<std::size_t>();
  if (samples > 0 && how.level != verify::Level::column)
    throw UsageError("--mismatch-samples: chips are simulated as columns; give --level column");
  device::ModelChoice choice = model_choice(*values);
  if (choice.chip)
    throw UsageError("--chip: the circuit of one chip is not simulated; give --mismatch-samples to compare its sigma");
  const store::ModelFile file = store::read_instance(path, choice);
  const netlist::Design design = design_of(*values, path, file, choice);
  const verify::Operands operands = operands_of(*values, design, file);

  const verify::Verification verification = verify::verify(design, file.model, operands, how);
  verify::print_verification(std::cout, operands, verification);
  store::Dataset results;
  results.schema = store::kResultsSchema;
  results.provenance.command_line = command_line();
  results.provenance.netlist_hash = file.provenance.netlist_hash;
  results.provenance.ngspice_version = sweep::simulator_version();
  results.provenance.seed = (*values)["seed"].as<std::uint64_t>();
  results.attributes = {{"design_name", design.name}, {"operands", operands.source}};
  results.design_toml = design.toml;
  results.tables = verify::verification_tables(operands, verification);
  if (samples > 0) {
    const device::MismatchModel mismatch = store::read_model(path).model.mismatch;
    const verify::MismatchCheck check =
        verify::check_mismatch(design, file.model, mismatch, operands, samples, results.provenance.seed, how.workers);
    verify::print_mismatch(std::cout, check);
    results.tables.push_back(verify::mismatch_table(check));
  }
  if (!out.empty()) store::write_dataset(out, results);
  if (values->count("gpt2") > 0)
    print_perplexity(*values, path, choice, gpt2::residuals_of(results, out.empty() ? "verify" : out));

  if (verification.within(least_exact, least_within)) return 0;
  std::cerr << "gaincal: outside the limits: exact " << (*values)["least-exact"].as<std::string>() << ", within 1 LSB "
            << (*values)["least-within"].as<std::string>() << ", no failed simulation\n";
  return static_cast<int>(ExitCode::outside_limit);
}

}  // namespace gaincal::cli
