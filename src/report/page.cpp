#include "report/page.hpp"

#include <cmath>
#include <iomanip>
#include <sstream>

#include "core/error.hpp"

namespace gaincal::report {
namespace {

constexpr std::size_t kLongText = 40;  // such a cell keeps a width that can be read, and the table scrolls

class Writer {
 public:
  Writer(std::ostream& stream, const std::vector<std::string>& drawings) : stream_(stream), drawings_(drawings) {}

  void operator()(const Paragraph& paragraph) {
    stream_ << (paragraph.is_note ? "<p class=\"note\">" : "<p>") << escape_html(paragraph.text) << "</p>\n";
  }

  void operator()(const Missing& missing) {
    stream_ << "<p class=\"missing\"><strong>Not here: " << escape_html(missing.what)
            << ".</strong> Make it with <code>" << escape_html(missing.command) << "</code>.</p>\n";
  }

  void operator()(const Details& details) {
    stream_ << "<details><summary>" << escape_html(details.summary) << "</summary><pre>" << escape_html(details.text)
            << "</pre></details>\n";
  }

  void operator()(const Figure& figure) {
    stream_ << "<figure>\n<div class=\"panels\">\n";
    for (const Panel& panel : figure.panels) {
      if (next_ >= drawings_.size()) throw Error("report: more panels than drawings; draw every panel of the page");
      const std::string id = escape_html(panel.id);
      stream_ << "<div class=\"panel\" id=\"" << id << "\"><span class=\"sr\" id=\"" << id << "-title\">"
              << escape_html(panel.title) << "</span>\n"
              << drawings_[next_++] << "<a class=\"csv\" download=\"" << id << ".csv\" href=\""
              << csv_address(csv_of(panel)) << "\">CSV</a></div>\n";
    }
    stream_ << "</div>\n<figcaption>" << escape_html(figure.caption) << "</figcaption>\n</figure>\n";
  }

  void operator()(const DataTable& table) {
    stream_ << "<p class=\"caption\" id=\"" << escape_html(table.id) << "-caption\">" << escape_html(table.caption)
            << " <a class=\"table-csv\" download=\"" << escape_html(table.id) << ".csv\" href=\""
            << csv_address(table.csv.empty() ? csv_of(table) : table.csv)
            << "\">CSV</a></p>\n<div class=\"scroll\" tabindex=\"0\"><table id=\"" << escape_html(table.id)
            << "\" aria-labelledby=\"" << escape_html(table.id) << "-caption\">\n<thead><tr>";
    for (const std::string& column : table.columns)
      stream_ << "<th scope=\"col\"><button type=\"button\">" << escape_html(column) << "</button></th>";
    stream_ << "</tr></thead>\n<tbody>\n";
    for (const auto& row : table.rows) {
      stream_ << "<tr>";
      for (const DataTable::Cell& cell : row) {
        stream_ << "<td";
        if (cell.is_number) stream_ << " class=\"n\"";
        if (!cell.is_number && cell.text.size() > kLongText) stream_ << " class=\"long\"";
        if (cell.is_number && !std::isnan(cell.value))
          stream_ << " data-v=\"" << std::setprecision(12) << cell.value << "\"";
        stream_ << ">" << escape_html(cell.text) << "</td>";
      }
      stream_ << "</tr>\n";
    }
    stream_ << "</tbody></table></div>\n";
  }

 private:
  std::ostream& stream_;
  const std::vector<std::string>& drawings_;
  std::size_t next_ = 0;
};

}  // namespace

std::string escape_html(const std::string& text) {
  std::string result;
  for (const char letter : text) {
    switch (letter) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += letter;
    }
  }
  return result;
}

std::string csv_of(const DataTable& table) {
  std::ostringstream text;
  const auto line = [&](const auto& cells, const auto& text_of) {
    const char* separator = "";
    for (const auto& cell : cells) {
      text << separator << csv_quoted(text_of(cell));
      separator = ",";
    }
    text << "\n";
  };
  line(table.columns, [](const std::string& name) { return name; });
  for (const auto& row : table.rows) line(row, [](const DataTable::Cell& cell) { return cell.text; });
  return text.str();
}

std::string csv_address(const std::string& csv) {
  static const char digits[] = "0123456789ABCDEF";
  std::string result = "data:text/csv;charset=utf-8,";
  for (const char letter : csv) {
    const auto byte = static_cast<unsigned char>(letter);
    const bool plain = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                       byte == '.' || byte == ',' || byte == '-' || byte == '_';
    if (plain)
      result += letter;
    else
      result += {'%', digits[byte >> 4], digits[byte & 15]};
  }
  return result;
}

std::vector<Panel> panels_of(const Page& page) {
  std::vector<Panel> panels;
  for (const Section& section : page.sections)
    for (const auto& block : section.blocks)
      if (const auto* figure = std::get_if<Figure>(&block))
        panels.insert(panels.end(), figure->panels.begin(), figure->panels.end());
  return panels;
}

std::string render_page(const Page& page, const std::vector<std::string>& drawings) {
  std::ostringstream html;
  html << "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
       << "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
       << "<meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n<title>"
       << escape_html(page.title) << "</title>\n<style>\n"
       << kStyle << "</style>\n</head>\n<body>\n<header>\n<h1>" << escape_html(page.title) << "</h1>\n<p>"
       << escape_html(page.subtitle) << "</p>\n</header>\n<nav aria-label=\"Sections\">";
  for (const Section& section : page.sections)
    html << "<a href=\"#" << escape_html(section.id) << "\">" << escape_html(section.title) << "</a>";
  html << "</nav>\n<main>\n";
  if (!page.headlines.empty()) {
    html << "<div class=\"headlines\">\n";
    for (const Headline& headline : page.headlines)
      html << "<div><b>" << escape_html(headline.value) << "</b><span>" << escape_html(headline.label)
           << "</span><small>" << escape_html(headline.note) << "</small></div>\n";
    html << "</div>\n";
  }
  Writer writer(html, drawings);
  for (const Section& section : page.sections) {
    html << "<section id=\"" << escape_html(section.id) << "\">\n<h2>" << escape_html(section.title) << "</h2>\n";
    for (const auto& block : section.blocks) std::visit(writer, block);
    html << "</section>\n";
  }
  html << "</main>\n<script>\n" << kScript << "</script>\n</body>\n</html>\n";
  return html.str();
}

}  // namespace gaincal::report
