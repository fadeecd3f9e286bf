// SPDX-License-Identifier: Apache-2.0
// How a list is sealed and follows its watchlist.
#include <gmock/gmock.h>

#include <algorithm>

#include "crypto/base/encoding.h"
#include "crypto/hash/chacha_stream.h"
#include "crypto/sign/dsse.h"
#include "services/watchlists/sealed_payload.h"
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

class SealedList : public ::testing::Test {
 protected:
  void SetTime(const std::string& time) { world_.world.agency.clock.Set(At(time)); }
  Status Withdraw(const std::string& reference) {
    COMITY_RETURN_IF_ERROR(world_.world.lists->Withdraw({kSealedList, reference, "why", "o"}));
    return world_.publications->Withdraw(kSealedList, std::vector<std::string>{reference});
  }
  std::size_t Events(std::string_view type) { return world_.world.agency.CountEvents(type); }

  SealedWorld world_;
};

TEST_F(SealedList, FindsEveryEntryByItsFaceAndNobodyElse) {
  world_.Approve(40);
  EXPECT_EQ(world_.Epoch(), nullptr);
  const Brought brought = world_.Bring();
  EXPECT_TRUE(brought.changed);
  EXPECT_EQ(brought.entries, 40U);
  for (std::size_t i = 0; i < 40; ++i) EXPECT_THAT(world_.Search(Name(i)), ElementsAre(Name(i)));
  const std::vector<float> stranger = UnitRows(1, kSealedDimension, 4711);
  EXPECT_THAT(world_.Search(*world_.Epoch(), stranger), IsEmpty());
}

TEST_F(SealedList, HeaderAndStateAreSignedByTheAgencyAndSayWhatIsSealed) {
  world_.Approve(3);
  world_.Bring();
  const SealedEpochPtr epoch = world_.Epoch();
  const auto open = [&](const std::string& text, std::string_view type) {
    const auto envelope = sign::ParseDsseJson(text, 1U << 20).value();
    EXPECT_THAT(sign::VerifySignedBy(envelope, world_.world.agency_key.public_key()), IsOk());
    EXPECT_EQ(envelope.payload_type, type);
    return envelope.payload;
  };
  const auto header =
      sealed::ParseListHeader(open(epoch->header_envelope, kSealedHeaderPayloadType)).value();
  const auto state =
      sealed::ParseListState(open(epoch->state_envelope, kSealedStatePayloadType)).value();
  EXPECT_EQ(header, epoch->view->header());
  EXPECT_EQ(state, epoch->view->state());
  EXPECT_EQ(header.holder, "northshire-police");
  EXPECT_EQ(ScopeOf(header), kScope);
  EXPECT_EQ(header.engine_name, "facenet");
  EXPECT_EQ(header.engine_version, "1.0");
  EXPECT_EQ(header.valid_until - header.sealed_at, 12 * 3600);
  EXPECT_EQ(state.sequence, 1U);
  EXPECT_THAT(state.blocks, SizeIs(1));
}

TEST_F(SealedList, TheLogNamesHeaderStateAndEveryBlock) {
  world_.Approve(3);
  world_.Bring();
  const auto payload = world_.world.LogPayloads().back();
  EXPECT_EQ(payload.at("type"), "sealed-list-published");
  EXPECT_EQ(payload.at("reason"), "first");
  const sealed::ListedBlock& block = world_.Epoch()->view->state().blocks[0];
  EXPECT_EQ(payload.at("blocks"), "0 3 " + EncodeHex(block.hash.view()));
  EXPECT_THAT(payload.at("counts"), HasSubstr("\"entries\":3"));
}

TEST_F(SealedList, BringingAnUnchangedListChangesNothing) {
  world_.Approve(5);
  world_.Bring();
  const SealedEpochPtr before = world_.Epoch();
  EXPECT_FALSE(world_.Bring().changed);
  EXPECT_EQ(world_.Epoch(), before);
  EXPECT_EQ(Events("sealed-list-published"), 1U);
}

TEST_F(SealedList, TwoPartnersGetOtherOrdersOtherSeedsAndOtherOctets) {
  world_.Approve(64);
  world_.Bring(kScope);
  world_.Bring(ScopeFor(kWestmoor));
  const SealedEpochPtr one = world_.Epoch(kScope);
  const SealedEpochPtr other = world_.Epoch(ScopeFor(kWestmoor));
  EXPECT_EQ(world_.Sealed(kScope), world_.Sealed(ScopeFor(kWestmoor)));
  EXPECT_NE(world_.Slots(*one), world_.Slots(*other));
  EXPECT_NE(one->view->header().public_seed, other->view->header().public_seed);
  EXPECT_NE(one->view->state().blocks[0].hash, other->view->state().blocks[0].hash);
  // Nor in the order in which the list has them.
  std::vector<std::string> order;
  for (const auto& [number, reference] : world_.Slots(*one)) order.push_back(reference);
  EXPECT_NE(order, world_.world.Visited(kSealedList));
  EXPECT_THAT(world_.publications->Find(one->header(), kWestmoor, world_.Now()),
              FailsWith(ErrorCode::kNotFound));
}

