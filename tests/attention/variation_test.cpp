#include <catch2/catch.hpp>
#include <cmath>
#include <map>

#include "attention/attend.hpp"
#include "attention/random_head.hpp"
#include "core/error.hpp"

using namespace gaincal::attention;
using Catch::Matchers::Contains;
using Catch::Matchers::WithinAbs;
using gaincal::tests::RandomHead;

namespace {

AnalogDevice chip(std::size_t window, const Variation& variation) {
  PaperOptions options;
  options.window = window;
  options.leak_per_token = 0.0;
  AnalogDevice device = make_paper_device(options);
  device.variation = variation;
  return device;
}

double mean(const std::vector<float>& x, std::size_t n) {
  double sum = 0.0;
  for (std::size_t i = 0; i < n; ++i) sum += double{x[i]};
  return sum / static_cast<double>(n);
}

double deviation(const std::vector<float>& x, std::size_t n) {
  const double about = mean(x, n);
  double squares = 0.0;
  for (std::size_t i = 0; i < n; ++i) squares += (double{x[i]} - about) * (double{x[i]} - about);
  return std::sqrt(squares / static_cast<double>(n));
}

}  // namespace

TEST_CASE("the cells of a chip have the means and sigmas that were asked for", "[attention]") {
  const std::size_t cells = 1024 * 64;  // sigma of a mean: 0.4 % of the cells' sigma; of a sigma: 0.3 % of it
  const HeadVariation drawn = draw_head(chip(1024, {0.05, 0.3, 1.0, 2.0, 0.0, 4, 1}), 2, 3);
  CHECK_THAT(mean(drawn.k_gain, cells), WithinAbs(1.0, 5 * 0.004 * 0.05));
  CHECK_THAT(deviation(drawn.k_gain, cells), WithinAbs(0.05, 5 * 0.003 * 0.05));
  CHECK_THAT(mean(drawn.v_offset, cells), WithinAbs(0.0, 5 * 0.004 * 0.3));
  CHECK_THAT(deviation(drawn.v_offset, cells), WithinAbs(0.3, 5 * 0.003 * 0.3));
  CHECK_THAT(deviation(drawn.score_offset, 1024), WithinAbs(1.0, 5 * 0.022));
  CHECK_THAT(deviation(drawn.output_offset, 1024), WithinAbs(2.0, 5 * 0.044));
}

TEST_CASE("a cell is the same in a longer window, another on every chip, head and array", "[attention]") {
  const Variation variation{0.05, 0.3, 1.0, 2.0, 0.0, 4, 1};
  const HeadVariation drawn = draw_head(chip(100, variation), 2, 3), longer = draw_head(chip(200, variation), 2, 3);
  CHECK(std::equal(drawn.k_gain.begin(), drawn.k_gain.begin() + 6400, longer.k_gain.begin()));
  Variation other_chip = variation, other_seed = variation;
  other_chip.chip = 2;
  other_seed.seed = 5;
  CHECK(drawn.k_gain[0] != drawn.v_gain[0]);
  CHECK(drawn.k_gain[0] != draw_head(chip(100, other_chip), 2, 3).k_gain[0]);
  CHECK(drawn.k_gain[0] != draw_head(chip(100, other_seed), 2, 3).k_gain[0]);
  CHECK(drawn.k_gain[0] != draw_head(chip(100, variation), 3, 2).k_gain[0]);
}

TEST_CASE("tokens of later laps of the ring meet the same cells", "[attention]") {
  const std::size_t M = 30;
  const AnalogDevice device = chip(M, {0.1, 0.3, 1.0, 1.0, 0.0, 4, 1});
  const HeadVariation drawn = draw_head(device, 0, 0);
  const Matrix x = Matrix::Constant(4 * M, 64, 0.7f);
  Matrix out(4 * M, 64);
  Trace trace;
  attend_reference(device, {}, x, x, x, out, &trace, nullptr, {&drawn, 0});
  const auto at = [&](std::size_t t, std::size_t s) {
    return trace.S(static_cast<Eigen::Index>(t), static_cast<Eigen::Index>(s));
  };
  CHECK(at(75, 70) != 0.0f);
  CHECK(at(75, 70) == at(70 + M - 1, 70));  // no leak: the same cell all the time
  CHECK(at(75, 70) == at(75 + M, 70 + M));
  CHECK(at(75, 70) == at(75 - M, 70 - M));
  CHECK(at(75, 70) != at(75, 71));
}

