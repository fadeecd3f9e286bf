// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/sealed_answers.h"

#include <algorithm>

#include "services/gateway/federation/session_wire.h"

namespace comity::gateway {
namespace {

// The longest answer that the bounds of types.proto allow: a decision with 16 clauses of 64 octets,
// and 8 hits of 64 + 64 + 256 octets, with what frames them.
constexpr std::size_t kMostAnswer = 1400 + 8 * 410;
// A padding's length field grows at 2^7 and 2^14 octets: all paddings for one number of answers are
// between two such bounds, or some size could not be reached.
constexpr std::size_t kShortPadding = 128;
constexpr std::size_t kLongPadding = std::size_t{1} << 14;

}  // namespace

v1::SealedAnswers AnswersToProto(std::uint64_t batch,
                                 std::span<const matching::ProbeAnswer> answers) {
  v1::SealedAnswers proto;
  for (const matching::ProbeAnswer& answer : answers) {
    v1::SealedAnswer& one = *proto.add_answers();
    one.set_sequence(answer.sequence);
    *one.mutable_decision() = ToProto(answer.decision);
    for (const matching::ReleasedHit& hit : answer.hits) *one.add_hits() = HitToProto(hit);
    one.set_entries(answer.entries);
    one.set_over_cap(answer.decision.code == policy::ReasonCode::kOverCap);
  }
  const std::size_t room = answers.size() * kMostAnswer;
  const std::size_t used = proto.ByteSizeLong();
  const std::size_t least = kShortPadding + room < kLongPadding ? kShortPadding : kLongPadding;
  proto.set_padding(std::string(least + (room > used ? room - used : 0), '\0'));
  proto.set_batch(batch);
  return proto;
}

std::chrono::steady_clock::time_point LeavesAt(std::chrono::steady_clock::time_point asked,
                                               std::chrono::milliseconds after,
                                               std::chrono::steady_clock::time_point now) {
  if (after <= std::chrono::milliseconds(0)) return now;
  const auto steps = std::max<std::int64_t>(
      1, (now - asked + after - std::chrono::nanoseconds(1)) / std::chrono::nanoseconds(after));
  return asked + steps * after;
}

void AnswersInWaiting::Add(Time at, Leave leave) {
  const std::lock_guard lock(mutex_);
  waiting_.emplace_back(at, std::move(leave));
  changed_.notify_all();
}

std::size_t AnswersInWaiting::size() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

void AnswersInWaiting::Finish(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, stop, [&] { return waiting_.empty() || over_; });
}

void AnswersInWaiting::Serve(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [&] { return !waiting_.empty(); })) {
    const Time due = waiting_.front().first;
    changed_.wait_until(lock, stop, due, [] { return false; });
    if (stop.stop_requested()) break;
    const Leave leave = std::move(waiting_.front().second);
    lock.unlock();
    const bool goes_on = leave();
    lock.lock();
    waiting_.pop_front();
    if (!goes_on) break;
    changed_.notify_all();
  }
  over_ = true;
  changed_.notify_all();
}

}  // namespace comity::gateway
