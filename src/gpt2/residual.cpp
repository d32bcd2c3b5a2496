#include "gpt2/residual.hpp"

#include <cmath>

#include "core/error.hpp"

namespace gaincal::gpt2 {
namespace {

void add(const store::Table& table, std::vector<float>& residuals) {
  const std::vector<double>&model = table.quantity("value_model").values, &spice = table.quantity("value_spice").values;
  for (std::size_t i = 0; i < model.size(); ++i)
    if (std::isfinite(spice[i]) && model[i] != 0.0 && std::abs(model[i]) < 1.0)
      residuals.push_back(static_cast<float>(spice[i] - model[i]));
}

}  // namespace

Residuals residuals_of(const store::Dataset& verification, const std::string& where) {
  Residuals residuals;
  try {
    for (const store::Table& table : verification.tables) {
      if (table.name.ends_with("_score")) add(table, residuals.score);
      if (table.name.ends_with("_output")) add(table, residuals.output);
    }
  } catch (const Error& failure) {
    throw Error(where + ": " + failure.what(), failure.exit_code());
  }
  if (residuals.score.empty() || residuals.output.empty())
    throw Error(where +
                ": has no outputs of K and V columns inside their range; run 'gaincal verify --level column "
                "--out' with more operand sets");
  return residuals;
}

Residuals read_residuals(const std::filesystem::path& path) {
  return residuals_of(store::read_dataset(path, store::kResultsSchema), path.string());
}

}  // namespace gaincal::gpt2
