#include "energy/tokens.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"

namespace gaincal::energy {
namespace {

using attention::Event;
using attention::TokenEnergy;

/// A kind of event: its name in files and on the page.
struct Kind {
  const char* name;
  const char* title;
  Event event;
};
constexpr Kind kKinds[] = {{"write", "write", Event::write},
                           {"k_word_lines", "K word lines", Event::k_word_line},
                           {"k_cells", "K cells", Event::k_cell},
                           {"k_converters", "K converters", Event::score_conversion},
                           {"v_word_lines", "V word lines", Event::v_word_line},
                           {"v_cells", "V cells", Event::v_cell},
                           {"signed_converters", "signed converters", Event::output_conversion},
                           {"counters", "counters", Event::counter},
                           {"digital_adders", "digital adders", Event::adder}};

store::Axis numbered(const char* name, std::size_t count, const char* description) {
  store::Axis axis{name, "1", {}, {}, description};
  for (std::size_t i = 0; i < count; ++i) axis.values.push_back(static_cast<double>(i));
  return axis;
}

/// Total and each kind of event of some energies, divided.
std::vector<store::Quantity> quantities_of(const std::vector<TokenEnergy>& energies, double divisor) {
  std::vector<store::Quantity> quantities = {{"total", "J", "sum of the events below", {}}};
  for (const Kind& kind : kKinds) quantities.push_back({kind.name, "J", "", {}});
  for (const TokenEnergy& energy : energies) {
    quantities[0].values.push_back(energy.total_J() / divisor);
    for (std::size_t i = 0; i < std::size(kKinds); ++i)
      quantities[i + 1].values.push_back(energy[kKinds[i].event] / divisor);
  }
  return quantities;
}

double mean_of(const std::vector<double>& values) {
  double sum = 0.0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double deviation_of(const std::vector<double>& values) {
  const double mean = mean_of(values);
  double sum = 0.0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return values.size() > 1 ? std::sqrt(sum / static_cast<double>(values.size() - 1)) : 0.0;
}

}  // namespace

std::vector<store::Table> distribution_tables(const attention::Activity& activity, std::size_t layers) {
  const std::size_t heads = activity.heads.size(), tokens = activity.tokens.size();
  if (tokens == 0 || layers == 0 || heads == 0 || heads % layers != 0)
    throw Error("energy: the run kept the energy of " + std::to_string(tokens) + " tokens and " +
                std::to_string(heads) + " heads in " + std::to_string(layers) + " layers; set prices before it");
  store::Table by_token{"energy_tokens",
                        "energy of the events of each token, mean over heads of all layers",
                        {numbered("token", tokens, "tokens that went in, in the order of the text")},
                        {},
                        {},
                        {}};
  by_token.quantities = quantities_of(activity.tokens, static_cast<double>(heads));
  store::Quantity columns{"columns", "1", "occupied columns", {}};
  for (const TokenEnergy& token : activity.tokens)
    columns.values.push_back(token[Event::columns] / static_cast<double>(heads));
  by_token.quantities.push_back(std::move(columns));

  store::Table by_head{"energy_heads",
                       "energy of the events of each head, mean over tokens",
                       {numbered("layer", layers, ""), numbered("head", heads / layers, "")},
                       {},
                       {},
                       {}};
  std::vector<TokenEnergy> sums;
  store::Quantity sigma{"sigma", "J", "standard deviation of the total between tokens", {}};
  const auto n = static_cast<double>(tokens);
  for (const attention::HeadEnergy& head : activity.heads) {
    sums.push_back(head.sum);
    const double sum_J = head.sum.total_J();
    sigma.values.push_back(n > 1 ? std::sqrt(std::max(0.0, (head.square_sum_J2 - sum_J * sum_J / n) / (n - 1))) : 0.0);
  }
  by_head.quantities = quantities_of(sums, n);
  by_head.quantities.push_back(std::move(sigma));
  return {by_token, by_head};
}

double percentile(std::vector<double> values, double share) {
  if (values.empty()) throw Error("energy: no values to take a percentile of");
  std::sort(values.begin(), values.end());
  const double place = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (place - static_cast<double>(below)) * (values[above] - values[below]);
}

Sheet statistics_sheet(const store::Table& energy_tokens) {
  Sheet sheet{"energy_statistics",
              "Energy of the events of a token in one head, over the " + std::to_string(energy_tokens.points()) +
                  " tokens of the run",
              {{"part", Unit::none, true},
               {"mean", Unit::joule},
               {"sigma", Unit::joule},
               {"min", Unit::joule},
               {"5 %", Unit::joule},
               {"25 %", Unit::joule},
               {"median", Unit::joule},
               {"75 %", Unit::joule},
               {"95 %", Unit::joule},
               {"max", Unit::joule}},
              {}};
  const auto row = [&](const char* title, const std::vector<double>& values) {
    std::vector<Sheet::Cell> cells = {std::string(title), mean_of(values), deviation_of(values)};
    for (const double share : {0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0}) cells.push_back(percentile(values, share));
    sheet.rows.push_back(std::move(cells));
  };
  row("total", energy_tokens.quantity("total").values);
  for (const Kind& kind : kKinds) row(kind.title, energy_tokens.quantity(kind.name).values);
  sheet.notes = {
      "Mean over the heads of a token; control, routing and DACs are the same for every token and not in it."};
  return sheet;
}

Sheet heads_sheet(const store::Table& energy_heads) {
  Sheet sheet{"energy_by_head",
              "Energy of the events of a token by layer and head",
              {{"layer"}, {"head"}, {"total", Unit::joule}, {"sigma", Unit::joule}},
              {}};
  for (const Kind& kind : kKinds) sheet.columns.push_back({kind.title, Unit::joule});
  const std::size_t heads = energy_heads.axis("head").values.size();
  for (std::size_t i = 0; i < energy_heads.points(); ++i) {
    std::vector<Sheet::Cell> row = {static_cast<double>(i / heads), static_cast<double>(i % heads),
                                    energy_heads.quantity("total").values[i], energy_heads.quantity("sigma").values[i]};
    for (const Kind& kind : kKinds) row.push_back(energy_heads.quantity(kind.name).values[i]);
    sheet.rows.push_back(std::move(row));
  }
  return sheet;
}

}  // namespace gaincal::energy
