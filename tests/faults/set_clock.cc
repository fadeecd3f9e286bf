// SPDX-License-Identifier: Apache-2.0
// The calls of libc that say or use the time of day, in front of libc's: as if somebody had set the
// machine's clock, while the time since boot goes on. Whoever waits until a time of day, as gRPC
// does, is woken when the clock that it read says so; it is not woken earlier because the clock is
// set while it waits.
#include "tests/faults/set_clock.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cstdarg>
#include <cstdlib>
#include <ctime>

namespace {

using comity::testing::ClockPlan;

constexpr std::int64_t kMicro = 1'000'000;
constexpr std::int64_t kNano = 1'000'000'000;

const ClockPlan* MapPlan() {
  const char* path = std::getenv(comity::testing::kClockVariable);
  if (path == nullptr) return nullptr;
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return nullptr;
  void* mapped = ::mmap(nullptr, sizeof(ClockPlan), PROT_READ, MAP_SHARED, fd, 0);
  ::close(fd);
  return mapped == MAP_FAILED ? nullptr : static_cast<const ClockPlan*>(mapped);
}

std::int64_t Ahead() {
  static const ClockPlan* const plan = MapPlan();
  return plan == nullptr ? 0 : plan->ahead_us.load();
}

void Move(timespec& time, std::int64_t by_us) {
  time.tv_sec += by_us / kMicro;
  time.tv_nsec += by_us % kMicro * 1000;
  if (time.tv_nsec >= kNano) {
    time.tv_nsec -= kNano;
    ++time.tv_sec;
  } else if (time.tv_nsec < 0) {
    time.tv_nsec += kNano;
    --time.tv_sec;
  }
}

template <typename Function>
Function Next(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

bool IsTimeOfDay(clockid_t clock) {
  return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
}

}  // namespace

// Named apart from libc's declarations; the symbol is libc's.
#define COMITY_INTERPOSE(symbol) __asm__(symbol) __attribute__((visibility("default"), used))

extern "C" {

int SetClockGetTime(clockid_t clock, timespec* time) COMITY_INTERPOSE("clock_gettime");
int SetGetTimeOfDay(timeval* time, void* zone) COMITY_INTERPOSE("gettimeofday");
time_t SetTime(time_t* time) COMITY_INTERPOSE("time");
long SetSyscall(long number, ...) COMITY_INTERPOSE("syscall");

int SetClockGetTime(clockid_t clock, timespec* time) {
  static const auto next = Next<int (*)(clockid_t, timespec*)>("clock_gettime");
  const int result = next(clock, time);
  if (result == 0 && IsTimeOfDay(clock)) Move(*time, Ahead());
  return result;
}

int SetGetTimeOfDay(timeval* time, void*) {
  timespec now{};
  const int result = SetClockGetTime(CLOCK_REALTIME, &now);
  if (time != nullptr) *time = {now.tv_sec, now.tv_nsec / 1000};
  return result;
}

time_t SetTime(time_t* time) {
  timespec now{};
  SetClockGetTime(CLOCK_REALTIME, &now);
  if (time != nullptr) *time = now.tv_sec;
  return now.tv_sec;
}

// A wait for a time of day: the kernel knows the true one only.
long SetSyscall(long number, ...) {
  static const auto next = Next<long (*)(long, long, long, long, long, long, long)>("syscall");
  std::array<long, 6> given{};
  va_list rest;
  va_start(rest, number);
  for (long& argument : given) argument = va_arg(rest, long);
  va_end(rest);
  timespec until{};
  if (number == SYS_futex && (given[1] & FUTEX_CLOCK_REALTIME) != 0 && given[3] != 0) {
    until = *reinterpret_cast<const timespec*>(given[3]);
    Move(until, -Ahead());
    given[3] = reinterpret_cast<long>(&until);
  }
  return next(number, given[0], given[1], given[2], given[3], given[4], given[5]);
}

}  // extern "C"
