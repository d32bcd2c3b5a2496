#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/files.hpp"
#include "reference.hpp"
#include "report/fixture.hpp"
#include "report/gnuplot.hpp"
#include "report/report.hpp"

using namespace gaincal;

namespace {

bool has_program(const std::string& name) {
  return std::system(("command -v " + name + " >/dev/null 2>&1").c_str()) == 0;
}

}  // namespace

TEST_CASE("the report loads, fits and sorts in a browser", "[report]") {
  for (const char* name : {"chromium", "chromedriver", "gnuplot"})
    if (!has_program(name)) {
      WARN("skipped: no " << name << "; run scripts/install_packages.sh --tests");
      return;
    }
  // Screenshots stay in the build folder, to be looked at.
  const std::filesystem::path folder = GAINCAL_SCREENSHOTS;
  std::filesystem::create_directories(folder);
  const tests::ScratchFolder scratch;
  tests::write_report_files(scratch.path());
  const report::Page page = report::make_page(report::read_sources(scratch.path()));
  report::write_report(scratch.path() / "fixture.html", page);
  const std::string command = "/usr/bin/python3 '" + (tests::source_dir() / "tests/report/browse.py").string() + "' '" +
                              (scratch.path() / "fixture.html").string() + "' '" + folder.string() + "' > '" +
                              (scratch.path() / "found.json").string() + "'";
  REQUIRE(std::system(command.c_str()) == 0);
  const auto found = nlohmann::json::parse(read_file(scratch.path() / "found.json"));

  INFO(found.dump(1));
  CHECK(found["console"].empty());
  const std::size_t panels = report::panels_of(page).size();
  REQUIRE(found["views"].size() == 4);
  for (const auto& view : found["views"]) {
    CHECK(view["scroll_width"] <= view["asked_width"]);
    CHECK(view["panels"] == panels);
    CHECK(view["drawn"] == panels);
    CHECK(view["curves"] == panels);
    CHECK(view["smallest_text_px"] >= 8.5);
    for (const char* fault : {"cut_off", "cut_off_left", "overflowing"}) CHECK(view[fault].empty());
    for (const char* fault : {"dangling", "repeated_ids", "missing", "external", "uncaptioned"})
      CHECK(view[fault] == 0);
    CHECK(view["intruder"] == false);
  }
  CHECK(found["views"][0]["paper"] != found["views"][2]["paper"]);                          // light and dark
  for (const std::size_t light : {0, 1}) CHECK(found["views"][light]["text_rgb"][1] < 80);  // dark text
  for (const std::size_t dark : {2, 3}) CHECK(found["views"][dark]["text_rgb"][0] > 180);   // and the reverse
  CHECK(found["tables"].size() > 15);
  for (const auto& table : found["tables"]) {
    INFO(table["id"]);
    CHECK(table["rows"] > 0);
    CHECK(table["kept"] == true);
    CHECK(table["wrong"].empty());
  }
  CHECK(found["csv"].size() == panels + found["tables"].size());
  for (const auto& file : found["csv"]) CHECK(file["lines"] > 1);
  CHECK(read_file(folder / "fixture-print.pdf").size() > 50000);
}
