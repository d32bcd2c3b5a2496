#pragma once

#include <cstddef>

namespace gaincal::gpt2 {

/// Sum of negative log-likelihoods in nat over the counted tokens of one window.
struct WindowLoss {
  double nll = 0.0;
  std::size_t tokens = 0;
  std::size_t likeliest = 0;  ///< counted tokens that no other was likelier than
  double mean() const { return nll / static_cast<double>(tokens); }
};

}  // namespace gaincal::gpt2
