#include "sweep/technology_check.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <sstream>

#include "core/error.hpp"

using namespace gaincal;
using namespace gaincal::sweep;
using Catch::Matchers::Contains;

namespace {

const DeviceFigures& figures(const TechnologyCheck& check, const std::string& role, const std::string& corner) {
  for (const DeviceFigures& device : check.devices)
    if (device.role == role && device.corner == corner) return device;
  throw Error("no " + role + " at " + corner);
}

netlist::Technology mini() {
  return netlist::load_technology("mini65.toml", std::filesystem::path(GAINCAL_SOURCE_DIR) / "tests/netlist/pdk");
}

std::string printed(const TechnologyCheck& check) {
  std::ostringstream stream;
  print_technology_check(stream, check);
  return stream.str();
}

}  // namespace

TEST_CASE("the built-in technology and a miniature PDK pass their check", "[sweep][tech]") {
  for (const netlist::Technology& technology : {netlist::load_technology("gc28"), mini()}) {
    const TechnologyCheck check = check_technology(technology, 27.0);
    INFO(printed(check));
    CHECK(check.passed());
    CHECK(check.devices.size() == 25);
    const DeviceFigures &fast = figures(check, "nfet", "ff"), &slow = figures(check, "nfet", "ss");
    CHECK(fast.i_on_A_m > slow.i_on_A_m);
    CHECK(fast.v_threshold_V < slow.v_threshold_V);
    CHECK(fast.i_off_A_m > slow.i_off_A_m);
    CHECK(figures(check, "nfet_hvt", "tt").i_off_A_m < 0.1 * figures(check, "nfet", "tt").i_off_A_m);
    CHECK(figures(check, "oxide", "tt").i_off_A_m * 1e-6 < 1e-18);
  }
}

TEST_CASE("figures of a device are those of its card", "[sweep][tech]") {
  // A square-law device: I = kp/2 W/L (Vg - vto)^2, no leakage and no drain effect.
  netlist::Technology technology = netlist::load_technology("gc28");
  technology.model_text = ".model nsvt nmos level=1 vto=0.3 kp=200u\n";
  technology.devices = {{"nfet", technology.device("nfet")}};
  technology.corners = {{"tt", technology.corner("tt")}};
  const DeviceFigures device = check_technology(technology, 27.0, 1).devices.at(0);
  CHECK(device.i_on_A_m == Approx(0.5 * 200e-6 / 30e-9 * 0.36).epsilon(1e-6));
  CHECK_THAT(device.faults.at(0), Contains("below the thermal limit of 59.56 mV/dec"));  // it has no subthreshold
}

TEST_CASE("a device that does not conduct is told by name, corner and value", "[sweep][tech]") {
  netlist::Technology technology = mini();
  technology.devices.at("pfet").fixed = "nf=1 m=1e-30";
  technology.corners = {{"ss", technology.corner("ss")}};
  const TechnologyCheck check = check_technology(technology, 27.0);
  CHECK(check.simulated());
  CHECK_FALSE(check.passed());
  CHECK_THAT(printed(check), Contains("fault: pfet (mini_pfet) at corner ss: "));
}

TEST_CASE("a device that no model file has fails alone, with the reason", "[sweep][tech]") {
  netlist::Technology technology = mini();
  technology.devices.at("nfet").name = "gone";
  technology.corners = {{"tt", technology.corner("tt")}};
  const TechnologyCheck check = check_technology(technology, 27.0);
  CHECK_FALSE(check.simulated());
  CHECK_THAT(printed(check), Contains("fault: nfet (gone) at corner tt: "));
  CHECK(figures(check, "pfet", "tt").simulated);
}
