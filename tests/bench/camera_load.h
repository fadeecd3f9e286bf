// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "services/runtime/guarded.h"
#include "tests/bench/partner_world.h"

namespace comity::bench {

struct LoadTerms {
  std::size_t cameras = 4;
  double faces_per_minute = 100;     // a camera
  double seconds = 3600;             // measured
  double warm_up_s = 60;             // before it, at the same rate
  std::size_t enrolled_every = 100;  // one face of so many is on the list of one holder; 0: none
};

// One face that a camera shows.
struct FaceRecord {
  double scheduled_s = 0;  // since the run began, fixed before it
  std::size_t camera = 0;
  std::size_t enrolled_at = 0;  // the holder on whose list it is; 0: a stranger
  double late_ms = 0;           // of its sending
  double complete_ms = -1;      // from scheduled_s to the last holder's answer; -1: not yet
  std::size_t answers = 0;
};

// Faces of several cameras, shown in open loop: each at a random moment of its slot of the camera,
// fixed in advance; a face that is sent late is late, and the others are not put off.
//
// Threads: thread-compatible.
class CameraLoad {
 public:
  CameraLoad(PartnerWorld& world, const LoadTerms& terms);
  ~CameraLoad();

  // Opens the stream and shows faces until every holder has searched one. False: not in `patience`.
  [[nodiscard]] bool AwaitHolders(std::chrono::seconds patience, const std::atomic<bool>& stop);
  void Start();
  double elapsed_s() const;
  struct State {
    std::vector<FaceRecord> faces;
    std::size_t sent = 0;
    std::size_t complete = 0;
    std::map<std::string, std::uint64_t> failures;  // what a holder said instead of an answer
    std::uint64_t answered = 0;
    std::uint64_t hits = 0;
    bool stream_ended = false;
  };
  State state() const {
    return state_.With([](const State& state) { return state; });
  }
  struct Counts {
    std::size_t sent, complete, all;
    bool stream_ended;
  };
  Counts counts() const;
  // No more faces; the answers that are under way have come, or twelve seconds have passed.
  void Finish();

 private:
  void Send(const std::stop_token& stop);
  void Receive();
  void Note(const v1::WatchAnswer& answer, std::chrono::steady_clock::time_point at);

  PartnerWorld& world_;
  const LoadTerms terms_;
  runtime::SystemClock clock_;
  std::unique_ptr<testing::EngineClient> engine_;
  std::uint64_t before_ = 0;  // faces shown before the run
  std::chrono::steady_clock::time_point began_;
  runtime::Guarded<State> state_;
  std::jthread reader_;
  std::jthread sender_;
};

}  // namespace comity::bench
