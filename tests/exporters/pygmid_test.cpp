#include "exporters/pygmid.hpp"

#include <catch2/catch.hpp>
#include <cmath>

#include "core/error.hpp"
#include "exporters/outside_program.hpp"
#include "reference.hpp"

using namespace gaincal;
using Catch::Contains;

namespace {

double current_A(double l_m, double vgs_V, double vds_V, double vsb_V) {
  return 1e-6 / (l_m * 1e6) * vgs_V * vgs_V * (1 + 0.1 * vds_V) * (1 - 0.2 * vsb_V);
}

/// A MOSFET table with its axes in another order than pygmid's.
store::Table mosfet_table() {
  store::Table table;
  table.name = "nfet";
  table.axes = {{"V_DS", "V", {0.0, 0.45, 0.9}},
                {"V_GS", "V", {0.0, 0.3, 0.6, 0.9}},
                {"L", "m", {30e-9, 100e-9}},
                {"V_SB", "V", {0.0, 0.2}}};
  store::Quantity id{"id", "A", "drain current", {}}, gm{"gm", "S", "", {}};
  for (const double vds : table.axes[0].values)
    for (const double vgs : table.axes[1].values)
      for (const double l : table.axes[2].values)
        for (const double vsb : table.axes[3].values) {
          id.values.push_back(current_A(l, vgs, vds, vsb));
          gm.values.push_back(2 * current_A(l, vgs, vds, vsb) / std::max(vgs, 1e-3));
        }
  table.quantities = {id, gm};
  return table;
}

const exporters::PygmidDevice kDevice{2e-6, 1, 300.15, "tt", "gaincal test table"};

}  // namespace

TEST_CASE("the pygmid table is one struct over L in um, VGS, VDS, VSB, with values in their places", "[exporters]") {
  if (!tests::have_program("octave-cli")) return;
  const tests::ScratchFolder scratch;
  exporters::write_pygmid(mosfet_table(), kDevice, scratch.path() / "nfet.mat");
  // Octave reads level 5 as scipy.io.loadmat does: the first variable, a 1 x 1 struct.
  const std::string script = R"(
m = load('nfet.mat');
names = fieldnames(m);
assert(numel(names) == 1);
d = m.(names{1});
assert(isequal(size(d), [1 1]) && isequal(size(d.ID), [2 4 3 2]) && isequal(size(d.GM), [2 4 3 2]));
assert(max(abs(d.L(:) - [0.03; 0.1])) < 1e-15 && abs(d.W - 2) < 1e-15);
assert(d.TEMP == 300.15 && d.NFING == 1 && strcmp(d.CORNER, 'tt') && strcmp(d.INFO, 'gaincal test table'));
[l, g, s, b] = ndgrid(d.L(:), d.VGS(:), d.VDS(:), d.VSB(:));
assert(max(abs(d.ID(:) - (1e-6 ./ l(:) .* g(:).^2 .* (1 + 0.1*s(:)) .* (1 - 0.2*b(:))))) < 1e-18);
% what look_up does: linear over the four axes
y = interpn(d.L(:), d.VGS(:), d.VDS(:), d.VSB(:), d.ID, 0.1, 0.6, 0.9, 0.1);
assert(abs(y - 1e-6/0.1*0.36*1.09*0.98) < 1e-15);
)";
  tests::run_in(scratch.path(), "true");
  const auto outcome = tests::run_in(scratch.path(), "octave-cli --norc --quiet --eval \"" + script + "\"");
  INFO(outcome.output);
  CHECK(outcome.exit_code == 0);
}

