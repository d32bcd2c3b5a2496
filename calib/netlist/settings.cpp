#include "netlist/settings.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <set>
#include <sstream>

#include "core/error.hpp"

namespace gaincal::netlist {

struct SettingsTable::Node {
  std::shared_ptr<toml::table> document;  // keeps the tables alive
  toml::table* table = nullptr;
  std::string file_name;
  std::string path;  // "cell." inside [cell]
  std::set<std::string> known;

  /// The value of a key that must be there.
  toml::node& at(const std::string& key) {
    known.insert(key);
    toml::node* value = table->get(key);
    if (value == nullptr) throw UsageError(file_name + ": " + path + key + ": missing; add it");
    return *value;
  }
};

namespace {

std::string shortest(double value) {
  char buffer[40];
  const auto [end, status] = std::to_chars(buffer, buffer + sizeof buffer, value);
  return {buffer, end};
}

toml::table parse_toml(std::string_view text, const std::string& file_name) {
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& failure) {
    throw UsageError(file_name + ": line " + std::to_string(failure.source().begin.line) + ": " +
                     std::string(failure.description()) + "; correct the TOML");
  }
}

/// `value = ..` of an assignment as a document, or nothing where it is no TOML.
std::optional<toml::table> value_as_toml(const std::string& value) {
  try {
    return toml::parse("value = " + value);
  } catch (const toml::parse_error&) {
    return std::nullopt;
  }
}

/// Whether an assignment to a text brings TOML of its own.
bool brings_toml(const std::string& value) { return value.starts_with('"') || value.starts_with('['); }

/// The value of an assignment as it is written into a file.
std::string value_text(const std::string& value, bool is_text) {
  if ((brings_toml(value) || !is_text) && value_as_toml(value)) return value;
  std::ostringstream text;
  const toml::value<std::string> node(value);
  text << toml::toml_formatter(node, toml::format_flags::none);  // in double quotes
  return text.str();
}

/// The item of a list that a step of a path names: by its `name`, or by its number.
toml::node* list_item(toml::array& list, const std::string& step) {
  for (toml::node& item : list)
    if (item.is_table() && item.as_table()->operator[]("name").value_or(std::string()) == step) return &item;
  std::size_t index = 0;
  const auto [end, status] = std::from_chars(step.data(), step.data() + step.size(), index);
  const bool whole = status == std::errc() && end == step.data() + step.size();
  return whole && index < list.size() ? list.get(index) : nullptr;
}

/// Puts `a.b=value` into a document.
void override_value(toml::table& document, const std::string& text, const std::string& file_name) {
  const std::size_t equals = text.find('=');
  const std::string where = file_name + ": --set " + text;
  if (equals == std::string::npos || equals == 0) throw UsageError(where + ": no key=value; write key=value");
  std::string path = text.substr(0, equals);
  const std::string value = text.substr(equals + 1);
  std::replace(path.begin(), path.end(), '[', '.');
  std::erase(path, ']');
  toml::node* place = &document;
  std::size_t begin = 0;
  for (std::size_t dot; (dot = path.find('.', begin)) != std::string::npos; begin = dot + 1) {
    const std::string step = path.substr(begin, dot - begin);
    if (place->is_table() && !place->as_table()->contains(step)) place->as_table()->insert(step, toml::table{});
    place = place->is_table()   ? place->as_table()->get(step)
            : place->is_array() ? list_item(*place->as_array(), step)
                                : nullptr;
    if (place == nullptr) throw UsageError(where + ": there is no '" + step + "'; correct the key");
  }
  if (!place->is_table()) throw UsageError(where + ": does not end in a key of a table; correct the key");
  toml::table& table = *place->as_table();
  const std::string key = path.substr(begin);
  const bool is_text = table.contains(key) && table.get(key)->is_string();
  std::optional<toml::table> parsed;
  if (!is_text || brings_toml(value)) parsed = value_as_toml(value);
  if (!parsed) parsed = toml::table{{"value", value}};
  table.insert_or_assign(key, std::move(*parsed->get("value")));
}

}  // namespace

