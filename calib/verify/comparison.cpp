#include "verify/comparison.hpp"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <limits>
#include <numeric>
#include <ostream>
#include <sstream>

#include "core/units.hpp"

namespace gaincal::verify {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kWorst = 5;

template <typename Get>
std::vector<double> column(const std::vector<Output>& outputs, Get get) {
  std::vector<double> values;
  for (const Output& output : outputs) values.push_back(static_cast<double>(get(output)));
  return values;
}

/// NaN where the charge does not count.
double counted_charge_C(const Output& output) { return output.charge_counts ? output.q_spice_C : kNone; }

std::string percent(const Share& share) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(1) << 100 * share.value << " % (" << 100 * share.low << " .. "
       << 100 * share.high << ")";
  return text.str();
}

std::string fixed(double value, int digits) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(digits) << value;
  return text.str();
}

void print_statistics(std::ostream& stream, const std::string& name, const ErrorStatistics& s, Unit unit) {
  stream << "    " << std::left << std::setw(24) << name << std::right << "bias " << std::setw(9)
         << format_quantity(s.bias, unit, 3) << "  sigma " << std::setw(9) << format_quantity(s.sigma, unit, 3)
         << "  max " << std::setw(9) << format_quantity(s.max, unit, 3) << "\n";
}

/// Outputs by how many full pulses their rows carry: where the bit line moves most.
void print_thirds(std::ostream& stream, const Comparison& comparison) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < comparison.outputs.size(); ++i)
    if (comparison.outputs[i].failure.empty()) order.push_back(i);
  if (order.size() < 6) return;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return comparison.outputs[a].full_pulses < comparison.outputs[b].full_pulses;
  });
  stream << "    rms in LSB by full pulses on the rows:";
  for (std::size_t third = 0; third < 3; ++third) {
    const std::size_t begin = third * order.size() / 3, end = (third + 1) * order.size() / 3;
    double squares = 0.0;
    for (std::size_t i = begin; i < end; ++i) {
      const Output& output = comparison.outputs[order[i]];
      squares += std::pow((output.value_model - output.value_spice) / comparison.lsb_value, 2);
    }
    stream << (third > 0 ? ", " : " ") << fixed(comparison.outputs[order[begin]].full_pulses, 1) << " .. "
           << fixed(comparison.outputs[order[end - 1]].full_pulses, 1) << ": "
           << fixed(std::sqrt(squares / static_cast<double>(end - begin)), 3);
  }
  stream << "\n";
}

void print_worst(std::ostream& stream, const Comparison& comparison, const std::vector<std::string>& labels) {
  const auto error = [&](const Output& output) {
    return comparison.has_pulse ? std::abs(output.value_model - output.value_spice) / comparison.lsb_value
                                : std::abs(output.q_model_C - output.q_spice_C) / comparison.lsb_C;
  };
  std::vector<const Output*> order;
  for (const Output& output : comparison.outputs)
    if (output.failure.empty()) order.push_back(&output);
  const auto end = order.begin() + static_cast<std::ptrdiff_t>(std::min(kWorst, order.size()));
  std::partial_sort(order.begin(), end, order.end(),
                    [&](const Output* a, const Output* b) { return error(*a) > error(*b); });
  stream << "    worst:\n";
  for (auto i = order.begin(); i != end; ++i) {
    const Output& output = **i;
    stream << "      " << fixed(error(output), 3) << " LSB  " << labels[output.set] << ", column " << output.column
           << ": charge " << format_quantity(output.q_spice_C, Unit::coulomb, 4) << ", " << fixed(output.full_pulses, 1)
           << " full pulses";
    if (comparison.has_pulse) stream << ", count " << output.count_model << " for " << output.count_spice;
    stream << "\n";
  }
}

}  // namespace

