#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace gaincal::sweep {

/// A device of a flattened netlist.
struct Element {
  std::string name;                 ///< as ngspice names it: "m1", "m.x1.m1"
  std::vector<std::string> tokens;  ///< of its line, lower case
  bool top = false;                 ///< not inside a subcircuit
};

/// What a plan has to know of a netlist before ngspice sees it: names of parameters and devices, with files included.
/// Expressions are ngspice's business.
class NetlistText {
 public:
  /// text    netlist, first line its title
  /// folder  where relative includes start
  /// name    for messages
  ///
  /// Throws  UsageError naming the path tried when an include or lib file is missing, or a section of a lib file
  NetlistText(const std::string& text, const std::filesystem::path& folder, const std::string& name);

  /// The netlist with included files in place and lib files by their absolute path.
  const std::string& text() const { return text_; }

  /// Top-level `.param` names.
  const std::set<std::string>& parameters() const { return parameters_; }
  /// All devices; subcircuit calls of the top level too.
  const std::vector<Element>& elements() const { return elements_; }
  const Element* find(std::string_view name) const;
  /// `.meas` lines in order, joined and without the first word.
  const std::vector<std::string>& meas_lines() const { return meas_; }
  /// Hash of the lib files, whose content is not in the text.
  const std::string& lib_hash() const { return lib_hash_; }

 private:
  struct Subcircuit;
  void expand(const std::string& text, const std::filesystem::path& folder, const std::string& name, int depth);
  void add_lib(const std::filesystem::path& file, const std::string& section, const std::string& where, int depth);
  void digest();
  void flatten(const std::vector<std::string>& lines, const std::string& path, int depth);

  std::string text_;
  std::vector<std::string> known_;  // physical lines, those of lib files too
  std::map<std::string, std::vector<std::string>> subcircuits_;
  std::set<std::string> parameters_;
  std::vector<Element> elements_;
  std::map<std::string, std::size_t, std::less<>> index_;
  std::vector<std::string> meas_;
  std::string lib_hash_;
};

/// Lines of a netlist with continuations joined and comments gone, lower case; the title and `.control` left out.
std::vector<std::string> logical_lines(const std::vector<std::string>& physical);
std::vector<std::string> split_lines(const std::string& text);
std::vector<std::string> split_words(const std::string& line);
/// In lower case; empty where there is none.
std::string first_word(std::string_view line);
/// Names in an expression.
std::vector<std::string> identifiers(std::string_view text);

/// `text` with other values for top-level `.param`s (names in lower case).
std::string with_parameters(const std::string& text, const std::map<std::string, double>& values);

/// Value of a top-level `.param` that is a plain number; SPICE suffixes are understood.
///
/// Throws  UsageError when it is an expression or missing
double parameter_value(const std::string& text, const std::string& parameter);

}  // namespace gaincal::sweep
