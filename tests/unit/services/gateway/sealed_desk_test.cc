// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/sealed_desk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <sstream>
#include <thread>

#include "services/runtime/guarded.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/services/gateway/sealed_agreements.h"
#include "tests/unit/services/watchlists/sealed_world.h"

namespace comity::gateway {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using comity::testing::IsOkAnd;
using ::testing::Eq;
using testing::kArrest;
using testing::kCouncil;
using testing::kPolice;
using testing::Permission;
using testing::Sharing;
using testing::SharingUnder;
using watchlists::testing::kSealedList;
using watchlists::testing::SealedWorld;

// A desk over a real register, log and store, under an agreement that asks for one sealed list.
class SealedDesks : public ::testing::Test {
 protected:
  SealedDesks() {
    world_.Approve(8);
    Agree({Permission()});
  }
  ~SealedDesks() override { desk_.reset(); }

  void Agree(std::vector<policy::SearchPermission> permissions) {
    Set(Sharing(std::move(permissions)));
  }
  void Say(policy::StatementKind kind) {
    std::vector<policy::AgreementInput> inputs;
    inputs.push_back(testing::Signed(SharingUnder({Permission()}), kind));
    Set(testing::SetOf(std::move(inputs)));
  }
  void Set(std::shared_ptr<const policy::AgreementSet> set) {
    agreements_.With([&](auto& held) { held = std::move(set); });
  }
  void Open() {
    desk_.emplace(SealedDesk::Ports{kPolice, *world_.publications, *world_.world.lists,
                                    [this] {
                                      ++looks_;
                                      return agreements_.With([](const auto& set) { return set; });
                                    },
                                    world_.world.agency.clock, *logger_,
                                    std::chrono::milliseconds(20)});
  }
  static bool Wait(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
  }
  // Until the desk has had its say about all that was asked of it before.
  void AwaitLook() {
    const int before = looks_;
    ASSERT_TRUE(Wait([&] { return looks_ >= before + 2; }));
  }
  void OpenAndSeal() {
    Open();
    ASSERT_TRUE(Wait([&] { return InForce().has_value(); }));
    ASSERT_TRUE(Wait([&] { return desk_->counts().in_force == 1; }));
  }
  policy::Instant Now() const { return world_.Now(); }
  static policy::AgreementRef Ref() { return policy::RefOf(SharingUnder({})); }
  std::optional<matching::SealedListInForce> InForce() {
    const auto lists = desk_->InForce(kCouncil, Ref(), kArrest, Now());
    return lists.empty() ? std::nullopt : std::optional(lists.front());
  }
  bool IsFound(const Digest& header) { return desk_->Find(header, kCouncil, Now()).has_value(); }
  // Eight releases under one secret.
  void UseUp(const matching::SealedListInForce& list) {
    for (int i = 0; i < 4; ++i) {
      ASSERT_THAT(world_.Charge({list.header(), list.view->state().sequence, {1, 2}, false}),
                  IsOkAnd(Eq(sealed::Release::kRelease)));
    }
    ASSERT_TRUE(desk_->IsStale(list.header()));
  }
  // A later epoch is in force, and the partner holds both: the next look ends the former one.
  Digest SupersedeAndHoldBoth() {
    const Digest former = InForce()->header();
    EXPECT_THAT(world_.Held(kCouncil, former, 1), IsOk());
    world_.world.agency.clock.Advance(std::chrono::hours(7));
    EXPECT_TRUE(Wait([&] { return InForce() && InForce()->header() != former; }));
    AwaitLook();
    EXPECT_THAT(world_.Held(kCouncil, InForce()->header(), 1), IsOk());
    EXPECT_TRUE(IsFound(former));
    return former;
  }

