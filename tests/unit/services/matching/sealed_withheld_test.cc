// SPDX-License-Identifier: Apache-2.0
// Answers that are kept back: by an alarm that their own hit raises, or at the last moment.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <ostream>
#include <thread>
#include <vector>

#include "services/audit/events.h"
#include "services/matching/sealed_holder_session.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/services/matching/sealed_world.h"

namespace comity::matching {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using policy::ReasonCode;
using testing::At;
using testing::CodeOf;
using ::testing::Each;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kNow;
using ::testing::Optional;
using testing::SealedWorld;
using ::testing::SizeIs;
using testing::Watching;

std::vector<ReasonCode> CodesOf(const std::vector<ProbeAnswer>& answers) {
  std::vector<ReasonCode> codes;
  for (const ProbeAnswer& answer : answers) codes.push_back(answer.decision.code);
  return codes;
}

// Probes of one batch, concluded together.
struct Asked {
  std::unique_ptr<SealedHolderSession> session;
  SealedHolderSession::Batch batch;
  std::vector<ProbeAnswer> answers;
};
Asked Conclude(SealedWorld& world, const std::vector<SealedOutcome>& outcomes) {
  Asked asked{world.OpenSealed(), {}, {}};
  std::vector<SealedProbe> probes;
  for (std::size_t i = 1; i <= outcomes.size(); ++i) probes.push_back(world.Asked(i));
  auto batch = asked.session->Begin(std::move(probes), world.Refs(), world.Keep(asked.answers));
  EXPECT_THAT(batch, IsOk());
  asked.batch = *std::move(batch);
  EXPECT_THAT(asked.session->Conclude(asked.batch, outcomes, world.Keep(asked.answers)), IsOk());
  return asked;
}

TEST(SealedAlarm, TheHitThatRaisesItIsWithheldWithItsWholeBatch) {
  SealedWorld world;
  Watching watching;
  watching.alarm_at = 2;
  world.observer = &watching;
  const Asked asked = Conclude(world, {SealedWorld::Hits({1}), {}, SealedWorld::Hits({2}), {}});
  EXPECT_THAT(CodesOf(asked.answers), Each(Eq(ReasonCode::kStopped)));
  for (const ProbeAnswer& answer : asked.answers) {
    EXPECT_THAT(answer.hits, IsEmpty());
    EXPECT_EQ(answer.entries, 0U);
  }
  EXPECT_EQ(watching.after, 1);
  EXPECT_EQ(asked.session->WhyStays(asked.batch), std::nullopt) << "a refusal may leave";
}

TEST(SealedAlarm, TheLogSaysWhatWasWithheldAndNothingOfARelease) {
  SealedWorld world;
  Watching watching;
  watching.alarm_at = 2;
  world.observer = &watching;
  std::size_t told = 0;
  world.remember_released = [&](store::Transaction&, audit::Recorder&, const ReleasedEntries&) {
    ++told;
    return Status();
  };
  Conclude(world, {SealedWorld::Hits({1, 2}), {}});
  EXPECT_EQ(world.journal->Count(audit::kSearchHit), 0U);
  EXPECT_EQ(told, 0U) << "nobody was told of the entries";
  const auto events = world.journal->Events(audit::kSearchRefused);
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(events[0].decision_code, "stopped");
  EXPECT_THAT(events[0].committed.at("withheld"), HasSubstr("r1"));
  EXPECT_TRUE(events[0].committed.contains("blinded"));
  EXPECT_FALSE(events[1].committed.contains("withheld"));
}

TEST(SealedAlarm, WhatItWithholdsIsChargedAllTheSame) {
  SealedWorld world;
  Watching watching;
  watching.alarm_at = 1;
  world.observer = &watching;
  for (std::uint64_t i = 0; i < sealed::kReleaseBudget; ++i) {
    EXPECT_THAT(CodesOf(Conclude(world, {SealedWorld::Hits({1})}).answers),
                Each(Eq(ReasonCode::kStopped)));
  }
  EXPECT_EQ(world.lists.charged, sealed::kReleaseBudget);
  EXPECT_TRUE(world.lists.IsStale(world.sample.state().header));
}

TEST(SealedAlarm, AProbeOverTheCapWithholdsTheHitsBesideIt) {
  SealedWorld world;
  Watching watching;
  world.observer = &watching;
  SealedOutcome over;
  over.over_cap = true;
  const Asked asked = Conclude(world, {SealedWorld::Hits({1}), over, {}});
  EXPECT_THAT(
      CodesOf(asked.answers),
      ::testing::ElementsAre(ReasonCode::kStopped, ReasonCode::kOverCap, ReasonCode::kStopped));
  EXPECT_EQ(world.journal->Count(audit::kSearchHit), 0U);
}

TEST(SealedAlarm, CountingBeginsAnewForTheTracksOfTheSession) {
  SealedWorld world;
  Watching watching;
  watching.alarm_at = 1;
  world.observer = &watching;
  const auto session = world.OpenSealed();
  SealedProbe probe = world.Asked(1);
  ASSERT_EQ(CodeOf(world.Search(*session, probe, SealedWorld::Hits({1}))), ReasonCode::kStopped);
  watching.alarm_at = 100;  // two people have lifted it
  ++probe.claims.sequence;
  ASSERT_EQ(CodeOf(world.Search(*session, probe, SealedWorld::Hits({1}))), ReasonCode::kPermit);
  EXPECT_EQ(watching.hits, 2);
}

// The list as it is, but for the time of r1.
void ExpireR1(SealedWorld& world) {
  auto builder = GalleryBuilder::Create(testing::Profile(testing::kDimension), 6).value();
  for (std::size_t i = 0; i < 6; ++i) {
    GalleryRow row = testing::Row("r" + std::to_string(i), "wanted-by-courts");
    if (i == 1) row.expires_at = world.clock.Now();
    const auto values = std::span(world.rows).subspan(i * testing::kDimension, testing::kDimension);
    COMITY_CHECK(builder.Add(std::move(row), values).has_value());
  }
  world.galleries.Put(world.list, std::move(builder).Build(), testing::BoundTo(world.Ref().id));
}

// What takes a hit away between its log entry and the moment at which it would leave.
struct Change {
  const char* name;
  std::function<void(SealedWorld&)> take_away;
  ReasonCode why;
};
void PrintTo(const Change& change, std::ostream* out) {
  *out << change.name;
}
class SealedLastLook : public ::testing::TestWithParam<Change> {};

TEST_P(SealedLastLook, KeepsTheHitBackAndTheLogSaysSo) {
  SealedWorld world;
  auto knobs = world.Knobs();
  knobs.effective_until = kNow + 100;
  world.Agree(knobs);
  const Asked asked = Conclude(world, {{}, SealedWorld::Hits({2})});
  ASSERT_EQ(asked.session->WhyStays(asked.batch), std::nullopt);
  GetParam().take_away(world);
  const auto why = asked.session->WhyStays(asked.batch);
  ASSERT_THAT(why, Optional(GetParam().why));
  ASSERT_THAT(asked.session->Withhold(asked.batch, *why), IsOk());
  const auto hits = world.journal->Events(audit::kSearchHit);
  const auto refused = world.journal->Events(audit::kSearchRefused);
  ASSERT_THAT(hits, SizeIs(1));
  ASSERT_THAT(refused, SizeIs(1)) << "of the hit alone";
  EXPECT_EQ(refused[0].exchange, hits[0].exchange);
  EXPECT_EQ(refused[0].messages.at("answer"), hits[0].messages.at("answer"));
  EXPECT_EQ(refused[0].decision_code, Name(GetParam().why));
  EXPECT_EQ(world.lists.charged, 1U);
}

INSTANTIATE_TEST_SUITE_P(
    Of, SealedLastLook,
    ::testing::Values(
        Change{"AnEntryThatIsWithdrawn",
               [](SealedWorld& world) {
                 world.galleries.Withdraw(world.list, std::vector<std::string>{"r1"});
               },
               ReasonCode::kListChanged},
        Change{"AnEntryWhoseTimeIsOver", ExpireR1, ReasonCode::kListChanged},
        Change{"AnAgreementWhoseTimeIsOver",
               [](SealedWorld& world) { world.clock.Set(At(kNow + 100)); },
               ReasonCode::kAgreementExpired},
        Change{"AListThatIsShredded",
               [](SealedWorld& world) { world.lists.Shred(world.sample.state().header); },
               ReasonCode::kListChanged},
        Change{"AListThatIsOver", [](SealedWorld& world) { world.lists.EndAt(world.clock.Now()); },
               ReasonCode::kListChanged},
        Change{"AListThatIsHalted", [](SealedWorld& world) { world.galleries.Halt({world.list}); },
               ReasonCode::kListNotCovered},
        Change{"ASuspension",
               [](SealedWorld& world) {
                 auto knobs = world.Knobs();
                 knobs.last_word = policy::StatementKind::kSuspension;
                 world.Agree(knobs);
               },
               ReasonCode::kAgreementSuspended}),
    [](const auto& change) { return std::string(change.param.name); });

TEST(SealedLastLookWithoutHits, KeepsNothingBack) {
  SealedWorld world;
  const Asked asked = Conclude(world, {{}});
  world.lists.Shred(world.sample.state().header);
  EXPECT_EQ(asked.session->WhyStays(asked.batch), std::nullopt);
  ASSERT_THAT(asked.session->Withhold(asked.batch, ReasonCode::kStopped), IsOk());
  EXPECT_EQ(world.journal->Count(audit::kSearchRefused), 0U);
}

TEST(SealedLastLookWithoutLog, SaysThatItCouldNotBeLogged) {
  SealedWorld world;
  const Asked asked = Conclude(world, {SealedWorld::Hits({2})});
  world.journal->Refuse(true);
  EXPECT_THAT(asked.session->Withhold(asked.batch, ReasonCode::kStopped),
              FailsWith(ErrorCode::kUnavailable));
}

// An answer that has its time does not wait for the unit of work of the batch behind it.
TEST(SealedLastLookBesideSearches, ReadsNothingThatTheyChange) {
  SealedWorld world;
  const Asked asked = Conclude(world, {SealedWorld::Hits({2})});
  std::atomic<bool> stop = false;
  std::jthread looking([&] {
    while (!stop) {
      EXPECT_EQ(asked.session->WhyStays(asked.batch), std::nullopt);
      EXPECT_TRUE(asked.session->HasLists());
      EXPECT_THAT(asked.session->Withhold(asked.batch, ReasonCode::kStopped), IsOk());
    }
  });
  for (std::uint64_t sequence = 2; sequence <= 12; ++sequence) {
    const SealedOutcome outcome = sequence % 4 == 0 ? SealedWorld::Hits({1}) : SealedOutcome{};
    EXPECT_EQ(CodeOf(world.Search(*asked.session, world.Asked(sequence), outcome)),
              ReasonCode::kPermit);
  }
  stop = true;
}

}  // namespace
}  // namespace comity::matching
