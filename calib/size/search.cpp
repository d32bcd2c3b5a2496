#include "size/size.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <exception>
#include <nlopt.hpp>
#include <utility>

#include "core/error.hpp"
#include "core/log.hpp"
#include "size/problem.hpp"

namespace gaincal::size {
namespace {

constexpr double kStep = 0.03;    // of a difference, of the logarithm of a size
constexpr double kLeast = 10.0;   // weight of a figure that shall be small beside the moves of the sizes
constexpr double kFailed = 10.0;  // at least the distance from its targets of a candidate that cannot be simulated
constexpr double kMeant = 0.1;    // of the tolerance: what the optimiser may miss a target by

using Point = std::vector<double>;  // logarithms of the sizes

/// A problem as the optimiser sees it: the moves of the sizes, squared, and figures that shall be small, subject to the
/// targets. Figures come from SPICE, those of a point and of its differences at once.
class Search {
 public:
  Search(const Problem& problem, Point start)
      : problem_(problem), start_(std::move(start)), parts_(parts_of(problem)) {}

  std::vector<std::string> assignments(const Point& x) const {
    std::vector<std::string> list;
    for (std::size_t k = 0; k < x.size(); ++k)
      list.push_back(problem_.variables[k].key + "=" + format_quantity(std::exp(x[k]), problem_.variables[k].unit, 12));
    return list;
  }

  double objective(const Point& x, Point& gradient) {
    const Known& here = at(x);
    if (gradient.empty()) return cost(here);
    const std::vector<Measured>& beside = differences(x);
    for (std::size_t k = 0; k < x.size(); ++k) {
      gradient[k] = 2 * (x[k] - start_[k]);
      if (!beside[k].failure.empty()) continue;
      for (const std::size_t figure : problem_.least)
        gradient[k] += kLeast * (least(beside[k], figure) - least(here.measured, figure)) / step(x, k);
    }
    return cost(here);
  }

  /// Distance from a target, of either sign; 0 is on it, and below 0 an inequality holds.
  double constraint(std::size_t target, const Point& x, Point& gradient) {
    const double here = off(at(x).measured, target);
    if (gradient.empty()) return here;
    const std::vector<Measured>& beside = differences(x);
    for (std::size_t k = 0; k < x.size(); ++k)
      gradient[k] = beside[k].failure.empty() ? (off(beside[k], target) - here) / step(x, k) : 0.0;
    return here;
  }

  /// What is known of a point, simulated where it is not yet.
  struct Known {
    Point x;
    Measured measured;
    std::vector<Measured> beside;  ///< by variable; empty: not simulated
  };
  Known& at(const Point& x) {
    for (Known& known : known_)
      if (known.x == x) return known;
    known_.push_back(
        {x, measure({candidate_of(problem_.source, assignments(x))}, {parts_}, {true, problem_.workers})[0], {}});
    ++simulated_;
    log_point(known_.back().measured);
    return known_.back();
  }

  bool met(const Measured& measured) const {
    return measured.failure.empty() && farthest(measured) <= problem_.tolerance;
  }
  /// The best of all points: one that meets the targets with the least objective, else the nearest to them.
  Point best() {
    const Known* best = nullptr;
    std::pair<double, double> rank;
    for (const Known& known : known_) {
      if (!known.measured.failure.empty()) continue;
      const std::pair here(std::max(farthest(known.measured), problem_.tolerance), cost(known));
      if (best == nullptr || here < rank) best = &known, rank = here;
    }
    return best->x;  // the start works
  }
  std::size_t simulated() const { return simulated_; }

