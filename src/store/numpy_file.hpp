#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace gaincal::store {

/// A NumPy array as double, row-major.
struct NumpyArray {
  std::vector<std::size_t> shape;
  std::vector<double> values;
};

/// `.npy` of little-endian numbers (f4, f8, i8, i4, u2, u1, b1), format 1, C order.
///
/// Throws  Error naming file and reason on anything else
NumpyArray read_npy(const std::filesystem::path& path);

/// Every array of an `.npz`, by name without `.npy`. Throws as read_npy.
std::map<std::string, NumpyArray> read_npz(const std::filesystem::path& path);

}  // namespace gaincal::store
