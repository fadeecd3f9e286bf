// SPDX-License-Identifier: Apache-2.0
#include "services/matching/requester_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/base/encoding.h"
#include "services/audit/events.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/services/matching/holder_world.h"

namespace comity::matching {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using policy::ReasonCode;
using testing::AgreementKnobs;
using testing::At;
using testing::HolderWorld;
using ::testing::IsEmpty;
using testing::kNow;
using ::testing::SizeIs;

PendingProbe Pending(std::uint64_t sequence) {
  return {.sequence = sequence,
          .number = sequence,
          .capture_ref = "frame-" + std::to_string(sequence),
          .camera = "hall",
          .captured_at = At(kNow - 1)};
}

policy::Decision Permit() {
  policy::Decision decision;
  decision.code = ReasonCode::kPermit;
  return decision;
}

AgreementKnobs Suspended() {
  AgreementKnobs knobs;
  knobs.last_word = policy::StatementKind::kSuspension;
  return knobs;
}

TEST(RequesterSession, DecidesUnderTheVersionInForceAndNamesIt) {
  HolderWorld world;
  RequesterSession session(world.CouncilTerms(), world.CouncilPorts());
  auto decision = session.DecideProbe(world.clock.Now());
  EXPECT_TRUE(decision.permitted());
  EXPECT_EQ(decision.agreement, world.Ref(1));
  AgreementKnobs second;
  second.version = 2;
  world.Agree(std::vector{AgreementKnobs{}, second});
  decision = session.DecideProbe(world.clock.Now());
  EXPECT_TRUE(decision.permitted());
  EXPECT_EQ(decision.agreement, world.Ref(2));
}

TEST(RequesterSession, SearchOpenedIsDurableOnceBeforeTheFirstPermit) {
  HolderWorld world;
  RequesterSession session(world.CouncilTerms(), world.CouncilPorts());
  const Digest message = testing::SealedAs({});
  EXPECT_TRUE(session.Open(world.clock.Now(), message).permitted());
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(session.DecideProbe(world.clock.Now()).permitted());
  const auto events = world.journal->Events(audit::kSearchOpened);
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].messages.at("open"), message);
  EXPECT_EQ(events[0].committed.at("case_ref"), "EV-2026-114");
  const auto agreement = world.Ref().id;
  const auto officer = world.committer.Officer(agreement, world.clock.Now(), "person/ada");
  const auto case_ref = world.committer.Case(agreement, world.clock.Now(), "EV-2026-114");
  EXPECT_EQ(events[0].committed.at("operator_key"), EncodeHex(officer.key.view()));
  EXPECT_EQ(events[0].committed.at("case_key"), EncodeHex(case_ref.key.view()));
  EXPECT_EQ(session.Commitments(agreement, world.clock.Now()),
            (SearchCommitments{officer.value, case_ref.value}));
  EXPECT_THAT(events[0].parties, ::testing::ElementsAre(world.council, world.police));
}

// Sealed search asks again what a holder could not search as it stood.
TEST(RequesterSession, AProbeThatIsTakenBackKeepsItsCapacityAndIsDecidedAgain) {
  HolderWorld world;
  RequesterSession session(world.CouncilTerms(), world.CouncilPorts());
  const auto permit = session.DecideProbe(world.clock.Now());
  ASSERT_THAT(session.Sent(Pending(1)), IsOk());
  ASSERT_TRUE(session.TakeBack(1));
  EXPECT_FALSE(session.TakeBack(1));
  EXPECT_FALSE(session.Waits(1));
  EXPECT_TRUE(session.DecideAgain(permit, world.clock.Now()).permitted());
  PendingProbe again = Pending(1);
  EXPECT_THAT(session.Sent(again), FailsWith(ErrorCode::kConflict));
  again.number = 2;
  EXPECT_THAT(session.Sent(again), IsOk());
  EXPECT_TRUE(session.Waits(1));
}

