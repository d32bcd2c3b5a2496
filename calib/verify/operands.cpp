#include "verify/operands.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "core/random.hpp"
#include "store/numpy_file.hpp"
#include "store/table.hpp"

namespace gaincal::verify {
namespace {

/// Nearest of n codes over 0..range.
std::uint8_t nearest(double value, double range, std::size_t n, const std::string& where) {
  constexpr double kSlack = 1e-6;
  if (!(value >= -kSlack * range) || !(value <= range * (1 + kSlack)))
    throw Error(where + ": " + std::to_string(value) + " is outside 0 to " + std::to_string(range) +
                "; scale the operands as the arrays see them");
  return static_cast<std::uint8_t>(
      std::clamp(std::nearbyint(value / range * static_cast<double>(n - 1)), 0.0, static_cast<double>(n - 1)));
}

Operands empty_operands(const netlist::Design& design, const device::CircuitModel& model, std::string source) {
  Operands operands;
  operands.source = std::move(source);
  operands.rows = design.rows;
  operands.tokens = design.columns;
  operands.t_token_s = model.t_token_s;
  return operands;
}

std::uint8_t code_of(double value, std::size_t codes, const std::string& where) {
  if (!(value >= 0) || value != std::floor(value) || value >= static_cast<double>(codes))
    throw Error(where + ": " + std::to_string(value) + " is not one of the circuit's " + std::to_string(codes) +
                " codes; capture the operands on this model");
  return static_cast<std::uint8_t>(value);
}

/// A root attribute of a capture.
const std::string& attribute(const store::Dataset& captured, const std::string& name) {
  const auto found = captured.attributes.find(name);
  if (found == captured.attributes.end())
    throw Error("no attribute " + name + "; write the file with 'gaincal gpt2 eval --capture'");
  return found->second;
}

Operands from_capture(const store::Dataset& captured, const netlist::Design& design, const store::ModelFile& file) {
  const std::string& circuit = attribute(captured, "design_name");
  if (circuit != file.model.design_name || captured.provenance.netlist_hash != file.provenance.netlist_hash)
    throw Error("captured on another model (of the circuit '" + circuit + "'); capture the operands on this one, of '" +
                file.model.design_name + "'");
  const store::Table &queries = captured.table("queries"), &cells = captured.table("cells"),
                     &tokens = captured.table("tokens");
  const std::size_t sets = queries.axis("set").values.size(), rows = queries.axis("row").values.size();
  const std::size_t columns = cells.axis("token").values.size();
  if (cells.axis("set").values.size() != sets || cells.axis("row").values.size() != rows ||
      tokens.points() != sets * columns)
    throw Error("tables queries, cells and tokens do not fit together; capture the operands again");
  if (rows > design.rows || columns != design.columns)
    throw Error("sub-tiles of " + std::to_string(rows) + " x " + std::to_string(columns) + ", the circuit's are " +
                std::to_string(design.rows) + " x " + std::to_string(design.columns) +
                "; capture the operands on this model");
  Operands operands = empty_operands(design, file.model, {});
  operands.t_token_s = std::stod(attribute(captured, "t_token_s"));
  const auto silent = static_cast<std::uint8_t>(design.weight_levels / 2);
  for (std::size_t s = 0; s < sets; ++s) {
    OperandSet set;
    set.label = queries.axis("set").labels.empty() ? std::to_string(s) : queries.axis("set").labels[s];
    set.q_code.assign(design.rows, 0);
    set.k_level.assign(columns * design.rows, silent);
    set.v_level = set.k_level;
    for (std::size_t d = 0; d < rows; ++d)
      set.q_code[d] = code_of(queries.quantity("q_code").values[s * rows + d], design.query_levels, "q_code");
    for (std::size_t t = 0; t < columns; ++t) {
      set.age.push_back(tokens.quantity("age").values[s * columns + t]);
      for (std::size_t d = 0; d < rows; ++d) {
        const std::size_t at = (s * columns + t) * rows + d;
        set.k_level[t * design.rows + d] =
            code_of(cells.quantity("k_level").values[at], design.weight_levels, "k_level");
        set.v_level[t * design.rows + d] =
            code_of(cells.quantity("v_level").values[at], design.weight_levels, "v_level");
      }
    }
    operands.sets.push_back(std::move(set));
  }
  return operands;
}

}  // namespace

Operands random_operands(const netlist::Design& design, const device::CircuitModel& model, std::size_t count,
                         std::uint64_t seed) {
  Operands operands = empty_operands(design, model, "random, seed " + std::to_string(seed));
  const auto levels = static_cast<std::uint32_t>(design.weight_levels);
  const auto codes = static_cast<std::uint32_t>(design.query_levels);
  for (std::size_t s = 0; s < count; ++s) {
    const CounterRandom random(seed, s);
    std::uint64_t draw = 0;
    OperandSet set;
    set.label = "random " + std::to_string(s);
    const std::size_t ages = design.window > operands.tokens ? design.window - operands.tokens + 1 : 1;
    const std::size_t youngest = random.words(draw++)[0] % ages;
    for (std::size_t d = 0; d < operands.rows; ++d) {
      const auto words = random.words(draw++);
      set.q_code.push_back(static_cast<std::uint8_t>(words[0] % 2 == 0 ? 0 : 1 + words[1] % (codes - 1)));
    }
    for (std::size_t t = 0; t < operands.tokens; ++t) {
      set.age.push_back(static_cast<double>(youngest + operands.tokens - 1 - t));
      for (std::size_t d = 0; d < operands.rows; ++d) {
        const auto words = random.words(draw++);
        set.k_level.push_back(static_cast<std::uint8_t>(words[0] % levels));
        set.v_level.push_back(static_cast<std::uint8_t>(words[1] % levels));
      }
    }
    operands.sets.push_back(std::move(set));
  }
  return operands;
}

Operands npz_operands(const std::filesystem::path& path, const netlist::Design& design,
                      const device::CircuitModel& model) {
  const auto arrays = store::read_npz(path);
  const auto array = [&](const std::string& name) -> const store::NumpyArray& {
    const auto found = arrays.find(name);
    if (found == arrays.end()) throw Error(path.string() + ": no array " + name + "; it holds Q, K and V");
    const auto& shape = found->second.shape;
    if (shape.size() != 3 || shape[0] == 0 || shape[1] != design.columns || shape[2] != design.rows)
      throw Error(path.string() + ": " + name + " is not of shape (sets, " + std::to_string(design.columns) + ", " +
                  std::to_string(design.rows) + ") as the design's arrays are");
    return found->second;
  };
  const store::NumpyArray &Q = array("Q"), &K = array("K"), &V = array("V");
  if (K.shape[0] != Q.shape[0] || V.shape[0] != Q.shape[0])
    throw Error(path.string() + ": Q, K and V hold different numbers of sets");
  Operands operands = empty_operands(design, model, path.filename().string());
  const std::size_t cells = operands.tokens * operands.rows;
  for (std::size_t s = 0; s < Q.shape[0]; ++s) {
    OperandSet set;
    set.label = operands.source + ", set " + std::to_string(s);
    const double* query = &Q.values[s * cells + cells - operands.rows];
    const std::string where = path.string() + ": set " + std::to_string(s) + " of ";
    for (std::size_t d = 0; d < operands.rows; ++d)
      set.q_code.push_back(nearest(query[d], 1.0, design.query_levels, where + "Q"));
    for (std::size_t i = 0; i < cells; ++i) {
      set.k_level.push_back(nearest(K.values[s * cells + i], design.v_max_V, design.weight_levels, where + "K"));
      set.v_level.push_back(nearest(V.values[s * cells + i], design.v_max_V, design.weight_levels, where + "V"));
    }
    for (std::size_t t = 0; t < operands.tokens; ++t) set.age.push_back(static_cast<double>(operands.tokens - 1 - t));
    operands.sets.push_back(std::move(set));
  }
  return operands;
}

Operands captured_operands(const std::filesystem::path& path, const netlist::Design& design,
                           const store::ModelFile& model) {
  const store::Dataset captured = store::read_dataset(path, store::kResultsSchema);
  try {
    Operands operands = from_capture(captured, design, model);
    operands.source = path.filename().string();
    return operands;
  } catch (const Error& failure) {
    throw Error(path.string() + ": " + failure.what(), failure.exit_code());
  }
}

Operands read_operands(const std::filesystem::path& path, const netlist::Design& design,
                       const store::ModelFile& model) {
  return path.extension() == ".npz" ? npz_operands(path, design, model.model) : captured_operands(path, design, model);
}

}  // namespace gaincal::verify
