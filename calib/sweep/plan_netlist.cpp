#include "sweep/plan_netlist.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <functional>

#include "core/error.hpp"
#include "core/files.hpp"
#include "core/provenance.hpp"
#include "sweep/plan_axis.hpp"

namespace gaincal::sweep {
namespace fs = std::filesystem;

namespace {

constexpr int kMaxDepth = 40;
constexpr std::size_t kMaxElements = 2'000'000;

bool is_name_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '#';
}

std::string unquoted(std::string text) {
  std::erase_if(text, [](char c) { return c == '"' || c == '\''; });
  return text;
}

std::string without_comment(const std::string& line) {
  const std::size_t first = line.find_first_not_of(" \t");
  if (first == std::string::npos || line[first] == '*') return {};
  std::size_t end = line.find(';');
  for (const std::string_view mark : {" $ ", " // "}) end = std::min(end, line.find(mark));
  return line.substr(first, end == std::string::npos ? end : end - first);
}

/// Calls visit(name, value begin, value end) for each assignment of a `.param` line.
void for_each_assignment(const std::string& line,
                         const std::function<void(const std::string&, std::size_t, std::size_t)>& visit) {
  for (std::size_t equals = line.find('='); equals != std::string::npos;) {
    std::size_t name_end = equals;
    while (name_end > 0 && std::isspace(static_cast<unsigned char>(line[name_end - 1])) != 0) --name_end;
    std::size_t name_begin = name_end;
    while (name_begin > 0 && is_name_character(line[name_begin - 1])) --name_begin;
    std::size_t begin = line.find_first_not_of(" \t", equals + 1);
    if (begin == std::string::npos) return;
    std::size_t end;
    if (line[begin] == '{')
      end = line.find('}', begin);
    else if (line[begin] == '\'' || line[begin] == '"')
      end = line.find(line[begin], begin + 1);
    else
      end = std::min(line.find_first_of(" \t\r", begin), line.size()) - 1;
    end = end == std::string::npos ? line.size() : end + 1;
    visit(lower_case(line.substr(name_begin, name_end - name_begin)), begin, end);
    equals = line.find('=', end);
  }
}

/// Calls edit(line) for each physical line of a top-level `.param`.
void for_each_parameter_line(std::vector<std::string>& lines, const std::function<void(std::string&)>& edit) {
  int depth = 0;
  bool in_param = false;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::size_t first = lines[i].find_first_not_of(" \t");
    if (first == std::string::npos || lines[i][first] == '*') continue;
    if (lines[i][first] != '+') {
      in_param = false;
      if (lines[i][first] != '.') continue;
      const std::string word = first_word(lines[i]);
      if (word == ".subckt") ++depth;
      if (word == ".ends") --depth;
      in_param = depth == 0 && (word == ".param" || word == ".params");
    }
    if (in_param) edit(lines[i]);
  }
}

}  // namespace

std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    if (!lines.back().empty() && lines.back().back() == '\r') lines.back().pop_back();
    begin = end + 1;
  }
  return lines;
}

std::vector<std::string> split_words(const std::string& line) {
  std::vector<std::string> words;
  std::size_t begin = 0;
  while ((begin = line.find_first_not_of(" \t\r", begin)) != std::string::npos) {
    const std::size_t end = std::min(line.find_first_of(" \t\r", begin), line.size());
    words.push_back(line.substr(begin, end - begin));
    begin = end;
  }
  return words;
}

std::string first_word(std::string_view line) {
  const std::size_t begin = std::min(line.find_first_not_of(" \t\r"), line.size());
  const std::size_t end = std::min(line.find_first_of(" \t\r", begin), line.size());
  return lower_case(std::string(line.substr(begin, end - begin)));
}

std::vector<std::string> identifiers(std::string_view text) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < text.size();) {
    if (!is_name_character(text[i])) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (end < text.size() && is_name_character(text[end])) ++end;
    if (std::isdigit(static_cast<unsigned char>(text[i])) == 0)
      names.push_back(lower_case(std::string(text.substr(i, end - i))));
    i = end;
  }
  return names;
}

