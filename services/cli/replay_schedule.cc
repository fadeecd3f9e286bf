// SPDX-License-Identifier: Apache-2.0
#include "services/cli/replay_schedule.h"

#include <algorithm>
#include <cmath>

namespace comity::cli {

std::uint64_t ReplaySchedule::faces() const {
  // Face n is due before the end if n < rate x seconds.
  return static_cast<std::uint64_t>(std::ceil(rate * seconds - 1e-9));
}

// From the number, not from the face before: rounding does not add up.
ReplaySchedule::Time ReplaySchedule::DueOf(std::uint64_t face) const {
  return Time(std::llround(static_cast<double>(face) / rate * 1e9));
}

std::uint64_t ReplaySchedule::AppearanceOf(std::uint64_t face) const {
  if (per_track == 0) return face;
  const std::uint64_t camera = face % cameras;
  const std::uint64_t turn = face / cameras;
  return turn / per_track * cameras + camera;
}

CameraRun PaceCamera(const ReplaySchedule& schedule, std::uint64_t camera,
                     ReplaySchedule::Time most_behind, ReplayClock& clock,
                     const std::function<bool(std::uint64_t turn)>& send) {
  CameraRun run;
  const std::uint64_t faces = schedule.faces();
  for (std::uint64_t turn = 0; schedule.FaceOf(camera, turn) < faces; ++turn) {
    const ReplaySchedule::Time due = schedule.DueOf(schedule.FaceOf(camera, turn));
    if (!clock.WaitUntil(due)) break;
    const ReplaySchedule::Time begun = clock.Now();
    if (begun - due > most_behind || !send(turn)) break;
    const ReplaySchedule::Time took = clock.Now() - begun;
    ++run.sent;
    run.most_behind = std::max(run.most_behind, begun - due);
    if (took > kSlowSend) run.slow_sends += took;
  }
  return run;
}

}  // namespace comity::cli
