#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "store/table.hpp"

namespace gaincal::exporters {

/// What pygmid wants to know of a MOSFET beside the table.
struct PygmidDevice {
  double w_m = 0.0;  ///< gate width of the simulated device
  unsigned fingers = 1;
  double temperature_K = 300.0;
  std::string corner;
  std::string info;  ///< provenance, one line
};

/// Writes a MOSFET table as pygmid's Lookup reads it: MAT-file of level 5 with one struct `mos`, fields L and W in
/// micrometres, VGS VDS VSB, TEMP in kelvin, CORNER, INFO, NFING and each quantity in capitals over (L, VGS, VDS, VSB).
///
/// table   axes L [m], V_GS, V_DS, V_SB [V] in any order, each of two points or more (pygmid squeezes others away),
/// ascending;
///         V_SB >= 0; quantities of any name (id, gm, gds, cgg, ..), SI units
/// path    ends in .mat, by which pygmid knows the format
/// Throws  Error naming the table and the axis when it is not such a table
void write_pygmid(const store::Table& table, const PygmidDevice& device, const std::filesystem::path& path);

/// Writes the MOSFET table of a sweep, one file for each corner, temperature and width: over axes w, l, vgs, vds and
/// vbs (bulk above source) or vsb. An axis w of one value gives the width; of several the files carry what varies in
/// their names, nfet_w0.2um.mat. Points that failed are NaN. Quantities that are pure numbers are left out.
///
/// Returns the files
/// Throws  Error naming the table and the axis when it is not such a table; UsageError as `export_model`
std::vector<std::filesystem::path> export_mosfet_sweep(const store::Dataset& dataset, const std::string& source,
                                                       const std::filesystem::path& path, bool force);

}  // namespace gaincal::exporters
