// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

namespace comity::cli {

// When each face of a replay is due, and whose it is. Open loop: a face is due at its time whatever
// became of those before it, as people pass a camera whether or not an answer has come. Latency is
// measured from then on; a stall therefore shows in all faces that were due during it.
//
// Face n of all is due n / rate after the start, at camera n mod cameras.
//
// Threads: a value.
struct ReplaySchedule {
  using Time = std::chrono::nanoseconds;  // since the start

  double rate = 1;              // faces a second, of all cameras together
  std::uint64_t cameras = 1;    // at least 1
  double seconds = 1;           // faces that are due before then are sent
  std::uint64_t per_track = 0;  // faces of one appearance of a person; 0: no tracks

  std::uint64_t faces() const;
  // In: turn  which face of this camera, from 0
  std::uint64_t FaceOf(std::uint64_t camera, std::uint64_t turn) const {
    return turn * cameras + camera;
  }
  Time DueOf(std::uint64_t face) const;
  // Which appearance the face belongs to; with tracks, all faces of one show the same template.
  std::uint64_t AppearanceOf(std::uint64_t face) const;
};

// Time as a replay needs it. Threads: thread-safe.
class ReplayClock {
 public:
  virtual ~ReplayClock() = default;
  virtual ReplaySchedule::Time Now() const = 0;  // since the start
  // False: it was interrupted; nothing more is to be sent.
  virtual bool WaitUntil(ReplaySchedule::Time due) = 0;
};

// What became of one camera's faces.
struct CameraRun {
  std::uint64_t sent = 0;
  ReplaySchedule::Time most_behind{};  // longest time from a face's due time to its sending
  ReplaySchedule::Time slow_sends{};   // time in sends that were not taken at once
};

// A send that takes longer than this waits for the other end, or for the processor.
inline constexpr std::chrono::milliseconds kSlowSend{5};

// Sends the faces of one camera, each as soon as it is due and the one before has been taken, until
// all are sent, `send` says that the stream has ended, or the clock is interrupted.
//
// In:  send  with the camera's turn, from 0; blocks while the gateway reads no further
//      most_behind  a face that is later than this is not sent, and none after it
CameraRun PaceCamera(const ReplaySchedule& schedule, std::uint64_t camera,
                     ReplaySchedule::Time most_behind, ReplayClock& clock,
                     const std::function<bool(std::uint64_t turn)>& send);

}  // namespace comity::cli
