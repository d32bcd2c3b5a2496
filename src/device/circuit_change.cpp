#include "device/circuit_change.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"

namespace gaincal::device {
namespace {

void spread_levels(std::size_t levels, WriteModel& write) {
  if (levels == write.v_target_V.size()) return;
  const MonotoneCurve stored(write.v_target_V, write.v_stored_V), energy(write.v_target_V, write.e_write_J);
  const double first_V = write.v_target_V.front(), last_V = write.v_target_V.back();
  write.v_target_V.clear(), write.v_stored_V.clear(), write.e_write_J.clear();
  for (std::size_t level = 0; level < levels; ++level) {
    const double part = static_cast<double>(level) / static_cast<double>(levels - 1);
    const double v_V = first_V + part * (last_V - first_V);
    write.v_target_V.push_back(v_V);
    write.v_stored_V.push_back(stored(v_V));
    write.e_write_J.push_back(energy(v_V));
  }
}

void set_leak(double leak_per_token, double t_token_s, std::size_t tokens, LeakModel& leak) {
  leak.tau_s = t_token_s / leak_per_token;  // infinite without leak
  leak.age_s.clear(), leak.v_V.clear();
  for (std::size_t age = 0; age < std::max<std::size_t>(2, tokens); ++age)
    leak.age_s.push_back(static_cast<double>(age) * t_token_s);
  for (const double v0_V : leak.v0_V)  // linear in v0: two starts would do
    for (const double age_s : leak.age_s) leak.v_V.push_back(leak.exponential_V(v0_V, age_s));
}

}  // namespace

void apply(const CircuitChange& change, double t_token_s, std::size_t tokens, CircuitModel& model) {
  if (model.write.v_target_V.size() < 2 || model.leak.v0_V.size() < 2)
    throw Error("circuit model: no levels or leak table to change; rerun 'gaincal fit'");
  if (change.query_levels) model.query_levels = static_cast<std::size_t>(*change.query_levels);
  if (change.counter_levels) model.counter_levels = static_cast<std::size_t>(*change.counter_levels);
  if (change.weight_levels) spread_levels(static_cast<std::size_t>(*change.weight_levels), model.write);
  if (change.leak_per_token) set_leak(*change.leak_per_token, t_token_s, tokens, model.leak);
}

}  // namespace gaincal::device
