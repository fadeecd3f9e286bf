// SPDX-License-Identifier: Apache-2.0
#include "services/matching/probe_window.h"

#include <algorithm>
#include <utility>

namespace comity::matching {

bool ProbeWindow::Offer(WindowProbe probe, Time deadline) {
  return state_.With([&](State& state) {
    if (state.closed || state.entries.size() >= kSize) return false;
    const auto [entry, added] =
        state.entries.try_emplace(probe.sequence, Entry{deadline, probe.capture_ref});
    if (added) state.queue.push_back(std::move(probe));
    return added;
  });
}

bool ProbeWindow::has_room() const {
  return state_.With(
      [](const State& state) { return !state.closed && state.entries.size() < kSize; });
}

std::optional<WindowProbe> ProbeWindow::TakeFirst(State& state) {
  while (!state.queue.empty()) {
    WindowProbe probe = std::move(state.queue.front());
    state.queue.pop_front();
    const auto entry = state.entries.find(probe.sequence);
    if (entry == state.entries.end()) continue;  // answered while it waited
    entry->second.waiting = false;
    return probe;
  }
  return std::nullopt;
}

std::optional<WindowProbe> ProbeWindow::Next(const std::stop_token& stop) {
  std::optional<WindowProbe> probe;
  bool over = false;
  while (!probe && !over) {
    const bool ready = state_.WaitThen(
        stop, [](const State& state) { return state.closed || !state.queue.empty(); },
        [&](State& state) {
          probe = TakeFirst(state);
          over = !probe && state.closed;
        });
    over = over || !ready;
  }
  return probe;
}

std::optional<WindowProbe> ProbeWindow::TryNext() {
  return state_.With([](State& state) { return TakeFirst(state); });
}

bool ProbeWindow::GiveBack(WindowProbe probe) {
  return state_.With([&](State& state) {
    const auto entry = state.entries.find(probe.sequence);
    if (entry == state.entries.end() || entry->second.waiting) return false;
    entry->second.waiting = true;
    // Several come back in any order: the queue stays by sequence.
    const auto after = std::ranges::find_if(
        state.queue, [&](const WindowProbe& other) { return other.sequence > probe.sequence; });
    state.queue.insert(after, std::move(probe));
    return true;
  });
}

bool ProbeWindow::Holds(std::uint64_t sequence) const {
  return state_.With([&](const State& state) { return state.entries.contains(sequence); });
}

bool ProbeWindow::Settle(std::uint64_t sequence) {
  return state_.With([&](State& state) { return state.entries.erase(sequence) > 0; });
}

template <typename Wanted>
std::vector<ProbeWindow::Left> ProbeWindow::TakeOut(Wanted&& wanted) {
  return state_.With([&](State& state) {
    std::vector<Left> left;
    std::erase_if(state.entries, [&](const auto& item) {
      if (!wanted(item.second)) return false;
      left.push_back({item.first, item.second.capture_ref, item.second.waiting});
      return true;
    });
    // Their templates go now, not when the sender comes to them: it may be held up for long.
    std::erase_if(state.queue, [&](const WindowProbe& probe) {
      return !state.entries.contains(probe.sequence);
    });
    return left;
  });
}

std::vector<ProbeWindow::Left> ProbeWindow::Expire(Time now) {
  return TakeOut([&](const Entry& entry) { return now >= entry.deadline; });
}

std::vector<ProbeWindow::Left> ProbeWindow::Drain() {
  return TakeOut([](const Entry&) { return true; });
}

void ProbeWindow::Close() {
  state_.With([](State& state) { state.closed = true; });
}

bool ProbeWindow::AwaitEmpty(Time until) {
  return state_.WaitUntil(
      {}, until, [](const State& state) { return state.entries.empty(); }, [](State&) {});
}

std::size_t ProbeWindow::size() const {
  return state_.With([](const State& state) { return state.entries.size(); });
}

}  // namespace comity::matching
