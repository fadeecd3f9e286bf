// SPDX-License-Identifier: Apache-2.0
#include "services/matching/sealed_holder_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/audit/events.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/services/matching/sealed_world.h"

namespace comity::matching {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using policy::ReasonCode;
using testing::At;
using testing::Category;
using testing::CodeOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kNow;
using ::testing::Not;
using testing::SealedWorld;
using ::testing::SizeIs;
using testing::Watching;

SealedOutcome OverCap() {
  SealedOutcome outcome;
  outcome.over_cap = true;
  return outcome;
}

TEST(SealedOpening, IsLoggedWithTheStatesThatAreSearched) {
  SealedWorld world;
  const auto opened = world.TryOpen(world.SealedTerms(), world.Refs());
  ASSERT_NE(opened.session, nullptr);
  EXPECT_EQ(opened.opening.entries, 6U);
  const auto events = world.journal->Events(audit::kSearchOpened);
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_THAT(events[0].committed.at("sealed"), HasSubstr("\"sequence\":1"));
}

TEST(SealedOpening, NeedsAPermissionOfModeSealed) {
  SealedWorld world;
  world.Agree(testing::AgreementKnobs{});
  EXPECT_EQ(world.TryOpen(world.SealedTerms(), world.Refs()).opening.decision.code,
            ReasonCode::kModeNotCovered);
}

TEST(SealedOpening, NeverServesADirectSearch) {
  SealedWorld world;
  world.Agree(testing::AgreementKnobs{});
  EXPECT_EQ(world.TryOpen(world.Terms(), world.Refs()).opening.decision.code,
            ReasonCode::kModeNotCovered);
}

TEST(SealedOpening, RefusesAnotherStateThanTheOneInForce) {
  SealedWorld world;
  const auto old = world.Refs();
  world.sample.MoveOn();
  world.Publish();
  const auto opened = world.TryOpen(world.SealedTerms(), old);
  EXPECT_EQ(opened.opening.decision.code, ReasonCode::kListChanged);
  EXPECT_EQ(opened.session, nullptr);
  EXPECT_EQ(world.journal->Count(audit::kSearchRefused), 1U);
}

TEST(SealedOpening, WantsEveryListInForce) {
  SealedWorld world;
  sealed::ListHeader header = world.sample.header();
  header.list = "second";
  sealed::testing::SampleList second(header, 6);
  second.Seal(0, sealed::testing::Faces(testing::kDimension, 8).Templates(3));
  world.lists.Put(world.council, testing::Named<policy::WatchlistId>("second"), second);
  EXPECT_EQ(world.TryOpen(world.SealedTerms(), world.Refs()).opening.decision.code,
            ReasonCode::kListChanged);
  auto twice = world.Refs();
  twice.push_back(twice.front());
  EXPECT_EQ(world.TryOpen(world.SealedTerms(), twice).opening.decision.code,
            ReasonCode::kListChanged);
}

TEST(SealedOpening, CoversNoMoreListsThanASessionSearches) {
  SealedWorld world;
  auto refs = world.Refs();
  for (std::size_t i = 1; i <= kMostSealedLists; ++i) {
    sealed::ListHeader header = world.sample.header();
    header.list = "list-" + std::to_string(i);
    sealed::testing::SampleList more(header, static_cast<std::uint8_t>(i));
    more.Seal(0, sealed::testing::Faces(testing::kDimension, i).Templates(1));
    world.lists.Put(world.council, testing::Named<policy::WatchlistId>(header.list), more);
    const auto code = world.TryOpen(world.SealedTerms(), refs).opening.decision.code;
    EXPECT_EQ(code, i < kMostSealedLists ? ReasonCode::kListChanged : ReasonCode::kListNotCovered);
    refs.push_back({more.state().header, more.state().sequence, more.epoch()->state_digest()});
  }
}

TEST(SealedOpening, RefusesAThresholdThatTheListWasNotMadeFor) {
  SealedWorld world;
  SearchTerms terms = world.SealedTerms();
  terms.request.threshold = 0.96;
  EXPECT_EQ(world.TryOpen(terms, world.Refs()).opening.decision.code, ReasonCode::kListNotCovered);
}

TEST(SealedSession, ReleasesWhatIsPermittedAndNoSimilarity) {
  SealedWorld world;
  auto knobs = world.Knobs();
  knobs.releases.push_back(policy::ReleaseItem::kSimilarity);
  world.Agree(knobs);
  const auto session = world.OpenSealed();
  const auto answer = world.Search(*session, world.Asked(1), SealedWorld::Hits({3}));
  ASSERT_TRUE(answer);
  ASSERT_THAT(answer->hits, SizeIs(1));
  EXPECT_EQ(answer->hits[0].reference, "r2");
  EXPECT_FALSE(answer->hits[0].similarity);
  EXPECT_EQ(answer->entries, 6U);
  EXPECT_EQ(world.lists.charged, 1U);
}

TEST(SealedSession, LogsAHitWithItsBlindedProbeAndWithoutAScore) {
  SealedWorld world;
  const auto session = world.OpenSealed();
  ASSERT_TRUE(world.Search(*session, world.Asked(7), SealedWorld::Hits({1})));
  const auto events = world.journal->Events(audit::kSearchHit);
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].messages.at("blinded-0").bytes[31], 7);
  EXPECT_EQ(events[0].messages.at("header-0"), world.sample.state().header);
  EXPECT_FALSE(events[0].committed.contains("blinded")) << "nobody could compare it offline";
  EXPECT_THAT(events[0].committed.at("hits"), Not(HasSubstr("score")));
  EXPECT_TRUE(events[0].messages.contains("answer"));
}