TEST_F(SealedList, SealsOnlyWhatThePermissionTakesAndWhatMatchesNow) {
  auto later = Entry("later");
  later["valid_from"] = "2026-11-25T09:00:00Z";
  auto victim = Entry("victim");
  victim["subject_category"] = "victim";
  world_.takes = [](const ActiveEntry& entry) {
    return entry.subject == policy::SubjectCategory::kSuspect;
  };
  world_.Approve({Entry("a"), later, victim});
  const Brought brought = world_.Bring();
  EXPECT_THAT(world_.Sealed(), ElementsAre("a"));
  EXPECT_EQ(brought.next, At("2026-11-25T09:00:00Z"));
  SetTime("2026-11-25T09:00:00Z");
  EXPECT_TRUE(world_.Bring().changed);
  EXPECT_THAT(world_.Sealed(), ElementsAre("a", "later"));
  EXPECT_THAT(world_.Search("later"), ElementsAre("later"));
}

TEST_F(SealedList, WhatMatchesAnewComesIntoABlockOfItsOwn) {
  world_.Approve(8);
  world_.Restrict("r3");
  world_.Bring();
  const SealedEpochPtr before = world_.Epoch();
  ASSERT_THAT(world_.world.Unrestrict(kSealedList, "r3"), IsOk());
  EXPECT_TRUE(world_.Bring().changed);
  const SealedEpochPtr after = world_.Epoch();
  EXPECT_EQ(after->header(), before->header());
  ASSERT_THAT(after->view->state().blocks, SizeIs(2));
  EXPECT_EQ(after->view->state().blocks[0], before->view->state().blocks[0]);
  EXPECT_EQ(after->view->state().blocks[1].count, 1U);
  EXPECT_EQ(after->view->state().sequence, 2U);
  EXPECT_THAT(world_.Search("r3"), ElementsAre("r3"));
}

TEST_F(SealedList, WithdrawalIsATombstoneAtOnceForEveryPartner) {
  world_.Approve(8);
  world_.Bring(kScope);
  world_.Bring(ScopeFor(kWestmoor));
  const std::uint32_t slot = world_.SlotOf(*world_.Epoch(), "r5");
  ASSERT_THAT(Withdraw("r5"), IsOk());
  for (const SealedScope& scope : {kScope, ScopeFor(kWestmoor)}) {
    EXPECT_THAT(world_.Sealed(scope), SizeIs(7));
    EXPECT_EQ(world_.Epoch(scope)->view->state().sequence, 2U);
  }
  EXPECT_THAT(world_.Search("r5"), IsEmpty());
  EXPECT_THAT(world_.Epoch()->view->state().withdrawn, ElementsAre(slot));
  EXPECT_EQ(Events("sealed-list-withdrawn"), 2U);
  // It was there already when the list is next looked at.
  EXPECT_FALSE(world_.Bring().changed);
  ASSERT_THAT(world_.publications->Withdraw(kSealedList, std::vector<std::string>{"r5", "r99"}),
              IsOk());
  EXPECT_EQ(Events("sealed-list-withdrawn"), 2U);
}

TEST_F(SealedList, BringingTombstonesWhatMatchesNoMore) {
  world_.Approve(8);
  world_.Bring();
  world_.Restrict("r1");
  EXPECT_TRUE(world_.Bring().changed);
  EXPECT_THAT(world_.Sealed(), SizeIs(7));
  EXPECT_EQ(world_.Sealed().count("r1"), 0U);
  EXPECT_EQ(world_.Epoch()->view->state().blocks[0].count, 8U);
}

TEST_F(SealedList, TombstonesOutliveARestart) {
  world_.Approve(8);
  world_.Bring();
  ASSERT_THAT(Withdraw("r2"), IsOk());
  const SealedEpochPtr before = world_.Epoch();
  world_.Restart();
  const SealedEpochPtr after = world_.Epoch();
  ASSERT_NE(after, nullptr);
  EXPECT_EQ(after->view->state(), before->view->state());
  EXPECT_EQ(after->state_envelope, before->state_envelope);
  EXPECT_EQ(world_.Slots(*after), world_.Slots(*before));
  EXPECT_THAT(world_.Search("r2"), IsEmpty());
  EXPECT_THAT(world_.Search("r7"), ElementsAre("r7"));
}

