#pragma once

#include <functional>
#include <string>
#include <vector>

#include "fit/outcome.hpp"

namespace gaincal::fit {

/// Points of a quantity of one or two arguments.
struct Points {
  std::vector<double> x, y, value;         ///< y: zeros where there is one argument
  std::vector<double> weight = {};         ///< of the squares of residuals, mean 1; empty: all alike
  std::string x_unit = "1", y_unit = "1";  ///< SI
  void add(double x_value, double y_value, double measured);
  std::size_t size() const { return value.size(); }
  double full_scale() const;  ///< largest absolute value
  double weight_of(std::size_t i) const { return weight.empty() ? 1.0 : weight[i]; }
};

/// One form of a quantity: its score and, where it could be fitted, what it says.
struct FittedForm {
  device::FormScore score;
  std::function<double(double x, double y)> function;  ///< empty where there is no fit
  std::vector<double> corners = {};                    ///< arguments x where it bends or jumps
  bool usable() const { return static_cast<bool>(function); }
};

/// The forms tried for one quantity and the choice among them.
class FormChoice {
 public:
  /// full_scale  what residuals are compared with, > 0
  FormChoice(std::string quantity, std::string unit, Points seen, Points held_out, double full_scale);

  const Points& seen() const { return seen_; }
  double full_scale() const { return full_scale_; }

  /// A form with its function; scored here.
  void add(const std::string& form, std::size_t parameters, std::function<double(double, double)> function,
           std::vector<device::Coefficient> coefficients = {}, std::vector<double> corners = {});
  /// A form that could not be fitted.
  void add_failed(const std::string& form, std::size_t parameters, FitStatus status);

  /// Marks the form that predicts best and keeps its points. Held-out errors are weighted where the points are.
  /// Held-out errors that differ by less than twice the standard error of a root mean square, 1 / sqrt(2 n) of it, or
  /// by 1e-6 of full scale do not tell forms apart, unless one is off by more than twice as much somewhere: of such the
  /// one with the fewest parameters is taken, of equals the one added last. Without held-out points the smallest AIC
  /// decides.
  ///
  /// Returns nullptr where no form could be fitted.
  const FittedForm* select();
  /// In the order in which they were added.
  std::vector<device::FormScore> scores() const;

 private:
  std::string quantity_, unit_;
  Points seen_, held_out_;
  double full_scale_;
  std::vector<FittedForm> forms_;
};

/// "polynomial 3": the name of a polynomial of that order.
std::string polynomial_name(std::size_t order);

/// Orders that are tried; 3 is the paper's.
inline constexpr std::size_t kOrders[] = {1, 3, 5, 7};

/// ln(1 + e^z) without overflow.
double softplus(double z);

/// Straight lines between the points, the end values outside. x rising, at least one.
double interpolated(const std::vector<double>& x, const std::vector<double>& y, double at);

/// A monotone curve through fine samples of a function over [low, high], finest where it bends or jumps.
device::MonotoneCurve sampled_curve(const std::function<double(double)>& function, double low, double high,
                                    const std::vector<double>& corners = {});

}  // namespace gaincal::fit
