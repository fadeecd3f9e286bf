// SPDX-License-Identifier: Apache-2.0
#include "services/casework/change_feed.h"

#include <algorithm>
#include <deque>
#include <map>
#include <utility>

#include "services/runtime/guarded.h"

namespace comity::casework {

struct Subscription::Queue {
  struct Content {
    std::deque<Alert> waiting;
    bool overflown = false;
    bool closed = false;
  };
  runtime::Watched<Content> content;

  void Push(const Alert& alert) {
    content.With([&](Content& now) {
      if (now.overflown) return;
      if (now.waiting.size() < kMaxWaiting) {
        now.waiting.push_back(alert);
        return;
      }
      now.overflown = true;
      now.waiting.clear();  // a reader that lost one must list again anyway
    });
  }
  void Close() {
    content.With([](Content& now) { now.closed = true; });
  }
};

Subscription::~Subscription() = default;

Result<std::optional<Alert>> Subscription::Next(std::stop_token stop,
                                                std::chrono::steady_clock::time_point deadline) {
  std::optional<Alert> next;
  bool overflown = false;
  const auto ready = [](const Queue::Content& now) {
    return !now.waiting.empty() || now.overflown || now.closed;
  };
  queue_->content.WaitUntil(std::move(stop), deadline, ready, [&](Queue::Content& now) {
    overflown = now.overflown;
    if (now.waiting.empty()) return;
    next = std::move(now.waiting.front());
    now.waiting.pop_front();
  });
  if (overflown) {
    return Fail(ErrorCode::kExhausted,
                "the reader was 256 alerts behind; list the alerts and watch again");
  }
  return next;
}

bool Subscription::closed() const {
  return std::as_const(queue_->content).With([](const Queue::Content& now) { return now.closed; });
}

struct ChangeFeed::State {
  struct Content {
    Ticket next_ticket = 0;
    Ticket next_to_publish = 0;
    std::map<Ticket, std::vector<Alert>> finished;  // those whose turn has not come
    std::vector<std::weak_ptr<Subscription::Queue>> queues;

    void PublishInTurn();
    void Publish(const std::vector<Alert>& changes);
  };
  runtime::Guarded<Content> content;
};

void ChangeFeed::State::Content::Publish(const std::vector<Alert>& changes) {
  std::erase_if(queues, [](const auto& queue) { return queue.expired(); });
  for (const auto& held : queues) {
    const auto queue = held.lock();
    if (!queue) continue;
    for (const Alert& alert : changes) queue->Push(alert);
  }
}

void ChangeFeed::State::Content::PublishInTurn() {
  while (!finished.empty() && finished.begin()->first == next_to_publish) {
    Publish(finished.begin()->second);
    finished.erase(finished.begin());
    ++next_to_publish;
  }
}

ChangeFeed::ChangeFeed() : state_(std::make_unique<State>()) {}

ChangeFeed::~ChangeFeed() {
  state_->content.With([](State::Content& content) {
    for (const auto& held : content.queues) {
      if (const auto queue = held.lock()) queue->Close();
    }
  });
}

std::unique_ptr<Subscription> ChangeFeed::Subscribe() {
  auto queue = std::make_shared<Subscription::Queue>();
  state_->content.With([&](State::Content& content) { content.queues.push_back(queue); });
  return std::make_unique<Subscription>(std::move(queue));
}

ChangeFeed::Ticket ChangeFeed::Take() {
  return state_->content.With([](State::Content& content) { return content.next_ticket++; });
}

void ChangeFeed::Finish(Ticket ticket, std::vector<Alert> changes) {
  state_->content.With([&](State::Content& content) {
    content.finished.emplace(ticket, std::move(changes));
    content.PublishInTurn();
  });
}

}  // namespace comity::casework
