#include "attention/token_energy.hpp"

namespace gaincal::attention {

double TokenEnergy::total_J() const {
  double sum_J = 0.0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(Event::columns); ++i) sum_J += of[i];
  return sum_J;
}

TokenMeter::TokenMeter(const EventPrices& prices, const std::vector<std::uint8_t>& v_level, std::size_t T,
                       std::size_t D, std::size_t stride)
    : prices_(&prices), rows_(T), columns_(T) {
  for (std::size_t s = 0; s < T; ++s)
    for (std::size_t d = 0; d < D; ++d) {
      const std::size_t level = v_level[s * stride + d];
      columns_[s].word_line_J += prices.word_line[level];
      columns_[s].edge_J += prices.v_edge[level];
      columns_[s].full_J += prices.v_full[level];
    }
}

}  // namespace gaincal::attention
