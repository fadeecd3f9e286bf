// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/track_book.h"

#include <gtest/gtest.h>

#include "tests/unit/crypto/sealed/samples.h"

namespace comity::gateway {
namespace {

class TrackBookTest : public ::testing::Test {
 protected:
  sealed::testing::SeededRandom random_{4};
  TrackBook book_{random_};
};

TEST_F(TrackBookTest, ATrackIsSearchedThreeTimes) {
  for (int i = 0; i < TrackBook::kMostProbes; ++i) EXPECT_TRUE(book_.Take("t1"));
  EXPECT_FALSE(book_.Take("t1"));
  EXPECT_TRUE(book_.Take("t2"));
}

TEST_F(TrackBookTest, WhatDidNotLeaveDoesNotCount) {
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(book_.Take("t1"));
  book_.GiveBack("t1");
  EXPECT_TRUE(book_.Take("t1"));
  EXPECT_FALSE(book_.Take("t1"));
}

TEST_F(TrackBookTest, AFurtherProbeIsAnsweredWithWhatTheTrackGave) {
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(book_.Take("t1"));
  EXPECT_EQ(book_.Spent("t1").unanswered().reason(), v1::Unanswered::REASON_TRACK_SPENT);
  v1::Answered hit;
  hit.add_alerts()->set_alert("a-1");
  hit.set_entries(30);
  book_.NoteAnswer("t1", hit);
  book_.NoteAnswer("t1", v1::Answered());  // the next frame missed
  const v1::WatchAnswer answer = book_.Spent("t1");
  ASSERT_EQ(answer.answered().alerts_size(), 1);
  EXPECT_EQ(answer.answered().alerts(0).alert(), "a-1");
  EXPECT_TRUE(answer.answered().alerts(0).merged());
}

TEST_F(TrackBookTest, APseudonymIsOfOneTrackAndOneSession) {
  book_.Take("t1");
  book_.Take("t2");
  const auto first = book_.PseudonymOf("t1", "session-1");
  EXPECT_EQ(book_.PseudonymOf("t1", "session-1"), first);
  EXPECT_NE(book_.PseudonymOf("t2", "session-1"), first);
  EXPECT_NE(book_.PseudonymOf("t1", "session-2"), first);
}

TEST_F(TrackBookTest, ForgetsTheTracksThatWereNotSeenForLongest) {
  for (int i = 0; i < 3; ++i) book_.Take("old");
  for (int i = 0; i < 3; ++i) book_.Take("older");
  for (std::size_t i = 0; i + 2 < TrackBook::kMostTracks; ++i) {
    book_.Take(std::to_string(i));
  }
  EXPECT_FALSE(book_.Take("old"));  // seen again
  book_.Take("one more");
  EXPECT_FALSE(book_.Take("old"));
  EXPECT_TRUE(book_.Take("older"));
}

}  // namespace
}  // namespace comity::gateway
