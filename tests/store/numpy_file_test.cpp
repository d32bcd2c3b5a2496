#include "store/numpy_file.hpp"

#include <catch2/catch.hpp>

#include "core/error.hpp"
#include "core/files.hpp"
#include "reference.hpp"

using namespace gaincal;
using Catch::Matchers::Contains;

namespace {

std::string npy(const std::string& header, const std::string& data) {
  std::string text("\x93NUMPY\x01\x00", 8);
  text += static_cast<char>(header.size());
  text += '\0';
  return text + header + data;
}

}  // namespace

TEST_CASE("a NumPy array is read with its shape", "[store]") {
  const tests::ScratchFolder folder;
  const auto file = folder.path() / "array.npy";
  write_text(file, npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }", {1, 2, 3, 4, 5, 6}));
  const store::NumpyArray array = store::read_npy(file);
  CHECK(array.shape == std::vector<std::size_t>{2, 3});
  CHECK(array.values == std::vector<double>{1, 2, 3, 4, 5, 6});
}

TEST_CASE("what is no NumPy array that we read is refused by name", "[store]") {
  const tests::ScratchFolder folder;
  const auto file = folder.path() / "array.npy";
  const auto refused = [&](const std::string& bytes, const std::string& why) {
    write_text(file, bytes);
    CHECK_THROWS_WITH(store::read_npy(file), Contains(file.string()) && Contains(why));
  };
  refused("text", "is no NumPy array");
  refused(npy("{'descr': '|u1', 'fortran_order': True, 'shape': (1,), }", {1}), "C order");
  refused(npy("{'descr': '>f8', 'fortran_order': False, 'shape': (1,), }", std::string(8, '\0')), "'>f8'");
  refused(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (4,), }", {1, 2}), "length");
  refused(npy("{'fortran_order': False, }", ""), "'descr'");
  write_text(file, "text");
  CHECK_THROWS_WITH(store::read_npz(file), Contains("is no zip archive"));
  CHECK_THROWS_WITH(store::read_npz("missing.npz"), Contains("missing.npz: no such file"));
}
