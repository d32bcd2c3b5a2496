#include "netlist/technology.hpp"

#include <algorithm>
#include <sstream>

#include "core/error.hpp"
#include "core/files.hpp"
#include "core/provenance.hpp"
#include "netlist/embedded.hpp"
#include "netlist/model_files.hpp"
#include "netlist/settings.hpp"

namespace gaincal::netlist {
namespace fs = std::filesystem;

namespace {

constexpr Range kSize{1e-9, 1e-5};
// A gate of minimum length is drawn about so many times wider where a technology does not say.
constexpr double kLogicWidth = 6.0;

std::string model_file(const std::string& name, const fs::path& folder, const std::string& where) {
  const fs::path path = folder / name;
  std::error_code status;
  if (fs::is_regular_file(path, status)) return read_file(path);
  if (has_embedded_file(name)) return std::string(embedded_file(name));
  throw UsageError(where + ": no model file '" + path.string() + "'; correct the path");
}

/// What [call], or a device, says about how it is called; what is not given stays.
void parse_call(SettingsTable& table, DeviceCall& call) {
  if (table.has("kind")) call.subcircuit = table.choice("kind", {"card", "subcircuit"}) == "subcircuit";
  if (table.has("width")) call.width = table.text("width");
  if (table.has("length")) call.length = table.text("length");
  if (table.has("unit")) call.unit_m = table.quantity("unit", Unit::metre, {1e-9, 1.0});
  if (table.has("fixed")) call.fixed = table.text("fixed");
  if (table.has("junctions")) call.junctions = table.flag("junctions");
  if (table.has("inner")) call.inner = table.text("inner") == "none" ? "" : table.text("inner");
}

DeviceCall parse_device(SettingsTable& devices, const std::string& role, DeviceCall call) {
  if (!devices.has_table(role)) {
    call.name = devices.text(role);
    return call;
  }
  SettingsTable table = devices.table(role);
  call.name = table.text("name");
  parse_call(table, call);
  if (table.has("minimum_length")) call.minimum_length_m = table.quantity("minimum_length", Unit::metre, kSize);
  if (table.has("minimum_width")) call.minimum_width_m = table.quantity("minimum_width", Unit::metre, kSize);
  if (table.has("v_off")) call.v_off_V = table.quantity("v_off", Unit::volt, {-5.5, 0.0});
  if (table.has("i_threshold")) call.i_threshold_A = table.quantity("i_threshold", Unit::ampere, {1e-15, 1e-6});
  table.finish();
  return call;
}

void parse_devices(SettingsTable& settings, Technology& technology) {
  DeviceCall call;
  call.minimum_length_m = technology.minimum_length_m;
  call.minimum_width_m = technology.minimum_width_m;
  if (settings.has("call")) {
    SettingsTable table = settings.table("call");
    parse_call(table, call);
    table.finish();
  }
  SettingsTable devices = settings.table("devices");
  for (const std::string& role : device_roles()) technology.devices[role] = parse_device(devices, role, call);
  for (const std::string& role : optional_device_roles())
    if (devices.has(role)) technology.devices[role] = parse_device(devices, role, call);
  devices.finish();
}

/// Corners are `.param` values, beside the lists `include` ("file") and `lib` ("file section").
class CornerParser {
 public:
  CornerParser(fs::path folder, std::vector<std::string> includes)
      : folder_(std::move(folder)), includes_(std::move(includes)) {}

  Corner parse(SettingsTable table, const std::string& includes_where) {
    Corner corner;
    std::string hashes;
    for (const std::string& file : includes_) add(corner, hashes, file, false, includes_where);
    for (const std::string& key : table.keys()) {
      if (key == "include" || key == "lib")
        for (const std::string& line : table.texts(key)) add(corner, hashes, line, key == "lib", table.where(key));
      else
        corner.parameters[key] = table.quantity(key, Unit::none);
    }
    if (!hashes.empty()) corner.content_hash = content_hash(hashes);
    return corner;
  }

 private:
  void add(Corner& corner, std::string& hashes, const std::string& line, bool is_lib, const std::string& where) const {
    const std::size_t space = is_lib ? line.find_last_of(' ') : line.size();
    if (space == std::string::npos || space + 1 == line.size())
      throw UsageError(where + ": '" + line + "' is no file and section; write \"models.lib tt\"");
    const std::string file = with_environment(line.substr(0, space), where);
    const std::string section = is_lib ? line.substr(space + 1) : "";
    const fs::path path = fs::absolute(folder_ / file).lexically_normal();
    hashes += model_file_hash(path, section, where);
    corner.text += is_lib ? ".lib \"" + path.string() + "\" " + section + "\n" : ".include \"" + path.string() + "\"\n";
  }

