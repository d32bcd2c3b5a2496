#include "store/numpy_file.hpp"

#include <zip.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <sstream>
#include <string_view>

#include "core/error.hpp"
#include "core/files.hpp"

namespace gaincal::store {
namespace {

[[noreturn]] void refuse(const std::string& where, const std::string& why) {
  throw Error(where + ": " + why + "; save it with numpy.save or numpy.savez");
}

template <class T>
std::vector<double> numbers(const std::string& where, std::string_view data, std::size_t count) {
  if (data.size() != count * sizeof(T)) refuse(where, "has not the length that its header says");
  std::vector<T> values(count);
  std::memcpy(values.data(), data.data(), data.size());
  return {values.begin(), values.end()};
}

std::string between(const std::string& where, const std::string& text, const std::string& left,
                    const std::string& right) {
  const std::size_t begin = text.find(left);
  const std::size_t end = begin == std::string::npos ? begin : text.find(right, begin + left.size());
  if (end == std::string::npos) refuse(where, "has a header without " + left);
  return text.substr(begin + left.size(), end - begin - left.size());
}

NumpyArray parse(const std::string& where, std::string_view bytes) {
  constexpr std::size_t kPreamble = 10;
  if (bytes.size() < kPreamble || bytes.substr(0, 6) != "\x93NUMPY") refuse(where, "is no NumPy array");
  if (bytes[6] != 1) refuse(where, "is of another npy format than 1");
  const std::size_t length = static_cast<std::uint8_t>(bytes[8]) + 256u * static_cast<std::uint8_t>(bytes[9]);
  if (bytes.size() < kPreamble + length) refuse(where, "ends within its header");
  const std::string header(bytes.substr(kPreamble, length));
  if (header.find("'fortran_order': False") == std::string::npos) refuse(where, "is not in C order");
  const std::string type = between(where, header, "'descr': '", "'");
  NumpyArray array;
  std::size_t count = 1;
  std::istringstream dimensions(between(where, header, "'shape': (", ")"));
  for (std::size_t size; dimensions >> size; dimensions.ignore(1)) {  // the comma
    array.shape.push_back(size);
    count *= size;
  }
  const std::string_view data = bytes.substr(kPreamble + length);
  if (type == "<f4")
    array.values = numbers<float>(where, data, count);
  else if (type == "<f8")
    array.values = numbers<double>(where, data, count);
  else if (type == "<i8")
    array.values = numbers<std::int64_t>(where, data, count);
  else if (type == "<i4")
    array.values = numbers<std::int32_t>(where, data, count);
  else if (type == "<u2")
    array.values = numbers<std::uint16_t>(where, data, count);
  else if (type == "|u1" || type == "|b1")
    array.values = numbers<std::uint8_t>(where, data, count);
  else
    refuse(where, "holds numbers of type '" + type + "', which is not read");
  return array;
}

}  // namespace

NumpyArray read_npy(const std::filesystem::path& path) { return parse(path.string(), read_file(path)); }

std::map<std::string, NumpyArray> read_npz(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) throw Error(path.string() + ": no such file");
  int code = 0;
  const std::unique_ptr<zip_t, decltype(&zip_discard)> archive(zip_open(path.c_str(), ZIP_RDONLY, &code), zip_discard);
  if (archive == nullptr) refuse(path.string(), "is no zip archive");
  std::map<std::string, NumpyArray> arrays;
  for (zip_int64_t i = 0; i < zip_get_num_entries(archive.get(), 0); ++i) {
    const auto index = static_cast<zip_uint64_t>(i);
    zip_stat_t entry;
    if (zip_stat_index(archive.get(), index, 0, &entry) != 0) refuse(path.string(), "has a damaged directory");
    const std::string name = std::filesystem::path(entry.name).stem(), where = path.string() + ": " + name;
    std::string bytes(entry.size, '\0');
    const std::unique_ptr<zip_file_t, decltype(&zip_fclose)> file(zip_fopen_index(archive.get(), index, 0), zip_fclose);
    if (file == nullptr || zip_fread(file.get(), bytes.data(), bytes.size()) != static_cast<zip_int64_t>(bytes.size()))
      refuse(where, "cannot be unpacked");
    arrays.emplace(name, parse(where, bytes));
  }
  return arrays;
}

}  // namespace gaincal::store
