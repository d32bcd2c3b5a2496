#include <catch2/catch.hpp>

#include "cli/program.hpp"
#include "reference.hpp"
#include "store/model_file.hpp"
#include "store/table.hpp"
#include "verify/small_circuit.hpp"

using namespace gaincal;
using Catch::Contains;

TEST_CASE("gaincal verify tells how far a model is from its circuit, and refuses what cannot be compared", "[cli]") {
  const tests::ScratchFolder scratch;
  const auto model = scratch.path() / "model.h5", out = scratch.path() / "verify.h5";
  store::ModelFile file = tests::small_circuit().file;
  store::write_model(model, file);
  const auto verify = [&](const std::string& arguments) {
    return tests::run_program(scratch.path(), "verify " + model.string() + " " + arguments);
  };

  const tests::ProgramRun good = verify("--level cell --count 3 --out " + out.string());
  INFO(good.errors);
  REQUIRE(good.exit_code == 0);
  CHECK_THAT(good.output, Contains("3 compared") && Contains("times smaller"));
  const store::Dataset results = store::read_dataset(out, store::kResultsSchema);
  CHECK(results.table("cell").points() == 3);
  CHECK(results.table("queries").axis("set").labels.front() == "random 0");

  // A model whose converters answer with other pulses is outside the limits.
  store::ModelFile wrong = file;
  std::vector<double> width_s = wrong.model.score_readout.t_table_s.y();
  for (double& each_s : width_s) each_s = 0.5 * (15e-9 + each_s);
  wrong.model.score_readout.t_table_s = device::MonotoneCurve(wrong.model.score_readout.t_table_s.x(), width_s);
  store::write_model(scratch.path() / "wrong.h5", wrong);
  const tests::ProgramRun outside =
      tests::run_program(scratch.path(), "verify " + (scratch.path() / "wrong.h5").string() + " --count 2");
  CHECK(outside.exit_code == 3);
  CHECK_THAT(outside.errors, Contains("outside the limits: exact 85%, within 1 LSB 99%"));

  const auto refused = [&](const std::string& arguments, int code, const std::string& words) {
    INFO(arguments);
    const tests::ProgramRun run = verify(arguments);
    CHECK(run.exit_code == code);
    CHECK_THAT(run.errors, Contains(words));
  };
  refused("--level chip", 2, "choose cell, column, array or tile");
  refused("--count 0", 2, "--count");
  refused("--out " + out.string(), 2, "exists already");
  refused("--operands missing.h5", 1, "missing.h5");
  refused("--operands missing.npz", 1, "missing.npz: no such file");
  refused("--operands " + model.string(), 1, "gaincal/results");
  refused("--corner ss", 1, "holds one condition");
  refused("--chip 3", 2, "--mismatch-samples");
  refused("--level array --mismatch-samples 5", 2, "--level column");
  refused("--text book.txt", 2, "--gpt2");
  refused("--least-exact 120%", 2, "--least-exact");
  const std::string technology = "technology = \"gc28\"";
  file.design_toml.replace(file.design_toml.find(technology), technology.size(), "technology = \"mine.toml\"");
  store::write_model(model, file);
  refused("", 2, "mine.toml; correct the name, or give the design file with --design");
  file.design_toml.clear();
  store::write_model(model, file);
  refused("", 2, "does not hold its design");
}
