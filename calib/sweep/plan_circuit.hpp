#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "netlist/design.hpp"
#include "sweep/plan.hpp"
#include "sweep/plan_netlist.hpp"

namespace gaincal::sweep {

/// What a reload changes: the part of a point that stands in the netlist text.
struct NetlistSetting {
  std::string corner;  ///< empty: none
  std::optional<double> temperature_C, supply_V;
  std::map<std::string, double> parameters;
  bool operator==(const NetlistSetting&) const = default;
};

/// A netlist text with its analysis, for one setting.
struct SettingDeck {
  std::string text;     ///< without `.meas` and `.end`
  std::string command;  ///< "tran 1e-11 1e-08"
  double t_stop_s = 0.0;
};

/// The circuit of a plan, ready to be written out for any setting.
class PlanCircuit {
 public:
  /// Throws  UsageError: a missing file, technology, corner or lib section
  explicit PlanCircuit(const Plan& plan);

  /// Operands of a deck of ours, e.g. v_store and t_pulse; empty for a netlist.
  const std::vector<std::string>& operands() const { return operands_; }
  /// The netlist at the first corner.
  const NetlistText& netlist() const { return *netlist_; }
  /// `.meas` lines that the netlist brings along, "tran vmax max v(out)".
  const std::vector<std::string>& meas_lines() const { return netlist_->meas_lines(); }

  /// Corners of the technology or of the lib files, checked; what a plan without corners uses.
  const std::vector<std::string>& corners() const { return corners_; }
  std::optional<double> avt_V_m() const { return avt_V_m_; }
  double abeta_m() const { return technology_ ? technology_->abeta_m : 0.0; }

  /// Kind and name of what an axis moves. Names of a cell's sizes may leave out `cell_`.
  /// Throws  UsageError when the netlist has nothing of this name, with names that come near
  Operand resolve(const PlanAxis& axis) const;
  /// A `.param` of the netlist or operand, by its full name.
  std::string resolve_parameter(const std::string& name, const std::string& where) const;

  SettingDeck deck(const NetlistSetting& setting) const;
  /// Everything the text depends on, for the content hash.
  std::string content() const;

 private:
  struct Expanded;
  NetlistText expand(const std::string& corner) const;
  SettingDeck own_deck(const NetlistSetting& setting) const;
  void check_corners(const Plan& plan);

  CircuitSettings settings_;
  PlanAnalysis analysis_;
  std::optional<netlist::Design> design_;
  std::optional<netlist::Technology> technology_;
  std::vector<std::string> operands_;
  std::vector<std::string> corners_;
  std::optional<double> avt_V_m_;
  std::optional<NetlistText> netlist_;
  std::map<std::string, std::string> text_of_corner_;
};

}  // namespace gaincal::sweep
