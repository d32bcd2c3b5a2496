#pragma once

#include <string>
#include <variant>
#include <vector>

#include "report/figure.hpp"

namespace gaincal::report {

/// Text as is; escaped when written.
struct Paragraph {
  std::string text;
  bool is_note = false;  ///< small, below a table
};

/// Sortable table. Cells hold text as shown; what starts with a number sorts by `value` where that is given.
struct DataTable {
  struct Cell {
    Cell(std::string shown) : text(std::move(shown)) {}
    Cell(const char* shown) : text(shown) {}
    Cell(std::string shown, double number) : text(std::move(shown)), value(number), is_number(true) {}
    std::string text;
    double value = 0.0;
    bool is_number = false;
  };
  std::string id;
  std::string caption;
  std::vector<std::string> columns;
  std::vector<std::vector<Cell>> rows;
  std::string csv = {};  ///< for download; empty: the cells as shown
};

/// A part of the report that cannot be shown.
struct Missing {
  std::string what;     ///< "model.h5"
  std::string command;  ///< that makes it
};

/// Long text behind a line that opens it.
struct Details {
  std::string summary;
  std::string text;
};

struct Section {
  std::string id, title;
  std::vector<std::variant<Paragraph, Figure, DataTable, Missing, Details>> blocks = {};
};

/// A figure of merit at the top of the page.
struct Headline {
  std::string value, label, note;
};

struct Page {
  std::string title, subtitle;
  std::vector<Headline> headlines;
  std::vector<Section> sections;
};

/// Text for element content and attributes: & < > " ' become entities.
std::string escape_html(const std::string& text);

/// The cells as shown, comma-separated, with one header line.
std::string csv_of(const DataTable& table);

/// `data:` address of a CSV file.
std::string csv_address(const std::string& csv);

/// One self-contained HTML document. `drawings`: an inline SVG for each panel, in order of appearance.
///
/// Throws  Error when there are fewer drawings than panels
std::string render_page(const Page& page, const std::vector<std::string>& drawings);

/// The panels of a page in order of appearance.
std::vector<Panel> panels_of(const Page& page);

/// Style sheet and script of the page (page_style.cpp).
extern const char* const kStyle;
extern const char* const kScript;

}  // namespace gaincal::report
