// SPDX-License-Identifier: Apache-2.0
#include "services/cli/replay_schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

namespace comity::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Time = ReplaySchedule::Time;

constexpr Time kNever = std::chrono::hours(1);

// Time that passes only when somebody waits or works.
class TestClock final : public ReplayClock {
 public:
  Time Now() const override { return now_; }
  bool WaitUntil(Time due) override {
    now_ = std::max(now_, due);
    return now_ < ends_;
  }
  void Work(Time took) { now_ += took; }
  void EndAt(Time end) { ends_ = end; }

 private:
  Time now_{};
  Time ends_ = kNever;
};

TEST(ReplaySchedule, SpreadsFacesEvenlyOverTimeAndCameras) {
  const ReplaySchedule schedule{.rate = 10, .cameras = 4, .seconds = 2};
  EXPECT_EQ(schedule.faces(), 20u);
  EXPECT_EQ(schedule.DueOf(0), Time(0));
  EXPECT_EQ(schedule.DueOf(1), milliseconds(100));
  EXPECT_EQ(schedule.DueOf(19), milliseconds(1900));
  std::set<std::uint64_t> all;
  for (std::uint64_t camera = 0; camera < 4; ++camera) {
    for (std::uint64_t turn = 0; turn < 5; ++turn) all.insert(schedule.FaceOf(camera, turn));
  }
  EXPECT_EQ(all.size(), 20u);
  EXPECT_EQ(*all.rbegin(), 19u);
}

TEST(ReplaySchedule, RoundingDoesNotAddUpOverADay) {
  const ReplaySchedule schedule{.rate = 3, .cameras = 1, .seconds = 86'400};
  EXPECT_EQ(schedule.faces(), 259'200u);
  EXPECT_EQ(schedule.DueOf(259'197), seconds(86'399));
}

TEST(ReplaySchedule, CountsAFaceThatIsDueBeforeTheEnd) {
  EXPECT_EQ((ReplaySchedule{.rate = 0.5, .seconds = 1}).faces(), 1u);
  EXPECT_EQ((ReplaySchedule{.rate = 0.5, .seconds = 2}).faces(), 1u);
  EXPECT_EQ((ReplaySchedule{.rate = 0.5, .seconds = 2.1}).faces(), 2u);
  EXPECT_EQ((ReplaySchedule{.rate = 100, .seconds = 0.1}).faces(), 10u);
}

TEST(ReplaySchedule, WithoutTracksEveryFaceIsAnAppearance) {
  const ReplaySchedule schedule{.rate = 1, .cameras = 3, .seconds = 9};
  for (std::uint64_t face = 0; face < 9; ++face) EXPECT_EQ(schedule.AppearanceOf(face), face);
}

TEST(ReplaySchedule, ATrackIsOfOneCameraAndSoManyFacesInARow) {
  const ReplaySchedule schedule{.rate = 1, .cameras = 2, .seconds = 12, .per_track = 3};
  const std::vector<std::uint64_t> expected = {0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3};
  for (std::uint64_t face = 0; face < expected.size(); ++face) {
    EXPECT_EQ(schedule.AppearanceOf(face), expected[face]) << face;
  }
}

TEST(PaceCamera, SendsEachFaceWhenItIsDue) {
  const ReplaySchedule schedule{.rate = 10, .cameras = 2, .seconds = 1};
  TestClock clock;
  std::vector<Time> sent;
  const CameraRun run = PaceCamera(schedule, 1, kNever, clock, [&](std::uint64_t turn) {
    EXPECT_EQ(turn, sent.size());
    sent.push_back(clock.Now());
    return true;
  });
  EXPECT_EQ(sent, (std::vector<Time>{milliseconds(100), milliseconds(300), milliseconds(500),
                                     milliseconds(700), milliseconds(900)}));
  EXPECT_EQ(run.sent, 5u);
  EXPECT_EQ(run.most_behind, Time(0));
  EXPECT_EQ(run.slow_sends, Time(0));
}

// No coordinated omission: what waited behind a stall is measured from when it was due.
TEST(PaceCamera, AStallShowsInEveryFaceThatWasDueInIt) {
  const ReplaySchedule schedule{.rate = 10, .cameras = 1, .seconds = 1};
  TestClock clock;
  std::vector<Time> late;
  const CameraRun run = PaceCamera(schedule, 0, kNever, clock, [&](std::uint64_t turn) {
    if (turn == 2) clock.Work(milliseconds(450));  // from 200 ms to 650 ms
    late.push_back(clock.Now() - schedule.DueOf(turn));
    return true;
  });
  EXPECT_EQ(late, (std::vector<Time>{Time(0), Time(0), milliseconds(450), milliseconds(350),
                                     milliseconds(250), milliseconds(150), milliseconds(50),
                                     Time(0), Time(0), Time(0)}));
  EXPECT_EQ(run.sent, 10u);
  EXPECT_EQ(run.most_behind, milliseconds(350));
  EXPECT_EQ(run.slow_sends, milliseconds(450));
}

TEST(PaceCamera, DoesNotSendWhatIsTooLateNorWhatFollows) {
  const ReplaySchedule schedule{.rate = 10, .cameras = 1, .seconds = 100};
  TestClock clock;
  const CameraRun run = PaceCamera(schedule, 0, seconds(30), clock, [&](std::uint64_t) {
    clock.Work(seconds(5));
    return true;
  });
  EXPECT_EQ(run.sent, 7u);  // the eighth would leave 34.3 s late
  EXPECT_LE(run.most_behind, seconds(30));
}

TEST(PaceCamera, EndsWithItsStream) {
  const ReplaySchedule schedule{.rate = 10, .cameras = 1, .seconds = 10};
  TestClock clock;
  const CameraRun run =
      PaceCamera(schedule, 0, kNever, clock, [](std::uint64_t turn) { return turn < 3; });
  EXPECT_EQ(run.sent, 3u);
}

TEST(PaceCamera, EndsWhenItIsInterrupted) {
  const ReplaySchedule schedule{.rate = 10, .cameras = 1, .seconds = 10};
  TestClock clock;
  clock.EndAt(milliseconds(450));
  const CameraRun run = PaceCamera(schedule, 0, kNever, clock, [](std::uint64_t) { return true; });
  EXPECT_EQ(run.sent, 5u);
}

}  // namespace
}  // namespace comity::cli
