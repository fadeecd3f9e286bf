// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "crypto/base/result.h"

namespace comity::testing {

// What a finished command said.
struct CommandOutput {
  int exit_code = -1;  // 128 + signal when it was killed
  std::string out;
  std::string err;
};

// Runs a program to its end. Errors: kUnavailable  it cannot be started or outlives `timeout`
Result<CommandOutput> RunCommand(const std::vector<std::string>& arguments,
                                 std::chrono::seconds timeout = std::chrono::seconds(60));

// A running program; killed and reaped when destroyed. Threads: thread-compatible.
class Process {
 public:
  // Output of both streams is appended to `log`.
  static Result<Process> Start(const std::vector<std::string>& arguments,
                               const std::filesystem::path& log);
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();

  pid_t pid() const { return pid_; }
  bool IsRunning();
  // The same, and what it ended with is still Stop()'s to tell.
  bool HasEnded() const;
  // Asks it to end (SIGTERM) and waits. Returns its exit code, or nothing if it had to be killed.
  std::optional<int> Stop(std::chrono::milliseconds patience);
  void Kill();                   // SIGKILL
  void Abandon() { pid_ = -1; }  // leaves it running

 private:
  explicit Process(pid_t pid) : pid_(pid) {}
  pid_t pid_ = -1;
};

// A TCP port of 127.0.0.1 that is free now and that no other process of these tests is given while
// this one runs. 0: there is none.
std::uint16_t FreePort();

}  // namespace comity::testing