TEST_CASE("pygmid is refused tables that it would misread", "[exporters]") {
  const tests::ScratchFolder scratch;
  const auto refused = [&](const store::Table& table, const char* text) {
    CHECK_THROWS_WITH(exporters::write_pygmid(table, kDevice, scratch.path() / "x.mat"), Contains(text));
    CHECK_FALSE(std::filesystem::exists(scratch.path() / "x.mat"));
  };
  store::Table table = mosfet_table();
  table.axes[3].values = {-0.2, 0.0};
  refused(table, "axis V_SB: is negative");
  table = mosfet_table();
  table.axes[2].unit = "um";
  refused(table, "axis L: is in um");
  table = mosfet_table();
  table.axes[3].name = "V_BS";
  refused(table, "axis V_SB: is missing");
  table = mosfet_table();
  table.axes[3].values = {0.0};
  refused(table, "has one point");
  table = mosfet_table();
  std::swap(table.axes[0].values[0], table.axes[0].values[1]);
  refused(table, "does not ascend");
  CHECK_THROWS_WITH(exporters::write_pygmid(mosfet_table(), kDevice, scratch.path() / "x.h5"), Contains("use .mat"));
}

TEST_CASE("a MOSFET sweep becomes a pygmid file for each width, with source-bulk voltages rising", "[exporters]") {
  store::Dataset dataset;
  store::Table table;
  table.name = "nfet";
  table.axes = {{"corner", "1", {0.0}, {"ss"}},    {"temperature", "degC", {85.0}}, {"w", "m", {200e-9, 1e-6}},
                {"l", "m", {30e-9, 100e-9}},       {"vbs", "V", {0.0, -0.2}},       {"vds", "V", {0.0, 0.45, 0.9}},
                {"vgs", "V", {0.0, 0.3, 0.6, 0.9}}};
  store::Quantity id{"id", "A", "", {}}, gmbs{"gmbs", "S", "", {}}, cgs{"cgs", "F", "", {}}, rung{"rung", "1", "", {}};
  for (const double w : table.axes[2].values)
    for (const double l : table.axes[3].values)
      for (const double vbs : table.axes[4].values)
        for (const double vds : table.axes[5].values)
          for (const double vgs : table.axes[6].values) {
            id.values.push_back(w * 1e6 * current_A(l, vgs, vds, -vbs));
            gmbs.values.push_back(w);
            cgs.values.push_back(-1e-15);
            rung.values.push_back(0.0);
          }
  table.quantities = {id, gmbs, cgs, rung};
  dataset.tables = {table};
  const tests::ScratchFolder scratch;
  const auto files = exporters::export_mosfet_sweep(dataset, "dataset.h5", scratch.path() / "nfet.mat", false);
  CHECK(files ==
        std::vector<std::filesystem::path>{scratch.path() / "nfet_w0.2um.mat", scratch.path() / "nfet_w1um.mat"});
  CHECK_THROWS_AS(exporters::export_mosfet_sweep(dataset, "dataset.h5", scratch.path() / "nfet.mat", false),
                  UsageError);
  table.axes[2].name = "fingers";
  dataset.tables = {table};
  CHECK_THROWS_WITH(exporters::export_mosfet_sweep(dataset, "dataset.h5", scratch.path() / "x.mat", false),
                    Contains("axis fingers: has no place"));
  if (!tests::have_program("octave-cli")) return;
  const std::string script = R"(
m = load('nfet_w0.2um.mat');
d = m.mos;
assert(isequal(size(d.ID), [2 4 3 2]) && isequal(size(d.GMB), [2 4 3 2]) && !isfield(d, 'RUNG') && all(d.CGS(:) == 1e-15));
assert(isequal(d.VSB(:), [0; 0.2]) && abs(d.W - 0.2) < 1e-15 && strcmp(d.CORNER, 'ss') && d.TEMP == 358.15);
[l, g, s, b] = ndgrid(d.L(:), d.VGS(:), d.VDS(:), d.VSB(:));
assert(max(abs(d.ID(:) - (0.2e-6 ./ l(:) .* g(:).^2 .* (1 + 0.1*s(:)) .* (1 - 0.2*b(:))))) < 1e-18);
)";
  const auto outcome = tests::run_in(scratch.path(), "octave-cli --norc --quiet --eval \"" + script + "\"");
  INFO(outcome.output);
  CHECK(outcome.exit_code == 0);
}
