#include "sweep/methods.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "core/error.hpp"
#include "core/log.hpp"
#include "sweep/plan_axis.hpp"
#include "sweep/plan_copies.hpp"
#include "sweep/plan_monte_carlo.hpp"
#include "sweep/waveform.hpp"

namespace gaincal::sweep {
namespace {

using Dimension = PlanDimension::Kind;

constexpr double kEqualSteps = 1e-9;  // of a step: rounding of decimal numbers

/// Vectors of the simulator as they are.
class PlainVectors : public RunVectors {
 public:
  PlainVectors(const spice::Simulator& simulator, PlanAnalysis::Kind analysis)
      : simulator_(simulator), analysis_(analysis) {}
  std::vector<double> real(const std::string& name) const override {
    return read_real([&](const std::string& raw) { return simulator_.vector(prefix(raw) + raw); }, name);
  }
  std::vector<std::complex<double>> complex(const std::string& name) const override {
    return simulator_.complex_vector(name);
  }
  std::vector<double> abscissa() const override {
    if (analysis_ == PlanAnalysis::Kind::noise) return simulator_.vector("noise1.frequency");
    if (analysis_ != PlanAnalysis::Kind::ac)
      return simulator_.vector(analysis_ == PlanAnalysis::Kind::tran ? "time" : "v-sweep");
    std::vector<double> f_Hz;
    for (const std::complex<double>& f : simulator_.complex_vector("frequency")) f_Hz.push_back(f.real());
    return f_Hz;
  }

 private:
  // The spectra of a noise analysis are not in its last plot.
  std::string prefix(const std::string& name) const {
    return analysis_ == PlanAnalysis::Kind::noise && name.ends_with("_spectrum") ? "noise1." : "";
  }
  const spice::Simulator& simulator_;
  PlanAnalysis::Kind analysis_;
};

/// Vectors of one copy, until its own end.
class CopyVectors : public RunVectors {
 public:
  CopyVectors(const spice::Simulator& simulator, std::size_t copy, double stop_s)
      : simulator_(simulator), copy_(copy), stop_s_(stop_s), time_s_(simulator.vector("time")) {}
  std::vector<double> real(const std::string& name) const override {
    return cut(read_real([&](const std::string& raw) { return simulator_.vector(name_in_copy(raw, copy_)); }, name));
  }
  std::vector<std::complex<double>> complex(const std::string&) const override { return {}; }
  std::vector<double> abscissa() const override { return cut(time_s_); }

 private:
  std::vector<double> cut(std::vector<double> values) const {
    if (time_s_.back() <= stop_s_) return values;
    const std::size_t kept =
        static_cast<std::size_t>(std::upper_bound(time_s_.begin(), time_s_.end(), stop_s_) - time_s_.begin());
    const double end = value_at(time_s_, values, stop_s_);
    values.resize(kept);
    values.push_back(end);
    return values;
  }
  const spice::Simulator& simulator_;
  std::size_t copy_;
  double stop_s_;
  std::vector<double> time_s_;
};

/// Whether a dimension can be the sweep of a `.dc`.
bool is_equidistant_source(const PlanSpec& spec, std::size_t dimension) {
  const PlanDimension& d = spec.points->dimensions()[dimension];
  if (d.kind != Dimension::axes || d.axes.size() != 1 || d.size < 2) return false;
  if (spec.points->operands()[d.axes[0]].kind != Operand::Kind::source) return false;
  const std::vector<double>& values = spec.plan.axes[d.axes[0]].values;
  const double step = (values.back() - values.front()) / static_cast<double>(values.size() - 1);
  if (step == 0.0) return false;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (std::abs(values[i] - values.front() - static_cast<double>(i) * step) > kEqualSteps * std::abs(step))
      return false;
  return true;
}

bool may_converge_otherwise(const std::string& reason) {
  for (const char* part : {"doAnalyses", "onverg", "imestep", "ime step", "singular", "aborted", "iteration"})
    if (reason.find(part) != std::string::npos) return true;
  return false;
}

/// Vectors that the measures read, by their names in ngspice.
std::vector<std::string> saved_vectors(const PlanSpec& spec) {
  std::vector<std::string> names;
  for (const std::string& line : split_lines(spec.measures->deck_lines()))
    if (line.starts_with(".save"))
      for (const std::string& word : split_words(line.substr(5))) names.push_back(word);
  return names;
}

/// Throws  Error where a vector that the measures read is not there when everything is saved
void require_vectors(const PlanSpec& spec, spice::Simulator& simulator, std::size_t point) {
  const SettingDeck deck = spec.circuit->deck(spec.points->setting(point));
  simulator.load(deck.text + ".save all\n");
  simulator.run(deck.command);
  for (const std::string& name : saved_vectors(spec))
    if (name != "all") simulator.complex_vector(name);
}

std::string tighter(const std::string& command) {
  std::vector<std::string> words = split_words(command);
  if (words.front() != "tran") return command;
  const double step_s = std::strtod(words[1].c_str(), nullptr) / 10;
  return "tran " + number_text(step_s) + " " + words[2] + " 0 " + number_text(step_s);
}

/// The points of one call, in order.
class Runner {
 public:
  Runner(const PlanSpec& spec, spice::Simulator& simulator, const std::function<void(JobPoint)>& emit)
      : spec_(spec), simulator_(simulator), emit_(emit) {}

