#include "report/gnuplot.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iomanip>
#include <sstream>

#include "core/error.hpp"
#include "core/files.hpp"

extern char** environ;

namespace gaincal::report {
namespace {

namespace fs = std::filesystem;

struct PaletteEntry {
  unsigned rgb;
  const char* property;  // custom property of the page
};

constexpr PaletteEntry kGrid = {0xd8dde3, "--grid"};
constexpr PaletteEntry kInk = {0x24292f, "--ink"};
// Distinct in hue and lightness, also for colour-blind readers (after Okabe and Ito).
constexpr PaletteEntry kPalette[] = {{0x1b3a5c, "--c-spice"},  {0xd55e00, "--c-held"},   {0x0072b2, "--c-table"},
                                     {0xb8860b, "--c-closed"}, {0x009e73, "--c-accent"}, {0x8c959f, "--c-muted"}};

std::string colour(unsigned rgb) {
  char text[16];
  std::snprintf(text, sizeof text, "'#%06x'", rgb);
  return text;
}
std::string colour(Colour role) { return colour(kPalette[static_cast<std::size_t>(role)].rgb); }

/// A single-quoted gnuplot string: no escapes and no command substitution take place in it.
std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char letter : text) {
    if (letter == '\'') result += '\'';
    result += (static_cast<unsigned char>(letter) < 0x20) ? ' ' : letter;
  }
  return result + "'";
}