Share share_of(std::size_t part, std::size_t all) {
  if (all == 0) return {kNone, kNone, kNone};
  constexpr double z = 1.959964;  // 97.5 % of the normal distribution
  const auto n = static_cast<double>(all);
  const double p = static_cast<double>(part) / n, middle = (p + z * z / (2 * n)) / (1 + z * z / n);
  const double half = z / (1 + z * z / n) * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  return {p, std::max(0.0, middle - half), std::min(1.0, middle + half)};
}

ErrorStatistics error_statistics(const std::vector<double>& model, const std::vector<double>& spice) {
  ErrorStatistics s;
  double sum = 0.0, squares = 0.0;
  for (std::size_t i = 0; i < model.size(); ++i) {
    if (!std::isfinite(spice[i])) continue;
    const double error = model[i] - spice[i];
    ++s.count;
    sum += error;
    squares += error * error;
    s.max = std::max(s.max, std::abs(error));
  }
  if (s.count == 0) return {0, kNone, kNone, kNone, kNone};
  const auto n = static_cast<double>(s.count);
  s.bias = sum / n;
  s.rms = std::sqrt(squares / n);
  s.sigma = s.count > 1 ? std::sqrt(std::max(0.0, squares - n * s.bias * s.bias) / (n - 1)) : kNone;
  return s;
}

std::size_t Comparison::failed() const {
  return static_cast<std::size_t>(
      std::count_if(outputs.begin(), outputs.end(), [](const Output& o) { return !o.failure.empty(); }));
}

std::size_t Comparison::beyond() const {
  return static_cast<std::size_t>(std::count_if(outputs.begin(), outputs.end(),
                                                [](const Output& o) { return o.failure.empty() && !o.charge_counts; }));
}

ErrorStatistics Comparison::charge() const {
  return error_statistics(column(outputs, [](const Output& o) { return o.q_model_C; }),
                          column(outputs, [](const Output& o) { return counted_charge_C(o); }));
}

ErrorStatistics Comparison::width() const {
  return error_statistics(column(outputs, [](const Output& o) { return o.t_model_s; }),
                          column(outputs, [](const Output& o) { return o.t_spice_s; }));
}

ErrorStatistics Comparison::lsb() const {
  return error_statistics(column(outputs, [&](const Output& o) { return o.value_model / lsb_value; }),
                          column(outputs, [&](const Output& o) { return o.value_spice / lsb_value; }));
}

ErrorStatistics Comparison::cubic_lsb() const {
  return error_statistics(column(outputs, [&](const Output& o) { return o.q_cubic_C / lsb_C; }),
                          column(outputs, [&](const Output& o) { return counted_charge_C(o) / lsb_C; }));
}

ErrorStatistics Comparison::chosen_lsb() const {
  return error_statistics(column(outputs, [&](const Output& o) { return o.q_model_C / lsb_C; }),
                          column(outputs, [&](const Output& o) { return counted_charge_C(o) / lsb_C; }));
}

std::size_t Comparison::off_by(int counts) const {
  return static_cast<std::size_t>(std::count_if(outputs.begin(), outputs.end(), [&](const Output& o) {
    return o.failure.empty() && std::abs(o.count_model - o.count_spice) == counts;
  }));
}

