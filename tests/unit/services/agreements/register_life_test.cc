// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "policy/decide/decide.h"
#include "services/audit/events.h"
#include "tests/unit/policy/decide/decision_case.h"
#include "tests/unit/services/agreements/agreement_register.h"

// Statements over the life of an agreement, what people are told of it, and the other party's word.
namespace comity::agreements {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using policy::StatementKind;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace policy::testing;
using namespace std::chrono_literals;
namespace notice = identity::notice;

class AgreementLife : public AgreementRegister {
 protected:
  policy::ReasonCode Decided() {
    return policy::Decide(*register_->Snapshot(), BaseRequest(agreement_), {0, 0, 0},
                          agency_.clock.Now())
        .code;
  }
  Result<Submitted> Resume(const Person& person, const Digest& suspension) {
    auto statement = StatementBy(person, StatementKind::kResumption, agreement_);
    statement.lifts = suspension;
    return register_->SubmitStatement(Signed(person, statement), own_);
  }
};

TEST_F(AgreementLife, TellsDposAndSignatoriesOfEveryChange) {
  BringInForce();
  EXPECT_THAT(Told(notice::kAgreementChanged), SizeIs(7));
  ASSERT_THAT(Peer(kCouncilDpo, StatementKind::kSuspension), IsOk());
  const auto told = Told(notice::kAgreementChanged);
  ASSERT_THAT(told, SizeIs(8));
  EXPECT_THAT(told.back().words, HasSubstr("suspension by Data Protection Officer of eastvale"));
  EXPECT_THAT(told.back().words, HasSubstr("now suspended"));
  // What is known already is no news.
  ASSERT_THAT(Peer(kCouncilDpo, StatementKind::kSuspension), IsOk());
  EXPECT_THAT(Told(notice::kAgreementChanged), SizeIs(8));
}

TEST_F(AgreementLife, ARejectionEndsAProposalForGood) {
  ASSERT_THAT(register_->SubmitDocument(BaseDocument(), peer_), IsOk());
  ASSERT_THAT(Own(kPoliceDpo, StatementKind::kAdvice), IsOk());
  ASSERT_THAT(Own(kPoliceSiro, StatementKind::kRejection), IsOk());
  EXPECT_EQ(Status(), "rejected");
  EXPECT_THAT(Own(kPoliceChief, StatementKind::kSignature), FailsWith(ErrorCode::kConflict));
  // The other side signs what it does not know to be rejected: no difference.
  ASSERT_THAT(Peer(kCouncilDpo, StatementKind::kAdvice), IsOk());
  ASSERT_THAT(Peer(kCouncilChief, StatementKind::kSignature), IsOk());
  Restart();
  EXPECT_EQ(Status(), "rejected");
  EXPECT_EQ(Decided(), policy::ReasonCode::kAgreementRejected);
}

TEST_F(AgreementLife, OwnPeopleRejectNothingThatAllHaveSigned) {
  BringInForce();
  const auto refused = Own(kPoliceSiro, StatementKind::kRejection);
  ASSERT_THAT(refused, FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(refused.error().detail, HasSubstr("suspend or terminate"));
  EXPECT_EQ(Status(), "in-force");
  // The other side's rejection that crossed the last signature counts at both sides alike.
  ASSERT_THAT(Peer(kCouncilSiro, StatementKind::kRejection), IsOk());
  EXPECT_EQ(Status(), "rejected");
}

TEST_F(AgreementLife, ALateRejectionLeavesItStoppedUntilItEnds) {
  BringInForce();
  ASSERT_THAT(Peer(kCouncilSiro, StatementKind::kRejection), IsOk());
  auto review = StatementBy(kPoliceChief, StatementKind::kReview, agreement_);
  review.text = "Reviewed.";
  EXPECT_THAT(register_->SubmitStatement(Signed(kPoliceChief, review), own_),
              FailsWith(ErrorCode::kConflict));
  // What is suspended in it holds for higher versions, and can be lifted.
  ASSERT_THAT(Own(kPoliceDpo, StatementKind::kSuspension), IsOk());
  ASSERT_THAT(Resume(kPoliceChief, View().statements.back().id), IsOk());
  agency_.clock.Set(agreement_.effective_until - 1us);
  EXPECT_THAT(register_->Ended(agency_.clock.Now()), IsEmpty());
  // It was in force once: what was received under it is deleted with its last day,
  agency_.clock.Set(agreement_.effective_until);
  EXPECT_EQ(Status(), "rejected");
  EXPECT_THAT(register_->Ended(agency_.clock.Now()), SizeIs(1));
  // or when two people end it.
  agency_.clock.Set(At("2026-03-01T09:00:00Z"));
  ASSERT_THAT(Own(kPoliceChief, StatementKind::kTermination), IsOk());
  ASSERT_THAT(Own(kPoliceSiro, StatementKind::kTermination), IsOk());
  EXPECT_THAT(register_->Ended(agency_.clock.Now()), SizeIs(1));
}

TEST_F(AgreementLife, OwnPeopleLiftNothingThatIsNotSuspendedInThisVersion) {
  BringInForce();
  EXPECT_THAT(Resume(kPoliceChief, Digest{}), FailsWith(ErrorCode::kConflict));
  ASSERT_THAT(Own(kPoliceDpo, StatementKind::kSuspension), IsOk());
  EXPECT_THAT(Resume(kPoliceChief, View().statements.back().id), IsOk());
}

TEST_F(AgreementLife, ASuspensionKeepsNothingBeyondTheLastDay) {
  BringInForce();
  ASSERT_THAT(Own(kPoliceDpo, StatementKind::kSuspension), IsOk());
  agency_.clock.Set(agreement_.effective_until);
  EXPECT_EQ(Status(), "suspended");
  EXPECT_THAT(register_->Ended(agency_.clock.Now()), SizeIs(1));
}

TEST_F(AgreementLife, TwoPeopleOfTheSideThatSuspendedResume) {
  BringInForce();
  ASSERT_THAT(Own(kPoliceDpo, StatementKind::kSuspension), IsOk());
  const Digest id = View().statements.back().id;
  ASSERT_THAT(Resume(kPoliceChief, id), IsOk());
  EXPECT_EQ(Status(), "suspended");
  ASSERT_THAT(Resume(kPoliceSiro, id), IsOk());
  EXPECT_EQ(Status(), "in-force");
}

TEST_F(AgreementLife, EndsWhenTheNoticeOfATerminationIsOver) {
  BringInForce();
  const auto terminate = [&](const Person& person) {
    auto statement = StatementBy(person, StatementKind::kTermination, agreement_);
    statement.at = agency_.clock.Now();
    return register_->SubmitStatement(Signed(person, statement), own_);
  };
  ASSERT_THAT(terminate(kPoliceChief), IsOk());
  EXPECT_FALSE(View().terminates_at.has_value());
  ASSERT_THAT(terminate(kPoliceSiro), IsOk());
  EXPECT_EQ(Status(), "in-force");
  EXPECT_EQ(View().terminates_at, agency_.clock.Now() + agreement_.termination.notice);
  EXPECT_EQ(Decided(), policy::ReasonCode::kPermit);
  ASSERT_THAT(register_->Housekeep(), IsOk());
  EXPECT_THAT(register_->Ended(agency_.clock.Now()), IsEmpty());
  agency_.clock.Advance(agreement_.termination.notice);
  EXPECT_EQ(Status(), "terminated");
  EXPECT_EQ(Decided(), policy::ReasonCode::kAgreementTerminated);
  const auto before = Told(notice::kAgreementChanged).size();
  ASSERT_THAT(register_->Housekeep(), IsOk());
  ASSERT_THAT(register_->Housekeep(), IsOk());
  EXPECT_EQ(Told(notice::kAgreementChanged).size(), before + 1);
  EXPECT_EQ(agency_.CountEvents(audit::kAgreementMarked), 1U);
  Restart();
  ASSERT_THAT(register_->Housekeep(), IsOk());
  EXPECT_EQ(agency_.CountEvents(audit::kAgreementMarked), 1U) << "told again after a restart";
  const auto ended = register_->Ended(agency_.clock.Now());
  ASSERT_THAT(ended, SizeIs(1));
  EXPECT_EQ(ended[0].agreement, policy::RefOf(agreement_));
  EXPECT_THAT(ended[0].parties, ::testing::ElementsAre(kCouncil, kPolice));
}

TEST_F(AgreementLife, EndsWithItsLastDay) {
  BringInForce();
  agency_.clock.Set(agreement_.effective_until - 1us);
  EXPECT_THAT(register_->Ended(agency_.clock.Now()), IsEmpty());
  agency_.clock.Set(agreement_.effective_until);
  EXPECT_THAT(register_->Ended(agency_.clock.Now()), SizeIs(1));
}

TEST_F(AgreementLife, RemindsOfAReviewOnceAndInTime) {
  BringInForce();
  agency_.clock.Set(agreement_.review_by - agreement_.review_reminder - 1us);
  ASSERT_THAT(register_->Housekeep(), IsOk());
  EXPECT_THAT(Told(notice::kAgreementReview), IsEmpty());
  agency_.clock.Advance(1us);
  ASSERT_THAT(register_->Housekeep(), IsOk());
  Restart();
  ASSERT_THAT(register_->Housekeep(), IsOk());
  const auto told = Told(notice::kAgreementReview);
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_THAT(told[0].words, HasSubstr("2026-10-01T00:00:00Z"));
  EXPECT_THAT(told[0].words, HasSubstr("review of northshire-police, a signatory"));
  agency_.clock.Set(agreement_.review_by);
  ASSERT_THAT(register_->Housekeep(), IsOk());
  ASSERT_THAT(Told(notice::kAgreementReview), SizeIs(2));
  EXPECT_EQ(Decided(), policy::ReasonCode::kReviewOverdue);
}

TEST_F(AgreementLife, AReviewByBothSidesNeedsNoReminder) {
  BringInForce();
  for (const Person& person : {kCouncilDpo, kCouncilSiro, kPoliceDpo}) {
    auto statement = StatementBy(person, StatementKind::kReview, agreement_);
    statement.text = "Reviewed; a new version follows.";
    const bool own = person.party == kPolice.text();
    ASSERT_THAT(
        register_->SubmitStatement(
            own ? Signed(person, statement) : Countersigned(person, statement), own ? own_ : peer_),
        IsOk());
    EXPECT_FALSE(View().reviewed);
  }
  EXPECT_THAT(View().missing_reviews,
              ::testing::ElementsAre("review of northshire-police, a signatory"));
  auto last = StatementBy(kPoliceChief, StatementKind::kReview, agreement_);
  last.text = "Reviewed.";
  ASSERT_THAT(register_->SubmitStatement(Signed(kPoliceChief, last), own_), IsOk());
  EXPECT_TRUE(View().reviewed);
  agency_.clock.Set(agreement_.review_by - 1us);
  ASSERT_THAT(register_->Housekeep(), IsOk());
  EXPECT_THAT(Told(notice::kAgreementReview), IsEmpty());
  // The review says that it took place; only a higher version goes on.
  agency_.clock.Set(agreement_.review_by);
  EXPECT_EQ(Decided(), policy::ReasonCode::kReviewOverdue);
}

TEST_F(AgreementLife, TheStricterSideDecides) {
  BringInForce();
  const auto ref = policy::RefOf(agreement_);
  ASSERT_THAT(register_->LearnPeerStatus(kCouncil, ref, "suspended"), IsOk());
  EXPECT_EQ(Decided(), policy::ReasonCode::kAgreementStatusDiffers);
  EXPECT_TRUE(View().status_differs);
  EXPECT_EQ(View().status, "in-force");
  EXPECT_TRUE(register_->DiffersFrom(kCouncil, ref));
  Restart();
  EXPECT_EQ(Decided(), policy::ReasonCode::kAgreementStatusDiffers) << "forgotten by a restart";
  ASSERT_THAT(register_->LearnPeerStatus(kCouncil, ref, "in-force"), IsOk());
  EXPECT_EQ(Decided(), policy::ReasonCode::kPermit);
  EXPECT_FALSE(View().status_differs);
  EXPECT_EQ(agency_.CountEvents(audit::kAgreementStatusLearned), 2U);
}

TEST_F(AgreementLife, AWordThatIsNoStatusStopsUntilAKnownOneComes) {
  BringInForce();
  const auto ref = policy::RefOf(agreement_);
  for (const char* word : {"untrusted-keys", "paused", "SUSPENDED\n"}) {
    ASSERT_THAT(register_->LearnPeerStatus(kCouncil, ref, "suspended"), IsOk());
    ASSERT_THAT(register_->LearnPeerStatus(kCouncil, ref, word), IsOk());
    EXPECT_EQ(Decided(), policy::ReasonCode::kAgreementStatusDiffers) << word;
    EXPECT_TRUE(register_->DiffersFrom(kCouncil, ref)) << word;
    Restart();
    EXPECT_EQ(Decided(), policy::ReasonCode::kAgreementStatusDiffers) << word;
    ASSERT_THAT(register_->LearnPeerStatus(kCouncil, ref, "in-force"), IsOk());
    EXPECT_EQ(Decided(), policy::ReasonCode::kPermit);
  }
}

TEST_F(AgreementLife, SaysOnceThatTheSidesDiffer) {
  BringInForce();
  const auto ref = policy::RefOf(agreement_);
  const auto after = [&](std::chrono::seconds time) {
    agency_.clock.Advance(time);
    EXPECT_THAT(register_->Housekeep(), IsOk());
    return Told(notice::kStatusDiffers).size();
  };
  ASSERT_THAT(register_->LearnPeerStatus(kCouncil, ref, "signed"), IsOk());
  EXPECT_EQ(after(0s), 0U);
  EXPECT_EQ(after(9s), 0U) << "told before a message could settle it";
  EXPECT_EQ(after(1s), 1U);
  EXPECT_EQ(after(60s), 1U);
  ASSERT_THAT(register_->LearnPeerStatus(kCouncil, ref, "suspended"), IsOk());
  EXPECT_EQ(after(0s), 1U);
  EXPECT_EQ(after(10s), 2U) << "another difference is news";
  ASSERT_THAT(register_->LearnPeerStatus(kCouncil, ref, "in-force"), IsOk());
  EXPECT_EQ(after(10s), 2U);
  EXPECT_THAT(Told(notice::kStatusDiffers).back().words, HasSubstr("says `suspended`"));
}

TEST_F(AgreementLife, TimeAloneMakesNoDifference) {
  BringInForce();
  ASSERT_THAT(register_->LearnPeerStatus(kCouncil, policy::RefOf(agreement_), "in-force"), IsOk());
  agency_.clock.Set(agreement_.effective_until + 24h);
  EXPECT_EQ(Status(), "expired");
  EXPECT_FALSE(View().status_differs);
}

TEST_F(AgreementLife, TakesAPeersWordOfItsOwnAgreementsOnlyAndOnceEach) {
  BringInForce();
  auto ref = policy::RefOf(agreement_);
  const policy::AgencyId stranger = policy::AgencyId::Parse("westmoor-police").value();
  ASSERT_THAT(register_->LearnPeerStatus(stranger, ref, "suspended"), IsOk());
  auto other = ref;
  other.sha256.bytes[0] ^= 1;
  ASSERT_THAT(register_->LearnPeerStatus(kCouncil, other, "suspended"), IsOk());
  other = ref;
  other.version = 9;
  ASSERT_THAT(register_->LearnPeerStatus(kCouncil, other, "suspended"), IsOk());
  EXPECT_EQ(Decided(), policy::ReasonCode::kPermit);
  for (int i = 0; i < 3; ++i) {
    ASSERT_THAT(register_->LearnPeerStatus(kCouncil, ref, "in-force"), IsOk());
    agency_.clock.Advance(1s);
  }
  EXPECT_EQ(agency_.CountEvents(audit::kAgreementStatusLearned), 1U);
  ASSERT_THAT(register_->LearnPeerStatus(kCouncil, ref, "In \"force\"\n"), IsOk());
  EXPECT_EQ(View().peer_status->status, "unreadable");
}

TEST_F(AgreementLife, IsFoundByPartyPurposeItemReviewAndStatus) {
  BringInForce();
  const auto found = [&](const ListFilter& filter) {
    return register_->List(agency_.clock.Now(), filter).size();
  };
  ListFilter filter;
  filter.party = kCouncil;
  filter.purpose = policy::PurposeCode::Parse("missing-person").value();
  filter.item = policy::ReleaseItem::kCategory;
  filter.review_before = agreement_.review_by + 1us;
  filter.status = "in-force";
  EXPECT_EQ(found(filter), 1U);
  const auto without = [&](auto change) {
    ListFilter other = filter;
    change(other);
    return found(other);
  };
  EXPECT_EQ(without([](ListFilter& f) { f.party = policy::AgencyId::Parse("westmoor").value(); }),
            0U);
  EXPECT_EQ(
      without([](ListFilter& f) { f.purpose = policy::PurposeCode::Parse("training").value(); }),
      0U);
  EXPECT_EQ(without([](ListFilter& f) { f.item = policy::ReleaseItem::kSimilarity; }), 0U);
  EXPECT_EQ(without([&](ListFilter& f) { f.review_before = agreement_.review_by; }), 0U);
  EXPECT_EQ(without([](ListFilter& f) { f.status = "suspended"; }), 0U);
}

// Key 1 of the council is replaced by key 9 at `moment`; key 1 was good until `end`.
policy::KeyHistory Rotated(policy::Instant moment, policy::Instant end) {
  return policy::KeyHistory({{sign::EncodePublicKey(Key(1).public_key()), {}, end},
                             {sign::EncodePublicKey(Key(9).public_key()), moment, std::nullopt}});
}

TEST_F(AgreementLife, OutlivesTheRotationOfAnAgencysKey) {
  BringInForce();
  agency_.clock.Advance(24h);
  histories_[kCouncil] = Rotated(agency_.clock.Now(), agency_.clock.Now());
  ASSERT_THAT(register_->Refresh(), IsOk());
  EXPECT_EQ(Status(), "in-force");
  agency_.clock.Advance(1h);
  // From now on the new key vouches for the council's people, and the old one does not.
  const auto suspension = StatementBy(kCouncilDpo, StatementKind::kSuspension, agreement_);
  EXPECT_THAT(register_->SubmitStatement(Countersigned(kCouncilDpo, suspension), peer_),
              FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(register_->SubmitStatement(Countersigned(kCouncilDpo, suspension, 9), peer_), IsOk());
  EXPECT_EQ(Status(), "suspended");
  Restart();
  EXPECT_EQ(Status(), "suspended");
}

TEST_F(AgreementLife, WhatACompromisedKeyVouchedForDoesNotCount) {
  const policy::Instant stolen = agency_.clock.Now();
  agency_.clock.Advance(-1h);
  ASSERT_THAT(register_->SubmitDocument(BaseDocument(), own_), IsOk());
  agency_.clock.Advance(2h);
  ASSERT_THAT(Own(kPoliceDpo, StatementKind::kAdvice), IsOk());
  ASSERT_THAT(Peer(kCouncilDpo, StatementKind::kAdvice), IsOk());
  EXPECT_EQ(Status(), "advised");
  histories_[kCouncil] = Rotated(agency_.clock.Now(), stolen);
  ASSERT_THAT(register_->Refresh(), IsOk());
  EXPECT_EQ(Status(), "drafted");
  EXPECT_FALSE(View().statements.back().barred.empty());
  EXPECT_TRUE(View().statements.front().barred.empty());
  Restart();
  EXPECT_EQ(Status(), "drafted");
}

TEST_F(AgreementLife, ACompromiseBringsBackNoLowerVersion) {
  BringInForce();
  agency_.clock.Advance(1h);
  const policy::Agreement first = agreement_;
  const std::string second = Replaced(BaseDocument(), "version: 1\n", "version: 2\n");
  ASSERT_THAT(register_->SubmitDocument(second, own_), IsOk());
  const policy::Agreement two = LoadOk(second);
  const auto say = [&](const Person& person, StatementKind kind) {
    return register_->SubmitStatement(Countersigned(person, StatementBy(person, kind, two)),
                                      person.party == kPolice.text() ? own_ : peer_);
  };
  agency_.clock.Advance(1h);
  const policy::Instant stolen = agency_.clock.Now();
  for (const Person& dpo : {kPoliceDpo, kCouncilDpo}) {
    ASSERT_THAT(say(dpo, StatementKind::kAdvice), IsOk());
  }
  for (const Person& person : {kPoliceChief, kPoliceSiro, kCouncilChief, kCouncilSiro}) {
    ASSERT_THAT(say(person, StatementKind::kSignature), IsOk());
  }
  agency_.clock.Advance(1h);
  EXPECT_EQ(Status(), "superseded");
  histories_[kCouncil] = Rotated(agency_.clock.Now(), stolen);
  ASSERT_THAT(register_->Refresh(), IsOk());
  EXPECT_EQ(Status(), "superseded");
  EXPECT_EQ(register_->Get(two.id, 2)->status, "drafted");
  EXPECT_NE(Decided(), policy::ReasonCode::kPermit);
}

TEST_F(AgreementLife, DecidesByNothingOfAPartyThatWasRemoved) {
  BringInForce();
  agency_.clock.Advance(1h);
  histories_[kCouncil] =
      policy::KeyHistory({{sign::EncodePublicKey(Key(1).public_key()), {}, agency_.clock.Now()}});
  ASSERT_THAT(register_->Refresh(), IsOk());
  EXPECT_EQ(Status(), "untrusted-keys");
  EXPECT_EQ(Decided(), policy::ReasonCode::kNoAgreement);
  EXPECT_THAT(View().missing, Contains(HasSubstr("removed as a peer")));
}

}  // namespace
}  // namespace comity::agreements
