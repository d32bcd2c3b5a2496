#pragma once

#include <string>
#include <vector>

#include "device/circuit_model.hpp"
#include "energy/account.hpp"
#include "energy/constants.hpp"
#include "energy/sheet.hpp"

namespace gaincal::energy {

/// Size of a head: D rows, a window of M columns, sub-tiles of 64 columns.
struct HeadShape {
  double head_size = 64.0;         ///< D
  double window = 1024.0;          ///< M
  double score_bit_line_F = 0.0;   ///< capacitor of a K column
  double output_bit_line_F = 0.0;  ///< of a V column

  double tiles() const;
  double outputs() const { return head_size * tiles(); }  ///< V columns of all sub-tiles
};

/// Shape of a run: window and head size of its account; capacitors as the dataset says, else the constants.
HeadShape shape_of(const Account& account, const store::Dataset& facts, const Constants& constants);

struct AreaPart {
  std::string name;
  double area_m2 = 0.0;
  device::Origin origin = device::Origin::assumed;
  std::string source;
};

/// Area of one head by part. Wiring between the parts is not counted.
std::vector<AreaPart> area_parts(const HeadShape& shape, const Constants& constants);

/// Everything side by side.
double planar_m2(const HeadShape& shape, const Constants& constants);
/// Cells in layers above the periphery: the larger of the two counts.
double stacked_m2(const HeadShape& shape, const Constants& constants);

Sheet area_sheet(const HeadShape& shape, const Constants& constants);

}  // namespace gaincal::energy