TEST(SealedSession, LogsNothingOfAProbeThatHitsNothing) {
  SealedWorld world;
  const auto session = world.OpenSealed();
  const std::size_t before = world.journal->size();
  const auto answer = world.Search(*session, world.Asked(1), {});
  ASSERT_EQ(CodeOf(answer), ReasonCode::kPermit);
  EXPECT_THAT(answer->hits, IsEmpty());
  // Capacity is reserved in blocks; that is no record of the probe.
  EXPECT_EQ(world.journal->size(), before + world.journal->Count(audit::kCapacityReserved));
}

TEST(SealedSession, AnswersNothingThatTheLogDoesNotHave) {
  SealedWorld world;
  const auto session = world.OpenSealed();
  std::vector<ProbeAnswer> answers;
  auto batch = session->Begin({world.Asked(1)}, world.Refs(), world.Keep(answers));
  ASSERT_THAT(batch, IsOk());
  world.journal->Refuse(true);
  const SealedOutcome hit = SealedWorld::Hits({1});
  EXPECT_THAT(session->Conclude(*batch, {&hit, 1}, world.Keep(answers)),
              FailsWith(ErrorCode::kUnavailable));
}

TEST(SealedSession, AWithdrawnEntryIsNoHit) {
  SealedWorld world;
  const auto session = world.OpenSealed();
  world.galleries.Withdraw(world.list, std::vector<std::string>{"r2"});
  const auto answer = world.Search(*session, world.Asked(1), SealedWorld::Hits({3}));
  ASSERT_EQ(CodeOf(answer), ReasonCode::kPermit);
  EXPECT_THAT(answer->hits, IsEmpty());
}

TEST(SealedSession, AnEntryOfAnotherCategoryIsNoHit) {
  SealedWorld world;
  const auto session = world.OpenSealed();
  const auto answer = world.Search(*session, world.Asked(1), SealedWorld::Hits({6}));  // a witness
  ASSERT_EQ(CodeOf(answer), ReasonCode::kPermit);
  EXPECT_THAT(answer->hits, IsEmpty());
}

