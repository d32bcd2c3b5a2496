#include "energy/compare.hpp"

#include <catch2/catch.hpp>
#include <sstream>

#include "core/error.hpp"
#include "energy/baseline.hpp"
#include "energy/sample_baseline.hpp"

using namespace gaincal;
using Catch::Contains;
using Catch::Matchers::WithinRel;

TEST_CASE("the comparison gives the published figures as ratios to this work", "[energy]") {
  const energy::Baseline baseline = tests::sample_baseline();
  const double head_J = 64e-12 + 1000e-12 + 500e-12 + 4e-9;
  const auto rows = energy::compare(baseline);
  REQUIRE(rows.size() == 4);
  CHECK_THAT(rows[0].energy_J, WithinRel(12 * head_J, 1e-12));
  CHECK(rows[0].energy_ratio == 1.0);
  CHECK_THAT(rows[1].energy_ratio, WithinRel(6.1e-9 / head_J, 1e-12));
  CHECK_THAT(rows[2].energy_ratio, WithinRel(7.18e-3 / (12 * head_J), 1e-12));
  CHECK_THAT(rows[2].latency_ratio, WithinRel(22.4e-6 / 40e-9, 1e-12));
  CHECK_THAT(rows[3].latency_s, WithinRel(489e-6, 1e-12));
}

TEST_CASE("cells and ramps follow the cell's current, word lines and bias do not", "[energy]") {
  const energy::ArrayScaling s = energy::scale_arrays(tests::sample_baseline());
  CHECK_THAT(s.our_current_A, WithinRel(2e-6, 1e-12));
  CHECK_THAT(s.k_run.total_J(), WithinRel(1000e-12, 1e-12));
  CHECK_THAT(s.k_scaled.cells_J, WithinRel(250e-12, 1e-12));  // 2 uA to 1 uA
  CHECK_THAT(s.k_scaled.word_lines_J, WithinRel(100e-12, 1e-12));
  // 1024 ramps of 10 uA, 0.9 V, 15 ns are 138.24 pJ of the 400 pJ.
  CHECK_THAT(s.ramp_share_K, WithinRel(138.24 / 400.0, 1e-9));
  CHECK_THAT(s.k_scaled.converters_J, WithinRel(400e-12 - 0.5 * 138.24e-12, 1e-9));
  CHECK_THAT(s.ramp_share_V, WithinRel(69.12 / 300.0, 1e-9));
  // Every cell: 0.5 fJ of edge and 1 uW for 15 ns, halved.
  CHECK_THAT(s.k_full.cells_J, WithinRel(65536 * 0.5 * 15.5e-15, 1e-9));
}

TEST_CASE("the difference to the paper's arrays is told from the figures", "[energy]") {
  energy::Baseline baseline = tests::sample_baseline();
  std::ostringstream text;
  energy::print_sheet(text, energy::array_sheet(baseline));
  CHECK_THAT(text.str(), Contains("1.12 nJ") && Contains("700 pJ") && Contains("2 uA") && Contains("35 %"));
  baseline.constants.set("paper_cell_current=0.5uA");
  std::ostringstream other;
  energy::print_sheet(other, energy::array_sheet(baseline));
  CHECK_THAT(other.str(), Contains("500 nA") && Contains("scaled by 0.25"));
}

TEST_CASE("each part of a head grows by its law", "[energy]") {
  const energy::Baseline baseline = tests::sample_baseline();
  const energy::HeadCost same = energy::head_cost(baseline, 1024.0, 64.0);
  CHECK_THAT(same.held_J, WithinRel(5564e-12, 1e-12));
  CHECK_THAT(same.scaled_J, WithinRel(same.held_J, 1e-12));
  CHECK_THAT(same.latency_s, WithinRel(40e-9, 1e-12));
  const energy::HeadCost wide = energy::head_cost(baseline, 4096.0, 64.0);
  CHECK_THAT(wide.arrays_J, WithinRel(64e-12 + 4 * 1500e-12, 1e-12));
  CHECK_THAT(wide.held_J, WithinRel(wide.arrays_J + 4e-9, 1e-12));
  CHECK_THAT(wide.scaled_J, WithinRel(wide.arrays_J + 16e-9, 1e-12));
  CHECK_THAT(wide.latency_s, WithinRel(36e-9 + 4e-9 * 6 / 4, 1e-12));  // a tree over 64 sub-tiles instead of 16
  const energy::HeadCost tall = energy::head_cost(baseline, 1024.0, 128.0);
  CHECK_THAT(tall.arrays_J, WithinRel(2 * 64e-12 + 2 * 600e-12 + 400e-12 + 2 * 500e-12, 1e-12));
  const energy::HeadCost narrow = energy::head_cost(baseline, 256.0, 64.0);
  CHECK(narrow.scaled_J < narrow.held_J);
}

