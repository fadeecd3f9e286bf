// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/sealed_link.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "services/casework/alerts.h"
#include "services/matching/exchange_id.h"
#include "services/runtime/guarded.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/services/gateway/kept_log.h"
#include "tests/unit/services/gateway/scripted_sealed_holder.h"
#include "tests/unit/services/gateway/tls_holder.h"
#include "tests/unit/services/matching/holder_world.h"

namespace comity::gateway {
namespace {

using namespace std::chrono_literals;
using comity::testing::IsOk;
using matching::testing::HolderWorld;
using sealed::testing::Faces;
using sealed::testing::SampleList;
using std::chrono::steady_clock;
using testing::KeptLog;
using testing::ScriptedSealedHolder;
using testing::TlsHolder;
using Turn = ScriptedSealedHolder::Turn;
using Say = ScriptedSealedHolder::Say;

constexpr auto kLongest = 60s;
constexpr std::uint32_t kCap = 3;  // the agreement's
constexpr sealed::Scales kScales{
    .dimension = 128, .tau_min = 4000, .tau_max = 9500, .cos_min = -10000};
constexpr std::int32_t kTau = 9000;

// The council's link to the police in one live search; the test is the engine, the ticking stream
// and what keeps the copies.
class SealedLinkTest : public ::testing::Test {
 protected:
  SealedLinkTest() : list_(kScales, 1) {
    matching::testing::AgreementKnobs knobs;
    knobs.mode = policy::SearchMode::kSealed;
    world_.Agree(knobs);
    Faces faces(128, 3);
    list_.Seal(0, faces.Templates(20));
    holder_.Hold(list_.epoch());
    Have(list_.view());
    source_.find = [this](auto&&...) {
      return copies_.With([](const SealedLists& lists) { return lists; });
    };
    source_.hurry = [this](const policy::AgencyId&) { ++hurries_; };
    source_.news = [this](const policy::AgencyId&) {
      return std::as_const(news_).With([](std::uint64_t news) { return news; });
    };
    source_.await = [this](const policy::AgencyId&, std::uint64_t seen, auto until,
                           const std::stop_token& stop) {
      ++awaits_;
      news_.WaitUntil(stop, until, [&](std::uint64_t news) { return news != seen; }, [](auto&) {});
    };
    source_.has_shown = [](const Digest&) { return true; };
    source_.on_failed_check = [](const policy::AgencyId&, std::string_view) {};
    tls_.Serve(holder_);
  }
  ~SealedLinkTest() override {
    link_.reset();
    tls_.Stop();
  }

