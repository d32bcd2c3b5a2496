#include "sweep/plan_measure.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <set>

#include "core/error.hpp"
#include "sweep/plan_axis.hpp"
#include "sweep/plan_measure_settings.hpp"
#include "sweep/waveform.hpp"

namespace gaincal::sweep {
namespace {

using Kind = PlanMeasure::Kind;

/// Stands in a command for the value of a `.csparam`.
std::string hole_mark(std::size_t number) {
  std::string mark(1, '\x01');
  mark += std::to_string(number);
  mark += '\x01';
  return mark;
}

bool is_ground(const std::string& node) { return node == "0" || node == "gnd"; }

/// The two nodes of "v(a)" or "v(a,b)"; the second empty where there is one.
std::optional<std::pair<std::string, std::string>> voltage_nodes(const std::string& name) {
  if (!name.starts_with("v(") || !name.ends_with(')')) return std::nullopt;
  const std::string inside = name.substr(2, name.size() - 3);
  const std::size_t comma = inside.find(',');
  if (comma == std::string::npos) return std::pair{inside, std::string()};
  return std::pair{inside.substr(0, comma), inside.substr(comma + 1)};
}

/// Vectors of ngspice that a name of the plan stands for.
std::vector<std::string> raw_vectors(const std::string& name) {
  const auto nodes = voltage_nodes(name);
  if (!nodes || nodes->second.empty()) return {name};
  std::vector<std::string> raw;
  for (const std::string& node : {nodes->first, nodes->second})
    if (!is_ground(node)) raw.push_back("v(" + node + ")");
  return raw;
}

/// What a waveform stands over.
store::Axis grid_axis(const std::vector<double>& grid, const PlanAnalysis& analysis) {
  switch (analysis.kind) {
    case PlanAnalysis::Kind::tran:
      return {"time", "s", grid};
    case PlanAnalysis::Kind::ac:
    case PlanAnalysis::Kind::noise:
      return {"frequency", "Hz", grid};
    default:
      return {"swept", split_words(analysis.command).at(1).starts_with("i") ? "A" : "V", grid};
  }
}

std::string padded(std::size_t number, std::size_t count) {
  const std::string digits = std::to_string(number), widest = std::to_string(count - 1);
  return std::string(widest.size() - digits.size(), '0') + digits;
}

double magnitude_at(const std::vector<double>& f_Hz, const std::vector<std::complex<double>>& value, double at_Hz,
                    bool phase) {
  std::vector<double> log_f(f_Hz.size()), real(f_Hz.size()), imaginary(f_Hz.size());
  for (std::size_t i = 0; i < f_Hz.size(); ++i) {
    log_f[i] = std::log(f_Hz[i]);
    real[i] = value[i].real();
    imaginary[i] = value[i].imag();
  }
  const std::complex<double> z(value_at(log_f, real, std::log(at_Hz)), value_at(log_f, imaginary, std::log(at_Hz)));
  return phase ? std::arg(z) * 180.0 / std::numbers::pi : std::abs(z);
}

std::optional<double> bandwidth(const std::vector<double>& f_Hz, const std::vector<std::complex<double>>& value) {
  std::vector<double> log_f, magnitude;
  for (std::size_t i = 0; i < f_Hz.size(); ++i) {
    log_f.push_back(std::log(f_Hz[i]));
    magnitude.push_back(std::abs(value[i]));
  }
  const auto found = crossing_time(log_f, magnitude, magnitude.front() / std::numbers::sqrt2, Edge::falling);
  return found ? std::optional(std::exp(*found)) : std::nullopt;
}

}  // namespace

std::vector<double> read_real(const std::function<std::vector<double>(const std::string&)>& read,
                              const std::string& name) {
  const auto nodes = voltage_nodes(name);
  if (!nodes || nodes->second.empty()) return read(name);
  std::vector<double> difference;
  if (!is_ground(nodes->first)) difference = read("v(" + nodes->first + ")");
  if (!is_ground(nodes->second)) {
    const std::vector<double> second = read("v(" + nodes->second + ")");
    difference.resize(second.size());
    for (std::size_t i = 0; i < second.size(); ++i) difference[i] -= second[i];
  }
  return difference;
}

PlanMeasures::PlanMeasures(const Plan& plan, const PlanCircuit& circuit)
    : analysis_(plan.analysis), measures_(plan.measures) {
  const std::string where = plan.file_name + ": measure";
  add_meas_lines(plan, circuit);
  if (measures_.empty())
    throw UsageError(where + ": missing, and the netlist has no .meas line for this analysis; add a [[measure]]");
  for (const PlanMeasure& measure : measures_) {
    std::pair<std::string, std::string> nodes;
    if (measure.kind == Kind::energy) {
      const Element* source = circuit.netlist().find(measure.of);
      if (source == nullptr || source->name.front() != 'v' || source->tokens.size() < 3)
        throw UsageError(measure.where + ": the netlist has no voltage source '" + measure.of + "'; correct 'of'");
      if (!source->top)
        throw UsageError(measure.where + ": source '" + measure.of + "' is inside a subcircuit; use one outside");
      nodes = {source->tokens[1], source->tokens[2]};
    }
    source_nodes_.push_back(nodes);
    if (measure.kind != Kind::waveform) {
      columns_.push_back(
          {measure.name, measure.unit, measure.kind == Kind::meas ? ".meas " + measure.line : measure.of, {}});
      vectors_.push_back(measure.of);
      continue;
    }
    const std::string unit = vector_unit(measure.of);
    waveforms_.push_back(
        {{measure.name, unit, measure.of, {}}, grid_axis(measure.grid, plan.analysis), columns_.size()});
    for (std::size_t i = 0; i < measure.grid.size(); ++i)
      columns_.push_back({measure.name + "_" + padded(i, measure.grid.size()),
                          unit,
                          measure.of + " at " + number_text(measure.grid[i]),
                          {}});
  }
}

void PlanMeasures::add_meas_lines(const Plan& plan, const PlanCircuit& circuit) {
  const std::string analysis = split_words(circuit.operands().empty() ? plan.analysis.command : "tran").front();
  std::vector<std::string> lines;
  for (const std::string& line : circuit.meas_lines()) {
    const std::vector<std::string> words = split_words(line);
    if (words.size() >= 3 && words[0] == analysis) lines.push_back(line);
  }
  const bool all = measures_.empty();
  const bool some = std::any_of(measures_.begin(), measures_.end(),
                                [](const PlanMeasure& measure) { return measure.kind == Kind::meas; });
  if (!all && !some) return;
  for (const std::string& line : lines) {
    meas_.push_back(parse_meas(line, circuit, plan.file_name + ": measure"));
    if (!all) continue;
    PlanMeasure measure;
    measure.name = meas_.back().name;
    measure.kind = Kind::meas;
    measure.unit = "1";
    measure.line = line;
    measures_.push_back(measure);
  }
  for (PlanMeasure& measure : measures_) {
    if (measure.kind != Kind::meas || all) continue;
    if (!measure.line.empty()) {
      std::string line = lower_case(measure.line);
      if (line.starts_with(".meas")) line = line.substr(line.find(' ') + 1);
      meas_.push_back(parse_meas(line, circuit, measure.where));
      if (split_words(line)[0] != analysis)
        throw UsageError(measure.where + ": '" + measure.line + "' is not of the plan's analysis, " + analysis +
                         "; start it with that");
      measure.line = line;
      measure.of = meas_.back().name;
    } else {
      measure.of = lower_case(measure.name);
    }
    const auto found =
        std::find_if(meas_.begin(), meas_.end(), [&](const Meas& meas) { return meas.name == measure.of; });
    if (found == meas_.end())
      throw UsageError(measure.where + ": the netlist has no .meas " + analysis + " line '" + measure.of +
                       "'; give the line");
  }
  for (PlanMeasure& measure : measures_)
    if (measure.kind == Kind::meas && measure.of.empty()) measure.of = lower_case(measure.name);
}

PlanMeasures::Meas PlanMeasures::parse_meas(const std::string& line, const PlanCircuit& circuit,
                                            const std::string& where) {
  const std::vector<std::string> words = split_words(line);
  if (words.size() < 3) throw UsageError(where + ": '" + line + "' is no .meas line; write \"tran vmax max v(out)\"");
  Meas meas;
  meas.name = words[1];
  const auto hole = [&](const std::string& expression) {
    meas.expressions.push_back(expression);
    return hole_mark(expressions_++);
  };
  // Parameters and expressions are numbers to ngspice only in the deck; a command gets them as text.
  const std::size_t param = line.find("param");
  if (param != std::string::npos && split_words(line.substr(param))[0].starts_with("param")) {
    meas.is_let = true;
    std::string expression = line.substr(line.find('=', param) + 1);
    std::erase_if(expression, [](char c) { return c == '\'' || c == '{' || c == '}' || c == '"'; });
    std::string text;
    for (std::size_t i = 0; i < expression.size();) {
      const auto names = identifiers(std::string_view(expression).substr(i));
      const std::size_t at = names.empty() ? std::string::npos : expression.find(names.front(), i);
      if (at == std::string::npos) {
        text += expression.substr(i);
        break;
      }
      text += expression.substr(i, at - i);
      const std::string& name = names.front();
      const bool measured = std::any_of(meas_.begin(), meas_.end(), [&](const Meas& m) { return m.name == name; });
      text += !measured && circuit.netlist().parameters().contains(name) ? hole(name) : name;
      i = at + name.size();
    }
    meas.command = "let " + meas.name + " = " + text;
    return meas;
  }
  std::string text;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '{' && line[i] != '\'') {
      text += line[i];
      continue;
    }
    const std::size_t end = line.find(line[i] == '{' ? '}' : '\'', i + 1);
    if (end == std::string::npos) throw UsageError(where + ": '" + line + "' has an open bracket; close it");
    text += hole(line.substr(i + 1, end - i - 1));
    i = end;
  }
  meas.command = "meas " + text;
  return meas;
}

