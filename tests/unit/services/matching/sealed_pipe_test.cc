// SPDX-License-Identifier: Apache-2.0
// Sealed sessions of two agencies that meet over a pipe: the whole protocol, with the threads that
// gateways give it, while entries are withdrawn, agreements suspended, and lists changed and ended.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "services/audit/events.h"
#include "tests/unit/services/matching/sealed_link.h"

namespace comity::matching {
namespace {

using testing::AgreementKnobs;
using testing::Fetched;
using testing::ListsInMemory;
using testing::Scene;
using testing::SealedLink;
using testing::SealedWorld;

class SealedPipe : public ::testing::Test {
 protected:
  static constexpr std::size_t kLinks = 2;
  static constexpr int kRounds = 4;

  SealedPipe() {
    world_.Agree(Ample());
    Publish();
  }
  AgreementKnobs Ample() const {
    AgreementKnobs knobs = world_.Knobs();
    knobs.probes_per_day = 1'000'000;
    knobs.per_officer_per_day = 1'000'000;
    knobs.per_case_per_day = 1'000'000;
    return knobs;
  }
  void Connect() {
    while (links_.size() < kLinks) links_.push_back(std::make_unique<SealedLink>(scene_));
  }
  // What is in force, and then what the requester has of it.
  void Publish() {
    scene_.lists.With([&](ListsInMemory&) { world_.Publish(); });
    scene_.fetched.With([&](Fetched& fetched) {
      fetched.view = world_.sample.view(fetched.view.get());
      fetched.ref = world_.Refs().front();
    });
  }
  // A block without a release left is sealed again, as the holder does at once.
  void Reseal() {
    const Digest header = world_.sample.state().header;
    bool stale = false;
    scene_.lists.With([&](ListsInMemory& lists) {
      stale = lists.IsStale(header);
      if (stale) lists.Reseal(header);
    });
    if (!stale) return;
    world_.sample.MoveOn();
    Publish();
  }
  // Sessions end of themselves: with withheld answers, used up numbers, a list that is over.
  void AwaitHits(std::uint64_t more) {
    const std::uint64_t target = scene_.hits + more;
    while (scene_.hits < target) {
      Reseal();
      for (auto& link : links_) {
        if (!link->to_holder.is_closed()) continue;
        link->Close();
        link = std::make_unique<SealedLink>(scene_);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  void Hold() {
    scene_.forbidden = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
    scene_.forbidden = false;
  }
  void Suspend() {
    AgreementKnobs suspended = Ample();
    suspended.last_word = policy::StatementKind::kSuspension;
    world_.Agree(suspended);
    world_.barrier.Drain();
    Hold();
    world_.Agree(Ample());
  }
  void Halt() {
    world_.galleries.Halt({world_.list});
    world_.barrier.Drain();
    Hold();
    world_.galleries.Halt({});
  }
  void WithdrawAll() {
    const auto full = world_.galleries
                          .Snapshot({testing::Profile(testing::kDimension),
                                     world_.Ref().id,
                                     testing::Named<policy::PurposeCode>("court-order-arrest"),
                                     {.max_entries = 1000, .max_age = std::chrono::hours(168)}},
                                    world_.clock.Now())
                          .front()
                          .gallery;
    world_.galleries.Withdraw(world_.list,
                              std::vector<std::string>{"r0", "r1", "r2", "r3", "r4", "r5"});
    Hold();
    world_.galleries.Put(world_.list, full, testing::BoundTo(world_.Ref().id));
  }
  void Finish() {
    for (const auto& link : links_) link->Close();
    EXPECT_EQ(scene_.violations, 0);
    EXPECT_GE(world_.journal->Count(audit::kSearchHit), scene_.hits);
  }

  SealedWorld world_;
  Scene scene_{world_};
  std::vector<std::unique_ptr<SealedLink>> links_;
};

TEST_F(SealedPipe, NothingThatWasTakenAwayLeaves) {
  Connect();
  for (int round = 0; round < kRounds; ++round) {
    AwaitHits(2);
    WithdrawAll();
    AwaitHits(1);
    Suspend();
    AwaitHits(1);
    Halt();
    world_.clock.Advance(std::chrono::seconds(4));
  }
  Finish();
}

TEST_F(SealedPipe, SessionsGoOnOverEachStateOfTheirList) {
  Connect();
  std::vector<std::uint32_t> withdrawn;
  for (int round = 0; round < kRounds; ++round) {
    AwaitHits(2);
    world_.sample.MoveOn();
    Publish();
    AwaitHits(1);
    withdrawn.push_back(1 + static_cast<std::uint32_t>(round));
    world_.sample.Withdraw(withdrawn);
    Publish();
  }
  AwaitHits(1);
  Finish();
}

TEST_F(SealedPipe, EveryProbeHasOneEndWhenListsEndAndSessionsAreCut) {
  Connect();
  const Digest header = world_.sample.state().header;
  for (int round = 0; round < kRounds; ++round) {
    AwaitHits(1);
    std::jthread other_end([&] { links_.front()->Cut(); });
    scene_.lists.With([&](ListsInMemory& lists) { lists.Shred(header); });
    other_end.join();
    Publish();
  }
  AwaitHits(1);
  Finish();
}

}  // namespace
}  // namespace comity::matching
