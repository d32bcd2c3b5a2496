#include "exporters/pygmid.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "core/error.hpp"
#include "core/files.hpp"
#include "exporters/formats.hpp"
#include "exporters/mat_file.hpp"
#include "exporters/model_tables.hpp"
#include "exporters/text.hpp"

namespace gaincal::exporters {
namespace {

struct PygmidAxis {
  const char* name;
  const char* field;
  const char* unit;
};
constexpr PygmidAxis kAxes[] = {{"L", "L", "m"}, {"V_GS", "VGS", "V"}, {"V_DS", "VDS", "V"}, {"V_SB", "VSB", "V"}};

/// Micrometres, to the femtometre: 100 nm must be 0.1, or a look-up at 0.1 is out of range.
double micrometres(double length_m) { return std::round(length_m * 1e15) / 1e9; }

std::string capitals(const std::string& name) {
  std::string result;
  for (const char c : name)
    if (c != '_') result += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return result;
}

/// Place of a pygmid axis among the table's axes, after all checks on it.
std::size_t find_axis(const store::Table& table, const PygmidAxis& wanted) {
  const std::string where = "table " + table.name + ", axis " + wanted.name + ": ";
  for (std::size_t k = 0; k < table.axes.size(); ++k) {
    const store::Axis& axis = table.axes[k];
    if (axis.name != wanted.name) continue;
    if (axis.unit != wanted.unit) throw Error(where + "is in " + axis.unit + "; pygmid needs " + wanted.unit);
    if (axis.values.size() < 2) throw Error(where + "has one point; pygmid interpolates and needs two or more");
    if (std::adjacent_find(axis.values.begin(), axis.values.end(), std::greater_equal<>()) != axis.values.end())
      throw Error(where + "does not ascend; sort the sweep");
    if (axis.name == "V_SB" && axis.values.front() < 0)
      throw Error(where + "is negative; pygmid counts the source above the bulk, V_SB >= 0");
    return k;
  }
  throw Error(where + "is missing; pygmid needs a MOSFET table over L, V_GS, V_DS and V_SB");
}

}  // namespace

void write_pygmid(const store::Table& table, const PygmidDevice& device, const std::filesystem::path& path) {
  if (path.extension() != ".mat") throw UsageError(path.string() + ": pygmid goes by the ending; use .mat");
  if (table.axes.size() != std::size(kAxes))
    throw Error("table " + table.name + ": has " + std::to_string(table.axes.size()) +
                " axes; pygmid needs exactly L, V_GS, V_DS and V_SB");
  std::array<std::size_t, std::size(kAxes)> place;
  std::vector<std::size_t> shape;
  std::vector<std::pair<std::string, MatVariable>> fields;
  fields.emplace_back("INFO", mat_text(device.info));
  fields.emplace_back("CORNER", mat_text(device.corner));
  fields.emplace_back("TEMP", mat_array({1}, {device.temperature_K}));
  fields.emplace_back("NFING", mat_array({1}, {static_cast<double>(device.fingers)}));
  fields.emplace_back("W", mat_array({1}, {micrometres(device.w_m)}));
  for (std::size_t k = 0; k < std::size(kAxes); ++k) {
    place[k] = find_axis(table, kAxes[k]);
    std::vector<double> values = table.axes[place[k]].values;
    if (k == 0) std::transform(values.begin(), values.end(), values.begin(), micrometres);
    shape.push_back(values.size());
    fields.emplace_back(kAxes[k].field, mat_array({values.size()}, values));
  }
  std::array<std::size_t, std::size(kAxes)> stride;  // of the table's own axes
  for (std::size_t k = std::size(kAxes), step = 1; k-- > 0; step *= table.axes[k].values.size()) stride[k] = step;
  for (const store::Quantity& quantity : table.quantities) {
    std::vector<double> values;
    values.reserve(quantity.values.size());
    for (std::size_t a = 0; a < shape[0]; ++a)
      for (std::size_t b = 0; b < shape[1]; ++b)
        for (std::size_t c = 0; c < shape[2]; ++c)
          for (std::size_t d = 0; d < shape[3]; ++d)
            values.push_back(quantity.values[a * stride[place[0]] + b * stride[place[1]] + c * stride[place[2]] +
                                             d * stride[place[3]]]);
    fields.emplace_back(capitals(quantity.name), mat_array(shape, values));
  }
  std::vector<std::pair<std::string, MatVariable>> variables;
  variables.emplace_back("mos", mat_struct(std::move(fields)));
  write_mat_file(path, std::move(variables));
}

namespace {

/// What pygmid calls the quantities of a MOSFET that ngspice calls otherwise.
std::string pygmid_name(const std::string& name) { return name == "gmbs" ? "gmb" : name == "vth" ? "vt" : name; }

/// ngspice gives cgs as the change of the gate's charge with the source's voltage, which is negative; pygmid counts the
/// capacitance between two terminals as positive.
bool between_terminals(const std::string& name) { return name.size() == 3 && name[0] == 'c' && name[1] != name[2]; }

/// An axis as pygmid has it: bulk-source voltages become source-bulk ones, rising.
store::Axis pygmid_axis(store::Axis axis) {
  if (axis.name == "l") axis.name = "L";
  if (axis.name == "vgs") axis.name = "V_GS";
  if (axis.name == "vds") axis.name = "V_DS";
  if (axis.name == "vsb") axis.name = "V_SB";
  if (axis.name == "vbs") {
    axis.name = "V_SB";
    for (double& value : axis.values) value = value == 0.0 ? 0.0 : -value;
  }
  return axis;
}

bool is_bias(const store::Axis& axis) {
  const std::string name = pygmid_axis(axis).name;
  return std::any_of(std::begin(kAxes), std::end(kAxes), [&](const PygmidAxis& known) { return name == known.name; });
}

/// Places of an axis in rising order.
std::vector<std::size_t> rising(const store::Axis& axis) {
  std::vector<std::size_t> order(axis.values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return axis.values[a] < axis.values[b]; });
  return order;
}

/// One device of the sweep: the places of all axes but the four of pygmid.
struct Slice {
  PygmidDevice device;
  std::string suffix;
  std::vector<std::size_t> place;  ///< (axes); of the four: not used
};

Slice slice_of(const store::Table& table, std::size_t number) {
  Slice slice;
  slice.place.resize(table.axes.size());
  for (std::size_t k = table.axes.size(); k-- > 0;) {
    const store::Axis& axis = table.axes[k];
    if (is_bias(axis)) continue;
    const std::size_t i = number % axis.values.size();
    number /= axis.values.size();
    slice.place[k] = i;
    std::string word;
    if (axis.name == "corner") {
      slice.device.corner = word = axis.labels.empty() ? "" : axis.labels[i];
    } else if (axis.name == "temperature") {
      slice.device.temperature_K = axis.values[i] + 273.15;
      word = number_text(axis.values[i]).append("C");
    } else {
      slice.device.w_m = axis.values[i];
      word = std::string("w").append(number_text(micrometres(axis.values[i]))).append("um");
    }
    if (axis.values.size() > 1) slice.suffix = std::string("_").append(word).append(slice.suffix);
  }
  return slice;
}

store::Table table_of(const store::Table& table, const Slice& slice) {
  store::Table cut;
  cut.name = table.name;
  std::vector<std::size_t> stride(table.axes.size()), axes;
  std::vector<std::vector<std::size_t>> orders;
  for (std::size_t k = table.axes.size(), step = 1; k-- > 0; step *= table.axes[k].values.size()) stride[k] = step;
  std::size_t first = 0;
  for (std::size_t k = 0; k < table.axes.size(); ++k) {
    if (!is_bias(table.axes[k])) {
      first += slice.place[k] * stride[k];
      continue;
    }
    store::Axis axis = pygmid_axis(table.axes[k]);
    axes.push_back(k);
    orders.push_back(rising(axis));
    std::sort(axis.values.begin(), axis.values.end());
    cut.axes.push_back(std::move(axis));
  }
  std::vector<std::size_t> points = {first};
  for (std::size_t a = 0; a < axes.size(); ++a) {
    std::vector<std::size_t> finer;
    for (const std::size_t point : points)
      for (const std::size_t i : orders[a]) finer.push_back(point + i * stride[axes[a]]);
    points = std::move(finer);
  }
  for (const store::Quantity& quantity : table.quantities) {
    if (quantity.unit == "1") continue;
    store::Quantity part{pygmid_name(quantity.name), quantity.unit, quantity.description, {}};
    const double sign = between_terminals(quantity.name) ? -1.0 : 1.0;
    for (const std::size_t point : points) part.values.push_back(sign * quantity.values[point]);
    cut.quantities.push_back(std::move(part));
  }
  return cut;
}

}  // namespace

