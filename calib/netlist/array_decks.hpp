#pragma once

#include <cstddef>
#include <vector>

#include "netlist/decks.hpp"

namespace gaincal::netlist {

/// What the cells of an array store: (rows, columns) row-major, V.
struct StoredArray {
  std::size_t rows = 0, columns = 0;
  std::vector<double> v_store_V;

  double at(std::size_t row, std::size_t column) const { return v_store_V[row * columns + column]; }
};

/// An array of cells, each column with its bit-line capacitor and converter; all columns share word lines and the bias
/// of the converters: `v(bl<column>)`, `v(out<column>)`, of the signed converter `v(sgn<column>)`.
///
/// t_pulse_s  (rows) widths; a row stays silent where its pulse is shorter than an edge
///
/// Throws  UsageError when the shapes do not fit
Deck array_deck(const Design& design, bool is_signed, const StoredArray& stored, const std::vector<double>& t_pulse_s);

/// A whole sub-tile: the pulses of the rows read the K array; each K column's unsigned converter drives a row of the V
/// array through a word-line driver; signed converters on the V columns. Vectors of the score stage are `v(bl_k<t>)`,
/// `v(out_k<t>)`, of the sum `v(bl_v<d>)`, `v(out_v<d>)`, `v(sgn_v<d>)`.
///
/// keys       (D, T), one column a token
/// values     (T, D), one row a token
/// t_pulse_s  (D) of the query
struct TileDeck {
  Deck deck;               ///< t_start_s, t_end_s: pulse window of the signed converters
  double t_score_s = 0.0;  ///< opening of the pulse window of the unsigned ones
  double t_score_enable_s = 0.0, t_output_enable_s = 0.0;  ///< comparators come on: the bit lines hold their charge
};
TileDeck tile_deck(const Design& design, const StoredArray& keys, const StoredArray& values,
                   const std::vector<double>& t_pulse_s);

}  // namespace gaincal::netlist
