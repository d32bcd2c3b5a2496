#include "spice/simulator.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "core/error.hpp"
#include "reference.hpp"
#include "spice/deck.hpp"
#include "spice/decks.hpp"

using namespace gaincal;
using namespace gaincal::tests;
using Catch::Matchers::Contains;
using spice::Simulator;

namespace {

// What the Error says, or nothing where there was none.
template <typename Call>
std::string failure_of(const Call& call) {
  try {
    call();
  } catch (const Error& failure) {
    return failure.what();
  }
  return {};
}

// ngspice is as good after a failure as before.
void check_divider(Simulator& simulator) {
  simulator.load(kDivider);
  simulator.run("op");
  CHECK(simulator.value("v(out)") == Approx(1.0).epsilon(1e-9));
}

}  // namespace

TEST_CASE("a divider halves its voltage and draws its current", "[spice]") {
  Simulator simulator;
  CHECK_FALSE(simulator.loaded());
  check_divider(simulator);
  CHECK(simulator.loaded());
  CHECK(simulator.value("i(v1)") == Approx(-1e-3).epsilon(1e-9));
  CHECK(simulator.value("V(OUT)") == Approx(1.0).epsilon(1e-9));
  simulator.command("alter r2 = 3k");
  simulator.run("op");
  CHECK(simulator.value("v(out)") == Approx(1.5).epsilon(1e-9));
}

TEST_CASE("an RC discharge follows the exponential", "[spice]") {
  Simulator simulator;
  simulator.load(kDischarge);
  simulator.run("tran 5n 3u");
  const auto time_s = simulator.vector("time");
  const auto out_V = simulator.vector("v(out)");
  REQUIRE(time_s.size() == out_V.size());
  REQUIRE(time_s.size() > 300);
  CHECK(time_s.back() == Approx(3e-6));
  double worst_V = 0.0;
  for (std::size_t i = 0; i < time_s.size(); ++i)
    worst_V = std::max(worst_V, std::abs(out_V[i] - std::exp(-time_s[i] / 1e-6)));
  CHECK(worst_V < 1e-4);
}

TEST_CASE("an ac analysis gives complex vectors", "[spice]") {
  Simulator simulator;
  simulator.load("* low pass\nV1 in 0 dc 0 ac 1\nR1 in out 1k\nC1 out 0 1n\n.end\n");
  simulator.run("ac lin 1 159154.943 159154.943");
  const std::complex<double> out = simulator.complex_vector("v(out)").at(0);
  CHECK(out.real() == Approx(0.5).epsilon(1e-6));
  CHECK(out.imag() == Approx(-0.5).epsilon(1e-6));
  CHECK_THAT(failure_of([&] { simulator.vector("v(out)"); }), Contains("complex"));
}

TEST_CASE("the deck's own analysis runs on request and its control section does not", "[spice]") {
  Simulator simulator;
  simulator.load(
      "* own analysis\nV1 a 0 1\nR1 a 0 1k\n.op\n.control\nop\nquit\n.endc\n.tran 1n 10n\n.end\nrubbish here\n");
  simulator.run("run");
  CHECK(simulator.vector("time").back() == Approx(1e-8));
  simulator.run("op");
  CHECK(simulator.value("i(v1)") == Approx(-1e-3).epsilon(1e-9));
}

TEST_CASE("a device's current is read by its name", "[spice]") {
  Simulator simulator;
  simulator.load(
      "* device\nV1 a 0 2\n.subckt s a\nM1 a a 0 0 nm W=10u L=1u\n.ends\nX1 a s\n.model nm nmos level=1 vto=0.5 "
      "kp=1e-4\n");
  simulator.run("op");
  CHECK(simulator.value("@m.x1.m1[id]") == Approx(-simulator.value("i(v1)")).epsilon(1e-6));
}

