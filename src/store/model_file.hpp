#pragma once

#include <filesystem>

#include "core/provenance.hpp"
#include "device/circuit_model.hpp"
#include "device/conditions.hpp"

namespace gaincal::store {

/// model.h5: a CircuitModel with its provenance; layout in FORMAT.md.
struct ModelFile {
  Provenance provenance;
  device::CircuitModel model;            ///< nominal, or the instance that was asked for
  device::ConditionSet conditions = {};  ///< the same circuit elsewhere
  std::string design_toml = {};          ///< the design file as used; empty before schema 1.3
};

/// Writes atomically.
void write_model(const std::filesystem::path& path, const ModelFile& file);

/// Throws Error naming file and field when it is missing, no HDF5, of another schema or damaged.
ModelFile read_model(const std::filesystem::path& path);

/// The same with `model` at the corner, temperature and supply of the choice, its mismatch 0 where no chip is chosen.
/// Warns where a temperature or supply was clamped to the fitted range.
///
/// Throws  Error, besides, naming what there is for a corner or chip that the file lacks, and, where the choice is
///         strict, for a temperature or supply outside the fitted range
ModelFile read_instance(const std::filesystem::path& path, const device::ModelChoice& choice);

}  // namespace gaincal::store
