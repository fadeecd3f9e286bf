// SPDX-License-Identifier: Apache-2.0
#include "tests/support/process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

namespace comity::testing {
namespace {

[[noreturn]] void Execute(const std::vector<std::string>& arguments, int out, int err) {
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  dup2(null, STDIN_FILENO);
  std::vector<char*> pointers;
  for (const std::string& argument : arguments) {
    pointers.push_back(const_cast<char*>(argument.c_str()));
  }
  pointers.push_back(nullptr);
  execvp(pointers[0], pointers.data());
  dprintf(STDERR_FILENO, "cannot run %s: %s\n", pointers[0], std::strerror(errno));
  _exit(127);
}

int ExitCode(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

struct Pipe {
  int read = -1;
  int write = -1;
};

Pipe OpenPipe() {
  std::array<int, 2> ends{-1, -1};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  return {ends[0], ends[1]};
}

// Reads both pipes until they close or the deadline passes.
bool Drain(int out, int err, CommandOutput& output, std::chrono::steady_clock::time_point end) {
  std::array<pollfd, 2> polls{{{out, POLLIN, 0}, {err, POLLIN, 0}}};
  std::array<std::string*, 2> texts{&output.out, &output.err};
  int open_count = 2;
  while (open_count > 0) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    if (left.count() <= 0 || poll(polls.data(), 2, static_cast<int>(left.count())) == 0) {
      return false;
    }
    for (std::size_t i = 0; i < polls.size(); ++i) {
      if (polls[i].fd < 0 || polls[i].revents == 0) continue;
      std::array<char, 65536> buffer;
      const ssize_t count = read(polls[i].fd, buffer.data(), buffer.size());
      if (count > 0) {
        texts[i]->append(buffer.data(), static_cast<std::size_t>(count));
      } else {
        polls[i].fd = -1;
        --open_count;
      }
    }
  }
  return true;
}

}  // namespace

Result<CommandOutput> RunCommand(const std::vector<std::string>& arguments,
                                 std::chrono::seconds timeout) {
  const Pipe out = OpenPipe();
  const Pipe err = OpenPipe();
  const pid_t pid = fork();
  if (pid < 0) return Fail(ErrorCode::kUnavailable, "cannot start a process");
  if (pid == 0) Execute(arguments, out.write, err.write);
  close(out.write);
  close(err.write);
  CommandOutput output;
  const bool ended = Drain(out.read, err.read, output, std::chrono::steady_clock::now() + timeout);
  close(out.read);
  close(err.read);
  if (!ended) kill(pid, SIGKILL);
  int status = 0;
  waitpid(pid, &status, 0);
  output.exit_code = ExitCode(status);
  if (!ended) return Fail(ErrorCode::kUnavailable, arguments[0] + " did not end in time");
  return output;
}

Result<Process> Process::Start(const std::vector<std::string>& arguments,
                               const std::filesystem::path& log) {
  const int file = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) return Fail(ErrorCode::kUnavailable, "cannot write " + log.string());
  const pid_t pid = fork();
  if (pid == 0) Execute(arguments, file, file);
  close(file);
  if (pid < 0) return Fail(ErrorCode::kUnavailable, "cannot start a process");
  return Process(pid);
}

Process::Process(Process&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}

Process& Process::operator=(Process&& other) noexcept {
  if (this != &other) {
    Kill();
    pid_ = std::exchange(other.pid_, -1);
  }
  return *this;
}

Process::~Process() {
  Kill();
}

bool Process::IsRunning() {
  if (pid_ < 0) return false;
  if (waitpid(pid_, nullptr, WNOHANG) == 0) return true;
  pid_ = -1;
  return false;
}

bool Process::HasEnded() const {
  siginfo_t info{};
  return pid_ < 0 ||
         (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
          info.si_pid == pid_);
}

std::optional<int> Process::Stop(std::chrono::milliseconds patience) {
  if (pid_ < 0) return std::nullopt;
  kill(pid_, SIGTERM);
  const auto end = std::chrono::steady_clock::now() + patience;
  while (std::chrono::steady_clock::now() < end) {
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      return ExitCode(status);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  Kill();
  return std::nullopt;
}

void Process::Kill() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

namespace {

// Below those that the system gives to outgoing connections: none of them takes the port before it
// is used.
constexpr int kFirstPort = 20000;
constexpr int kPortsOfABlock = 100;
constexpr int kPortBlocks = 120;

// The first port of a block that no other process of this machine hands out. It is kept by a locked
// file until the process ends. -1: none is left.
int TakePortBlock() {
  static std::mt19937 random{std::random_device{}()};
  const int first = std::uniform_int_distribution(0, kPortBlocks - 1)(random);
  for (int i = 0; i < kPortBlocks; ++i) {
    const int block = kFirstPort + (first + i) % kPortBlocks * kPortsOfABlock;
    const auto file = std::filesystem::temp_directory_path() /
                      ("comity-test-ports-" + std::to_string(block) + ".lock");
    const int fd = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) continue;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) return block;
    close(fd);
  }
  return -1;
}

bool IsFree(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  const bool free = bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  close(fd);
  return free;
}

}  // namespace

std::uint16_t FreePort() {
  static std::mutex mutex;
  static int next = 0;
  static int end = 0;
  const std::lock_guard lock(mutex);
  for (int attempt = 0; attempt < kPortBlocks * kPortsOfABlock; ++attempt) {
    if (next == end) {
      const int block = TakePortBlock();
      if (block < 0) return 0;
      next = block;
      end = block + kPortsOfABlock;
    }
    const int port = next++;
    if (IsFree(port)) return static_cast<std::uint16_t>(port);
  }
  return 0;
}

}  // namespace comity::testing
