// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "services/runtime/clock.h"
#include "services/runtime/guarded.h"
#include "tests/support/engine_client.h"

namespace comity::testing {

// An engine that shows faces one after the other and opens its stream again whenever it is lost.
//
// Threads: thread-safe.
class LiveEngine {
 public:
  // What it was told.
  struct Told {
    std::map<std::string, std::string> alert_of;  // exchange id of a face -> alert id
    std::uint64_t answers = 0;                    // of a gateway that decided, whatever
    std::uint64_t hits = 0;
    // Of faces that were shown while nothing may be a hit: what was decided, and the hits of it.
    std::uint64_t answers_in_halt = 0;
    std::uint64_t hits_in_halt = 0;
    std::string last;  // answer, for people
  };
  // In: settings  where the gateway is at present; faces  all of which are on a list
  LiveEngine(std::function<EngineSettings()> settings, std::vector<std::vector<float>> faces)
      : settings_(std::move(settings)), faces_(std::move(faces)) {}
  ~LiveEngine() { Stop(); }

  void Start(const std::string& deployment);
  void Stop();
  // From now on no face that is shown may be a hit, until it is said that one may.
  void ExpectHalt(bool halted);
  Told told() const {
    return told_.With([](const Told& told) { return told; });
  }

 private:
  using Moment = std::chrono::steady_clock::time_point;

  void Run(const std::string& deployment, const std::stop_token& stop);
  void Stream(EngineClient& engine, const std::stop_token& stop);
  void Note(const v1::WatchAnswer& answer, Moment shown);

  const std::function<EngineSettings()> settings_;
  const std::vector<std::vector<float>> faces_;
  runtime::SystemClock clock_;
  runtime::Guarded<Told> told_;
  runtime::Guarded<std::optional<Moment>> halted_since_;
  std::jthread thread_;  // last: it uses the others
};

// The longest time in which an engine was told of no hit, from its making to Stop().
//
// Threads: thread-compatible; one of its own.
class GapMeter {
 public:
  explicit GapMeter(const LiveEngine& engine);
  // Says it, for docs/performance.md. Seconds.
  double Stop(const std::string& what);

 private:
  std::chrono::steady_clock::duration longest_{};
  std::jthread thread_;  // last: uses the other
};

}  // namespace comity::testing