  void run(std::span<const std::size_t> points) {
    for (std::size_t begin = 0; begin < points.size() && simulator_.alive();) {
      std::size_t taken = 0;
      if (spec_.method.nested_dc) taken = nested_dc(points.subspan(begin));
      if (taken == 0 && spec_.method.copies > 1) taken = copies(points.subspan(begin));
      if (taken == 0) {
        one(points[begin]);
        taken = 1;
      }
      begin += taken;
    }
  }

 private:
  void load(std::size_t point, int rung) {
    setting_ = std::nullopt;
    // Random functions of the netlist draw at the load, the same for a point whatever came before it.
    if (spec_.method.draws) simulator_.command("setseed " + std::to_string(point % 2147483646 + 1));
    simulator_.load(loaded_deck(spec_, point, rung));
    if (rung == 0) setting_ = spec_.points->setting(point);
    mismatch_of_ = std::nullopt;
  }

  void prepare(std::size_t point, int rung) {
    if (rung > 0 || spec_.method.reload_always || !simulator_.loaded() || !setting_ ||
        *setting_ != spec_.points->setting(point))
      load(point, rung);
    alter(point);
    const std::size_t sample = spec_.points->sample(point);
    if (spec_.mosfets.empty() || (mismatch_of_ == sample && !resized_)) return;
    apply_mismatch(simulator_, spec_.plan.monte_carlo, sample, spec_.mosfets, spec_.mosfets);
    mismatch_of_ = sample;
  }

  void alter(std::size_t point) {
    for (const Alteration& alteration : spec_.points->alterations(point)) {
      simulator_.command(alteration.command());
      resized_ = resized_ || alteration.target.front() == '@';
    }
  }

  std::string command_of(std::size_t point) {
    // A netlist's command is the same for all points; only decks of ours depend on the point.
    if (spec_.circuit->operands().empty()) return spec_.plan.analysis.command;
    return spec_.circuit->deck(spec_.points->setting(point)).command;
  }

  void one(std::size_t point) {
    const double start_s = monotonic_seconds();
    JobPoint result;
    result.point = point;
    for (int rung = 0; rung <= kLastRung; ++rung) {
      bool ran = false;
      try {
        prepare(point, rung);
        std::string command = command_of(point);
        if (rung == 1 || rung == kLastRung) command = tighter(command);
        simulator_.run(command);
        ran = true;
        result.values = spec_.measures->take(PlainVectors(simulator_, spec_.plan.analysis.kind), &simulator_);
        refuse_infinite(result.values);
        result.rung = rung;
        result.failure.clear();
        break;
      } catch (const std::exception& failure) {
        if (rung == 0 || ran) result.failure = failure.what();
        result.values.clear();
        if (ran || !simulator_.alive() || !may_converge_otherwise(failure.what())) break;
      }
    }
    if (result.rung > 0 || !result.failure.empty()) setting_ = std::nullopt;
    finish(std::move(result), start_s);
  }