TEST(SealedSession, OverTheCapIsRefusedLoggedEachTimeAndAnAlarm) {
  SealedWorld world;
  Watching watching;
  world.observer = &watching;
  const auto session = world.OpenSealed();
  for (std::uint64_t sequence : {1U, 2U}) {
    const auto answer = world.Search(*session, world.Asked(sequence), OverCap());
    EXPECT_EQ(CodeOf(answer), ReasonCode::kOverCap);
    EXPECT_THAT(answer->hits, IsEmpty());
    EXPECT_EQ(answer->entries, 0U);
  }
  EXPECT_EQ(watching.over_caps, 2);
  EXPECT_EQ(watching.after, 2);
  EXPECT_THAT(watching.clauses, ElementsAre("p1"));
  const auto events = world.journal->Events(audit::kSearchRefused);
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(events[0].decision_code, "over-cap");
  EXPECT_TRUE(events[0].committed.contains("blinded"));
}

TEST(SealedSession, MoreHitsThanTheAgreementPermitsAreOverTheCap) {
  SealedWorld world;  // hit cap 3
  const auto session = world.OpenSealed();
  EXPECT_EQ(CodeOf(world.Search(*session, world.Asked(1), SealedWorld::Hits({1, 2, 3}))),
            ReasonCode::kPermit);
  EXPECT_EQ(CodeOf(world.Search(*session, world.Asked(2), SealedWorld::Hits({1, 2, 3, 4}))),
            ReasonCode::kOverCap);
}

TEST(SealedSession, ASuspensionBetweenQuestionAndAnswerReleasesNothing) {
  SealedWorld world;
  const auto session = world.OpenSealed();
  std::vector<ProbeAnswer> answers;
  auto batch = session->Begin({world.Asked(1)}, world.Refs(), world.Keep(answers));
  ASSERT_THAT(batch, IsOk());
  auto knobs = world.Knobs();
  knobs.last_word = policy::StatementKind::kSuspension;
  world.Agree(knobs);
  const SealedOutcome hit = SealedWorld::Hits({1});
  ASSERT_THAT(session->Conclude(*batch, {&hit, 1}, world.Keep(answers)), IsOk());
  ASSERT_THAT(answers, SizeIs(1));
  EXPECT_EQ(answers[0].decision.code, ReasonCode::kAgreementSuspended);
  EXPECT_THAT(answers[0].hits, IsEmpty());
  EXPECT_EQ(world.lists.charged, 0U);
}

TEST(SealedSession, AListThatIsShreddedMeanwhileReleasesNothing) {
  SealedWorld world;
  const auto session = world.OpenSealed();
  std::vector<ProbeAnswer> answers;
  auto batch = session->Begin({world.Asked(1)}, world.Refs(), world.Keep(answers));
  ASSERT_THAT(batch, IsOk());
  world.lists.Shred(world.sample.state().header);
  const SealedOutcome hit = SealedWorld::Hits({1});
  ASSERT_THAT(session->Conclude(*batch, {&hit, 1}, world.Keep(answers)), IsOk());
  EXPECT_EQ(answers[0].decision.code, ReasonCode::kListChanged);
}

TEST(SealedSession, IsToEndWhenAListOfItIsShredded) {
  SealedWorld world;
  const auto session = world.OpenSealed();
  EXPECT_TRUE(session->HasLists());
  world.lists.Shred(world.sample.state().header);
  EXPECT_FALSE(session->HasLists());
}

TEST(SealedSession, AListThatIsNotSearchedNowIsADenialAndNoMiss) {
  SealedWorld world;
  auto knobs = world.Knobs();
  knobs.probes_per_day = 2;
  world.Agree(knobs);
  const auto session = world.OpenSealed();
  std::vector<ProbeAnswer> answers;
  auto batch = session->Begin({world.Asked(1)}, world.Refs(), world.Keep(answers));
  ASSERT_THAT(batch, IsOk());
  world.galleries.Halt({world.list});
  const SealedOutcome hit = SealedWorld::Hits({1});
  ASSERT_THAT(session->Conclude(*batch, {&hit, 1}, world.Keep(answers)), IsOk());
  ASSERT_THAT(answers, SizeIs(1));
  EXPECT_EQ(answers[0].decision.code, ReasonCode::kListNotCovered);
  EXPECT_THAT(answers[0].hits, IsEmpty());
  // Before it is compared it takes no capacity either.
  EXPECT_EQ(CodeOf(world.Search(*session, world.Asked(2), {})), ReasonCode::kListNotCovered);
  world.galleries.Halt({});
  EXPECT_EQ(CodeOf(world.Search(*session, world.Asked(3), {})), ReasonCode::kPermit);
}

