#pragma once

#include <filesystem>

#include "exporters/source.hpp"

namespace gaincal::tests {

/// A model made by hand with the figures of a 28 nm gain cell (currents -3.26..2.87 uA at eight levels, edge charges
/// -0.36..0.05 fC, converters that saturate at 15 ns), of one value for each thing that an exporter reads.
store::ModelFile sample_model_file();

/// The same with models at two corners, three temperatures and three supplies.
store::ModelFile sample_model_set_file();

/// The same written as `folder`/model.h5 and read back.
exporters::Source sample_source(const std::filesystem::path& folder);

}  // namespace gaincal::tests
