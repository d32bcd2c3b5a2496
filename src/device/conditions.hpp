#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "device/circuit_model.hpp"
#include "device/range_guard.hpp"

namespace gaincal::device {

/// Where a circuit works.
struct Condition {
  std::string corner;  ///< of the process; empty: not known
  double temperature_C = 27.0;
  double supply_V = 0.0;
};
/// "corner ss, 85 degC, 0.9 V".
std::string condition_text(const Condition& condition);

/// The instance of a circuit that is asked for. What is not given is nominal.
struct ModelChoice {
  std::optional<std::string> corner;
  std::optional<double> temperature_C, supply_V;
  std::optional<std::uint64_t> chip;  ///< whose mismatch is drawn; without one no cell differs from another
  bool strict = false;                ///< refuse what lies outside the fitted range instead of clamping and counting

  bool is_nominal() const { return !corner && !temperature_C && !supply_V; }
};

/// Puts `words`, separated by commas, into a choice: `85C` a temperature, `0.85V` a supply, `chip7` a chip, any other a
/// corner.
///
/// where   begins the message of the error
/// Throws  UsageError for a word that is none of these, or a second of a kind
ModelChoice parse_model_choice(const std::string& words, const std::string& where, ModelChoice choice = {});

/// "corner ss, 85 degC, chip 7": what is given; empty for the nominal instance.
std::string choice_text(const ModelChoice& choice);

/// How far the interpolated model is from SPICE at a condition that no fit has seen.
struct InterpolationError {
  Condition at;
  std::string quantity;                           ///< "cell charge"
  std::string unit;                               ///< SI, of what follows
  double rms = 0.0, max = 0.0, full_scale = 0.0;  ///< full_scale of the quantity there
  std::size_t points = 0;
};

/// One circuit at several conditions: the outer product of corners, temperatures and supplies. Corners are points;
/// between fitted temperatures and supplies models are interpolated.
struct ConditionSet {
  Condition nominal;  ///< of the model that stands for itself
  std::vector<std::string> corners;
  std::vector<double> temperatures_C, supplies_V;  ///< rising
  std::vector<CircuitModel> models;                ///< (corner, temperature, supply); none: only the nominal one
  std::vector<InterpolationError> errors;          ///< at conditions left out of the fit

  std::size_t index(std::size_t corner, std::size_t temperature, std::size_t supply) const {
    return (corner * temperatures_C.size() + temperature) * supplies_V.size() + supply;
  }
};

/// The model of one instance. Temperature and supply outside the fitted range are the guard's. Its mismatch is the
/// nominal one where a chip is chosen, and none elsewhere; its qualities are the largest of the models that it is
/// interpolated from (ConditionSet::errors says what the interpolation adds).
///
/// Throws  Error naming what there is, for a corner or mismatch that is not
CircuitModel instance_of(const CircuitModel& nominal, const ConditionSet& conditions, const ModelChoice& choice,
                         RangeGuard& guard);

}  // namespace gaincal::device
