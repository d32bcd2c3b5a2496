#pragma once

// Private to calib/sweep: the tables that `characterize` is made of.
#include <functional>
#include <string>
#include <vector>

#include "netlist/decks.hpp"
#include "spice/simulator.hpp"
#include "store/table.hpp"
#include "sweep/characterize.hpp"

namespace gaincal::sweep {

/// What a table is simulated for: one design, or one for each point of leading axes.
struct Variants {
  std::string prefix;                    ///< of the tables' names
  std::vector<store::Axis> axes;         ///< leading; none: one design
  std::vector<netlist::Design> designs;  ///< row-major over the axes, all with the same grids
};

/// Runs tables one after another and collects what they have in common.
class Characterization {
 public:
  explicit Characterization(const CharacterizeOptions& options) : options_(options) {}

  using MakeDeck = std::function<netlist::Deck(const netlist::Design&, std::size_t run)>;
  using Measure = std::function<std::vector<double>(spice::Simulator&, const netlist::Design&, const netlist::Deck&,
                                                    std::size_t run)>;

  /// One run per point of `table`'s axes; `measure` gives a value for each of its quantities.
  void add(const Variants& variants, store::Table table, const MakeDeck& make, const Measure& measure) {
    add_runs(variants, std::move(table), 1, make, measure);
  }

  /// One run covers the last axis: it gives the values of the table's only quantity along it.
  void add_lines(const Variants& variants, store::Table table, const MakeDeck& make, const Measure& measure) {
    const std::size_t length = table.axes.back().values.size();
    add_runs(variants, std::move(table), length, make, measure);
  }

  /// A table that needs no simulation.
  void add_table(store::Table table) { tables_.push_back(std::move(table)); }
  /// One that has been added.
  const store::Table& table(const std::string& name) const;

  store::Dataset take();

 private:
  void add_runs(const Variants& variants, store::Table table, std::size_t points_per_run, const MakeDeck& make,
                const Measure& measure);

  const CharacterizeOptions& options_;
  std::vector<store::Table> tables_;
  std::string deck_hashes_;
};

/// Reads of one cell: `cell_read`, `cell_read_check`.
void add_cell_reads(Characterization& all, const Variants& variants, const std::string& name,
                    const std::vector<double>& v_store_V, const std::vector<double>& t_pulse_s);

/// Writes of every level over each of `previous`: `cell_write`.
void add_cell_writes(Characterization& all, const Variants& variants, const std::vector<std::size_t>& previous);

/// Retention: `cell_leak`, `cell_leak_check`. ages_s begin at 0.
void add_cell_leaks(Characterization& all, const Variants& variants, const std::string& name,
                    const std::vector<double>& v_store_V, const std::vector<double>& ages_s);

/// Conversions: `readout_unsigned`, `readout_signed`, or `.._check` between the points of a grid of their own.
void add_readouts(Characterization& all, const Variants& variants, bool is_signed, bool check, std::size_t count);

/// Columns of cells on their capacitor with random operands, which cover the charges of the converter and the numbers
/// of active rows evenly: `bit_line_score`, `bit_line_output`, with `.._operands` each, or `.._check` with other draws.
/// `cell_read` must be there.
void add_columns(Characterization& all, const netlist::Design& design, bool is_signed, bool check, std::size_t count);

/// Cell reads and conversions on chips with mismatch of every device that a cell or column has to itself (AVt of the
/// technology): `cell_mismatch`, `readout_unsigned_mismatch`, `readout_signed_mismatch`, over a last axis `sample`. A
/// draw depends on seed, sample and device name alone.
void add_mismatch(Characterization& all, const netlist::Design& design, std::size_t samples, std::uint64_t seed);

std::vector<double> linear(double low, double high, std::size_t count);
std::vector<double> middles(double low, double high, std::size_t count);

}  // namespace gaincal::sweep