TEST_CASE("a charge is that of the cells with gain, offset, bit line and converter", "[attention]") {
  AnalogDevice device = chip(4, {0.1, 0.3, 1.0, 1.5, 0.0, 4, 1});
  device.edge = 0.02f * device.read;
  device.score_bit_line.coeff = {{{0.5, 0.1, 0.0, 0.0}, {0.9, 0.0, 0.01, 0.0}, {1e-3, 0.0, 0.0, 0.0}, {}}};
  device.output_bit_line.coeff[1] = {0.8, 0.0, 0.0, 0.0};
  device.score.q0 = -50.0f;  // so that the pulse is about half of the longest
  const HeadVariation drawn = draw_head(device, 0, 0);
  const Matrix x = Matrix::Constant(1, 1, 0.9f);
  Matrix out(1, 1);
  Trace trace;
  attend_reference(device, {}, x, x, x, out, &trace, nullptr, {&drawn, 0});
  const double pulse = 13.0 / 15.0, read = double{device.read(0, 7)}, edge = double{device.edge(0, 7)};
  REQUIRE(trace.q_code(0, 0) == 13);
  const double poured = double{drawn.k_gain[0]} * (pulse * read + edge) + double{drawn.k_offset[0]} * pulse;
  const double S = 0.5 + 0.1 * pulse + (0.9 + 0.01 * pulse * pulse) * poured + 1e-3 * poured * poured +
                   double{drawn.score_offset[0]};
  CHECK_THAT(trace.S(0, 0), WithinAbs(S, 1e-4));
  const double phi = (S + 50.0) / 80.0;
  CHECK_THAT(trace.phi(0, 0), WithinAbs(phi, 1e-6));
  const double A = 0.8 * (double{drawn.v_gain[0]} * (phi * read + edge) + double{drawn.v_offset[0]} * phi) +
                   double{drawn.output_offset[0]};
  CHECK_THAT(trace.A_tiles[0](0, 0), WithinAbs(A / 40.0, 1e-6));
}

TEST_CASE("jitter has its sigma, repeats, and is another in each sequence", "[attention]") {
  const AnalogDevice device = chip(256, {0.0, 0.0, 0.0, 0.0, 0.03, 4, 1});
  const HeadVariation drawn = draw_head(device, 0, 0);
  const Jitter jitter(device, {&drawn, 1}), other(device, {&drawn, 2});
  std::vector<float> x;
  for (std::size_t t = 0; t < 200; ++t)
    for (std::size_t column = 0; column < 200; ++column) x.push_back(jitter.score(0.5f, t, column) - 0.5f);
  CHECK_THAT(mean(x, x.size()), WithinAbs(0.0, 5 * 0.005 * 0.03));
  CHECK_THAT(deviation(x, x.size()), WithinAbs(0.03, 5 * 0.0035 * 0.03));
  CHECK(jitter.score(0.5f, 3, 4) - 0.5f == x[604]);
  CHECK(other.score(0.5f, 3, 4) - 0.5f != x[604]);
  CHECK(jitter.output(0.5f, 3, 1, 4) != jitter.output(0.5f, 3, 2, 4));
  const RandomHead head(100, 64, 3);
  Matrix one(100, 64), two(100, 64), again(100, 64);
  const auto run = [&](std::uint64_t sequence, Matrix& out) {
    attend(device, head.scalers, head.q, head.k, head.v, out, nullptr, KernelVersion::automatic, {&drawn, sequence});
  };
  run(1, one);
  run(2, two);
  run(1, again);
  CHECK(one == again);
  CHECK(one != two);
}

TEST_CASE("a residual of SPICE is added to the pulses that lie inside their range", "[attention]") {
  AnalogDevice device = chip(256, {});
  device.variation.score_residual = {-0.02f, 0.0f, 0.05f};
  device.variation.output_residual = {-0.1f, 0.1f};
  REQUIRE(device.variation.any());
  const HeadVariation drawn = draw_head(device, 0, 0);
  const Jitter jitter(device, {&drawn, 1}), other(device, {&drawn, 2});
  CHECK(jitter.any());
  std::map<float, int> seen;
  for (std::size_t t = 0; t < 100; ++t)
    for (std::size_t column = 0; column < 100; ++column) ++seen[jitter.score(0.5f, t, column)];
  REQUIRE(seen.size() == 3);
  for (const auto& [width, count] : seen) CHECK(count == Approx(10000 / 3.0).margin(5 * 47));  // 5 sigma
  CHECK(seen.begin()->first == Approx(0.48f));
  CHECK(jitter.score(0.0f, 3, 4) == 0.0f);
  CHECK(jitter.score(1.0f, 3, 4) == 1.0f);
  CHECK(jitter.output(-1.0f, 3, 0, 4) == -1.0f);
  CHECK(std::abs(jitter.output(0.0f, 3, 0, 4)) == Approx(0.1f));
  bool differ = false;
  for (std::size_t column = 0; column < 50; ++column)
    differ |= jitter.score(0.5f, 0, column) != other.score(0.5f, 0, column);
  CHECK(differ);
  device.variation.score_residual = {NAN};
  CHECK_THROWS_WITH(draw_head(device, 0, 0), Contains("residual"));
}

TEST_CASE("a device that varies needs its head", "[attention]") {
  const AnalogDevice device = chip(16, {0.05, 0.0, 0.0, 0.0, 0.0, 0, 0});
  const Matrix x = Matrix::Constant(2, 64, 0.7f);
  Matrix out(2, 64);
  CHECK_THROWS_WITH(attend(device, {}, x, x, x, out), Contains("draw the head"));
  CHECK_THROWS_WITH(HeadCache(device, 64), Contains("draw the head"));
  const HeadVariation other = draw_head(chip(17, device.variation), 0, 0);
  CHECK_THROWS_WITH(attend(device, {}, x, x, x, out, nullptr, KernelVersion::automatic, {&other, 0}),
                    Contains("another window"));
  AnalogDevice bad = device;
  bad.variation.jitter_sigma = -1.0;
  CHECK_THROWS_WITH(draw_head(bad, 0, 0), Contains("variation"));
  bad = device;
  bad.score_bit_line.coeff[0][0] = NAN;
  CHECK_THROWS_WITH(draw_head(bad, 0, 0), Contains("score_bit_line"));
}
