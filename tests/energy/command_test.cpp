#include <catch2/catch.hpp>
#include <filesystem>

#include "cli/program.hpp"
#include "core/files.hpp"
#include "reference.hpp"
#include "report/fixture.hpp"
#include "store/table.hpp"

using namespace gaincal;
using Catch::Contains;

TEST_CASE("gaincal energy prints, and writes what it prints", "[energy]") {
  const tests::ScratchFolder scratch;
  tests::write_report_files(scratch.path());
  const auto run =
      tests::run_program(scratch.path(), "energy . --scaling --heads --constants --pipeline --out cost.h5 --csv csv");
  INFO(run.errors);
  REQUIRE(run.exit_code == 0);
  for (const char* word :
       {"K cells", "RTX 4090", "Jetson Nano", "16384", "gpt2-xl", "3D-stacked", "pipelined", "capacitor_density"})
    CHECK_THAT(run.output, Contains(word));
  const store::Dataset cost = store::read_dataset(scratch.path() / "cost.h5", store::kResultsSchema);
  CHECK(cost.table("compare").points() == 4);
  CHECK(cost.has_table("scaling_model"));
  CHECK_THAT(read_file(scratch.path() / "csv/scaling_window.csv"), Contains("window,arrays [J]"));
  const auto again = tests::run_program(scratch.path(), "energy . --out cost.h5");
  CHECK(again.exit_code == 2);
  CHECK_THAT(again.errors, Contains("cost.h5"));
}

TEST_CASE("gaincal energy names what keeps it from counting", "[energy]") {
  const tests::ScratchFolder scratch;
  tests::write_report_files(scratch.path());
  const auto refused = [&](const std::string& arguments, int exit_code, const std::string& message) {
    const auto run = tests::run_program(scratch.path(), arguments);
    INFO(arguments);
    CHECK(run.exit_code == exit_code);
    CHECK_THAT(run.errors, Contains(message));
  };
  refused("energy", 2, "folder is missing");
  refused("energy . --set watt=1", 2, "counter_tick");
  refused("energy . --set mac=1V", 2, "--set mac");
  refused("energy . --tolerance 2", 2, "--tolerance: '2'");
  refused("energy . --layers 0", 2, "--layers 0");
  store::Dataset results = tests::report_results();
  std::erase_if(results.tables, [](const store::Table& table) { return table.name == "energy"; });
  store::write_dataset(scratch.path() / "results.h5", results);
  refused("energy .", 1, "no table energy");
  const std::string whole = read_file(scratch.path() / "results.h5");
  write_text(scratch.path() / "results.h5", whole.substr(0, whole.size() / 2));
  refused("energy .", 1, "results.h5");
  std::filesystem::remove(scratch.path() / "results.h5");
  refused("energy .", 1, "results.h5");
}
