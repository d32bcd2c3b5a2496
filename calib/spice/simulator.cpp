#include "spice/simulator.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <string_view>

#include "core/error.hpp"
#include "core/units.hpp"
#include "spice/deck.hpp"
#include "spice/ngspice_library.hpp"

namespace gaincal::spice {
namespace {

// A run that was told to stop does so at its next time point.
constexpr std::chrono::seconds kHalt{1};
constexpr std::chrono::milliseconds kLook{50};

// The one instance of this process. libngspice can neither be started twice nor be unloaded, so it outlives Simulator.
struct Instance {
  bool started = false;
  bool in_use = false;
  std::atomic<bool> dead = false;
  std::string version;
  Messages* sink = nullptr;  // where the text of the current call goes
  std::mutex mutex;          // of what follows
  std::condition_variable changed;
  bool running = false;  // a run in ngspice's own thread
};

Instance& instance() {
  static Instance the_instance;
  return the_instance;
}

int take_text(char* text, int, void*) noexcept {
  try {
    if (text != nullptr && instance().sink != nullptr) instance().sink->add(text);
  } catch (...) {  // out of memory: the text is lost, the call goes on
  }
  return 0;
}

int take_status(char*, int, void*) noexcept { return 0; }  // progress in percent

int take_exit(int, NG_BOOL, NG_BOOL, int, void*) noexcept {
  instance().dead = true;
  return 0;
}

int take_thread_state(NG_BOOL ended, int, void*) noexcept {
  try {
    const std::lock_guard lock(instance().mutex);
    instance().running = !ended;
    instance().changed.notify_all();
  } catch (...) {  // who waits looks by himself every kLook
  }
  return 0;
}

/// Whether the run ends within this time.
bool ends_within(std::chrono::duration<double> time) {
  Instance& process = instance();
  std::unique_lock lock(process.mutex);
  const auto until = std::chrono::steady_clock::now() + time;
  while (process.running && !process.dead) {
    if (std::chrono::steady_clock::now() >= until) return false;
    process.changed.wait_for(lock, kLook);
  }
  return true;
}

/// A folder with an empty `.spiceinit`. The same one for all processes of a user, so that those killed while they start
/// leave no trail of folders.
std::filesystem::path empty_settings_folder() {
  std::error_code status;
  const std::filesystem::path temporary = std::filesystem::temp_directory_path(status);
  if (status) throw Error("no folder for temporary files (" + status.message() + "); set TMPDIR to one");
  const std::filesystem::path folder = temporary / ("gaincal-ngspice-" + std::to_string(::getuid()));
  ::mkdir(folder.c_str(), 0700);
  struct stat state {};
  const bool ours = ::lstat(folder.c_str(), &state) == 0 && S_ISDIR(state.st_mode) && state.st_uid == ::getuid() &&
                    (state.st_mode & (S_IWGRP | S_IWOTH)) == 0;
  if (!ours) throw Error(folder.string() + ": is no folder of this user alone; remove it or set TMPDIR");
  const int file = ::open((folder / ".spiceinit").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0)
    throw Error(folder.string() + ": cannot be written (" + std::strerror(errno) + "); remove it or set TMPDIR");
  ::close(file);
  return folder;
}

/// ngspice reads `.spiceinit` where it starts, or else the one in the user's home. This starts it in a folder with an
/// empty one, and returns to the folder before.
class WithoutUserSettings {
 public:
  WithoutUserSettings() : folder_before_(::open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (folder_before_ < 0) throw Error("ngspice: the working folder cannot be read; start in another one");
    try {
      std::filesystem::current_path(empty_settings_folder());
    } catch (...) {
      ::close(folder_before_);
      throw;
    }
  }
  ~WithoutUserSettings() {
    // The folder was ours a moment ago; should it be gone, includes fail with their own message.
    [[maybe_unused]] const int status = ::fchdir(folder_before_);
    ::close(folder_before_);
  }
  WithoutUserSettings(const WithoutUserSettings&) = delete;
  WithoutUserSettings& operator=(const WithoutUserSettings&) = delete;

