#pragma once

#include <filesystem>
#include <string>

#include "store/model_file.hpp"

namespace gaincal::exporters {

/// What is exported, and where it came from.
struct Source {
  std::filesystem::path path;  ///< of the model file, as given
  std::string hash;            ///< content_hash of its bytes
  std::string command_line;    ///< of this export
  std::string instance;        ///< what was chosen: "corner ss, 85 degC"; empty: nominal
  store::ModelFile file;
};

/// Reads an instance of a model.h5. Throws Error as store::read_instance does.
Source read_source(const std::filesystem::path& path, const std::string& command_line,
                   const device::ModelChoice& choice = {});

/// Parts of a model that a format may need.
enum Part : unsigned {
  kCell = 1,
  kScoreReadout = 2,
  kOutputReadout = 4,
  kWrite = 8,
  kLeak = 16,
  kReadEnergy = 32,
  kConversionEnergy = 64,
};

/// Throws Error naming the first of the parts (bits of Part) that the model does not hold, and the format.
void require_parts(const Source& source, unsigned parts, std::string_view format);

/// Whether the model holds a leak that an exponential can say: a finite time constant.
bool has_exponential_leak(const device::LeakModel& leak);

}  // namespace gaincal::exporters
