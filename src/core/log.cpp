#include "core/log.hpp"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>

namespace gaincal {
namespace {

/// "41 s", "12 min", "3.4 h": what is left of a long run is read by people.
std::string time_left(double seconds) {
  char text[32];
  if (seconds < 120)
    std::snprintf(text, sizeof text, "%.0f s", seconds);
  else if (seconds < 7200)
    std::snprintf(text, sizeof text, "%.0f min", seconds / 60);
  else
    std::snprintf(text, sizeof text, "%.1f h", seconds / 3600);
  return text;
}

}  // namespace

void log_info(std::string_view message) {
  std::fprintf(stderr, "%.*s\n", static_cast<int>(message.size()), message.data());
}

void log_warning(std::string_view message) {
  std::fprintf(stderr, "warning: %.*s\n", static_cast<int>(message.size()), message.data());
}

double monotonic_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Progress::Progress(std::string label, std::size_t total)
    : label_(std::move(label)), total_(total), start_s_(monotonic_seconds()), terminal_(isatty(STDERR_FILENO) == 1) {
  last_print_s_ = start_s_;
}

Progress::~Progress() {
  if (done_ > 0) print(true);
}

void Progress::report(std::size_t done, std::size_t failed) {
  done_ = done;
  failed_ = failed;
  const double interval_s = terminal_ ? 0.2 : 10.0;
  const double now_s = monotonic_seconds();
  if (now_s - last_print_s_ < interval_s) return;
  last_print_s_ = now_s;
  print(false);
}

void Progress::print(bool last) {
  const double elapsed_s = monotonic_seconds() - start_s_;
  const double rate = elapsed_s > 0 ? static_cast<double>(done_) / elapsed_s : 0.0;
  const double left_s = rate > 0 ? static_cast<double>(total_ - done_) / rate : 0.0;
  std::fprintf(stderr, "%s%s: %zu/%zu", terminal_ ? "\r\033[K" : "", label_.c_str(), done_, total_);
  if (failed_ > 0) std::fprintf(stderr, ", %zu failed", failed_);
  std::fprintf(stderr, ", %.3g/s", rate);
  if (last)
    std::fprintf(stderr, ", %.1f s\n", elapsed_s);
  else
    std::fprintf(stderr, ", %s left%s", time_left(left_s).c_str(), terminal_ ? "" : "\n");
  std::fflush(stderr);
}

}  // namespace gaincal
