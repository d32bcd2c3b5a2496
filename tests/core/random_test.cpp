#include "core/random.hpp"

#include <catch2/catch.hpp>
#include <cmath>

using namespace gaincal;

TEST_CASE("Philox gives the published vectors", "[core]") {
  // Random123, kat_vectors: philox4x32 10 rounds, counter and key all zero, and all ones.
  const auto zero = CounterRandom(0, 0).words(0);
  CHECK(zero == std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  const auto ones = CounterRandom(~0ull, ~0ull).words(~0ull);
  CHECK(ones == std::array<std::uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
}

TEST_CASE("normal draws have mean 0 and variance 1 within their error", "[core]") {
  const CounterRandom random(1, 2);
  const int n = 100000;
  double sum = 0, squares = 0;
  for (int i = 0; i < n; ++i) {
    const double x = random.normal(static_cast<std::uint64_t>(i));
    sum += x;
    squares += x * x;
  }
  CHECK(std::abs(sum / n) < 4.0 / std::sqrt(n));
  CHECK(std::abs(squares / n - 1.0) < 4.0 * std::sqrt(2.0 / n));
}

TEST_CASE("the two normals of a draw are uncorrelated and both normal", "[core]") {
  const CounterRandom random(1, 3);
  const int n = 100000;
  int same = 0;
  double product = 0, squares = 0;
  for (std::uint64_t i = 0; i < n; ++i) {
    const auto [a, b] = random.normal_pair(i);
    same += a == random.normal(i) ? 1 : 0;
    product += a * b;
    squares += b * b;
  }
  CHECK(same == n);
  CHECK(std::abs(product / n) < 4.0 / std::sqrt(n));
  CHECK(std::abs(squares / n - 1.0) < 4.0 * std::sqrt(2.0 / n));
}
