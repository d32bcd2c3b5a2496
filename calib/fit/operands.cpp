#include "fit/operands.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.hpp"

namespace gaincal::fit {
namespace {

constexpr double kNeverRead = 1e-3;  // weight of a point that stands for no operand, of the mean

std::size_t code_of(double value, std::size_t codes, const char* table) {
  if (!(value >= 0) || value != std::floor(value) || value >= static_cast<double>(codes))
    throw Error(std::string("table ") + table + ": a code is not one of the design's " + std::to_string(codes) +
                "; capture the operands of this design");
  return static_cast<std::size_t>(value);
}

}  // namespace

std::vector<double> Operands::weights(const std::vector<double>& v_V, const std::vector<double>& x_s) const {
  std::vector<double> weight(v_V.size(), 0.0);
  if (weight.empty()) return weight;
  const double v_scale_V = v_level_V.back() - v_level_V.front(), x_scale_s = width_s.back();
  for (std::size_t l = 0; l < v_level_V.size(); ++l)
    for (std::size_t c = 0; c < width_s.size(); ++c) {
      std::size_t nearest = 0;
      double least = INFINITY;
      for (std::size_t i = 0; i < v_V.size(); ++i) {
        const double distance = std::hypot((v_V[i] - v_level_V[l]) / v_scale_V, (x_s[i] - width_s[c]) / x_scale_s);
        if (distance < least) {
          least = distance;
          nearest = i;
        }
      }
      weight[nearest] += count[l * width_s.size() + c];
    }
  const double mean = std::accumulate(weight.begin(), weight.end(), 0.0) / static_cast<double>(weight.size());
  double sum = 0.0;
  for (double& each : weight) sum += each = std::max(each / mean, kNeverRead);
  for (double& each : weight) each *= static_cast<double>(weight.size()) / sum;
  return weight;
}

Operands read_operands(const store::Dataset& captured, const netlist::Design& design) {
  const std::vector<double>& codes = captured.table("queries").quantity("q_code").values;
  const std::vector<double>& levels = captured.table("cells").quantity("k_level").values;
  const std::size_t rows = captured.table("queries").axis("row").values.size();
  const std::size_t tokens = captured.table("cells").axis("token").values.size();
  if (codes.empty() || levels.size() != codes.size() * tokens)
    throw Error("table cells: has not the sets and rows of table queries; capture the operands again");
  Operands operands;
  for (std::size_t l = 0; l < design.weight_levels; ++l) operands.v_level_V.push_back(design.level_voltage_V(l));
  for (std::size_t c = 1; c < design.query_levels; ++c)
    operands.width_s.push_back(design.t_max_s * static_cast<double>(c) / static_cast<double>(design.query_levels - 1));
  operands.count.assign(operands.v_level_V.size() * operands.width_s.size(), 0.0);
  double reads = 0.0;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const std::size_t set = i / (tokens * rows), row = i % rows;
    const std::size_t code = code_of(codes[set * rows + row], design.query_levels, "queries");
    const std::size_t level = code_of(levels[i], design.weight_levels, "cells");
    if (code == 0) continue;  // no pulse, no read
    operands.count[level * operands.width_s.size() + code - 1] += 1;
    reads += 1;
  }
  if (reads == 0) throw Error("table queries: every code is 0, so no cell is read; capture other operands");
  return operands;
}

}  // namespace gaincal::fit
