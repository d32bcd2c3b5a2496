#include "report/report.hpp"

#include "core/error.hpp"
#include "core/files.hpp"
#include "report/gnuplot.hpp"
#include "report/sections.hpp"

namespace gaincal::report {

namespace fs = std::filesystem;

Sources read_sources(const fs::path& folder) {
  if (!fs::is_directory(folder)) throw Error(folder.string() + ": no such folder; make one with 'gaincal flow'");
  Sources sources;
  if (fs::exists(folder / "dataset.h5")) sources.dataset = store::read_dataset(folder / "dataset.h5");
  if (fs::exists(folder / "model.h5")) sources.model = store::read_model(folder / "model.h5");
  if (fs::exists(folder / "results.h5"))
    sources.results = store::read_dataset(folder / "results.h5", store::kResultsSchema);
  const auto read = [&](const char* name, std::string_view schema, std::optional<store::Dataset>& place) {
    if (fs::exists(folder / name)) place = store::read_dataset(folder / name, schema);
  };
  read("corners/dataset.h5", store::kDatasetSchema, sources.corners);
  read("mismatch/dataset.h5", store::kDatasetSchema, sources.mismatch);
  read("verify.h5", store::kResultsSchema, sources.verify);
  read("study.h5", store::kResultsSchema, sources.study);
  read("circuits.h5", store::kDatasetSchema, sources.circuits);
  if (!sources.dataset && !sources.model && !sources.results)
    throw Error(folder.string() +
                ": holds neither dataset.h5, model.h5 nor results.h5; make them with 'gaincal flow DESIGN.toml --out " +
                folder.string() + "'");
  return sources;
}

Page make_page(const Sources& sources) {
  Page page;
  std::string design = "analog attention";
  if (sources.model) {
    design = sources.model->model.design_name;
    page.subtitle = "technology " + sources.model->model.technology_name + ", ";
  } else if (sources.dataset && sources.dataset->attributes.count("design_name") > 0) {
    design = sources.dataset->attributes.at("design_name");
  }
  page.title = "gaincal: " + design;
  page.subtitle +=
      "from transistors to tokens: what SPICE said, what was fitted to it, and what a language model on the "
      "fitted circuit costs and says";
  page.headlines = headlines(sources);
  page.sections = {cell_section(sources),       converter_section(sources),   memory_section(sources),
                   spread_section(sources),     circuits_section(sources),    column_section(sources),
                   language_section(sources),   sensitivity_section(sources), energy_section(sources),
                   comparison_section(sources), timing_section(sources),      scaling_section(sources),
                   provenance_section(sources)};
  return page;
}

void write_report(const fs::path& file, const Page& page) {
  const std::vector<Panel> panels = panels_of(page);
  std::vector<std::string> drawings = draw_svg(panels);
  for (std::size_t i = 0; i < panels.size(); ++i) drawings[i] = inline_svg(drawings[i], panels[i].id);
  write_text(file, render_page(page, drawings));
}

void write_figures(const fs::path& folder, const Page& page) {
  std::error_code failure;
  fs::create_directories(folder, failure);
  if (failure) throw Error(folder.string() + ": cannot create the folder: " + failure.message());
  draw_files(panels_of(page), folder);
}

}  // namespace gaincal::report