  void refuse_infinite(const std::vector<double>& values) const {
    for (std::size_t i = 0; i < values.size(); ++i)
      if (!std::isfinite(values[i])) throw Error("measure " + spec_.measures->columns()[i].name + ": is not finite");
  }

  void finish(JobPoint result, double start_s) {
    if (!result.failure.empty())
      result.values.assign(spec_.measures->columns().size(), std::numeric_limits<double>::quiet_NaN());
    result.seconds = monotonic_seconds() - start_s;
    emit_(std::move(result));
  }

  // ---- nested .dc ----

  /// Rows of the inner source at the beginning of `points`, whole and in order, that share all outer dimensions.
  std::size_t block_rows(std::span<const std::size_t> points) const {
    const std::size_t row = spec_.points->dimensions()[spec_.method.inner].size;
    std::size_t rows = 0, most = 1;
    if (spec_.method.two_sources) {
      const std::size_t outer = spec_.method.inner - 1;
      most = spec_.points->dimensions()[outer].size - spec_.points->index(points[0], outer);
    }
    if (spec_.points->index(points[0], spec_.method.inner) != 0) return 0;
    while (rows < most && (rows + 1) * row <= points.size()) {
      for (std::size_t i = rows * row; i < (rows + 1) * row; ++i)
        if (points[i] != points[0] + i) return rows;
      ++rows;
    }
    return rows;
  }

  std::string sweep_words(std::size_t dimension, std::size_t first, std::size_t count) const {
    const std::size_t axis = spec_.points->dimensions()[dimension].axes[0];
    const std::vector<double>& values = spec_.plan.axes[axis].values;
    const double step = (values.back() - values.front()) / static_cast<double>(values.size() - 1);
    // The end lies within the last step, or rounding would decide whether it is reached.
    return " " + spec_.points->operands()[axis].name + " " + number_text(values[first]) + " " +
           number_text(values[first + count - 1] + 0.25 * step) + " " + number_text(step);
  }

  std::size_t nested_dc(std::span<const std::size_t> points) {
    const std::size_t row = spec_.points->dimensions()[spec_.method.inner].size;
    const std::size_t rows = block_rows(points);
    if (rows == 0) return 0;
    const double start_s = monotonic_seconds();
    std::vector<std::vector<double>> columns;
    try {
      prepare(points[0], 0);
      std::string command = "dc" + sweep_words(spec_.method.inner, 0, row);
      if (spec_.method.two_sources)
        command += sweep_words(spec_.method.inner - 1, spec_.points->index(points[0], spec_.method.inner - 1), rows);
      simulator_.run(command);
      for (const std::string& name : spec_.measures->vectors()) {
        columns.push_back(read_real([&](const std::string& raw) { return simulator_.vector(raw); }, name));
        if (columns.back().size() != row * rows) return 0;
      }
    } catch (const std::exception&) {
      // Point by point: the others succeed, and the one that does not says why.
      if (!simulator_.alive()) throw;
      setting_ = std::nullopt;
      return one_row_alone(points, row);
    }
    const double each_s = (monotonic_seconds() - start_s) / static_cast<double>(row * rows);
    for (std::size_t i = 0; i < row * rows; ++i) {
      JobPoint result;
      result.point = points[i];
      result.seconds = each_s;
      for (const std::vector<double>& column : columns) result.values.push_back(column[i]);
      try {
        refuse_infinite(result.values);
      } catch (const Error& failure) {
        result.failure = failure.what();
        std::fill(result.values.begin(), result.values.end(), std::numeric_limits<double>::quiet_NaN());
      }
      emit_(std::move(result));
    }
    return row * rows;
  }

  std::size_t one_row_alone(std::span<const std::size_t> points, std::size_t row) {
    for (std::size_t i = 0; i < row; ++i) {
      if (!simulator_.alive()) return i;
      one(points[i]);
    }
    return row;
  }

