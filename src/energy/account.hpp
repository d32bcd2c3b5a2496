#pragma once

#include <limits>
#include <string>
#include <vector>

#include "attention/activity.hpp"
#include "device/circuit_model.hpp"
#include "energy/constants.hpp"
#include "energy/sheet.hpp"

namespace gaincal::energy {

/// How the energy of a part grows with head size D and window M.
enum class Law {
  cells,     ///< D M
  columns,   ///< M
  outputs,   ///< D M / 64, the V columns of all sub-tiles
  rows,      ///< D
  constant,  ///< the paper's figure for the whole of a head
};

/// The paper gives one figure for each array with its converters.
enum class Group { score_arrays, sum_arrays, other };

/// Energy per token and head of one part of the circuit.
struct Part {
  std::string name;
  Law law = Law::constant;
  Group group = Group::other;
  double energy_J = 0.0;       ///< as the run did it
  double full_window_J = 0.0;  ///< with every column of the window occupied, as the paper counts
  double paper_J = std::numeric_limits<double>::quiet_NaN();  ///< the paper's figure for the same, NaN: none
  device::Origin origin = device::Origin::extracted;
  std::string source;
};

/// Energy of one token and head by part.
struct Account {
  std::vector<Part> parts;
  double window_columns = 0.0;  ///< M that full_window_J stands for
  double head_size = 0.0;       ///< D
  double mean_columns = 0.0;    ///< occupied columns of the K array, mean over tokens

  double total_J() const;
  double full_window_total_J() const;
  double group_J(Group group) const;
  double full_window_group_J(Group group) const;
};

/// Sorts what the events of a run cost into parts, and adds the constants of what has no netlist.
///
/// Counters and additions are priced by event; where the paper's figure for digital control stands in the model it
/// holds them too, and they are taken off it.
///
/// events  sum over head_tokens tokens of heads (price_activity or TokenMeter)
/// Throws  Error when no token was counted
/// Source  design: sum over events of the fitted energies; paper's figures: Leroux et al. 2025, Fig. 4 and Methods
Account make_account(const device::CircuitModel& model, const attention::TokenEnergy& events, double head_tokens,
                     double head_size, double window_columns);

/// The table "energy" of results.h5, and back.
store::Table energy_table(const Account& account);
/// Throws  Error when the results hold no such table, or one of an older tool
Account read_account(const store::Dataset& results);

/// Whether read_account finds what it needs.
bool has_account(const store::Dataset& results);

/// Parts with origin and source, the two arrays as the paper sums them, and the total.
Sheet energy_sheet(const Account& account);

}  // namespace gaincal::energy
