#include "sweep/plan_copies.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include "sweep/plan_axis.hpp"

namespace gaincal::sweep {
namespace {

// Copies that end earlier than the others are simulated for nothing; beyond this the gain (1.4 times) is gone.
constexpr double kMaxLengthRatio = 1.25;

/// One statement with its continuation lines.
struct Statement {
  std::string text;
  std::string word;     ///< lower case
  bool inside = false;  ///< within a subcircuit definition
};

std::vector<Statement> statements(const std::string& text) {
  std::vector<Statement> list;
  int depth = 0;
  bool control = false;
  const std::vector<std::string> lines = split_lines(text);
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::string word = first_word(lines[i]);
    if (word.empty() || word.front() == '*') continue;
    if (word.front() == '+') {
      if (!list.empty() && !control) list.back().text += "\n" + lines[i];
      continue;
    }
    if (word == ".control") control = true;
    const bool skip = control;
    if (word == ".endc") control = false;
    if (skip) continue;
    if (word == ".subckt") ++depth;
    list.push_back({lines[i], word, depth > 0});
    if (word == ".ends") --depth;
  }
  return list;
}

bool uses_any(const std::string& text, const std::set<std::string>& names) {
  const std::vector<std::string> used = identifiers(text);
  return std::any_of(used.begin(), used.end(), [&](const std::string& name) { return names.contains(name); });
}

/// `name=value` of a `.param` statement that holds one assignment.
std::optional<std::pair<std::string, std::string>> assignment(const Statement& statement) {
  const std::size_t equals = statement.text.find('=');
  if (equals == std::string::npos || statement.text.find('=', equals + 1) != std::string::npos ||
      statement.text.find('\n') != std::string::npos)
    return std::nullopt;
  const std::vector<std::string> names = split_words(lower_case(statement.text.substr(0, equals)));
  if (names.size() != 2) return std::nullopt;
  return std::pair{names[1], statement.text.substr(equals + 1)};
}

}  // namespace

std::string device_in_copy(const std::string& device, std::size_t copy) {
  std::string path = "xgc";
  path += std::to_string(copy);
  const std::size_t dot = device.find('.');
  path += '.';
  if (device.front() == 'x') return path.append(device);
  if (dot != std::string::npos) return device.substr(0, dot + 1).append(path).append(device, dot + 1);
  std::string name = device.substr(0, 1);
  name += '.';
  return name.append(path).append(device);
}

std::string name_in_copy(const std::string& vector, std::size_t copy) {
  std::string path = "xgc";
  path += std::to_string(copy);
  path += '.';
  if (vector.starts_with("v(")) {
    std::string name = "v(";
    name += path;
    return name.append(vector, 2);
  }
  if (vector.starts_with("i(")) return joined({"i(", device_in_copy(vector.substr(2, vector.size() - 3), copy), ")"});
  const std::size_t open = vector.find('[');
  if (vector.starts_with('@') && open != std::string::npos)
    return joined({"@", device_in_copy(vector.substr(1, open - 1), copy), vector.substr(open)});
  return vector;
}

std::optional<CopiesDeck> copies_deck(const std::vector<SettingDeck>& decks, const std::vector<std::string>& saved) {
  std::vector<std::vector<Statement>> all;
  for (const SettingDeck& deck : decks) all.push_back(statements(deck.text));
  const std::vector<Statement>& first = all.front();
  std::set<std::string> local;  // parameters of the copy
  std::vector<std::map<std::string, std::string>> own(decks.size());
  for (std::size_t k = 1; k < decks.size(); ++k)
    if (all[k].size() != first.size()) return std::nullopt;
  for (std::size_t i = 0; i < first.size(); ++i) {
    const bool differs =
        std::any_of(all.begin(), all.end(), [&](const auto& list) { return list[i].text != first[i].text; });
    const bool is_analysis = first[i].word == ".tran";
    if (!differs || is_analysis) continue;
    if (first[i].word != ".param" || first[i].inside) return std::nullopt;
    for (std::size_t k = 0; k < all.size(); ++k) {
      const auto value = assignment(all[k][i]);
      if (!value) return std::nullopt;
      local.insert(value->first);
      own[k][value->first] = value->second;
    }
  }
  const std::set<std::string> varied = local;
  for (bool grown = true; grown;) {
    grown = false;
    for (const Statement& statement : first) {
      if (statement.word != ".param" || statement.inside) continue;
      const auto value = assignment(statement);
      if (!value) {
        if (uses_any(statement.text, local)) return std::nullopt;
      } else if (!local.contains(value->first) && uses_any(value->second, local)) {
        grown = local.insert(value->first).second || grown;
      }
    }
  }

  std::string globals, body;
  for (const Statement& statement : first) {
    const std::string& word = statement.word;
    if (statement.inside || word == ".model") {
      if (uses_any(statement.text, local)) return std::nullopt;
      globals += statement.text + "\n";
    } else if (word == ".param") {
      const auto value = assignment(statement);
      const bool is_local = value && local.contains(value->first);
      if (is_local && !varied.contains(value->first)) body += statement.text + "\n";
      if (!is_local) globals += statement.text + "\n";
    } else if (word == ".ic" || word == ".nodeset" || word.front() != '.') {
      body += statement.text + "\n";
    } else if (word != ".tran" && word != ".save" && word != ".end" && word != ".csparam") {
      if (uses_any(statement.text, local)) return std::nullopt;
      globals += statement.text + "\n";
    }
  }

  CopiesDeck deck;
  deck.text = split_lines(decks.front().text).front();
  deck.text.append("; ").append(std::to_string(decks.size())).append(" copies\n").append(globals);
  deck.text += ".subckt gaincal_copy gaincal_ground";
  for (const std::string& name : varied) deck.text.append(" ").append(name).append("=0");
  deck.text += "\n" + body + ".ends\n";
  double longest_s = 0.0, shortest_s = decks.front().t_stop_s;
  std::set<std::string> steps;
  for (std::size_t k = 0; k < decks.size(); ++k) {
    deck.text += "Xgc";
    deck.text += std::to_string(k);
    deck.text += " 0 gaincal_copy";
    for (const auto& [name, value] : own[k]) deck.text.append(" ").append(name).append("=").append(value);
    deck.text += "\n.save";
    for (const std::string& vector : saved) deck.text.append(" ").append(name_in_copy(vector, k));
    deck.text += "\n";
    longest_s = std::max(longest_s, decks[k].t_stop_s);
    shortest_s = std::min(shortest_s, decks[k].t_stop_s);
    deck.stops_s.push_back(decks[k].t_stop_s);
    steps.insert(split_words(decks[k].command).at(1));
    if (decks[k].t_stop_s == longest_s) deck.command = decks[k].command;
  }
  if (steps.size() > 1 || longest_s > kMaxLengthRatio * shortest_s) return std::nullopt;
  return deck;
}

}  // namespace gaincal::sweep