 private:
  double off(const Measured& measured, std::size_t target) const {
    const Target& asked = problem_.targets[target];
    if (!measured.failure.empty())
      return std::max(kFailed, 2 * std::abs(asked.offset(known_.front().measured.values[asked.figure])));
    return asked.relation == Relation::at_least ? -asked.offset(measured.values[asked.figure])
                                                : asked.offset(measured.values[asked.figure]);
  }
  /// What is made small: moves of the sizes, and figures.
  double cost(const Known& known) const {
    double sum = 0.0;
    for (std::size_t k = 0; k < known.x.size(); ++k) sum += (known.x[k] - start_[k]) * (known.x[k] - start_[k]);
    for (const std::size_t figure : problem_.least) sum += kLeast * least(known.measured, figure);
    return sum;
  }
  double farthest(const Measured& measured) const {
    double most = 0.0;
    for (const Target& target : problem_.targets)
      most = std::max(most, target.distance(measured.values[target.figure]));
    return most;
  }
  double least(const Measured& measured, std::size_t figure) const {
    if (!measured.failure.empty()) return kFailed;
    return measured.values[figure] / std::abs(known_.front().measured.values[figure]);
  }
  /// Of a difference: inwards at the upper bound.
  double step(const Point& x, std::size_t k) const {
    return x[k] + kStep > std::log(problem_.variables[k].high) ? -kStep : kStep;
  }
  const std::vector<Measured>& differences(const Point& x) {
    Known& here = at(x);
    if (!here.beside.empty()) return here.beside;
    std::vector<Candidate> candidates;
    std::vector<std::vector<Part>> parts;
    for (std::size_t k = 0; k < x.size(); ++k) {
      Point moved = x;
      moved[k] += step(x, k);
      candidates.push_back(candidate_of(problem_.source, assignments(moved)));
      parts.emplace_back();
      for (const Part part : parts_)
        if (changes(problem_.variables[k].key, part)) parts.back().push_back(part);
    }
    here.beside = measure(candidates, parts, {true, problem_.workers});
    simulated_ += candidates.size();
    for (std::size_t k = 0; k < x.size(); ++k) {
      for (const Part part : parts_)
        if (std::find(parts[k].begin(), parts[k].end(), part) == parts[k].end())
          copy_part(part, here.measured, here.beside[k]);
      if (here.beside[k].failure.empty()) here.beside[k].failure = here.measured.failure;  // of a part that is the same
      if (!here.beside[k].failure.empty())
        log_warning(problem_.variables[k].key + " counts as without influence here: " + here.beside[k].failure);
    }
    return here.beside;
  }
  void log_point(const Measured& measured) const {
    std::string line = std::to_string(simulated_) + " candidates:";
    if (!measured.failure.empty()) line.append(" failed, ").append(measured.failure);
    const char* separator = " ";
    for (const Target& target : problem_.targets) {
      if (!measured.failure.empty()) continue;
      line.append(std::exchange(separator, ", "))
          .append(figures()[target.figure].name)
          .append(" ")
          .append(format_quantity(measured.values[target.figure], figures()[target.figure].unit));
    }
    log_info(line);
  }

  const Problem& problem_;
  Point start_;
  std::vector<Part> parts_;
  std::deque<Known> known_;  // references to it stay
  std::size_t simulated_ = 0;
};

/// What NLopt calls. Its C code cannot be thrown through: an exception waits until it has stopped.
struct Calls {
  Search& search;
  const Problem& problem;
  nlopt::opt& optimiser;
  std::exception_ptr failure = nullptr;

