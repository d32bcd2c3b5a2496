#include "device/blend.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace gaincal::device {
namespace {

constexpr double kSameKnot = 1e-9;  // of the range

/// Sorted, without the later of two that are closer than rounding.
std::vector<double> merged(std::vector<double> knots) {
  std::sort(knots.begin(), knots.end());
  const double apart = kSameKnot * (knots.back() - knots.front());
  std::vector<double> result;
  for (const double knot : knots)
    if (result.empty() || knot - result.back() > apart) result.push_back(knot);
  return result;
}

template <typename Member>
double mean(const std::vector<Share>& shares, Member member) {
  double sum = 0.0;
  for (const Share& share : shares) sum += share.weight * member(*share.model);
  return sum;
}

/// Curves over x - origin, put back at the mean origin.
template <typename Curve, typename Origin>
MonotoneCurve blend_curves(const std::vector<Share>& shares, Curve curve, Origin origin) {
  const double at = mean(shares, origin);
  std::vector<double> knots, values;
  for (const Share& share : shares) {
    if (curve(*share.model).empty()) return {};
    for (const double x : curve(*share.model).x()) knots.push_back(x - origin(*share.model));
  }
  knots = merged(std::move(knots));
  for (double& knot : knots) {
    values.push_back(mean(shares, [&](const CircuitModel& m) { return curve(m)(knot + origin(m)); }));
    knot += at;
  }
  return {std::move(knots), std::move(values)};
}

template <typename Curve>
MonotoneCurve blend_curves(const std::vector<Share>& shares, Curve curve) {
  return blend_curves(shares, curve, [](const CircuitModel&) { return 0.0; });
}

template <typename List>
std::vector<double> blend_lists(const std::vector<Share>& shares, List list) {
  std::vector<double> result = list(*shares.front().model);
  for (std::size_t i = 0; i < result.size(); ++i)
    result[i] = mean(shares, [&](const CircuitModel& m) {
      assert(list(m).size() == result.size() && "models of one circuit");
      return list(m)[i];
    });
  return result;
}

template <typename Quality>
FitQuality worst(const std::vector<Share>& shares, Quality quality) {
  FitQuality result = quality(*shares.front().model);
  for (const Share& share : shares) {
    const FitQuality& each = quality(*share.model);
    result.rms = std::max(result.rms, each.rms);
    result.max = std::max(result.max, each.max);
    result.held_out_rms = std::max(result.held_out_rms, each.held_out_rms);
    result.held_out_max = std::max(result.held_out_max, each.held_out_max);
  }
  result.full_scale = mean(shares, [&](const CircuitModel& m) { return quality(m).full_scale; });
  return result;
}

template <typename Part>
Cubic blend_cubics(const std::vector<Share>& shares, Part cubic) {
  Cubic result = cubic(*shares.front().model);
  for (std::size_t k = 0; k < result.coeff.size(); ++k)
    result.coeff[k] = mean(shares, [&](const CircuitModel& m) { return cubic(m).coeff[k]; });
  return result;
}

void blend_cell(CellModel& cell, const std::vector<Share>& shares) {
  cell.i_cubic_A = blend_cubics(shares, [](const CircuitModel& m) -> const Cubic& { return m.cell.i_cubic_A; });
  cell.a_cubic_C = blend_cubics(shares, [](const CircuitModel& m) -> const Cubic& { return m.cell.a_cubic_C; });
  cell.i_table_A = blend_curves(shares, [](const CircuitModel& m) -> const MonotoneCurve& { return m.cell.i_table_A; });
  cell.a_table_C = blend_curves(shares, [](const CircuitModel& m) -> const MonotoneCurve& { return m.cell.a_table_C; });
  cell.cubic_quality = worst(shares, [](const CircuitModel& m) { return m.cell.cubic_quality; });
  cell.table_quality = worst(shares, [](const CircuitModel& m) { return m.cell.table_quality; });
  for (const Share& share : shares) {
    cell.v_min_V = std::max(cell.v_min_V, share.model->cell.v_min_V);
    cell.v_max_V = std::min(cell.v_max_V, share.model->cell.v_max_V);
  }
}

template <typename Side>
HardSigmoid blend_sigmoids(const std::vector<Share>& shares, Side side) {
  return {mean(shares, [&](const CircuitModel& m) { return side(m).slope_s_per_C; }),
          mean(shares, [&](const CircuitModel& m) { return side(m).q0_C; }),
          mean(shares, [&](const CircuitModel& m) { return side(m).t_max_s; })};
}

template <typename Part>
void blend_readout(ReadoutModel& readout, const std::vector<Share>& shares, Part part) {
  readout.positive = blend_sigmoids(shares, [&](const CircuitModel& m) { return part(m).positive; });
  readout.negative = blend_sigmoids(shares, [&](const CircuitModel& m) { return part(m).negative; });
  const auto sign = [&](const CircuitModel& m) { return part(m).q_sign_C; };
  readout.q_sign_C = mean(shares, sign);
  readout.t_table_s = blend_curves(
      shares, [&](const CircuitModel& m) -> const MonotoneCurve& { return part(m).t_table_s; }, sign);
  readout.e_table_J =
      blend_curves(shares, [&](const CircuitModel& m) -> const MonotoneCurve& { return part(m).e_table_J; });
  readout.hard_sigmoid_quality = worst(shares, [&](const CircuitModel& m) { return part(m).hard_sigmoid_quality; });
  readout.table_quality = worst(shares, [&](const CircuitModel& m) { return part(m).table_quality; });
}

void blend_write(WriteModel& write, const std::vector<Share>& shares) {
  write.v_stored_V =
      blend_lists(shares, [](const CircuitModel& m) -> const std::vector<double>& { return m.write.v_stored_V; });
  write.e_write_J =
      blend_lists(shares, [](const CircuitModel& m) -> const std::vector<double>& { return m.write.e_write_J; });
  for (const Share& share : shares) {
    write.v_spread_V = std::max(write.v_spread_V, share.model->write.v_spread_V);
    write.t_settle_s = std::max(write.t_settle_s, share.model->write.t_settle_s);
  }
}

/// How fast a blend of models leaks, over how fast the fastest of them does, by the voltage that a cell holds: the
/// weighted geometric mean of the rates right after writing.
class LeakSpeed {
 public:
  LeakSpeed(const std::vector<Share>& shares, const std::vector<double>& v_V, double short_age_s) {
    const auto rate = [&](const Share& share, double v) { return share.model->leak.voltage_V(v, short_age_s) - v; };
    double fastest = -1.0;
    for (const Share& share : shares) {
      double sum = 0.0;
      for (const double v : v_V) sum += std::abs(rate(share, v));
      if (sum > fastest) fastest_ = &share.model->leak, fastest = sum;
    }
    for (const double v : v_V) {
      const double fast = fastest_->voltage_V(v, short_age_s) - v;
      bool one_sign = true;  // not so where a cell is close to rest
      double log_ratio = 0.0;
      for (const Share& share : shares) {
        one_sign = one_sign && rate(share, v) * fast > 0.0;
        log_ratio += share.weight * std::log(std::abs(rate(share, v) / fast));
      }
      if (one_sign) v_V_.push_back(v), log_ratio_.push_back(log_ratio);
    }
  }
  const LeakModel& fastest() const { return *fastest_; }
  /// No model leaks, or each to another side.
  bool unknown() const { return v_V_.empty(); }
  double operator()(double v_V) const {
    const auto above = std::upper_bound(v_V_.begin(), v_V_.end(), v_V);
    if (above == v_V_.begin()) return std::exp(log_ratio_.front());
    if (above == v_V_.end()) return std::exp(log_ratio_.back());
    const auto i = static_cast<std::size_t>(above - v_V_.begin());
    const double part = (v_V - v_V_[i - 1]) / (v_V_[i] - v_V_[i - 1]);
    return std::exp((1 - part) * log_ratio_[i - 1] + part * log_ratio_[i]);
  }

