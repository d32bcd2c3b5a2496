#include "energy/prices.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"

namespace gaincal::energy {

using attention::Activity;
using attention::ConversionPrice;
using attention::Event;
using attention::EventPrices;
using attention::KnotHistogram;

namespace {

double knot_C(const KnotHistogram& knots, std::size_t i, double charge_unit_C) {
  return (knots.x_min + static_cast<double>(i) * knots.x_step) * charge_unit_C;
}

/// Clock edges that the counter sees for a charge, without rounding: a price is linear between the knots.
double ticks(const attention::AnalogDevice& device, double charge) {
  const attention::PulseCurve& curve = device.output;
  double value = charge / double{curve.k};
  if (!curve.table.empty()) {
    const double u = std::clamp((charge - double{curve.q_min}) / double{curve.q_step}, 0.0,
                                static_cast<double>(curve.table.size() - 1));
    value = double{curve.table[static_cast<std::size_t>(std::lround(u))]};
  }
  return std::min(std::abs(value), 1.0) * 0.5 * (device.output_levels - 1);
}

void check(bool fits) {
  if (!fits)
    throw Error("energy: the run used another number of levels than the model; evaluate again with this model.h5");
}

}  // namespace

std::shared_ptr<const EventPrices> event_prices(const device::CircuitModel& model,
                                                const attention::AnalogDevice& device, double charge_unit_C,
                                                const Constants& constants) {
  const std::size_t levels = model.write.v_stored_V.size();
  check(levels == static_cast<std::size_t>(device.weight_levels) && model.write.e_write_J.size() == levels &&
        model.query_levels == static_cast<std::size_t>(device.query_levels) && model.query_levels > 1);
  const double t_max_s = model.cell.t_pulse_max_s;
  auto prices = std::make_shared<EventPrices>();
  prices->addition = constants("addition");
  prices->write = model.write.e_write_J;
  prices->k_cell.assign(model.query_levels * levels, 0.0);
  for (std::size_t level = 0; level < levels; ++level) {
    const double v_V = model.write.v_stored_V[level], word_line_J = model.read_energy.word_line_J(v_V);
    const double edge_J = model.read_energy.e_edge_J(v_V) - word_line_J, p_W = model.read_energy.p_W(v_V);
    prices->word_line.push_back(word_line_J);
    prices->v_edge.push_back(edge_J);
    prices->v_full.push_back(p_W * t_max_s);
    for (std::size_t code = 1; code < model.query_levels; ++code)
      prices->k_cell[code * levels + level] =
          edge_J + p_W * t_max_s * static_cast<double>(code) / static_cast<double>(model.query_levels - 1);
  }
  const Activity shape = attention::make_activity(device);
  for (std::size_t i = 0; i < shape.score_charge.weight.size(); ++i)
    prices->score_conversion.push_back({model.score_readout.energy_J(knot_C(shape.score_charge, i, charge_unit_C)), 0});
  for (std::size_t i = 0; i < shape.output_charge.weight.size(); ++i)
    prices->output_conversion.push_back(
        {model.output_readout.energy_J(knot_C(shape.output_charge, i, charge_unit_C)),
         constants("counter_tick") * ticks(device, knot_C(shape.output_charge, i, 1.0))});
  return prices;
}

attention::TokenEnergy price_activity(const Activity& activity, const EventPrices& prices) {
  const std::size_t levels = prices.write.size();
  check(activity.k_reads.size() == prices.k_cell.size() && activity.v_reads.size() == levels &&
        activity.score_charge.weight.size() == prices.score_conversion.size() &&
        activity.output_charge.weight.size() == prices.output_conversion.size());
  attention::TokenEnergy sum;
  for (std::size_t i = 0; i < activity.k_reads.size(); ++i) {
    const auto reads = static_cast<double>(activity.k_reads[i]);
    sum[Event::k_cell] += reads * prices.k_cell[i];
    sum[Event::k_word_line] += reads * (i < levels ? 0.0 : prices.word_line[i % levels]);
  }
  for (std::size_t level = 0; level < levels; ++level) {
    const auto reads = static_cast<double>(activity.v_reads[level]);
    sum[Event::write] += prices.write[level] * static_cast<double>(activity.k_writes[level] + activity.v_writes[level]);
    sum[Event::v_word_line] += reads * prices.word_line[level];
    sum[Event::v_cell] += reads * prices.v_edge[level] + activity.v_read_time[level] * prices.v_full[level];
  }
  for (std::size_t i = 0; i < prices.score_conversion.size(); ++i) {
    sum[Event::score_conversion] += activity.score_charge.weight[i] * prices.score_conversion[i].converter_J;
    sum[Event::columns] += activity.score_charge.weight[i];
  }
  for (std::size_t i = 0; i < prices.output_conversion.size(); ++i) {
    sum[Event::output_conversion] += activity.output_charge.weight[i] * prices.output_conversion[i].converter_J;
    sum[Event::counter] += activity.output_charge.weight[i] * prices.output_conversion[i].counter_J;
    sum[Event::outputs] += activity.output_charge.weight[i];
  }
  sum[Event::adder] = sum[Event::outputs] * prices.addition;
  return sum;
}

}  // namespace gaincal::energy