SettingsTable SettingsTable::parse(std::string_view text, const std::string& file_name) {
  return parse(text, file_name, {});
}

SettingsTable SettingsTable::parse(std::string_view text, const std::string& file_name,
                                   const std::vector<std::string>& overrides) {
  auto node = std::make_shared<Node>();
  node->document = std::make_shared<toml::table>(parse_toml(text, file_name));
  for (const std::string& assignment : overrides) override_value(*node->document, assignment, file_name);
  node->table = node->document.get();
  node->file_name = file_name;
  return SettingsTable(node);
}

std::string SettingsTable::where(const std::string& key) const { return node_->file_name + ": " + node_->path + key; }

bool SettingsTable::has(const std::string& key) const { return node_->table->contains(key); }

bool SettingsTable::has_table(const std::string& key) const {
  const toml::node* value = node_->table->get(key);
  return value != nullptr && value->is_table();
}

double SettingsTable::quantity(const std::string& key, Unit unit, Range range) {
  const toml::node& value = node_->at(key);
  double number = 0.0;
  if (value.is_string()) {
    number = parse_quantity(value.as_string()->get(), unit, where(key));
  } else if (unit == Unit::none && value.is_number()) {
    number = value.value<double>().value();
  } else {
    throw UsageError(where(key) + ": " +
                     (unit == Unit::none
                          ? "is no number; write one"
                          : "has no unit; write text such as \"1.5 " + std::string(unit_symbol(unit)) + "\""));
  }
  if (!(number >= range.min && number <= range.max))
    throw UsageError(where(key) + ": " + format_quantity(number, unit) + " is out of range; choose between " +
                     format_quantity(range.min, unit) + " and " + format_quantity(range.max, unit));
  return number;
}

std::size_t SettingsTable::count(const std::string& key, std::size_t min, std::size_t max) {
  const toml::node& value = node_->at(key);
  if (!value.is_integer()) throw UsageError(where(key) + ": is no whole number; write one");
  const std::int64_t number = value.as_integer()->get();
  if (number < static_cast<std::int64_t>(min) || number > static_cast<std::int64_t>(max))
    throw UsageError(where(key) + ": " + std::to_string(number) + " is out of range; choose between " +
                     std::to_string(min) + " and " + std::to_string(max));
  return static_cast<std::size_t>(number);
}

std::string SettingsTable::text(const std::string& key) {
  const toml::node& value = node_->at(key);
  if (!value.is_string()) throw UsageError(where(key) + ": is no text; put it in quotation marks");
  if (value.as_string()->get().empty()) throw UsageError(where(key) + ": is empty; write a name");
  return value.as_string()->get();
}

std::string SettingsTable::choice(const std::string& key, const std::vector<std::string>& allowed) {
  const std::string word = text(key);
  if (std::find(allowed.begin(), allowed.end(), word) != allowed.end()) return word;
  std::string list;
  for (const std::string& option : allowed) list += (list.empty() ? "" : ", ") + option;
  throw UsageError(where(key) + ": '" + word + "' is unknown; choose one of " + list);
}

std::vector<std::string> SettingsTable::texts(const std::string& key) {
  const toml::node& value = node_->at(key);
  if (!value.is_array()) throw UsageError(where(key) + ": is no list; write [\"...\"]");
  std::vector<std::string> words;
  for (const toml::node& item : *value.as_array()) {
    if (!item.is_string()) throw UsageError(where(key) + ": holds something that is no text; use quotation marks");
    words.push_back(item.as_string()->get());
  }
  return words;
}

std::vector<std::string> SettingsTable::words(const std::string& key) {
  const toml::node& value = node_->at(key);
  std::vector<std::string> result;
  const auto add = [&](const toml::node& item) {
    if (item.is_string())
      result.push_back(item.as_string()->get());
    else if (item.is_number())
      result.push_back(shortest(item.value<double>().value()));
    else
      throw UsageError(where(key) + ": holds something that is neither text nor number; write [\"1.5u\", ...]");
  };
  if (value.is_array())
    for (const toml::node& item : *value.as_array()) add(item);
  else
    add(value);
  return result;
}