  // The requester's copy from now on.
  void Have(std::shared_ptr<const sealed::ListView> copy) {
    copies_.With([&](SealedLists& lists) { lists = {std::move(copy)}; });
    news_.With([](std::uint64_t& news) { ++news; });
  }
  void Open() {
    matching::Deployment operation = world_.Operation();
    operation.mode = policy::SearchMode::kSealed;
    auto terms = world_.CouncilTerms(matching::OrderOf(
        operation, matching::NewDeploymentId(world_.random), "person/ada", world_.council));
    terms.mode = policy::SearchMode::kSealed;
    link_ = std::make_unique<SealedLink>(
        LinkPorts{tls_.peers(), tls_.council_signer, tls_.council_verifier, search_, alerts_,
                  world_.random, log_, 10s, source_},
        source_, std::move(terms),
        LinkAsker{[this](const v1::WatchAnswer& answer) {
                    answers_.With([&](auto& all) { all[answer.sequence()].push_back(answer); });
                  },
                  [] { return false; },
                  {}});
  }
  void Offer(std::uint64_t sequence, steady_clock::duration patience = kLongest,
             const std::string& track = {}) {
    const auto rows = matching::testing::RandomUnitRows(1, 128, 500 + sequence);
    EngineProbe probe;
    probe.sequence = sequence;
    probe.capture_ref = "capture-" + std::to_string(sequence);
    probe.camera = "camera-1";
    probe.captured_at = world_.clock.Now();
    probe.embedding = {reinterpret_cast<const char*>(rows.data()), rows.size() * sizeof(float)};
    probe.track = track;
    link_->Offer(probe, steady_clock::now() + patience);
  }
  // As a stream does that ticks some times a second.
  bool Eventually(const std::function<bool()>& is_so) {
    const auto end = steady_clock::now() + kLongest;
    while (!is_so()) {
      if (steady_clock::now() > end) return false;
      EXPECT_THAT(link_->Tick(steady_clock::now()), IsOk());
      std::this_thread::sleep_for(2ms);
    }
    return true;
  }
  std::size_t AnswersTo(std::uint64_t sequence) {
    return answers_.With([&](auto& all) { return all[sequence].size(); });
  }
  v1::WatchAnswer Awaited(std::uint64_t sequence) {
    EXPECT_TRUE(Eventually([&] { return AnswersTo(sequence) > 0; }));
    return answers_.With([&](auto& all) {
      return all[sequence].empty() ? v1::WatchAnswer() : all[sequence].front();
    });
  }
  // Nothing comes after this.
  void Finish() {
    link_->Finish("test");
    link_.reset();
  }
  // The first batch gets this turn, the others are answered.
  void TakeFirst(Turn turn) {
    ScriptedSealedHolder::Script script;
    script.on_probes =
        [turn, taken = std::make_shared<std::atomic<bool>>(false)](const v1::SealedProbes&) {
          return Say{taken->exchange(true) ? Turn::kAnswer : turn};
        };
    holder_.Do(script);
  }
  // Whoever searches by a state before this one meets a block without release left.
  void RefuseUntil(std::uint64_t sequence) {
    ScriptedSealedHolder::Script script;
    script.on_probes = [sequence](const v1::SealedProbes& probes) {
      return Say{probes.lists(0).sequence() < sequence ? Turn::kRefuse : Turn::kAnswer};
    };
    holder_.Do(script);
  }
  // The next state is in force, and there at both ends.
  void SealAgain() {
    list_.MoveOn();
    holder_.Hold(list_.epoch());
    Have(list_.view());
  }