std::vector<std::filesystem::path> export_mosfet_sweep(const store::Dataset& dataset, const std::string& source,
                                                       const std::filesystem::path& path, bool force) {
  if (dataset.tables.size() != 1)
    throw Error(source + ": holds " + std::to_string(dataset.tables.size()) +
                " tables; pygmid reads the one of a MOSFET sweep, as data/plans/mosfet_gm_id.toml makes it");
  const store::Table& table = dataset.tables.front();
  std::size_t slices = 1;
  bool has_width = false;
  for (const store::Axis& axis : table.axes) {
    if (is_bias(axis)) continue;
    has_width = has_width || axis.name == "w";
    if (axis.name != "w" && axis.name != "corner" && axis.name != "temperature")
      throw Error(source + ": table " + table.name + ", axis " + axis.name +
                  ": has no place in pygmid's tables; they are over l, vgs, vds and vbs, a file for each w, corner and "
                  "temperature");
    slices *= axis.values.size();
  }
  if (!has_width)
    throw Error(source + ": table " + table.name + ", axis w: is missing; give the plan one, of one width or more");
  std::vector<std::filesystem::path> files;
  for (std::size_t i = 0; i < slices; ++i) {
    const Slice slice = slice_of(table, i);
    files.push_back(path.parent_path() / (path.stem().string() + slice.suffix + path.extension().string()));
    refuse_overwrite(files.back(), force);
  }
  for (std::size_t i = 0; i < slices; ++i) {
    Slice slice = slice_of(table, i);
    slice.device.info = "gaincal " + dataset.provenance.tool_version + ", table " + table.name + ", ngspice " +
                        dataset.provenance.ngspice_version;
    write_pygmid(table_of(table, slice), slice.device, files[i]);
  }
  return files;
}

/// A gain-cell model has nothing that gm/ID methods could use.
Written write_pygmid_model(const Source& source, const Target&) {
  throw Error(source.path.string() +
              ": is a gain-cell model and holds no MOSFET table; pygmid reads tables over L, V_GS, V_DS and V_SB, "
              "choose another format");
}

}  // namespace gaincal::exporters
