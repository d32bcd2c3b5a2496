#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>

#include "cli/program.hpp"
#include "core/error.hpp"
#include "core/files.hpp"
#include "reference.hpp"
#include "report/figure.hpp"
#include "report/fixture.hpp"
#include "report/gnuplot.hpp"
#include "report/page.hpp"
#include "report/report.hpp"

using namespace gaincal;
using Catch::Contains;

namespace {

const report::Section& section_of(const report::Page& page, const std::string& id) {
  for (const report::Section& section : page.sections)
    if (section.id == id) return section;
  FAIL("no section " << id);
  throw 0;
}

/// The command named by the only notice of a section.
std::string missing_command(const report::Page& page, const std::string& id) {
  std::string command;
  for (const auto& block : section_of(page, id).blocks)
    if (const auto* missing = std::get_if<report::Missing>(&block)) command += missing->command;
  return command;
}

/// An empty search path while it lives.
class WithoutPrograms {
 public:
  WithoutPrograms() : before_(std::getenv("PATH")) { ::setenv("PATH", "", 1); }
  ~WithoutPrograms() { ::setenv("PATH", before_.c_str(), 1); }
  WithoutPrograms(const WithoutPrograms&) = delete;
  WithoutPrograms& operator=(const WithoutPrograms&) = delete;

 private:
  std::string before_;
};

bool lacks_gnuplot() {
  if (report::gnuplot_available()) return false;
  WARN("skipped: no gnuplot; install gnuplot-nox");
  return true;
}

}  // namespace

TEST_CASE("text put into the page cannot become markup", "[report]") {
  CHECK(report::escape_html("<a b=\"c\" d='e'>&") == "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;");
  CHECK(report::csv_address("a,\"b\" 1\n") == "data:text/csv;charset=utf-8,a,%22b%22%201%0A");
}

TEST_CASE("the CSV of a panel holds every finite point and quotes its names", "[report]") {
  report::Panel panel{"p", "", "x (s), long", "y (V)"};
  panel.series = {
      {"say \"hi\"", report::Series::Style::line, report::Colour::table, {1, 2, 3}, {0.5, std::nan(""), 2}}};
  CHECK(report::csv_of(panel) == "series,\"x (s), long\",y (V)\n\"say \"\"hi\"\"\",1,0.5\n\"say \"\"hi\"\"\",3,2\n");
}

TEST_CASE("a folder with everything gives a page without notices", "[report]") {
  const tests::ScratchFolder scratch;
  tests::write_report_files(scratch.path());
  const report::Page page = report::make_page(report::read_sources(scratch.path()));
  for (const report::Section& section : page.sections) CHECK(missing_command(page, section.id).empty());
  CHECK(page.sections.size() == 13);
  for (const report::Section& section : page.sections) CHECK(section.blocks.size() > 0);
}

TEST_CASE("each property of a study is one panel, with bars where its values are words", "[report]") {
  report::Sources sources{tests::report_dataset(), tests::report_model(), tests::report_results()};
  sources.study = tests::report_study();
  std::size_t found = 0;
  const report::Page page = report::make_page(sources);
  for (const report::Panel& panel : report::panels_of(page)) {
    if (panel.id == "study_query_bits") {
      ++found;
      CHECK(panel.series[0].x == std::vector<double>{2, 6});
    }
    if (panel.id == "study_corner") {
      ++found;
      CHECK(panel.categories == std::vector<std::string>{"ss", "ff"});
      CHECK(panel.bars[0].to == std::vector<double>{0.03, 0.02});
    }
  }
  CHECK(found == 2);
}

TEST_CASE("a missing part becomes a notice that names the command which makes it", "[report]") {
  report::Sources sources{tests::report_dataset(), tests::report_model(), tests::report_results()};
  sources.results.reset();
  report::Page page = report::make_page(sources);
  CHECK_THAT(missing_command(page, "language"), Contains("gaincal flow"));
  for (const char* section : {"energy", "comparison", "scaling", "timing"})
    CHECK_THAT(missing_command(page, section), Contains("gaincal flow"));
  CHECK_THAT(missing_command(page, "spread"), Contains("gain_cell_corners") && Contains("gain_cell_monte_carlo"));
  CHECK_THAT(missing_command(page, "sensitivity"), Contains("gaincal gpt2 sweep"));
  CHECK_THAT(missing_command(page, "circuits"), Contains("gaincal netlist --self-test all"));
  CHECK(missing_command(page, "cell").empty());
  sources = {tests::report_dataset(), {}, tests::report_results()};
  page = report::make_page(sources);
  CHECK_THAT(missing_command(page, "cell"), Contains("gaincal fit"));
  CHECK_THAT(missing_command(page, "timing"), Contains("gaincal fit"));
  sources = {{}, tests::report_model(), {}};
  page = report::make_page(sources);
  CHECK_THAT(missing_command(page, "cell"), Contains("gaincal sweep"));
  CHECK(report::panels_of(page).size() > 5);  // the fitted curves alone
  sources = {tests::report_dataset(), tests::report_model(), tests::report_results()};
  sources.results->tables.erase(sources.results->tables.begin() + 1);
  CHECK_THAT(missing_command(report::make_page(sources), "language"), Contains("gaincal flow"));
}