 private:
  const LeakModel* fastest_ = nullptr;
  std::vector<double> v_V_, log_ratio_;
};

/// Voltages at the ages of a cell that leaks as the fastest model does, but at its own speed: the fastest passes the
/// same voltages at an age tau with d tau / dt = speed(v(tau)).
std::vector<double> slowed(const LeakSpeed& speed, double v_start_V, const std::vector<double>& ages_s) {
  constexpr std::size_t kSteps = 512;
  const LeakModel& fastest = speed.fastest();
  const double first_s = 1e-3 * ages_s[1], growth = std::pow(ages_s.back() / first_s, 1.0 / (kSteps - 1));
  std::vector<double> t_s = {0.0}, tau_s = {0.0};
  double slowness = 1 / speed(v_start_V);
  for (std::size_t step = 0; step < kSteps; ++step) {
    const double next_s = first_s * std::pow(growth, static_cast<double>(step));
    const double next_slowness = 1 / speed(fastest.voltage_V(v_start_V, next_s));
    t_s.push_back(t_s.back() + (next_s - tau_s.back()) * (slowness + next_slowness) / 2);
    tau_s.push_back(next_s);
    slowness = next_slowness;
  }
  const MonotoneCurve fast_age_s(std::move(t_s), std::move(tau_s));
  std::vector<double> v_V;
  for (const double age_s : ages_s) v_V.push_back(fastest.voltage_V(v_start_V, fast_age_s(age_s)));
  return v_V;
}

void blend_leak(LeakModel& leak, const std::vector<Share>& shares) {
  leak.tau_s = std::exp(mean(shares, [](const CircuitModel& m) { return std::log(m.leak.tau_s); }));
  leak.v_inf_V = mean(shares, [](const CircuitModel& m) { return m.leak.v_inf_V; });
  leak.exponential_quality = worst(shares, [](const CircuitModel& m) { return m.leak.exponential_quality; });
  leak.table_quality = worst(shares, [](const CircuitModel& m) { return m.leak.table_quality; });
  std::vector<double> starts, ages;
  for (const Share& share : shares) {
    const LeakModel& each = share.model->leak;
    if (each.v_V.empty()) return;
    starts.insert(starts.end(), each.v0_V.begin(), each.v0_V.end());
    ages.insert(ages.end(), each.age_s.begin(), each.age_s.end());
  }
  leak.v0_V = merged(std::move(starts));
  leak.age_s = merged(std::move(ages));
  leak.v_V.clear();
  const LeakSpeed speed(shares, leak.v0_V, leak.age_s[1]);
  for (const double v0_V : leak.v0_V) {
    if (speed.unknown()) {
      for (const double age_s : leak.age_s)
        leak.v_V.push_back(mean(shares, [&](const CircuitModel& m) { return m.leak.voltage_V(v0_V, age_s); }));
    } else {
      const std::vector<double> v_V = slowed(speed, v0_V, leak.age_s);
      leak.v_V.insert(leak.v_V.end(), v_V.begin(), v_V.end());
    }
  }
}

}  // namespace

