#include <iostream>

#include "cli/command.hpp"
#include "cli/model_choice.hpp"
#include "exporters/exporter.hpp"
#include "exporters/pygmid.hpp"
#include "store/table.hpp"

namespace gaincal::cli {
namespace {

void list_formats() {
  for (const exporters::Exporter& exporter : exporters::exporters())
    std::cout << exporter.name << std::string(11 - exporter.name.size(), ' ')
              << (exporter.layout == exporters::Layout::file ? "file    " : "folder  ") << exporter.writes << "\n";
}

}  // namespace

int run_export(const std::vector<std::string>& arguments) {
  const std::string usage = "gaincal export model.h5 --to FORMAT --out PATH [--corner C] [--temperature T] [--force]";
  po::options_description options("options");
  options.add_options()("model", po::value<std::string>(), "model.h5 to export; of a MOSFET sweep its dataset.h5");
  options.add_options()("to", po::value<std::string>(), "format of the output, see --list");
  options.add_options()("out,o", po::value<std::string>(), "file or folder to write, as the format says");
  options.add_options()("force", "overwrite");
  add_model_options(options);
  options.add_options()("list", "list the formats and what they write");
  const auto values = parse_arguments(usage, options, {"model"}, arguments);
  if (!values) return 0;
  if (values->count("list") > 0) {
    list_formats();
    return 0;
  }
  const auto format = required<std::string>(*values, "to", usage);
  exporters::find_exporter(format);  // a typing error costs no reading
  const auto model_path = required<std::string>(*values, "model", usage);
  const exporters::Target target{required<std::string>(*values, "out", usage), values->count("force") > 0};
  if (format == "pygmid") {  // of a sweep, which no fit has seen
    for (const std::filesystem::path& path :
         exporters::export_mosfet_sweep(store::read_dataset(model_path), model_path, target.path, target.force))
      std::cout << path.string() << "\n";
    return 0;
  }
  const exporters::Source source = exporters::read_source(model_path, command_line(), model_choice(*values));
  for (const std::filesystem::path& path : exporters::export_model(source, format, target))
    std::cout << path.string() << "\n";
  return 0;
}

}  // namespace gaincal::cli
