#include <catch2/catch.hpp>

#include "attention/attend.hpp"
#include "attention/random_head.hpp"
#include "reference.hpp"
#include "store/numpy_file.hpp"

using namespace gaincal::attention;

namespace {

/// The device of the authors' first code: unquantised, 1e-4 per token on the whole charge. In the file "with minus one"
/// every cell current has the other sign.
AnalogDevice first_code(double sign) {
  PaperOptions options;
  options.query_levels = options.weight_levels = options.output_levels = 0;
  options.window = 64;
  options.leak_per_token = 1e-4;
  options.leak_mode = LeakMode::whole_charge;
  AnalogDevice device = make_paper_device(options);
  for (double& moment : device.moment) moment *= sign;
  return device;
}

Matrix matrix(const gaincal::store::NumpyArray& array, std::size_t i) {
  REQUIRE(array.shape[1] == 64);
  REQUIRE(array.shape[2] == 64);
  using Doubles = Eigen::Matrix<double, 64, 64, Eigen::RowMajor>;
  return Eigen::Map<const Doubles>(array.values.data() + i * 64 * 64).cast<float>();
}

}  // namespace

TEST_CASE("the published 64 x 64 arrays come out in S, phi and output", "[attention]") {
  const auto folder = gaincal::tests::reference_dir("authors_arrays");
  if (!folder) return;
  const std::pair<const char*, double> files[] = {{"64x64_single_arrays_final_output_pulse_notquant.npz", 1.0},
                                                  {"64x64_single_arrays_with_minus_one.npz", -1.0}};
  for (const auto& [name, sign] : files) {
    const AnalogDevice device = first_code(sign);
    const auto arrays = gaincal::store::read_npz(*folder / name);
    REQUIRE(arrays.at("Q").shape[0] == 10);
    for (std::size_t i = 0; i < 10; ++i) {
      INFO(name << ", case " << i);
      const Matrix q = matrix(arrays.at("Q"), i), k = matrix(arrays.at("K"), i), v = matrix(arrays.at("V"), i);
      Matrix out(64, 64);
      Trace trace;
      attend_reference(device, {}, q, k, v, out, &trace);
      REQUIRE(trace.q == q);  // nothing is clamped away
      REQUIRE(trace.k == k);
      REQUIRE(trace.v == v);
      // The same sums in double are within 1.006e-4 of the published S; half a float of S = 102 is 4e-6.
      CHECK((trace.S - matrix(arrays.at("S"), i)).cwiseAbs().maxCoeff() < 1.05e-4f);
      const Matrix phi = (matrix(arrays.at("S"), i) / 80.0f).cwiseMax(0.0f).cwiseMin(1.0f);
      CHECK((phi - matrix(arrays.at("phi_S"), i)).cwiseAbs().maxCoeff() < 6e-8f);
      CHECK((trace.phi - matrix(arrays.at("phi_S"), i)).cwiseAbs().maxCoeff() < 1.05e-4f / 80.0f);
      // From the published phi the output is met within 9e-7; what phi is off comes on top.
      CHECK((out - matrix(arrays.at("output"), i)).cwiseAbs().maxCoeff() < 2e-6f);
      for (const KernelVersion version : gaincal::tests::kernel_versions()) {
        Matrix tuned(64, 64);
        attend(device, {}, q, k, v, tuned, nullptr, version);
        CHECK((tuned - matrix(arrays.at("output"), i)).cwiseAbs().maxCoeff() < 2e-6f);
      }
    }
  }
}