std::vector<std::string> logical_lines(const std::vector<std::string>& physical) {
  std::vector<std::string> lines;
  bool control = false;
  for (std::size_t i = 1; i < physical.size(); ++i) {
    const std::string line = lower_case(without_comment(physical[i]));
    if (line.empty()) continue;
    const std::string word = first_word(line);
    if (word == ".control") control = true;
    if (word == ".endc") {
      control = false;
      continue;
    }
    if (control) continue;
    if (line.front() == '+' && !lines.empty())
      lines.back().append(" ").append(line, 1);
    else
      lines.push_back(line);
  }
  return lines;
}

NetlistText::NetlistText(const std::string& text, const fs::path& folder, const std::string& name) {
  const std::vector<std::string> lines = split_lines(text);
  const std::string title = lines.empty() ? "* empty" : lines.front();
  text_ = title + "\n";
  known_.push_back(title);
  expand(text, folder, name, 0);
  if (!lib_hash_.empty()) lib_hash_ = content_hash(lib_hash_);
  digest();
  known_.clear();
}

void NetlistText::expand(const std::string& text, const fs::path& folder, const std::string& name, int depth) {
  if (depth > kMaxDepth) throw UsageError(name + ": includes itself; remove the circle");
  const std::vector<std::string> lines = split_lines(text);
  for (std::size_t i = depth == 0 ? 1 : 0; i < lines.size(); ++i) {
    const std::string word = first_word(lines[i]);
    const std::string where = name + ": line " + std::to_string(i + 1);
    const std::vector<std::string> words = word.starts_with(".inc") || word == ".lib"
                                               ? split_words(without_comment(lines[i]))
                                               : std::vector<std::string>();
    if (word == ".end") break;
    if (words.size() >= 2 && (word == ".include" || word == ".inc")) {
      const fs::path file = folder / unquoted(words[1]);
      std::error_code status;
      if (!fs::is_regular_file(file, status))
        throw UsageError(where + ": no include file " + file.string() + "; correct the path");
      expand(read_file(file), file.parent_path(), file.string(), depth + 1);
      continue;
    }
    if (words.size() >= 3 && word == ".lib") {
      const fs::path file = fs::absolute(folder / unquoted(words[1]));
      add_lib(file, lower_case(unquoted(words[2])), where, depth + 1);
      text_ += joined({".lib \"", file.string(), "\" ", words[2], "\n"});
      continue;
    }
    text_ += lines[i] + "\n";
    known_.push_back(lines[i]);
  }
}

void NetlistText::add_lib(const fs::path& file, const std::string& section, const std::string& where, int depth) {
  if (depth > kMaxDepth) throw UsageError(where + ": includes itself; remove the circle");
  std::error_code status;
  if (!fs::is_regular_file(file, status))
    throw UsageError(where + ": no lib file " + file.string() + "; correct the path");
  const std::string content = read_file(file);
  lib_hash_ += content_hash(content) + section;
  bool inside = false, found = false;
  std::string sections;
  for (const std::string& line : split_lines(content)) {
    const std::string word = first_word(line);
    if (!word.starts_with('.')) {
      if (inside) known_.push_back(line);
      continue;
    }
    const std::vector<std::string> words = split_words(without_comment(line));
    if (word == ".lib" && words.size() == 2) {
      const std::string name = lower_case(unquoted(words[1]));
      sections += (sections.empty() ? "" : ", ") + name;
      inside = name == section;
      found = found || inside;
    } else if (word.starts_with(".endl")) {
      inside = false;
    } else if (inside && word == ".lib" && words.size() >= 3) {
      add_lib(file.parent_path() / unquoted(words[1]), lower_case(unquoted(words[2])), file.string(), depth + 1);
    } else if (inside && word.starts_with(".inc") && words.size() >= 2) {
      const fs::path included = file.parent_path() / unquoted(words[1]);
      if (!fs::is_regular_file(included, status))
        throw UsageError(file.string() + ": no include file " + included.string() + "; correct the path");
      const std::string text = read_file(included);
      lib_hash_ += content_hash(text);
      for (const std::string& part : split_lines(text)) known_.push_back(part);
    } else if (inside) {
      known_.push_back(line);
    }
  }
  if (!found)
    throw UsageError(where + ": " + file.string() + " has no section '" + section + "'; choose one of " + sections);
}

