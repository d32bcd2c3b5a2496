#pragma once

#include <vector>

#include "attention/activity.hpp"
#include "energy/sheet.hpp"

namespace gaincal::energy {

/// Energy of every token and of every head, for results.h5.
///
///   energy_tokens  (token)         mean over heads of one layer and head: total, and each kind of event; columns
///   energy_heads   (layer, head)   mean over tokens, its standard deviation between tokens, and each kind of event
///
/// Energies of events alone: constants of a whole head are the same for every token and stand in "energy".
///
/// layers  of the model; the activity's heads are layers times heads
/// Throws  Error when the run kept no tokens, or its heads do not divide into layers
std::vector<store::Table> distribution_tables(const attention::Activity& activity, std::size_t layers);

/// Mean, deviation and percentiles over the tokens of a run by kind of event, from energy_tokens.
Sheet statistics_sheet(const store::Table& energy_tokens);

/// Mean and deviation of each head, from energy_heads.
Sheet heads_sheet(const store::Table& energy_heads);

/// The value below which a share (0..1) of the values lies, linear between neighbours. Throws Error without values.
double percentile(std::vector<double> values, double share);

}  // namespace gaincal::energy
