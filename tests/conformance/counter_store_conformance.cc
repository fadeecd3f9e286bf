// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "tests/conformance/store_conformance.h"

// The three small aggregates: checkpoints, capacity, replays.
namespace comity::store {
namespace {

using policy::AgencyId;
using policy::AgreementId;
using ::testing::Eq;
using testing::FailsWith;
using testing::IsOk;
using testing::IsOkAnd;

auto Save(std::uint64_t size, std::string note) {
  return [=](Transaction& t) { return t.checkpoints().Save({size, note}); };
}
auto Latest(const Transaction& t) {
  return t.checkpoints().Latest();
}

TEST_P(CheckpointStoreConformance, HasNoneAtFirst) {
  EXPECT_FALSE(Get(Latest).value());
}

TEST_P(CheckpointStoreConformance, GivesTheLargest) {
  ASSERT_THAT(Write(Save(0, "zero\n")), IsOk());
  ASSERT_THAT(Write(Save(7, "seven\n")), IsOk());
  Reopen();
  const auto latest = Get(Latest).value();
  ASSERT_TRUE(latest.has_value());
  EXPECT_EQ(latest->size, 7U);
  EXPECT_EQ(latest->note, "seven\n");
}

TEST_P(CheckpointStoreConformance, RefusesTheSameOrASmallerSize) {
  ASSERT_THAT(Write(Save(7, "seven\n")), IsOk());
  EXPECT_THAT(Write(Save(7, "another seven\n")), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(Write(Save(6, "six\n")), FailsWith(ErrorCode::kConflict));
  EXPECT_EQ(Get(Latest).value()->note, "seven\n");
}

CapacityStore::Key Key() {
  return {MakeId<AgreementId>("northshire-eastvale"), "p1", MakeId<AgencyId>("eastvale-council"),
          "2026-11-25"};
}
auto Reserved(const CapacityStore::Key& key) {
  return [=](const Transaction& t) { return t.capacity().Reserved(key); };
}
auto Reserve(const CapacityStore::Key& key, std::uint64_t amount, std::uint64_t& total) {
  return [=, &total](Transaction& t) -> Status {
    COMITY_ASSIGN_OR_RETURN(total, t.capacity().Reserve(key, amount));
    return {};
  };
}

TEST_P(CapacityStoreConformance, CountsFromZeroAndAddsUp) {
  std::uint64_t total = 0;
  EXPECT_THAT(Get(Reserved(Key())), IsOkAnd(Eq(0U)));
  ASSERT_THAT(Write(Reserve(Key(), 100, total)), IsOk());
  EXPECT_EQ(total, 100U);
  ASSERT_THAT(Write(Reserve(Key(), 50, total)), IsOk());
  EXPECT_EQ(total, 150U);
  Reopen();
  EXPECT_THAT(Get(Reserved(Key())), IsOkAnd(Eq(150U)));
}

TEST_P(CapacityStoreConformance, KeepsEveryPartOfTheKeyApart) {
  std::uint64_t total = 0;
  ASSERT_THAT(Write(Reserve(Key(), 1, total)), IsOk());
  CapacityStore::Key other = Key();
  other.agreement = MakeId<AgreementId>("another");
  EXPECT_THAT(Get(Reserved(other)), IsOkAnd(Eq(0U)));
  other = Key();
  other.clause = "p2";
  EXPECT_THAT(Get(Reserved(other)), IsOkAnd(Eq(0U)));
  other = Key();
  other.requester = MakeId<AgencyId>("another");
  EXPECT_THAT(Get(Reserved(other)), IsOkAnd(Eq(0U)));
  other = Key();
  other.day = "2026-11-26";
  EXPECT_THAT(Get(Reserved(other)), IsOkAnd(Eq(0U)));
  other = Key();
  other.subject = "officer:00";
  EXPECT_THAT(Get(Reserved(other)), IsOkAnd(Eq(0U)));
  ASSERT_THAT(Write(Reserve(other, 7, total)), IsOk());
  EXPECT_THAT(Get(Reserved(Key())), IsOkAnd(Eq(1U)));
}

TEST_P(CapacityStoreConformance, ForgetsTheDaysBefore) {
  std::uint64_t total = 0;
  CapacityStore::Key later = Key();
  later.day = "2026-12-01";
  ASSERT_THAT(Write(Reserve(Key(), 3, total)), IsOk());
  ASSERT_THAT(Write(Reserve(later, 4, total)), IsOk());
  const auto forget = [](std::string day) {
    return [day](Transaction& t) { return t.capacity().Forget(day); };
  };
  ASSERT_THAT(Write(forget("2026-11-25")), IsOk());
  EXPECT_THAT(Get(Reserved(Key())), IsOkAnd(Eq(3U)));
  ASSERT_THAT(Write(forget("2026-12-01")), IsOk());
  EXPECT_THAT(Get(Reserved(Key())), IsOkAnd(Eq(0U)));
  EXPECT_THAT(Get(Reserved(later)), IsOkAnd(Eq(4U)));
}

TEST_P(CapacityStoreConformance, RefusesToOverflow) {
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  std::uint64_t total = 0;
  EXPECT_THAT(Write(Reserve(Key(), kMost + 1, total)), FailsWith(ErrorCode::kInvalidArgument));
  ASSERT_THAT(Write(Reserve(Key(), kMost, total)), IsOk());
  EXPECT_THAT(Write(Reserve(Key(), 1, total)), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Get(Reserved(Key())), IsOkAnd(Eq(kMost)));
}

auto Remember(std::string_view sender, std::string id, std::int64_t keep_until) {
  const auto agency = MakeId<AgencyId>(sender);
  return [=](Transaction& t) { return t.replays().Remember(agency, id, At(keep_until)); };
}
auto Forget(std::int64_t now) {
  return [=](Transaction& t) { return t.replays().Forget(At(now)); };
}

TEST_P(ReplayStoreConformance, RefusesAnIdItHasSeenEvenAfterReopening) {
  ASSERT_THAT(Write(Remember("eastvale-council", "x-1", 100)), IsOk());
  EXPECT_THAT(Write(Remember("eastvale-council", "x-1", 200)), FailsWith(ErrorCode::kConflict));
  Reopen();
  EXPECT_THAT(Write(Remember("eastvale-council", "x-1", 200)), FailsWith(ErrorCode::kConflict));
}

TEST_P(ReplayStoreConformance, KeepsSendersApart) {
  ASSERT_THAT(Write(Remember("eastvale-council", "x-1", 100)), IsOk());
  EXPECT_THAT(Write(Remember("northshire-police", "x-1", 100)), IsOk());
}

TEST_P(ReplayStoreConformance, ForgetsOnlyWhatIsPastItsTime) {
  ASSERT_THAT(Write(Remember("eastvale-council", "x-1", 100)), IsOk());
  ASSERT_THAT(Write(Forget(99)), IsOk());
  EXPECT_THAT(Write(Remember("eastvale-council", "x-1", 100)), FailsWith(ErrorCode::kConflict));
  ASSERT_THAT(Write(Forget(100)), IsOk());
  EXPECT_THAT(Write(Remember("eastvale-council", "x-1", 100)), IsOk());
}

}  // namespace
}  // namespace comity::store