std::string PlanMeasures::deck_lines() const {
  std::string lines;
  std::size_t number = 0;
  for (const Meas& meas : meas_)
    for (const std::string& expression : meas.expressions)
      lines += ".csparam gaincal_" + std::to_string(number++) + "={" + expression + "}\n";
  if (analysis_.kind == PlanAnalysis::Kind::noise) return lines;
  std::set<std::string> saved;
  for (std::size_t i = 0; i < measures_.size(); ++i) {
    if (measures_[i].kind == Kind::energy) {
      saved.insert("i(" + measures_[i].of + ")");
      for (const std::string& node : {source_nodes_[i].first, source_nodes_[i].second})
        if (!is_ground(node)) saved.insert("v(" + node + ")");
    } else if (measures_[i].kind == Kind::meas) {
      saved.insert("all");
    } else {
      for (const std::string& raw : raw_vectors(measures_[i].of)) saved.insert(raw);
    }
  }
  lines += ".save";
  for (const std::string& vector : saved) lines += " " + vector;
  return lines + "\n";
}

double PlanMeasures::take_complex(const PlanMeasure& measure, const RunVectors& vectors) const {
  const std::vector<double> f_Hz = vectors.abscissa();
  const std::vector<std::complex<double>> value = vectors.complex(measure.of);
  if (measure.kind == Kind::magnitude) return magnitude_at(f_Hz, value, measure.at, false);
  if (measure.kind == Kind::phase) return magnitude_at(f_Hz, value, measure.at, true);
  const auto found = bandwidth(f_Hz, value);
  if (!found) throw Error("the magnitude does not fall by 3 dB within the sweep");
  return *found;
}

