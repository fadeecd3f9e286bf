// SPDX-License-Identifier: Apache-2.0
#include "services/matching/answer_barrier.h"

#include <utility>

namespace comity::matching {

AnswerBarrier::Ticket::Ticket(Ticket&& other) noexcept
    : barrier_(std::exchange(other.barrier_, nullptr)), side_(other.side_) {}

AnswerBarrier::Ticket::~Ticket() {
  if (barrier_ != nullptr) barrier_->Leave(side_);
}

AnswerBarrier::Ticket AnswerBarrier::Enter() {
  std::lock_guard lock(mutex_);
  ++tickets_[side_];
  return Ticket(*this, side_);
}

void AnswerBarrier::Leave(std::size_t side) {
  std::lock_guard lock(mutex_);
  if (--tickets_[side] == 0) left_.notify_all();
}

void AnswerBarrier::Drain() {
  std::lock_guard one_at_a_time(drain_mutex_);
  std::unique_lock lock(mutex_);
  // The other side is empty: the last Drain() waited for it and nothing enters it since.
  const std::size_t old_side = std::exchange(side_, 1 - side_);
  left_.wait(lock, [&] { return tickets_[old_side] == 0; });
}

}  // namespace comity::matching
