#include "energy/area.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "energy/paper.hpp"

namespace gaincal::energy {
namespace {

constexpr double kTileColumns = 64.0;
constexpr const char* kCells = "cells of both arrays";

}  // namespace

double HeadShape::tiles() const { return std::ceil(window / kTileColumns); }

HeadShape shape_of(const Account& account, const store::Dataset& facts, const Constants& constants) {
  const auto fact = [&](const char* name, double otherwise) {
    const auto found = facts.attributes.find(name);
    return found == facts.attributes.end() ? otherwise : parse_quantity(found->second, Unit::none, name);
  };
  return {account.head_size, account.window_columns, fact("score_bit_line_F", constants("score_bit_line")),
          fact("output_bit_line_F", constants("output_bit_line"))};
}

std::vector<AreaPart> area_parts(const HeadShape& shape, const Constants& constants) {
  const double columns = shape.window, outputs = shape.outputs();
  std::vector<AreaPart> parts;
  const auto add = [&](const char* name, double count, const char* constant) {
    for (const Constant& each : constants.all())
      if (each.name == constant)
        parts.push_back({name, count * each.value, each.origin, std::string(constant) + ": " + each.source});
  };
  add(kCells, 2.0 * shape.head_size * shape.window, "cell_area");
  parts.push_back({"bit-line capacitors of K", columns * shape.score_bit_line_F / constants("capacitor_density"),
                   device::Origin::assumed, "design's capacitor over capacitor_density"});
  parts.push_back({"bit-line capacitors of V", outputs * shape.output_bit_line_F / constants("capacitor_density"),
                   device::Origin::assumed, "design's capacitor over capacitor_density"});
  add("unsigned converters", columns, "score_converter_area");
  add("signed converters", outputs, "output_converter_area");
  add("counters", outputs, "counter_area");
  add("adders", outputs, "adder_area");
  add("pulse generators and DACs", 3.0 * shape.head_size, "dac_area");
  add("control", 1.0, "control_area");
  return parts;
}

double planar_m2(const HeadShape& shape, const Constants& constants) {
  double sum_m2 = 0.0;
  for (const AreaPart& part : area_parts(shape, constants)) sum_m2 += part.area_m2;
  return sum_m2;
}

double stacked_m2(const HeadShape& shape, const Constants& constants) {
  double cells_m2 = 0.0, rest_m2 = 0.0;
  for (const AreaPart& part : area_parts(shape, constants)) (part.name == kCells ? cells_m2 : rest_m2) += part.area_m2;
  return std::max(cells_m2 / constants("stacked_layers"), rest_m2);
}

Sheet area_sheet(const HeadShape& shape, const Constants& constants) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  Sheet sheet{"area",
              "Area of one head, window " + std::to_string(std::lround(shape.window)) + ", head size " +
                  std::to_string(std::lround(shape.head_size)),
              {{"part", Unit::none, true},
               {"area", Unit::square_metre},
               {"paper", Unit::square_metre},
               {"origin", Unit::none, true},
               {"source", Unit::none, true}},
              {}};
  for (const AreaPart& part : area_parts(shape, constants))
    sheet.rows.push_back({part.name, part.area_m2, kNone, origin_name(part.origin), part.source});
  sheet.rows.push_back(
      {"planar", planar_m2(shape, constants), paper::kHeadArea_m2, "", "sum of rows above; paper: one head"});
  sheet.rows.push_back({"3D-stacked", stacked_m2(shape, constants), kNone, "",
                        "cells in stacked_layers above the periphery: the larger of both"});
  sheet.notes = {"Only the cell's area is published; the other constants are assumed and can be set with --set."};
  return sheet;
}

}  // namespace gaincal::energy
