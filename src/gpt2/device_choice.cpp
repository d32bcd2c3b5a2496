#include "gpt2/device_choice.hpp"

#include <filesystem>

#include "core/error.hpp"
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

}  // namespace

Device make_device(const std::string& choice, const Config& config, const DeviceOptions& options) {
  if (choice == "softmax") return {choice, std::nullopt};
  if (config.head_size() > attention::kArrayRows)
    throw UsageError("heads of " + std::to_string(config.head_size()) + " values do not fit arrays of " +
                     std::to_string(attention::kArrayRows) + " rows; use --device softmax");
  const std::size_t window = options.window.value_or(config.gain_cell.window.value_or(config.n_ctx));
  if (choice == "paper-linear" || choice == "paper-nonlinear")
    return {choice, paper_device(choice == "paper-nonlinear", window, config, options)};
  const std::size_t at = choice.find(".h5@");
  const std::filesystem::path path = choice.substr(0, at == std::string::npos ? at : at + 3);
  if (path.extension() != ".h5" && !std::filesystem::exists(path))
    throw UsageError("device '" + choice +
                     "' is unknown; choose softmax, paper-linear, paper-nonlinear or the path of a model.h5");
  if (options.leak_per_token)
    throw UsageError("device '" + choice + "' has a leak of its own; --leak is for paper-linear and paper-nonlinear");
  if (options.query_levels || options.weight_levels || options.output_levels)
    throw UsageError(choice + ": levels are the fitted circuit's; set them for a paper device");
  device::ModelChoice instance = options.circuit;
  if (at != std::string::npos) instance = device::parse_model_choice(choice.substr(at + 4), choice, instance);
  const store::ModelFile file = store::read_instance(path, instance);
  const double t_token_s = static_cast<double>(config.n_layer) * file.model.t_token_s;
  return {choice, attention::make_circuit_device(file.model, window, t_token_s, options.tile_map)};
}

}  // namespace gaincal::gpt2
