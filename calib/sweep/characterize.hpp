#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "netlist/design.hpp"
#include "store/table.hpp"

namespace gaincal::sweep {

struct CharacterizeOptions {
  unsigned workers = 0;    ///< 0: all cores
  bool progress = true;    ///< a progress line per table
  std::uint64_t seed = 1;  ///< of the mismatch
};

/// Simulates cell and converters of a design over their operands: the tables of dataset.h5 (src/store/FORMAT.md), with
/// design facts as attributes and the hash of every deck in the provenance. The values do not depend on the number of
/// workers. A point that fails is kept with its reason.
///
/// Energies are what the supplies deliver: the cell supply net, line drivers C V^2 of every charging (what a falling
/// edge returns is lost), a conversion with its share of the bias that all columns of an array use together.
///
/// Where the design asks for conditions, the same tables on fewer points follow over corner, temperature and supply
/// (`conditions_cell_read`, ..), and checks half-way between neighbouring temperatures and supplies
/// (`left_out_cell_read_check`, ..); where it asks for mismatch, reads and conversions of chips that differ.
///
/// Throws  Error when no simulator can be started
store::Dataset characterize(const netlist::Design& design, const CharacterizeOptions& options = {});

/// Charges from low to high, three times denser on average near the knees of a converter.
///
/// knees_C  ascending; the region of higher density reaches 5 % of `scale_C` to either side
std::vector<double> charge_grid(std::size_t count, double low_C, double high_C, const std::vector<double>& knees_C,
                                double scale_C);

}  // namespace gaincal::sweep
