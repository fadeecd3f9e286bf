// SPDX-License-Identifier: Apache-2.0
// How sealed lists end: by time, by a newer epoch, by shredding, and after a crash.
#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <future>
#include <thread>
#include <utility>

#include "services/store/sqlite/sqlite_store.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/services/watchlists/sealed_world.h"

namespace comity::watchlists {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace testing;

class SealedEnd : public ::testing::Test {
 protected:
  SealedEnd() { world_.Approve(8); }
  void SetTime(const std::string& time) { world_.world.agency.clock.Set(At(time)); }
  bool CanBeFound(const Digest& header) {
    return world_.publications->Find(header, kEastvale, world_.Now()).has_value();
  }
  Result<std::uint64_t> ShredAll() {
    return world_.publications->Shred([](const SealedScope&) { return true; }, "agreement ended",
                                      "np-supervisor");
  }
  std::size_t Events(std::string_view type) { return world_.world.agency.CountEvents(type); }

  SealedWorld world_;
};

TEST_F(SealedEnd, ShreddingDestroysTheKeyTheFilesAndEveryWayToSearch) {
  world_.Bring();
  const Digest header = world_.Epoch()->header();
  const Bytes key = world_.Stored(header).wrapped_key;
  ASSERT_THAT(ShredAll(), IsOk());
  EXPECT_FALSE(CanBeFound(header));
  EXPECT_THAT(world_.Charge({header, 1, {}, false}), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(world_.Files(), IsEmpty());
  EXPECT_THAT(world_.Stored(header).wrapped_key, IsEmpty());
  // No octet of it is left in the database.
  std::ifstream stream(world_.world.agency.database(), std::ios::binary);
  world_.Restart();
  const std::string database{std::istreambuf_iterator<char>(stream), {}};
  EXPECT_EQ(database.find(AsText(key)), std::string::npos);
  EXPECT_FALSE(CanBeFound(header));
  const auto payloads = world_.world.LogPayloads();
  EXPECT_EQ(payloads.back().at("type"), "sealed-list-shredded");
  EXPECT_EQ(payloads.back().at("reason"), "agreement ended");
  EXPECT_EQ(payloads.back().at("operator"), "np-supervisor");
}

TEST_F(SealedEnd, WhateverComesIntoForceOrGoesOutOfItCanBeWaitedFor) {
  std::uint64_t seen = world_.publications->changes();
  const auto changed = [&] {
    const std::uint64_t before = std::exchange(seen, world_.publications->changes());
    return seen != before;
  };
  world_.Bring();
  EXPECT_TRUE(changed());
  const std::vector<std::string> references{"r5"};
  ASSERT_THAT(world_.publications->Withdraw(kSealedList, references), IsOk());
  EXPECT_TRUE(changed());
  ASSERT_THAT(ShredAll(), IsOk());
  EXPECT_TRUE(changed());
}

TEST_F(SealedEnd, WhoWaitsIsWokenByAChangeAndElseByTheTime) {
  using std::chrono::steady_clock;
  const std::uint64_t seen = world_.publications->changes();
  const auto until = steady_clock::now() + std::chrono::milliseconds(20);
  world_.publications->AwaitChange(seen, until);
  EXPECT_GE(steady_clock::now(), until);
  const std::jthread sealing([this] { world_.Bring(); });
  world_.publications->AwaitChange(seen, steady_clock::now() + std::chrono::minutes(1));
  EXPECT_NE(world_.publications->changes(), seen);
}

// Between the two a list is neither stale nor sealed again, for all that can be seen.
TEST_F(SealedEnd, WhatIsDurableIsWaitedForUntilItIsInForce) {
  world_.Bring();
  const Digest header = world_.Epoch()->header();
  std::vector<std::uint32_t> slots;
  for (const auto& [number, name] : world_.Slots(*world_.Epoch())) slots.push_back(number);
  ASSERT_EQ(slots.size(), sealed::kReleaseBudget);
  ASSERT_THAT(world_.Charge({header, 1, slots, false}), IsOk());
  ASSERT_TRUE(world_.publications->IsStale(header));
  std::future<std::uint64_t> seen;
  world_.world.journal.after = [&] {
    if (seen.valid() || world_.publications->IsStale(header)) return;
    EXPECT_EQ(world_.Epoch()->view->state().sequence, 1U);
    seen = std::async(std::launch::async, [&] {
      world_.publications->AwaitCommit(std::chrono::steady_clock::time_point::max());
      return world_.Epoch()->view->state().sequence;
    });
    EXPECT_EQ(seen.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
  };
  world_.Bring();
  world_.world.journal.after = nullptr;
  ASSERT_TRUE(seen.valid());
  EXPECT_EQ(seen.get(), 2U);
}

TEST_F(SealedEnd, SecretsAreWipedOnceNoSearchHasThem) {
  world_.Bring();
  const std::weak_ptr<const sealed::BlockSecret> secret = world_.Epoch()->view->secrets()[0];
  ASSERT_THAT(ShredAll(), IsOk());
  EXPECT_TRUE(secret.expired());
}

TEST_F(SealedEnd, ShreddingTouchesOnlyTheScopesThatMatch) {
  world_.Bring(kScope);
  world_.Bring(ScopeFor(kWestmoor));
  ASSERT_THAT(
      world_.publications->Shred(
          [](const SealedScope& scope) { return scope.requester == kWestmoor; }, "why", "o"),
      IsOk());
  EXPECT_NE(world_.Epoch(kScope), nullptr);
  EXPECT_EQ(world_.Epoch(ScopeFor(kWestmoor)), nullptr);
  EXPECT_THAT(world_.Search("r1"), ElementsAre("r1"));
}

TEST_F(SealedEnd, ShreddingCountsTheKeysThatItDestroyed) {
  world_.Bring(kScope);
  world_.Bring(ScopeFor(kWestmoor));
  EXPECT_EQ(ShredAll(), 2U);
  EXPECT_EQ(ShredAll(), 0U);
  EXPECT_EQ(Events(audit::kSealedListShredded), 2U);
}

TEST_F(SealedEnd, WhatAPersonShredsIsToldToThoseWhoOverseeAndWhatTheGatewayEndsIsNot) {
  world_.TellOversight();
  world_.Bring();
  ASSERT_THAT(ShredAll(), IsOk());
  const auto told = ElementsAre(HasSubstr("1 sealed lists of this list were destroyed by np-"));
  EXPECT_THAT(world_.world.NoticesFor(identity::Role::kDpo), told);
  world_.Bring();
  const auto all = [](const SealedScope&) { return true; };
  ASSERT_THAT(world_.publications->Shred(all, "over", "gateway"), IsOk());
  EXPECT_THAT(world_.world.NoticesFor(identity::Role::kDpo), told);
}

TEST_F(SealedEnd, NothingIsShreddedWithoutAReason) {
  world_.Bring();
  const auto all = [](const SealedScope&) { return true; };
  for (const std::string& reason : {std::string(), std::string(1001, 'x'), std::string("a\nb")}) {
    EXPECT_THAT(world_.publications->Shred(all, reason, "np-supervisor"),
                FailsWith(ErrorCode::kInvalidArgument));
  }
  EXPECT_NE(world_.Epoch(), nullptr);
  EXPECT_EQ(Events(audit::kSealedListShredded), 0U);
}

TEST_F(SealedEnd, AListThatIsOverIsNotFoundAndIsEndedByHousekeeping) {
  world_.Bring();
  const Digest header = world_.Epoch()->header();
  SetTime("2026-11-25T19:59:59Z");
  EXPECT_TRUE(CanBeFound(header));
  ASSERT_THAT(world_.publications->Housekeep(world_.Now()), IsOk());
  EXPECT_TRUE(CanBeFound(header));
  SetTime("2026-11-25T20:00:00Z");
  EXPECT_FALSE(CanBeFound(header));
  EXPECT_EQ(world_.Epoch(), nullptr);
  ASSERT_THAT(world_.publications->Housekeep(world_.Now()), IsOk());
  EXPECT_EQ(world_.Stored(header).end_reason, "over");
  EXPECT_THAT(world_.Files(), IsEmpty());
}

TEST_F(SealedEnd, AHeldEpochStaysUntilThePartnerHoldsTheNext) {
  world_.Bring();
  const SealedEpochPtr first = world_.Epoch();
  ASSERT_THAT(world_.Held(kEastvale, first->header(), 1), IsOk());
  SetTime("2026-11-25T15:00:00Z");
  world_.Bring();
  const SealedEpochPtr second = world_.Epoch();
  ASSERT_NE(second->header(), first->header());
  EXPECT_TRUE(CanBeFound(first->header()));
  ASSERT_THAT(world_.publications->Housekeep(world_.Now()), IsOk());
  world_.Restart();
  EXPECT_TRUE(CanBeFound(first->header()));
  EXPECT_THAT(world_.Fetch(*first, first->view->state().blocks[0]),
              FailsWith(ErrorCode::kNotFound));
  // Entries are withdrawn from both.
  ASSERT_THAT(world_.publications->Withdraw(kSealedList, std::vector<std::string>{"r1"}), IsOk());
  EXPECT_EQ(world_.publications->Find(first->header(), kEastvale, world_.Now())
                .value()
                ->view->slots()
                .size(),
            7U);
  ASSERT_THAT(world_.Held(kEastvale, second->header(), 1), IsOk());
  ASSERT_THAT(world_.publications->Housekeep(world_.Now()), IsOk());
  EXPECT_FALSE(CanBeFound(first->header()));
  EXPECT_EQ(world_.Stored(first->header()).end_reason, "superseded");
}

TEST_F(SealedEnd, AnOlderWordOfThePartnerTakesNothingBack) {
  world_.Bring();
  const Digest header = world_.Epoch()->header();
  ASSERT_THAT(world_.publications->Withdraw(kSealedList, std::vector<std::string>{"r1"}), IsOk());
  ASSERT_THAT(world_.Held(kEastvale, header, 2), IsOk());
  ASSERT_THAT(world_.Held(kEastvale, header, 1), IsOk());
  EXPECT_EQ(world_.Stored(header).held_sequence, 2U);
}

TEST_F(SealedEnd, AFormerEpochOfALowerThresholdIsNotSearchedOn) {
  for (const std::int32_t next : {4000, 6000}) {
    SealedWorld world;
    world.Approve(8);
    SealingTerms terms = world.terms();
    terms.scales.tau_min = 5000;
    terms.scales.tau_max = 8000;
    ASSERT_THAT(world.publications->Bring(kScope, terms, world.Now()), IsOk());
    const Digest former = world.Epoch()->header();
    ASSERT_THAT(world.Held(kEastvale, former, 1), IsOk());
    terms.scales.tau_min = next;
    ASSERT_THAT(world.publications->Bring(kScope, terms, world.Now()), IsOk());
    ASSERT_NE(world.Epoch()->header(), former);
    const bool is_found = world.publications->Find(former, kEastvale, world.Now()).has_value();
    EXPECT_EQ(is_found, next < 5000);
    EXPECT_EQ(world.Stored(former).wrapped_key.empty(), next > 5000);
  }
}

TEST_F(SealedEnd, OnlyTheNewestEpochIsEverSealedAgain) {
  world_.Bring();
  const Digest former = world_.Epoch()->header();
  EXPECT_EQ(world_.publications->NewestOf(former), kScope);
  ASSERT_THAT(world_.Held(kEastvale, former, 1), IsOk());
  SetTime("2026-11-25T15:00:00Z");
  world_.Bring();
  EXPECT_TRUE(CanBeFound(former));
  EXPECT_EQ(world_.publications->NewestOf(former), std::nullopt);
  EXPECT_EQ(world_.publications->NewestOf(world_.Epoch()->header()), kScope);
  EXPECT_EQ(world_.publications->NewestOf(Digest()), std::nullopt);
}

TEST_F(SealedEnd, AnEpochThatNobodyHoldsEndsWithTheNext) {
  world_.Bring();
  const Digest first = world_.Epoch()->header();
  SetTime("2026-11-25T15:00:00Z");
  world_.Bring();
  EXPECT_FALSE(CanBeFound(first));
  EXPECT_THAT(world_.Stored(first).wrapped_key, IsEmpty());
}

TEST_F(SealedEnd, WhatThePartnerSaysOfItsCopyIsKeptAndLogged) {
  world_.Bring();
  const Digest header = world_.Epoch()->header();
  EXPECT_THAT(world_.Held(kWestmoor, header, 1), FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_THAT(world_.Held(kEastvale, header, 0), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(world_.Held(kEastvale, header, 2), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(world_.Held(kEastvale, header, 1), IsOk());
  EXPECT_THAT(world_.Erased(kWestmoor, header), FailsWith(ErrorCode::kPermissionDenied));
  ASSERT_THAT(ShredAll(), IsOk());
  EXPECT_THAT(world_.Erased(kEastvale, header), IsOk());
  EXPECT_THAT(world_.Held(kEastvale, Digest(), 1), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(world_.Erased(kEastvale, Digest()), FailsWith(ErrorCode::kNotFound));
  EXPECT_EQ(Events("sealed-list-acknowledged"), 1U);
  EXPECT_EQ(Events("sealed-copy-erased"), 1U);
  const auto statuses = world_.publications->StatusOf().value();
  ASSERT_THAT(statuses, SizeIs(1));
  EXPECT_EQ(statuses[0].held_sequence, 1U);
  EXPECT_EQ(statuses[0].erased_at, world_.Now());
}

TEST_F(SealedEnd, WhatEndedIsForgottenAfterThirtyDays) {
  world_.Bring();
  ASSERT_THAT(ShredAll(), IsOk());
  world_.world.agency.clock.Advance(std::chrono::days(30));
  ASSERT_THAT(world_.publications->Housekeep(world_.Now()), IsOk());
  EXPECT_THAT(*world_.publications->StatusOf(), SizeIs(1));
  world_.world.agency.clock.Advance(std::chrono::seconds(1));
  ASSERT_THAT(world_.publications->Housekeep(world_.Now()), IsOk());
  EXPECT_THAT(*world_.publications->StatusOf(), IsEmpty());
}

TEST_F(SealedEnd, NothingComesIntoForceWithoutTheLog) {
  world_.world.journal.left = 0;
  EXPECT_THAT(world_.TryBring(), FailsWith(ErrorCode::kUnavailable));
  EXPECT_EQ(world_.Epoch(), nullptr);
  EXPECT_THAT(world_.Files(), IsEmpty());
  world_.world.journal.left.reset();
  world_.Bring();
  const SealedEpochPtr before = world_.Epoch();
  const auto files = world_.Files();
  world_.world.journal.left = 0;
  EXPECT_THAT(world_.publications->Withdraw(kSealedList, std::vector<std::string>{"r1"}),
              FailsWith(ErrorCode::kUnavailable));
  EXPECT_THAT(ShredAll(), FailsWith(ErrorCode::kUnavailable));
  world_.world.journal.left = 1;
  world_.Restrict("r2");
  EXPECT_THAT(world_.TryBring(), FailsWith(ErrorCode::kUnavailable));
  EXPECT_EQ(world_.Epoch(), before);
  EXPECT_EQ(world_.Files(), files);
}

// As a loss of power leaves the disk after blocks were written and before the commit.
TEST_F(SealedEnd, WhatAnInterruptedSealingLeftIsRemovedWhenOpened) {
  world_.Bring();
  const auto files = world_.Files();
  const std::filesystem::path own = world_.folder() / *files.begin();
  std::filesystem::copy_file(own, own.parent_path() / "1-0123456789abcdef");
  std::filesystem::copy_file(own, own.parent_path() / ".0-0123.XYZ");
  std::filesystem::create_directory(world_.folder() / std::string(64, '0'));
  std::filesystem::copy_file(own, world_.folder() / std::string(64, '0') / "0-0123456789abcdef");
  world_.Restart();
  EXPECT_EQ(world_.Files(), files);
  EXPECT_FALSE(std::filesystem::exists(world_.folder() / std::string(64, '0')));
  EXPECT_THAT(world_.Search("r1"), ElementsAre("r1"));
}

TEST_F(SealedEnd, AListWithoutItsFilesIsEndedAndMadeAnew) {
  world_.Bring();
  const Digest header = world_.Epoch()->header();
  std::filesystem::remove(world_.folder() / *world_.Files().begin());
  world_.Restart();
  EXPECT_FALSE(CanBeFound(header));
  EXPECT_EQ(world_.Stored(header).end_reason, "files-missing");
  EXPECT_THAT(world_.Stored(header).wrapped_key, IsEmpty());
  world_.Bring();
  EXPECT_GT(world_.Epoch()->view->header().epoch, world_.Stored(header).epoch);
}

TEST_F(SealedEnd, ATornFileIsAsGoodAsNone) {
  world_.Bring();
  const std::filesystem::path file = world_.folder() / *world_.Files().begin();
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - 1);
  world_.Restart();
  EXPECT_EQ(world_.Epoch(), nullptr);
}

TEST_F(SealedEnd, AnotherKeyOrChangedOctetsOpenNothing) {
  world_.Bring();
  const Digest header = world_.Epoch()->header();
  world_.publications.reset();
  ASSERT_THAT(world_.world.agency.store().Write([&](store::Transaction& t) -> Status {
    COMITY_ASSIGN_OR_RETURN(auto blocks, t.sealed_lists().Blocks(header));
    blocks[0].sealed_root.back() ^= 1;
    return t.sealed_lists().PutBlock(header, blocks[0]);
  }),
              IsOk());
  world_.Restart();
  EXPECT_EQ(world_.Epoch(), nullptr);
  EXPECT_EQ(world_.Stored(header).end_reason, "damaged");
}

TEST_F(SealedEnd, ABackupsCopyHoldsNoKeyOfASealedList) {
  world_.Bring();
  const SealedEpochPtr former = world_.Epoch();
  ASSERT_THAT(world_.Held(kEastvale, former->header(), 1), IsOk());
  SetTime("2026-11-25T15:00:00Z");
  world_.Bring();
  const SealedEpochPtr newest = world_.Epoch();
  ASSERT_EQ(world_.Stored(former->header()).state, store::SealedListState::kSuperseded);
  const auto copy = world_.directory.path() / "copy";
  std::filesystem::create_directory(copy);
  ASSERT_THAT(
      store::CopySqliteStore(world_.world.agency.database().parent_path(), copy / "comity.db", {}),
      IsOk());
  std::ifstream stream(copy / "comity.db", std::ios::binary);
  const std::string database{std::istreambuf_iterator<char>(stream), {}};
  auto opened = store::OpenSqliteStore(copy);
  ASSERT_THAT(opened, IsOk());
  for (const SealedEpochPtr& epoch : {former, newest}) {
    const Bytes key = world_.Stored(epoch->header()).wrapped_key;
    ASSERT_FALSE(key.empty());
    EXPECT_EQ(database.find(AsText(key)), std::string::npos);
    ASSERT_THAT((*opened)->Read([&](const store::Transaction& t) -> Status {
      COMITY_ASSIGN_OR_RETURN(const auto record, t.sealed_lists().Get(epoch->header()));
      EXPECT_EQ(record.state, store::SealedListState::kEnded);
      EXPECT_EQ(record.end_reason, "restored");
      EXPECT_THAT(record.wrapped_key, IsEmpty());
      COMITY_ASSIGN_OR_RETURN(const auto blocks, t.sealed_lists().Blocks(epoch->header()));
      EXPECT_THAT(blocks, IsEmpty());
      return {};
    }),
                IsOk());
    EXPECT_TRUE(CanBeFound(epoch->header())) << "the node itself goes on";
  }
}

// What happens while blocks are sealed must not be lost: `during` runs between two of them.
class SealedMeanwhile : public SealedEnd {
 protected:
  Result<Brought> BringWhile(const std::function<void()>& during) {
    SealingTerms terms = world_.terms();
    terms.progress = [&](std::uint64_t, std::uint64_t) { during(); };
    return world_.publications->Bring(kScope, terms, world_.Now());
  }
};

TEST_F(SealedMeanwhile, AnEntryThatIsWithdrawnWhileItIsSealedTakesNoPart) {
  const auto withdraw = [&] {
    ASSERT_THAT(world_.publications->Withdraw(kSealedList, std::vector<std::string>{"r6"}), IsOk());
  };
  ASSERT_THAT(BringWhile(withdraw), IsOk());
  EXPECT_THAT(world_.Sealed(), SizeIs(7));
  EXPECT_THAT(world_.Search("r6"), IsEmpty());
  EXPECT_THAT(world_.Search("r5"), ElementsAre("r5"));
}

TEST_F(SealedMeanwhile, AListThatIsShreddedWhileItIsSealedDoesNotComeIntoForce) {
  EXPECT_THAT(BringWhile([&] { ASSERT_THAT(ShredAll(), IsOk()); }),
              FailsWith(ErrorCode::kConflict));
  EXPECT_EQ(world_.Epoch(), nullptr);
  EXPECT_THAT(world_.Files(), IsEmpty());
}

TEST_F(SealedMeanwhile, SearchesAndWithdrawalsGoOnBesideSealing) {
  world_.Bring();
  std::atomic<bool> stop = false;
  std::jthread reader([&] {
    while (!stop) {
      const SealedEpochPtr epoch = world_.Epoch();
      EXPECT_TRUE(epoch == nullptr || world_.Slots(*epoch).size() <= 8U);
    }
  });
  std::jthread withdrawer([&] {
    for (const char* reference : {"r0", "r1"}) {
      EXPECT_THAT(world_.world.lists->Withdraw({kSealedList, reference, "why", "o"}), IsOk());
      EXPECT_THAT(world_.publications->Withdraw(kSealedList, std::vector<std::string>{reference}),
                  IsOk());
    }
  });
  for (int i = 0; i < 10; ++i) {
    const auto charged =
        world_.Charge({world_.Epoch()->header(), world_.Epoch()->view->state().sequence, {}, true});
    EXPECT_THAT(charged, IsOk());
    EXPECT_THAT(world_.TryBring(), IsOk());
  }
  withdrawer.join();
  stop = true;
  reader.join();
  world_.Bring();
  EXPECT_THAT(world_.Sealed(), SizeIs(6));
}

}  // namespace
}  // namespace comity::watchlists