TEST_F(SealedList, BeginsANewEpochWhenAQuarterIsWithdrawn) {
  world_.Approve(8);
  world_.Bring();
  const Digest first = world_.Epoch()->header();
  for (const char* reference : {"r0", "r1"}) ASSERT_THAT(Withdraw(reference), IsOk());
  EXPECT_FALSE(world_.Bring().changed);
  ASSERT_THAT(Withdraw("r2"), IsOk());
  EXPECT_TRUE(world_.Bring().changed);
  const SealedEpochPtr second = world_.Epoch();
  EXPECT_NE(second->header(), first);
  EXPECT_EQ(second->view->state().blocks[0].count, 5U);
  EXPECT_THAT(second->view->state().withdrawn, IsEmpty());
  EXPECT_THAT(world_.Search("r7"), ElementsAre("r7"));
  EXPECT_EQ(world_.Files().size(), 1U);
}

TEST_F(SealedList, BeginsANewEpochWhenLessThanHalfOfItsTimeIsLeft) {
  world_.Approve(4);
  const Brought brought = world_.Bring();
  const auto first = world_.Epoch()->view->header();
  EXPECT_GT(brought.next, At("2026-11-25T14:00:00Z"));
  SetTime("2026-11-25T14:00:00Z");
  EXPECT_FALSE(world_.Bring().changed);
  world_.world.agency.clock.Set(brought.next);
  EXPECT_TRUE(world_.Bring().changed);
  const auto second = world_.Epoch()->view->header();
  EXPECT_GT(second.epoch, first.epoch);
  EXPECT_NE(second.public_seed, first.public_seed);
  EXPECT_EQ(second.sealed_at, first.sealed_at + 6 * 3600);
}

TEST_F(SealedList, EpochsRiseEvenWithinOneSecondAndAcrossAgreementVersions) {
  world_.Approve(4);
  world_.Bring();
  SealedScope next = kScope;
  next.agreement.version = 2;
  world_.Bring(next);
  EXPECT_GT(world_.Epoch(next)->view->header().epoch, world_.Epoch()->view->header().epoch);
}

TEST_F(SealedList, BeginsANewEpochWhenThereAreTooManyBlocks) {
  std::vector<nlohmann::json> entries = {Entry("a"), Entry("b")};
  for (const char* hour : {"09", "10", "11", "12"}) {
    entries.push_back(Entry(std::string("at-") + hour));
    entries.back()["valid_from"] = std::string("2026-11-25T") + hour + ":00:00Z";
  }
  world_.Approve(entries);
  world_.max_age = std::chrono::hours(24);
  world_.Bring();
  const Digest first = world_.Epoch()->header();
  std::vector<std::size_t> blocks;
  for (const char* hour : {"09", "10", "11", "12"}) {
    SetTime(std::string("2026-11-25T") + hour + ":00:00Z");
    world_.Bring();
    blocks.push_back(world_.Epoch()->view->state().blocks.size());
  }
  EXPECT_THAT(blocks, ElementsAre(2, 3, 4, 1));
  EXPECT_NE(world_.Epoch()->header(), first);
  EXPECT_THAT(world_.Sealed(), SizeIs(6));
}

TEST_F(SealedList, OtherScalesMakeANewEpoch) {
  world_.Approve(4);
  world_.Bring();
  SealingTerms other = world_.terms();
  other.scales.tau_min = 3000;
  other.scales.cos_min = -10000;
  ASSERT_THAT(world_.publications->Bring(kScope, other, world_.Now()), IsOk());
  EXPECT_EQ(world_.Epoch()->view->header().scales, other.scales);
}

TEST_F(SealedList, AListWithoutEntriesIsNotSealedAndAnEmptiedOneEnds) {
  world_.Approve(1);
  world_.Bring();
  const Digest header = world_.Epoch()->header();
  ASSERT_THAT(Withdraw("r0"), IsOk());
  EXPECT_EQ(world_.Epoch()->view->slots().size(), 0U);
  EXPECT_TRUE(world_.Bring().changed);
  EXPECT_EQ(world_.Epoch(), nullptr);
  EXPECT_EQ(world_.Stored(header).end_reason, "empty");
  EXPECT_FALSE(world_.Bring().changed);
  EXPECT_THAT(world_.Files(), IsEmpty());
}

