#include "sweep/plan_circuit.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "netlist/decks.hpp"
#include "sweep/plan_axis.hpp"

namespace gaincal::sweep {
namespace fs = std::filesystem;

namespace {

/// Operands of our decks; their values where no axis names them come from the design.
std::vector<std::string> deck_operands(const std::string& deck) {
  if (deck == "cell_read") return {"v_store", "t_pulse"};
  if (deck == "cell_write") return {"level", "previous"};
  if (deck == "cell_leak") return {"v_store", "age"};
  return {"q_in"};
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
}

std::string join(const std::vector<std::string>& words) {
  std::string list;
  for (const std::string& word : words) list += (list.empty() ? "" : ", ") + word;
  return list;
}

/// Text without `.meas`, `.temp` (where the setting gives one) and `.end`; measures are taken by command.
std::string stripped(const std::string& text, bool without_temperature) {
  std::string result;
  bool skip = false, title = true;
  for (const std::string& line : split_lines(text)) {
    const std::string word = title ? std::string() : first_word(line);
    title = false;
    if (!word.empty() && word.front() != '+')
      skip = word.starts_with(".meas") || word == ".end" || (without_temperature && word == ".temp");
    if (!skip) result += line + "\n";
  }
  return result;
}

}  // namespace

PlanCircuit::PlanCircuit(const Plan& plan) : settings_(plan.circuit), analysis_(plan.analysis) {
  const std::string where = plan.file_name + ": circuit";
  if (!settings_.deck.empty()) {
    operands_ = deck_operands(settings_.deck);
    const bool built_in = settings_.design.empty() || settings_.design == "gc28_paper";
    design_ = built_in ? netlist::default_design() : netlist::load_design(settings_.plan_folder / settings_.design);
    technology_ = design_->technology;
  } else if (!settings_.technology.empty()) {
    technology_ = netlist::load_technology(settings_.technology, settings_.plan_folder);
  }
  check_corners(plan);
  if (design_) {
    NetlistSetting first;
    first.corner = corners_.front();
    netlist_.emplace(own_deck(first).text, settings_.plan_folder, where + ".deck");
  } else {
    for (const std::string& corner : corners_.empty() ? std::vector<std::string>{""} : corners_) {
      const NetlistText expanded = expand(corner);
      text_of_corner_[corner] = expanded.text();
      if (!netlist_) netlist_ = expanded;
    }
  }
  if (technology_) avt_V_m_ = technology_->avt_V_m;
}

void PlanCircuit::check_corners(const Plan& plan) {
  const std::string where = plan.file_name + ": conditions.corner";
  corners_ = plan.corners;
  if (technology_) {
    if (corners_.empty()) corners_ = {design_ ? design_->corner : technology_->corners.begin()->first};
    if (plan.corners.empty() && !design_ && technology_->corners.contains("tt")) corners_ = {"tt"};
    for (const std::string& corner : corners_) {
      if (technology_->corners.contains(corner)) continue;
      std::vector<std::string> names;
      for (const auto& [name, values] : technology_->corners) names.push_back(name);
      throw UsageError(where + ": technology " + technology_->name + " has no corner '" + corner + "'; choose one of " +
                       join(names));
    }
    return;
  }
  const bool uses_corner = std::any_of(settings_.lib.begin(), settings_.lib.end(), [](const std::string& line) {
    return line.find("{corner}") != std::string::npos;
  });
  if (!corners_.empty() && !uses_corner)
    throw UsageError(where + ": the circuit has no technology and no lib line with {corner}; add one or remove corner");
  if (corners_.empty() && uses_corner) throw UsageError(where + ": missing, but circuit.lib asks for {corner}; add it");
}

NetlistText PlanCircuit::expand(const std::string& corner) const {
  std::vector<std::string> lines = split_lines(settings_.netlist_text);
  std::string text = (lines.empty() ? std::string("* empty") : lines.front()) + "\n";
  const std::string folder = fs::absolute(settings_.plan_folder).string();
  if (technology_) text += netlist::technology_lines(*technology_, corner);
  for (const std::string& file : settings_.include) text += ".include " + (fs::path(folder) / file).string() + "\n";
  for (std::string line : settings_.lib) {
    replace_all(line, "{corner}", corner);
    const std::vector<std::string> words = split_words(line);
    if (words.size() != 2)
      throw UsageError(settings_.where + "lib: '" + line + "' is no file and section; write \"models.lib {corner}\"");
    text += ".lib " + (fs::path(folder) / words[0]).string() + " " + words[1] + "\n";
  }
  for (std::size_t i = 1; i < lines.size(); ++i) text += lines[i] + "\n";
  if (lines.size() < 2) throw UsageError(settings_.netlist_name + ": no line after the title; give a circuit");
  return {text, settings_.folder, settings_.netlist_name};
}

SettingDeck PlanCircuit::own_deck(const NetlistSetting& setting) const {
  netlist::Design design = *design_;
  if (!setting.corner.empty()) design.corner = setting.corner;
  if (setting.temperature_C) design.temperature_C = *setting.temperature_C;
  if (setting.supply_V) design.technology.supply_V = *setting.supply_V;
  const auto operand = [&](const char* name, double otherwise) {
    const auto found = setting.parameters.find(name);
    return found == setting.parameters.end() ? otherwise : found->second;
  };
  const auto level_V = [&](double level) {
    return design.v_min_V + level * (design.v_max_V - design.v_min_V) / static_cast<double>(design.weight_levels - 1);
  };
  netlist::Deck deck;
  if (settings_.deck == "cell_read")
    deck = netlist::cell_read_deck(design, operand("v_store", design.v_max_V), operand("t_pulse", design.t_max_s));
  else if (settings_.deck == "cell_write")
    deck = netlist::cell_write_deck(design, level_V(operand("level", static_cast<double>(design.weight_levels - 1))),
                                    level_V(operand("previous", 0.0)));
  else if (settings_.deck == "cell_leak")
    deck = netlist::cell_leak_deck(design, operand("v_store", design.v_max_V), operand("age", design.grids.age_max_s));
  else if (settings_.deck == "readout_unsigned")
    deck =
        netlist::readout_unsigned_deck(design, operand("q_in", 0.5 * design.saturation_charge_C(design.score_readout)));
  else
    deck =
        netlist::readout_signed_deck(design, operand("q_in", 0.5 * design.saturation_charge_C(design.output_readout)));
  // The step may be the plan's; the end is the deck's, which knows how long its event lasts.
  std::string command = deck.analysis;
  if (analysis_.step_s > 0) command = "tran " + number_text(analysis_.step_s) + " " + number_text(deck.t_stop_s);
  return {std::move(deck.text), std::move(command), deck.t_stop_s};
}

SettingDeck PlanCircuit::deck(const NetlistSetting& setting) const {
  SettingDeck deck;
  std::map<std::string, double> parameters = setting.parameters;
  if (design_) {
    deck = own_deck(setting);
    for (const std::string& operand : operands_) parameters.erase(operand);
  } else {
    deck.text = text_of_corner_.at(setting.corner);
    deck.command = analysis_.command;
    deck.t_stop_s = analysis_.stop_s;
    if (setting.supply_V) parameters["supply"] = *setting.supply_V;
  }
  deck.text = stripped(with_parameters(deck.text, parameters), setting.temperature_C.has_value());
  if (setting.temperature_C) deck.text += ".temp " + number_text(*setting.temperature_C) + "\n";
  for (const std::string& option : settings_.options) deck.text += ".options " + option + "\n";
  return deck;
}

std::string PlanCircuit::content() const {
  std::string text = settings_.deck + "\n";
  if (design_) text += design_->toml + technology_->model_text + deck({}).text;
  for (const auto& [corner, netlist] : text_of_corner_) text += "corner " + corner + "\n" + netlist;
  text += netlist_->lib_hash() + "\n" + join(settings_.options) + "\n";
  return text;
}

std::string PlanCircuit::resolve_parameter(const std::string& name, const std::string& where) const {
  if (std::find(operands_.begin(), operands_.end(), name) != operands_.end()) return name;
  if (netlist_->parameters().contains(name)) return name;
  if (design_ && netlist_->parameters().contains("cell_" + name)) return "cell_" + name;
  std::vector<std::string> names = operands_;
  for (const std::string& parameter : netlist_->parameters())
    if (names.size() < 12) names.push_back(parameter);
  throw UsageError(where + ": the netlist has no parameter '" + name + "'; its parameters are " +
                   (names.empty() ? std::string("none") : join(names)));
}

Operand PlanCircuit::resolve(const PlanAxis& axis) const {
  Operand operand = axis.operand;
  const auto is_source = [&](const std::string& name) {
    return netlist_->find(name) != nullptr && (name.front() == 'v' || name.front() == 'i');
  };
  if (operand.kind == Operand::Kind::unresolved) {
    const bool parameter = netlist_->parameters().contains(operand.name) ||
                           (design_ && netlist_->parameters().contains("cell_" + operand.name)) ||
                           std::find(operands_.begin(), operands_.end(), operand.name) != operands_.end();
    operand.kind = parameter                 ? Operand::Kind::parameter
                   : is_source(operand.name) ? Operand::Kind::source
                   : operand.name.find('[') != std::string::npos || netlist_->find(operand.name) != nullptr
                       ? Operand::Kind::instance
                       : Operand::Kind::unresolved;
  }
  if (operand.kind == Operand::Kind::parameter) {
    operand.name = resolve_parameter(operand.name, axis.where);
    return operand;
  }
  if (operand.kind == Operand::Kind::source) {
    if (is_source(operand.name)) return operand;
    std::vector<std::string> names;
    for (const Element& element : netlist_->elements())
      if (is_source(element.name) && names.size() < 12) names.push_back(element.name);
    throw UsageError(axis.where + ": the netlist has no source '" + operand.name + "'; its sources are " + join(names));
  }
  if (operand.kind == Operand::Kind::instance) {
    const std::size_t open = operand.name.find('[');
    if (open != std::string::npos && operand.name.ends_with(']')) {
      operand.field = operand.name.substr(open + 1, operand.name.size() - open - 2);
      operand.name.erase(open);
    }
    const Element* element = netlist_->find(operand.name);
    if (element == nullptr)
      throw UsageError(axis.where + ": the netlist has no instance '" + operand.name +
                       "'; write it as ngspice does, e.g. \"m.x1.m1[w]\"");
    const char letter = operand.name.front();
    if (letter == 'x')
      throw UsageError(axis.where + ": '" + operand.name +
                       "' is a subcircuit call; give its parameter a .param and name that");
    if (operand.field.empty() && (letter == 'v' || letter == 'i')) operand.kind = Operand::Kind::source;
    if (operand.field.empty() && std::string_view("rclvi").find(letter) == std::string_view::npos)
      throw UsageError(axis.where + ": which parameter of '" + operand.name + "'; write \"" + operand.name + "[w]\"");
    return operand;
  }
  throw UsageError(axis.where + ": the netlist has no parameter, source or instance '" + axis.operand.name +
                   "'; correct the name");
}

}  // namespace gaincal::sweep
