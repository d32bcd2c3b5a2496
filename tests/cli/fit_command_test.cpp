#include <algorithm>
#include <catch2/catch.hpp>

#include "cli/program.hpp"
#include "core/files.hpp"
#include "fit/conditions_synthetic.hpp"
#include "reference.hpp"
#include "store/model_file.hpp"

using namespace gaincal;
using Catch::Contains;

namespace {

store::Dataset dataset_with_design() {
  store::Dataset dataset = tests::synthetic_dataset();
  dataset.design_toml = read_file(tests::source_dir() / "data/designs/gc28_paper.toml");
  dataset.provenance.netlist_hash = "0123";
  dataset.provenance.ngspice_version = "39";
  dataset.provenance.seed = 5;
  return dataset;
}

void check_refused(const tests::ScratchFolder& scratch, const std::string& arguments, int exit_code,
                   const std::string& message) {
  const auto run = tests::run_program(scratch.path(), arguments);
  INFO(arguments);
  CHECK(run.exit_code == exit_code);
  CHECK_THAT(run.errors, Contains(message));
  CHECK(std::count(run.errors.begin(), run.errors.end(), '\n') == 1);
}

}  // namespace

TEST_CASE("gaincal fit makes a model with the provenance of its dataset", "[cli]") {
  const tests::ScratchFolder scratch;
  store::write_dataset(scratch.path() / "dataset.h5", dataset_with_design());
  const auto run = tests::run_program(scratch.path(), "fit dataset.h5 --out model.h5");
  CHECK(run.exit_code == 0);
  CHECK(run.errors.empty());
  CHECK_THAT(run.output, Contains("held-out max") && Contains("cell charge"));
  const store::ModelFile file = store::read_model(scratch.path() / "model.h5");
  CHECK(file.provenance.command_line == "gaincal fit dataset.h5 --out model.h5");
  CHECK(file.provenance.netlist_hash == "0123");
  CHECK(file.provenance.ngspice_version == "39");
  CHECK(file.provenance.seed == 5);
  CHECK(file.model.design_name == "gc28_paper");
  CHECK(file.model.energy_constants.size() == 2);  // of the design file
  CHECK_FALSE(file.model.phases.empty());
}

TEST_CASE("gaincal fit --report prints every form that was tried and the model keeps their scores", "[cli]") {
  const tests::ScratchFolder scratch;
  store::write_dataset(scratch.path() / "dataset.h5", dataset_with_design());
  const auto run = tests::run_program(scratch.path(), "fit dataset.h5 --out model.h5 --report");
  CHECK(run.exit_code == 0);
  const store::ModelFile file = store::read_model(scratch.path() / "model.h5");
  REQUIRE_FALSE(file.model.forms.empty());
  for (const device::FormScore& form : file.model.forms) {
    CHECK_THAT(run.output, Contains(form.form));
    for (const device::Coefficient& each : form.coefficients) CHECK_THAT(run.output, Contains("    " + each.name));
  }
  CHECK_THAT(run.output, Contains("* cell charge") && Contains("* score width") && Contains("* retention"));
}

TEST_CASE("a model fitted at conditions exports the instance asked for, or says what it holds", "[cli]") {
  const tests::ScratchFolder scratch;
  store::Dataset dataset = tests::conditions_dataset();
  dataset.design_toml = read_file(tests::source_dir() / "data/designs/gc28_paper.toml");
  store::write_dataset(scratch.path() / "dataset.h5", dataset);
  const auto fitted = tests::run_program(scratch.path(), "fit dataset.h5 --out model.h5 --report");
  INFO(fitted.errors);
  REQUIRE(fitted.exit_code == 0);
  CHECK_THAT(fitted.output, Contains("left out of the fit") && Contains("corner ss, 56 degC, 0.9 V"));
  const auto run =
      tests::run_program(scratch.path(), "export model.h5 --to ngspice --out cell.inc --corner ss --temperature -20C");
  INFO(run.errors);
  CHECK(run.exit_code == 0);
  CHECK_THAT(read_file(scratch.path() / "cell.inc"), Contains("instance: corner ss, -20 degC; at conditions left out"));
  const std::string command = "export model.h5 --to ngspice --out other.inc ";
  check_refused(scratch, command + "--corner ff", 1, "model.h5: no corner 'ff'; there are tt, ss");
  check_refused(scratch, command + "--chip 7", 1, "model.h5: holds no mismatch to draw chip 7 from");
  check_refused(scratch, command + "--chip seven", 2, "--chip: 'seven' is no chip number");
  check_refused(scratch, command + "--temperature 85V", 2, "--temperature");
  check_refused(scratch, command + "--temperature 120C --strict", 1, "temperature 120 degC lies outside");
  CHECK_FALSE(std::filesystem::exists(scratch.path() / "other.inc"));
  const auto clamped = tests::run_program(scratch.path(), command + "--temperature 120C");
  CHECK(clamped.exit_code == 0);
  CHECK_THAT(clamped.errors, Contains("1 of 2 queries outside the fitted range clamped to it: temperature up to 120"));
}

