#include "sweep/characterize.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

using namespace gaincal;
using namespace gaincal::sweep;

namespace {

/// The default design on grids that take a second or two.
netlist::Design small_design() {
  netlist::Design design = netlist::default_design();
  design.weight_levels = 3;
  design.grids.cell_voltages = 4;
  design.grids.cell_widths = 2;
  design.grids.cell_check_voltages = 1;
  design.grids.cell_check_widths = 1;
  design.grids.charges = 9;
  design.grids.check_charges = 2;
  design.grids.columns = 4;
  design.grids.check_columns = 2;
  design.grids.leak_starts = 2;
  design.grids.leak_check_starts = 1;
  design.grids.leak_ages = 4;
  return design;
}

const store::Dataset& with_two_workers() {
  static const store::Dataset dataset = characterize(small_design(), {2, false});
  return dataset;
}

bool equal(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

}  // namespace

TEST_CASE("one and two workers give the same dataset", "[sweep]") {
  const store::Dataset one = characterize(small_design(), {1, false});
  const store::Dataset& two = with_two_workers();
  CHECK(one.provenance.netlist_hash == two.provenance.netlist_hash);
  CHECK(one.attributes == two.attributes);
  REQUIRE(one.tables.size() == two.tables.size());
  for (std::size_t t = 0; t < one.tables.size(); ++t) {
    const store::Table &a = one.tables[t], &b = two.tables[t];
    INFO(a.name);
    CHECK(a.reason == b.reason);
    REQUIRE(a.quantities.size() == b.quantities.size());
    for (std::size_t q = 0; q < a.quantities.size(); ++q)
      CHECK(std::equal(a.quantities[q].values.begin(), a.quantities[q].values.end(), b.quantities[q].values.begin(),
                       b.quantities[q].values.end(), equal));
  }
}

TEST_CASE("a characterisation has every table, its energies and no failed point", "[sweep]") {
  const store::Dataset& dataset = with_two_workers();
  CHECK(dataset.attributes.at("design_name") == "gc28_paper");
  CHECK(std::stod(dataset.attributes.at("t_token_s")) == Approx(65e-9).epsilon(0.02));
  CHECK(dataset.provenance.ngspice_version.starts_with("ngspice-"));
  CHECK(dataset.provenance.netlist_hash.size() == 32);
  for (const char* name : {"cell_read", "cell_read_check", "cell_write", "cell_leak", "cell_leak_check",
                           "readout_unsigned", "readout_unsigned_check", "readout_signed", "readout_signed_check"}) {
    INFO(name);
    const store::Table& table = dataset.table(name);
    CHECK(std::count(table.failed.begin(), table.failed.end(), 1) == 0);
    for (const store::Quantity& quantity : table.quantities) {
      CHECK(quantity.values.size() == table.points());
      CHECK(std::all_of(quantity.values.begin(), quantity.values.end(), [](double x) { return std::isfinite(x); }));
    }
  }
  const auto& read = dataset.table("cell_read");
  // Gates of two select FETs and two wires of 0.2 fF: C V^2 of some tenths of a femtofarad each.
  for (const double energy_J : read.quantity("e_word_line").values)
    CHECK(energy_J == Approx(0.45e-15).margin(0.15e-15));
  // A full-scale pull-up draws its charge from the supply.
  const double q_C = read.quantity("q_bl").values[1], e_J = read.quantity("e_supply").values[1];
  CHECK(q_C < -25e-15);
  CHECK(e_J == Approx(-0.9 * q_C).epsilon(0.05));
  for (const double energy_J : dataset.table("cell_write").quantity("e_write").values) {
    CHECK(energy_J > 0.3e-15);
    CHECK(energy_J < 40e-15);
  }
  for (const char* name : {"readout_unsigned", "readout_signed"})
    for (const double energy_J : dataset.table(name).quantity("e_conversion").values) {
      CHECK(energy_J > 100e-15);
      CHECK(energy_J < 1000e-15);
    }
  const auto& leak = dataset.table("cell_leak");
  for (std::size_t start = 0; start < 2; ++start)
    CHECK(leak.quantity("v_cell").values[start * 4] == Approx(leak.axis("v_store").values[start]).margin(1e-6));
}

TEST_CASE("a point that cannot be measured is kept with its reason, and a changed deck changes the hash", "[sweep]") {
  netlist::Design design = small_design();
  design.t_write_s = 1e-9;  // too short to settle
  const store::Dataset dataset = characterize(design, {2, false});
  const store::Table& write = dataset.table("cell_write");
  const std::size_t low_to_middle = 1 * 3 + 0;
  CHECK(write.failed[low_to_middle] == 1);
  CHECK(write.reason[low_to_middle] == "the stored voltage has not settled when the word lines close");
  CHECK(std::isnan(write.quantity("v_stored").values[low_to_middle]));
  CHECK(dataset.provenance.netlist_hash != with_two_workers().provenance.netlist_hash);
}

TEST_CASE("conditions, the middles between them and chips become tables with leading or last axes", "[sweep]") {
  netlist::Design design = small_design();
  design.conditions.corners = {"tt", "ss"};
  design.conditions.temperatures_C = {27.0, 85.0};
  design.conditions.mismatch_samples = 3;
  const store::Dataset dataset = characterize(design, {2, false, 11});
  CHECK(dataset.provenance.seed == 11);
  const store::Table& read = dataset.table("conditions_cell_read");
  REQUIRE(read.axes.size() == 5);
  CHECK(read.axes[0].labels == std::vector<std::string>{"tt", "ss"});
  CHECK(read.axes[1].values == std::vector<double>{27.0, 85.0});
  CHECK(read.axes[2].values == std::vector<double>{design.technology.supply_V});
  CHECK(dataset.table("left_out_cell_read_check").axes[1].values == std::vector<double>{56.0});
  // At its own condition a cell reads what it reads there alone.
  const store::Table& alone = dataset.table("cell_read");
  CHECK(read.quantity("q_bl").values[0] == alone.quantity("q_bl").values[0]);
  // A slow corner conducts less.
  const std::size_t per_condition = read.points() / 4;
  CHECK(std::abs(read.quantity("q_bl").values[2 * per_condition + 1]) <
        0.95 * std::abs(read.quantity("q_bl").values[1]));
  const store::Table& chips = dataset.table("cell_mismatch");
  CHECK(chips.axes[1].name == "sample");
  CHECK(chips.points() == design.weight_levels * 3);
  const std::vector<double>& q_C = chips.quantity("q_bl").values;
  CHECK(q_C[0] != q_C[1]);
  CHECK(q_C[0] == Approx(q_C[1]).epsilon(0.3));
  CHECK(dataset.table("readout_unsigned_mismatch").points() == 3 * 3);
  CHECK(dataset.table("readout_signed_mismatch").points() == 4 * 3);
}

TEST_CASE("the charge grid rises, keeps its ends and is dense at the knees", "[sweep]") {
  const std::vector<double> grid = charge_grid(61, -1.0, 2.0, {0.0, 1.0}, 1.0);
  REQUIRE(grid.size() == 61);
  CHECK(grid.front() == -1.0);
  CHECK(grid.back() == 2.0);
  CHECK(std::is_sorted(grid.begin(), grid.end(), std::less_equal<>()));
  const auto steps = [&](double low, double high) {
    return std::count_if(grid.begin(), grid.end(), [&](double q) { return q > low && q < high; });
  };
  CHECK(steps(-0.05, 0.05) >= 5);
  CHECK(steps(0.95, 1.05) >= 5);
  CHECK(steps(0.2, 0.8) >= 8);
}
