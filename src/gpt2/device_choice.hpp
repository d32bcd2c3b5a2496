#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "device/circuit_change.hpp"
#include "device/conditions.hpp"
#include "gpt2/residual.hpp"
#include "gpt2/transformer.hpp"

namespace gaincal::gpt2 {

/// What the user sets of an analog device; the rest comes from the checkpoint's config and the device itself.
struct DeviceOptions {
  std::optional<std::size_t> window;  ///< tokens that the arrays hold; else gain_cell.window, else n_ctx
  /// Of the stored voltage. Else, of paper devices, gain_cell.decay_factor or the paper's 1.6e-4; of circuits, as
  /// fitted.
  std::optional<double> leak_per_token;
  /// 2..256, 0: unquantised. Else, of paper devices, 16, 8 and 32; of circuits, as fitted.
  std::optional<int> query_levels, weight_levels, output_levels;
  attention::TileMap tile_map = attention::TileMap::ring;
  device::ModelChoice circuit;  ///< instance of a model.h5; the chip's number is that of a paper device too
  /// Relative sigma of the cells' charges in place of all mismatch that a circuit was fitted with.
  std::optional<double> mismatch;
  double jitter = 0.0;       ///< sigma of each pulse of a converter, of the longest pulse
  Residuals residuals = {};  ///< added to converters' pulses; empty: none
  std::uint64_t seed = 0;    ///< of the chips, the jitter and the residuals
  unsigned threads = 1;      ///< that draw the chip; no result depends on them
};

/// A device by its name: `softmax`, `paper-linear`, `paper-nonlinear`, or the path of a model.h5, the fitted circuit,
/// whose token time is n_layer times that of one layer. `model.h5@ss,85C` is an instance of it, over options.circuit.
///
/// Throws UsageError for another word, for heads that do not fit the arrays and for unquantised weights in a circuit,
/// Error when the file cannot be read.
Device make_device(const std::string& choice, const Config& config, const DeviceOptions& options = {});

/// The path in `model.h5@ss,85C`.
std::filesystem::path circuit_path(const std::string& choice);

/// The circuit of a device that is the path of a model.h5, at the instance that the choice and the options say. Throws
/// Error as store::read_instance.
device::CircuitModel read_circuit(const std::string& choice, const DeviceOptions& options);

}  // namespace gaincal::gpt2
