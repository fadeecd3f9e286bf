// SPDX-License-Identifier: Apache-2.0
// Sessions that search while agreements are suspended, entries withdrawn and deployments stopped.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "services/audit/events.h"
#include "services/matching/deployments.h"
#include "services/matching/exchange_id.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/services/matching/holder_world.h"

namespace comity::matching {
namespace {

using comity::testing::IsOk;
using testing::AgreementKnobs;
using testing::HolderWorld;
using testing::kDimension;

constexpr std::size_t kStreams = 3;

// An engine's stream: asks until told to stop, every time for an entry that is on the list.
// `violated` is set when an answer with hits is given although `forbidden` was true before the
// answer was complete.
struct Stream {
  std::unique_ptr<HolderSession> session;
  std::uint64_t answered = 0;
  std::uint64_t refused = 0;

  void Run(std::stop_token stop, const Bytes& embedding, const policy::AgreementRef& ref,
           const std::atomic<bool>& forbidden, std::atomic<int>& violations) {
    for (std::uint64_t i = 1; !stop.stop_requested(); ++i) {
      const SessionProbe probe{.sequence = i,
                               .agreement = ref,
                               .commitments = {.officer = {}, .case_ref = Digest{}},
                               .embedding = embedding,
                               .message = {}};
      // Sealing is the last moment of an answer: once the suspension is acknowledged it must not
      // happen.
      const auto seal = [&](const ProbeAnswer& answer) {
        if (forbidden.load() && !answer.hits.empty()) ++violations;
        return Digest{};
      };
      const auto answer = session->OnProbe(probe, seal);
      if (!answer) ++violations;
      ++(answer && !answer->hits.empty() ? answered : refused);
    }
  }
};

class Race {
 public:
  explicit Race(HolderWorld& world)
      : embedding_(testing::ToOctets(std::span(world.rows).first(kDimension))), ref_(world.Ref()) {
    for (std::size_t i = 0; i < kStreams; ++i) streams_.push_back({.session = world.Open()});
    for (Stream& stream : streams_) {
      threads_.emplace_back([this, &stream](std::stop_token stop) {
        stream.Run(std::move(stop), embedding_, ref_, forbidden_, violations_);
        ++finished_;
      });
    }
  }
  void Forbid() { forbidden_ = true; }
  void Allow() { forbidden_ = false; }
  int Finish() {
    threads_.clear();  // stops and joins
    return violations_;
  }
  std::uint64_t answered() const { return Sum(&Stream::answered); }
  std::uint64_t refused() const { return Sum(&Stream::refused); }

