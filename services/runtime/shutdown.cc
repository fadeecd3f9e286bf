// SPDX-License-Identifier: Apache-2.0
#include "services/runtime/shutdown.h"

#include <poll.h>
#include <pthread.h>
#include <sys/signalfd.h>

#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <mutex>

#include "crypto/base/check.h"
#include "services/runtime/descriptor.h"

namespace comity::runtime {
namespace {

constexpr int kPollMilliseconds = 100;  // how long the destructor may have to wait for the listener

sigset_t StopSignals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGTERM);
  ::sigaddset(&signals, SIGINT);
  return signals;
}

void Listen(std::stop_token ending, std::stop_source stop, const Descriptor& signals) {
  pollfd watched{signals.get(), POLLIN, 0};
  while (!ending.stop_requested()) {
    if (::poll(&watched, 1, kPollMilliseconds) <= 0) continue;
    signalfd_siginfo info{};
    if (::read(signals.get(), &info, sizeof info) == sizeof info) stop.request_stop();
  }
}

}  // namespace

Shutdown::Shutdown() {
  const sigset_t signals = StopSignals();
  COMITY_CHECK(::pthread_sigmask(SIG_BLOCK, &signals, nullptr) == 0);
  Descriptor descriptor(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  COMITY_CHECK(descriptor.valid());
  listener_ = std::jthread([stop = source_, owned = std::move(descriptor)](std::stop_token ending) {
    Listen(std::move(ending), stop, owned);
  });
}

Shutdown::~Shutdown() = default;

void Shutdown::Wait() const {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait(lock, source_.get_token(), [] { return false; });
}

}  // namespace comity::runtime
