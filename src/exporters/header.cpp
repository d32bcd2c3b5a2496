#include "exporters/header.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace gaincal::exporters {
namespace {

/// "; between fitted temperatures and supplies within 0.4 % of full scale of SPICE at 20 conditions left out".
std::string interpolation_text(const device::ConditionSet& conditions) {
  double worst = 0.0;
  for (const device::InterpolationError& error : conditions.errors)
    if (error.full_scale > 0) worst = std::max(worst, error.max / error.full_scale);
  if (conditions.errors.empty()) return "";
  return "; at conditions left out of the fit the interpolated model is within " +
         format_quantity(100 * worst, Unit::none, 2) + " % of full scale of SPICE";
}

}  // namespace

Header make_header(const Source& source, std::string_view title) {
  Header header;
  header.title = title;
  const Provenance& provenance = source.file.provenance;
  header.source.push_back("model " + source.path.filename().string() + " (content hash " + source.hash + "), design " +
                          source.file.model.design_name + ", technology " + source.file.model.technology_name);
  header.source.push_back("fitted by gaincal " + provenance.tool_version + ": " + provenance.command_line);
  header.source.push_back(
      "circuit hash " + (provenance.netlist_hash.empty() ? std::string("none") : provenance.netlist_hash) +
      ", simulated by " + (provenance.ngspice_version.empty() ? std::string("nothing") : provenance.ngspice_version) +
      ", seed " + std::to_string(provenance.seed));
  header.source.push_back("exported by gaincal " + std::string(tool_version()) + ": " + source.command_line);
  header.source.push_back("instance: " + (source.instance.empty() ? std::string("nominal") : source.instance) +
                          interpolation_text(source.file.conditions));
  header.missing = {
      "what a bit line that moves takes from the charge of a column (the model's bit lines, 'gaincal fit --report': "
      "here "
      "columns add the charges of cells whose bit line is held), and read disturb",
      "mismatch between cells and between converters, noise; other corners, temperatures and supplies than this "
      "instance's",
  };
  return header;
}

namespace {

/// Comments are single lines whatever came in through a command line or a name.
std::string one_line(std::string text) {
  for (char& c : text)
    if (c == '\n' || c == '\r') c = ' ';
  return text;
}

}  // namespace

std::string comment_lines(const Header& header, std::string_view prefix) {
  std::string text;
  const auto line = [&](const std::string& content) { text += std::string(prefix) + one_line(content) + "\n"; };
  line(header.title);
  for (const std::string& entry : header.source) line("source: " + entry);
  for (const Header::Quantity& quantity : header.quantities)
    line("quantity: " + quantity.name + " [" + quantity.unit + "], range " + quantity.range +
         "; error: " + quantity.error);
  for (const std::string& entry : header.notes) line("note: " + entry);
  for (const std::string& entry : header.missing) line("not carried: " + entry);
  return text;
}

nlohmann::ordered_json to_json(const Header& header) {
  nlohmann::ordered_json json;
  json["title"] = header.title;
  json["source"] = header.source;
  json["quantities"] = nlohmann::ordered_json::array();
  for (const Header::Quantity& quantity : header.quantities)
    json["quantities"].push_back(
        {{"name", quantity.name}, {"unit", quantity.unit}, {"range", quantity.range}, {"error", quantity.error}});
  json["notes"] = header.notes;
  json["not_carried"] = header.missing;
  return json;
}

std::string quality_text(const device::FitQuality& quality, Unit unit) {
  const auto text = [&](double value) { return format_quantity(value, unit, 3); };
  std::string result = "against SPICE rms " + text(quality.rms) + ", max " + text(quality.max) + " on " +
                       std::to_string(quality.points) + " points; ";
  result += quality.held_out_points == 0
                ? std::string("no held-out points")
                : "held out rms " + text(quality.held_out_rms) + ", max " + text(quality.held_out_max) + " on " +
                      std::to_string(quality.held_out_points) + " points";
  return result + "; full scale " + text(quality.full_scale);
}

std::string range_text(double low, double high, Unit unit) {
  return format_quantity(low, unit) + " to " + format_quantity(high, unit);
}

}  // namespace gaincal::exporters
