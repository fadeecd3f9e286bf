// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/live_engine.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <utility>

namespace comity::testing {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

void LiveEngine::Start(const std::string& deployment) {
  Stop();
  thread_ =
      std::jthread([this, deployment](const std::stop_token& stop) { Run(deployment, stop); });
}

void LiveEngine::Stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void LiveEngine::ExpectHalt(bool halted) {
  halted_since_.With(
      [&](auto& since) { since = halted ? std::optional(steady_clock::now()) : std::nullopt; });
}

void LiveEngine::Run(const std::string& deployment, const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (auto engine = EngineClient::Open(settings_(), deployment, clock_)) Stream(**engine, stop);
    std::this_thread::sleep_for(milliseconds(20));
  }
}

void LiveEngine::Stream(EngineClient& engine, const std::stop_token& stop) {
  for (std::uint64_t sequence = 1; !stop.stop_requested(); ++sequence) {
    const auto shown = steady_clock::now();
    const auto& face = faces_[sequence % faces_.size()];
    if (!engine.Send({sequence, "capture-" + std::to_string(sequence), "camera-1", face})) break;
    const auto answer = engine.Receive();
    if (!answer) break;
    Note(*answer, shown);
    std::this_thread::sleep_for(milliseconds(5));
  }
  engine.Cancel();
  static_cast<void>(engine.Finish());
}

void LiveEngine::Note(const v1::WatchAnswer& answer, Moment shown) {
  const bool in_halt =
      halted_since_.With([&](const auto& since) { return since && shown > *since; });
  told_.With([&](Told& told) {
    told.last = answer.ShortDebugString();
    if (!answer.has_unanswered()) {
      ++told.answers;
      if (in_halt) ++told.answers_in_halt;
    }
    for (const v1::AlertRef& alert : answer.answered().alerts()) {
      told.alert_of[answer.exchange_id()] = alert.alert();
      ++told.hits;
      if (in_halt) ++told.hits_in_halt;
    }
  });
}

GapMeter::GapMeter(const LiveEngine& engine)
    : thread_([this, &engine](const std::stop_token& stop) {
        std::uint64_t hits = engine.told().hits;
        auto last = steady_clock::now();
        while (!stop.stop_requested()) {
          std::this_thread::sleep_for(milliseconds(5));
          const std::uint64_t now = engine.told().hits;
          longest_ = std::max(longest_, steady_clock::now() - last);
          if (now != hits) last = steady_clock::now();
          hits = now;
        }
      }) {}

double GapMeter::Stop(const std::string& what) {
  thread_.request_stop();
  thread_.join();
  const double gap = std::chrono::duration<double>(longest_).count();
  std::printf("%s: no hit for %.2f s\n", what.c_str(), gap);
  std::fflush(stdout);
  return gap;
}

}  // namespace comity::testing