TEST_CASE("energies of another version become a notice", "[report]") {
  report::Sources sources{tests::report_dataset(), tests::report_model(), tests::report_results()};
  for (store::Table& table : sources.results->tables)
    if (table.name == "energy")
      std::erase_if(table.quantities, [](const store::Quantity& quantity) { return quantity.name == "law"; });
  CHECK_THAT(missing_command(report::make_page(sources), "energy"), Contains("gaincal flow"));
}

TEST_CASE("gaincal report names what keeps it from writing", "[report]") {
  const tests::ScratchFolder scratch;
  const auto refused = [&](const std::string& arguments, int exit_code, const std::string& message) {
    const auto run = tests::run_program(scratch.path(), arguments);
    INFO(arguments);
    CHECK(run.exit_code == exit_code);
    CHECK_THAT(run.errors, Contains(message));
  };
  refused("report", 2, "folder is missing");
  refused("report none", 1, "none: no such folder");
  std::filesystem::create_directory(scratch.path() / "flow");
  refused("report flow", 1, "holds neither dataset.h5");
  tests::write_report_files(scratch.path() / "flow");
  write_text(scratch.path() / "flow/report.html", "mine");
  refused("report flow", 2, "report.html");
  const std::string model = read_file(scratch.path() / "flow/model.h5");
  write_text(scratch.path() / "flow/model.h5", model.substr(0, model.size() / 2));
  refused("report flow --force", 1, "model.h5");
  write_text(scratch.path() / "flow/model.h5", model);
  const std::string study = read_file(scratch.path() / "flow/study.h5");
  write_text(scratch.path() / "flow/study.h5", study.substr(0, study.size() / 2));
  refused("report flow --force", 1, "study.h5");
  write_text(scratch.path() / "flow/study.h5", "no HDF5");
  refused("report flow --force", 1, "study.h5");
  write_text(scratch.path() / "flow/study.h5", study);
  CHECK(read_file(scratch.path() / "flow/report.html") == "mine");
}

TEST_CASE("a missing gnuplot is named with its package", "[report]") {
  const tests::ScratchFolder scratch;
  tests::write_report_files(scratch.path());
  const WithoutPrograms none;
  const report::Page page = report::make_page(report::read_sources(scratch.path()));
  CHECK_THROWS_WITH(report::write_report(scratch.path() / "report.html", page), Contains("gnuplot-nox"));
  CHECK_THROWS_WITH(report::write_figures(scratch.path() / "figures", page), Contains("gnuplot-nox"));
  CHECK_FALSE(std::filesystem::exists(scratch.path() / "report.html"));
}

TEST_CASE("a report that cannot be written is named", "[report]") {
  if (lacks_gnuplot()) return;
  const tests::ScratchFolder scratch;
  tests::write_report_files(scratch.path());
  const report::Page page = report::make_page(report::read_sources(scratch.path()));
  // A folder in the place of the file and a file in the place of the folder: root may write anywhere else.
  std::filesystem::create_directory(scratch.path() / "report.html");
  CHECK_THROWS_WITH(report::write_report(scratch.path() / "report.html", page), Contains("report.html"));
  write_text(scratch.path() / "figures", "a file");
  CHECK_THROWS_WITH(report::write_figures(scratch.path() / "figures", page), Contains("figures"));
}

TEST_CASE("the page with hostile names holds no foreign script and stays small", "[report]") {
  if (lacks_gnuplot()) return;
  const tests::ScratchFolder scratch;
  tests::write_report_files(scratch.path());
  const auto run = tests::run_program(scratch.path(), "report . --figures figures");
  REQUIRE(run.exit_code == 0);
  const std::string html = read_file(scratch.path() / "report.html");
  CHECK(html.size() < 5u * 1024 * 1024);
  CHECK(html.find("<script>window") == std::string::npos);
  CHECK_FALSE(std::filesystem::exists(scratch.path() / "intruder"));
  CHECK(read_file(scratch.path() / "figures/cell_charge.svg").size() > 2000);
  CHECK(read_file(scratch.path() / "figures/cell_charge.pdf").substr(0, 4) == "%PDF");
}

TEST_CASE("the figures of a circuit are bars around its own condition, and all of them a table", "[report]") {
  report::Sources sources;
  sources.circuits = tests::report_circuits();
  const report::Page page = report::make_page(sources);
  const auto section = std::find_if(page.sections.begin(), page.sections.end(),
                                    [](const report::Section& each) { return each.id == "circuits"; });
  REQUIRE(section != page.sections.end());
  REQUIRE(section->blocks.size() == 3);
  const report::Panel& bars = std::get<report::Figure>(section->blocks[0]).panels.at(0);
  REQUIRE(bars.categories.size() == 3);  // the figure that changes sign is in the table alone
  CHECK(bars.bars[0].to[0] == Approx(40.0 / 30.0));
  CHECK(bars.bars[0].labels[0] == "30 fC");
  const report::DataTable& table = std::get<report::DataTable>(section->blocks[1]);
  REQUIRE(table.rows.size() == 4);
  CHECK(table.rows[2][3].text == "-2 ps");
  CHECK(table.rows[2][4].text == "ff 125 C");
  CHECK(std::get<report::Figure>(section->blocks[2]).panels.at(0).series.size() == 2);
}