store::Table comparison_table(const Comparison& comparison) {
  const std::vector<Output>& outputs = comparison.outputs;
  store::Table table;
  table.name = comparison.name;
  table.description = comparison.title + ": transistors and fitted model on the same operands";
  store::Axis axis{"output", "1", std::vector<double>(outputs.size()), {}, "one column or cell of an operand set"};
  std::iota(axis.values.begin(), axis.values.end(), 0.0);
  table.axes = {axis};
  const auto add = [&](const char* name, const char* unit, const char* description, auto get) {
    table.quantities.push_back({name, unit, description, column(outputs, get)});
  };
  add("set", "1", "operand set", [](const Output& o) { return o.set; });
  add("column", "1", "of the array", [](const Output& o) { return o.column; });
  add("full_pulses", "1", "pulses of all rows together, in longest pulses",
      [](const Output& o) { return o.full_pulses; });
  add("q_cubic", "C", "charge, cells in the paper's form", [](const Output& o) { return o.q_cubic_C; });
  add("q_held", "C", "sum of the cells, chosen form, bit line held", [](const Output& o) { return o.q_held_C; });
  add("q_model", "C", "charge, fitted models", [](const Output& o) { return o.q_model_C; });
  add("q_spice", "C", "charge on the bit line, SPICE", [](const Output& o) { return o.q_spice_C; });
  add("charge_counts", "1", "0: beyond the charges that the bit line is fitted to",
      [](const Output& o) { return o.charge_counts; });
  if (comparison.has_pulse) {
    add("t_model", "s", "pulse width, fitted models", [](const Output& o) { return o.t_model_s; });
    add("t_spice", "s", "pulse width, SPICE", [](const Output& o) { return o.t_spice_s; });
    add("value_model", "1", "value before it is counted", [](const Output& o) { return o.value_model; });
    add("value_spice", "1", "value of SPICE's pulse", [](const Output& o) { return o.value_spice; });
    const auto counted = [](const Output& o, int count) { return o.failure.empty() ? count : kNone; };
    add("count_model", "1", "digital output", [](const Output& o) { return o.count_model; });
    add("count_spice", "1", "digital output of SPICE's pulse",
        [&](const Output& o) { return counted(o, o.count_spice); });
  }
  table.failed.reserve(outputs.size());
  for (const Output& output : outputs) {
    table.failed.push_back(output.failure.empty() ? 0 : 1);
    table.reason.push_back(output.failure);
  }
  return table;
}

void print_comparison_line(std::ostream& stream, const Comparison& comparison) {
  stream << "  " << std::left << std::setw(34) << comparison.title << std::right << comparison.compared()
         << " compared";
  if (comparison.failed() > 0) stream << ", " << comparison.failed() << " failed";
  if (comparison.compared() > 0) {
    const ErrorStatistics width = comparison.width();
    stream << ": width rms " << format_quantity(width.rms, Unit::second, 3) << ", max "
           << format_quantity(width.max, Unit::second, 3) << " of "
           << format_quantity(comparison.lsb_s, Unit::second, 3) << " a count; exact "
           << fixed(100 * comparison.exact().value, 0) << " %, within one "
           << fixed(100 * comparison.within_one().value, 0) << " %";
  }
  stream << "\n";
}

void print_comparison(std::ostream& stream, const Comparison& comparison, const std::vector<std::string>& labels) {
  stream << "  " << comparison.title << ": " << comparison.compared() << " compared";
  if (comparison.failed() > 0) stream << ", " << comparison.failed() << " failed";
  stream << "\n";
  if (comparison.compared() == 0) return;
  print_statistics(stream, "charge", comparison.charge(), Unit::coulomb);
  if (comparison.has_pulse) {
    print_statistics(stream, "pulse width", comparison.width(), Unit::second);
    print_statistics(stream, "output in LSB", comparison.lsb(), Unit::none);
  }
  if (comparison.beyond() > 0)
    stream << "    of " << comparison.beyond() << " the charge is beyond the range of the converter and not compared\n";
  const double cubic = comparison.cubic_lsb().rms, chosen = comparison.chosen_lsb().rms;
  stream << "    charge, rms in LSB       paper's cubic " << fixed(cubic, 4) << ", chosen form " << fixed(chosen, 4)
         << ": " << fixed(cubic / chosen, 1) << " times smaller\n";
  if (comparison.has_pulse) {
    stream << "    exact " << percent(comparison.exact()) << ", within 1 LSB " << percent(comparison.within_one())
           << ", off by";
    for (int counts = 0; counts <= 3; ++counts) stream << " " << counts << ": " << comparison.off_by(counts);
    const std::size_t shown = comparison.off_by(0) + comparison.off_by(1) + comparison.off_by(2) + comparison.off_by(3);
    stream << " more: " << comparison.compared() - shown << "\n";
    print_thirds(stream, comparison);
  }
  print_worst(stream, comparison, labels);
}

}  // namespace gaincal::verify
