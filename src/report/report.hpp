#pragma once

#include <filesystem>
#include <optional>

#include "report/page.hpp"
#include "store/model_file.hpp"
#include "store/table.hpp"

namespace gaincal::report {

/// The files of a flow; what the folder lacks is empty.
struct Sources {
  std::optional<store::Dataset> dataset;
  std::optional<store::ModelFile> model;
  std::optional<store::Dataset> results;
  std::optional<store::Dataset> corners = {};   ///< of a sweep of the cell over corners and temperature
  std::optional<store::Dataset> mismatch = {};  ///< of a Monte Carlo sweep of the cell
  std::optional<store::Dataset> verify = {};    ///< columns and arrays against SPICE
  std::optional<store::Dataset> study = {};     ///< `gaincal gpt2 sweep`
  std::optional<store::Dataset> circuits = {};  ///< `gaincal netlist --self-test`
};

/// Reads dataset.h5, model.h5 and results.h5 of a folder, and corners/dataset.h5, mismatch/dataset.h5, verify.h5,
/// study.h5 and circuits.h5 where they stand beside them.
///
/// Throws  Error when the folder is missing or holds none of the first three, or with the store's message for a damaged
/// one
Sources read_sources(const std::filesystem::path& folder);

/// What the report shows: sections with figures, tables and the provenance. Missing parts become sections that name the
/// command that makes them.
Page make_page(const Sources& sources);

/// Draws the figures with gnuplot and writes one HTML file that needs nothing else.
///
/// Throws  Error when gnuplot is missing or the file cannot be written
void write_report(const std::filesystem::path& file, const Page& page);

/// Writes every panel as SVG and PDF into a folder, which is created. Throws as write_report.
void write_figures(const std::filesystem::path& folder, const Page& page);

}  // namespace gaincal::report