  template <typename Body>
  double guarded(const Body& body) {
    try {
      return body();
    } catch (...) {
      failure = std::current_exception();
      optimiser.force_stop();
      return 0.0;
    }
  }
};
struct TargetCall {
  Calls& calls;
  std::size_t target;
};

double call_objective(const Point& x, Point& gradient, void* data) {
  Calls& calls = *static_cast<Calls*>(data);
  return calls.guarded([&] {
    // Met: nothing else is asked.
    if (calls.problem.least.empty() && calls.search.met(calls.search.at(x).measured)) {
      calls.optimiser.force_stop();
      std::fill(gradient.begin(), gradient.end(), 0.0);
      return 0.0;
    }
    return calls.search.objective(x, gradient);
  });
}

double call_constraint(const Point& x, Point& gradient, void* data) {
  const TargetCall& call = *static_cast<const TargetCall*>(data);
  return call.calls.guarded([&] { return call.calls.search.constraint(call.target, x, gradient); });
}

void optimise(const Problem& problem, Search& search, Point x) {
  nlopt::opt optimiser(nlopt::LD_SLSQP, static_cast<unsigned>(x.size()));
  Calls calls{search, problem, optimiser};
  std::deque<TargetCall> targets;
  Point low, high;
  for (const Variable& variable : problem.variables) {
    low.push_back(std::log(variable.low));
    high.push_back(std::log(variable.high));
  }
  optimiser.set_lower_bounds(low);
  optimiser.set_upper_bounds(high);
  optimiser.set_min_objective(call_objective, &calls);
  for (std::size_t k = 0; k < problem.targets.size(); ++k) {
    targets.push_back({calls, k});
    const double near = kMeant * problem.tolerance;
    if (problem.targets[k].relation == Relation::equal)
      optimiser.add_equality_constraint(call_constraint, &targets.back(), near);
    else
      optimiser.add_inequality_constraint(call_constraint, &targets.back(), near);
  }
  optimiser.set_maxeval(problem.max_steps);
  optimiser.set_xtol_rel(1e-4);
  double objective = 0.0;
  try {
    optimiser.optimize(x, objective);
  } catch (const nlopt::forced_stop&) {       // met, or a failure of ours
  } catch (const nlopt::roundoff_limited&) {  // SPICE's differences are no finer: what is known counts
  } catch (const std::runtime_error&) {       // targets that contradict each other: the nearest counts
  }
  if (calls.failure) std::rethrow_exception(calls.failure);
}

}  // namespace

Sizing search(const Problem& problem, const std::vector<double>& start) {
  check(problem);
  Point x;
  for (std::size_t k = 0; k < problem.variables.size(); ++k)
    x.push_back(std::clamp(std::log(start.empty() ? problem.variables[k].start : start[k]),
                           std::log(problem.variables[k].low), std::log(problem.variables[k].high)));
  Search search(problem, x);
  const Measured& at_start = search.at(x).measured;
  if (!at_start.failure.empty())
    throw Error(problem.source.file.string() + ": the design to start from does not work: " + at_start.failure +
                "; correct it with --set");
  for (const std::size_t figure : problem.least)
    if (at_start.values[figure] == 0)
      throw UsageError("--least " + figures()[figure].name + ": is 0 already; leave it out");
  optimise(problem, search, x);
  const Point best = search.best();

  Sizing sizing;
  for (std::size_t k = 0; k < problem.variables.size(); ++k) {
    const Variable& variable = problem.variables[k];
    std::string text = format_quantity(std::exp(best[k]), variable.unit);
    const double rounded = parse_quantity(text, variable.unit, variable.key);
    if (rounded < variable.low || rounded > variable.high)
      text = format_quantity(std::clamp(rounded, variable.low, variable.high), variable.unit, 12);
    sizing.sizes.push_back(parse_quantity(text, variable.unit, variable.key));
    sizing.assignments.push_back(variable.key + "=" + text);
  }
  const std::vector<Part> parts = parts_of(problem);
  const Measured calibrated =
      measure({candidate_of(problem.source, sizing.assignments)}, {parts}, {true, problem.workers})[0];
  sizing.assignments.insert(sizing.assignments.end(), calibrated.calibration.begin(), calibrated.calibration.end());
  const Measured written =
      measure({candidate_of(problem.source, sizing.assignments)}, {parts}, {false, problem.workers})[0];
  if (!written.failure.empty())
    throw Error(problem.source.file.string() + ": the sizes found fail: " + written.failure);
  sizing.figures = written.values;
  sizing.met = search.met(written);
  sizing.candidates = search.simulated() + 2;
  return sizing;
}

std::vector<double> measure_source(const Problem& problem) {
  const Measured found = measure({candidate_of(problem.source, {})}, {parts_of(problem)}, {false, problem.workers})[0];
  if (!found.failure.empty())
    throw Error(problem.source.file.string() + ": the design does not work: " + found.failure +
                "; correct it with --set");
  return found.values;
}

CornerFigures measure_corners(const Problem& problem, const Sizing& sizing) {
  CornerFigures result;
  const Candidate sized = candidate_of(problem.source, sizing.assignments);
  std::vector<Candidate> candidates = {sized};
  result.corners = {sized.design.corner};
  for (const auto& [corner, content] : sized.design.technology.corners) {
    if (corner == sized.design.corner) continue;
    result.corners.push_back(corner);
    candidates.push_back(sized);
    candidates.back().design.corner = corner;
  }
  result.measured = measure(candidates, std::vector(candidates.size(), parts_of(problem)), {true, problem.workers});
  return result;
}

}  // namespace gaincal::size
