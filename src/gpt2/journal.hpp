#pragma once

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "gpt2/window_loss.hpp"

namespace gaincal::gpt2 {

/// Finished windows of a long run beside its output, so that an interrupted run goes on where it ended: a text file of
/// a line per window, each flushed as it comes. A line that a crash cut off counts for nothing.
class LossJournal {
 public:
  /// Reads what is there.
  ///
  /// identity  everything that the numbers depend on, as content_hash gives it
  /// restart   throws away what another run left
  /// Throws    UsageError when the file is of another run and restart is not set, Error when it cannot be written
  LossJournal(std::filesystem::path path, const std::string& identity, bool restart);

  /// Windows of earlier runs.
  std::size_t found() const { return found_; }
  /// The loss of a part's window, where it is known. Safe on any thread.
  std::optional<WindowLoss> find(const std::string& part, std::size_t window) const;
  /// Safe on any thread.
  void add(const std::string& part, std::size_t window, const WindowLoss& loss);
  /// Ends the journal: the output holds everything.
  void remove();

 private:
  std::filesystem::path path_;
  std::size_t found_ = 0;
  std::map<std::string, std::map<std::size_t, WindowLoss>> losses_;  // by part; of earlier runs only
  std::ofstream file_;
  std::mutex mutex_;
};

}  // namespace gaincal::gpt2
