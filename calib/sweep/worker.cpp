#include "sweep/worker.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <limits>
#include <memory>
#include <new>
#include <string_view>

#include "core/error.hpp"
#include "core/log.hpp"

namespace gaincal::sweep {
namespace {

// The two sides are the same program, so numbers travel as they are in memory.
struct TaskHeader {
  std::uint64_t number;
  std::uint64_t points;  // that many numbers follow
  std::uint64_t one_by_one;
};
struct ReportHeader {
  std::uint64_t task;
  std::uint64_t point;
  double seconds;
  WorkerReport::Kind kind;
  std::int32_t rung;
  std::uint32_t values;      // that many doubles follow,
  std::uint32_t text_bytes;  // then the text
};

constexpr std::size_t kMaxText = 1000;
constexpr std::size_t kMaxPrinted = 64 * 1024;
// Reports travel together where points are fast: a system call for each would cost as much as the point.
constexpr std::size_t kReportBytes = 32 * 1024;
constexpr double kReportEvery_s = 0.02;

// ---- the worker's side ----

void receive_all(int socket, void* data, std::size_t bytes) {
  for (std::size_t got = 0; got < bytes;) {
    const ssize_t now = ::recv(socket, static_cast<char*>(data) + got, bytes - got, 0);
    if (now < 0 && errno == EINTR) continue;
    if (now <= 0) ::_exit(0);  // no more tasks, or no driver
    got += static_cast<std::size_t>(now);
  }
}

Task receive_task(int socket) {
  TaskHeader header{};
  receive_all(socket, &header, sizeof header);
  std::vector<std::uint64_t> numbers(header.points);
  receive_all(socket, numbers.data(), numbers.size() * sizeof(std::uint64_t));
  Task task;
  task.number = header.number;
  task.points.assign(numbers.begin(), numbers.end());
  task.one_by_one = header.one_by_one != 0;
  return task;
}

std::string one_line(std::string text) {
  for (char& c : text)
    if (c == '\n' || c == '\r' || c == '\t') c = ' ';
  return text.empty() ? "failed without a reason" : text;
}

std::uint64_t resident_kB_of(const std::string& process) {
  unsigned long total = 0, resident = 0;
  std::FILE* file = std::fopen(("/proc/" + process + "/statm").c_str(), "re");
  if (file == nullptr) return 0;
  const int fields = std::fscanf(file, "%lu %lu", &total, &resident);
  std::fclose(file);
  return fields == 2 ? resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) / 1024 : 0;
}

/// The loop of a worker process.
class Server {
 public:
  Server(int socket, WorkerState& state, const SimulatePoints& simulate, std::size_t values_per_point,
         double point_limit_s)
      : socket_(socket),
        state_(state),
        simulate_(simulate),
        values_per_point_(values_per_point),
        point_limit_s_(point_limit_s) {}

  [[noreturn]] void serve() {
    start();
    for (;;) {
      const Task task = receive_task(socket_);
      task_ = task.number;
      state_.emitted = 0;
      begin_point();
      state_.task = task.number;
      bool whole = true;
      if (task.one_by_one)
        for (const std::size_t& point : task.points) simulate({&point, 1});
      else
        whole = simulate(task.points);
      state_.resident_kB = resident_kB_of("self");
      state_.task = 0;
      if (whole) report(WorkerReport::Kind::task_done, {});
      flush();
    }
  }

 private:
  void start() {
    try {
      simulator_ = std::make_unique<spice::Simulator>();
      simulator_->limit_points(point_limit_s_);
    } catch (const std::exception& failure) {
      report(WorkerReport::Kind::cannot_start, one_line(failure.what()));
      flush();
      ::_exit(0);
    }
    state_.resident_kB = resident_kB_of("self");
    report(WorkerReport::Kind::ready, spice::Simulator::version());
    flush();
  }

  void begin_point() {
    ::lseek(STDERR_FILENO, 0, SEEK_SET);
    began_s_ = monotonic_seconds();
    state_.since_s = began_s_;
  }

