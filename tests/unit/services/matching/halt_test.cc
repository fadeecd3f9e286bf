// SPDX-License-Identifier: Apache-2.0
// What halts searches that agreements permit, and who watches those that are answered.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "services/audit/events.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/services/matching/holder_world.h"

namespace comity::matching {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using policy::ReasonCode;
using testing::AgreementKnobs;
using testing::Ask;
using ::testing::ElementsAre;
using testing::HolderWorld;

// Keeps what it is told; fails on demand.
class Observed final : public HitObserver {
 public:
  void OnMiss(const ObservedSearch& search) override {
    ++misses;
    officer = search.officer;
  }
  Result<bool> OnHits(store::Transaction&, audit::Recorder&, const ObservedSearch& search,
                      std::span<const std::string> hit) override {
    officer = search.officer;
    entries.assign(hit.begin(), hit.end());
    clauses = search.decision.clauses;
    if (fails) return Fail(ErrorCode::kUnavailable, "the counts are out of reach");
    return false;
  }
  Result<bool> OnOverCap(store::Transaction&, audit::Recorder&, const ObservedSearch&) override {
    ++over_caps;
    return true;
  }
  void AfterHits() override { ++after; }

  int misses = 0;
  int after = 0;
  int over_caps = 0;
  bool fails = false;
  std::string officer;
  std::vector<std::string> entries;
  std::vector<std::string> clauses;
};

TEST(Halt, AHolderRefusesEveryProbeWhileItLastsAndAnswersAfterwards) {
  HolderWorld world;
  std::optional<ReasonCode> reason;
  world.halted = [&](const policy::SearchRequest& request, const std::string& deployment) {
    EXPECT_EQ(request.requester, world.council);
    EXPECT_FALSE(deployment.empty());
    return reason;
  };
  const auto session = world.Open();
  EXPECT_TRUE(Ask(*session, world.Probe(1, 0))->decision.permitted());
  const auto used = world.journal->Count(audit::kCapacityReserved);
  reason = ReasonCode::kStopped;
  for (std::uint64_t i = 2; i < 200; ++i) {
    const auto answer = Ask(*session, world.Probe(i, 0));
    ASSERT_THAT(answer, IsOk());
    EXPECT_EQ(answer->decision.code, ReasonCode::kStopped);
    EXPECT_TRUE(answer->hits.empty());
  }
  // One entry says it, and no capacity went into it.
  EXPECT_EQ(world.journal->Count(audit::kSearchRefused), 1u);
  EXPECT_EQ(world.journal->Count(audit::kCapacityReserved), used);
  reason.reset();
  EXPECT_FALSE(Ask(*session, world.Probe(200, 0))->hits.empty());
}

TEST(Halt, AHolderOpensNoSessionMeanwhile) {
  HolderWorld world;
  world.halted = [](const auto&, const auto&) { return std::optional(ReasonCode::kStopped); };
  const auto opened = HolderSession::Open(world.Terms(), world.Ports(),
                                          [](const SessionOpening&) { return Digest{}; });
  ASSERT_THAT(opened, IsOk());
  EXPECT_EQ(opened->opening.decision.code, ReasonCode::kStopped);
  EXPECT_EQ(opened->session, nullptr);
}

TEST(Halt, DoesNotHideWhatTheAgreementDenies) {
  HolderWorld world;
  world.halted = [](const auto&, const auto&) { return std::optional(ReasonCode::kStopped); };
  AgreementKnobs suspended;
  suspended.last_word = policy::StatementKind::kSuspension;
  world.Agree(suspended);
  const auto opened = HolderSession::Open(world.Terms(), world.Ports(),
                                          [](const SessionOpening&) { return Digest{}; });
  ASSERT_THAT(opened, IsOk());
  EXPECT_EQ(opened->opening.decision.code, ReasonCode::kAgreementSuspended);
}

TEST(Halt, ARequesterSendsNothingWhileItLasts) {
  HolderWorld world;
  std::optional<ReasonCode> reason = ReasonCode::kListNotCovered;
  world.halted_at_council = [&](const policy::SearchRequest& request,
                                const policy::DeploymentId& deployment) {
    EXPECT_EQ(request.holder, world.police);
    EXPECT_FALSE(deployment.empty());
    return reason;
  };
  RequesterSession session(world.CouncilTerms(), world.CouncilPorts());
  EXPECT_EQ(session.Outlook(world.clock.Now()).code, ReasonCode::kListNotCovered);
  EXPECT_EQ(session.DecideProbe(world.clock.Now()).code, ReasonCode::kListNotCovered);
  EXPECT_EQ(world.journal->Count(audit::kCapacityReserved), 0u);
  reason.reset();
  EXPECT_TRUE(session.DecideProbe(world.clock.Now()).permitted());
}

TEST(Halt, NoProbeIsAnsweredOnceTheBarrierHasDrained) {
  HolderWorld world;
  AgreementKnobs ample;
  ample.probes_per_day = 1'000'000;
  ample.per_officer_per_day = 1'000'000;
  ample.per_case_per_day = 1'000'000;
  world.Agree(ample);
  std::atomic<bool> halted = false;
  world.halted = [&](const auto&, const auto&) {
    return halted ? std::optional(ReasonCode::kStopped) : std::nullopt;
  };
  std::atomic<bool> forbidden = false;
  std::atomic<int> violations = 0;
  std::atomic<int> hits = 0;
  const Bytes embedding = testing::ToOctets(std::span(world.rows).first(testing::kDimension));
  std::vector<std::jthread> streams;
  for (int s = 0; s < 3; ++s) {
    streams.emplace_back([&, session = std::shared_ptr(world.Open()),
                          ref = world.Ref()](const std::stop_token& stop) {
      for (std::uint64_t i = 1; !stop.stop_requested(); ++i) {
        const SessionProbe probe{.sequence = i,
                                 .agreement = ref,
                                 .commitments = {.officer = {}, .case_ref = Digest{}},
                                 .embedding = embedding,
                                 .message = {}};
        const auto answer = session->OnProbe(probe, [&](const ProbeAnswer& sealed) {
          if (forbidden && !sealed.hits.empty()) ++violations;
          return Digest{};
        });
        if (answer && !answer->hits.empty()) ++hits;
      }
    });
  }
  for (int round = 0; round < 10; ++round) {
    for (const int target = hits + 5; hits < target;) std::this_thread::yield();
    halted = true;
    world.barrier.Drain();
    forbidden = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    forbidden = false;
    halted = false;
  }
  streams.clear();
  EXPECT_EQ(violations, 0);
}

TEST(Watching, AHolderTellsOfEachAnsweredProbe) {
  HolderWorld world;
  Observed observed;
  world.observer = &observed;
  const auto session = world.Open();
  ASSERT_THAT(Ask(*session, world.Stranger(1)), IsOk());
  EXPECT_EQ(observed.misses, 1);
  EXPECT_EQ(observed.after, 0);
  ASSERT_THAT(Ask(*session, world.Probe(2, 0)), IsOk());
  EXPECT_EQ(observed.misses, 1);
  EXPECT_EQ(observed.after, 1);
  EXPECT_THAT(observed.entries, ElementsAre("operation-lantern/r0"));
  EXPECT_EQ(observed.clauses.front(), "p1");
  EXPECT_EQ(observed.officer.size(), 64u);
}

TEST(Watching, AHitThatCannotBeCountedIsNotAnswered) {
  HolderWorld world;
  Observed observed;
  observed.fails = true;
  world.observer = &observed;
  const auto session = world.Open();
  EXPECT_THAT(Ask(*session, world.Probe(1, 0)), FailsWith(ErrorCode::kUnavailable));
  EXPECT_EQ(world.journal->Count(audit::kSearchHit), 0u);
  EXPECT_EQ(observed.after, 0);
}

TEST(Watching, ARequesterTellsOfMissesAndOfHitsOnceTheyAreAlerts) {
  HolderWorld world;
  Observed observed;
  world.observer = &observed;
  const RequesterTerms terms = world.CouncilTerms();
  RequesterSession session(terms, world.CouncilPorts());
  const policy::Decision permit = session.DecideProbe(world.clock.Now());
  ASSERT_TRUE(permit.permitted());
  for (const std::uint64_t sequence : {1U, 2U}) {
    ASSERT_THAT(session.Sent({.sequence = sequence,
                              .number = sequence,
                              .capture_ref = "c",
                              .camera = "hall",
                              .captured_at = {},
                              .decision = permit}),
                IsOk());
  }
  ASSERT_THAT(session.OnAnswer(1, permit, 0), IsOk());
  EXPECT_EQ(observed.misses, 1);
  EXPECT_EQ(observed.officer, "person/ada");
  ASSERT_THAT(session.OnAnswer(2, permit, 1), IsOk());
  EXPECT_EQ(observed.misses, 1);
  const std::vector<std::string> references = {"ref-7"};
  const auto observe = [&](store::Transaction& transaction, audit::Recorder& recorder) {
    return ObserveHits(transaction, recorder, world.CouncilPorts(), {terms, permit, references});
  };
  ASSERT_THAT(world.CouncilPorts().journal.Commit(observe), IsOk());
  EXPECT_THAT(observed.entries, ElementsAre("ref-7"));
  observed.fails = true;
  EXPECT_THAT(world.CouncilPorts().journal.Commit(observe), FailsWith(ErrorCode::kUnavailable));
}

}  // namespace
}  // namespace comity::matching