std::vector<std::pair<std::size_t, double>> interpolation_weights(const std::vector<double>& points, double x) {
  assert(!points.empty() && "an axis has a point");
  const std::size_t n = std::min<std::size_t>(points.size(), 3);
  std::size_t first = 0;  // of n neighbours: the window whose farther end is nearest
  while (first + n < points.size() && points[first + n] - x < x - points[first]) ++first;
  std::vector<std::pair<std::size_t, double>> weights;
  for (std::size_t i = first; i < first + n; ++i) {
    double weight = 1.0;
    for (std::size_t j = first; j < first + n; ++j)
      if (j != i) weight *= (x - points[j]) / (points[i] - points[j]);
    if (weight != 0.0) weights.emplace_back(i, weight);
  }
  return weights;
}

CircuitModel blend(const std::vector<Share>& shares) {
  assert(!shares.empty() && "something to blend");
  CircuitModel model = *shares.front().model;
  if (shares.size() == 1) return model;
  blend_cell(model.cell, shares);
  blend_readout(model.score_readout, shares,
                [](const CircuitModel& m) -> const ReadoutModel& { return m.score_readout; });
  blend_readout(model.output_readout, shares,
                [](const CircuitModel& m) -> const ReadoutModel& { return m.output_readout; });
  blend_write(model.write, shares);
  blend_leak(model.leak, shares);
  model.read_energy.e_edge_J =
      blend_curves(shares, [](const CircuitModel& m) -> const MonotoneCurve& { return m.read_energy.e_edge_J; });
  model.read_energy.p_W =
      blend_curves(shares, [](const CircuitModel& m) -> const MonotoneCurve& { return m.read_energy.p_W; });
  const auto word_line = [](const CircuitModel& m) -> const MonotoneCurve& { return m.read_energy.e_word_line_J; };
  if (std::none_of(shares.begin(), shares.end(), [&](const auto& share) { return word_line(*share.model).empty(); }))
    model.read_energy.e_word_line_J = blend_curves(shares, word_line);
  model.read_energy.quality = worst(shares, [](const CircuitModel& m) { return m.read_energy.quality; });
  model.forms.clear();
  return model;
}

}  // namespace gaincal::device
