#include <array>

#include "sweep/characterize_tables.hpp"
#include "sweep/chips.hpp"
#include "sweep/measures.hpp"

namespace gaincal::sweep {
namespace {

using netlist::Deck;
using netlist::Design;

// Charges of the conversions, relative to saturation: on the slope, clear of both knees.
constexpr std::array kUnsignedCharges = {0.2, 0.5, 0.8};
constexpr std::array kSignedCharges = {-0.7, -0.3, 0.3, 0.7};
store::Axis sample_axis(std::size_t samples) {
  return {"sample", "1", linear(0.0, static_cast<double>(samples - 1), samples), {}, "chip"};
}

void add_readout_mismatch(Characterization& all, const Variants& variants, bool is_signed, std::size_t samples,
                          std::uint64_t seed) {
  const Design& design = variants.designs.front();
  const double q_sat_C = design.saturation_charge_C(is_signed ? design.output_readout : design.score_readout);
  std::vector<double> q_in_C;
  if (is_signed)
    q_in_C.assign(kSignedCharges.begin(), kSignedCharges.end());
  else
    q_in_C.assign(kUnsignedCharges.begin(), kUnsignedCharges.end());
  for (double& q_C : q_in_C) q_C *= q_sat_C;
  const auto make = [=](const Design& d, std::size_t run) {
    const double q_C = q_in_C[run / samples];
    return is_signed ? readout_signed_deck(d, q_C) : readout_unsigned_deck(d, q_C);
  };
  store::Table table;
  table.name = is_signed ? "readout_signed_mismatch" : "readout_unsigned_mismatch";
  table.description = "conversions on chips whose devices differ";
  table.axes = {{"q_in", "C", q_in_C, {}, "charge taken off the bit line"}, sample_axis(samples)};
  table.quantities = {{"t_out", "s", "width of the output pulse, of a signed converter with its sign", {}}};
  all.add(variants, std::move(table), make,
          [=, chips = Chips(design, make(design, 0), samples, seed)](spice::Simulator& simulator, const Design& d,
                                                                     const Deck& deck, std::size_t run) {
            const std::vector<double> values =
                measure_readout(simulator, d, deck, is_signed, chips.sample(run % samples));
            return std::vector<double>{is_signed ? values[0] * values[1] : values[0]};
          });
}

}  // namespace

void add_mismatch(Characterization& all, const Design& design, std::size_t samples, std::uint64_t seed) {
  const Variants variants{"", {}, {design}};
  std::vector<double> v_store_V;
  for (std::size_t level = 0; level < design.weight_levels; ++level) v_store_V.push_back(design.level_voltage_V(level));
  const auto make = [=](const Design& d, std::size_t run) {
    return cell_read_deck(d, v_store_V[run / samples], d.t_max_s);
  };
  store::Table table;
  table.name = "cell_mismatch";
  table.description = "longest reads of cells whose devices differ";
  table.axes = {{"v_store", "V", v_store_V, {}, "stored voltage"}, sample_axis(samples)};
  table.quantities = {{"q_bl", "C", "charge taken off the bit line, positive for a positive weight", {}}};
  all.add(variants, std::move(table), make,
          [=, chips = Chips(design, make(design, 0), samples, seed)](spice::Simulator& simulator, const Design& d,
                                                                     const Deck& deck, std::size_t run) {
            return std::vector<double>{measure_cell_read(simulator, d, deck, chips.sample(run % samples)).front()};
          });
  add_readout_mismatch(all, variants, false, samples, seed);
  add_readout_mismatch(all, variants, true, samples, seed);
}

}  // namespace gaincal::sweep
