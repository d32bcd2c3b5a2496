#include "fit/conditions_fit.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "core/error.hpp"
#include "fit/fit.hpp"
#include "fit/least_squares.hpp"
#include "fit/samples.hpp"

namespace gaincal::fit {
namespace {

using device::CircuitModel;
using device::Condition;
using device::ConditionSet;
using store::Axis;
using store::Dataset;
using store::Table;

constexpr const char* kAxes[] = {"corner", "temperature", "supply"};
constexpr std::size_t kLeadingAxes = std::size(kAxes);

/// The leading axes of the tables of a prefix.
struct Places {
  std::vector<std::string> corners;
  std::vector<double> temperatures_C, supplies_V;

  std::size_t count() const { return corners.size() * temperatures_C.size() * supplies_V.size(); }
  Condition at(std::size_t place) const {
    const std::size_t s = place % supplies_V.size(), t = place / supplies_V.size();
    return {corners[t / temperatures_C.size()], temperatures_C[t % temperatures_C.size()], supplies_V[s]};
  }
};

Places places_of(const Dataset& dataset, const std::string& table_name) {
  const Table& table = dataset.table(table_name);
  for (std::size_t i = 0; i < kLeadingAxes; ++i)
    if (table.axes.size() <= i || table.axes[i].name != kAxes[i])
      throw Error("table " + table_name + ": its first axes are not corner, temperature, supply; " +
                  store::remedy(store::kDatasetSchema));
  if (table.axes[0].labels.size() != table.axes[0].values.size())
    throw Error("table " + table_name + ": axis corner has no labels; " + store::remedy(store::kDatasetSchema));
  return {table.axes[0].labels, table.axes[1].values, table.axes[2].values};
}

/// The tables with a prefix, without it, at one point of their leading axes.
Dataset slice(const Dataset& dataset, const std::string& prefix, const Places& places, std::size_t place) {
  Dataset result;
  for (const Table& table : dataset.tables) {
    if (!table.name.starts_with(prefix)) continue;
    const Places own = places_of(dataset, table.name);
    if (own.corners != places.corners || own.temperatures_C != places.temperatures_C ||
        own.supplies_V != places.supplies_V)
      throw Error("table " + table.name + ": its conditions are not those of the tables beside it; " +
                  store::remedy(store::kDatasetSchema));
    const std::size_t size = table.points() / places.count();
    const auto part = [&](const auto& values) {
      using Values = std::decay_t<decltype(values)>;
      if (values.empty()) return Values{};
      const auto begin = values.begin() + static_cast<std::ptrdiff_t>(place * size);
      return Values(begin, begin + static_cast<std::ptrdiff_t>(size));
    };
    Table cut;
    cut.name = table.name.substr(prefix.size());
    cut.axes.assign(table.axes.begin() + kLeadingAxes, table.axes.end());
    for (const store::Quantity& quantity : table.quantities)
      cut.quantities.push_back({quantity.name, quantity.unit, quantity.description, part(quantity.values)});
    cut.failed = part(table.failed);
    cut.reason = part(table.reason);
    result.tables.push_back(std::move(cut));
  }
  return result;
}

/// Residuals of one quantity at one condition, in the unit of the model's own statement.
class Comparison {
 public:
  Comparison(const Condition& at, const CircuitModel& nominal, std::vector<device::InterpolationError>& errors)
      : at_(at), nominal_(nominal), errors_(errors) {}

  void cell(const Dataset& tables, const CircuitModel& model) {
    add_grid(tables, "cell charge", "C", nominal_.cell.table_quality.full_scale, "cell_read_check", "t_pulse", {"q_bl"},
             [&](double v, double x) { return model.cell.charge_C(v, x); });
    add_grid(tables, "read energy", "J", nominal_.read_energy.quality.full_scale, "cell_read_check", "t_pulse",
             {"e_supply", "e_word_line"}, [&](double v, double x) { return model.read_energy.energy_J(v, x); });
    add_grid(tables, "retention", "V", nominal_.leak.table_quality.full_scale, "cell_leak_check", "age", {"v_cell"},
             [&](double v, double age) { return model.leak.voltage_V(v, age); });
    // As the model states it: the mean over the previous content.
    const GridSamples stored = grid_samples(tables, "cell_write", "level", "previous", {"v_stored"}, "V");
    Residuals residuals;
    for (std::size_t i = 0; i < stored.x.size(); ++i) {
      double sum_V = 0.0, count = 0.0;
      for (std::size_t j = 0; j < stored.y.size(); ++j)
        if (stored.good[stored.index(i, j)]) {
          sum_V += stored.value[stored.index(i, j)];
          count += 1;
        }
      if (count > 0) residuals.add(sum_V / count - model.write.v_stored_V.at(i));
    }
    add("stored voltage", "V", nominal_.write.v_target_V.back(), residuals);
  }