  bool simulate(std::span<const std::size_t> points) {
    std::size_t emitted = 0;
    std::string reason;
    try {
      simulate_(*simulator_, points, [&](JobPoint point) {
        if (emitted == points.size()) throw Error("more results than points");
        ++emitted;
        take(std::move(point), points.size() == 1);
      });
      if (emitted < points.size()) reason = "the simulation gave no result for the point";
    } catch (const std::exception& failure) {
      reason = one_line(failure.what());
    } catch (...) {
      reason = "an exception of unknown type";
    }
    if (reason.empty() && simulator_->alive()) return true;
    if (reason.empty()) reason = "the simulator has stopped";
    if (points.size() == 1 && emitted == 0) {
      JobPoint failed;
      failed.point = points.front();
      failed.failure = reason;
      take(std::move(failed), true);
    }
    if (!simulator_->alive()) give_up(reason);
    if (points.size() == 1) return true;
    report(WorkerReport::Kind::task_broken, reason);
    return false;
  }

  void take(JobPoint point, bool alone) {
    check(point);
    // Of a list, what comes after the simulator's end says nothing about its points.
    if (!simulator_->alive() && !alone) give_up(point.failure);
    if (point.seconds <= 0) point.seconds = monotonic_seconds() - began_s_;
    append({WorkerReport::Kind::point, task_, std::move(point), {}});
    if (alone || outgoing_.size() > kReportBytes || monotonic_seconds() - sent_s_ > kReportEvery_s) flush();
    ++state_.emitted;
    begin_point();
  }

  void check(JobPoint& point) const {
    if (point.failure.empty()) {
      if (point.values.size() != values_per_point_)
        point.failure = "the measures gave " + std::to_string(point.values.size()) + " values instead of " +
                        std::to_string(values_per_point_);
      for (std::size_t i = 0; i < point.values.size() && point.failure.empty(); ++i)
        if (!std::isfinite(point.values[i]))
          point.failure = "value " + std::to_string(i) + " of " + std::to_string(point.values.size()) +
                          " is not finite (" + std::to_string(point.values[i]) + ")";
      if (point.failure.empty() && !simulator_->alive()) point.failure = "the simulator has stopped";
    } else {
      point.failure = one_line(point.failure);
    }
    // One NaN, whatever its sign: the data are compared by their bytes.
    constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
    if (!point.failure.empty() && point.values.size() != values_per_point_)
      point.values.assign(values_per_point_, kNaN);
    for (double& value : point.values)
      if (std::isnan(value)) value = kNaN;
  }

  [[noreturn]] void give_up(const std::string& reason) {
    report(WorkerReport::Kind::gave_up, reason.empty() ? "the simulator has stopped" : reason);
    flush();
    ::_exit(0);
  }

  void report(WorkerReport::Kind kind, const std::string& text) { append({kind, task_, {}, text}); }

  void append(const WorkerReport& report) {
    const std::string& words = report.kind == WorkerReport::Kind::point ? report.point.failure : report.text;
    const std::string_view text = std::string_view(words).substr(0, kMaxText);
    const ReportHeader header{report.task,
                              report.point.point,
                              report.point.seconds,
                              report.kind,
                              report.point.rung,
                              static_cast<std::uint32_t>(report.point.values.size()),
                              static_cast<std::uint32_t>(text.size())};
    outgoing_.append(reinterpret_cast<const char*>(&header), sizeof header);
    outgoing_.append(reinterpret_cast<const char*>(report.point.values.data()), header.values * sizeof(double));
    outgoing_.append(text);
  }

  void flush() {
    for (std::size_t sent = 0; sent < outgoing_.size();) {
      const ssize_t now = ::send(socket_, outgoing_.data() + sent, outgoing_.size() - sent, MSG_NOSIGNAL);
      if (now < 0 && errno == EINTR) continue;
      if (now < 0) ::_exit(0);  // the driver is gone
      sent += static_cast<std::size_t>(now);
    }
    outgoing_.clear();
    sent_s_ = monotonic_seconds();
  }

