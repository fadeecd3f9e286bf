// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace comity::matching {

// Lets whoever takes something away (a withdrawn entry, a suspended agreement, a stopped
// deployment) wait until every answer that may still rest on it has been given. A probe holds a
// Ticket from before it reads state until its answer is sealed; Drain() returns once all tickets
// that existed when it was called are gone. Tickets taken meanwhile do not hold it up, because they
// read the changed state.
//
// Threads: thread-safe. Drain() must not be called by a thread that holds a ticket, nor within a
// unit of work of the store, because ticket holders may be waiting for their own.
class AnswerBarrier {
 public:
  class Ticket {
   public:
    Ticket(Ticket&& other) noexcept;
    Ticket& operator=(Ticket&&) = delete;
    ~Ticket();

   private:
    friend class AnswerBarrier;
    Ticket(AnswerBarrier& barrier, std::size_t side) : barrier_(&barrier), side_(side) {}
    AnswerBarrier* barrier_;  // null once moved from; the barrier must outlive its tickets
    std::size_t side_;
  };

  [[nodiscard]] Ticket Enter();
  void Drain();

 private:
  void Leave(std::size_t side);

  std::mutex drain_mutex_;  // one Drain() at a time, so that two sides are enough
  std::mutex mutex_;        // guards the members below
  std::condition_variable left_;
  std::size_t side_ = 0;  // where tickets are counted that are handed out from here on
  std::array<std::uint64_t, 2> tickets_{};
};

}  // namespace comity::matching
