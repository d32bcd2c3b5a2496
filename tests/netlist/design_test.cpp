#include "netlist/design.hpp"

#include <catch2/catch.hpp>
#include <fstream>

#include "core/error.hpp"
#include "core/files.hpp"
#include "netlist/embedded.hpp"
#include "netlist/settings.hpp"
#include "reference.hpp"

using namespace gaincal;
using namespace gaincal::netlist;
using Catch::Matchers::Contains;

namespace {

/// The built-in design with the first `from` replaced.
std::string edited(const std::string& from, const std::string& to) {
  std::string text(embedded_file("gc28_paper.toml"));
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

/// The one line that a design or technology text is refused with.
std::string refusal(const std::string& text) {
  try {
    parse_design(text, "my.toml");
  } catch (const UsageError& failure) {
    return failure.what();
  }
  return "accepted";
}

std::string technology_refusal(const std::string& from, const std::string& to) {
  std::string text(embedded_file("gc28.toml"));
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  try {
    parse_technology(text.replace(at, from.size(), to), "tech.toml");
  } catch (const UsageError& failure) {
    return failure.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("the default design is read in SI units", "[netlist]") {
  const Design design = default_design();
  CHECK(design.name == "gc28_paper");
  CHECK(design.technology.name == "gc28");
  CHECK(design.rows == 64);
  CHECK(design.window == 1024);
  CHECK(design.cell.cst_F == 5e-15);
  CHECK(design.t_max_s == 15e-9);
  CHECK(design.technology.avt_V_m == Approx(1.8e-9));
  CHECK(design.level_voltage_V(0) == 0.0);
  CHECK(design.level_voltage_V(7) == Approx(0.9));
  CHECK(design.energy_constants.size() == 2);
  CHECK(design.energy_constants[0].energy_J == 4e-9);
  CHECK(design.energy_constants[0].origin == device::Origin::paper);
  CHECK(design.toml == read_file(tests::source_dir() / "data/designs/gc28_paper.toml"));
}

TEST_CASE("a token takes about the 65 ns of the paper", "[netlist]") {
  double total_s = 0.0;
  for (const device::Phase& phase : token_phases(default_design())) total_s += phase.duration_s;
  CHECK(total_s == Approx(65e-9).epsilon(0.02));
}

TEST_CASE("a design with a fault is refused with file, field and remedy", "[netlist]") {
  CHECK(refusal(edited("cst = \"5fF\"", "cst = \"5V\"")) ==
        "my.toml: cell.cst: '5V' has a unit that does not fit; write a number in F (SI prefix allowed)");
  CHECK(refusal(edited("cst = \"5fF\"", "cst = 5e-15")) ==
        "my.toml: cell.cst: has no unit; write text such as \"1.5 F\"");
  CHECK_THAT(refusal(edited("cst = \"5fF\"", "cst = \"5F\"")), Contains("my.toml: cell.cst: 5 F is out of range"));
  CHECK(refusal(edited("cst = \"5fF\"\n", "")) == "my.toml: cell.cst: missing; add it");
  CHECK_THAT(refusal(edited("[cell]", "[cell]\ncsst = \"5fF\"")), Contains("my.toml: cell.csst: unknown key; remove"));
  CHECK_THAT(refusal("colour = 1\n" + edited("", "")), Contains("my.toml: colour: unknown key"));
  CHECK(refusal(edited("[cell]", "[sell]")) == "my.toml: cell: missing; add it");
  CHECK_THAT(refusal(edited("rows = 64", "rows = \"many\"")), Contains("my.toml: array.rows: is no whole number"));
  CHECK_THAT(refusal(edited("rows = 64", "rows = 0")), Contains("my.toml: array.rows: 0 is out of range"));
  CHECK_THAT(refusal(edited("window = 1024", "window = 1000")), Contains("my.toml: array.window: is no multiple"));
  CHECK_THAT(refusal(edited("l_select = \"50nm\"", "l_select = \"10nm\"")),
             Contains("my.toml: cell.l_select: 10 nm is out of range; choose between 30 nm"));
  CHECK_THAT(refusal(edited("corner = \"tt\"", "corner = \"hot\"")),
             Contains("my.toml: corner: 'hot' is unknown; choose one of ff, fs, sf, ss, tt"));
  CHECK_THAT(refusal(edited("v_max = \"0.9V\"", "v_max = \"0V\"")), Contains("my.toml: storage.v_max: is not above"));
  CHECK_THAT(refusal(edited("origin = \"paper\"", "origin = \"guess\"")),
             Contains("my.toml: energy[0].origin: 'guess' is unknown"));
  CHECK_THAT(refusal(edited("name = \"gc28_paper\"", "name = ")), Contains("my.toml: line 6: "));
  CHECK_THAT(refusal(edited("name = \"gc28_paper\"", "name = 3")), Contains("my.toml: name: is no text"));
}

TEST_CASE("a technology that is not there is refused by the field that names it", "[netlist]") {
  CHECK(
      refusal(edited("technology = \"gc28\"", "technology = \"sky.toml\"")) ==
      "my.toml: technology: technology 'sky.toml' is neither built in (gc28) nor the file sky.toml; correct the name");
}

TEST_CASE("a technology with a fault is refused with file, field and remedy", "[netlist]") {
  CHECK(technology_refusal("supply = \"0.9V\"", "supply = \"0.9A\"") ==
        "tech.toml: supply: '0.9A' has a unit that does not fit; write a number in V (SI prefix allowed)");
  CHECK(technology_refusal("pfet_hvt = \"phvt\"", "") == "tech.toml: devices.pfet_hvt: missing; add it");
  CHECK_THAT(technology_refusal("pfet_hvt = ", "diode = \"d\"\npfet_hvt = "),
             Contains("tech.toml: devices.diode: unknown key"));
  CHECK_THAT(technology_refusal("dvtn = 0.0", "dvtn = \"big\""), Contains("tech.toml: corners.tt.dvtn: 'big' is not"));
  CHECK(technology_refusal("gc28_models.inc", "none.inc") ==
        "tech.toml: models: no model file 'none.inc'; correct the path");
}

TEST_CASE("a technology file beside the design is found, with its own models", "[netlist]") {
  const tests::ScratchFolder scratch;
  std::string technology(embedded_file("gc28.toml"));
  technology.replace(technology.find("\"gc28\""), 6, "\"mine\"");
  write_text(scratch.path() / "mine.toml", technology);
  write_text(scratch.path() / "gc28_models.inc", "* my models\n");
  write_text(scratch.path() / "design.toml", edited("technology = \"gc28\"", "technology = \"mine.toml\""));
  const Design design = load_design(scratch.path() / "design.toml");
  CHECK(design.technology.name == "mine");
  CHECK(design.technology.model_text.starts_with("* my models\n"));
}

TEST_CASE("conditions of a design are read in SI units, sorted, and refused by name", "[netlist]") {
  CHECK(default_design().conditions.empty());
  const auto with = [](const std::string& lines) {
    return std::string(embedded_file("gc28_paper.toml")) + "\n[conditions]\n" + lines + "\n";
  };
  const Design design = parse_design(
      with("corner = [\"ss\", \"ff\"]\ntemperature = [\"85C\", \"-40C\"]\nsupply = \"0.85V\"\nmismatch_samples = 50"),
      "my.toml");
  CHECK(design.conditions.corners == std::vector<std::string>{"ss", "ff"});
  CHECK(design.conditions.temperatures_C == std::vector<double>{-40, 85});
  CHECK(design.conditions.supplies_V == std::vector<double>{0.85});
  CHECK(design.conditions.mismatch_samples == 50);
  CHECK(parse_design(with("corner = \"all\""), "my.toml").conditions.corners.size() == 5);
  CHECK_THAT(refusal(with("corner = [\"sff\"]")),
             Contains("my.toml: conditions.corner: technology gc28 has no corner 'sff'"));
  CHECK_THAT(refusal(with("corner = [\"ss\", \"ss\"]")), Contains("corner ss is given twice"));
  CHECK_THAT(refusal(with("temperature = [\"400C\"]")), Contains("conditions.temperature: 400C is outside"));
  CHECK_THAT(refusal(with("supply = [\"0.9C\"]")), Contains("conditions.supply"));
  CHECK_THAT(refusal(with("supply = [\"0.9V\", \"900mV\"]")), Contains("given twice"));
  CHECK_THAT(refusal(with("humidity = 3")), Contains("humidity"));
}

TEST_CASE("a design chooses its cell, and the technology must have its devices", "[netlist]") {
  const std::filesystem::path folder = std::filesystem::path(GAINCAL_SOURCE_DIR) / "data/designs";
  const Design oxide = load_design(folder / "gc28_oxide.toml");
  CHECK(oxide.cell.type == "oxide");
  CHECK(oxide.lines.v_write_off_V == Approx(-0.35));
  CHECK(default_design().cell.type == "6t");
  CHECK(default_design({"cell.cst=\"8fF\""}).cell.cst_F == Approx(8e-15));
  CHECK_THAT(refusal(edited("[cell]\n", "[cell]\ntype = \"7t\"\n")), Contains("my.toml: cell.type: '7t' is unknown"));

  const tests::ScratchFolder scratch;
  std::string technology(embedded_file("gc28.toml"));
  const std::size_t begin = technology.find("oxide = ");
  technology.erase(begin, technology.find('\n', begin) + 1 - begin);
  technology.replace(technology.find("\"gc28\""), 6, "\"mine\"");
  write_text(scratch.path() / "mine.toml", technology);
  std::string text = edited("technology = \"gc28\"", "technology = \"mine.toml\"");
  text.replace(text.find("[cell]\n"), 7, "[cell]\ntype = \"oxide\"\n");
  CHECK_THROWS_WITH(parse_design(text, scratch.path() / "design.toml"), Contains("no device for the role 'oxide'"));
}

TEST_CASE("settings are changed in the text of a design and all else stays", "[netlist]") {
  const std::string text = "# µ first\n[cell]\ncst = \"5fF\"   # kept\nw_n=\"1um\"\n[array]\nrows = 64\n";
  CHECK(netlist::with_settings(text, "mine.toml", {"cell.cst=7 fF", "array.rows=32", "cell.cst=8 fF"}) ==
        "# µ first\n[cell]\ncst = \"8 fF\"   # kept\nw_n=\"1um\"\n[array]\nrows = 32\n");
  CHECK(netlist::with_settings("[a]\nb = \"µ1\" # µ\n", "mine.toml", {"a.b=2 um", "a.c=3", "a.d=\"4\""}) ==
        "[a]\nd = \"4\"\nc = 3\nb = \"2 um\" # µ\n");
  CHECK_THROWS_WITH(netlist::with_settings(text, "mine.toml", {"lines.edge=1ps"}),
                    Catch::Contains("mine.toml: lines.edge=1ps: the file has no such table"));
  CHECK_THROWS_WITH(netlist::with_settings("a = ", "mine.toml", {"a=1"}), Catch::Contains("mine.toml: line 1"));
}
