// SPDX-License-Identifier: Apache-2.0
#include "services/store/sealed_list_store.h"

#include <gmock/gmock.h>

#include "tests/conformance/store_conformance.h"

namespace comity::store {
namespace {

using testing::FailsWith;
using ::testing::IsEmpty;
using testing::IsOk;
using ::testing::SizeIs;

SealedListRecord MakeSealedList(std::uint8_t header) {
  SealedListRecord list;
  list.header = MakeDigest(header);
  list.list = MakeId<policy::WatchlistId>("lantern");
  list.requester = MakeId<policy::AgencyId>("eastvale-council");
  list.agreement = MakeId<policy::AgreementId>("northshire-eastvale-2026");
  list.agreement_version = 3;
  list.agreement_sha256 = MakeDigest(9);
  list.purpose = MakeId<policy::PurposeCode>("court-order-arrest");
  list.epoch = 1'700'000'000;
  list.sealed_at = At(10);
  list.valid_until = At(20);
  list.sequence = 1;
  list.wrapped_key = Octets("key");
  list.sealed_header = Octets("header");
  list.sealed_state = Octets("state");
  return list;
}

SealedBlockRecord MakeSealedBlock(std::uint32_t number) {
  SealedBlockRecord block;
  block.number = number;
  block.hash = MakeDigest(static_cast<std::uint8_t>(100 + number));
  block.count = 1024;
  block.released = 3;
  block.resealed = 7;
  block.sealed_root = Octets("root");
  block.sealed_handles = Octets("handles");
  return block;
}

const auto kAddWithBlocks = [](Transaction& t) -> Status {
  COMITY_RETURN_IF_ERROR(t.sealed_lists().Add(MakeSealedList(1)));
  COMITY_RETURN_IF_ERROR(t.sealed_lists().PutBlock(MakeDigest(1), MakeSealedBlock(1023)));
  return t.sealed_lists().PutBlock(MakeDigest(1), MakeSealedBlock(0));
};

const auto kGetFirst = [](const Transaction& t) { return t.sealed_lists().Get(MakeDigest(1)); };
const auto kBlocksOfFirst = [](const Transaction& t) {
  return t.sealed_lists().Blocks(MakeDigest(1));
};

}  // namespace

TEST_P(SealedListStoreConformance, GivesBackEveryField) {
  ASSERT_THAT(Write(kAddWithBlocks), IsOk());
  Reopen();
  const auto list = Get(kGetFirst);
  ASSERT_THAT(list, IsOk());
  EXPECT_EQ(list->header, MakeDigest(1));
  EXPECT_EQ(list->list.text(), "lantern");
  EXPECT_EQ(list->requester.text(), "eastvale-council");
  EXPECT_EQ(list->agreement.text(), "northshire-eastvale-2026");
  EXPECT_EQ(list->agreement_version, 3U);
  EXPECT_EQ(list->agreement_sha256, MakeDigest(9));
  EXPECT_EQ(list->purpose.text(), "court-order-arrest");
  EXPECT_EQ(list->epoch, 1'700'000'000U);
  EXPECT_EQ(list->state, SealedListState::kInForce);
  EXPECT_EQ(list->sealed_at, At(10));
  EXPECT_EQ(list->valid_until, At(20));
  EXPECT_EQ(list->sequence, 1U);
  EXPECT_EQ(list->held_sequence, 0U);
  EXPECT_FALSE(list->held_at || list->erased_at || list->ended_at);
  EXPECT_EQ(list->wrapped_key, Octets("key"));
  EXPECT_EQ(list->sealed_header, Octets("header"));
  EXPECT_EQ(list->sealed_state, Octets("state"));
}

TEST_P(SealedListStoreConformance, GivesBackBlocksByNumber) {
  ASSERT_THAT(Write(kAddWithBlocks), IsOk());
  Reopen();
  const auto blocks = Get(kBlocksOfFirst);
  ASSERT_THAT(*blocks, SizeIs(2));
  EXPECT_EQ(blocks->at(0).number, 0U);
  const SealedBlockRecord& last = blocks->at(1);
  EXPECT_EQ(last.number, 1023U);
  EXPECT_EQ(last.hash, MakeSealedBlock(1023).hash);
  EXPECT_EQ(last.count, 1024U);
  EXPECT_EQ(last.released, 3U);
  EXPECT_EQ(last.resealed, 7U);
  EXPECT_EQ(last.sealed_root, Octets("root"));
  EXPECT_EQ(last.sealed_handles, Octets("handles"));
}

TEST_P(SealedListStoreConformance, ReplacesABlockUnderItsNumber) {
  ASSERT_THAT(Write(kAddWithBlocks), IsOk());
  SealedBlockRecord other = MakeSealedBlock(0);
  other.hash = MakeDigest(50);
  other.released = 0;
  ASSERT_THAT(
      Write([&](Transaction& t) { return t.sealed_lists().PutBlock(MakeDigest(1), other); }),
      IsOk());
  const auto blocks = Get(kBlocksOfFirst);
  ASSERT_THAT(*blocks, SizeIs(2));
  EXPECT_EQ(blocks->at(0).hash, MakeDigest(50));
  EXPECT_EQ(blocks->at(0).released, 0U);
}

TEST_P(SealedListStoreConformance, CountsWhatWasReleasedOfEachBlock) {
  ASSERT_THAT(Write(kAddWithBlocks), IsOk());
  ASSERT_THAT(
      Write([](Transaction& t) { return t.sealed_lists().SetReleased(MakeDigest(1), 1023, 8); }),
      IsOk());
  Reopen();
  const auto released =
      Get([](const Transaction& t) { return t.sealed_lists().Released(MakeDigest(1)); });
  ASSERT_THAT(*released, SizeIs(2));
  EXPECT_EQ(released->at(0).released, 3U);
  EXPECT_EQ(released->at(1).number, 1023U);
  EXPECT_EQ(released->at(1).released, 8U);
  EXPECT_EQ(released->at(1).resealed, 7U);
}

TEST_P(SealedListStoreConformance, TakesHigherSequencesOnly) {
  ASSERT_THAT(Write(kAddWithBlocks), IsOk());
  const auto change = [&](std::uint64_t sequence) {
    return Write([sequence](Transaction& t) {
      return t.sealed_lists().ChangeState(MakeDigest(1), sequence, AsBytes("later"));
    });
  };
  EXPECT_THAT(change(1), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(change(2), IsOk());
  EXPECT_THAT(change(2), FailsWith(ErrorCode::kConflict));
  const auto list = Get(kGetFirst);
  EXPECT_EQ(list->sequence, 2U);
  EXPECT_EQ(list->sealed_state, Octets("later"));
}

TEST_P(SealedListStoreConformance, EndingDestroysKeyContentAndBlocksOnce) {
  ASSERT_THAT(Write(kAddWithBlocks), IsOk());
  const Work end = [](Transaction& t) {
    return t.sealed_lists().End(MakeDigest(1), "shredded", At(15));
  };
  ASSERT_THAT(Write(end), IsOk());
  EXPECT_THAT(Write(end), FailsWith(ErrorCode::kConflict));
  const auto list = Get(kGetFirst);
  EXPECT_EQ(list->state, SealedListState::kEnded);
  EXPECT_EQ(list->ended_at, At(15));
  EXPECT_EQ(list->end_reason, "shredded");
  EXPECT_THAT(list->wrapped_key, IsEmpty());
  EXPECT_THAT(list->sealed_header, IsEmpty());
  EXPECT_THAT(list->sealed_state, IsEmpty());
  EXPECT_THAT(*Get(kBlocksOfFirst), IsEmpty());
  EXPECT_THAT(Write([](Transaction& t) {
                return t.sealed_lists().ChangeState(MakeDigest(1), 9, AsBytes("state"));
              }),
              FailsWith(ErrorCode::kConflict));
}

TEST_P(SealedListStoreConformance, SupersedesWhatIsInForceOnly) {
  ASSERT_THAT(Write(kAddWithBlocks), IsOk());
  const Work supersede = [](Transaction& t) { return t.sealed_lists().Supersede(MakeDigest(1)); };
  ASSERT_THAT(Write(supersede), IsOk());
  EXPECT_THAT(Write(supersede), FailsWith(ErrorCode::kConflict));
  EXPECT_EQ(Get(kGetFirst)->state, SealedListState::kSuperseded);
}

TEST_P(SealedListStoreConformance, KeepsTheNewestThatThePartnerHolds) {
  ASSERT_THAT(Write(kAddWithBlocks), IsOk());
  for (const auto& [sequence, at] : {std::pair{5, 11}, std::pair{4, 12}}) {
    ASSERT_THAT(Write([&](Transaction& t) {
                  return t.sealed_lists().NoteHeld(MakeDigest(1),
                                                   static_cast<std::uint64_t>(sequence), At(at));
                }),
                IsOk());
  }
  ASSERT_THAT(
      Write([](Transaction& t) { return t.sealed_lists().NoteErased(MakeDigest(1), At(13)); }),
      IsOk());
  const auto list = Get(kGetFirst);
  EXPECT_EQ(list->held_sequence, 5U);
  EXPECT_EQ(list->held_at, At(12));
  EXPECT_EQ(list->erased_at, At(13));
}

TEST_P(SealedListStoreConformance, ForgetsOnlyWhatEndedBefore) {
  ASSERT_THAT(Write([](Transaction& t) -> Status {
                for (std::uint8_t header = 1; header <= 3; ++header) {
                  COMITY_RETURN_IF_ERROR(t.sealed_lists().Add(MakeSealedList(header)));
                }
                COMITY_RETURN_IF_ERROR(t.sealed_lists().End(MakeDigest(1), "over", At(10)));
                return t.sealed_lists().End(MakeDigest(2), "over", At(20));
              }),
              IsOk());
  std::uint64_t forgotten = 0;
  ASSERT_THAT(Write([&](Transaction& t) -> Status {
                COMITY_ASSIGN_OR_RETURN(forgotten, t.sealed_lists().Forget(At(20)));
                return {};
              }),
              IsOk());
  EXPECT_EQ(forgotten, 1U);
  const auto left = Get([](const Transaction& t) { return t.sealed_lists().All(); });
  ASSERT_THAT(*left, SizeIs(2));
  EXPECT_EQ(left->at(0).header, MakeDigest(2));
  EXPECT_EQ(left->at(1).header, MakeDigest(3));
}

TEST_P(SealedListStoreConformance, NamesWhatIsNotThereAndWhatIsThereTwice) {
  ASSERT_THAT(Write(kAddWithBlocks), IsOk());
  const Digest none = MakeDigest(77);
  const auto fails = [&](ErrorCode code, const Work& work) {
    EXPECT_THAT(Write(work), FailsWith(code));
  };
  fails(ErrorCode::kConflict, [](auto& t) { return t.sealed_lists().Add(MakeSealedList(1)); });
  using enum ErrorCode;
  fails(kNotFound, [&](auto& t) { return t.sealed_lists().PutBlock(none, MakeSealedBlock(1)); });
  fails(kNotFound, [&](auto& t) { return t.sealed_lists().ChangeState(none, 2, {}); });
  fails(kNotFound, [&](auto& t) { return t.sealed_lists().Supersede(none); });
  fails(kNotFound, [&](auto& t) { return t.sealed_lists().End(none, "x", At(1)); });
  fails(kNotFound, [&](auto& t) { return t.sealed_lists().NoteHeld(none, 1, At(1)); });
  fails(kNotFound, [&](auto& t) { return t.sealed_lists().NoteErased(none, At(1)); });
  fails(kNotFound, [&](auto& t) { return t.sealed_lists().RemoveBlock(MakeDigest(1), 5); });
  fails(kNotFound, [&](auto& t) { return t.sealed_lists().SetReleased(MakeDigest(1), 5, 1); });
  EXPECT_THAT(Get([&](const Transaction& t) { return t.sealed_lists().Get(none); }),
              FailsWith(kNotFound));
}

}  // namespace comity::store
