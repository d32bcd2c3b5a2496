#include "gpt2/layers.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "core/parallel.hpp"
#include "core/random.hpp"

using namespace gaincal;
using namespace gaincal::gpt2;

namespace {

Matrix random_matrix(Eigen::Index rows, Eigen::Index columns, std::uint64_t stream) {
  const CounterRandom random(7, stream);
  Matrix m(rows, columns);
  for (Eigen::Index i = 0; i < m.size(); ++i)
    m.data()[i] = static_cast<float>(random.normal(static_cast<std::uint64_t>(i)));
  return m;
}

std::vector<float> grid(double from, double to, std::size_t n) {
  std::vector<float> x(n);
  for (std::size_t i = 0; i < n; ++i)
    x[i] = static_cast<float>(from + (to - from) * static_cast<double>(i) / static_cast<double>(n - 1));
  return x;
}

}  // namespace

TEST_CASE("both GELUs follow their definition", "[gpt2]") {
  const auto x = grid(-10.0, 10.0, 20011);
  auto tanh_form = x, erf_form = x;
  gelu(Activation::gelu_tanh, tanh_form.data(), x.size());
  gelu(Activation::gelu_erf, erf_form.data(), x.size());
  double tanh_error = 0.0, erf_error = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double z = x[i];
    const double by_tanh = 0.5 * z * (1.0 + std::tanh(std::sqrt(2.0 / M_PI) * (z + 0.044715 * z * z * z)));
    const double by_erf = 0.5 * z * std::erfc(-z / std::sqrt(2.0));
    tanh_error = std::max(tanh_error, std::abs(tanh_form[i] - by_tanh));
    erf_error = std::max(erf_error, std::abs(erf_form[i] - by_erf));
  }
  CHECK(tanh_error < 1e-6);  // rounding of values up to 10
  CHECK(erf_error < 1e-6);
  for (const Activation kind : {Activation::gelu_tanh, Activation::gelu_erf}) {
    std::vector<float> extreme = {-1e12f, -200.0f, 200.0f, 1e12f};
    gelu(kind, extreme.data(), extreme.size());
    CHECK(std::abs(extreme[0]) < 1e-20f);
    CHECK(std::abs(extreme[1]) < 1e-20f);
    CHECK(extreme[2] == 200.0f);
    CHECK(extreme[3] == 1e12f);
  }
}

TEST_CASE("one token or several, layers are the products in double", "[gpt2]") {
  for (const Eigen::Index C : {1, 37, 64, 200}) {
    const Matrix embedding = random_matrix(50, C, 1), x = random_matrix(3, C, 2), bias = random_matrix(1, 50, 3);
    const Matrix weight = embedding.transpose();
    const Eigen::MatrixXd expected = x.cast<double>() * embedding.transpose().cast<double>();
    const auto width = static_cast<std::size_t>(C);
    for (const Eigen::Index T : {1, 3}) {
      INFO(C << " wide, " << T << " tokens");
      Matrix scores(T, 50), y(T, 50);
      project_to_vocab(embedding.data(), 50, width, x.data(), static_cast<std::size_t>(T), scores.data());
      linear({weight.data(), bias.data(), width, 50}, x.data(), static_cast<std::size_t>(T), y.data());
      CHECK((scores.cast<double>() - expected.topRows(T)).cwiseAbs().maxCoeff() < 2e-5);
      const Eigen::MatrixXd biased = expected.topRows(T).rowwise() + bias.cast<double>().row(0);
      CHECK((y.cast<double>() - biased).cwiseAbs().maxCoeff() < 2e-5);
    }
  }
}

TEST_CASE("layer norm has mean bias and deviation gain, for rows of any length", "[gpt2]") {
  for (const Eigen::Index C : {1, 5, 16, 37, 192}) {
    const Matrix x = (random_matrix(3, C, 1).array() * 5.0f + 3.0f).matrix();
    const Matrix gain = random_matrix(1, C, 2), bias = random_matrix(1, C, 3);
    Matrix y(3, C);
    layer_norm({gain.data(), bias.data()}, 1e-5f, x.data(), 3, static_cast<std::size_t>(C), y.data());
    for (Eigen::Index t = 0; t < 3; ++t) {
      const Eigen::RowVectorXd row = x.row(t).cast<double>();
      const Eigen::RowVectorXd centred = row.array() - row.mean();
      const double scale = 1.0 / std::sqrt(centred.squaredNorm() / static_cast<double>(C) + 1e-5);
      const Eigen::RowVectorXd expected =
          (centred.array() * scale * gain.row(0).cast<double>().array() + bias.row(0).cast<double>().array()).matrix();
      CHECK((y.row(t).cast<double>() - expected).cwiseAbs().maxCoeff() < 5e-6);
    }
  }
}

TEST_CASE("log sum exp is exact where the terms are far apart and where they are equal", "[gpt2]") {
  const std::vector<float> equal(1001, 3.0f);
  CHECK(log_sum_exp(equal.data(), equal.size()) == Approx(3.0 + std::log(1001.0)).epsilon(1e-9));
  const std::vector<float> apart = {-1000.0f, 500.0f, -3.0f};
  CHECK(log_sum_exp(apart.data(), apart.size()) == 500.0);
  const auto x = grid(-20.0, 20.0, 5003);
  double sum = 0.0;
  for (const float value : x) sum += std::exp(static_cast<double>(value));
  CHECK(std::abs(log_sum_exp(x.data(), x.size()) - std::log(sum)) < 2e-7);
}

TEST_CASE("softmax attention is its definition, whole and row by row", "[gpt2]") {
  const Eigen::Index T = 150, D = 64;
  const Matrix q = random_matrix(T, 3 * D, 4);
  const auto query = q.leftCols(D), key = q.middleCols(D, D), value = q.rightCols(D);
  Matrix out(T, D);
  attend_softmax(query, key, value, out);
  for (const Eigen::Index t : {0, 1, 63, 64, 149}) {
    Eigen::VectorXd weight =
        (key.topRows(t + 1).cast<double>() * query.row(t).transpose().cast<double>() / 8.0).array().exp();
    weight /= weight.sum();
    const Eigen::VectorXd expected = value.topRows(t + 1).cast<double>().transpose() * weight;
    CHECK((out.row(t).transpose().cast<double>() - expected).cwiseAbs().maxCoeff() < 2e-6);
    Eigen::RowVectorXf row(D);
    attend_softmax_row(query.data() + t * 192, key.data(), value.data(), static_cast<std::size_t>(t + 1), 64, 192,
                       row.data());
    CHECK((row.transpose().cast<double>() - expected).cwiseAbs().maxCoeff() < 2e-6);
  }
}

TEST_CASE("products give the same bits from one thread and from many at a time", "[gpt2]") {
  const Matrix x = random_matrix(97, 192, 5), weight = random_matrix(192, 576, 6), bias = random_matrix(1, 576, 7);
  const LinearWeights weights{weight.data(), bias.data(), 192, 576};
  Matrix expected(97, 576);
  linear(weights, x.data(), 97, expected.data());
  const Eigen::MatrixXd exact = x.cast<double>() * weight.cast<double>();
  CHECK(((expected.cast<double>() - exact).rowwise() - bias.row(0).cast<double>()).cwiseAbs().maxCoeff() < 1e-4);
  std::vector<int> equal(200, 0);
  parallel_for(equal.size(), 8, [&](std::size_t i) {
    Matrix y(97, 576);
    linear(weights, x.data(), 97, y.data());
    equal[i] = y == expected ? 1 : 0;
  });
  CHECK(equal == std::vector<int>(200, 1));
}
