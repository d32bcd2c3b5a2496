#include "verify/operands.hpp"

#include <catch2/catch.hpp>

#include "core/error.hpp"
#include "core/files.hpp"
#include "reference.hpp"
#include "store/table.hpp"
#include "verify/verify.hpp"

using namespace gaincal;
using Catch::Matchers::Contains;

namespace {

store::ModelFile model_file() {
  store::ModelFile file;
  file.provenance.netlist_hash = "00ff";
  file.model.design_name = "gc28_paper";
  file.model.t_token_s = 65e-9;
  return file;
}

/// Operands as a captured file: what a verification keeps of them has the same tables.
store::Dataset captured(const verify::Operands& operands, const store::ModelFile& file) {
  store::Dataset dataset;
  dataset.schema = store::kResultsSchema;
  dataset.provenance.netlist_hash = file.provenance.netlist_hash;
  dataset.attributes = {{"design_name", file.model.design_name}, {"t_token_s", "2.6e-07"}};
  dataset.tables = verify::verification_tables(operands, {});
  return dataset;
}

}  // namespace

TEST_CASE("random operands depend on the seed alone and fit the design", "[verify]") {
  const netlist::Design design = netlist::default_design();
  const auto few = verify::random_operands(design, model_file().model, 2, 5);
  const auto more = verify::random_operands(design, model_file().model, 3, 5);
  REQUIRE(few.sets.size() == 2);
  CHECK(few.sets[1].q_code == more.sets[1].q_code);
  CHECK(few.sets[1].v_level == more.sets[1].v_level);
  CHECK(few.sets[0].k_level != few.sets[1].k_level);
  CHECK(verify::random_operands(design, model_file().model, 1, 6).sets[0].q_code != few.sets[0].q_code);
  for (const verify::OperandSet& set : few.sets) {
    CHECK(set.k_level.size() == 64 * 64);
    CHECK(*std::max_element(set.q_code.begin(), set.q_code.end()) <= 15);
    CHECK(*std::max_element(set.k_level.begin(), set.k_level.end()) == 7);
    CHECK(set.age.front() == set.age.back() + 63);
    CHECK(set.age.front() < 1024);
  }
}

TEST_CASE("captured operands come back from their file", "[verify]") {
  const netlist::Design design = netlist::default_design();
  const store::ModelFile file = model_file();
  const auto written = verify::random_operands(design, file.model, 2, 5);
  const tests::ScratchFolder scratch;
  const auto path = scratch.path() / "operands.h5";
  store::write_dataset(path, captured(written, file));
  const auto read = verify::read_operands(path, design, file);
  CHECK(read.t_token_s == 2.6e-7);
  REQUIRE(read.sets.size() == 2);
  CHECK(read.sets[1].label == written.sets[1].label);
  CHECK(read.sets[1].q_code == written.sets[1].q_code);
  CHECK(read.sets[1].k_level == written.sets[1].k_level);
  CHECK(read.sets[1].v_level == written.sets[1].v_level);
  CHECK(read.sets[1].age == written.sets[1].age);
}

TEST_CASE("captured operands of another model are refused", "[verify]") {
  const netlist::Design design = netlist::default_design();
  store::ModelFile file = model_file();
  const tests::ScratchFolder scratch;
  const auto path = scratch.path() / "operands.h5";
  store::Dataset dataset = captured(verify::random_operands(design, file.model, 1, 5), file);
  store::write_dataset(path, dataset);
  file.provenance.netlist_hash = "0100";
  CHECK_THROWS_WITH(verify::read_operands(path, design, file), Contains(path.string()) && Contains("another model"));
  file = model_file();
  dataset.tables[2].quantities[0].values[3] = 8;  // a level that the circuit has not
  store::write_dataset(path, dataset);
  CHECK_THROWS_WITH(verify::read_operands(path, design, file), Contains("k_level") && Contains("8 codes"));
  dataset.tables.pop_back();
  store::write_dataset(path, dataset);
  CHECK_THROWS_WITH(verify::read_operands(path, design, file), Contains("cells"));
}

TEST_CASE("the authors' arrays become codes and levels", "[verify]") {
  const auto folder = tests::reference_dir("authors_arrays");
  if (!folder) return;
  const netlist::Design design = netlist::default_design();
  const auto path = *folder / "64x64_single_arrays_final_output_pulse_notquant.npz";
  const auto operands = verify::read_operands(path, design, model_file());
  REQUIRE(operands.sets.size() == 10);
  CHECK(operands.sets[9].k_level.size() == 64 * 64);
  CHECK(operands.sets[0].age.back() == 0);
  CHECK_THROWS_WITH(verify::read_operands(path, netlist::default_design({"array.rows=32"}), model_file()),
                    Contains("(sets, 64, 32)"));
}
