// SPDX-License-Identifier: Apache-2.0
#include "services/identity/peer_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/result_matchers.h"
#include "tests/unit/services/identity/peer_sample.h"

namespace comity::identity {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::chrono::hours kOverlap{24};

class PeerRules : public ::testing::Test {
 protected:
  void Keep(const Result<Peer>& peer) {
    ASSERT_THAT(peer, IsOk());
    book_[peer->terms.agency] = *peer;
  }
  void SetUp() override { Keep(Enrolled(book_, council_, now_)); }
  const Peer& Council() const { return book_.at(council_.agency); }
  // The council's card with a new signing key.
  PeerTerms NextCard() const {
    return TermsWith("eastvale-council", SampleKey(), council_.log_key);
  }
  void Pass(std::chrono::seconds time) { now_ += time; }

  policy::Instant now_ = AtSecond(1'000'000);
  PeerTerms self_ = SampleTerms(kOwnAgency);
  PeerTerms council_ = SampleTerms("eastvale-council");
  PeerBook book_ = OwnBook(self_);
};

TEST_F(PeerRules, EnrolledPartnerSpeaksByTheKeyOfItsCard) {
  EXPECT_EQ(Council().state, PeerState::kActive);
  EXPECT_THAT(Council().SigningKeysAt(now_), ElementsAre(council_.signing_key));
  EXPECT_EQ(Council().AnchorsAt(now_), council_.anchor_pem);
}

TEST_F(PeerRules, RefusesACardOfThisAgency) {
  PeerTerms impostor = SampleTerms(kOwnAgency);
  const auto refused = Enrolled(book_, impostor, now_);
  ASSERT_THAT(refused, FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(refused.error().detail, HasSubstr("this agency itself"));
}

TEST_F(PeerRules, RefusesAnAgencyThatIsEnrolledAlready) {
  EXPECT_THAT(Enrolled(book_, SampleTerms("eastvale-council"), now_),
              FailsWith(ErrorCode::kConflict));
}

TEST_F(PeerRules, RefusesTheTrustDomainOfAnotherAgencyOrOfThisOne) {
  for (const PeerTerms& other : {self_, council_}) {
    PeerTerms terms = SampleTerms("riverside-health");
    terms.spiffe_id = other.spiffe_id;
    EXPECT_THAT(Enrolled(book_, terms, now_), FailsWith(ErrorCode::kConflict));
  }
}

TEST_F(PeerRules, RefusesAKeyThatIsAnotherAgencys) {
  for (const sign::PublicKey& key :
       {self_.signing_key, self_.log_key, council_.signing_key, council_.log_key}) {
    const PeerTerms signing = TermsWith("riverside-health", key, SampleKey());
    EXPECT_THAT(Enrolled(book_, signing, now_), FailsWith(ErrorCode::kConflict));
    const PeerTerms log = TermsWith("riverside-health", SampleKey(), key);
    EXPECT_THAT(Enrolled(book_, log, now_), FailsWith(ErrorCode::kConflict));
  }
}

TEST_F(PeerRules, RefusesAKeyThatAnotherAgencyHadBefore) {
  Keep(Rekeyed(book_, NextCard(), {}, now_));
  Keep(Removed(book_, council_.agency, "left", now_));
  const PeerTerms terms = TermsWith("riverside-health", council_.signing_key, SampleKey());
  EXPECT_THAT(Enrolled(book_, terms, now_), FailsWith(ErrorCode::kConflict));
}

TEST_F(PeerRules, BothKeysSpeakWithinTheOverlapAndOnlyTheNewOneAfterIt) {
  const PeerTerms next = NextCard();
  Keep(Rekeyed(book_, next, {kOverlap, {}}, now_));
  EXPECT_THAT(Council().SigningKeysAt(now_), ElementsAre(next.signing_key, council_.signing_key));
  const auto last = now_ + kOverlap - std::chrono::microseconds(1);
  EXPECT_THAT(Council().SigningKeysAt(last), ElementsAre(next.signing_key, council_.signing_key));
  EXPECT_THAT(Council().SigningKeysAt(now_ + kOverlap), ElementsAre(next.signing_key));
}

TEST_F(PeerRules, OldKeyStaysInTheHistoryForWhatItSigned) {
  Pass(std::chrono::hours(1));
  Keep(Rekeyed(book_, NextCard(), {}, now_));
  const policy::KeyHistory history = Council().History();
  const std::string old = sign::EncodePublicKey(council_.signing_key);
  EXPECT_TRUE(history.Accepts(old, now_ - std::chrono::seconds(1)));
  EXPECT_FALSE(history.Accepts(old, now_));
}

TEST_F(PeerRules, CompromisedKeyCountsForNothingSinceThen) {
  const auto since = now_ + std::chrono::hours(1);
  Pass(std::chrono::hours(2));
  const PeerTerms next = NextCard();
  Keep(Rekeyed(book_, next, {{}, since}, now_));
  const policy::KeyHistory history = Council().History();
  const std::string old = sign::EncodePublicKey(council_.signing_key);
  EXPECT_TRUE(history.Accepts(old, since - std::chrono::microseconds(1)));
  EXPECT_FALSE(history.Accepts(old, since));
  EXPECT_FALSE(history.Accepts(old, now_));
  EXPECT_THAT(Council().SigningKeysAt(now_), ElementsAre(next.signing_key));
  EXPECT_EQ(Council().keys.front().end, kCompromised);
}

TEST_F(PeerRules, CompromiseOfAKeyInItsOverlapEndsIt) {
  const PeerTerms next = NextCard();
  Keep(Rekeyed(book_, next, {kOverlap, {}}, now_));
  Pass(std::chrono::hours(1));
  PeerTerms again = next;
  Keep(Rekeyed(book_, again, {{}, now_}, now_));
  EXPECT_THAT(Council().SigningKeysAt(now_), ElementsAre(next.signing_key));
}

TEST_F(PeerRules, RefusesARekeyingThatMakesNoSense) {
  EXPECT_THAT(Rekeyed(book_, NextCard(), {kLongestOverlap + std::chrono::seconds(1), {}}, now_),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Rekeyed(book_, NextCard(), {std::chrono::seconds(-1), {}}, now_),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Rekeyed(book_, NextCard(), {{}, now_ + std::chrono::seconds(1)}, now_),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Rekeyed(book_, NextCard(), {kOverlap, now_}, now_),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Rekeyed(book_, council_, {}, now_), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(Rekeyed(book_, council_, {{}, now_}, now_), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(Rekeyed(book_, SampleTerms("riverside-health"), {}, now_),
              FailsWith(ErrorCode::kNotFound));
}

TEST_F(PeerRules, GivenUpKeyDoesNotComeBack) {
  Keep(Rekeyed(book_, NextCard(), {}, now_));
  EXPECT_THAT(Rekeyed(book_, council_, {}, now_), FailsWith(ErrorCode::kConflict));
  Keep(Removed(book_, council_.agency, "left", now_));
  EXPECT_THAT(Enrolled(book_, council_, now_), FailsWith(ErrorCode::kConflict));
}

TEST_F(PeerRules, OtherAddressKeepsKeysAndPeriods) {
  PeerTerms moved = council_;
  moved.address = "192.0.2.9:7443";
  Keep(Rekeyed(book_, moved, {}, now_));
  EXPECT_EQ(Council().terms.address, "192.0.2.9:7443");
  EXPECT_EQ(Council().keys.size(), 1U);
}

TEST_F(PeerRules, OtherCaKeepsTheSigningKeyAndBothCasForTheOverlap) {
  PeerTerms reissued = council_;
  reissued.anchor_pem = "another CA certificate\n";
  Keep(Rekeyed(book_, reissued, {kOverlap, {}}, now_));
  EXPECT_EQ(Council().AnchorsAt(now_), reissued.anchor_pem + council_.anchor_pem);
  EXPECT_EQ(Council().AnchorsAt(now_ + kOverlap), reissued.anchor_pem);
  EXPECT_THAT(Council().SigningKeysAt(now_ + kOverlap), ElementsAre(council_.signing_key));
}

TEST_F(PeerRules, SuspensionAndRemovalFollowTheStates) {
  EXPECT_THAT(Resumed(book_, {council_.agency, now_}, now_), FailsWith(ErrorCode::kConflict));
  Keep(Suspended(book_, council_.agency, "looked into", now_));
  EXPECT_EQ(Council().reason, "looked into");
  EXPECT_THAT(Suspended(book_, council_.agency, "again", now_), FailsWith(ErrorCode::kConflict));
  Keep(Resumed(book_, {council_.agency, now_}, now_));
  EXPECT_EQ(Council().reason, "");
  Keep(Removed(book_, council_.agency, "left", now_));
  EXPECT_THAT(Council().SigningKeysAt(now_), IsEmpty());
  for (const auto& refused :
       {Suspended(book_, council_.agency, "x", now_), Resumed(book_, {council_.agency, now_}, now_),
        Removed(book_, council_.agency, "x", now_), Rekeyed(book_, NextCard(), {}, now_)}) {
    EXPECT_THAT(refused, FailsWith(ErrorCode::kConflict));
  }
  EXPECT_THAT(Suspended(book_, AgencyOf("riverside-health"), "x", now_),
              FailsWith(ErrorCode::kNotFound));
}

TEST_F(PeerRules, ResumptionEndsTheSuspensionItNamesAndNoLaterOne) {
  Keep(Suspended(book_, council_.agency, "looked into", now_));
  const Suspension first{council_.agency, Council().changed_at};
  Keep(Resumed(book_, first, now_));
  Pass(std::chrono::hours(1));
  Keep(Suspended(book_, council_.agency, "stolen key", now_));
  EXPECT_THAT(Resumed(book_, first, now_), FailsWith(ErrorCode::kConflict));
  Keep(Resumed(book_, {council_.agency, Council().changed_at}, now_));
}

TEST_F(PeerRules, RemovedPartnerComesBackWithItsHistory) {
  Keep(Removed(book_, council_.agency, "left", now_));
  Pass(std::chrono::hours(1));
  Keep(Enrolled(book_, council_, now_));
  EXPECT_THAT(Council().SigningKeysAt(now_), ElementsAre(council_.signing_key));
  EXPECT_THAT(Council().SigningKeysAt(now_ - std::chrono::minutes(30)), IsEmpty());
  EXPECT_EQ(Council().keys.size(), 2U);
}

TEST_F(PeerRules, FurtherEnrolmentIsToldFromTheOneThatEnded) {
  for (int round = 0; round < 3; ++round) {
    const policy::Instant before = Council().enrolled_at;
    Keep(Removed(book_, council_.agency, "left", now_));
    Keep(Enrolled(book_, council_, now_));
    EXPECT_GT(Council().enrolled_at, before);  // though the clock stands
  }
}

TEST_F(PeerRules, KeepsNoMoreThan64SetsOfKeys) {
  for (std::size_t i = 1; i < kMaxKeysOfPeer; ++i) Keep(Rekeyed(book_, NextCard(), {}, now_));
  EXPECT_THAT(Rekeyed(book_, NextCard(), {}, now_), FailsWith(ErrorCode::kExhausted));
}

TEST_F(PeerRules, AnnouncementWaitsForItsOwnCard) {
  const PeerTerms next = NextCard();
  Keep(Announced(book_, council_.agency, {"card", next.fingerprint, {}, now_}));
  PeerTerms moved = council_;
  moved.address = "192.0.2.9:7443";
  moved.fingerprint = hash::Sha256(AsBytes("moved"));
  Keep(Rekeyed(book_, moved, {}, now_));
  EXPECT_TRUE(Council().announced.has_value());
  Keep(Rekeyed(book_, next, {}, now_));
  EXPECT_FALSE(Council().announced.has_value());
}

TEST_F(PeerRules, OwnNextKeyIsAcceptedBesideThePresentOneUntilItIsUsed) {
  const PeerTerms next = TermsWith(kOwnAgency, SampleKey(), self_.log_key);
  Keep(OwnRekeyed(book_, next, {}, "card", now_));
  EXPECT_THAT(book_.at(self_.agency).SigningKeysAt(now_),
              ElementsAre(next.signing_key, self_.signing_key));
  Pass(std::chrono::hours(1));
  Keep(OwnWorkingWith(book_.at(self_.agency), next, now_));
  EXPECT_THAT(book_.at(self_.agency).SigningKeysAt(now_), ElementsAre(next.signing_key));
  EXPECT_THAT(OwnWorkingWith(book_.at(self_.agency), self_, now_),
              FailsWith(ErrorCode::kPermissionDenied));
}

TEST_F(PeerRules, StartingAgainWithThePresentKeyLeavesTheAnnouncedOneBe) {
  const PeerTerms next = TermsWith(kOwnAgency, SampleKey(), self_.log_key);
  Keep(OwnRekeyed(book_, next, {}, "card", now_));
  Keep(OwnWorkingWith(book_.at(self_.agency), self_, now_));
  EXPECT_THAT(book_.at(self_.agency).SigningKeysAt(now_),
              ElementsAre(next.signing_key, self_.signing_key));
}

TEST_F(PeerRules, OwnCompromisedKeyIsRefusedAtTheNextStart) {
  const PeerTerms next = TermsWith(kOwnAgency, SampleKey(), self_.log_key);
  Keep(OwnRekeyed(book_, next, {{}, now_}, "card", now_));
  EXPECT_THAT(OwnWorkingWith(book_.at(self_.agency), self_, now_),
              FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_THAT(OwnWorkingWith(book_.at(self_.agency), next, now_), IsOk());
}

TEST_F(PeerRules, RefusesAnOwnKeyThatWasUsedBefore) {
  EXPECT_THAT(OwnRekeyed(book_, self_, {}, "card", now_), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(OwnRekeyed(book_, council_, {}, "card", now_), FailsWith(ErrorCode::kNotFound));
}

}  // namespace
}  // namespace comity::identity