double PlanMeasures::take_one(const PlanMeasure& measure, const RunVectors& vectors) const {
  if (analysis_.kind == PlanAnalysis::Kind::ac) return take_complex(measure, vectors);
  if (analysis_.kind == PlanAnalysis::Kind::op || measure.kind == Kind::total) return vectors.real(measure.of).back();
  const std::size_t index = static_cast<std::size_t>(&measure - measures_.data());
  const std::vector<double> x = vectors.abscissa();
  const double from = measure.has_from ? measure.from : kFromStart, to = measure.has_to ? measure.to : kToEnd;
  if (measure.kind == Kind::energy) {
    const auto& [plus, minus] = source_nodes_[index];
    return source_energy(x, vectors.real("v(" + plus + "," + minus + ")"), vectors.real("i(" + measure.of + ")"), from,
                         to);
  }
  const std::vector<double> y = vectors.real(measure.of);
  switch (measure.kind) {
    case Kind::value:
      return value_at(x, y, measure.at);
    case Kind::integral:
      return integral(x, y, from, to);
    case Kind::width:
      return pulse_width(x, y, measure.level, from);
    case Kind::crossing: {
      const Edge edge = measure.edge > 0 ? Edge::rising : measure.edge < 0 ? Edge::falling : Edge::either;
      const auto found = crossing_time(x, y, measure.level, edge, measure.nth, from);
      if (!found || *found > to) throw Error("no such crossing of " + number_text(measure.level));
      return *found;
    }
    case Kind::settling: {
      const auto found = settling_time(x, y, measure.has_target ? measure.target : y.back(), measure.band, from);
      if (!found) throw Error("does not settle within " + number_text(measure.band));
      return *found;
    }
    default: {
      double extreme = std::numeric_limits<double>::quiet_NaN();
      for (std::size_t i = 0; i < x.size(); ++i)
        if (x[i] >= from && x[i] <= to)
          extreme = measure.kind == Kind::minimum ? std::fmin(extreme, y[i]) : std::fmax(extreme, y[i]);
      if (std::isnan(extreme)) throw Error("nothing between from and to");
      return extreme;
    }
  }
}