void NetlistText::digest() {
  std::vector<std::string> top;
  std::vector<std::string> open;
  for (const std::string& line : logical_lines(known_)) {
    const std::vector<std::string> words = split_words(line);
    if (words.front() == ".subckt" && words.size() > 1) {
      open.push_back(words[1]);
      subcircuits_[words[1]];
    } else if (words.front() == ".ends") {
      if (!open.empty()) open.pop_back();
    } else if (line.front() == '.') {
      if (!open.empty()) continue;
      if (words.front() == ".param" || words.front() == ".params")
        for_each_assignment(line, [&](const std::string& name, std::size_t, std::size_t) { parameters_.insert(name); });
      if (words.front().starts_with(".meas")) meas_.push_back(line.substr(line.find_first_of(" \t") + 1));
    } else {
      (open.empty() ? top : subcircuits_[open.back()]).push_back(line);
    }
  }
  flatten(top, "", 0);
}

void NetlistText::flatten(const std::vector<std::string>& lines, const std::string& path, int depth) {
  if (depth > kMaxDepth || elements_.size() > kMaxElements) return;
  for (const std::string& line : lines) {
    std::vector<std::string> words = split_words(line);
    const std::string own = words.front();
    const std::string name = path.empty()         ? own
                             : own.front() == 'x' ? joined({path, ".", own})
                                                  : joined({own.substr(0, 1), ".", path, ".", own});
    std::string called;
    if (own.front() == 'x')
      for (std::size_t i = 1; i < words.size() && words[i].find('=') == std::string::npos && words[i] != "params:"; ++i)
        if (i + 1 == words.size() || words[i + 1] != "=") called = words[i];
    index_.emplace(name, elements_.size());
    elements_.push_back({name, std::move(words), path.empty()});
    const auto body = subcircuits_.find(called);
    if (body != subcircuits_.end()) flatten(body->second, name, depth + 1);
  }
}

const Element* NetlistText::find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &elements_[found->second];
}

std::string with_parameters(const std::string& text, const std::map<std::string, double>& values) {
  if (values.empty()) return text;
  std::vector<std::string> lines = split_lines(text);
  for_each_parameter_line(lines, [&](std::string& line) {
    std::string edited;
    std::size_t copied = 0;
    for_each_assignment(line, [&](const std::string& name, std::size_t begin, std::size_t end) {
      const auto value = values.find(name);
      if (value == values.end()) return;
      edited += line.substr(copied, begin - copied) + number_text(value->second);
      copied = end;
    });
    if (copied > 0) line = edited + line.substr(copied);
  });
  std::string result;
  for (const std::string& line : lines) result += line + "\n";
  return result;
}

double parameter_value(const std::string& text, const std::string& parameter) {
  std::vector<std::string> lines = split_lines(text);
  std::string found;
  for_each_parameter_line(lines, [&](std::string& line) {
    for_each_assignment(line, [&](const std::string& name, std::size_t begin, std::size_t end) {
      if (name == parameter) found = lower_case(line.substr(begin, end - begin));
    });
  });
  if (found.empty()) throw UsageError("parameter '" + parameter + "': the netlist has none of this name; correct it");
  if (found.front() == '{' || found.front() == '\'') found = found.substr(1, found.size() - 2);
  double value = 0.0;
  const auto [end, status] = std::from_chars(found.data(), found.data() + found.size(), value);
  const std::string suffix = found.substr(static_cast<std::size_t>(end - found.data()));
  static constexpr std::array<std::pair<std::string_view, double>, 11> kSuffixes = {{{"", 1.0},
                                                                                     {"meg", 1e6},
                                                                                     {"f", 1e-15},
                                                                                     {"p", 1e-12},
                                                                                     {"n", 1e-9},
                                                                                     {"u", 1e-6},
                                                                                     {"m", 1e-3},
                                                                                     {"k", 1e3},
                                                                                     {"g", 1e9},
                                                                                     {"t", 1e12},
                                                                                     {"a", 1e-18}}};
  for (const auto& [symbol, factor] : kSuffixes)
    if (status == std::errc() && suffix == symbol) return value * factor;
  throw UsageError("parameter '" + parameter + "': '" + found + "' is no number; write its nominal value as one");
}

}  // namespace gaincal::sweep
