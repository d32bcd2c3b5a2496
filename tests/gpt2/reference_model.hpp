#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "gpt2/transformer.hpp"
#include "store/numpy_file.hpp"

namespace gaincal::tests {

/// First value of the sub-array at `index` of the leading axes.
const double* at(const store::NumpyArray& array, std::initializer_list<std::size_t> index);

/// The authors' device as the reference runs it: tiles by absolute position. Quantised 16/8/32 or not at all.
gpt2::Device paper_device(bool nonlinear, std::size_t window, double leak_per_token = 1.6e-4, bool quantised = true);

/// Tokens of the random reference model, and its weights with the config as stored.
std::vector<gpt2::TokenId> tiny_tokens(const std::filesystem::path& ref, std::size_t count);
gpt2::Model tiny_model(const std::filesystem::path& ref, gpt2::Activation activation = gpt2::Activation::gelu_erf);

/// One row of windows_test.npy or windows_valid.npy: 257 tokens of the small model.
std::vector<std::vector<gpt2::TokenId>> small_windows(const std::filesystem::path& small_model,
                                                      const std::string& split);

/// The four models of the small set and the device that each was trained for.
struct SmallCase {
  std::string name;
  gpt2::Device device;
};
std::vector<SmallCase> small_cases();

/// Cases of the random reference model on the authors' devices: logits in `file`, of the first `tokens` of tiny_tokens.
struct TinyCase {
  std::string file;
  gpt2::Device device;
  std::size_t tokens;
};
std::vector<TinyCase> tiny_cases(bool quantised);

/// Largest logit difference of each position, NaN where one is; expected (T, vocabulary).
std::vector<double> position_errors(const gpt2::Matrix& got, const double* expected);

/// Indices of the windows whose logits are stored.
inline constexpr std::size_t kLogitWindows[] = {0, 21, 42, 63};

}  // namespace gaincal::tests
