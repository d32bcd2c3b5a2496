#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gpt2/transformer.hpp"
#include "store/table.hpp"

namespace gaincal::gpt2 {

/// Reads of which operands are kept; what is not given may be any.
struct CaptureWhere {
  std::optional<std::size_t> layer, head, token;
};

/// "LAYER,HEAD,TOKEN", each a number from 0 or `*`; what is left out at the end is `*`.
///
/// where   begins the message of the error
/// Throws  UsageError for another word, or a layer, head or token that the model has not
CaptureWhere parse_capture(const std::string& words, const Config& config, const std::string& where);

/// Keeps what sub-tiles of a run compute with: the codes of a query, the levels that its keys and values were written
/// at, and their ages. Only sub-tiles that are full are taken, as the others are read in part.
class Capture {
 public:
  /// Chooses at most `count` of all that there are, spread evenly over the text, layers, heads and tokens; which ones
  /// depends on the seed alone.
  ///
  /// lengths  tokens of each pass
  ///
  /// Throws   UsageError for a device without quantised operands or whose sub-tiles are no part of a ring, or where no
  ///          sub-tile is ever full
  Capture(const Model& model, const Device& device, const std::vector<std::size_t>& lengths,
          const std::vector<CaptureWhere>& where, std::size_t count, std::uint64_t seed);

  /// For EvaluateOptions::on_head; passes may run at once.
  void see(std::size_t window, const HeadSignals& signals);

  std::size_t size() const { return picks_.size(); }

  /// `queries` over set and row (`q_code`), `tokens` over set and token (`age`), `cells` over set, token and row
  /// (`k_level`, `v_level`).
  std::vector<store::Table> tables() const;

 private:
  struct Pick {
    std::size_t window = 0, layer = 0, head = 0, token = 0, tile = 0;
    std::vector<std::uint8_t> q_code, k_level, v_level;
    std::vector<std::size_t> age;
  };
  std::size_t full_tiles(std::size_t token) const;

  const Model* model_;
  const Device* device_;
  std::vector<Pick> picks_;
};

}  // namespace gaincal::gpt2