 private:
  int folder_before_;
};

/// Directs the text of ngspice to one Messages for the time of a call.
class Listening {
 public:
  explicit Listening(Messages& messages) { instance().sink = &messages; }
  ~Listening() { instance().sink = nullptr; }
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;
};

[[noreturn]] void fail(const std::string& what, const Messages& messages) {
  const std::string reason = messages.reason();
  throw Error("ngspice: " + what + ": " + (reason.empty() ? "failed without a message" : reason));
}

// Lines such as "** ngspice-39 shared library" and "** Creation Date: Sun Feb 5 13:44:35 UTC 2023".
std::string version_from(const Messages& messages) {
  const std::string name = messages.line_with("ngspice-");
  const std::string date = messages.line_with("Creation Date:");
  if (name.empty()) return "ngspice of unknown version";
  std::string version = name.substr(name.find("ngspice-"));
  version = version.substr(0, version.find(' '));
  if (!date.empty()) version += " (" + date.substr(date.find(':') + 2) + ")";
  return version;
}

void start(Instance& process) {
  Messages messages;
  const Listening listening(messages);
  const NgspiceLibrary& library = ngspice_library();
  const WithoutUserSettings settings;
  library.init(take_text, take_status, take_exit, nullptr, nullptr, take_thread_state, nullptr);
  process.started = true;
  if (process.dead) fail("start", messages);
  process.version = version_from(messages);
  std::string one_thread = "set num_threads=1";  // before the first circuit, or it keeps the default of two
  library.command(one_thread.data());
}

/// A deck whose models are written for another dialect says so in a line `* ngbehavior hsa`. ngspice takes the setting
/// only before it reads a deck.
std::string behavior_command(const std::vector<std::string>& lines) {
  constexpr std::string_view kMark = "* ngbehavior ";
  for (const std::string& line : lines)
    if (line.starts_with(kMark)) return "set ngbehavior=" + line.substr(kMark.size());
  return "unset ngbehavior";
}

const vector_info* find_vector(const std::string& name, Messages& messages) {
  if (instance().dead) throw Error("ngspice: vector " + name + ": the simulator has stopped; restart the process");
  const Listening listening(messages);
  std::string text = name;
  return ngspice_library().vector_info(text.data());
}

const vector_info& require_vector(const std::string& name) {
  Messages messages;
  const vector_info* info = find_vector(name, messages);
  if (info == nullptr) throw Error("ngspice: no vector " + name + "; check the name and the .save lines");
  if (info->v_length <= 0 || (info->v_realdata == nullptr && info->v_compdata == nullptr))
    throw Error("ngspice: vector " + name + " is empty; the analysis stopped before its first point");
  return *info;
}

bool has_data(const char* plot) {
  if (plot == nullptr || std::string_view(plot) == "const") return false;
  const std::string prefix = std::string(plot) + ".";
  Messages ignored;
  for (char** name = ngspice_library().all_vectors(const_cast<char*>(plot)); name != nullptr && *name != nullptr;
       ++name) {
    const vector_info* info = find_vector(prefix + *name, ignored);
    if (info != nullptr && info->v_length > 0 && (info->v_realdata != nullptr || info->v_compdata != nullptr))
      return true;
  }
  return false;
}

}  // namespace

Simulator::Simulator() {
  Instance& process = instance();
  if (process.in_use) throw Error("ngspice: this process has a simulator already; use one per process");
  if (process.dead) throw Error("ngspice: the simulator of this process has stopped; restart the process");
  if (!process.started) start(process);
  process.in_use = true;
}

Simulator::~Simulator() {
  try {
    if (alive()) {
      drop_vectors();
      drop_circuit();
    }
  } catch (...) {
  }
  instance().in_use = false;
}

bool Simulator::alive() const { return !instance().dead; }

const std::string& Simulator::version() { return instance().version; }

void Simulator::send(const std::string& text, Messages& messages) const {
  if (!alive()) throw Error("ngspice: " + text + ": the simulator has stopped; restart the process");
  if (text.find_first_not_of(" \t") == std::string::npos) throw Error("ngspice: empty command");
  const Listening listening(messages);
  std::string copy = text;
  ngspice_library().command(copy.data());
}

void Simulator::drop_vectors() {
  Messages ignored;
  send("destroy all", ignored);
}

void Simulator::drop_circuit() {
  loaded_ = false;
  if (!circuit_in_memory_) return;
  Messages ignored;
  send("remcirc", ignored);
  circuit_in_memory_ = false;
}

void Simulator::load(const std::string& deck) {
  std::vector<std::string> lines = deck_lines(deck);
  std::vector<char*> pointers;
  for (std::string& line : lines) pointers.push_back(line.data());
  pointers.push_back(nullptr);

  drop_vectors();
  drop_circuit();
  Messages messages;
  send(behavior_command(lines), messages);
  {
    const Listening listening(messages);
    circuit_in_memory_ = true;
    ngspice_library().circuit(pointers.data());
  }
  if (!alive() || messages.report_failure()) fail("deck '" + lines.front() + "'", messages);
  loaded_ = true;
}

void Simulator::run(const std::string& analysis, std::size_t together) {
  drop_vectors();
  Messages messages;
  // Only a transient can be endless and be stopped; a thread for each of the others would cost as much as they do.
  if (point_limit_s_ && analysis.starts_with("tran"))
    run_limited(analysis, *point_limit_s_ * static_cast<double>(together), messages);
  else
    send(analysis, messages);
  if (!alive() || messages.report_failure() || !has_data(ngspice_library().current_plot())) fail(analysis, messages);
}

void Simulator::run_limited(const std::string& analysis, double limit_s, Messages& messages) {
  const Listening listening(messages);
  instance().running = true;  // no thread yet
  std::string start = "bg_" + analysis, halt = "bg_halt";
  ngspice_library().command(start.data());
  if (ends_within(std::chrono::duration<double>(limit_s))) return;
  ngspice_library().command(halt.data());
  // With a thread that does not stop nothing can be done here any more.
  if (!ends_within(kHalt)) instance().dead = true;
  throw Error("ngspice: " + analysis + ": timeout after " + format_quantity(limit_s, Unit::second));
}

void Simulator::command(const std::string& text) {
  Messages messages;
  send(text, messages);
  if (!alive() || messages.report_failure()) fail(text, messages);
}

std::vector<double> Simulator::vector(const std::string& name) const {
  const vector_info& info = require_vector(name);
  if (info.v_realdata == nullptr) throw Error("ngspice: vector " + name + " is complex; read it with complex_vector");
  return {info.v_realdata, info.v_realdata + info.v_length};
}

std::vector<std::complex<double>> Simulator::complex_vector(const std::string& name) const {
  const vector_info& info = require_vector(name);
  std::vector<std::complex<double>> values;
  values.reserve(static_cast<std::size_t>(info.v_length));
  for (int i = 0; i < info.v_length; ++i) {
    if (info.v_compdata != nullptr)
      values.emplace_back(info.v_compdata[i].cx_real, info.v_compdata[i].cx_imag);
    else
      values.emplace_back(info.v_realdata[i], 0.0);
  }
  return values;
}

double Simulator::value(const std::string& name) const { return vector(name).back(); }

}  // namespace gaincal::spice
