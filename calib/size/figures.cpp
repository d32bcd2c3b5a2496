#include "size/figures.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.hpp"
#include "sweep/cell_figures.hpp"
#include "sweep/converter_figures.hpp"
#include "sweep/run_points.hpp"

namespace gaincal::size {
namespace {

using netlist::Design;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// The figures of a part in the order in which a worker returns them.
std::vector<Figure> cell_list() {
  return {{"full_scale_charge", "longest read at the highest level", Unit::coulomb, Part::cell, false, true},
          {"lowest_charge", "the same at the lowest level", Unit::coulomb, Part::cell},
          {"balance", "charge at the lowest over that at the highest level, sign turned", Unit::none, Part::cell},
          {"zero_voltage", "stored voltage whose read gives no charge", Unit::volt, Part::cell},
          {"nonlinearity", "charge from a line over levels, largest, of their range", Unit::none, Part::cell},
          {"edge_charge", "charge beside what grows with the width, largest", Unit::coulomb, Part::cell},
          {"read_disturb", "stored voltage moved by a read, largest", Unit::volt, Part::cell},
          {"read_energy", "longest read, cell and word lines, largest", Unit::joule, Part::cell},
          {"write_error", "stored from target voltage, largest", Unit::volt, Part::cell},
          {"write_settling", "of a write, longest", Unit::second, Part::cell},
          {"write_energy", "of a write, largest", Unit::joule, Part::cell},
          {"lost_5ms", "stored voltage lost after 5 ms, largest", Unit::volt, Part::cell},
          {"lost_1s", "the same after 1 s", Unit::volt, Part::cell},
          {"read_sigma", "threshold of the read FETs, AVt / sqrt(W L), larger of n and p", Unit::volt, Part::cell}};
}

std::vector<Figure> converter_list(Part part) {
  const std::string name = part == Part::score ? "score_" : "output_";
  return {{name + "saturation", "charge whose pulse is the longest", Unit::coulomb, part},
          {name + "reads", "the same in full-scale reads", Unit::none, part, true},
          {name + "swing", "bit line below its reference there", Unit::volt, part},
          {name + "deviation", "width from a line, 10 .. 90 % of the range, largest", Unit::second, part},
          {name + "first", "width from the line at 1 LSB", Unit::second, part},
          {name + "zero", "width at zero charge", Unit::second, part},
          {name + "wrong", "wrong signs or pulses from 1 LSB on, of 10", Unit::none, part},
          {name + "longest", "shortest pulse of a charge beyond saturation", Unit::second, part, false, true},
          {name + "energy", "of a conversion, largest", Unit::joule, part}};
}

std::vector<double> cell_values(spice::Simulator& simulator, const Design& design) {
  const sweep::CellFigures found = sweep::measure_cell(simulator, design);
  const double area_m2 = std::min(design.cell.w_n_m * design.cell.l_n_m, design.cell.w_p_m * design.cell.l_p_m);
  return {found.q_high_C,
          found.q_low_C,
          -found.q_low_C / found.q_high_C,
          found.v_zero_V,
          found.nonlinearity,
          found.q_edge_C,
          found.dv_read_V,
          found.e_read_J,
          found.write_error_V,
          found.t_settle_s,
          found.e_write_J,
          found.lost_5ms_V,
          found.lost_1s_V,
          design.technology.avt_V_m / std::sqrt(area_m2)};
}

/// Values of the figures, "reads" left at 0, then lead and trim.
std::vector<double> converter_values(spice::Simulator& simulator, Design design, bool is_signed, bool calibrate) {
  if (calibrate) sweep::calibrate_converter(simulator, design, is_signed);
  const sweep::ConverterFigures found = sweep::measure_converter(simulator, design, is_signed);
  const netlist::ReadoutDesign& readout = is_signed ? design.output_readout : design.score_readout;
  return {found.q_sat_C,
          0.0,
          found.q_sat_C / readout.c_bit_line_F,
          found.deviation_s,
          found.first_s,
          found.zero_s,
          found.wrong,
          found.short_s,
          found.energy_J,
          readout.t_lead_s,
          readout.v_trim_V};
}

std::size_t first_figure(Part part) {
  const auto& all = figures();
  return static_cast<std::size_t>(
      std::find_if(all.begin(), all.end(), [&](const Figure& figure) { return figure.part == part; }) - all.begin());
}

std::size_t count_of(Part part) {
  return static_cast<std::size_t>(
      std::count_if(figures().begin(), figures().end(), [&](const Figure& figure) { return figure.part == part; }));
}

constexpr std::size_t kValues = 14;  // of a point, the most that a part has

/// Fills in what depends on two parts.
void set_reads(Measured& measured) {
  for (const Part part : {Part::score, Part::output}) {
    const std::size_t saturation = first_figure(part);
    measured.values[saturation + 1] = measured.values[saturation] / measured.values[0];
  }
}

}  // namespace

std::string table_of(Part part) {
  return part == Part::cell ? "cell" : part == Part::score ? "score_readout" : "output_readout";
}

const std::vector<Figure>& figures() {
  static const std::vector<Figure> list = [] {
    std::vector<Figure> all = cell_list();
    for (const Part part : {Part::score, Part::output})
      for (Figure& figure : converter_list(part)) all.push_back(std::move(figure));
    return all;
  }();
  return list;
}

std::size_t figure_named(const std::string& name, const std::string& where) {
  for (std::size_t f = 0; f < figures().size(); ++f)
    if (figures()[f].name == name) return f;
  throw UsageError(where + ": no figure '" + name + "'; 'gaincal size --list' names them");
}

std::vector<Measured> measure(const std::vector<Candidate>& candidates, const std::vector<std::vector<Part>>& parts,
                              const MeasureOptions& options) {
  struct Point {
    std::size_t candidate;
    Part part;
  };
  std::vector<Measured> result(candidates.size());
  std::vector<Point> points;
  double timeout_s = 1.0;
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    result[c].values.assign(figures().size(), kNaN);
    result[c].failure = candidates[c].failure;
    if (!candidates[c].failure.empty()) continue;
    timeout_s = std::max(timeout_s, 10 * candidates[c].design.grids.point_timeout_s);
    for (const Part part : parts[c]) points.push_back({c, part});
  }
  // The longest first, so that the workers end together.
  std::stable_sort(points.begin(), points.end(), [](const Point& a, const Point& b) { return a.part > b.part; });
  const auto outcomes = sweep::run_points(
      points.size(), kValues,
      [&](spice::Simulator& simulator, std::size_t k) {
        const Design& design = candidates[points[k].candidate].design;
        std::vector<double> values =
            points[k].part == Part::cell
                ? cell_values(simulator, design)
                : converter_values(simulator, design, points[k].part == Part::output, options.calibrate);
        values.resize(kValues, 0.0);
        return values;
      },
      {options.workers, timeout_s, ""});
  for (std::size_t k = 0; k < points.size(); ++k) {
    Measured& measured = result[points[k].candidate];
    const Part part = points[k].part;
    const std::string table = table_of(part);
    if (!outcomes[k].succeeded()) {
      if (measured.failure.empty()) measured.failure = table + ": " + outcomes[k].failure;
      continue;
    }
    const std::vector<double>& values = outcomes[k].values;
    std::copy_n(values.begin(), count_of(part),
                measured.values.begin() + static_cast<std::ptrdiff_t>(first_figure(part)));
    if (part == Part::cell || !options.calibrate) continue;
    const std::size_t lead = count_of(part);
    measured.calibration.push_back(table + ".t_lead=" + format_quantity(values[lead], Unit::second));
    measured.calibration.push_back(table + ".v_trim=" + format_quantity(values[lead + 1], Unit::volt));
  }
  for (Measured& measured : result) {
    std::sort(measured.calibration.begin(), measured.calibration.end());
    set_reads(measured);
  }
  return result;
}

void copy_part(Part part, const Measured& from, Measured& to) {
  std::copy_n(from.values.begin() + static_cast<std::ptrdiff_t>(first_figure(part)), count_of(part),
              to.values.begin() + static_cast<std::ptrdiff_t>(first_figure(part)));
  set_reads(to);
}

}  // namespace gaincal::size