std::vector<double> PlanMeasures::take(const RunVectors& vectors, spice::Simulator* simulator) const {
  std::vector<double> values;
  values.reserve(columns_.size());
  std::size_t number = 0;
  for (const Meas& meas : meas_) {
    if (simulator == nullptr) break;
    std::string command = meas.command;
    for (std::size_t i = 0; i < meas.expressions.size(); ++i, ++number) {
      const std::string mark = hole_mark(number);
      const std::string text = number_text(simulator->value("const.gaincal_" + std::to_string(number)));
      for (std::size_t at; (at = command.find(mark)) != std::string::npos;) command.replace(at, mark.size(), text);
    }
    simulator->command(command);
  }
  for (const PlanMeasure& measure : measures_) {
    try {
      if (measure.kind == Kind::waveform) {
        const std::vector<double> x = vectors.abscissa(), y = vectors.real(measure.of);
        for (const double at : measure.grid) values.push_back(value_at(x, y, at));
      } else if (measure.kind == Kind::meas) {
        values.push_back(simulator->value(measure.of));
      } else {
        values.push_back(take_one(measure, vectors));
      }
    } catch (const Error& failure) {
      throw Error("measure " + measure.name + ": " + failure.what());
    }
  }
  return values;
}

std::string PlanMeasures::content() const {
  std::string text;
  for (const PlanMeasure& m : measures_) {
    text += m.name + "|" + std::to_string(static_cast<int>(m.kind)) + "|" + m.of + "|" + m.unit + "|" + m.line + "|";
    for (const double value : {m.level, m.target, m.band, m.from, m.to, m.at, double(m.has_target), double(m.has_from),
                               double(m.has_to), double(m.has_at), double(m.nth), double(m.edge)})
      text += number_text(value) + "|";
    for (const double value : m.grid) text += number_text(value) + ",";
    text += "\n";
  }
  return text;
}

}  // namespace gaincal::sweep