TEST(RequesterSession, WhatIsDecidedAgainIsDecidedByTheAgreementsOfThatMoment) {
  HolderWorld world;
  RequesterSession session(world.CouncilTerms(), world.CouncilPorts());
  const auto permit = session.DecideProbe(world.clock.Now());
  ASSERT_TRUE(permit.permitted());
  AgreementKnobs second;
  second.version = 2;
  world.Agree(std::vector{AgreementKnobs{}, second});
  // Its capacity was taken under the first.
  EXPECT_EQ(session.DecideAgain(permit, world.clock.Now()).code, ReasonCode::kStateUnreadable);
  world.Agree(std::vector{Suspended()});
  EXPECT_EQ(session.DecideAgain(permit, world.clock.Now()).code, ReasonCode::kAgreementSuspended);
}

TEST(RequesterSession, WithoutTheLogEveryProbeIsDeniedAsUnreadable) {
  HolderWorld world;
  RequesterSession session(world.CouncilTerms(), world.CouncilPorts());
  world.journal->Refuse(true);
  EXPECT_EQ(session.Open(world.clock.Now()).code, ReasonCode::kStateUnreadable);
  EXPECT_EQ(session.DecideProbe(world.clock.Now()).code, ReasonCode::kStateUnreadable);
  world.journal->Refuse(false);
  EXPECT_TRUE(session.DecideProbe(world.clock.Now()).permitted());
  EXPECT_THAT(world.journal->Events(audit::kSearchOpened), SizeIs(1));
}

TEST(RequesterSession, DeniesWhenNoAgreementOfThatNameIsKnown) {
  HolderWorld world;
  RequesterTerms terms = world.CouncilTerms();
  terms.agreements = {testing::Named<policy::AgreementId>("another-agreement")};
  RequesterSession session(terms, world.CouncilPorts());
  const auto decision = session.DecideProbe(world.clock.Now());
  EXPECT_EQ(decision.code, ReasonCode::kNoAgreement);
  EXPECT_EQ(decision.agreement, std::nullopt);
}

TEST(RequesterSession, IsDecidedUnderTheFirstAgreementThatPermits) {
  HolderWorld world;
  RequesterTerms terms = world.CouncilTerms();
  terms.agreements.insert(terms.agreements.begin(),
                          testing::Named<policy::AgreementId>("another-agreement"));
  RequesterSession session(terms, world.CouncilPorts());
  const auto permit = session.DecideProbe(world.clock.Now());
  EXPECT_TRUE(permit.permitted());
  EXPECT_EQ(permit.agreement, world.Ref());
  terms = world.CouncilTerms();
  terms.agreements.clear();
  RequesterSession without(terms, world.CouncilPorts());
  EXPECT_EQ(without.DecideProbe(world.clock.Now()).code, ReasonCode::kNoAgreement);
}

TEST(RequesterSession, ASearchByAPersonIsLoggedWithItsJustification) {
  HolderWorld world;
  AgreementKnobs knobs;
  knobs.roles = {policy::RequesterRole::kOperator};
  knobs.uses = {policy::UseMode::kRetrospective};
  world.Agree(knobs);
  IdentifyOrder asked = world.Identify();
  asked.offence = Offence{"theft-act-1968-s8", 14};
  ASSERT_THAT(CheckOrder(asked), IsOk());
  const auto order = OrderOf(asked, NewSearchId(world.random));
  RequesterSession session(world.CouncilTerms(order), world.CouncilPorts());
  ASSERT_TRUE(session.Open(world.clock.Now()).permitted());
  const auto events = world.journal->Events(audit::kSearchOpened);
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].committed.at("offence"), "theft-act-1968-s8/14");
  EXPECT_EQ(events[0].committed.at("aim"), "identify");
  EXPECT_EQ(events[0].committed.at("subject_status"), "suspect");
  EXPECT_EQ(events[0].committed.at("case_ref"), "EV-2026-114");
  EXPECT_FALSE(events[0].committed.contains("deployment"));
  // The holder is told the class and nothing else of the offence.
  EXPECT_EQ(session.Request(world.clock.Now()).offence_class, policy::OffenceClass::k4YearsOrMore);
}