  void readout(const Dataset& tables, const device::ReadoutModel& model, const device::ReadoutModel& nominal) {
    const std::string name = model.is_signed ? "output" : "score";
    const std::string table = model.is_signed ? "readout_signed_check" : "readout_unsigned_check";
    const LineSamples width = line_samples(tables, table, "q_in", "t_out", "s", model.is_signed ? "sign" : "");
    const LineSamples energy = line_samples(tables, table, "q_in", "e_conversion", "J");
    Residuals of_width, of_energy;
    for (std::size_t i = 0; i < width.x.size(); ++i) of_width.add(width.y[i] - model.width_s(width.x[i]));
    for (std::size_t i = 0; i < energy.x.size(); ++i) of_energy.add(energy.y[i] - model.energy_J(energy.x[i]));
    add(name + " width", "s", nominal.table_quality.full_scale, of_width);
    const std::vector<double>& e_J = nominal.e_table_J.y();
    add(name + " energy", "J", *std::max_element(e_J.begin(), e_J.end()), of_energy);
  }

 private:
  template <typename Model>
  void add_grid(const Dataset& tables, const std::string& quantity, const std::string& unit, double full_scale,
                const std::string& table, const std::string& y_axis, const std::vector<std::string>& columns,
                Model model) {
    const GridSamples samples = grid_samples(tables, table, "v_store", y_axis, columns, unit);
    Residuals residuals;
    for (std::size_t i = 0; i < samples.x.size(); ++i)
      for (std::size_t j = 0; j < samples.y.size(); ++j)
        if (samples.good[samples.index(i, j)])
          residuals.add(samples.value[samples.index(i, j)] - model(samples.x[i], samples.y[j]));
    add(quantity, unit, full_scale, residuals);
  }

  void add(const std::string& quantity, const std::string& unit, double full_scale, const Residuals& residuals) {
    errors_.push_back({at_, quantity, unit, residuals.rms(), residuals.max(), full_scale, residuals.points()});
  }

  const Condition& at_;
  const CircuitModel& nominal_;
  std::vector<device::InterpolationError>& errors_;
};

void compare_left_out(const Dataset& dataset, const CircuitModel& nominal, ConditionSet& set) {
  constexpr const char* kPrefix = "left_out_";
  if (!dataset.has_table(std::string(kPrefix) + "cell_read_check")) return;
  const Places places = places_of(dataset, std::string(kPrefix) + "cell_read_check");
  for (std::size_t place = 0; place < places.count(); ++place) {
    const Condition at = places.at(place);
    const Dataset tables = slice(dataset, kPrefix, places, place);
    device::ModelChoice choice;
    choice.corner = at.corner;
    choice.temperature_C = at.temperature_C;
    choice.supply_V = at.supply_V;
    device::RangeGuard guard;
    const CircuitModel model = device::instance_of(nominal, set, choice, guard);
    Comparison comparison(at, nominal, set.errors);
    comparison.cell(tables, model);
    comparison.readout(tables, model.score_readout, nominal.score_readout);
    comparison.readout(tables, model.output_readout, nominal.output_readout);
  }
}

}  // namespace

ConditionSet fit_conditions(const Dataset& dataset, const DesignFacts& facts, const CircuitModel& nominal,
                            std::vector<Outcome>& outcomes) {
  constexpr const char* kPrefix = "conditions_";
  ConditionSet set;
  set.nominal = facts.nominal;
  if (!dataset.has_table(std::string(kPrefix) + "cell_read")) return set;
  const Places places = places_of(dataset, std::string(kPrefix) + "cell_read");
  std::vector<CircuitModel> models;
  bool usable = true;
  for (std::size_t place = 0; place < places.count(); ++place) {
    const Condition at = places.at(place);
    FitReport report = fit_tables(slice(dataset, kPrefix, places, place), facts);
    report.model.forms.clear();
    const bool is_nominal = at.corner == facts.nominal.corner && at.temperature_C == facts.nominal.temperature_C &&
                            at.supply_V == facts.nominal.supply_V;
    models.push_back(is_nominal ? nominal : report.model);
    models.back().score_bit_line = nominal.score_bit_line;
    models.back().output_bit_line = nominal.output_bit_line;
    for (Outcome& outcome : report.outcomes) {
      if (outcome.usable()) continue;
      usable = false;
      outcome.note = "at " + condition_text(at) + (outcome.note.empty() ? "" : ": " + outcome.note);
      outcomes.push_back(std::move(outcome));
    }
  }
  if (!usable) return set;
  set.corners = places.corners;
  set.temperatures_C = places.temperatures_C;
  set.supplies_V = places.supplies_V;
  set.models = std::move(models);
  compare_left_out(dataset, nominal, set);
  return set;
}

}  // namespace gaincal::fit