bool SettingsTable::flag(const std::string& key) {
  const toml::node& value = node_->at(key);
  if (!value.is_boolean()) throw UsageError(where(key) + ": is neither true nor false; write one of them");
  return value.as_boolean()->get();
}

SettingsTable SettingsTable::table(const std::string& key) {
  toml::node& value = node_->at(key);
  if (!value.is_table()) throw UsageError(where(key) + ": is no table; write [" + node_->path + key + "]");
  auto node =
      std::make_shared<Node>(Node{node_->document, value.as_table(), node_->file_name, node_->path + key + ".", {}});
  return SettingsTable(node);
}

std::vector<SettingsTable> SettingsTable::tables(const std::string& key) {
  std::vector<SettingsTable> result;
  if (!has(key)) return result;
  toml::node& value = node_->at(key);
  if (!value.is_array()) throw UsageError(where(key) + ": is no list of tables; write [[" + node_->path + key + "]]");
  for (toml::node& item : *value.as_array()) {
    if (!item.is_table()) throw UsageError(where(key) + ": is no list of tables; write [[" + node_->path + key + "]]");
    const std::string path = node_->path + key + "[" + std::to_string(result.size()) + "].";
    auto node = std::make_shared<Node>(Node{node_->document, item.as_table(), node_->file_name, path, {}});
    result.push_back(SettingsTable(node));
  }
  return result;
}

std::vector<std::string> SettingsTable::keys() const {
  std::vector<std::string> names;
  for (const auto& [key, value] : *node_->table) names.emplace_back(key.str());
  std::sort(names.begin(), names.end());
  return names;
}

void SettingsTable::finish() const {
  for (const std::string& key : keys()) {
    if (node_->known.contains(key)) continue;
    std::string list;
    for (const std::string& option : node_->known) list += (list.empty() ? "" : ", ") + option;
    throw UsageError(where(key) + ": unknown key; remove it or use one of " + list);
  }
}

std::string with_settings(std::string_view text, const std::string& file_name,
                          const std::vector<std::string>& assignments) {
  std::string edited(text);
  for (const std::string& assignment : assignments) {
    const std::size_t equals = assignment.find('=');
    const std::string key = assignment.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : assignment.substr(equals + 1);
    const toml::table document = parse_toml(edited, file_name);
    const auto refuse = [&](const std::string& why) -> UsageError {
      return UsageError(file_name + ": " + assignment + ": " + why);
    };
    // Where something stands, as the parser saw it: lines and code points count from 1, an end is behind it.
    const auto place = [&](const toml::source_position& at) {
      const auto inside = [&](std::size_t i) {
        return i < edited.size() && (static_cast<unsigned char>(edited[i]) & 0xC0) == 0x80;
      };
      std::size_t begin = 0;
      for (toml::source_index line = 1; line < at.line; ++line) begin = edited.find('\n', begin) + 1;
      for (toml::source_index column = 1; column < at.column; ++column)
        for (++begin; inside(begin);) ++begin;
      return begin;
    };
    if (const toml::node* old = document.at_path(key).node()) {
      if (old->is_table() || old->is_array()) throw refuse("the file holds no single value there; edit it there");
      const std::size_t begin = place(old->source().begin);
      edited.replace(begin, place(old->source().end) - begin, value_text(value, old->is_string()));
      continue;
    }
    const std::size_t dot = key.rfind('.');
    const toml::node* table = dot == std::string::npos ? nullptr : document.at_path(key.substr(0, dot)).node();
    const std::size_t heading = table != nullptr && table->is_table() ? place(table->source().begin) : edited.size();
    const std::size_t end = edited.find('\n', heading);
    if (end == std::string::npos || edited[heading] != '[')
      throw refuse("the file has no such table; add it there first");
    edited.insert(end + 1, key.substr(dot + 1) + " = " + value_text(value, false) + "\n");
  }
  parse_toml(edited, file_name);
  return edited;
}

}  // namespace gaincal::netlist
