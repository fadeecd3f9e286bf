// SPDX-License-Identifier: Apache-2.0
#include "services/matching/track_counts.h"

#include <gtest/gtest.h>

#include <vector>

namespace comity::matching {
namespace {

TrackCounts::Track TrackOf(std::size_t number) {
  TrackCounts::Track track{};
  track[0] = static_cast<std::uint8_t>(number);
  track[1] = static_cast<std::uint8_t>(number >> 8);
  return track;
}
const std::vector<std::string> kNothing;
const std::vector<std::string> kOne = {"list/r1"};
const std::vector<std::string> kOther = {"list/r2"};

TEST(TrackCounts, CountAFaceOnceForThreeFrames) {
  TrackCounts counts;
  EXPECT_FALSE(counts.IsCounted(TrackOf(1), kOne));
  EXPECT_TRUE(counts.IsCounted(TrackOf(1), kOne));
  EXPECT_TRUE(counts.IsCounted(TrackOf(1), kOne));
  EXPECT_FALSE(counts.IsCounted(TrackOf(1), kOne));
}

TEST(TrackCounts, CountEachEntryOfATrack) {
  TrackCounts counts;
  EXPECT_FALSE(counts.IsCounted(TrackOf(1), kNothing));
  EXPECT_FALSE(counts.IsCounted(TrackOf(1), kOne));
  EXPECT_FALSE(counts.IsCounted(TrackOf(1), kOther));
}

TEST(TrackCounts, TellTracksApart) {
  TrackCounts counts;
  EXPECT_FALSE(counts.IsCounted(TrackOf(1), kOne));
  EXPECT_FALSE(counts.IsCounted(TrackOf(2), kOne));
}

TEST(TrackCounts, ForgetTheOldestAndCountItAnew) {
  TrackCounts counts;
  for (std::size_t i = 0; i <= TrackCounts::kMostTracks; ++i) {
    EXPECT_FALSE(counts.IsCounted(TrackOf(i), kNothing));
  }
  EXPECT_TRUE(counts.IsCounted(TrackOf(TrackCounts::kMostTracks), kNothing));
  EXPECT_FALSE(counts.IsCounted(TrackOf(0), kNothing));
}

}  // namespace
}  // namespace comity::matching