  // ---- several copies in one netlist ----

  std::size_t copies(std::span<const std::size_t> points) {
    const std::size_t count = std::min(spec_.method.copies, points.size());
    if (count < 2) return 0;
    const double start_s = monotonic_seconds();
    std::vector<SettingDeck> decks;
    for (std::size_t k = 0; k < count; ++k) decks.push_back(spec_.circuit->deck(spec_.points->setting(points[k])));
    const auto deck = copies_deck(decks, saved_vectors(spec_));
    if (!deck) return 0;
    std::vector<std::vector<double>> values;
    try {
      setting_ = std::nullopt;
      simulator_.load(deck->text);
      for (std::size_t k = 0; k < count; ++k) alter_copy(points[k], k);
      simulator_.run(deck->command, count);
      for (std::size_t k = 0; k < count; ++k) {
        values.push_back(spec_.measures->take(CopyVectors(simulator_, k, deck->stops_s[k]), nullptr));
        refuse_infinite(values.back());
      }
    } catch (const std::exception&) {
      if (!simulator_.alive()) throw;
      for (std::size_t k = 0; k < count && simulator_.alive(); ++k) one(points[k]);
      return count;
    }
    const double each_s = (monotonic_seconds() - start_s) / static_cast<double>(count);
    for (std::size_t k = 0; k < count; ++k) emit_({points[k], std::move(values[k]), "", 0, each_s});
    return count;
  }

  void alter_copy(std::size_t point, std::size_t copy) {
    for (const Alteration& alteration : spec_.points->alterations(point)) {
      Alteration own = alteration;
      std::string& target = own.target;
      if (target.front() == '@') {
        target = name_in_copy(target, copy);
      } else {
        const std::vector<std::string> words = split_words(target);
        target = device_in_copy(words[0], copy) + (words.size() > 1 ? " " + words[1] : "");
      }
      simulator_.command(own.command());
    }
    if (spec_.mosfets.empty()) return;
    std::vector<std::string> loaded;
    for (const std::string& device : spec_.mosfets) loaded.push_back(device_in_copy(device, copy));
    apply_mismatch(simulator_, spec_.plan.monte_carlo, spec_.points->sample(point), spec_.mosfets, loaded);
  }

