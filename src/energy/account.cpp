#include "energy/account.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "core/error.hpp"
#include "energy/paper.hpp"

namespace gaincal::energy {
namespace {

using attention::Event;
using device::Origin;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr double kTileColumns = 64.0;
constexpr const char* kControl = "control and routing";

/// What the parts of an account are, beside their energies; constants of a model by name come on top.
struct Kind {
  const char* name;
  Event event;
  Law law;
  Group group;
  Origin origin;
  const char* source;
};
constexpr Kind kKinds[] = {
    {"write", Event::write, Law::rows, Group::other, Origin::extracted, "SPICE, per level"},
    {"K word lines", Event::k_word_line, Law::cells, Group::score_arrays, Origin::extracted, "SPICE, per pulse"},
    {"K cells", Event::k_cell, Law::cells, Group::score_arrays, Origin::extracted, "SPICE, per pulse width and level"},
    {"K converters", Event::score_conversion, Law::columns, Group::score_arrays, Origin::extracted,
     "SPICE, per charge"},
    {"V word lines", Event::v_word_line, Law::cells, Group::sum_arrays, Origin::extracted, "SPICE, per pulse"},
    {"V cells", Event::v_cell, Law::cells, Group::sum_arrays, Origin::extracted, "SPICE, per pulse width and level"},
    {"signed converters", Event::output_conversion, Law::outputs, Group::sum_arrays, Origin::extracted,
     "SPICE, per charge"},
    {"counters", Event::counter, Law::outputs, Group::other, Origin::assumed, "constant counter_tick, per clock"},
    {"digital adders", Event::adder, Law::outputs, Group::other, Origin::assumed,
     "constant addition, per output of a sub-tile"},
};

double sum_over(const std::vector<Part>& parts, double Part::*figure, const std::optional<Group>& group) {
  double sum = 0.0;
  for (const Part& part : parts)
    if (!group || part.group == *group) sum += part.*figure;
  return sum;
}

const Kind* kind_of(const std::string& name) {
  for (const Kind& kind : kKinds)
    if (name == kind.name) return &kind;
  return nullptr;
}

/// Adds the constants of the model; the paper's control includes counters and adders.
void add_constants(const device::CircuitModel& model, Account& account) {
  double digital_J = 0.0;
  for (const Part& part : account.parts)
    if (part.origin == Origin::assumed) digital_J += part.full_window_J;
  for (const device::EnergyConstant& constant : model.energy_constants) {
    const bool control = constant.part == "digital control and routing" && constant.origin == Origin::paper;
    Part part;
    part.name = control ? kControl : constant.part;
    part.law = constant.part == "DACs" ? Law::rows : Law::constant;
    part.energy_J = part.full_window_J = control ? std::max(0.0, constant.energy_J - digital_J) : constant.energy_J;
    part.paper_J = constant.origin == Origin::paper ? constant.energy_J : kNone;
    part.origin = constant.origin;
    part.source = constant.source + (control ? ", less counters and adders of a full window" : "");
    account.parts.push_back(std::move(part));
  }
}

}  // namespace

double Account::total_J() const { return sum_over(parts, &Part::energy_J, {}); }
double Account::full_window_total_J() const { return sum_over(parts, &Part::full_window_J, {}); }
double Account::group_J(Group group) const { return sum_over(parts, &Part::energy_J, group); }
double Account::full_window_group_J(Group group) const { return sum_over(parts, &Part::full_window_J, group); }

Account make_account(const device::CircuitModel& model, const attention::TokenEnergy& events, double head_tokens,
                     double head_size, double window_columns) {
  if (!(head_tokens > 0.0) || !(events[Event::columns] > 0.0))
    throw Error("energy: the run counted no token; evaluate a text on the fitted circuit first");
  Account account;
  account.window_columns = window_columns;
  account.head_size = head_size;
  account.mean_columns = events[Event::columns] / head_tokens;
  const double columns_scale = window_columns / account.mean_columns;
  const double outputs_scale =
      head_size * std::ceil(window_columns / kTileColumns) * head_tokens / events[Event::outputs];
  for (const Kind& kind : kKinds) {
    const double energy_J = events[kind.event] / head_tokens;
    const double scale = kind.law == Law::outputs ? outputs_scale : kind.law == Law::rows ? 1.0 : columns_scale;
    account.parts.push_back(
        {kind.name, kind.law, kind.group, energy_J, energy_J * scale, kNone, kind.origin, kind.source});
  }
  add_constants(model, account);
  return account;
}

store::Table energy_table(const Account& account) {
  store::Table table;
  table.name = "energy";
  table.description = "energy per token and head by part";
  store::Axis parts{"part", "1", {}, {}, ""};
  std::vector<double> run, full, paper, origin, law;
  for (const Part& part : account.parts) {
    parts.values.push_back(static_cast<double>(parts.values.size()));
    parts.labels.push_back(part.name);
    parts.description += (parts.description.empty() ? "sources: " : "; ") + part.name + ": " + part.source;
    run.push_back(part.energy_J);
    full.push_back(part.full_window_J);
    paper.push_back(part.paper_J);
    origin.push_back(static_cast<double>(part.origin));
    law.push_back(static_cast<double>(part.law));
  }
  const auto all = [&](double value) { return std::vector<double>(account.parts.size(), value); };
  table.axes = {parts};
  table.quantities = {
      {"run", "J", "as this run did it", run},
      {"full_window", "J", "with every column of the window occupied", full},
      {"paper", "J", "the paper's figure, NaN where it gives none", paper},
      {"origin", "1", "0 paper, 1 extracted, 2 assumed", origin},
      {"law", "1", "grows with 0 D M, 1 M, 2 D M / 64, 3 D, 4 not; D head size, M window", law},
      {"window", "1", "M of full_window", all(account.window_columns)},
      {"head_size", "1", "D", all(account.head_size)},
      {"mean_columns", "1", "occupied columns in the run, mean over tokens", all(account.mean_columns)}};
  return table;
}

bool has_account(const store::Dataset& results) {
  if (!results.has_table("energy") || results.table("energy").axes.size() != 1) return false;
  const store::Table& table = results.table("energy");
  const store::Axis& names = table.axes[0];
  const bool has_law = std::any_of(table.quantities.begin(), table.quantities.end(),
                                   [](const store::Quantity& quantity) { return quantity.name == "law"; });
  return has_law && !names.labels.empty() && names.labels.size() == names.values.size();
}

Account read_account(const store::Dataset& results) {
  if (!has_account(results)) throw Error("results.h5: /energy lacks the parts of this version; rerun 'gaincal flow'");
  const store::Table& table = results.table("energy");
  const store::Axis& names = table.axes[0];
  const auto value = [&](const char* quantity, std::size_t i) { return table.quantity(quantity).values[i]; };
  Account account;
  account.window_columns = value("window", 0);
  account.head_size = value("head_size", 0);
  account.mean_columns = value("mean_columns", 0);
  for (std::size_t i = 0; i < names.labels.size(); ++i) {
    const Kind* kind = kind_of(names.labels[i]);
    const std::string start = names.labels[i] + ": ";
    std::string source;
    if (const std::size_t at = names.description.find(start); at != std::string::npos) {
      source = names.description.substr(at + start.size());
      source.erase(std::min(source.size(), source.find("; ")));
    }
    const auto origin = static_cast<Origin>(std::clamp(value("origin", i), 0.0, 2.0));
    const auto law = static_cast<Law>(std::clamp(value("law", i), 0.0, 4.0));
    account.parts.push_back({names.labels[i], law, kind == nullptr ? Group::other : kind->group, value("run", i),
                             value("full_window", i), value("paper", i), origin,
                             kind == nullptr ? source : kind->source});
  }
  return account;
}

Sheet energy_sheet(const Account& account) {
  const std::string window = std::to_string(std::lround(account.window_columns)) + " columns";
  Sheet sheet{"energy_by_part",
              "Energy per token and head (the run: " + std::to_string(std::lround(account.mean_columns)) +
                  " occupied columns on average)",
              {{"part", Unit::none, true},
               {"the run", Unit::joule},
               {window, Unit::joule},
               {"paper", Unit::joule},
               {"origin", Unit::none, true},
               {"source", Unit::none, true}},
              {}};
  for (const Part& part : account.parts)
    sheet.rows.push_back(
        {part.name, part.energy_J, part.full_window_J, part.paper_J, origin_name(part.origin), part.source});
  const auto row = [&](const char* name, double run_J, double full_J, double paper_J) {
    sheet.rows.push_back({name, run_J, full_J, paper_J, "", "sum of rows above"});
  };
  row("= K arrays with conversion", account.group_J(Group::score_arrays),
      account.full_window_group_J(Group::score_arrays), paper::kScoreArrays_J);
  row("= V arrays with conversion", account.group_J(Group::sum_arrays), account.full_window_group_J(Group::sum_arrays),
      paper::kSumArrays_J);
  row("total", account.total_J(), account.full_window_total_J(), paper::kHead_J);
  sheet.notes = {
      "Not counted: recharging bit lines to their reference after a conversion, clock and bias generation, "
      "leakage between tokens."};
  return sheet;
}

}  // namespace gaincal::energy