  SealedWorld world_;
  std::ostringstream text_;
  std::unique_ptr<runtime::Logger> logger_ =
      runtime::MakeStreamLogger(runtime::LogLevel::kError, world_.world.agency.clock, text_);
  runtime::Guarded<std::shared_ptr<const policy::AgreementSet>> agreements_;
  std::atomic<int> looks_{0};
  std::optional<SealedDesk> desk_;
};

TEST_F(SealedDesks, SealWhatAnAgreementAsksFor) {
  OpenAndSeal();
  EXPECT_EQ(InForce()->view->slots().size(), 8U);
  EXPECT_FALSE(desk_->IsPreparing(kCouncil, Ref(), kArrest));
  EXPECT_EQ(desk_->counts().waiting, 0U);
  const auto other = watchlists::testing::kWestmoor;
  EXPECT_TRUE(desk_->InForce(other, Ref(), kArrest, Now()).empty());
  EXPECT_THAT(desk_->Find(InForce()->header(), other, Now()), FailsWith(ErrorCode::kNotFound));
}

TEST_F(SealedDesks, SealNothingThatNoAgreementAsksFor) {
  Set(testing::SetOf({}));
  Open();
  AwaitLook();
  EXPECT_FALSE(InForce());
  EXPECT_FALSE(desk_->IsPreparing(kCouncil, Ref(), kArrest));
  Agree({Permission()});
  EXPECT_TRUE(Wait([&] { return InForce().has_value(); })) << "an agreement came into force";
}

TEST_F(SealedDesks, SayWhatIsWantedAndNotInForce) {
  world_.world.journal.left = 0;
  Open();
  ASSERT_TRUE(Wait([&] { return world_.world.journal.refused > 0; }));
  EXPECT_TRUE(desk_->IsPreparing(kCouncil, Ref(), kArrest));
  EXPECT_EQ(desk_->counts().waiting, 1U);
  world_.world.journal.left.reset();
  desk_->Poke();
  EXPECT_TRUE(Wait([&] { return InForce().has_value(); }));
  EXPECT_TRUE(Wait([&] { return !desk_->IsPreparing(kCouncil, Ref(), kArrest); }));
}

TEST_F(SealedDesks, TombstoneWhatIsWithdrawnBeforeTheyReturn) {
  OpenAndSeal();
  const std::vector<std::string> gone = {"r1"};
  ASSERT_THAT(world_.world.lists->Withdraw({kSealedList, "r1", "why", "o"}), IsOk());
  desk_->Withdrawn(kSealedList, gone);
  EXPECT_EQ(InForce()->view->slots().size(), 7U);
}

TEST_F(SealedDesks, SealAShreddedListAnewIfItIsStillWanted) {
  OpenAndSeal();
  const Digest former = InForce()->header();
  EXPECT_THAT(desk_->Shred(kSealedList, "a copy was stolen", "supervisor"), IsOkAnd(Eq(1U)));
  EXPECT_FALSE(IsFound(former));
  EXPECT_TRUE(Wait([&] { return InForce().has_value(); }));
  EXPECT_NE(InForce()->header(), former);
}

TEST_F(SealedDesks, LeaveNothingOfAListThatWasClosed) {
  OpenAndSeal();
  const Digest former = InForce()->header();
  ASSERT_THAT(world_.world.lists->Close(kSealedList, "the operation is over", "o"), IsOk());
  desk_->Dropped(kSealedList);
  EXPECT_FALSE(IsFound(former)) << "on return";
  AwaitLook();
  EXPECT_FALSE(InForce());
}

TEST_F(SealedDesks, ShredWhatIsUnderAnAgreementThatIsOverAndKeepWhatIsSuspended) {
  OpenAndSeal();
  const Digest header = InForce()->header();
  Say(policy::StatementKind::kSuspension);
  ASSERT_TRUE(Wait([&] { return desk_->counts().in_force == 0; }));
  EXPECT_TRUE(IsFound(header)) << "a suspension may be lifted";
  Say(policy::StatementKind::kTermination);
  EXPECT_TRUE(Wait([&] { return !IsFound(header); }));
  EXPECT_EQ(world_.Stored(header).end_reason, "agreement over");
  EXPECT_TRUE(world_.Stored(header).wrapped_key.empty());
}

TEST_F(SealedDesks, ShredWhatAFullDiskHasKeptWithoutBeingAskedAgain) {
  OpenAndSeal();
  const Digest header = InForce()->header();
  world_.world.journal.left = 0;
  Say(policy::StatementKind::kTermination);
  ASSERT_TRUE(Wait([&] { return world_.world.journal.refused > 0; }));
  AwaitLook();
  world_.world.journal.left.reset();
  AwaitLook();
  EXPECT_FALSE(world_.Stored(header).wrapped_key.empty());
  world_.world.agency.clock.Advance(std::chrono::seconds(30));
  EXPECT_TRUE(Wait([&] { return world_.Stored(header).wrapped_key.empty(); }));
}

TEST_F(SealedDesks, ShredASuspendedAgreementsListsWhenTheirTimeIsOver) {
  OpenAndSeal();
  const Digest header = InForce()->header();
  Say(policy::StatementKind::kSuspension);
  ASSERT_TRUE(Wait([&] { return desk_->counts().in_force == 0; }));
  world_.world.agency.clock.Advance(std::chrono::hours(25));
  EXPECT_TRUE(Wait([&] { return world_.Stored(header).wrapped_key.empty(); }));
}

TEST_F(SealedDesks, SealABlockWithoutReleaseAgainWhenASearchMeetsIt) {
  OpenAndSeal();
  const auto before = *InForce();
  UseUp(before);
  desk_->Renew(before.header());
  ASSERT_TRUE(Wait([&] {
    return !desk_->IsStale(before.header()) &&
           InForce()->view->state().sequence != before.view->state().sequence;
  }));
  EXPECT_EQ(InForce()->header(), before.header()) << "the same epoch";
  EXPECT_EQ(InForce()->view->state().sequence, before.view->state().sequence + 1);
  EXPECT_THAT(desk_->Look(before.header(), before.view->state().sequence),
              IsOkAnd(Eq(sealed::Release::kStaleBlock)));
}

// A partner that asks for a former epoch again and again must not have the desk look at everything.
TEST_F(SealedDesks, DoNothingForASearchOfAFormerEpochOrOfNone) {
  OpenAndSeal();
  const Digest former = SupersedeAndHoldBoth();
  desk_->Renew(former);
  desk_->Renew(Digest());
  AwaitLook();
  EXPECT_TRUE(IsFound(former)) << "a look at everything would have ended it";
  desk_->Poke();
  EXPECT_TRUE(Wait([&] { return !IsFound(former); }));
}

TEST_F(SealedDesks, TryAgainForASearchNotMoreThanOnceASecondIfSealingFails) {
  OpenAndSeal();
  const Digest header = InForce()->header();
  UseUp(*InForce());
  world_.world.journal.left = 0;
  desk_->Renew(header);
  ASSERT_TRUE(Wait([&] { return desk_->counts().waiting == 1; }));
  EXPECT_EQ(world_.world.journal.refused, 1);
  for (int i = 0; i < 3; ++i) {
    desk_->Renew(header);
    AwaitLook();
  }
  EXPECT_EQ(world_.world.journal.refused, 1);
  world_.world.agency.clock.Advance(std::chrono::seconds(1));
  desk_->Renew(header);
  ASSERT_TRUE(Wait([&] { return world_.world.journal.refused == 2; }));
  world_.world.journal.left.reset();
  world_.world.agency.clock.Advance(std::chrono::seconds(1));
  desk_->Renew(header);
  EXPECT_TRUE(Wait([&] { return !desk_->IsStale(header); }));
}

TEST_F(SealedDesks, DoNothingOnceTheyAreHalted) {
  Set(testing::SetOf({}));
  Open();
  AwaitLook();
  desk_->Halt();
  Agree({Permission()});
  desk_->Poke();
  desk_->Halt();
  EXPECT_FALSE(InForce());
}

}  // namespace
}  // namespace comity::gateway