TEST(RequesterSession, LogsRefusalsOnChangeAndCountsTheRest) {
  HolderWorld world;
  RequesterSession session(world.CouncilTerms(), world.CouncilPorts());
  ASSERT_TRUE(session.DecideProbe(world.clock.Now()).permitted());
  for (int round = 0; round < 2; ++round) {
    world.Agree(Suspended());
    for (int i = 0; i < 4; ++i) {
      EXPECT_EQ(session.DecideProbe(world.clock.Now()).code, ReasonCode::kAgreementSuspended);
    }
    world.Agree(AgreementKnobs{});
    EXPECT_TRUE(session.DecideProbe(world.clock.Now()).permitted());
  }
  EXPECT_THAT(world.journal->Events(audit::kSearchRefused), SizeIs(2));
  ASSERT_THAT(session.Close("stream-ended"), IsOk());
  const auto closed = world.journal->Events(audit::kSearchClosed);
  ASSERT_THAT(closed, SizeIs(1));
  EXPECT_EQ(closed[0].counts.at("faces"), 11);
  EXPECT_EQ(closed[0].counts.at("refused"), 8);
}

TEST(RequesterSession, CountsCapacityItself) {
  HolderWorld world;
  AgreementKnobs knobs;
  knobs.probes_per_day = 2;
  knobs.attachment_until = kNow + 65'000;
  world.Agree(knobs);
  RequesterSession session(world.CouncilTerms(), world.CouncilPorts());
  EXPECT_TRUE(session.DecideProbe(world.clock.Now()).permitted());
  EXPECT_TRUE(session.DecideProbe(world.clock.Now()).permitted());
  EXPECT_EQ(session.DecideProbe(world.clock.Now()).code, ReasonCode::kCapacityExhausted);
  world.clock.Advance(std::chrono::hours(16));  // the next UTC day, before the agreement's end
  EXPECT_TRUE(session.DecideProbe(world.clock.Now()).permitted());
}