 private:
  std::uint64_t Sum(std::uint64_t Stream::* member) const {
    std::uint64_t sum = 0;
    for (const Stream& stream : streams_) sum += stream.*member;
    return sum;
  }
  Bytes embedding_;
  policy::AgreementRef ref_;
  std::atomic<bool> forbidden_{false};
  std::atomic<int> violations_{0};
  std::atomic<std::size_t> finished_{0};
  std::vector<Stream> streams_;
  std::vector<std::jthread> threads_;
};

void WaitForHits(HolderWorld& world, std::size_t more) {
  const std::size_t target = world.journal->Count(audit::kSearchHit) + more;
  while (world.journal->Count(audit::kSearchHit) < target) std::this_thread::yield();
}

AgreementKnobs Ample() {
  AgreementKnobs knobs;
  knobs.probes_per_day = 1'000'000;
  knobs.per_officer_per_day = 1'000'000;
  knobs.per_case_per_day = 1'000'000;
  return knobs;
}

TEST(SuspensionRace, NoProbeIsAnsweredOnceTheSuspensionIsAcknowledged) {
  HolderWorld world;
  world.Agree(Ample());
  AgreementKnobs suspended = Ample();
  suspended.last_word = policy::StatementKind::kSuspension;
  Race race(world);
  for (int round = 0; round < 10; ++round) {
    WaitForHits(world, 5);
    world.Agree(suspended);
    world.barrier.Drain();  // what is done before a suspension is acknowledged
    race.Forbid();
    const std::size_t hits = world.journal->Count(audit::kSearchHit);
    std::this_thread::yield();
    EXPECT_EQ(world.journal->Count(audit::kSearchHit), hits);
    race.Allow();
    world.Agree(Ample());
  }
  EXPECT_EQ(race.Finish(), 0);
  EXPECT_GE(race.answered(), 50U);
}

TEST(SuspensionRace, NoAnswerHoldsAnEntryOnceWithdrawReturned) {
  HolderWorld world;
  world.Agree(Ample());
  const SearchScope scope{testing::Profile(kDimension),
                          world.Ref().id,
                          testing::Named<policy::PurposeCode>("court-order-arrest"),
                          {.max_entries = 1000, .max_age = std::chrono::hours(24 * 7)}};
  const auto full = world.galleries.Snapshot(scope, world.clock.Now()).front().gallery;
  Race race(world);
  for (int round = 0; round < 10; ++round) {
    WaitForHits(world, 5);
    world.galleries.Withdraw(world.list, std::vector<std::string>{"r0"});
    race.Forbid();
    const std::size_t hits = world.journal->Count(audit::kSearchHit);
    std::this_thread::yield();
    EXPECT_EQ(world.journal->Count(audit::kSearchHit), hits);
    race.Allow();
    world.galleries.Put(world.list, full, testing::BoundTo(world.Ref().id));
  }
  EXPECT_EQ(race.Finish(), 0);
  EXPECT_GE(race.answered(), 50U);
}

TEST(SuspensionRace, CapacityIsExactWhenManySessionsTakeTheLastProbes) {
  HolderWorld world;
  AgreementKnobs knobs;
  knobs.probes_per_day = 150;  // no multiple of the block
  world.Agree(knobs);
  Race race(world);
  while (world.journal->Count(audit::kSearchRefused) < kStreams) std::this_thread::yield();
  EXPECT_EQ(race.Finish(), 0);
  EXPECT_EQ(race.answered(), 150U);
}

TEST(SuspensionRace, StopWakesItsStreamsAndOutlastsTheirAnswers) {
  HolderWorld world;
  auto deployments = Deployments::Open({.own_agency = world.council,
                                        .store = *world.store,
                                        .journal = *world.journal,
                                        .clock = world.clock,
                                        .random = world.random,
                                        .barrier = world.barrier});
  ASSERT_THAT(deployments, IsOk());
  const policy::DeploymentId id = (*deployments)->NewId();
  const Deployments::Decided decided{id, world.Operation(), {}, "ada", "bob"};
  const auto start = [&](store::Transaction& transaction, audit::Recorder& recorder) {
    return (*deployments)->Start(transaction, recorder, decided);
  };
  ASSERT_THAT(world.journal->Commit(start), IsOk());
  ASSERT_THAT((*deployments)->Refresh(id), IsOk());
  std::atomic<bool> stopped{false};
  std::atomic<int> woken{0};
  std::atomic<int> violations{0};
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < kStreams; ++i) {
    threads.emplace_back([&] {
      std::atomic<bool> wake{false};
      auto subscription = (*deployments)->OnEnd(id, [&] { wake = true; });
      while (subscription && !wake) {
        const auto ticket = world.barrier.Enter();
        const auto now = (*deployments)->Find(id);
        const bool active = now && now->phase == DeploymentPhase::kActive;
        if (active && stopped) ++violations;  // would answer
      }
      ++woken;
    });
  }
  std::this_thread::yield();
  ASSERT_THAT((*deployments)->Stop(id, "over", "person/ada"), IsOk());
  stopped = true;
  threads.clear();
  EXPECT_EQ(woken, static_cast<int>(kStreams));
  EXPECT_EQ(violations, 0);
}

}  // namespace
}  // namespace comity::matching
