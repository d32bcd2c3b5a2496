#include "energy/retention.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"

namespace gaincal::energy {
namespace {

double largest_current_A(const device::CircuitModel& model) {
  double largest = 0.0;
  for (const double v_V : model.write.v_stored_V) largest = std::max(largest, std::abs(model.cell.current_A(v_V)));
  return largest;
}

/// Largest deviation over the levels at an age, relative to the largest current, and whose it is.
std::pair<double, std::size_t> worst_level(const device::CircuitModel& model, double scale_A, double age_s) {
  std::pair<double, std::size_t> worst{0.0, 0};
  for (std::size_t level = 0; level < model.write.v_stored_V.size(); ++level) {
    const double v_V = model.write.v_stored_V[level];
    const double change = std::abs(model.cell.current_A(model.leak.voltage_V(v_V, age_s)) -
                                   model.cell.current_A(model.leak.voltage_V(v_V, 0.0))) /
                          scale_A;
    if (change > worst.first) worst = {change, level};
  }
  return worst;
}

constexpr double kKeyAndValue = 2.0;

}  // namespace

Retention retention(const device::CircuitModel& model, double tolerance) {
  const double scale_A = largest_current_A(model);
  if (model.leak.age_s.size() < 2 || !(scale_A > 0.0))
    throw Error("model.h5: no levels or no leak table; rerun 'gaincal fit'");
  const double last_s = model.leak.age_s.back();
  constexpr int kSteps = 1000;  // steps first: the deviation need not grow at every age
  double good_s = 0.0, bad_s = -1.0;
  for (int i = 1; i <= kSteps && bad_s < 0.0; ++i) {
    const double age_s = last_s * i / kSteps;
    (worst_level(model, scale_A, age_s).first > tolerance ? bad_s : good_s) = age_s;
  }
  if (bad_s < 0.0) return {last_s, true, worst_level(model, scale_A, last_s).second};
  for (int i = 0; i < 50; ++i) {
    const double middle_s = 0.5 * (good_s + bad_s);
    (worst_level(model, scale_A, middle_s).first > tolerance ? bad_s : good_s) = middle_s;
  }
  return {good_s, false, worst_level(model, scale_A, bad_s).second};
}

double half_level_step(const device::CircuitModel& model) {
  double smallest = INFINITY;
  const std::vector<double>& v_V = model.write.v_stored_V;
  for (std::size_t level = 1; level < v_V.size(); ++level)
    smallest = std::min(smallest, std::abs(model.cell.current_A(v_V[level]) - model.cell.current_A(v_V[level - 1])));
  return 0.5 * smallest / largest_current_A(model);
}

double mean_write_J(const device::CircuitModel& model) {
  double sum_J = 0.0;
  for (const double each : model.write.e_write_J) sum_J += each;
  return sum_J / static_cast<double>(model.write.e_write_J.size());
}

Sheet retention_sheet(const device::CircuitModel& model, const HeadShape& shape, double layers,
                      const std::vector<double>& tolerances) {
  Sheet sheet{"retention_limits",
              "Longest time a token may take through all layers, before the oldest of " +
                  std::to_string(std::lround(shape.window)) + " has leaked",
              {{"tolerance", Unit::none, true},
               {"longest age", Unit::second},
               {"longest time per token", Unit::second},
               {"slowest tokens per s"},
               {"margin to this circuit"},
               {"first level to leave", Unit::none, true}},
              {}};
  const double t_token_s = layers * model.t_token_s;
  for (const double tolerance : tolerances) {
    const Retention found = retention(model, tolerance);
    const double token_s = found.age_s / shape.window;
    sheet.rows.push_back(
        {format_quantity(100.0 * tolerance, Unit::none, 3) + " %", found.age_s, token_s, 1.0 / token_s,
         token_s / t_token_s,
         (found.end_of_table ? "none by the end of the leak table: at least; " : "") + std::to_string(found.level)});
  }
  sheet.notes = {
      "The tolerance is the change of a level's current, relative to the largest; the margin compares with " +
      format_quantity(t_token_s, Unit::second, 3) + " for " + std::to_string(std::lround(layers)) +
      " layers one after another."};
  return sheet;
}

Sheet refresh_sheet(const device::CircuitModel& model, const HeadShape& shape, double tolerance) {
  const Retention found = retention(model, tolerance);
  const double write_J = kKeyAndValue * shape.head_size * mean_write_J(model);
  Sheet sheet{"refresh",
              "Rewriting the window of a head where tokens come slower, tolerance " +
                  format_quantity(100.0 * tolerance, Unit::none, 3) + " %",
              {{"tokens per s"},
               {"age of the oldest token", Unit::second},
               {"rewrites of a column"},
               {"energy per token", Unit::joule},
               {"power of a head", Unit::watt}},
              {}};
  for (const double rate : {1e6, 1e5, 1e4, 1e3, 1e2, 10.0}) {
    const double age_s = shape.window / rate;
    const double rewrites = std::max(0.0, std::ceil(age_s / found.age_s) - 1.0);
    sheet.rows.push_back({rate, age_s, rewrites, rewrites * write_J, rewrites * write_J * rate});
  }
  sheet.notes = {"A column is rewritten each " + format_quantity(found.age_s, Unit::second, 3) +
                 " from a digital copy of keys and values, which is not counted."};
  return sheet;
}

}  // namespace gaincal::energy