  KeptLog log_;
  HolderWorld world_;
  TlsHolder tls_;
  SampleList list_;
  ScriptedSealedHolder holder_{tls_, kCap, kTau};
  runtime::Guarded<SealedLists> copies_;
  runtime::Watched<std::uint64_t> news_;
  std::atomic<int> hurries_{0};
  std::atomic<int> awaits_{0};  // times that the sender waited for other lists
  SealedSource source_;
  const matching::RequesterPorts search_ = world_.CouncilPorts();
  casework::AlertDesk alerts_{
      {*world_.store, *world_.journal, world_.kek, world_.random, world_.clock, world_.council}};
  runtime::Guarded<std::map<std::uint64_t, std::vector<v1::WatchAnswer>>> answers_;
  std::unique_ptr<SealedLink> link_;
};

TEST_F(SealedLinkTest, FacesAreAnsweredOnceInOneSession) {
  Open();
  for (std::uint64_t face = 1; face <= 3; ++face) {
    Offer(face);
    const v1::WatchAnswer answer = Awaited(face);
    EXPECT_TRUE(answer.has_answered()) << answer.DebugString();
    EXPECT_EQ(answer.mode(), v1::SEARCH_MODE_SEALED);
  }
  Finish();
  for (std::uint64_t face = 1; face <= 3; ++face) EXPECT_EQ(AnswersTo(face), 1U);
  EXPECT_EQ(holder_.seen().opens.size(), 1U);
}

// Neither answered twice nor dropped.
TEST_F(SealedLinkTest, AFaceIsAskedAgainInANewSessionWhenTheConnectionIsLost) {
  TakeFirst(Turn::kEnd);
  Open();
  Offer(1);
  const v1::WatchAnswer answer = Awaited(1);
  EXPECT_TRUE(answer.has_answered()) << answer.DebugString();
  Finish();
  EXPECT_EQ(AnswersTo(1), 1U);
  const auto seen = holder_.seen();
  ASSERT_EQ(seen.opens.size(), 2U);
  EXPECT_NE(seen.opens[0].header().exchange_id(), seen.opens[1].header().exchange_id());
  EXPECT_NE(seen.opens[0].nonce(), seen.opens[1].nonce());
  ASSERT_EQ(seen.batches.size(), 2U);
  EXPECT_EQ(seen.batches[1].batch(), 0U) << "a new session counts anew";
  EXPECT_NE(seen.batches[0].probes(0).blinded(0), seen.batches[1].probes(0).blinded(0))
      << "two blinded probes of one face under one secret show it";
}

TEST_F(SealedLinkTest, AFaceWhoseSessionsBreakAfterTheOffsetsIsAskedThreeTimes) {
  ScriptedSealedHolder::Script script;
  script.on_probes = [](const v1::SealedProbes&) { return Say{Turn::kEndAfterOffsets}; };
  holder_.Do(script);
  Open();
  Offer(1, kLongest, "track");
  const v1::WatchAnswer answer = Awaited(1);
  EXPECT_TRUE(answer.has_unanswered()) << answer.DebugString();
  Finish();
  EXPECT_EQ(AnswersTo(1), 1U);
  EXPECT_EQ(holder_.seen().batches.size(), 3U);
}

TEST_F(SealedLinkTest, ARefusalAfterTheTablesCountsForTheTrackAndOneBeforeDoesNot) {
  std::atomic<int> turn{0};
  ScriptedSealedHolder::Script script;
  script.on_probes = [&](const v1::SealedProbes&) {
    return Say{turn++ < 5 ? Turn::kRefuse : Turn::kRefuseAfterTables};
  };
  script.on_refusal = [this] { SealAgain(); };
  holder_.Do(script);
  Open();
  Offer(1, kLongest, "track");
  EXPECT_TRUE(Awaited(1).has_unanswered());
  Finish();
  EXPECT_EQ(AnswersTo(1), 1U);
  EXPECT_EQ(holder_.seen().batches.size(), 8U);
  EXPECT_EQ(holder_.seen().sketches, 3U);
}

TEST_F(SealedLinkTest, AStaleBlockIsWaitedForAndNotAskedForMeanwhile) {
  RefuseUntil(2);
  Open();
  const auto began = steady_clock::now();
  Offer(1);
  ASSERT_TRUE(Eventually([&] { return hurries_ > 0; }));
  SealAgain();
  EXPECT_TRUE(Awaited(1).has_answered());
  const auto took = std::chrono::floor<std::chrono::seconds>(steady_clock::now() - began);
  Finish();
  EXPECT_EQ(AnswersTo(1), 1U);
  const auto seen = holder_.seen();
  EXPECT_EQ(seen.opens.size(), 1U) << "a new state costs no session";
  ASSERT_GE(seen.batches.size(), 2U);
  // A refusal is believed for a second.
  EXPECT_LE(seen.batches.size(), 2U + static_cast<std::size_t>(took.count()));
  EXPECT_EQ(seen.batches.front().lists(0).sequence(), 1U);
  EXPECT_EQ(seen.batches.back().lists(0).sequence(), 2U);
  EXPECT_EQ(seen.batches.back().batch(), seen.batches.size() - 1);
}

// The refusal is of the state that the face was searched in, though the next one is searched by
// now.
TEST_F(SealedLinkTest, AStateThatFollowedARefusedOneIsSearchedAtOnce) {
  std::atomic<bool> is_first{true};
  ScriptedSealedHolder::Script script;
  script.on_probes = [&](const v1::SealedProbes&) {
    return Say{is_first.exchange(false) ? Turn::kRefuseAfterTables : Turn::kAnswer};
  };
  script.on_refusal = [this] {
    SealAgain();
    Offer(2);
    std::this_thread::sleep_for(200ms);  // it is on its way by then
  };
  holder_.Do(script);
  Open();
  Offer(1);
  EXPECT_TRUE(Awaited(2).has_answered());
  EXPECT_TRUE(Awaited(1).has_answered());
  Finish();
  EXPECT_EQ(AnswersTo(1), 1U);
  EXPECT_LE(holder_.seen().batches.size(), 3U);
  EXPECT_EQ(awaits_, 0) << "it was believed to be refused too";
}

TEST_F(SealedLinkTest, ListsThatChangeAtTheOpeningAreWaitedFor) {
  holder_.Do({[](const v1::SealedOpen& open) {
                if (open.lists(0).sequence() > 1) return Say{};
                return Say{Turn::kRefuse, policy::ReasonCode::kListChanged};
              },
              nullptr, nullptr});
  Open();
  Offer(1);
  ASSERT_TRUE(Eventually([&] { return hurries_ > 0; }));
  SealAgain();
  EXPECT_TRUE(Awaited(1).has_answered());
  Finish();
  EXPECT_EQ(AnswersTo(1), 1U);
}

TEST_F(SealedLinkTest, AFaceThatIsOverItsDeadlineAtTheHolderIsReportedSoOnce) {
  TakeFirst(Turn::kStaySilent);
  Open();
  Offer(1, 200ms);
  const v1::WatchAnswer late = Awaited(1);
  EXPECT_EQ(late.unanswered().reason(), v1::Unanswered::REASON_DEADLINE) << late.DebugString();
  link_->Cancel();
  Finish();
  EXPECT_EQ(AnswersTo(1), 1U);
}

TEST_F(SealedLinkTest, AFaceThatWaitsForListsIsReportedAtItsDeadlineToo) {
  RefuseUntil(2);
  Open();
  Offer(1, 300ms);
  EXPECT_EQ(Awaited(1).unanswered().reason(), v1::Unanswered::REASON_DEADLINE);
  Finish();
  EXPECT_EQ(AnswersTo(1), 1U);
}

TEST_F(SealedLinkTest, WhatIsUnderWayIsAnsweredOnceWhenItIsCancelled) {
  TakeFirst(Turn::kStaySilent);
  Open();
  Offer(1);
  ASSERT_TRUE(Eventually([&] { return !holder_.seen().batches.empty(); }));
  Offer(2);
  link_->Cancel();
  Finish();
  EXPECT_EQ(AnswersTo(1), 1U);
  EXPECT_EQ(AnswersTo(2), 1U);
  EXPECT_EQ(holder_.seen().batches.size(), 1U);
}

TEST_F(SealedLinkTest, AHolderOutOfReachIsReportedAndFoundAgain) {
  tls_.Stop();
  Open();
  Offer(1);
  EXPECT_TRUE(Awaited(1).has_unanswered());
  tls_.Serve(holder_);
  std::uint64_t face = 1;
  EXPECT_TRUE(Eventually([&] {
    Offer(++face);
    return Awaited(face).has_answered();
  }));
  Finish();
  for (std::uint64_t each = 1; each <= face; ++each) EXPECT_EQ(AnswersTo(each), 1U);
}

TEST_F(SealedLinkTest, WithoutACopyNothingGoesToTheHolder) {
  copies_.With([](SealedLists& lists) { lists.clear(); });
  Open();
  Offer(1);
  EXPECT_EQ(Awaited(1).refused().code(), v1::DECISION_CODE_LIST_NOT_RECEIVED);
  EXPECT_GT(hurries_, 0);
  Finish();
  EXPECT_TRUE(holder_.seen().opens.empty());
}

}  // namespace
}  // namespace comity::gateway