  const PlanSpec& spec_;
  spice::Simulator& simulator_;
  const std::function<void(JobPoint)>& emit_;
  std::optional<NetlistSetting> setting_;  // of the deck that is loaded with the plan's own options
  std::optional<std::size_t> mismatch_of_;
  bool resized_ = false;
};

}  // namespace

std::string rung_name(int rung) {
  static const char* const names[] = {"as planned", "tighter step", "gmin stepping", "source stepping", "Gear method"};
  return names[std::clamp(rung, 0, kLastRung)];
}

std::string loaded_deck(const PlanSpec& spec, std::size_t point, int rung) {
  // One step means that ngspice chooses their size: it starts from zero then and goes back where a step fails. A given
  // number of steps starts from where Newton's method went astray.
  static const char* const options[] = {
      "",
      ".options itl1=500 itl2=500 itl4=500\n",
      ".options gmin=1e-10 gminsteps=1 itl1=500 itl2=500\n",
      ".options gminsteps=0 srcsteps=1 itl1=500 itl2=500 itl6=500\n",
      ".options method=gear maxord=2 itl1=500 itl2=500 itl4=500\n",
  };
  return spec.circuit->deck(spec.points->setting(point)).text + spec.measures->deck_lines() +
         options[std::clamp(rung, 0, kLastRung)];
}

std::string standalone_deck(const PlanSpec& spec, std::size_t point, const std::vector<Alteration>& mismatch) {
  std::string text = loaded_deck(spec, point) + ".control\n";
  for (const Alteration& alteration : spec.points->alterations(point)) text += alteration.command() + "\n";
  for (const Alteration& alteration : mismatch) text += alteration.command() + "\n";
  text += spec.circuit->deck(spec.points->setting(point)).command + "\n.endc\n.end\n";
  return text;
}

Method choose_method(const PlanSpec& spec) {
  const std::vector<PlanDimension>& dimensions = spec.points->dimensions();
  const MethodChoice choice = spec.plan.method;
  const std::string where = spec.plan.file_name + ": method";
  Method method;
  const std::string& text = spec.circuit->netlist().text();
  for (const char* function : {"gauss(", "unif(", "limit("})
    method.draws = method.draws || lower_case(text).find(function) != std::string::npos;
  if (method.draws && choice != MethodChoice::cheapest && choice != MethodChoice::reload)
    throw UsageError(where + ": the netlist draws random numbers at each load; use reload");
  method.reload_always = choice == MethodChoice::reload || method.draws;
  if (method.reload_always) {
    method.name = "reload";
    return method;
  }
  if (choice == MethodChoice::cheapest || choice == MethodChoice::nested_dc) {
    const std::size_t last = dimensions.size() - 1;
    method.nested_dc =
        spec.plan.analysis.kind == PlanAnalysis::Kind::op && !dimensions.empty() && is_equidistant_source(spec, last);
    if (method.nested_dc) {
      method.inner = last;
      method.two_sources = last > 0 && is_equidistant_source(spec, last - 1);
      method.name = "nested .dc";
      return method;
    }
    if (choice == MethodChoice::nested_dc)
      throw UsageError(where + ": nested_dc needs kind = \"op\" and a source with equal steps as the last axis");
  }
  const bool is_tran = spec.plan.analysis.kind == PlanAnalysis::Kind::tran;
  const bool many = spec.points->estimate() > 1;
  if (choice == MethodChoice::copies || (choice == MethodChoice::cheapest && is_tran && many)) {
    const bool possible = is_tran && many && !spec.measures->uses_meas();
    // A trial with those that come first.
    std::vector<SettingDeck> decks;
    for (std::size_t k = 0; possible && k < std::min(spec.plan.copies, spec.points->count()); ++k)
      decks.push_back(spec.circuit->deck(spec.points->setting(k)));
    const bool fits = possible && copies_deck(decks, {}).has_value();
    if (fits) {
      method.copies = spec.plan.copies;
      method.name = std::to_string(method.copies) + " copies";
      return method;
    }
    if (choice == MethodChoice::copies)
      throw UsageError(where +
                       ": copies need a transient, no .meas lines, and parameters that models and "
                       "subcircuits do not use; choose another method");
  }
  bool alters = !spec.mosfets.empty();
  for (std::size_t d = 0; d < dimensions.size(); ++d)
    alters = alters || (dimensions[d].kind == Dimension::axes && !spec.points->reloads(d));
  method.name = alters ? "alter" : "reload";
  return method;
}

void simulate_points(const PlanSpec& spec, spice::Simulator& simulator, std::span<const std::size_t> points,
                     const std::function<void(JobPoint)>& emit) {
  Runner(spec, simulator, emit).run(points);
}

Trial try_point(const PlanSpec& spec, spice::Simulator& simulator, std::size_t point) {
  Trial trial;
  try {
    simulator.load(loaded_deck(spec, point));
    trial.phase = Trial::Phase::alter;
    for (const Alteration& alteration : spec.points->alterations(point)) simulator.command(alteration.command());
    apply_mismatch(simulator, spec.plan.monte_carlo, spec.points->sample(point), spec.mosfets, spec.mosfets);
    trial.phase = Trial::Phase::run;
    simulator.run(spec.circuit->deck(spec.points->setting(point)).command);
    trial.phase = Trial::Phase::measure;
    spec.measures->take(PlainVectors(simulator, spec.plan.analysis.kind), &simulator);
    trial.phase = Trial::Phase::done;
  } catch (const std::exception& failure) {
    trial.failure = failure.what();
  }
  // A run that saves nothing but a missing node fails without naming it.
  if (trial.phase == Trial::Phase::run && simulator.alive()) try {
      require_vectors(spec, simulator, point);
    } catch (const std::exception& failure) {
      trial.failure = failure.what();
    }
  return trial;
}

}  // namespace gaincal::sweep
