#include "netlist/technology.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>

#include "core/error.hpp"
#include "core/files.hpp"
#include "netlist/decks.hpp"
#include "netlist/embedded.hpp"
#include "netlist/model_files.hpp"
#include "reference.hpp"

using namespace gaincal;
using namespace gaincal::netlist;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

const fs::path kPdk = fs::path(GAINCAL_SOURCE_DIR) / "tests/netlist/pdk";

/// The miniature PDK with the first `from` replaced.
std::string edited(const std::string& from, const std::string& to) {
  std::string text = read_file(kPdk / "mini65.toml");
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

std::string refusal(const std::string& from, const std::string& to) {
  try {
    parse_technology(edited(from, to), kPdk / "mini65.toml");
  } catch (const UsageError& failure) {
    return failure.what();
  }
  return "accepted";
}

class Environment {
 public:
  Environment(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  ~Environment() { ::unsetenv(name_); }

 private:
  const char* name_;
};

}  // namespace

TEST_CASE("a PDK's devices are called as subcircuits with sizes in its unit", "[netlist]") {
  const Technology technology = load_technology("mini65.toml", kPdk);
  const std::string text = technology_lines(technology, "ss");
  CHECK_THAT(text, Contains("mini.lib\" mos_ss"));
  CHECK_THAT(text, Contains("* ngbehavior hsa\n"));
  CHECK_THAT(text, Contains("X1 d g s b mini_nfet w={(role_w)/1e-06} l={(role_l)/1e-06}"));
  CHECK_THAT(text, Contains("nf=1 m=1"));
  CHECK(mosfet_name(technology, "nfet", "xcell.xn") == "m.xcell.xn.x1.mmini_nfet");
  CHECK(mosfet_name(load_technology("gc28"), "nfet", "xcell.xn") == "m.xcell.xn.m1");
}

TEST_CASE("the environment says where a PDK is", "[netlist]") {
  const tests::ScratchFolder scratch;
  fs::copy(kPdk / "mini65", scratch.path() / "other", fs::copy_options::recursive);
  const Environment root("PDK_ROOT", scratch.path().c_str()), name("PDK", "other");
  const std::string text = technology_lines(load_technology("mini65.toml", kPdk), "tt");
  CHECK_THAT(text, Contains((scratch.path() / "other/libs.tech/ngspice/mini.lib").string()));
}

TEST_CASE("a variable that is not set is named, with what to do", "[netlist]") {
  CHECK(with_environment("${GAINCAL_NONE:-pdk}/a", "f") == "pdk/a");
  CHECK_THROWS_WITH(with_environment("$GAINCAL_NONE/a", "tech.toml: root"),
                    "tech.toml: root: the environment has no GAINCAL_NONE; set it (export GAINCAL_NONE=...) or write "
                    "the path");
  CHECK_THROWS_AS(with_environment("${GAINCAL_NONE", "f"), UsageError);
}

TEST_CASE("a PDK with a fault is refused with file, field and remedy", "[netlist]") {
  CHECK_THAT(refusal("nfet = {name = \"mini_nfet\", inner = \"mmini_nfet\"}\n", ""),
             Contains("mini65.toml: devices.nfet: missing"));
  CHECK_THAT(refusal("mini.lib mos_ss", "mini.lib mos_slow"),
             Contains("corners.ss.lib") && Contains("no section 'mos_slow'") && Contains("mos_tt"));
  CHECK_THAT(refusal("mini.lib mos_ff", "gone.lib mos_ff"), Contains("corners.ff.lib: no model file"));
  CHECK_THAT(refusal("mini.lib mos_ff", "mini.lib"), Contains("is no file and section"));
  CHECK_THAT(refusal("kind = \"subcircuit\"", "kind = \"macro\""), Contains("call.kind: 'macro' is unknown"));
  CHECK_THAT(refusal("unit = \"1um\"", "unit = \"1V\""), Contains("call.unit"));
  CHECK_THAT(refusal("[call]", "[cal]"), Contains("unknown key"));
  CHECK_THROWS_WITH(load_technology("mini65.toml", kPdk).corner("cold"),
                    "technology mini65: no corner 'cold'; choose one of ff, fs, sf, ss, tt");
  Technology bare = load_technology("gc28");
  bare.devices.erase("oxide");
  CHECK_THROWS_WITH(bare.device("oxide"), Contains("no device for the role 'oxide'"));
  CHECK_THROWS_WITH(mosfet_name(load_technology("gc28"), "oxide", "x"), Contains("threshold cannot be shifted"));
}

TEST_CASE("sizes below a technology's minimum are refused", "[netlist]") {
  std::string text = read_file(kPdk / "mini65_paper.toml");
  const auto refused = [&](const std::string& from, const std::string& to) {
    std::string edit = text;
    edit.replace(edit.find(from), from.size(), to);
    CHECK_THROWS_WITH(parse_design(edit, kPdk / "my.toml"), Contains("is out of range"));
  };
  CHECK_NOTHROW(parse_design(text, kPdk / "my.toml"));
  refused("l_select = \"60nm\"", "l_select = \"50nm\"");
  refused("w_n = \"0.12um\"", "w_n = \"0.1um\"");
}

TEST_CASE("a changed model file changes the deck, though it is only named there", "[netlist]") {
  const tests::ScratchFolder scratch;
  fs::copy(kPdk, scratch.path() / "pdk", fs::copy_options::recursive);
  const fs::path folder = scratch.path() / "pdk";
  const auto hash = [&] { return load_technology("mini65.toml", folder).corner("tt").content_hash; };
  const std::string before = hash();
  const fs::path models = folder / "mini65/libs.tech/ngspice/mini_devices.spice";
  write_text(models, read_file(models) + "* another\n");
  CHECK(hash() != before);
  fs::remove(models);
  CHECK_THROWS_WITH(hash(), Contains("mini_devices.spice"));
}

TEST_CASE("the open PDKs' files name what a user has to set", "[netlist]") {
  const fs::path folder = fs::path(GAINCAL_SOURCE_DIR) / "data/technologies";
  ::unsetenv("PDK_ROOT");
  for (const char* file : {"sky130.toml", "gf180mcu.toml", "ihp_sg13g2.toml"})
    CHECK_THROWS_WITH(load_technology(file, folder), Contains("no PDK_ROOT"));
  const Environment root("PDK_ROOT", "/nowhere");
  for (const char* file : {"sky130.toml", "gf180mcu.toml", "ihp_sg13g2.toml"})
    CHECK_THROWS_WITH(load_technology(file, folder), Contains("no model file /nowhere/"));
}
