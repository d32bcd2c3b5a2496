#include <filesystem>
#include <iostream>

#include "cli/command.hpp"
#include "core/files.hpp"
#include "core/units.hpp"
#include "energy/baseline.hpp"
#include "store/model_file.hpp"
#include "store/table.hpp"

namespace gaincal::cli {
namespace {

namespace fs = std::filesystem;
constexpr const char* kUsage =
    "gaincal energy DIR [--scaling] [--pipeline] [--set NAME=VALUE] [--out FILE] [--csv DIR]";

double parse_tolerance(const std::string& text) {
  const double share = parse_share(text, "--tolerance");
  if (share == 0.0 || share == 1.0)
    throw UsageError("--tolerance: " + text + " is no tolerance; write more than 0, below 1");
  return share;
}

void write_csv(const fs::path& folder, const std::vector<energy::Sheet>& sheets, bool force) {
  prepare_output_folder(folder, force);
  for (const energy::Sheet& sheet : sheets) write_text(folder / (sheet.id + ".csv"), energy::sheet_csv(sheet));
}

void write_sheets(const fs::path& file, const store::Dataset& results, const std::vector<energy::Sheet>& sheets) {
  store::Dataset dataset;
  dataset.schema = store::kResultsSchema;
  dataset.provenance = results.provenance;
  dataset.provenance.command_line = command_line();
  for (const energy::Sheet& sheet : sheets) energy::add_sheet(dataset, sheet);
  store::write_dataset(file, dataset);
}

}  // namespace

int run_energy(const std::vector<std::string>& arguments) {
  po::options_description options("options");
  options.add_options()                                                                          //
      ("folder", po::value<std::string>(), "folder with model.h5 and results.h5")                //
      ("scaling", "also over window, head size, levels and model size")                          //
      ("heads", "also each layer and head")                                                      //
      ("constants", "also the figures that were not simulated, with their sources")              //
      ("pipeline", "overlap the tokens of a prompt in the timing")                               //
      ("layers", po::value<unsigned>()->default_value(12), "layers that run one after another")  //
      ("tolerance", po::value<std::vector<std::string>>()->composing(),
       "change of a level's current that retention allows, of the largest; default: 1%, 5% and half a level step")  //
      ("set", po::value<std::vector<std::string>>()->composing(),
       "NAME=VALUE of a figure that was not simulated, such as mac=0.5pJ")       //
      ("out", po::value<std::string>(), "every table as HDF5")                   //
      ("csv", po::value<std::string>(), "every table as CSV, into this folder")  //
      ("force", "overwrite --out and --csv");
  const auto values = parse_arguments(kUsage, options, {"folder"}, arguments);
  if (!values) return 0;
  const fs::path folder = required<std::string>(*values, "folder", kUsage);
  const bool force = values->count("force") > 0;
  energy::Constants constants;
  energy::View view;
  view.pipelined = values->count("pipeline") > 0;
  if (values->count("set") > 0)
    for (const std::string& each : (*values)["set"].as<std::vector<std::string>>()) constants.set(each);
  if (values->count("tolerance") > 0)
    for (const std::string& each : (*values)["tolerance"].as<std::vector<std::string>>())
      view.tolerances.push_back(parse_tolerance(each));
  const unsigned layers = (*values)["layers"].as<unsigned>();
  if (layers == 0) throw UsageError("--layers 0: no layer; give 1 or more");
  if (values->count("out") > 0) refuse_overwrite((*values)["out"].as<std::string>(), force);

  const store::ModelFile file = store::read_model(folder / "model.h5");
  const store::Dataset results = store::read_dataset(folder / "results.h5", store::kResultsSchema);
  if (!results.has_table("energy"))
    throw Error((folder / "results.h5").string() + ": no table energy; rerun 'gaincal flow'");
  const energy::Baseline baseline = energy::make_baseline(results, file.model, constants, layers);
  const std::vector<energy::Sheet> costs = energy::cost_sheets(results, baseline, view);
  const std::vector<energy::Sheet> scaling = energy::scaling_sheets(baseline);
  std::vector<energy::Sheet> all = costs;
  all.insert(all.end(), scaling.begin(), scaling.end());
  all.push_back(energy::constants_sheet(constants));
  for (const energy::Sheet& sheet : all) {
    const bool of_scaling = sheet.id.rfind("scaling_", 0) == 0;
    if ((of_scaling && values->count("scaling") == 0) ||
        (sheet.id == "energy_by_head" && values->count("heads") == 0) ||
        (sheet.id == "constants" && values->count("constants") == 0))
      continue;
    energy::print_sheet(std::cout, sheet);
    std::cout << "\n";
  }
  if (values->count("out") > 0) write_sheets((*values)["out"].as<std::string>(), results, all);
  if (values->count("csv") > 0) write_csv((*values)["csv"].as<std::string>(), all, force);
  return 0;
}

}  // namespace gaincal::cli
