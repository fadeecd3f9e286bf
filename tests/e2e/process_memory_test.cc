// SPDX-License-Identifier: Apache-2.0
// Whether another process of the same user may look into the gateway's memory.
#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>

namespace comity {
namespace {

// The user that a program runs as if the test runs as root, whose own files tell nothing.
constexpr uid_t kSomebody = 12345;

uid_t UserOfPrograms() {
  return ::geteuid() == 0 ? kSomebody : ::geteuid();
}

// Who owns the kernel's files about a program in the moment in which it ends: its own user if its
// memory is open to that user's processes, else root (proc(5), /proc/PID). 0 - 1: it is not known.
uid_t OwnerOfMemory(const char* program, const char* first, const char* second) {
  constexpr uid_t kUnknown = static_cast<uid_t>(-1);
  const pid_t child = ::fork();
  if (child == 0) {
    const bool is_other =
        ::geteuid() != 0 || (::setgid(kSomebody) == 0 && ::setuid(kSomebody) == 0);
    if (!is_other || ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(99);
    ::execl(program, program, first, second, nullptr);
    ::_exit(99);
  }
  uid_t owner = kUnknown;
  int status = 0;
  while (::waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
    if (status >> 8 == (SIGTRAP | (PTRACE_EVENT_EXIT << 8))) {
      struct stat memory{};
      const std::string file = "/proc/" + std::to_string(child) + "/maps";
      if (::stat(file.c_str(), &memory) == 0) owner = memory.st_uid;
    }
    const bool is_trap = WSTOPSIG(status) == SIGTRAP;
    ::ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL);
    ::ptrace(PTRACE_CONT, child, nullptr, is_trap ? 0 : WSTOPSIG(status));
  }
  return owner;
}

TEST(ProcessMemory, OfTheGatewayIsNotForOtherProcessesOfItsUser) {
  ASSERT_EQ(OwnerOfMemory("/bin/true", "", ""), UserOfPrograms()) << "of a program that lets them";
  EXPECT_EQ(OwnerOfMemory(COMITYD_PROGRAM, "--config", "/nowhere/comity.toml"), 0U);
}

}  // namespace
}  // namespace comity
