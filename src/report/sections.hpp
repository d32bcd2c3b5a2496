#pragma once

// Private to src/report: each function makes one section of the page, with notices for what is missing.
#include <string>
#include <vector>

#include "energy/sheet.hpp"
#include "report/report.hpp"

namespace gaincal::report {

std::vector<Headline> headlines(const Sources& sources);
Section cell_section(const Sources& sources);
Section converter_section(const Sources& sources);
Section memory_section(const Sources& sources);
Section spread_section(const Sources& sources);
Section circuits_section(const Sources& sources);
Section column_section(const Sources& sources);
Section language_section(const Sources& sources);
Section sensitivity_section(const Sources& sources);
Section energy_section(const Sources& sources);
Section comparison_section(const Sources& sources);
Section timing_section(const Sources& sources);
Section scaling_section(const Sources& sources);
Section provenance_section(const Sources& sources);

/// Makes every file of a flow but those of `gaincal sweep` plans and studies.
inline constexpr const char* kFlow = "gaincal flow DESIGN.toml --out DIR";

/// Of lines that differ in one place on an axis, in turn.
inline constexpr Colour kLineColours[] = {Colour::spice,  Colour::held_out,    Colour::table,
                                          Colour::accent, Colour::closed_form, Colour::muted};

/// A fixed number of digits behind the point; "-" for NaN.
std::string fixed_text(double value, int digits);
/// A cell that sorts by its number; "-" without a value where it is NaN.
DataTable::Cell number_cell(double value, int digits);

/// The table of that name, or null when the file or the table is missing.
const store::Table* find_table(const std::optional<store::Dataset>& file, const std::string& name);
/// Words of the first axis of a table, numbers where it has none.
std::vector<std::string> labels_of(const store::Table& table);
/// A quantity of a table, NaN where it has none of that name.
std::vector<double> values_or_none(const store::Table& table, const std::string& name);

BarGroup bars(const std::string& name, Colour colour, const std::vector<double>& values, int digits);
std::vector<double> scaled(std::vector<double> values, double factor);
/// Outline of a histogram in percent of the finite values.
Series histogram(const std::string& name, Colour colour, const std::vector<double>& values, int bins);

/// The sheet as a table, its notes as paragraphs.
void add_sheet(Section& section, const energy::Sheet& sheet);

}  // namespace gaincal::report