TEST_CASE("each way to fail gives its reason and leaves a working simulator", "[spice]") {
  Simulator simulator;
  const auto load = [&](const std::string& deck) { return failure_of([&] { simulator.load(deck); }); };
  CHECK_THAT(load(kMissingModel), Contains("could not find a valid modelname") && Contains("m1 d d 0 0 nosuch"));
  CHECK_FALSE(simulator.loaded());
  CHECK_THAT(failure_of([&] { simulator.run("op"); }), Contains("op:"));
  check_divider(simulator);
  CHECK_THAT(load(kMissingInclude), Contains("nosuch.inc"));
  check_divider(simulator);
  CHECK_THAT(load(kMissingSubcircuit), Contains("unknown subckt: x1 d 0 nosuch"));
  check_divider(simulator);
  CHECK_THAT(load(kSyntaxError), Contains("unknown parameter (nosuch)") && Contains("line 3"));
  check_divider(simulator);
  CHECK_THAT(load("* only a title"), Contains("no line after the title"));
  check_divider(simulator);

  simulator.load(kNoSolution);
  CHECK_THAT(failure_of([&] { simulator.run("op"); }), Contains("Timestep too small") && Contains("v1#branch"));
  CHECK_THAT(failure_of([&] { simulator.run("tran 1n 10n"); }), Contains("TRAN") && Contains("Timestep too small"));
  CHECK_THAT(failure_of([&] { simulator.vector("time"); }), Contains("time"));
  check_divider(simulator);
  CHECK_THAT(failure_of([&] { simulator.run("tran 1n"); }), Contains("TSTOP is invalid"));
  CHECK_THAT(failure_of([&] { simulator.vector("v(out)"); }), Contains("no vector v(out)"));
  CHECK_THAT(failure_of([&] { simulator.command("frobnicate"); }), Contains("no such command"));
  CHECK_THAT(failure_of([&] { simulator.command("alter r9 = 5"); }), Contains("no such device or model name r9"));
  CHECK_THAT(failure_of([&] { simulator.command(" "); }), Contains("empty"));
  check_divider(simulator);
  CHECK_THAT(failure_of([&] { simulator.vector("v(nosuch)"); }), Contains("no vector v(nosuch)"));
  CHECK_THAT(failure_of([&] { Simulator second; }), Contains("one per process"));
  CHECK(simulator.alive());
}

TEST_CASE("a transient beyond its limit is stopped and the simulator goes on", "[spice]") {
  Simulator simulator;
  simulator.limit_points(0.2);
  simulator.load(
      "* breakpoints without end\nV1 a 0 pulse(0 1 0 1e-18 1e-18 1e-18 4e-18)\nR1 a 0 1k\nC1 a 0 1p\n.end\n");
  CHECK_THAT(failure_of([&] { simulator.run("tran 50p 10n"); }), Contains("timeout after 200 ms"));
  CHECK_THAT(failure_of([&] { simulator.run("tran 50p 10n", 2); }), Contains("timeout after 400 ms"));
  REQUIRE(simulator.alive());
  check_divider(simulator);
}

TEST_CASE("a limit that is not reached changes no bit", "[spice]") {
  Simulator simulator;
  simulator.load(kDischarge);
  simulator.run("tran 5n 3u");
  const auto free_V = simulator.vector("v(out)");
  simulator.limit_points(60.0);
  simulator.run("tran 5n 3u");
  CHECK(simulator.vector("v(out)") == free_V);
  simulator.load(
      "* no solution after 5 ns\nV1 u 0 pulse(0 1 5n 1p 1p 1 2)\nB1 a 0 v=v(u)*(v(a)+1+sqrt(v(a)*v(a)+1))\nR1 a 0 "
      "1k\n.end\n");
  CHECK_FALSE(failure_of([&] { simulator.run("tran 50p 10n"); }).empty());
  check_divider(simulator);
}

TEST_CASE("options, parameters and initial values end with their circuit", "[spice]") {
  const std::string plain =
      "* plain\nV1 in 0 pulse(0 1 10n 1n 1n 100n 300n)\nR1 in out 1k tc1=0.01\nC1 out 0 1p\n.end\n";
  const std::string strange =
      "* strange\n.param rr=5k\n.temp 100\n.options reltol=0.05 method=gear\nV1 in 0 pulse(0 1 10n 1n 1n 100n 300n)\n"
      "R1 in out {rr} tc1=0.01\nC1 out 0 1p\n.ic v(out)=0.3\n.end\n";
  Simulator simulator;
  const auto waveform = [&](const std::string& deck) {
    simulator.load(deck);
    simulator.run("tran 1n 500n");
    return simulator.vector("v(out)");
  };
  const std::vector<double> fresh = waveform(plain);
  CHECK(waveform(strange) != fresh);
  simulator.command("option temp=100 reltol=0.1");
  CHECK(waveform(plain) == fresh);
}

TEST_CASE("the settings file of whoever runs it is not read", "[spice]") {
  const ScratchFolder scratch;
  std::ofstream(scratch.path() / ".spiceinit") << "* of a user\nquit\n";
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(scratch.path());
  const pid_t child = ::fork();
  if (child == 0) {
    bool works = false;
    try {
      Simulator simulator;
      simulator.load(kDivider);
      simulator.run("op");
      works = std::filesystem::current_path() == scratch.path();
    } catch (const std::exception&) {
    }
    ::_exit(works ? 0 : 1);
  }
  std::filesystem::current_path(before);
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE("the version names ngspice and its build", "[spice]") {
  Simulator simulator;
  CHECK_THAT(Simulator::version(), Catch::Matchers::StartsWith("ngspice-") && Contains("("));
}

TEST_CASE("a deck loses control sections and what follows its end", "[spice]") {
  const std::vector<std::string> expected = {".control is a title here", "R1 a 0 1", ".op", ".end"};
  CHECK(spice::deck_lines(".control is a title here\r\nR1 a 0 1\r\n .CONTROL\nquit\n.endc\n.op\n  .End\nx") ==
        expected);
}
