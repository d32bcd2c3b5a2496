#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "store/table.hpp"

namespace gaincal::gpt2 {

/// What transistors gave beside the models of their circuit, from `gaincal verify --out`: values of SPICE minus the
/// models', of outputs whose model value lies inside its range, in 0..1 of the longest pulse.
struct Residuals {
  std::vector<float> score, output;
};

/// Throws  Error naming the file when it has no output that can be used
Residuals read_residuals(const std::filesystem::path& path);

/// The same of its content; `where` begins the message.
Residuals residuals_of(const store::Dataset& verification, const std::string& where);

}  // namespace gaincal::gpt2
