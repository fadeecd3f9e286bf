// SPDX-License-Identifier: Apache-2.0
#include "services/watchlists/sealed_copies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>

#include "services/audit/events.h"
#include "tests/unit/services/watchlists/copies_world.h"

namespace comity::watchlists {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using testing::CopiesWorld;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::SampleSealedList;
using ::testing::SizeIs;

class SealedCopiesTest : public ::testing::Test {
 protected:
  CopiesWorld world_;
  SampleSealedList list_ = world_.NewList();
};

TEST_F(SealedCopiesTest, AFetchedListIsSearchedOctetForOctet) {
  list_.AddBlock(3);
  list_.AddBlock(1);
  ASSERT_THAT(world_.Fetch(list_), IsOk());
  const auto found = world_.Find(list_);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0]->header(), list_.header);
  EXPECT_EQ(found[0]->slot_count(), 4U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(sealed::EncodeSealedBlock(found[0]->blocks()[i]->block),
              list_.blocks.at(static_cast<std::uint32_t>(i)));
  }
}

TEST_F(SealedCopiesTest, NothingIsSearchedBeforeEveryBlockIsThere) {
  list_.AddBlock(3);
  list_.AddBlock(1);
  const auto offered = world_.Check(list_);
  ASSERT_THAT(offered, IsOk());
  EXPECT_FALSE(offered->complete);
  EXPECT_EQ(offered->sequence, 1U);
  EXPECT_EQ(offered->terms, list_.header);
  EXPECT_EQ(offered->wanted, list_.state.blocks);
  ASSERT_THAT(world_.FetchBlock(list_, offered->header, offered->wanted[0]), IsOk());
  ASSERT_THAT(world_.copies->Finish(*offered, offered->wanted[0]), IsOk());
  EXPECT_THAT(world_.Complete(list_), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(world_.Find(list_), IsEmpty());
  EXPECT_THAT(world_.told, IsEmpty());
  EXPECT_EQ(world_.agency.CountEvents(audit::kSealedListReceived), 0U);
}

TEST_F(SealedCopiesTest, ACompleteListIsLoggedAndToldOnce) {
  list_.AddBlock(2);
  ASSERT_THAT(world_.Fetch(list_), IsOk());
  ASSERT_THAT(world_.Fetch(list_), IsOk());
  const Digest header = sealed::HeaderDigest(list_.header);
  EXPECT_THAT(world_.told, ElementsAre(CopiesWorld::Told{"eastvale-council", header, 1}));
  EXPECT_EQ(world_.agency.CountEvents(audit::kSealedListReceived), 1U);
  const auto again = world_.Check(list_);
  ASSERT_THAT(again, IsOk());
  EXPECT_TRUE(again->complete);
}

TEST_F(SealedCopiesTest, WhatCannotBeToldIsNotSearched) {
  list_.AddBlock(2);
  world_.refuse_to_tell = true;
  EXPECT_THAT(world_.Fetch(list_), FailsWith(ErrorCode::kUnavailable));
  EXPECT_EQ(world_.Searched(list_), 0U);
  EXPECT_EQ(world_.agency.CountEvents(audit::kSealedListReceived), 0U);
  world_.refuse_to_tell = false;
  ASSERT_THAT(world_.Complete(list_), IsOk());
  EXPECT_EQ(world_.Searched(list_), 1U);
}

TEST_F(SealedCopiesTest, AnEmptySearchSetIsStillACopy) {
  list_.AddBlock(2);
  list_.state.withdrawn = {1, 2};
  ASSERT_THAT(world_.Fetch(list_), IsOk());
  EXPECT_EQ(world_.Find(list_).at(0)->slot_count(), 0U);
}

TEST_F(SealedCopiesTest, ANewStateWantsOnlyWhatIsNewAndSharesTheRest) {
  list_.AddBlock(3);
  list_.AddBlock(3);
  ASSERT_THAT(world_.Fetch(list_), IsOk());
  const auto before = world_.Find(list_).at(0);
  list_.state.sequence = 5;
  list_.state.withdrawn = {1};
  list_.Reseal(1);
  list_.AddBlock(1);
  const auto offered = world_.Check(list_);
  ASSERT_THAT(offered, IsOk());
  EXPECT_THAT(offered->wanted, ElementsAre(list_.state.blocks[1], list_.state.blocks[2]));
  ASSERT_THAT(world_.Fetch(list_), IsOk());
  const auto after = world_.Find(list_).at(0);
  EXPECT_EQ(after->state().sequence, 5U);
  EXPECT_EQ(after->slot_count(), 6U);
  EXPECT_EQ(after->blocks()[0], before->blocks()[0]);
  EXPECT_NE(after->blocks()[1], before->blocks()[1]);
  EXPECT_EQ(&after->matrix(), &before->matrix());
  EXPECT_EQ(before->state().sequence, 1U) << "a search that runs goes on with what it has";
}

TEST_F(SealedCopiesTest, BlocksThatAreNotInTheStateAreRemoved) {
  list_.AddBlock(3);
  list_.AddBlock(3);
  ASSERT_THAT(world_.Fetch(list_), IsOk());
  const auto before = world_.Files();
  ASSERT_THAT(before, SizeIs(3));  // header and two blocks
  list_.state.sequence = 2;
  list_.Reseal(1);
  ASSERT_THAT(world_.Fetch(list_), IsOk());
  const auto after = world_.Files();
  EXPECT_THAT(after, SizeIs(3));
  EXPECT_NE(after, before);
}

TEST_F(SealedCopiesTest, AFetchGoesOnAfterABreakAtAnyOctet) {
  list_.AddBlock(1);
  const std::size_t size = list_.blocks.at(0).size();
  for (const std::size_t at : {std::size_t{0}, std::size_t{1}, std::size_t{11}, std::size_t{12},
                               std::size_t{3083}, std::size_t{3084}, size - 1, size}) {
    CopiesWorld world;
    world.key = list_.key.public_key();
    const auto offered = world.Check(list_);
    ASSERT_THAT(offered, IsOk());
    const sealed::ListedBlock& block = offered->wanted.at(0);
    const ByteView octets = list_.blocks.at(0);
    ASSERT_THAT(world.copies->Append(offered->header, block, 0, octets.first(at)), IsOk());
    world.Restart();
    EXPECT_EQ(world.copies->Resume(offered->header, block), at);
    ASSERT_THAT(world.Fetch(list_), IsOk()) << "broken off after " << at;
    EXPECT_EQ(world.Searched(list_), 1U);
  }
}

TEST_F(SealedCopiesTest, TakesTheNextOctetsOnly) {
  list_.AddBlock(1);
  const auto offered = world_.Check(list_);
  ASSERT_THAT(offered, IsOk());
  const sealed::ListedBlock& block = offered->wanted.at(0);
  const ByteView octets = list_.blocks.at(0);
  const auto append = [&](std::uint64_t offset, ByteView piece) {
    return world_.copies->Append(offered->header, block, offset, piece);
  };
  EXPECT_THAT(append(1, octets.first(5)), FailsWith(ErrorCode::kInvalidArgument));
  ASSERT_THAT(append(0, octets.first(5)), IsOk());
  EXPECT_THAT(append(0, octets.first(5)), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(append(6, octets.subspan(6)), FailsWith(ErrorCode::kInvalidArgument));
  Bytes too_many = ToBytes(octets.subspan(5));
  too_many.push_back(0);
  EXPECT_THAT(append(5, too_many), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_EQ(world_.copies->Resume(offered->header, block), 5U);
  EXPECT_THAT(world_.copies->Finish(*offered, block), FailsWith(ErrorCode::kConflict));
  ASSERT_THAT(append(5, octets.subspan(5)), IsOk());
  EXPECT_THAT(world_.copies->Finish(*offered, block), IsOk());
}

TEST_F(SealedCopiesTest, ThrowsABlockOfAnotherHashAway) {
  list_.AddBlock(2);
  const Bytes good = list_.blocks.at(0);
  // The block's number, its count, its dimension, p, its first and its last row.
  for (const std::size_t at : {std::size_t{0}, std::size_t{4}, std::size_t{8}, std::size_t{12},
                               std::size_t{3084}, good.size() - 1}) {
    list_.blocks.at(0)[at] ^= 1;
    EXPECT_THAT(world_.Fetch(list_), FailsWith(ErrorCode::kCorrupt)) << at;
    const Digest header = sealed::HeaderDigest(list_.header);
    EXPECT_EQ(world_.copies->Resume(header, list_.state.blocks[0]), 0U);
    list_.blocks.at(0) = good;
  }
  EXPECT_THAT(world_.Fetch(list_), IsOk());
}

TEST_F(SealedCopiesTest, ABlockIsOfNoUseInThePlaceOfAnother) {
  list_.AddBlock(2);
  list_.AddBlock(2);
  std::swap(list_.blocks.at(0), list_.blocks.at(1));
  EXPECT_THAT(world_.Fetch(list_), FailsWith(ErrorCode::kCorrupt));
  EXPECT_EQ(world_.Searched(list_), 0U);
}

TEST_F(SealedCopiesTest, FilesThatAreSwappedOnTheDiskAreNotSearched) {
  list_.AddBlock(2);
  list_.AddBlock(2);
  ASSERT_THAT(world_.Fetch(list_), IsOk());
  const auto files = world_.Files();
  const auto aside = world_.Folder() / "aside";
  std::filesystem::rename(files[0], aside);
  std::filesystem::rename(files[1], files[0]);
  std::filesystem::rename(aside, files[1]);
  world_.Restart();
  EXPECT_EQ(world_.Searched(list_), 0U);
  EXPECT_THAT(world_.Fetch(list_), IsOk());
}

TEST_F(SealedCopiesTest, AppendsNothingForAListThatWasNotChecked) {
  list_.AddBlock(1);
  const Digest header = sealed::HeaderDigest(list_.header);
  const sealed::ListedBlock& block = list_.state.blocks[0];
  EXPECT_THAT(world_.copies->Append(header, block, 0, list_.blocks.at(0)),
              FailsWith(ErrorCode::kNotFound));
  EXPECT_EQ(world_.copies->Resume(header, block), 0U);
  EXPECT_THAT(world_.Files(), IsEmpty());
}

TEST_F(SealedCopiesTest, KeepsNothingOfAPieceForWhichTheDiskHasNoRoom) {
  list_.AddBlock(1000);
  const auto offered = world_.Check(list_);
  ASSERT_THAT(offered, IsOk());
  const sealed::ListedBlock& block = offered->wanted.at(0);
  const ByteView octets = list_.blocks.at(0);
  ASSERT_THAT(world_.copies->Append(offered->header, block, 0, octets.first(1000)), IsOk());
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit old_limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old_limit), 0);
  const rlimit limit{100'000, old_limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  const Status appended = world_.copies->Append(offered->header, block, 1000, octets.subspan(1000));
  ::setrlimit(RLIMIT_FSIZE, &old_limit);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_THAT(appended, FailsWith(ErrorCode::kUnavailable));
  EXPECT_EQ(world_.copies->Resume(offered->header, block), 1000U);
  EXPECT_THAT(world_.Fetch(list_), IsOk());
}

TEST_F(SealedCopiesTest, FindsByAgreementPurposeEngineAndTime) {
  list_.AddBlock(1);
  ASSERT_THAT(world_.Fetch(list_), IsOk());
  const policy::AgreementRef agreement{policy::AgreementId::Parse(list_.header.agreement).value(),
                                       1, list_.header.agreement_sha256};
  const auto purpose = policy::PurposeCode::Parse(list_.header.purpose).value();
  const policy::EngineProfile engine{"facenet", "1.0", SampleSealedList::kDimension};
  const auto now = world_.agency.clock.Now();
  const auto find = [&](const auto& who, const auto& under, const auto& why, const auto& by,
                        policy::Instant when) {
    return world_.copies->Find(who, under, why, by, when).size();
  };
  EXPECT_EQ(find(world_.holder, agreement, purpose, engine, now), 1U);
  EXPECT_EQ(find(world_.agency.own, agreement, purpose, engine, now), 0U);
  auto other = agreement;
  other.version = 2;
  EXPECT_EQ(find(world_.holder, other, purpose, engine, now), 0U);
  other = agreement;
  other.sha256.bytes[0] ^= 1;
  EXPECT_EQ(find(world_.holder, other, purpose, engine, now), 0U);
  EXPECT_EQ(
      find(world_.holder, agreement, policy::PurposeCode::Parse("theft").value(), engine, now), 0U);
  for (const policy::EngineProfile& wrong :
       {policy::EngineProfile{"arcface", "1.0", 128}, policy::EngineProfile{"facenet", "1.1", 128},
        policy::EngineProfile{"facenet", "1.0", 256}}) {
    EXPECT_EQ(find(world_.holder, agreement, purpose, wrong, now), 0U);
  }
  const auto last = now + std::chrono::hours(1);
  EXPECT_EQ(find(world_.holder, agreement, purpose, engine, last - std::chrono::seconds(1)), 1U);
  EXPECT_EQ(find(world_.holder, agreement, purpose, engine, last), 0U);
}

}  // namespace
}  // namespace comity::watchlists
