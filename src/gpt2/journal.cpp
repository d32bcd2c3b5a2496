#include "gpt2/journal.hpp"

#include <cmath>
#include <cstdio>
#include <sstream>

#include "core/error.hpp"
#include "core/files.hpp"

namespace gaincal::gpt2 {
namespace {

constexpr const char* kFirstLine = "gaincal losses 1 ";

/// part TAB window TAB nll TAB tokens TAB likeliest; nll in hexadecimal, so that no bit is lost.
std::string line_of(const std::string& part, std::size_t window, const WindowLoss& loss) {
  char numbers[128];
  std::snprintf(numbers, sizeof numbers, "\t%zu\t%a\t%zu\t%zu\n", window, loss.nll, loss.tokens, loss.likeliest);
  return part + numbers;
}

}  // namespace

LossJournal::LossJournal(std::filesystem::path path, const std::string& identity, bool restart)
    : path_(std::move(path)) {
  const std::string first = kFirstLine + identity + "\n";
  std::string kept = first;
  if (std::filesystem::exists(path_)) {
    const std::string text = read_file(path_);
    if (text.starts_with(first)) {
      const std::size_t whole = text.rfind('\n') + 1;
      std::istringstream lines(text.substr(first.size(), whole - first.size()));
      for (std::string line; std::getline(lines, line);) {
        const std::size_t tab = line.find('\t');
        std::size_t window = 0;
        WindowLoss loss;
        if (tab == std::string::npos ||
            std::sscanf(line.c_str() + tab, " %zu %la %zu %zu", &window, &loss.nll, &loss.tokens, &loss.likeliest) != 4)
          throw Error(path_.string() + ": has a line that is no loss; delete it to start again");
        losses_[line.substr(0, tab)][window] = loss;
        ++found_;
      }
      kept = text.substr(0, whole);
    } else if (!restart) {
      throw UsageError(path_.string() +
                       ": was left by a run with other options or files; repeat that one, or --force to start again");
    }
  }
  write_text(path_, kept);  // without a line that was cut off
  file_.open(path_, std::ios::app);
  if (!file_) throw Error(path_.string() + ": cannot be written; check permissions");
}

std::optional<WindowLoss> LossJournal::find(const std::string& part, std::size_t window) const {
  const auto of_part = losses_.find(part);
  if (of_part == losses_.end()) return {};
  const auto found = of_part->second.find(window);
  if (found == of_part->second.end()) return {};
  return found->second;
}

void LossJournal::add(const std::string& part, std::size_t window, const WindowLoss& loss) {
  const std::string line = line_of(part, window, loss);
  const std::lock_guard lock(mutex_);
  file_ << line << std::flush;
  if (!file_) throw Error(path_.string() + ": cannot be written; free some space");
}

void LossJournal::remove() {
  file_.close();
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

}  // namespace gaincal::gpt2
