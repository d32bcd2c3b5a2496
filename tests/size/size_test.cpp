#include "size/size.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <sstream>

#include "cli/program.hpp"
#include "core/error.hpp"
#include "core/files.hpp"
#include "netlist/decks.hpp"
#include "reference.hpp"
#include "sweep/measures.hpp"
#include "sweep/run_points.hpp"

using namespace gaincal;
using namespace gaincal::size;
using Catch::Matchers::Contains;

namespace {

std::filesystem::path paper_design() { return tests::source_dir() / "data/designs/gc28_paper.toml"; }

/// Four levels: half the reads of a candidate.
Problem problem(const std::vector<std::string>& targets, const std::vector<std::string>& variables) {
  Problem result;
  result.source = read_source(paper_design(), {"storage.levels=4"});
  for (const std::string& text : targets) result.targets.push_back(parse_target(text));
  for (const std::string& text : variables) result.variables.push_back(parse_variable(text, result.source));
  return result;
}

double figure(const Sizing& sizing, const std::string& name) { return sizing.figures[figure_named(name, "test")]; }

/// Charge of the longest read at the highest level and at `v_store_V`, simulated apart from any search.
std::vector<double> charges_C(const std::filesystem::path& design_file, double v_store_V) {
  const netlist::Design design = netlist::load_design(design_file);
  const auto outcomes = sweep::run_points(
      2, 1,
      [&](spice::Simulator& simulator, std::size_t k) {
        const auto deck = netlist::cell_read_deck(design, k == 0 ? design.v_max_V : v_store_V, design.t_max_s);
        return std::vector<double>{sweep::measure_cell_read(simulator, design, deck)[0]};
      },
      {1, 60, ""});
  return {outcomes[0].values[0], outcomes[1].values[0]};
}

}  // namespace

TEST_CASE("sizes of a cell are found for two targets, and SPICE confirms the design that is written", "[size]") {
  const tests::ScratchFolder scratch;
  Problem cell = problem({"full_scale_charge=22fC", "zero_voltage=0.46V"}, {"cell.l_n", "cell.w_p=0.08um:0.4um"});
  const Sizing sizing = search(cell);
  CHECK(sizing.met);
  CHECK(figure(sizing, "full_scale_charge") == Approx(22e-15).epsilon(0.01));
  CHECK(figure(sizing, "zero_voltage") == Approx(0.46).epsilon(0.01));
  CHECK(std::isnan(figure(sizing, "score_energy")));  // nothing of a converter was asked

  const std::filesystem::path out = scratch.path() / "sized.toml";
  write_text(out, sized_design(cell, sizing, out));
  const auto q_C = charges_C(out, 0.46);
  CHECK(q_C[0] == Approx(22e-15).epsilon(0.01));
  CHECK(std::abs(q_C[1]) < 0.02 * q_C[0]);
  CHECK_THAT(read_file(out), Contains("full_scale_charge=22 fC") && Contains("# bit line between reads"));
  CHECK(netlist::load_design(out).workload->text == netlist::load_design(paper_design()).workload->text);

  cell.workers = 1;
  CHECK(search(cell).sizes == sizing.sizes);
}

TEST_CASE("a converter is sized with its calibration, and what no target needs stays", "[size]") {
  const Problem converter = problem({"score_swing=120mV", "score_energy<=1pJ"}, {"score_readout.c_bit_line"});
  const Sizing sizing = search(converter);
  CHECK(sizing.met);
  CHECK(sizing.sizes[0] == Approx(15.95e-6 * 15e-9 / 0.12).epsilon(0.03));  // charge of the ramp over the swing
  REQUIRE(sizing.assignments.size() == 3);
  CHECK_THAT(sizing.assignments[1], Contains("score_readout.t_lead="));
  CHECK(figure(sizing, "score_zero") < 0.25e-9);
  CHECK(figure(sizing, "score_wrong") == 0.0);
}

TEST_CASE("a figure is made small inside the bounds", "[size]") {
  Problem cell = problem({"full_scale_charge>=5fC"}, {"cell.l_n=1um:2um"});
  cell.least = {figure_named("full_scale_charge", "test")};
  cell.max_steps = 6;
  CHECK(search(cell).sizes[0] == Approx(2e-6).epsilon(0.01));  // the longest channel carries the least current
}

