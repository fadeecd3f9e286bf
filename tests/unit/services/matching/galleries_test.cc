// SPDX-License-Identifier: Apache-2.0
#include "services/matching/galleries.h"

#include <gmock/gmock.h>

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

#include "tests/unit/services/matching/matching_support.h"

namespace comity::matching {
namespace {

using testing::At;
using testing::kNow;
using testing::MakeGallery;
using testing::Named;
using testing::Profile;
using testing::RandomUnitRows;

class GalleriesTest : public ::testing::Test {
 protected:
  ListTerms Terms() const {
    return {{agreement_}, purpose_, 0.5, At(kNow - 100), At(kNow + 100), At(kNow - 50)};
  }
  SearchScope Scope(std::uint32_t dimension = 64) const {
    return {Profile(dimension), agreement_, purpose_, {3, std::chrono::seconds(60)}};
  }
  std::size_t Found(const SearchScope& scope, std::int64_t now = kNow) const {
    return galleries_.Snapshot(scope, At(now)).size();
  }
  void Put(const policy::WatchlistId& list, const ListTerms& terms) {
    galleries_.Put(list, MakeGallery(RandomUnitRows(3, 64, 1), 64), terms);
  }

  const policy::AgreementId agreement_ = Named<policy::AgreementId>("northshire-eastvale-2026");
  const policy::PurposeCode purpose_ = Named<policy::PurposeCode>("court-order-arrest");
  const policy::WatchlistId list_ = Named<policy::WatchlistId>("lantern");
  AnswerBarrier barrier_;
  Galleries galleries_{barrier_};
};

TEST_F(GalleriesTest, WithdrawTakesEntriesOutAndPassesOverWhatIsMissing) {
  Put(list_, Terms());
  galleries_.Withdraw(list_, std::vector<std::string>{"r1", "r7"});
  galleries_.Withdraw(Named<policy::WatchlistId>("other"), std::vector<std::string>{"r0"});
  const auto snapshots = galleries_.Snapshot(Scope(), At(kNow));
  ASSERT_EQ(snapshots.size(), 1U);
  EXPECT_EQ(snapshots[0].gallery->size(), 2U);
  EXPECT_EQ(snapshots[0].threshold, 0.5);
}

TEST_F(GalleriesTest, SearchesListsOfTheProfileOnly) {
  Put(list_, Terms());
  galleries_.Put(Named<policy::WatchlistId>("b"), MakeGallery(RandomUnitRows(3, 128, 1), 128),
                 Terms());
  SearchScope other = Scope();
  other.profile.version = "2019";
  EXPECT_EQ(Found(Scope()), 1U);
  EXPECT_EQ(Found(other), 0U);
}

TEST_F(GalleriesTest, SearchesAListForWhatItIsBoundToOnly) {
  Put(list_, Terms());
  SearchScope scope = Scope();
  scope.agreement = Named<policy::AgreementId>("another");
  EXPECT_EQ(Found(scope), 0U);
  scope = Scope();
  scope.purpose = Named<policy::PurposeCode>("another");
  EXPECT_EQ(Found(scope), 0U);
  EXPECT_EQ(Found(Scope()), 1U);
  ListTerms own_use = Terms();
  own_use.agreements.clear();
  Put(list_, own_use);
  EXPECT_EQ(Found(Scope()), 0U);
}

TEST_F(GalleriesTest, SearchesAListWithinItsTimeOnly) {
  ListTerms terms = Terms();
  terms.validated_at = At(kNow + 90);
  Put(list_, terms);
  EXPECT_EQ(Found(Scope(), kNow - 101), 0U);
  EXPECT_EQ(Found(Scope(), kNow - 100), 1U);
  EXPECT_EQ(Found(Scope(), kNow + 99), 1U);
  EXPECT_EQ(Found(Scope(), kNow + 100), 0U);
}

TEST_F(GalleriesTest, SearchesNoListThatIsLargerOrOlderThanThePermissionSays) {
  Put(list_, Terms());
  SearchScope scope = Scope();
  scope.bounds.max_entries = 2;
  EXPECT_EQ(Found(scope), 0U);
  EXPECT_EQ(Found(Scope(), kNow + 10), 1U);
  EXPECT_EQ(Found(Scope(), kNow + 11), 0U);
  galleries_.Renew(list_, At(kNow + 11));
  EXPECT_EQ(Found(Scope(), kNow + 11), 1U);
  galleries_.Renew(Named<policy::WatchlistId>("other"), At(kNow));
  scope.bounds = {};
  EXPECT_EQ(Found(scope), 0U);
}

TEST_F(GalleriesTest, SearchesNoListThatIsHaltedOrDropped) {
  Put(list_, Terms());
  galleries_.Halt({list_});
  EXPECT_TRUE(galleries_.IsHalted(list_));
  EXPECT_EQ(Found(Scope()), 0U);
  galleries_.Halt({});
  EXPECT_EQ(Found(Scope()), 1U);
  galleries_.Drop(list_);
  EXPECT_EQ(Found(Scope()), 0U);
  galleries_.Withdraw(list_, std::vector<std::string>{"r0"});
  EXPECT_EQ(Found(Scope()), 0U);
}

TEST_F(GalleriesTest, DropReturnsOnceEveryAnswerUnderWayIsGiven) {
  Put(list_, Terms());
  std::optional<AnswerBarrier::Ticket> ticket = barrier_.Enter();
  std::atomic<bool> dropped = false;
  std::jthread dropping([&] {
    galleries_.Drop(list_);
    dropped = true;
  });
  while (Found(Scope()) != 0) std::this_thread::yield();
  EXPECT_FALSE(dropped);
  ticket.reset();
  dropping.join();
  EXPECT_TRUE(dropped);
}

}  // namespace
}  // namespace comity::matching