TEST(SealedSession, ABatchUnderAnotherStateIsRefusedAndTakesNoCapacity) {
  SealedWorld world;
  auto knobs = world.Knobs();
  knobs.probes_per_day = 1;
  world.Agree(knobs);
  const auto session = world.OpenSealed();
  const auto old = world.Refs();
  world.sample.MoveOn();
  world.Publish();
  std::vector<ProbeAnswer> answers;
  const auto batch = session->Begin({world.Asked(1), world.Asked(2)}, old, world.Keep(answers));
  ASSERT_THAT(batch, IsOk());
  EXPECT_THAT(batch->accepted, IsEmpty());
  ASSERT_THAT(answers, SizeIs(2));
  EXPECT_EQ(answers[1].decision.code, ReasonCode::kListChanged);
  EXPECT_EQ(CodeOf(world.Search(*session, world.Asked(3), {})), ReasonCode::kPermit);
}

TEST(SealedSession, TakesCapacityForEachProbeAndRefusesTheRest) {
  SealedWorld world;
  auto knobs = world.Knobs();
  knobs.probes_per_day = 2;
  world.Agree(knobs);
  const auto session = world.OpenSealed();
  std::vector<ProbeAnswer> answers;
  const auto batch = session->Begin({world.Asked(1), world.Asked(2), world.Asked(3)}, world.Refs(),
                                    world.Keep(answers));
  ASSERT_THAT(batch, IsOk());
  EXPECT_THAT(batch->accepted, ElementsAre(0U, 1U));
  ASSERT_THAT(answers, SizeIs(1));
  EXPECT_EQ(answers[0].sequence, 3U);
  EXPECT_EQ(answers[0].decision.code, ReasonCode::kCapacityExhausted);
}

TEST(SealedSession, FramesOfOneTrackCountOnceForAlarms) {
  SealedWorld world;
  Watching watching;
  world.observer = &watching;
  const auto session = world.OpenSealed();
  SealedProbe probe = world.Asked(1);
  for (probe.claims.sequence = 1; probe.claims.sequence <= 4; ++probe.claims.sequence) {
    ASSERT_EQ(CodeOf(world.Search(*session, probe, SealedWorld::Hits({1}))), ReasonCode::kPermit);
  }
  // The fourth frame of a track is no frame of it any more.
  EXPECT_EQ(watching.hits, 2);
  EXPECT_EQ(world.lists.charged, 4U);
}

TEST(SealedSession, ANumberThatDoesNotRiseEndsIt) {
  SealedWorld world;
  const auto session = world.OpenSealed();
  ASSERT_TRUE(world.Search(*session, world.Asked(5), {}));
  std::vector<ProbeAnswer> answers;
  EXPECT_THAT(session->Begin({world.Asked(5)}, world.Refs(), world.Keep(answers)),
              FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(session->Begin({world.Asked(6)}, world.Refs(), world.Keep(answers)),
              FailsWith(ErrorCode::kConflict));
}

TEST(SealedSession, ALaterEpochLeavesTheFormerOneSearchable) {
  SealedWorld world;
  const auto session = world.OpenSealed();
  sealed::ListHeader header = world.sample.header();
  ++header.epoch;
  sealed::testing::SampleList next(header, 9);
  next.Seal(0, sealed::testing::Faces(testing::kDimension, 4).Templates(6));
  world.lists.Put(world.council, world.list, next);
  world.lists.Supersede(world.sample.state().header);
  EXPECT_EQ(CodeOf(world.Search(*session, world.Asked(1), {})), ReasonCode::kPermit);
}

}  // namespace
}  // namespace comity::matching
