#include "netlist/model_files.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <set>
#include <sstream>

#include "core/error.hpp"
#include "core/files.hpp"
#include "core/provenance.hpp"

namespace gaincal::netlist {
namespace fs = std::filesystem;

namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

std::string unquoted(std::string text) {
  std::erase_if(text, [](char c) { return c == '"' || c == '\''; });
  return text;
}

/// Follows `.include` and `.lib` lines and gathers hashes of what they reach.
class Walk {
 public:
  explicit Walk(std::string where) : where_(std::move(where)) {}

  void visit(const fs::path& file, const std::string& section) {
    if (!seen_.insert(file.string() + "\n" + section).second) return;
    std::error_code status;
    if (!fs::is_regular_file(file, status))
      throw UsageError(where_ + ": no model file " + file.string() + "; correct the path, or install it there");
    const std::string text = read_file(file);
    hashes_ += content_hash(text) + section;
    bool inside = section.empty(), found = inside;
    std::string sections;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      const std::size_t first = line.find_first_not_of(" \t");
      if (first == std::string::npos || line[first] != '.') continue;
      std::istringstream words(line);
      std::string word, argument, second;
      words >> word >> argument >> second;
      word = lower(word);
      const bool comment = second.starts_with('*') || second.starts_with('$') || second.starts_with(';');
      if (word == ".lib" && (second.empty() || comment)) {
        const std::string name = lower(unquoted(argument));
        sections += (sections.empty() ? "" : ", ") + name;
        inside = name == section;
        found = found || inside;
      } else if (word.starts_with(".endl")) {
        inside = section.empty();
      } else if (inside && word == ".lib") {
        visit((file.parent_path() / unquoted(argument)).lexically_normal(), lower(unquoted(second)));
      } else if (inside && word.starts_with(".inc")) {
        visit((file.parent_path() / unquoted(argument)).lexically_normal(), "");
      }
    }
    if (!found)
      throw UsageError(where_ + ": " + file.string() + " has no section '" + section + "'; choose one of " + sections);
  }

  std::string hash() const { return content_hash(hashes_); }

 private:
  std::string where_, hashes_;
  std::set<std::string> seen_;
};

}  // namespace

std::string with_environment(const std::string& text, const std::string& where) {
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] != '$') {
      result += text[i++];
      continue;
    }
    std::string name, otherwise;
    bool has_alternative = false;
    if (i + 1 < text.size() && text[i + 1] == '{') {
      const std::size_t end = text.find('}', i);
      if (end == std::string::npos) throw UsageError(where + ": '" + text + "' has a '${' without '}'; add it");
      name = text.substr(i + 2, end - i - 2);
      const std::size_t mark = name.find(":-");
      has_alternative = mark != std::string::npos;
      if (has_alternative) {
        otherwise = name.substr(mark + 2);
        name.erase(mark);
      }
      i = end + 1;
    } else {
      std::size_t end = i + 1;
      while (end < text.size() && (std::isalnum(static_cast<unsigned char>(text[end])) != 0 || text[end] == '_')) ++end;
      name = text.substr(i + 1, end - i - 1);
      i = end;
    }
    const char* value = std::getenv(name.c_str());
    if (value != nullptr && *value != '\0')
      result += value;
    else if (has_alternative)
      result += otherwise;
    else
      throw UsageError(where + ": the environment has no " + name + "; set it (export " + name +
                       "=...) or write the path");
  }
  return result;
}

std::string model_file_hash(const fs::path& file, const std::string& section, const std::string& where) {
  Walk walk(where);
  walk.visit(file.lexically_normal(), lower(section));
  return walk.hash();
}

}  // namespace gaincal::netlist