  int socket_;
  WorkerState& state_;
  const SimulatePoints& simulate_;
  std::size_t values_per_point_;
  double point_limit_s_;
  std::unique_ptr<spice::Simulator> simulator_;
  std::uint64_t task_ = 0;
  double began_s_ = 0.0;
  double sent_s_ = 0.0;
  std::string outgoing_;
};

/// Signals as a fresh program has them, except that Ctrl-C and hanging up are the driver's affair; no core files;
/// nothing on the terminal; no descriptor of the driver but `socket`; a death with the driver's.
void settle_in(pid_t driver, int printed, int socket) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != driver) ::_exit(0);
  for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTERM, SIGALRM, SIGCHLD})
    std::signal(number, SIG_DFL);
  std::signal(SIGHUP, SIG_IGN);  // the driver may be there to survive it
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGINT);
  ::sigprocmask(SIG_SETMASK, &blocked, nullptr);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  const int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(printed, STDOUT_FILENO);
  ::dup2(printed, STDERR_FILENO);
  // A worker that held the driver's ends of others would keep them from seeing the driver go, and one that held its
  // lock would keep a resumed run out.
  ::close_range(STDERR_FILENO + 1, static_cast<unsigned>(socket) - 1, 0);
  ::close_range(static_cast<unsigned>(socket) + 1, ~0U, 0);
}

// ---- the driver's side ----

/// A file in memory that cannot grow, so that a worker that prints without end fills no memory.
int open_printed() {
  const int file = ::memfd_create("worker output", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (file < 0 || ::ftruncate(file, kMaxPrinted) != 0 || ::fcntl(file, F_ADD_SEALS, F_SEAL_GROW) != 0) {
    const std::string reason = std::strerror(errno);
    if (file >= 0) ::close(file);
    throw Error("worker process: no memory file for its output (" + reason + "); free memory or file descriptors");
  }
  return file;
}

/// The line that says most of what a process printed for its last point: one that names an error, else the last one.
std::string last_words(int printed) {
  // The position is shared with the process, which rewinds at each point.
  const off_t size = ::lseek(printed, 0, SEEK_CUR);
  if (size <= 0) return {};
  std::string text(static_cast<std::size_t>(size), '\0');
  const ssize_t got = ::pread(printed, text.data(), text.size(), 0);
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  std::string best;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    if (line.find_first_not_of(" \t\r=") == std::string::npos) continue;
    best = line;
    if (line.find("ERROR") != std::string::npos || line.find("ssertion") != std::string::npos) break;
  }
  return best.substr(0, 200);
}

