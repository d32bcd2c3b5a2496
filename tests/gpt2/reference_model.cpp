#include "reference_model.hpp"

#include <catch2/catch.hpp>

namespace gaincal::tests {

using namespace gpt2;

const double* at(const store::NumpyArray& array, std::initializer_list<std::size_t> index) {
  std::size_t offset = 0, axis = 0;
  for (const std::size_t i : index) {
    REQUIRE(i < array.shape[axis]);
    offset = offset * array.shape[axis++] + i;
  }
  for (; axis < array.shape.size(); ++axis) offset *= array.shape[axis];
  return array.values.data() + offset;
}

Device paper_device(bool nonlinear, std::size_t window, double leak_per_token, bool quantised) {
  attention::PaperOptions options;
  options.nonlinear = nonlinear;
  options.window = window;
  options.leak_per_token = leak_per_token;
  options.tile_map = attention::TileMap::absolute;
  if (!quantised) options.query_levels = options.weight_levels = options.output_levels = 0;
  return {nonlinear ? "paper-nonlinear" : "paper-linear", attention::make_paper_device(options)};
}

std::vector<TokenId> tiny_tokens(const std::filesystem::path& ref, std::size_t count) {
  const store::NumpyArray tokens = store::read_npy(ref / "tokens.npy");
  REQUIRE(count <= tokens.values.size());
  std::vector<TokenId> result;
  for (std::size_t i = 0; i < count; ++i) result.push_back(static_cast<TokenId>(tokens.values[i]));
  return result;
}

Model tiny_model(const std::filesystem::path& ref, Activation activation) {
  Config config = read_config(ref / "config.json");
  config.activation = activation;
  return {config, SafetensorsFile(ref / "tiny_gpt2.safetensors")};
}

std::vector<std::vector<TokenId>> small_windows(const std::filesystem::path& small_model, const std::string& split) {
  const store::NumpyArray file = store::read_npy(small_model / ("windows_" + split + ".npy"));
  std::vector<std::vector<TokenId>> windows(file.shape[0]);
  for (std::size_t w = 0; w < windows.size(); ++w)
    for (std::size_t t = 0; t < file.shape[1]; ++t) windows[w].push_back(static_cast<TokenId>(at(file, {w})[t]));
  return windows;
}

std::vector<SmallCase> small_cases() {
  return {{"softmax", {}},
          {"linear", paper_device(false, 256)},
          {"dram_adapted", paper_device(true, 256)},
          {"dram_finetuned", paper_device(true, 256)}};
}

}  // namespace gaincal::tests