TEST_CASE("attention's share of a model falls with the price of a digital multiply-add", "[energy]") {
  const energy::Baseline baseline = tests::sample_baseline();
  const energy::Sheet sheet = energy::whole_model_sheet(baseline);
  REQUIRE(sheet.rows.size() == 12);
  const auto number = [&](std::size_t row, std::size_t column) { return std::get<double>(sheet.rows[row][column]); };
  // gpt2: 144 heads; 12 * 12 * 768^2 + 50257 * 768 multiply-adds outside attention.
  const double attention_J = 144 * 5564e-12, rest_J = 1e-12 * (144.0 * 768 * 768 + 50257.0 * 768);
  CHECK_THAT(number(1, 2), WithinRel(attention_J, 1e-12));
  CHECK_THAT(number(1, 4), WithinRel(rest_J, 1e-12));
  CHECK_THAT(number(1, 5), WithinRel(100 * attention_J / (attention_J + rest_J), 1e-12));
  CHECK(number(0, 5) > number(1, 5));
  CHECK(number(1, 5) > number(2, 5));
}

TEST_CASE("scaling covers windows, head sizes, levels and models", "[energy]") {
  const auto sheets = energy::scaling_sheets(tests::sample_baseline());
  REQUIRE(sheets.size() == 4);
  CHECK(sheets[0].rows.size() == 7);
  CHECK(std::get<double>(sheets[0].rows.front()[0]) == 256.0);
  CHECK(std::get<double>(sheets[0].rows.back()[0]) == 16384.0);
  CHECK(sheets[3].rows.size() == 4);
  for (const energy::Sheet& sheet : sheets) {
    CHECK_FALSE(sheet.notes.empty());
    for (const auto& row : sheet.rows) CHECK(row.size() == sheet.columns.size());
  }
  // 16 pulse widths are the circuit's own: latency and energy of the baseline.
  const energy::Sheet& levels = sheets[2];
  CHECK_THAT(std::get<double>(levels.rows[2][3]), WithinRel(5564e-12, 1e-12));
  CHECK_THAT(std::get<double>(levels.rows[2][4]), WithinRel(40e-9, 1e-12));
  CHECK_THAT(std::get<double>(levels.rows[1][4]), WithinRel(40e-9 - 3 * 8e-9, 1e-12));
}

TEST_CASE("a sheet is the same in print, CSV and HDF5", "[energy]") {
  energy::Sheet sheet{
      "sample",
      "A sample",
      {{"name", Unit::none, true}, {"energy", Unit::joule}, {"area", Unit::square_metre}, {"source", Unit::none, true}},
      {{std::string("a, b"), 1.5e-12, 0.5e-6, std::string("x")},
       {std::string("c"), std::nan(""), 2e-6, std::string("y")}}};
  std::ostringstream text;
  energy::print_sheet(text, sheet);
  CHECK_THAT(text.str(), Contains("1.5 pJ") && Contains("0.5 mm2") && Contains(" - "));
  CHECK(energy::sheet_csv(sheet) == "name,energy [J],area [m2],source\n\"a, b\",1.5e-12,5e-07,x\nc,,2e-06,y\n");
  store::Dataset dataset;
  energy::add_sheet(dataset, sheet);
  const store::Table& table = dataset.table("sample");
  CHECK(table.axis("row").labels == std::vector<std::string>{"a, b", "c"});
  CHECK(table.quantity("energy").values[0] == 1.5e-12);
  CHECK(table.quantity("area").unit == "m2");
  CHECK(dataset.attributes.at("sample: source") == "x\ny\n");
}
