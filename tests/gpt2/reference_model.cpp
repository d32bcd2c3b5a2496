#include "reference_model.hpp"

#include <catch2/catch.hpp>
#include <cmath>

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

std::vector<TinyCase> tiny_cases(bool quantised) {
  std::vector<TinyCase> cases;
  const auto add = [&](const std::string& name, std::size_t window, double leak_per_token, std::size_t tokens) {
    for (const bool nonlinear : {false, true})
      cases.push_back({std::string(nonlinear ? "dram_" : "linear_") + name + ".fp32decay",
                       paper_device(nonlinear, window, leak_per_token, quantised), tokens});
  };
  if (quantised) {
    add("q_w256_T200", 256, 1.6e-4, 200);
    add("q_w256_T192", 256, 1.6e-4, 192);
    add("q_w256_T40", 256, 1.6e-4, 40);
    add("q_w64_T200", 64, 1.6e-4, 200);
    add("q_w256_T200_fastdecay", 256, 5e-3, 200);
  } else {
    add("f_w256_T200", 256, 1.6e-4, 200);
    add("f_w64_T200", 64, 1.6e-4, 200);
    add("f_w256_T200_fastdecay", 256, 5e-3, 200);
    add("f_w256_T200_nodecay", 256, 0.0, 200);
  }
  return cases;
}

std::vector<double> position_errors(const Matrix& got, const double* expected) {
  std::vector<double> errors(static_cast<std::size_t>(got.rows()), 0.0);
  for (Eigen::Index t = 0; t < got.rows(); ++t)
    for (Eigen::Index i = 0; i < got.cols(); ++i) {
      const double error = std::abs(static_cast<double>(got(t, i)) - expected[t * got.cols() + i]);
      double& worst = errors[static_cast<std::size_t>(t)];
      if (!(error <= worst)) worst = error;  // a NaN stays
    }
  return errors;
}

}  // namespace gaincal::tests