TEST(RequesterSession, AnswersFindTheirProbeInAnyOrderAndOnlyOnce) {
  HolderWorld world;
  RequesterSession session(world.CouncilTerms(), world.CouncilPorts());
  for (std::uint64_t i = 1; i <= 3; ++i) ASSERT_THAT(session.Sent(Pending(i)), IsOk());
  const auto second = session.OnAnswer(2, Permit(), 1);
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(second->capture_ref, "frame-2");
  EXPECT_THAT(session.OnAnswer(2, Permit(), 1), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(session.OnAnswer(9, Permit(), 0), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(session.OnAnswer(1, Permit(), 0), IsOk());
  EXPECT_EQ(session.pending(), 1U);
}

TEST(RequesterSession, HasAtMost64UnansweredProbesInIncreasingOrder) {
  HolderWorld world;
  RequesterSession session(world.CouncilTerms(), world.CouncilPorts());
  for (std::uint64_t i = 1; i <= 64; ++i) ASSERT_THAT(session.Sent(Pending(i)), IsOk());
  EXPECT_THAT(session.Sent(Pending(65)), FailsWith(ErrorCode::kExhausted));
  ASSERT_THAT(session.OnAnswer(30, Permit(), 0), IsOk());
  EXPECT_THAT(session.Sent(Pending(64)), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(session.Sent(Pending(65)), IsOk());
}

TEST(RequesterSession, AForgottenProbeIsCountedOnceAndItsLateAnswerIsNot) {
  HolderWorld world;
  RequesterSession session(world.CouncilTerms(), world.CouncilPorts());
  ASSERT_TRUE(session.DecideProbe(world.clock.Now()).permitted());
  ASSERT_TRUE(session.DecideProbe(world.clock.Now()).permitted());
  ASSERT_THAT(session.Sent(Pending(1)), IsOk());
  ASSERT_THAT(session.Sent(Pending(2)), IsOk());
  EXPECT_TRUE(session.Waits(1));
  EXPECT_TRUE(session.Forget(1));
  EXPECT_FALSE(session.Forget(1));
  EXPECT_FALSE(session.Waits(1));
  EXPECT_THAT(session.OnAnswer(1, Permit(), 1), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(session.Abandon(), SizeIs(1));
  ASSERT_THAT(session.Close("over"), IsOk());
  const auto closed = world.journal->Events(audit::kSearchClosed);
  EXPECT_EQ(closed.at(0).counts.at("unanswered"), 2);
  EXPECT_EQ(closed.at(0).counts.at("answered"), 0);
}

TEST(RequesterSession, AClockThatIsSetBackKeepsNoCountWaiting) {
  HolderWorld world;
  RequesterSession session(world.CouncilTerms(), world.CouncilPorts());
  ASSERT_TRUE(session.DecideProbe(world.clock.Now()).permitted());
  ASSERT_THAT(session.Tick(world.clock.Now() - std::chrono::hours(1)), IsOk());
  EXPECT_THAT(world.journal->Events(audit::kSearchPeriod), SizeIs(1));
}

TEST(RequesterSession, PeriodEntriesHoldFacesHitsRefusedAndUnanswered) {
  HolderWorld world;
  RequesterSession session(world.CouncilTerms(), world.CouncilPorts());
  for (std::uint64_t i = 1; i <= 4; ++i) {
    ASSERT_TRUE(session.DecideProbe(world.clock.Now()).permitted());
    ASSERT_THAT(session.Sent(Pending(i)), IsOk());
  }
  ASSERT_THAT(session.OnAnswer(1, Permit(), 2), IsOk());
  ASSERT_THAT(session.OnAnswer(2, Permit(), 0), IsOk());
  policy::Decision refusal;
  refusal.code = ReasonCode::kAgreementSuspended;
  ASSERT_THAT(session.OnAnswer(3, refusal, 0), IsOk());
  world.clock.Advance(std::chrono::seconds(10));
  EXPECT_TRUE(session.Forget(4));
  ASSERT_THAT(session.Tick(world.clock.Now()), IsOk());
  const auto periods = world.journal->Events(audit::kSearchPeriod);
  ASSERT_THAT(periods, SizeIs(1));
  EXPECT_EQ(periods[0].counts.at("faces"), 4);
  EXPECT_EQ(periods[0].counts.at("answered"), 2);
  EXPECT_EQ(periods[0].counts.at("hits"), 2);
  EXPECT_EQ(periods[0].counts.at("refused-agreement-suspended"), 1);
  EXPECT_EQ(periods[0].counts.at("unanswered"), 1);
  ASSERT_THAT(session.Tick(world.clock.Now()), IsOk());
  EXPECT_THAT(world.journal->Events(audit::kSearchPeriod), SizeIs(1));
}

TEST(RequesterSession, CloseCountsWhatIsStillUnanswered) {
  HolderWorld world;
  RequesterSession session(world.CouncilTerms(), world.CouncilPorts());
  ASSERT_TRUE(session.DecideProbe(world.clock.Now()).permitted());
  ASSERT_THAT(session.Sent(Pending(1)), IsOk());
  ASSERT_THAT(session.Close("holder-unreachable"), IsOk());
  ASSERT_THAT(session.Close("holder-unreachable"), IsOk());
  const auto closed = world.journal->Events(audit::kSearchClosed);
  ASSERT_THAT(closed, SizeIs(1));
  EXPECT_EQ(closed[0].counts.at("unanswered"), 1);
  EXPECT_EQ(closed[0].committed.at("reason"), "holder-unreachable");
}

}  // namespace
}  // namespace comity::matching