std::string describe(int status) {
  if (WIFSIGNALED(status)) {
    const int number = WTERMSIG(status);
    const char* name = ::sigabbrev_np(number);
    const char* meaning = ::sigdescr_np(number);
    return std::string("the worker process was killed by SIG") + (name != nullptr ? name : std::to_string(number)) +
           " (" + (meaning != nullptr ? meaning : "unknown signal") + ")";
  }
  return "the worker process ended with exit code " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

Worker::Worker(const SimulatePoints& simulate, std::size_t values_per_point, double point_limit_s) {
  printed_ = open_printed();
  void* shared = ::mmap(nullptr, sizeof(WorkerState), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int ends[2] = {-1, -1};
  const bool connected = shared != MAP_FAILED && ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0;
  if (shared != MAP_FAILED) state_ = new (shared) WorkerState;
  // What the driver has not written yet must not be written a second time by a worker.
  std::fflush(nullptr);
  const pid_t driver = ::getpid();
  process_ = connected ? ::fork() : -1;
  if (process_ < 0) {
    const std::string reason = std::strerror(errno);
    for (const int descriptor : {ends[0], ends[1], printed_})
      if (descriptor >= 0) ::close(descriptor);
    if (state_ != nullptr) ::munmap(state_, sizeof(WorkerState));
    throw Error("worker process: cannot be made (" + reason + "); use fewer workers");
  }
  if (process_ == 0) {
    settle_in(driver, printed_, ends[1]);
    Server(ends[1], *state_, simulate, values_per_point, point_limit_s).serve();
  }
  ::close(ends[1]);
  socket_ = ends[0];
}

Worker::~Worker() {
  end();
  ::close(socket_);
  ::close(printed_);
  ::munmap(state_, sizeof(WorkerState));
}

void Worker::deal(const Task& task) {
  const TaskHeader header{task.number, task.points.size(), task.one_by_one ? 1U : 0U};
  outgoing_.append(reinterpret_cast<const char*>(&header), sizeof header);
  const std::vector<std::uint64_t> numbers(task.points.begin(), task.points.end());
  outgoing_.append(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(std::uint64_t));
  send();
}

void Worker::send() {
  while (!outgoing_.empty()) {
    const ssize_t now = ::send(socket_, outgoing_.data(), outgoing_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (now < 0 && errno == EINTR) continue;
    if (now < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (now < 0) {  // the process is gone, which receive() will find
      outgoing_.clear();
      return;
    }
    outgoing_.erase(0, static_cast<std::size_t>(now));
  }
}

std::vector<WorkerReport> Worker::receive() {
  char chunk[64 * 1024];
  for (int reads = 0; reads < 64; ++reads) {  // the others must be heard too
    const ssize_t got = ::recv(socket_, chunk, sizeof chunk, MSG_DONTWAIT);
    if (got > 0) {
      received_.append(chunk, static_cast<std::size_t>(got));
      continue;
    }
    if (got < 0 && errno == EINTR) continue;
    if (got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) ended_ = true;
    break;
  }
  std::vector<WorkerReport> reports;
  std::size_t position = 0;
  for (WorkerReport report; parse(report, position);) reports.push_back(std::move(report));
  received_.erase(0, position);
  return reports;
}

bool Worker::parse(WorkerReport& report, std::size_t& position) {
  ReportHeader header;
  if (received_.size() - position < sizeof header) return false;
  const char* bytes = received_.data() + position;
  std::memcpy(&header, bytes, sizeof header);
  const std::size_t total = sizeof header + header.values * sizeof(double) + header.text_bytes;
  if (received_.size() - position < total) return false;
  report.kind = header.kind;
  report.task = header.task;
  report.point = {header.point, std::vector<double>(header.values), {}, header.rung, header.seconds};
  if (header.values > 0) std::memcpy(report.point.values.data(), bytes + sizeof header, header.values * sizeof(double));
  const std::string_view text(bytes + total - header.text_bytes, header.text_bytes);
  (header.kind == WorkerReport::Kind::point ? report.point.failure : report.text) = text;
  position += total;
  return true;
}

std::uint64_t Worker::resident_kB() const { return process_ < 0 ? 0 : resident_kB_of(std::to_string(process_)); }

Worker::Ending Worker::end() {
  if (process_ < 0) return {};
  // A process that has closed its side is on its way out by itself, and how it went is the reason to report.
  int status = 0;
  pid_t waited = 0;
  bool by_itself = true;
  if (ended_) {
    for (int tries = 0; tries < 200 && waited == 0; ++tries) {
      waited = ::waitpid(process_, &status, WNOHANG);
      if (waited == 0) ::poll(nullptr, 0, 5);
    }
  }
  if (waited == 0) {
    by_itself = false;
    ::kill(process_, SIGKILL);
    do waited = ::waitpid(process_, &status, 0);
    while (waited < 0 && errno == EINTR);
  }
  process_ = -1;
  Ending ending;
  ending.text = waited < 0 ? "the worker process has disappeared" : describe(status);
  ending.killed =
      by_itself && waited > 0 && WIFSIGNALED(status) && (WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGTERM);
  const std::string words = last_words(printed_);
  if (!words.empty()) ending.text += ": " + words;
  return ending;
}

}  // namespace gaincal::sweep
