#include "bench/processes.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "core/error.hpp"

namespace gaincal::tests {
namespace {

/// Runs this program again; returns its process id, its output going to `pipe_end`.
pid_t start_self(const std::vector<std::string>& words, int pipe_end) {
  const pid_t child = fork();
  if (child != 0) return child;
  dup2(pipe_end, STDOUT_FILENO);
  std::vector<char*> arguments;
  std::string name = "bench_gpt2";
  arguments.push_back(name.data());
  std::vector<std::string> copy = words;
  for (std::string& word : copy) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  execv("/proc/self/exe", arguments.data());
  _exit(127);
}

}  // namespace

std::vector<double> run_selves(const std::vector<std::string>& words, int count) {
  int ends[2];
  if (pipe(ends) != 0) throw Error("bench: no pipe");
  std::vector<pid_t> children;
  for (int i = 0; i < count; ++i) children.push_back(start_self(words, ends[1]));
  close(ends[1]);
  std::string text;
  char buffer[256];
  for (ssize_t n = 0; (n = read(ends[0], buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(n));
  close(ends[0]);
  for (const pid_t child : children) waitpid(child, nullptr, 0);
  std::vector<double> values;
  for (const char* at = text.c_str(); *at != '\0';) {
    char* end = nullptr;
    values.push_back(std::strtod(at, &end));
    if (end == at) throw Error("bench: a child printed '" + text + "'");
    at = *end == '\n' ? end + 1 : end;
  }
  if (values.size() != static_cast<std::size_t>(count)) throw Error("bench: a child failed");
  return values;
}

std::optional<double> run_script(const std::filesystem::path& script, const std::filesystem::path& folder) {
  for (const char* python : {"python3", "/usr/bin/python3"}) {
    const std::string command =
        std::string(python) + " '" + script.string() + "' '" + folder.string() + "' 2>/dev/null";
    FILE* output = popen(command.c_str(), "r");
    if (output == nullptr) continue;
    double value = 0.0;
    const bool found = std::fscanf(output, "%lf", &value) == 1;
    if (pclose(output) == 0 && found) return value;
  }
  return {};
}

ScratchFolder::ScratchFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "bench_gpt2.XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw Error(name + ": no temporary folder; set TMPDIR");
  path = name;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

}  // namespace gaincal::tests
