#include <catch2/catch.hpp>

#include "cli/program.hpp"
#include "core/files.hpp"
#include "exporters/outside_program.hpp"
#include "exporters/sample_model.hpp"
#include "reference.hpp"

using namespace gaincal;
using Catch::Contains;

TEST_CASE("gaincal export writes a file and names it, and lists its formats", "[exporters]") {
  const tests::ScratchFolder scratch;
  tests::sample_source(scratch.path());
  const auto written = tests::run_program(scratch.path(), "export model.h5 --to authors --out c.json");
  CHECK(written.exit_code == 0);
  CHECK(written.output == "c.json\n");
  CHECK_THAT(read_file(scratch.path() / "c.json"), Contains("export model.h5 --to authors --out c.json"));
  const auto list = tests::run_program(scratch.path(), "export --list");
  CHECK(list.exit_code == 0);
  for (const char* format : {"ngspice", "verilog-a", "xspice", "csv", "npz", "matlab", "pygmid", "crosssim", "neurosim",
                             "aihwkit", "accelergy", "authors", "python"})
    CHECK_THAT(list.output, Contains(format));
}

TEST_CASE("gaincal export ends misuse and bad files with one line", "[exporters]") {
  const tests::ScratchFolder scratch;
  tests::sample_source(scratch.path());
  const auto ends = [&](const std::string& arguments, int exit_code, const std::string& text) {
    INFO(arguments);
    const auto outcome = tests::run_program(scratch.path(), "export " + arguments);
    CHECK(outcome.exit_code == exit_code);
    CHECK(outcome.output.empty());
    CHECK_THAT(outcome.errors, Contains(text));
    CHECK(std::count(outcome.errors.begin(), outcome.errors.end(), '\n') == 1);
  };
  ends("model.h5 --to spectre --out x", 2, "accelergy, aihwkit");
  ends("model.h5 --to ngspice", 2, "out is missing");
  ends("model.h5 --out x", 2, "to is missing");
  ends("--to ngspice --out x", 2, "model is missing");
  ends("none.h5 --to ngspice --out x", 1, "none.h5");
  ends("model.h5 --to ngspice --out model.h5", 2, "--force");
  ends("model.h5 --to ngspice --out no/such/folder", 1, "folder does not exist");
  ends("model.h5 --to pygmid --out x.mat", 1, "gaincal/dataset is needed");
  write_text(scratch.path() / "text.h5", "not HDF5");
  ends("text.h5 --to ngspice --out x", 1, "text.h5");
  tests::run_python(scratch.path(), "other.py",
                    "import h5py\nf = h5py.File('other.h5', 'w')\nf.attrs['schema'] = 'gaincal/model'\n"
                    "f.attrs['schema_version'] = '2.0'\n");
  ends("other.h5 --to ngspice --out x", 1, "other.h5");
}
