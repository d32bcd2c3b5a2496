#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace gaincal::attention {

/// Events of a token by what spends their energy, and how many there are of what digital circuits count.
enum class Event {
  write,
  k_word_line,
  k_cell,            ///< reads of K cells, without word lines
  score_conversion,  ///< unsigned converters
  v_word_line,
  v_cell,
  output_conversion,  ///< signed converters
  counter,            ///< of the signed converters
  adder,              ///< sum over sub-tiles
  columns,            ///< number of K columns converted
  outputs,            ///< number of V columns converted
};
inline constexpr std::size_t kEvents = 11;

/// One number for each Event: J, and 1 for `columns` and `outputs`.
struct TokenEnergy {
  std::array<double, kEvents> of{};

  double& operator[](Event event) { return of[static_cast<std::size_t>(event)]; }
  double operator[](Event event) const { return of[static_cast<std::size_t>(event)]; }
  void add(const TokenEnergy& other) {
    for (std::size_t i = 0; i < kEvents; ++i) of[i] += other.of[i];
  }
  /// Everything but the counts.
  double total_J() const;
};

/// What a charge costs when it is converted.
struct ConversionPrice {
  double converter_J = 0.0, counter_J = 0.0;
};

/// Price of every event in J. L weight levels, Q query levels.
struct EventPrices {
  double addition = 0.0;                           ///< of one converted V column to the sum over sub-tiles
  std::vector<double> write;                       ///< (L)
  std::vector<double> word_line;                   ///< (L) a pulse on the word lines of one cell
  std::vector<double> k_cell;                      ///< (Q, L) row-major, code 0 costs nothing
  std::vector<double> v_edge, v_full;              ///< (L) a pulse whatever its width; the width's part at full length
  std::vector<ConversionPrice> score_conversion;   ///< at the knots of Activity::score_charge
  std::vector<ConversionPrice> output_conversion;  ///< at the knots of Activity::output_charge
};

/// Energy of one head of one layer over all tokens.
struct HeadEnergy {
  TokenEnergy sum;
  double square_sum_J2 = 0.0;  ///< of the tokens' totals
};

/// Prices the events of one head as they happen; in `attend` and its reference.
class TokenMeter {
 public:
  /// T tokens, D rows; levels (T, stride) of the V cells.
  TokenMeter(const EventPrices& prices, const std::vector<std::uint8_t>& v_level, std::size_t T, std::size_t D,
             std::size_t stride);

  TokenEnergy& token(std::size_t t) { return rows_[t]; }
  const EventPrices& prices() const { return *prices_; }
  /// A pulse of width phi (0..1) by query t into the V cells of token s; nothing where phi = 0.
  void sum_pulse(std::size_t t, std::size_t s, double phi) {
    if (!(phi > 0.0)) return;
    rows_[t][Event::v_word_line] += columns_[s].word_line_J;
    rows_[t][Event::v_cell] += columns_[s].edge_J + phi * columns_[s].full_J;
  }
  const std::vector<TokenEnergy>& tokens() const { return rows_; }

 private:
  struct Column {
    double word_line_J = 0.0, edge_J = 0.0, full_J = 0.0;
  };
  const EventPrices* prices_;
  std::vector<TokenEnergy> rows_;
  std::vector<Column> columns_;
};

}  // namespace gaincal::attention
