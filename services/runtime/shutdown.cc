// SPDX-License-Identifier: Apache-2.0
#include "services/runtime/shutdown.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <mutex>
#include <utility>

#include "crypto/base/check.h"
#include "services/runtime/descriptor.h"
#include "services/runtime/guarded.h"

namespace comity::runtime {
namespace {

constexpr int kPollMilliseconds = 100;  // how long the destructor may have to wait for the listener

// The one thing a signal handler can reach: where it tells that a signal came. -1: nobody listens.
std::atomic<int> signal_event{-1};
static_assert(std::atomic<int>::is_always_lock_free);

// A handler rather than a blocked signal and signalfd: libraries (BLAS) start threads before main
// does, which no later mask reaches, and a signal that is not blocked there would end the process
// at once.
void OnSignal(int /*signal*/) {
  const int saved = errno;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(signal_event.load(), &one, sizeof one);
  errno = saved;
}

void Handle(int signal, void (*handler)(int)) {
  struct sigaction action{};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  COMITY_CHECK(::sigaction(signal, &action, nullptr) == 0);
}

void Listen(const std::stop_token& ending, std::stop_source stop, const Descriptor& event) {
  pollfd watched{event.get(), POLLIN, 0};
  while (!ending.stop_requested()) {
    if (::poll(&watched, 1, kPollMilliseconds) <= 0) continue;
    std::uint64_t count = 0;
    if (::read(event.get(), &count, sizeof count) == sizeof count) stop.request_stop();
  }
}

}  // namespace

Shutdown::Shutdown() {
  Descriptor event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  COMITY_CHECK(event.valid());
  COMITY_CHECK(signal_event.exchange(event.get()) == -1);  // one at a time
  Handle(SIGTERM, OnSignal);
  Handle(SIGINT, OnSignal);
  listener_ = std::jthread([stop = source_, owned = std::move(event)](
                               const std::stop_token& ending) { Listen(ending, stop, owned); });
}

Shutdown::~Shutdown() {
  Handle(SIGTERM, SIG_DFL);
  Handle(SIGINT, SIG_DFL);
  signal_event.store(-1);
}

void Shutdown::Wait() const {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait(lock, source_.get_token(), [] { return false; });
}

bool SleepUnlessStopped(std::chrono::milliseconds time, const std::stop_token& stop) {
  Watched<bool> nothing;
  nothing.WaitUntil(
      stop, std::chrono::steady_clock::now() + time, [](bool) { return false; }, [](bool) {});
  return !stop.stop_requested();
}

}  // namespace comity::runtime
