#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace gaincal::netlist {

/// How a device is written into a netlist, and the smallest one there is.
struct DeviceCall {
  std::string name;         ///< of the model card or the subcircuit (terminals d g s b)
  bool subcircuit = false;  ///< called with `X`, not with `M`
  std::string width = "w";  ///< names of its parameters
  std::string length = "l";
  double unit_m = 1.0;       ///< of width and length: 1e-6 where sizes are plain numbers in um
  std::string fixed;         ///< further parameters, e.g. "nf=1 m=1"
  bool junctions = true;     ///< takes ad as pd ps, in squares of the unit and in the unit
  std::string inner = "m1";  ///< MOSFET inside a subcircuit, which takes `delvto`; empty: there is none
  double minimum_width_m = 0.0, minimum_length_m = 0.0;
  double v_off_V = 0.0;           ///< gate to source voltage, as of an n device, at which it is off
  double i_threshold_A = 100e-9;  ///< times W / L, the current at the threshold
};

/// Model files and parameters of a corner.
struct Corner {
  std::map<std::string, double> parameters;  ///< `.param` values
  std::string text;                          ///< `.include` and `.lib` lines
  std::string content_hash;                  ///< of all files that these lines reach; empty where there are none
};

/// A process as the netlists see it: models, which device plays which role, corners.
struct Technology {
  std::string name;
  std::string model_text;                     ///< SPICE, all files of `models` in order
  std::map<std::string, DeviceCall> devices;  ///< by role
  std::map<std::string, Corner> corners;
  double supply_V = 0.0;
  double minimum_length_m = 0.0, minimum_width_m = 0.0;  ///< of any device
  double logic_width_m = 0.0;                            ///< NMOS of a small gate
  double diffusion_length_m = 0.0;                       ///< source and drain beyond the gate
  double avt_V_m = 0.0;                                  ///< sigma of a threshold = AVt / sqrt(W L)
  double abeta_m = 0.0;                                  ///< relative sigma of a current factor = Abeta / sqrt(W L)
  std::string behavior;           ///< `set ngbehavior=` that the model files need, e.g. "hsa"; empty: none
  std::vector<std::string> osdi;  ///< compiled Verilog-A models that the devices need

  /// Throws  UsageError where the technology has no such device
  const DeviceCall& device(const std::string& role) const;
  /// Throws  UsageError listing the corners there are
  const Corner& corner(const std::string& corner_name) const;
};

/// Roles that every technology fills: nfet, pfet, nfet_hvt, pfet_hvt.
const std::vector<std::string>& device_roles();
/// Roles that some circuits ask for: oxide (oxide-semiconductor write FET).
const std::vector<std::string>& optional_device_roles();

/// Names that need no file.
std::vector<std::string> built_in_technologies();

/// name_or_file  a built-in name, or a TOML file (relative names start at `folder`)
///
/// Throws  UsageError naming file, field and remedy
Technology load_technology(const std::string& name_or_file, const std::filesystem::path& folder = ".");

/// text       TOML
/// file_name  for messages; model files are looked up beside it, then among the built-in ones
Technology parse_technology(std::string_view text, const std::filesystem::path& file_name);

}  // namespace gaincal::netlist
