// SPDX-License-Identifier: Apache-2.0
#include "services/identity/peer_contact.h"

#include <gtest/gtest.h>

#include "tests/unit/services/identity/peer_sample.h"

namespace comity::identity {
namespace {

using Change = PeerContact::Change;
using Presence = PeerContact::Presence;
using std::chrono::seconds;

constexpr seconds kPatience{30};
const PeerWord kWord{"active", {"0011223344556677"}, 1, "comityd/0.2", {"direct"}};

class PeerContactTest : public ::testing::Test {
 protected:
  static store::PeerContactRecord Fresh() {
    store::PeerContactRecord record;
    record.agency = AgencyOf("eastvale-council");
    return record;
  }
  Change Heard() { return contact_.Heard(kWord, std::chrono::milliseconds(5), now_); }
  Change Silent() { return contact_.Silent(now_); }

  policy::Instant now_ = AtSecond(1'000'000);
  PeerContact contact_{Fresh(), kPatience, now_};
};

TEST_F(PeerContactTest, PartnerThatWasNeverHeardIsNotAway) {
  now_ += seconds(3600);
  EXPECT_EQ(Silent(), Change::kNone);
  EXPECT_EQ(contact_.presence(), Presence::kUnknown);
}

TEST_F(PeerContactTest, IsAwayOnceAfterThePatienceAndReturnsOnce) {
  EXPECT_EQ(Heard(), Change::kLearnt);
  EXPECT_EQ(contact_.presence(), Presence::kPresent);
  now_ += kPatience - seconds(1);
  EXPECT_EQ(Silent(), Change::kNone);
  now_ += seconds(1);
  EXPECT_EQ(Silent(), Change::kAway);
  EXPECT_EQ(contact_.presence(), Presence::kAway);
  now_ += seconds(10);
  EXPECT_EQ(Silent(), Change::kNone);
  now_ += seconds(100);
  EXPECT_EQ(Heard(), Change::kReturned);
  EXPECT_EQ(contact_.away_for(), kPatience + seconds(110));
  EXPECT_EQ(contact_.presence(), Presence::kPresent);
  EXPECT_EQ(Heard(), Change::kNone);
}

TEST_F(PeerContactTest, PlannedOutageIsToldAtOnce) {
  Heard();
  EXPECT_EQ(contact_.Leaving(now_), Change::kAway);
  EXPECT_EQ(contact_.presence(), Presence::kPlannedAway);
  EXPECT_EQ(contact_.Leaving(now_), Change::kNone);
  now_ += seconds(40);
  EXPECT_EQ(Silent(), Change::kNone);
  EXPECT_EQ(Heard(), Change::kReturned);
  EXPECT_EQ(contact_.away_for(), seconds(40));
}

TEST_F(PeerContactTest, WhatThePartnerSaysAnewIsLearnt) {
  Heard();
  PeerWord word = kWord;
  word.state_there = "suspended";
  EXPECT_EQ(contact_.Heard(word, {}, now_), Change::kLearnt);
  EXPECT_EQ(contact_.record().state_there, "suspended");
  EXPECT_EQ(contact_.Heard(word, {}, now_), Change::kNone);
}

TEST_F(PeerContactTest, RestartGivesThePatienceAnewAndRepeatsNoNotice) {
  Heard();
  PeerContact again(contact_.record(), kPatience, now_ + seconds(3600));
  EXPECT_EQ(again.Silent(now_ + seconds(3601)), Change::kNone);
  EXPECT_EQ(again.Silent(now_ + seconds(3630)), Change::kAway);
  PeerContact after(again.record(), kPatience, now_ + seconds(7200));
  EXPECT_EQ(after.Silent(now_ + seconds(9000)), Change::kNone);
  EXPECT_EQ(after.presence(), Presence::kAway);
}

TEST_F(PeerContactTest, ClockThatIsSetBackMakesNoOutage) {
  Heard();
  EXPECT_EQ(contact_.Silent(now_ - seconds(3600)), Change::kNone);
  EXPECT_EQ(contact_.Silent(now_ - seconds(3571)), Change::kNone);
  EXPECT_EQ(contact_.Silent(now_ - seconds(3570)), Change::kAway);
  EXPECT_EQ(contact_.Heard(kWord, {}, now_ - seconds(9000)), Change::kReturned);
  EXPECT_EQ(contact_.away_for(), seconds(0));
}

}  // namespace
}  // namespace comity::identity