TEST_CASE("targets out of reach end as missed with the nearest sizes", "[size]") {
  Problem cell = problem({"full_scale_charge=60fC"}, {"cell.l_n=1.4um:1.6um"});
  cell.max_steps = 4;
  const Sizing sizing = search(cell);
  CHECK_FALSE(sizing.met);
  CHECK(sizing.sizes[0] == Approx(1.4e-6).epsilon(0.01));
  std::ostringstream text;
  print_sizing(text, cell, measure_source(cell), sizing, measure_corners(cell, sizing));
  CHECK_THAT(text.str(), Contains("full_scale_charge=60 fC  MISSED"));
}

TEST_CASE("targets and variables that make no sense are refused with the remedy", "[size]") {
  const Source source = read_source(paper_design(), {});
  CHECK_THROWS_WITH(parse_target("speed=3"), Contains("no figure 'speed'; 'gaincal size --list' names them"));
  CHECK_THROWS_WITH(parse_target("full_scale_charge"), Contains("no relation"));
  CHECK_THROWS_WITH(parse_target("full_scale_charge=25V"), Contains("has a unit that does not fit"));
  CHECK_THROWS_WITH(parse_target("score_wrong=0"), Contains("small limit with <="));
  CHECK_THROWS_WITH(parse_target("score_zero<=0s"), Contains("small limit with <="));
  CHECK_NOTHROW(parse_target("score_wrong<=0"));
  CHECK_THROWS_WITH(search(problem({"full_scale_charge=20fC", "zero_voltage=0.45V"}, {"cell.l_n"})),
                    Contains("2 equations for 1 sizes"));
  CHECK_THROWS_WITH(check(problem({"read_energy<=20fJ"}, {"cell.l_n", "cell.l_n"})), Contains("given twice"));
  CHECK_THROWS_WITH(parse_variable("cell.l_q", source), Contains("cell.l_q: missing"));
  CHECK_THROWS_WITH(parse_variable("cell.l_n=1um", source), Contains("write KEY=LOW:HIGH"));
  CHECK_THROWS_WITH(parse_variable("cell.l_n=2um:1um", source), Contains("no range of positive quantities"));
  CHECK_THROWS_WITH(parse_variable("cell.l_n=2um:3um", source), Contains("leaves out what the design has, 1.5 um"));
  CHECK_THROWS_WITH(parse_variable("output_readout.v_trim", source), Contains("is no positive quantity"));
  CHECK_THROWS_WITH(search(problem({"read_energy<=20fJ"}, {"score_readout.i_ramp"})),
                    Contains("no target depends on it"));
}

TEST_CASE("gaincal size ends with 3 where a target is missed and with one line where it is misused", "[size][cli]") {
  const tests::ScratchFolder scratch;
  const std::string design = "size " + paper_design().string() + " --set storage.levels=2 ";
  const auto missed = tests::run_program(
      scratch.path(), design + "--target full_scale_charge=60fC --vary cell.l_n=1.4um:1.6um --steps 2 --trade none");
  CHECK(missed.exit_code == 3);
  CHECK_THAT(missed.output, Contains("MISSED"));
  const auto traded = tests::run_program(scratch.path(), design +
                                                             "--target full_scale_charge=30fC --vary cell.l_n "
                                                             "--trade full_scale_charge=25fC,30fC --out mine.toml");
  CHECK(traded.exit_code == 0);
  CHECK_THAT(traded.output, Contains("Trade-off over full_scale_charge") && Contains("25 fC") && Contains("mine.toml"));
  const auto refused = [&](const std::string& arguments, const std::string& message, int exit_code = 2) {
    const auto run = tests::run_program(scratch.path(), arguments);
    CHECK(run.exit_code == exit_code);
    CHECK_THAT(run.errors, Contains(message));
  };
  refused("size", "design is missing");
  refused("size nothing.toml --target full_scale_charge=25fC", "nothing.toml", 1);
  refused(design, "no target");
  refused(design + "--target full_scale_charge=30fC --trade read_energy=1fJ", "trades no target");
  refused(design + "--target full_scale_charge=30fC --least speed", "no figure 'speed'");
  refused(design + "--target full_scale_charge=30fC --out mine.toml", "mine.toml");
  refused(design + "--target full_scale_charge=30fC --trade full_scale_charge=0fC", "small limit");
  refused(design + "--target full_scale_charge=30fC --tolerance 0.01%", "0.1% or more");
}