  fs::path folder_;
  std::vector<std::string> includes_;
};

std::string join(const std::vector<std::string>& words) {
  std::string list;
  for (const std::string& word : words) list += (list.empty() ? "" : ", ") + word;
  return list;
}

}  // namespace

const DeviceCall& Technology::device(const std::string& role) const {
  const auto found = devices.find(role);
  if (found != devices.end()) return found->second;
  throw UsageError("technology " + name + ": no device for the role '" + role + "'; add devices." + role);
}

const Corner& Technology::corner(const std::string& corner_name) const {
  const auto found = corners.find(corner_name);
  if (found != corners.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [key, values] : corners) names.push_back(key);
  throw UsageError("technology " + name + ": no corner '" + corner_name + "'; choose one of " + join(names));
}

const std::vector<std::string>& device_roles() {
  static const std::vector<std::string> roles = {"nfet", "pfet", "nfet_hvt", "pfet_hvt"};
  return roles;
}

const std::vector<std::string>& optional_device_roles() {
  static const std::vector<std::string> roles = {"oxide"};
  return roles;
}

std::vector<std::string> built_in_technologies() { return {"gc28"}; }

Technology parse_technology(std::string_view text, const fs::path& file_name) {
  SettingsTable settings = SettingsTable::parse(text, file_name.string());
  Technology technology;
  technology.name = settings.text("name");
  technology.supply_V = settings.quantity("supply", Unit::volt, {0.1, 5.5});
  technology.minimum_length_m = settings.quantity("minimum_length", Unit::metre, kSize);
  technology.minimum_width_m = settings.has("minimum_width") ? settings.quantity("minimum_width", Unit::metre, kSize)
                                                             : technology.minimum_length_m;
  technology.logic_width_m =
      settings.has("logic_width")
          ? settings.quantity("logic_width", Unit::metre, {technology.minimum_width_m * (1 - 1e-9), 1e-5})
          : std::max(technology.minimum_width_m, kLogicWidth * technology.minimum_length_m);
  technology.diffusion_length_m = settings.quantity("diffusion_length", Unit::metre, kSize);
  technology.avt_V_m = settings.quantity("avt_mV_um", Unit::none, {0.0, 100.0}) * 1e-9;  // mV um = 1e-9 V m
  if (settings.has("abeta_percent_um"))
    technology.abeta_m = settings.quantity("abeta_percent_um", Unit::none, {0.0, 100.0}) * 1e-8;
  if (settings.has("behavior")) technology.behavior = settings.text("behavior");
  fs::path folder = file_name.parent_path();
  if (settings.has("root")) folder /= with_environment(settings.text("root"), settings.where("root"));
  if (settings.has("osdi"))
    for (const std::string& file : settings.texts("osdi"))
      technology.osdi.push_back(fs::absolute(folder / with_environment(file, settings.where("osdi"))).string());
  if (settings.has("models"))
    for (const std::string& name : settings.texts("models"))
      technology.model_text += model_file(name, file_name.parent_path(), settings.where("models"));
  parse_devices(settings, technology);

  CornerParser parser(folder, settings.has("include") ? settings.texts("include") : std::vector<std::string>());
  SettingsTable corners = settings.table("corners");
  for (const std::string& name : corners.keys())
    technology.corners[name] = parser.parse(corners.table(name), settings.where("include"));
  if (technology.corners.empty()) throw UsageError(settings.where("corners") + ": is empty; add a corner such as tt");
  settings.finish();
  return technology;
}

Technology load_technology(const std::string& name_or_file, const fs::path& folder) {
  const std::string built_in = name_or_file + ".toml";
  for (const std::string& name : built_in_technologies())
    if (name == name_or_file) return parse_technology(embedded_file(built_in), built_in);
  const fs::path path = folder / name_or_file;
  std::error_code status;
  if (!fs::is_regular_file(path, status))
    throw UsageError("technology '" + name_or_file + "' is neither built in (" + join(built_in_technologies()) +
                     ") nor the file " + path.string() + "; correct the name");
  return parse_technology(read_file(path), path);
}

}  // namespace gaincal::netlist
