#include <iostream>

#include "cli/command.hpp"
#include "core/files.hpp"
#include "fit/conditions_fit.hpp"
#include "fit/fit.hpp"
#include "netlist/design.hpp"
#include "store/model_file.hpp"

namespace gaincal::cli {
namespace {

constexpr const char* kUsage =
    "gaincal fit DATASET.h5 --out model.h5 [--design FILE] [--operands FILE] [--report] [--force]";

fit::FitReport fit_file(const std::string& path, const store::Dataset& dataset, const fit::DesignFacts& facts) try {
  return fit::fit_circuit(dataset, facts);
} catch (const Error& failure) {
  throw Error(path + ": " + failure.what(), failure.exit_code());
}

fit::Operands operands_of(const std::string& path, const netlist::Design& design) {
  const store::Dataset captured = store::read_dataset(path, store::kResultsSchema);
  try {
    return fit::read_operands(captured, design);
  } catch (const Error& failure) {
    throw Error(path + ": " + failure.what(), failure.exit_code());
  }
}

std::string refusal(const fit::Outcome& failure) {
  return failure.quantity + ", " + failure.form + ": " + std::string(fit::status_name(failure.status)) +
         (failure.note.empty() ? "" : " (" + failure.note + ")") + "; no model was written, " +
         (failure.status == fit::FitStatus::not_monotone ? "correct the circuit" : "sweep more points");
}

}  // namespace

int run_fit(const std::vector<std::string>& arguments) {
  po::options_description options("options");
  options.add_options()("dataset", po::value<std::string>(), "dataset.h5 of 'gaincal sweep'")(
      "out", po::value<std::string>(), "model to write")(
      "design", po::value<std::string>(),
      "design file, where its technology stands in a file (default: as in DATASET)")(
      "operands", po::value<std::string>(), "captured operands of a run, which weight the points of the cell")(
      "report", "print every form that was tried, with its scores and coefficients")("force", "overwrite --out");
  const auto values = parse_arguments(kUsage, options, {"dataset"}, arguments);
  if (!values) return 0;
  const std::string in = required<std::string>(*values, "dataset", kUsage);
  const std::string out = required<std::string>(*values, "out", kUsage);
  refuse_overwrite(out, values->count("force") > 0);
  const store::Dataset dataset = store::read_dataset(in);
  const netlist::Design design = values->count("design") > 0
                                     ? netlist::load_design((*values)["design"].as<std::string>())
                                     : netlist::parse_design(dataset.design_toml, in + ":design_toml");
  fit::DesignFacts facts = fit::design_facts(design);
  if (values->count("operands") > 0) facts.operands = operands_of((*values)["operands"].as<std::string>(), design);
  const fit::FitReport report = fit_file(in, dataset, facts);
  fit::print_report(std::cout, report);
  if (values->count("report") > 0) {
    std::cout << "\n";
    fit::print_forms(std::cout, report);
    std::cout << "\n";
    fit::print_mismatch(std::cout, report.model.mismatch);
    fit::print_conditions(std::cout, report.conditions);
  }
  if (const fit::Outcome* failure = report.first_failure()) throw Error(in + ": " + refusal(*failure));
  store::ModelFile file{dataset.provenance, report.model, report.conditions, design.toml};
  file.provenance.tool_version = tool_version();
  file.provenance.command_line = command_line();
  store::write_model(out, file);
  return 0;
}

}  // namespace gaincal::cli
