#include "attention/analog_device.hpp"

#include <cmath>
#include <string>

#include "core/error.hpp"

namespace gaincal::attention {

namespace {

[[noreturn]] void refuse(const std::string& field, const std::string& why) {
  throw Error("analog device: " + field + " " + why);
}

void check_levels(const std::string& field, int levels) {
  if (levels != 0 && (levels < 2 || levels > kMaxLevels)) {
    refuse(field, "is " + std::to_string(levels) + "; 0 for unquantised, else 2..256");
  }
}

void check_table(const std::string& field, const Table& table, const AnalogDevice& device) {
  if (static_cast<std::size_t>(table.rows()) != device.window || table.cols() != device.weight_levels) {
    refuse(field, "is " + std::to_string(table.rows()) + " x " + std::to_string(table.cols()) +
                      ", not window x weight_levels = " + std::to_string(device.window) + " x " +
                      std::to_string(device.weight_levels));
  }
  if (!table.isFinite().all()) refuse(field, "has a value that is not finite; refit the model");
}

void check_curve(const std::string& field, const PulseCurve& curve) {
  if (curve.table.empty()) {
    if (!(curve.k > 0.0f) || !std::isfinite(curve.q0) || !std::isfinite(curve.k)) {
      refuse(field, "is a HardSigmoid with k = " + std::to_string(curve.k) + "; k must be above 0");
    }
    return;
  }
  if (curve.table.size() < 2 || !(curve.q_step > 0.0f) || !std::isfinite(curve.q_min)) {
    refuse(field, "has a table without two points or without a step above 0");
  }
  for (const float y : curve.table) {
    if (!std::isfinite(y)) refuse(field, "has a value that is not finite; refit the model");
  }
}

void check_bit_line(const std::string& field, const device::BitLineModel& line) {
  for (const auto& power : line.coeff) {
    for (const double c : power) {
      if (!std::isfinite(c)) refuse(field, "has a coefficient that is not finite; refit the model");
    }
  }
}

}  // namespace

void check_device(const AnalogDevice& device) {
  if (device.window == 0) refuse("window", "is 0; at least one token");
  if (device.tile_columns == 0 || device.tile_columns > kArrayColumns) {
    refuse("tile_columns", "is " + std::to_string(device.tile_columns) + "; an array has 1..64");
  }
  check_levels("query_levels", device.query_levels);
  check_levels("weight_levels", device.weight_levels);
  if (device.output_levels != 0 && device.output_levels < 2) refuse("output_levels", "is below 2; 0 for unquantised");
  if (device.counter_max < 0) refuse("counter_max", "is negative");
  if (!(device.v_max_V > 0.0)) refuse("v_max_V", "must be above 0");
  if (device.read.size() != 0) {
    if (device.weight_levels == 0) refuse("read", "is a table for unquantised weights; set weight_levels");
    check_table("read", device.read, device);
    if (device.edge.size() != 0) check_table("edge", device.edge, device);
  } else {
    if (device.edge.size() != 0) refuse("edge", "needs a read table");
    if (device.moment.empty()) refuse("moment", "is empty and there is no read table");
  }
  check_curve("score", device.score);
  check_curve("output", device.output);
  check_bit_line("score_bit_line", device.score_bit_line);
  check_bit_line("output_bit_line", device.output_bit_line);
  const Variation& variation = device.variation;
  for (const double sigma : {variation.cell_gain_sigma, variation.cell_offset_sigma, variation.score_offset_sigma,
                             variation.output_offset_sigma, variation.jitter_sigma}) {
    if (!(sigma >= 0.0) || !std::isfinite(sigma)) refuse("variation", "has a sigma that is no number of at least 0");
  }
  for (const auto* residuals : {&variation.score_residual, &variation.output_residual})
    for (const float residual : *residuals)
      if (!std::isfinite(residual)) refuse("variation", "has a residual that is not finite");
}

}  // namespace gaincal::attention
