#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "device/circuit_model.hpp"
#include "netlist/design.hpp"
#include "store/model_file.hpp"

namespace gaincal::verify {

/// What one sub-tile computes with: a query, and the keys and values of the tokens in its columns.
struct OperandSet {
  std::string label;                  ///< "layer 1, head 0, token 200, sub-tile 2"
  std::vector<std::uint8_t> q_code;   ///< (D) pulse widths of the rows; 0: no pulse
  std::vector<std::uint8_t> k_level;  ///< (T, D)
  std::vector<std::uint8_t> v_level;  ///< (T, D)
  std::vector<double> age;            ///< (T) tokens since the write
};

/// Operand sets of an array of `rows` rows D and `tokens` columns T.
struct Operands {
  std::string source;  ///< "random, seed 1"
  std::size_t rows = 0, tokens = 0;
  double t_token_s = 0.0;  ///< between two tokens of one array
  std::vector<OperandSet> sets;
};

/// Half of the rows silent, all else even: codes, levels, and the age of the youngest token within the window.
Operands random_operands(const netlist::Design& design, const device::CircuitModel& model, std::size_t count,
                         std::uint64_t seed);

/// Arrays Q, K, V (sets, tokens, rows) of an `.npz`: Q in 0..1 and K, V in 0..0.9 V, brought to the nearest code and
/// level of the design. A set is the last query with all tokens.
///
/// Throws  Error naming file and array when one is missing, or of another shape or range than the design's
Operands npz_operands(const std::filesystem::path& path, const netlist::Design& design,
                      const device::CircuitModel& model);

/// What `gaincal gpt2 eval --capture` wrote; heads of fewer values leave rows silent.
///
/// Throws  Error naming file and field when a table is missing, or the capture is of another circuit
Operands captured_operands(const std::filesystem::path& path, const netlist::Design& design,
                           const store::ModelFile& model);

/// By the name of the file: `.npz`, or captured.
Operands read_operands(const std::filesystem::path& path, const netlist::Design& design, const store::ModelFile& model);

}  // namespace gaincal::verify