TEST_CASE("gaincal sweep refuses conditions that the technology or a plan does not know", "[cli]") {
  const tests::ScratchFolder scratch;
  const std::string design = (tests::source_dir() / "data/designs/gc28_paper.toml").string();
  const std::string plan = (tests::source_dir() / "data/plans/gain_cell_corners.toml").string();
  const std::string command = "sweep " + design + " --out d.h5 ";
  check_refused(scratch, command + "--corners tt,sff", 2, "--corners: technology gc28 has no corner 'sff'");
  check_refused(scratch, command + "--temperatures -40C,27V", 2, "--temperatures");
  check_refused(scratch, command + "--supplies 0.9V,0.9V", 2, "--supplies: a value is given twice");
  check_refused(scratch, "sweep " + plan + " --corners tt", 2, "--corners is for a design");
}

TEST_CASE("gaincal fit does not overwrite without --force", "[cli]") {
  const tests::ScratchFolder scratch;
  store::write_dataset(scratch.path() / "dataset.h5", dataset_with_design());
  write_text(scratch.path() / "model.h5", "old");
  check_refused(scratch, "fit dataset.h5 --out model.h5", 2, "model.h5: exists already");
  CHECK(read_file(scratch.path() / "model.h5") == "old");
  CHECK(tests::run_program(scratch.path(), "fit dataset.h5 --out model.h5 --force").exit_code == 0);
}

TEST_CASE("gaincal fit refuses bad input with one line and leaves no model", "[cli]") {
  const tests::ScratchFolder scratch;
  const auto write = [&](const store::Dataset& dataset) {
    store::write_dataset(scratch.path() / "dataset.h5", dataset);
  };
  check_refused(scratch, "fit", 2, "dataset is missing");
  check_refused(scratch, "fit dataset.h5", 2, "out is missing");
  check_refused(scratch, "fit dataset.h5 --out model.h5 --frobnicate", 2, "unrecognised option");
  check_refused(scratch, "fit dataset.h5 --out model.h5", 1, "dataset.h5: no such file");
  write_text(scratch.path() / "dataset.h5", "text");
  check_refused(scratch, "fit dataset.h5 --out model.h5", 1, "dataset.h5: is not an HDF5 file");
  store::write_model(scratch.path() / "other.h5", {});
  check_refused(scratch, "fit other.h5 --out model.h5", 1, "other.h5: has schema gaincal/model");
  store::Dataset dataset = dataset_with_design();
  dataset.tables.pop_back();
  write(dataset);
  check_refused(scratch, "fit dataset.h5 --out model.h5", 1, "dataset.h5: no table readout_signed_check");
  dataset = dataset_with_design();
  dataset.design_toml.clear();
  write(dataset);
  check_refused(scratch, "fit dataset.h5 --out model.h5", 2, "dataset.h5:design_toml: name: missing");
  dataset = dataset_with_design();
  tests::values_of(dataset, "readout_unsigned", "t_out")[20] *= 0.5;
  write(dataset);
  check_refused(scratch, "fit dataset.h5 --out model.h5", 1, "score width, hard sigmoid: not monotone");
  CHECK_FALSE(std::filesystem::exists(scratch.path() / "model.h5"));
}
