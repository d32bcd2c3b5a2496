#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace gaincal::tests {

/// The numbers that each of `count` copies of this program prints, run at once with `words`.
std::vector<double> run_selves(const std::vector<std::string>& words, int count);

/// The number that a Python script prints about a folder; nothing where it prints none, or there is no Python.
std::optional<double> run_script(const std::filesystem::path& script, const std::filesystem::path& folder);

/// A folder that goes with its owner.
struct ScratchFolder {
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  std::filesystem::path path;
};

}  // namespace gaincal::tests
