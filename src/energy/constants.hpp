#pragma once

#include <string>
#include <vector>

#include "core/units.hpp"
#include "device/circuit_model.hpp"

namespace gaincal::energy {

/// A figure that no circuit here yields.
struct Constant {
  std::string name;  ///< as --set takes it
  double value = 0.0;
  Unit unit = Unit::none;
  device::Origin origin = device::Origin::assumed;
  std::string source;
};

/// All figures of the energy, area and comparison that were not simulated, with where they come from.
class Constants {
 public:
  Constants();

  /// Throws Error for an unknown name: a mistake of the caller.
  double operator()(const std::string& name) const;
  const std::vector<Constant>& all() const { return constants_; }

  /// Takes `name=value`, such as `mac=0.5pJ`; the value's origin becomes `assumed`, set by the user.
  ///
  /// Throws  UsageError when there is no such name, or the value is negative or of another unit
  void set(const std::string& assignment);

 private:
  std::vector<Constant> constants_;
};

/// "paper", "extracted" or "assumed".
const char* origin_name(device::Origin origin);

}  // namespace gaincal::energy
