#include <algorithm>
#include <cmath>
#include <functional>
#include <iomanip>
#include <limits>
#include <sstream>

#include "report/sections.hpp"

namespace gaincal::report {
namespace {

using Style = Series::Style;
using Function = std::function<double(double)>;

constexpr double kFemto = 1e15, kNano = 1e9, kPico = 1e12, kMicro = 1e6, kMilli = 1e3;
constexpr const char* kSweep = "gaincal sweep DESIGN.toml --out DIR/dataset.h5";
constexpr const char* kFit = "gaincal fit DIR/dataset.h5 --out DIR/model.h5";

std::vector<double> grid(double from, double to, int count) {
  std::vector<double> values;
  for (int i = 0; i < count; ++i) values.push_back(from + (to - from) * i / (count - 1));
  return values;
}

std::vector<double> mapped(const std::vector<double>& values, const Function& function) {
  std::vector<double> result;
  for (const double value : values) result.push_back(function(value));
  return result;
}

/// Values of a quantity over the first axis of a two-dimensional table, at one place of the second.
std::vector<double> column(const store::Table& table, const std::string& quantity, std::size_t place) {
  const std::size_t width = table.axes.at(1).values.size();
  const std::vector<double>& values = table.quantity(quantity).values;
  std::vector<double> result;
  for (std::size_t row = 0; row < table.axes.at(0).values.size(); ++row) result.push_back(values[row * width + place]);
  return result;
}

std::vector<DataTable::Cell> quality_row(const std::string& quantity, const std::string& form,
                                         const device::FitQuality& quality, double factor, const std::string& unit) {
  const auto share = [&](double value) {
    return quality.full_scale > 0 ? 100 * value / quality.full_scale : std::numeric_limits<double>::quiet_NaN();
  };
  return {
      quantity,
      form,
      unit,
      number_cell(quality.rms * factor, 4),
      number_cell(quality.max * factor, 4),
      number_cell(
          quality.held_out_points > 0 ? quality.held_out_rms * factor : std::numeric_limits<double>::quiet_NaN(), 4),
      number_cell(quality.held_out_points > 0 ? share(quality.held_out_max) : std::numeric_limits<double>::quiet_NaN(),
                  3),
      {std::to_string(quality.points) + "+" + std::to_string(quality.held_out_points),
       static_cast<double>(quality.points)}};
}

DataTable quality_table(const std::string& id, const std::string& caption) {
  return {id,
          caption,
          {"quantity", "form", "unit", "rms", "max", "held-out rms", "held-out max, % of full scale", "points"},
          {}};
}

/// Charge over stored voltage for the longest pulse: what the columns are made of.
Figure cell_figure(const device::CellModel& cell, const store::Table* read, const store::Table* check) {
  const std::vector<double> v = grid(cell.v_min_V, cell.v_max_V, 181);
  const double t_max_s = cell.t_pulse_max_s;
  const auto cubic_C = [&](double v_V, double x_s) { return x_s * cell.i_cubic_A(v_V) + cell.a_cubic_C(v_V); };
  Panel charge{"cell_charge", "Charge of a " + fixed_text(t_max_s * kNano, 0) + " ns read", "stored voltage (V)",
               "charge (fC)"};
  Panel current{"cell_current", "Read current", "stored voltage (V)", "current (uA)"};
  Panel residual{"cell_residual", "Fit minus SPICE, all widths", "stored voltage (V)", "charge (fC)"};
  Panel widths{"cell_widths", "Charge over pulse width", "pulse width (ns)", "charge (fC)"};
  charge.series = {{"fitted table", Style::line, Colour::table, v,
                    mapped(v, [&](double x) { return cell.charge_C(x, t_max_s) * kFemto; })},
                   {"cubic (paper's form)", Style::dashed, Colour::closed_form, v,
                    mapped(v, [&](double x) { return cubic_C(x, t_max_s) * kFemto; })}};
  current.series = {
      {"fitted table", Style::line, Colour::table, v, mapped(v, [&](double x) { return cell.current_A(x) * kMicro; })},
      {"cubic (paper's form)", Style::dashed, Colour::closed_form, v,
       mapped(v, [&](double x) { return cell.i_cubic_A(x) * kMicro; })}};
  if (read != nullptr) {
    const std::vector<double>&voltage = read->axis("v_store").values, &width = read->axis("t_pulse").values;
    const std::size_t last = width.size() - 1;
    const std::vector<double> longest = column(*read, "q_bl", last), shortest = column(*read, "q_bl", 0);
    charge.series.push_back({"SPICE", Style::points, Colour::spice, voltage, scaled(longest, kFemto)});
    std::vector<double> slope;
    for (std::size_t i = 0; i < voltage.size(); ++i)
      slope.push_back((longest[i] - shortest[i]) / (width[last] - width[0]) * kMicro);
    current.series.push_back({"SPICE", Style::points, Colour::spice, voltage, slope});
    for (std::size_t i = 0; i < voltage.size(); i += std::max<std::size_t>(1, (voltage.size() - 1) / 4)) {
      const std::string name = i == 0 ? "fitted line" : "";
      Series line{name, Style::thin_line, Colour::table, {0.0, t_max_s * kNano}, {}};
      line.y = {cell.edge_charge_C(voltage[i]) * kFemto, cell.charge_C(voltage[i], t_max_s) * kFemto};
      Series points{i == 0 ? "SPICE" : "", Style::points, Colour::spice, scaled(width, kNano), {}};
      for (std::size_t j = 0; j < width.size(); ++j)
        points.y.push_back(read->quantity("q_bl").values[i * width.size() + j] * kFemto);
      widths.series.push_back(std::move(line));
      widths.series.push_back(std::move(points));
    }
  }
  const auto residuals = [&](const store::Table& table, const std::string& name, Style style, Colour colour,
                             bool cubic) {
    Series series{name, style, colour, {}, {}};
    const std::vector<double>&voltage = table.axis("v_store").values, &width = table.axis("t_pulse").values;
    for (std::size_t i = 0; i < voltage.size(); ++i)
      for (std::size_t j = 0; j < width.size(); ++j) {
        const double model = cubic ? cubic_C(voltage[i], width[j]) : cell.charge_C(voltage[i], width[j]);
        series.x.push_back(voltage[i]);
        series.y.push_back((model - table.quantity("q_bl").values[i * width.size() + j]) * kFemto);
      }
    return series;
  };
  if (read != nullptr) {
    residual.series.push_back(residuals(*read, "cubic", Style::open_points, Colour::closed_form, true));
    residual.series.push_back(residuals(*read, "table", Style::points, Colour::table, false));
  }
  if (check != nullptr)
    residual.series.push_back(residuals(*check, "table, held out", Style::open_points, Colour::held_out, false));
  Figure figure{
      "Charge that one read of the gain cell pours onto its bit line, positive where it counts as positive "
      "weight. The table runs through the SPICE points; the cubic is the paper's form. The residuals show "
      "where the cubic misses this cell, and that the table also holds at held-out points, simulated but "
      "never shown to the fit. Over the pulse width the charge is a straight line with a small edge charge.",
      {charge, current, residual}};
  if (!widths.series.empty()) figure.panels.push_back(widths);
  return figure;
}

std::vector<double> signed_widths(const store::Table& table) {
  std::vector<double> width = table.quantity("t_out").values;
  for (const store::Quantity& quantity : table.quantities)
    if (quantity.name == "sign")
      for (std::size_t i = 0; i < width.size(); ++i) width[i] *= quantity.values[i];
  return width;
}

void add_converter(Figure& figure, const device::ReadoutModel& readout, const store::Table* points,
                   const store::Table* check, const std::string& id, const std::string& title) {
  const std::vector<double>& knots = readout.t_table_s.x();
  const std::vector<double> q = grid(knots.front(), knots.back(), 401);
  Panel width{id + "_width", title + ": width", "charge (fC)", readout.is_signed ? "sign x width (ns)" : "width (ns)"};
  Panel residual{id + "_residual", title + ": fit minus SPICE", "charge (fC)", "width (ps)"};
  width.series = {{"fitted table", Style::line, Colour::table, scaled(q, kFemto),
                   mapped(q, [&](double x) { return readout.width_s(x) * kNano; })},
                  {"HardSigmoid", Style::dashed, Colour::closed_form, scaled(q, kFemto),
                   mapped(q, [&](double x) { return readout.hard_sigmoid_s(x) * kNano; })}};
  const auto residuals = [&](const store::Table& table, const std::string& name, Style style, Colour colour,
                             const Function& model) {
    const std::vector<double> spice = signed_widths(table);
    const std::vector<double>& charge = table.axis("q_in").values;
    Series series{name, style, colour, scaled(charge, kFemto), {}};
    for (std::size_t i = 0; i < charge.size(); ++i) series.y.push_back((model(charge[i]) - spice[i]) * kPico);
    return series;
  };
  const auto sigmoid = [&](double x) { return readout.hard_sigmoid_s(x); };
  const auto table_form = [&](double x) { return readout.width_s(x); };
  if (points != nullptr) {
    width.series.push_back({"SPICE", Style::points, Colour::spice, scaled(points->axis("q_in").values, kFemto),
                            scaled(signed_widths(*points), kNano)});
    residual.series.push_back(residuals(*points, "HardSigmoid", Style::open_points, Colour::closed_form, sigmoid));
    residual.series.push_back(residuals(*points, "table", Style::points, Colour::table, table_form));
  }
  if (check != nullptr)
    residual.series.push_back(residuals(*check, "table, held out", Style::open_points, Colour::held_out, table_form));
  figure.panels.push_back(std::move(width));
  figure.panels.push_back(std::move(residual));
}

Panel conversion_energy_panel(const device::CircuitModel& model) {
  Panel panel{"conversion_energy", "Energy of a conversion", "charge (fC)", "energy (fJ)"};
  const auto add = [&](const device::ReadoutModel& readout, const char* name, Colour colour) {
    const std::vector<double> q = grid(readout.e_table_J.x().front(), readout.e_table_J.x().back(), 201);
    panel.series.push_back({name, Style::line, colour, scaled(q, kFemto),
                            mapped(q, [&](double x) { return readout.energy_J(x) * kFemto; })});
  };
  add(model.score_readout, "score (unsigned)", Colour::table);
  add(model.output_readout, "output (signed)", Colour::held_out);
  return panel;
}

/// Voltage over age for at most nine starts.
Figure retention_figure(const device::LeakModel& leak, const store::Table* points, const store::Table* check) {
  Panel voltage{"retention_voltage", "Stored voltage over age", "age (ms)", "stored voltage (V)"};
  Panel residual{"retention_residual", "Held-out points: fit minus SPICE", "age (ms)", "voltage (mV)"};
  const std::size_t ages = leak.age_s.size();
  const std::size_t stride = std::max<std::size_t>(1, leak.v0_V.size() / 8);
  for (std::size_t i = 0; i < leak.v0_V.size(); i += stride) {
    Series table{i == 0 ? "fitted table" : "", Style::line, Colour::table, scaled(leak.age_s, kMilli), {}};
    table.y.assign(leak.v_V.begin() + static_cast<std::ptrdiff_t>(i * ages),
                   leak.v_V.begin() + static_cast<std::ptrdiff_t>((i + 1) * ages));
    const std::vector<double> age = grid(leak.age_s.front(), leak.age_s.back(), 60);
    Series exponential{i == 0 ? "one exponential" : "", Style::dashed, Colour::closed_form, scaled(age, kMilli),
                       mapped(age, [&](double x) { return leak.exponential_V(leak.v0_V[i], x); })};
    voltage.series.push_back(std::move(table));
    voltage.series.push_back(std::move(exponential));
    if (points == nullptr || i >= points->axes.at(0).values.size()) continue;
    Series spice{i == 0 ? "SPICE" : "", Style::points, Colour::spice, scaled(points->axis("age").values, kMilli), {}};
    const std::size_t width = spice.x.size();
    const std::vector<double>& v = points->quantity("v_cell").values;
    spice.y.assign(v.begin() + static_cast<std::ptrdiff_t>(i * width),
                   v.begin() + static_cast<std::ptrdiff_t>((i + 1) * width));
    voltage.series.push_back(std::move(spice));
  }
  if (check != nullptr) {
    Series exponential{"one exponential", Style::open_points, Colour::closed_form, {}, {}};
    Series table{"table", Style::points, Colour::table, {}, {}};
    const std::vector<double>&start = check->axis("v_store").values, &age = check->axis("age").values;
    for (std::size_t i = 0; i < start.size(); ++i)
      for (std::size_t j = 0; j < age.size(); ++j) {
        const double spice = check->quantity("v_cell").values[i * age.size() + j];
        exponential.x.push_back(age[j] * kMilli);
        exponential.y.push_back((leak.exponential_V(start[i], age[j]) - spice) * kMilli);
        table.x.push_back(age[j] * kMilli);
        table.y.push_back((leak.voltage_V(start[i], age[j]) - spice) * kMilli);
      }
    residual.series = {exponential, table};
  }
  Figure figure{
      "Storage node of an unselected cell after its write, from several starting voltages, with the write bit "
      "line in the middle of the range: the ends decay towards it and the middle hardly moves. The residuals, "
      "at starts that the fit has not seen, tell how far a single exponential is from this.",
      {voltage}};
  if (!residual.series.empty()) figure.panels.push_back(std::move(residual));
  return figure;
}

DataTable level_table(const device::WriteModel& write) {
  DataTable table{"levels",
                  "Written levels: spread by previous content at most " + fixed_text(write.v_spread_V * kMilli, 2) +
                      " mV, slowest settling " + fixed_text(write.t_settle_s * kNano, 2) + " ns",
                  {"level", "driven (V)", "stored (V)", "difference (mV)", "energy of a write (fJ)"},
                  {}};
  for (std::size_t level = 0; level < write.v_stored_V.size(); ++level)
    table.rows.push_back({{std::to_string(level), static_cast<double>(level)},
                          number_cell(write.v_target_V[level], 4),
                          number_cell(write.v_stored_V[level], 4),
                          number_cell((write.v_stored_V[level] - write.v_target_V[level]) * kMilli, 2),
                          number_cell(write.e_write_J[level] * kFemto, 3)});
  return table;
}

/// False, with notices in the section, when there is no model; a missing dataset leaves the fitted curves.
bool needs_model(Section& section, const Sources& sources) {
  if (!sources.dataset) section.blocks.push_back(Missing{"dataset.h5, the SPICE points", kSweep});
  if (!sources.model) section.blocks.push_back(Missing{"model.h5, the fitted circuit", kFit});
  return sources.model.has_value();
}

}  // namespace

Section cell_section(const Sources& sources) {
  Section section{"cell", "The gain cell"};
  if (!needs_model(section, sources)) return section;
  const device::CircuitModel& model = sources.model->model;
  section.blocks.push_back(cell_figure(model.cell, find_table(sources.dataset, "cell_read"),
                                       find_table(sources.dataset, "cell_read_check")));
  DataTable table = quality_table("cell_fit", "Residuals of the fits against SPICE");
  table.rows = {quality_row("charge of a read", "cubic", model.cell.cubic_quality, kFemto, "fC"),
                quality_row("charge of a read", "monotone table", model.cell.table_quality, kFemto, "fC"),
                quality_row("energy of a read", "line over width", model.read_energy.quality, kFemto, "fJ")};
  section.blocks.push_back(std::move(table));
  return section;
}

Section converter_section(const Sources& sources) {
  Section section{"converters", "The charge-to-pulse converters"};
  if (!needs_model(section, sources)) return section;
  const device::CircuitModel& model = sources.model->model;
  Figure figure{
      "Pulse width over the charge of a column. The unsigned converter turns scores into pulses for the V "
      "array, a HardSigmoid in place of softmax; the signed one digitises the weighted sum. Its shortest pulse "
      "is not zero, which the counter's gate takes off. Residuals below a twentieth of a counter step "
      "(about 1 ns) do not change an output.",
      {}};
  add_converter(figure, model.score_readout, find_table(sources.dataset, "readout_unsigned"),
                find_table(sources.dataset, "readout_unsigned_check"), "score", "Unsigned");
  add_converter(figure, model.output_readout, find_table(sources.dataset, "readout_signed"),
                find_table(sources.dataset, "readout_signed_check"), "output", "Signed");
  figure.panels.push_back(conversion_energy_panel(model));
  section.blocks.push_back(std::move(figure));
  DataTable table = quality_table("converter_fit", "Residuals of the fits against SPICE");
  const auto add = [&](const char* name, const device::ReadoutModel& readout) {
    table.rows.push_back(quality_row(name, "HardSigmoid", readout.hard_sigmoid_quality, kPico, "ps"));
    table.rows.push_back(quality_row(name, "monotone table", readout.table_quality, kPico, "ps"));
  };
  add("score width", model.score_readout);
  add("output width", model.output_readout);
  section.blocks.push_back(std::move(table));
  return section;
}

Section memory_section(const Sources& sources) {
  Section section{"retention", "Writing and retention"};
  if (!needs_model(section, sources)) return section;
  const device::CircuitModel& model = sources.model->model;
  section.blocks.push_back(retention_figure(model.leak, find_table(sources.dataset, "cell_leak"),
                                            find_table(sources.dataset, "cell_leak_check")));
  DataTable table = quality_table("leak_fit", "Residuals of the fits against SPICE; the exponential has tau = " +
                                                  fixed_text(model.leak.tau_s * kMilli, 2) + " ms");
  table.rows = {quality_row("stored voltage", "exponential", model.leak.exponential_quality, kMilli, "mV"),
                quality_row("stored voltage", "bilinear table", model.leak.table_quality, kMilli, "mV")};
  section.blocks.push_back(std::move(table));
  section.blocks.push_back(level_table(model.write));
  return section;
}

}  // namespace gaincal::report