TEST_F(SealedList, RefusesWhatCannotBeSealed) {
  EXPECT_THAT(world_.TryBring(), FailsWith(ErrorCode::kNotFound));
  world_.Approve(2);
  SealingTerms terms = world_.terms();
  terms.scales.dimension = 256;
  EXPECT_THAT(world_.publications->Bring(kScope, terms, world_.Now()),
              FailsWith(ErrorCode::kInvalidArgument));
  terms = world_.terms();
  terms.scales.compared_bits = 8;
  EXPECT_THAT(world_.publications->Bring(kScope, terms, world_.Now()),
              FailsWith(ErrorCode::kInvalidArgument));
  terms = world_.terms();
  terms.max_age = {};
  EXPECT_THAT(world_.publications->Bring(kScope, terms, world_.Now()),
              FailsWith(ErrorCode::kInvalidArgument));
  ASSERT_THAT(world_.world.lists->Close(kSealedList, "over", "o"), IsOk());
  EXPECT_THAT(world_.TryBring(), FailsWith(ErrorCode::kConflict));
}

// The face that the quantiser's rotation turns into a single coordinate: it is clipped.
std::vector<float> Unquantisable() {
  const auto hadamard = [](std::vector<double>& v) {
    for (std::size_t stride = 1; stride < v.size(); stride *= 2) {
      for (std::size_t i = 0; i < v.size(); ++i) {
        if ((i & stride) != 0) continue;
        const double left = v[i];
        v[i] = left + v[i + stride];
        v[i + stride] = left - v[i + stride];
      }
    }
  };
  Bytes key = ToBytes("comity/sealed-v1/rotation");
  key.resize(32);
  std::vector<double> v(kSealedDimension);
  v[0] = 1;
  for (const std::uint64_t index : {2U, 1U}) {
    hadamard(v);
    Bytes signs(kSealedDimension / 8);
    hash::ExpandStream(key, 7, index, signs);
    for (std::size_t j = 0; j < v.size(); ++j) {
      v[j] *= (signs[j / 8] >> (j % 8) & 1) != 0 ? -1 : 1;
    }
  }
  std::vector<float> face;
  for (const double x : v) face.push_back(static_cast<float>(x / kSealedDimension));
  return face;
}

TEST_F(SealedList, NamesAnEntryThatCannotBeQuantisedAndKeepsWhatWasInForce) {
  auto later = Entry("crooked");
  later["valid_from"] = "2026-11-25T09:00:00Z";
  std::vector<float> rows = UnitRows(1, kSealedDimension, 5);
  const std::vector<float> crooked = Unquantisable();
  rows.insert(rows.end(), crooked.begin(), crooked.end());
  world_.Approve({Entry("a"), later}, rows);
  world_.Bring();
  const SealedEpochPtr before = world_.Epoch();
  const auto files = world_.Files();
  SetTime("2026-11-25T09:00:00Z");
  const auto brought = world_.TryBring();
  ASSERT_THAT(brought, FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(brought.error().detail, HasSubstr("crooked"));
  EXPECT_EQ(world_.Epoch(), before);
  EXPECT_EQ(world_.Files(), files);
}

TEST_F(SealedList, GivesPiecesOfBlocksThatAreInForceOnly) {
  world_.Approve(8);
  world_.Bring();
  const SealedEpochPtr epoch = world_.Epoch();
  const sealed::ListedBlock block = epoch->view->state().blocks[0];
  EXPECT_EQ(world_.Fetch(*epoch, block)->size(), sealed::EncodedBlockBytes(8, kSealedDimension));
  const auto read = [&](std::uint32_t number, const Digest& hash, std::uint64_t offset) {
    return world_.publications->ReadBlock(epoch->header(), number, hash, offset, 10);
  };
  const std::uint64_t size = sealed::EncodedBlockBytes(8, kSealedDimension);
  EXPECT_THAT(read(0, block.hash, size - 1)->size(), ::testing::Eq(1U));
  EXPECT_THAT(read(0, block.hash, size)->size(), ::testing::Eq(0U));
  EXPECT_THAT(read(0, block.hash, size + 1), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(read(0, block.hash, ~std::uint64_t{0}), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(read(1, block.hash, 0), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(read(0, Digest(), 0), FailsWith(ErrorCode::kNotFound));
}

TEST_F(SealedList, SealsManyEntriesIntoFullBlocks) {
  world_.Approve(2500);
  world_.Bring();
  const auto& blocks = world_.Epoch()->view->state().blocks;
  ASSERT_THAT(blocks, SizeIs(3));
  EXPECT_EQ(blocks[0].count, 1024U);
  EXPECT_EQ(blocks[2].count, 452U);
  EXPECT_THAT(world_.Sealed(), SizeIs(2500));
  EXPECT_THAT(world_.Search("r2499"), ElementsAre("r2499"));
  // Over the whole list, not block by block.
  const std::vector<std::string>& first = *world_.Epoch()->handles[0];
  EXPECT_TRUE(std::ranges::any_of(
      first, [](const std::string& reference) { return std::stoul(reference.substr(1)) > 1024; }));
  world_.Restart();
  EXPECT_THAT(world_.Search("r1200"), ElementsAre("r1200"));
}

}  // namespace
}  // namespace comity::watchlists
