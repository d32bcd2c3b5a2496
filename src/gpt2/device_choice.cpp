#include "gpt2/device_choice.hpp"

#include <filesystem>
#include <limits>

#include "core/error.hpp"
#include "core/parallel.hpp"
#include "store/model_file.hpp"

namespace gaincal::gpt2 {
namespace {

constexpr double kPaperLeak = 1.6e-4;  // Leroux et al. 2025: 65 ns x 12 layers over 5 ms

attention::AnalogDevice paper_device(bool nonlinear, std::size_t window, const Config& config,
                                     const DeviceOptions& options) {
  attention::PaperOptions paper;
  paper.nonlinear = nonlinear;
  paper.window = window;
  paper.leak_per_token = options.leak_per_token.value_or(config.gain_cell.leak_per_token.value_or(kPaperLeak));
  paper.tile_map = options.tile_map;
  paper.query_levels = options.query_levels.value_or(paper.query_levels);
  paper.weight_levels = options.weight_levels.value_or(paper.weight_levels);
  paper.output_levels = options.output_levels.value_or(paper.output_levels);
  return attention::make_paper_device(paper);
}

attention::AnalogDevice circuit_device(const std::filesystem::path& path, const device::CircuitModel& model,
                                       std::size_t window, double t_token_s, attention::TileMap tile_map) {
  try {
    return attention::make_circuit_device(model, window, t_token_s, tile_map);
  } catch (const Error& lacks) {
    throw Error(path.string() + ": " + lacks.what());
  }
}

/// The instance of a circuit that a choice and the options say.
device::ModelChoice instance_in(const std::string& choice, const DeviceOptions& options) {
  const std::size_t at = choice.find(".h5@");
  if (at == std::string::npos) return options.circuit;
  return device::parse_model_choice(choice.substr(at + 4), choice, options.circuit);
}

/// The device as the chip that the options ask for; `fitted`: the mismatch of its circuit.
Device on_chip(Device device, const attention::Variation& fitted, const Config& config, const DeviceOptions& options) {
  const std::uint64_t chip = options.circuit.chip.value_or(0);
  if (chip > std::numeric_limits<std::uint32_t>::max())
    throw UsageError("chip " + std::to_string(chip) + " is too large; choose one below 2^32");
  attention::Variation& variation = device.analog->variation;
  variation = fitted;
  if (options.mismatch) variation.cell_gain_sigma = *options.mismatch;
  variation.jitter_sigma = options.jitter;
  variation.score_residual = options.residuals.score;
  variation.output_residual = options.residuals.output;
  variation.seed = options.seed;
  variation.chip = static_cast<std::uint32_t>(chip);
  if (!variation.any()) return device;
  device.heads.resize(config.n_layer * config.n_head);
  parallel_for(device.heads.size(), options.threads, [&](std::size_t i) {
    device.heads[i] = attention::draw_head(*device.analog, i / config.n_head, i % config.n_head);
  });
  return device;
}

}  // namespace

std::filesystem::path circuit_path(const std::string& choice) {
  const std::size_t at = choice.find(".h5@");
  return choice.substr(0, at == std::string::npos ? at : at + 3);
}

device::CircuitModel read_circuit(const std::string& choice, const DeviceOptions& options) {
  device::ModelChoice instance = instance_in(choice, options);
  if (options.mismatch) instance.chip.reset();  // in place of the fitted mismatch, which may not be there
  return store::read_instance(circuit_path(choice), instance).model;
}

Device make_device(const std::string& choice, const Config& config, const DeviceOptions& options) {
  if (choice == "softmax") return {choice, std::nullopt};
  if (config.head_size() > attention::kArrayRows)
    throw UsageError("heads of " + std::to_string(config.head_size()) + " values do not fit arrays of " +
                     std::to_string(attention::kArrayRows) + " rows; use --device softmax");
  const std::size_t window = options.window.value_or(config.gain_cell.window.value_or(config.n_ctx));
  if (choice == "paper-linear" || choice == "paper-nonlinear")
    return on_chip({choice, paper_device(choice == "paper-nonlinear", window, config, options)}, {}, config, options);
  const std::filesystem::path path = circuit_path(choice);
  if (path.extension() != ".h5" && !std::filesystem::exists(path))
    throw UsageError("device '" + choice +
                     "' is unknown; choose softmax, paper-linear, paper-nonlinear or the path of a model.h5");
  if (options.weight_levels == 0)
    throw UsageError(choice + ": cells hold levels; unquantised weights are for paper devices");
  device::CircuitModel model = read_circuit(choice, options);
  const double t_token_s = static_cast<double>(config.n_layer) * model.t_token_s;
  const device::CircuitChange change{options.query_levels, options.weight_levels, options.output_levels,
                                     options.leak_per_token};
  if (change.any()) device::apply(change, t_token_s, window, model);
  DeviceOptions on = options;
  on.circuit = instance_in(choice, options);
  return on_chip({choice, circuit_device(path, model, window, t_token_s, options.tile_map)},
                 attention::chip_variation(model), config, on);
}

}  // namespace gaincal::gpt2