/// The same as the label of a tic: with the line breaks of the text, and each % doubled, as gnuplot takes it for a
/// format.
std::string quoted_tic(std::string text) {
  for (std::size_t at = 0; (at = text.find('%', at)) != std::string::npos; at += 2) text.insert(at, 1, '%');
  std::string result;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    result.append(result.empty() ? "" : ".\"\\n\".").append(quoted(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  return result;
}

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "gaincal-report-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr)
      throw Error(name + ": cannot create a temporary folder; set TMPDIR to a writable one");
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::string style_of(const Series& series) {
  using Style = Series::Style;
  switch (series.style) {
    case Style::points:
      return "with points pt 7 ps 0.45";
    case Style::open_points:
      return "with points pt 6 ps 0.6 lw 1.2";
    case Style::line:
      return "with lines lw 2";
    case Style::thin_line:
      return "with lines lw 1";
    case Style::dashed:
      return "with lines lw 2 dt (6,4)";
  }
  return "";
}

void write_data(const fs::path& path, const std::vector<std::vector<double>>& columns) {
  std::ostringstream text;
  text << std::setprecision(10);
  for (std::size_t row = 0; row < columns[0].size(); ++row) {
    bool finite = true;
    for (const auto& column : columns) finite = finite && std::isfinite(column[row]);
    for (const auto& column : columns)
      if (finite) text << column[row] << " ";
    text << "\n";  // an empty line is a gap
  }
  write_text(path, text.str());
}

bool has_value(const std::vector<double>& values) {
  for (const double value : values)
    if (std::isfinite(value)) return true;
  return false;
}

void script_curves(std::ostream& script, const Panel& panel, const fs::path& folder) {
  script << "set autoscale xfix\nset offsets graph 0.02, graph 0.02, graph 0.06, graph 0.06\n";
  if (panel.log_y) script << "set logscale y\nset offsets graph 0.02, graph 0.02, 0, 0\n";
  if (panel.log_x && panel.log_y)
    script << "set logscale x 2\nset offsets 0, 0, 0, 0\n";
  else if (panel.log_x)
    script << "set logscale x\nset offsets 0, 0, graph 0.06, graph 0.06\nset format x '10^{%L}'\nset rmargin 5\n";
  std::string separator = "plot ";
  for (std::size_t i = 0; i < panel.series.size(); ++i) {
    const Series& series = panel.series[i];
    if (!has_value(series.y)) continue;
    const std::string name = panel.id + "." + std::to_string(i) + ".dat";
    write_data(folder / name, {series.x, series.y});
    script << separator << quoted(name) << " using 1:2 " << style_of(series) << " lc rgb " << colour(series.colour)
           << (series.name.empty() ? " notitle" : " title " + quoted(series.name));
    separator = ", \\\n     ";
  }
  script << (separator == "plot " ? "plot [0:1][0:1] NaN notitle\n" : "\n");
}

/// A round step that leaves three or four tics up to `longest`.
double tick_step(double longest) {
  if (!(longest > 0)) return 1.0;
  const double decade = std::pow(10.0, std::floor(std::log10(longest)));
  for (const double factor : {0.2, 0.5, 1.0})
    if (longest / (factor * decade) <= 3.0) return factor * decade;
  return 2.0 * decade;
}

void script_bars(std::ostream& script, const Panel& panel, const fs::path& folder) {
  const double count = static_cast<double>(panel.categories.size());
  const double thickness = 0.8 / static_cast<double>(panel.bars.size());
  double longest = 0.0;
  std::size_t letters = 8;  // of the longest label, which the range leaves room for
  script << "set yrange [" << count - 0.4 << ":-0.6]\nset ytics (";
  for (std::size_t i = 0; i < panel.categories.size(); ++i)
    script << (i > 0 ? ", " : "") << quoted_tic(panel.categories[i]) << " " << i;
  script << ") scale 0\nset grid noytics\n";
  std::string separator = "plot ";
  std::ostringstream plot;
  for (std::size_t g = 0; g < panel.bars.size(); ++g) {
    const BarGroup& group = panel.bars[g];
    const auto centre = [&](std::size_t i) {
      return static_cast<double>(i) + (static_cast<double>(g) + 0.5) * thickness - 0.4;
    };
    std::vector<std::vector<double>> boxes(6), errors(4);
    for (std::size_t i = 0; i < panel.categories.size(); ++i) {
      if (std::isnan(group.to[i])) continue;
      const double y = centre(i), error = group.error.empty() ? 0.0 : group.error[i];
      const double box[] = {group.to[i], y, group.from[i], group.to[i], y - 0.45 * thickness, y + 0.45 * thickness};
      for (std::size_t column = 0; column < 6; ++column) boxes[column].push_back(box[column]);
      if (error > 0) {
        const double bar[] = {group.to[i], y, group.to[i] - error, group.to[i] + error};
        for (std::size_t column = 0; column < 4; ++column) errors[column].push_back(bar[column]);
      }
      longest = std::max(longest, group.to[i] + error);
      letters = std::max(letters, group.labels[i].size());
      script << "set label " << quoted(group.labels[i]) << " at " << group.to[i] + error << "," << y
             << " left offset 0.6,0 font ',13' front\n";
    }
    if (boxes[0].empty()) continue;
    const std::string name = panel.id + "." + std::to_string(g) + ".dat";
    write_data(folder / name, boxes);
    plot << separator << quoted(name) << " with boxxyerror fs solid 1 noborder lc rgb " << colour(group.colour)
         << (group.name.empty() ? " notitle" : " title " + quoted(group.name));
    separator = ", \\\n     ";
    if (errors[0].empty()) continue;
    write_data(folder / ("e." + name), errors);
    plot << separator << quoted("e." + name) << " with xerrorbars pt 0 lw 1.5 lc rgb " << colour(kInk.rgb)
         << " notitle";
  }
  script << "set xrange [0:" << (longest > 0 ? longest * (0.98 + 0.03 * static_cast<double>(letters)) : 1.0)
         << "]\nset xtics " << tick_step(longest) << "\n";
  script << (separator == "plot " ? "plot NaN notitle" : plot.str()) << "\n";
}

/// Taller where many bars need room.
int height_px(const Panel& panel) {
  std::ptrdiff_t lines = 0;  // of the longest name: rows are of one height
  for (const std::string& category : panel.categories)
    lines = std::max(lines, 1 + std::count(category.begin(), category.end(), '\n'));
  const int row = std::max(20 * static_cast<int>(panel.bars.size()), lines > 1 ? 20 * static_cast<int>(lines) : 0);
  const int height = 120 + row * static_cast<int>(panel.categories.size());
  return std::max(340, height);
}

/// Title on top, below it the key in rows of two, below them the plot: gnuplot alone lets them collide.
void script_head(std::ostream& script, const Panel& panel) {
  std::size_t names = 0;
  for (const Series& series : panel.series) names += !series.name.empty() && has_value(series.y);
  for (const BarGroup& group : panel.bars) names += !group.name.empty();
  const double height = height_px(panel), rows = static_cast<double>((names + 1) / 2);
  script << "set label " << quoted(panel.title) << " at screen 0.5, screen " << 1.0 - 20.0 / height
         << " center textcolor rgb " << colour(kInk.rgb) << "\nset key at screen 0.06, screen " << 1.0 - 32.0 / height
         << " left top vertical Left reverse samplen 1.6 maxrows " << std::max(1.0, rows) << " textcolor rgb "
         << colour(kInk.rgb) << "\nset tmargin at screen " << 1.0 - (44.0 + 19.0 * rows) / height << "\n";
}

void script_panel(std::ostream& script, const Panel& panel, const fs::path& folder) {
  script << "reset\nset border 3 lc rgb " << colour(kInk.rgb) << "\nset tics nomirror out textcolor rgb "
         << colour(kInk.rgb) << "\nset grid lc rgb " << colour(kGrid.rgb) << " lw 1 dt 1\n"
         << "set xlabel " << quoted(panel.x_label) << " textcolor rgb " << colour(kInk.rgb) << "\n"
         << "set ylabel " << quoted(panel.y_label) << " textcolor rgb " << colour(kInk.rgb) << "\n";
  script_head(script, panel);
  if (panel.categories.empty())
    script_curves(script, panel, folder);
  else
    script_bars(script, panel, folder);
}

constexpr const char* kMissing = "gnuplot: no such program; install the Debian package gnuplot-nox";

void run_gnuplot(const fs::path& folder) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  const std::string log = (folder / "log").string(), script = (folder / "script.gp").string();
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  std::string name = "gnuplot", script_argument = script, bare = "-d";  // -d: no settings of the user
  char* arguments[] = {name.data(), bare.data(), script_argument.data(), nullptr};
  pid_t process = 0;
  const int failure = posix_spawnp(&process, "gnuplot", &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failure != 0) throw Error(kMissing);
  int status = 0;
  while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  std::istringstream lines(read_file(log));
  std::string line, message;
  while (std::getline(lines, line))
    if (line.find("line ") != std::string::npos || message.empty()) message = line;
  throw Error("gnuplot failed: " + message + "; check that the Debian package gnuplot-nox 5.4 or later is installed");
}

void draw(std::span<const Panel> panels, const fs::path& folder, bool with_pdf) {
  std::ostringstream script;
  script << "cd " << quoted(folder.string()) << "\nset encoding utf8\n";
  for (const Panel& panel : panels) {
    script << "set terminal svg noenhanced size 480," << height_px(panel) << " font 'sans-serif,14' name "
           << quoted(panel.id) << "\nset output " << quoted(panel.id + ".svg") << "\n";
    script_panel(script, panel, folder);
    if (with_pdf) {
      script << "set terminal pdfcairo noenhanced size 4.8in," << height_px(panel) / 100.0
             << "in font 'sans,10'\nset output " << quoted(panel.id + ".pdf") << "\nreplot\n";
    }
    script << "unset output\n";
  }
  write_text(folder / "script.gp", script.str());
  run_gnuplot(folder);
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

void replace_colour(std::string& svg, const PaletteEntry& entry) {
  char written[32], tight[32], hex[8];
  std::snprintf(written, sizeof written, "rgb(%3u, %3u, %3u)", entry.rgb >> 16, (entry.rgb >> 8) & 255,
                entry.rgb & 255);
  std::snprintf(tight, sizeof tight, "rgb(%u,%u,%u)", entry.rgb >> 16, (entry.rgb >> 8) & 255, entry.rgb & 255);
  std::snprintf(hex, sizeof hex, "#%06x", entry.rgb);
  const std::string property = std::string("var(") + entry.property + ")";
  replace_all(svg, written, property);
  replace_all(svg, tight, property);
  replace_all(svg, hex, property);
}

}  // namespace

bool gnuplot_available() {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  std::string folder;
  while (std::getline(folders, folder, ':'))
    if (access((fs::path(folder) / "gnuplot").c_str(), X_OK) == 0) return true;
  return false;
}

std::vector<std::string> draw_svg(std::span<const Panel> panels) {
  if (!gnuplot_available()) throw Error(kMissing);
  const TemporaryFolder folder;
  draw(panels, folder.path(), false);
  std::vector<std::string> documents;
  for (const Panel& panel : panels) documents.push_back(read_file(folder.path() / (panel.id + ".svg")));
  return documents;
}

void draw_files(std::span<const Panel> panels, const fs::path& folder) {
  if (!gnuplot_available()) throw Error(kMissing);
  const TemporaryFolder scratch;
  draw(panels, scratch.path(), true);
  for (const Panel& panel : panels)
    for (const char* extension : {".svg", ".pdf"})
      write_text(folder / (panel.id + extension), read_file(scratch.path() / (panel.id + extension)));
}

std::string inline_svg(const std::string& document, const std::string& id) {
  const std::size_t start = document.find("<svg");
  if (start == std::string::npos) throw Error("gnuplot: wrote no SVG for " + id + "; check the installation");
  std::string svg = document.substr(start);
  const std::size_t head_end = svg.find('>');
  std::string head = svg.substr(0, head_end);
  for (const char* attribute : {" width=\"", " height=\""}) {
    const std::size_t at = head.find(attribute);
    if (at != std::string::npos) head.erase(at, head.find('"', at + std::string(attribute).size()) + 1 - at);
  }
  svg = head + " role=\"img\" aria-labelledby=\"" + id + "-title\"" + svg.substr(head_end);
  for (const char* name : {" id=\"gnuplot_canvas\"", " id='textbox'", " id='greybox'"}) replace_all(svg, name, "");
  for (const char* name : {"gpDot", "gpPt"}) {
    replace_all(svg, std::string("id='") + name, "id='" + id + "-" + name);
    replace_all(svg, std::string("#") + name, "#" + id + "-" + name);
  }
  for (const PaletteEntry& entry : kPalette) replace_colour(svg, entry);
  replace_colour(svg, kGrid);
  replace_colour(svg, kInk);
  replace_all(svg, "fill=\"black\"", "fill=\"var(--ink)\"");
  replace_all(svg, "color=\"black\"", "color=\"var(--ink)\"");
  return svg;
}

}  // namespace gaincal::report
