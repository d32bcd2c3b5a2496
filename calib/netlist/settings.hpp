#pragma once

#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/units.hpp"

namespace gaincal::netlist {

/// Inclusive bounds of a setting.
struct Range {
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
};

/// One table of a settings file. Every key must be asked for: `finish` refuses the ones that nobody knew.
///
/// All members throw UsageError naming file, field and remedy: a missing key, a wrong type, a unit that does not fit, a
/// value out of range.
class SettingsTable {
 public:
  /// text       TOML
  /// file_name  begins every message
  static SettingsTable parse(std::string_view text, const std::string& file_name);
  /// overrides  `key=value` each, put in before anything is read. The key is a path such as `conditions.corner`,
  ///            `axis.vgs.points` (the table of a list whose `name` is vgs) or `axis[0].points`. The value takes the
  ///            type that the file has there: text needs no quotation marks where the file has text. Where the file has
  ///            nothing, it is read as TOML, or else as text.
  static SettingsTable parse(std::string_view text, const std::string& file_name,
                             const std::vector<std::string>& overrides);

  bool has(const std::string& key) const;
  /// Whether the key is there and a table.
  bool has_table(const std::string& key) const;

  /// A value with a unit, written as text (`cst = "5fF"`), or a plain number where `unit` is none. SI.
  double quantity(const std::string& key, Unit unit, Range range = {});
  std::size_t count(const std::string& key, std::size_t min, std::size_t max);
  std::string text(const std::string& key);
  /// Text that must be one of `allowed`.
  std::string choice(const std::string& key, const std::vector<std::string>& allowed);
  std::vector<std::string> texts(const std::string& key);
  /// One text or number, or a list of them, as texts; numbers in the shortest form that reads back the same.
  std::vector<std::string> words(const std::string& key);
  bool flag(const std::string& key);
  SettingsTable table(const std::string& key);
  /// `[[key]]`; empty where there is none.
  std::vector<SettingsTable> tables(const std::string& key);
  /// Keys in the order of the alphabet, for tables whose keys are names (corners).
  std::vector<std::string> keys() const;

  /// Throws when a key of this table was never asked for.
  void finish() const;

  /// `file: path.of.key`.
  std::string where(const std::string& key) const;

 private:
  struct Node;
  explicit SettingsTable(std::shared_ptr<Node> node) : node_(std::move(node)) {}
  std::shared_ptr<Node> node_;
};

/// The text of a settings file with other values, everything else of it as it was, comments too. A key that its table
/// lacks becomes the first of it.
///
/// assignments  `table.key=value` as parse() takes them, without lists; a later one of the same key counts
/// Throws       UsageError where the file has no such table, the key holds a table or a list, or the text is no TOML
std::string with_settings(std::string_view text, const std::string& file_name,
                          const std::vector<std::string>& assignments);

}  // namespace gaincal::netlist
