// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <utility>

namespace comity::runtime {

// A value and the lock that guards it: With is the only way in, so nothing touches the value
// without the lock. The function must not let a reference to the value out, and must not block.
//
// Threads: thread-safe.
template <typename T>
class Guarded {
 public:
  Guarded() = default;
  explicit Guarded(T value) : value_(std::move(value)) {}
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  template <typename Function>
  auto With(Function&& function) {
    std::lock_guard lock(mutex_);
    return std::forward<Function>(function)(value_);
  }
  template <typename Function>
  auto With(Function&& function) const {
    std::lock_guard lock(mutex_);
    return std::forward<Function>(function)(value_);
  }

 private:
  mutable std::mutex mutex_;
  T value_{};
};

// A Guarded value whose changes can be waited for. Every With on a non-const object wakes those who
// wait, so a wake-up cannot be forgotten.
//
// Threads: thread-safe.
template <typename T>
class Watched {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  Watched() = default;
  explicit Watched(T value) : value_(std::move(value)) {}
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;

  template <typename Function>
  auto With(Function&& function) {
    std::lock_guard lock(mutex_);
    const NotifyAtExit notify{changed_};
    return std::forward<Function>(function)(value_);
  }
  template <typename Function>
  auto With(Function&& function) const {
    std::lock_guard lock(mutex_);
    return std::forward<Function>(function)(value_);
  }

  // Waits until `ready(value)` holds, then runs `function(value)` under the same lock and returns
  // true. Returns false, without running it, when `stop` is requested first.
  template <typename Ready, typename Function>
  bool WaitThen(std::stop_token stop, Ready&& ready, Function&& function) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait(lock, std::move(stop), [&] { return ready(std::as_const(value_)); })) {
      return false;
    }
    std::forward<Function>(function)(value_);
    return true;
  }

  // The same with a deadline; false when it passes first.
  template <typename Ready, typename Function>
  bool WaitUntil(std::stop_token stop, Deadline deadline, Ready&& ready, Function&& function) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_until(lock, std::move(stop), deadline,
                             [&] { return ready(std::as_const(value_)); })) {
      return false;
    }
    std::forward<Function>(function)(value_);
    return true;
  }

 private:
  // Notifies while the lock is held: who waits may own this object and destroy it on waking.
  struct NotifyAtExit {
    std::condition_variable_any& changed;
    ~NotifyAtExit() { changed.notify_all(); }
  };

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  T value_{};
};

}  // namespace comity::runtime
