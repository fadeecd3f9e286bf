// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "services/audit/events.h"
#include "services/runtime/file.h"
#include "services/watchlists/sealed_copies.h"
#include "tests/unit/services/watchlists/copies_world.h"

namespace comity::watchlists {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using comity::testing::IsOkAnd;
using ::testing::AllOf;
using ::testing::Contains;
using testing::CopiesWorld;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::SampleSealedList;
using ::testing::SizeIs;

class SealedCopiesLifeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    list_.AddBlock(2);
    list_.AddBlock(3);
  }
  Digest Header() const { return sealed::HeaderDigest(list_.header); }
  std::filesystem::path BlockFile(std::uint32_t number) const {
    const std::string begin = std::to_string(number) + "-";
    for (const auto& path : world_.Files()) {
      if (path.filename().string().starts_with(begin)) return path;
    }
    return {};
  }
  static void Flip(const std::filesystem::path& path, std::size_t at) {
    Bytes octets = runtime::ReadFile(path, 1 << 24).value();
    octets.at(at) ^= 1;
    ASSERT_THAT(runtime::WriteFile(path, octets, 0600), IsOk());
  }

  CopiesWorld world_;
  SampleSealedList list_ = world_.NewList();
};

TEST_F(SealedCopiesLifeTest, IsSearchedAfterARestart) {
  ASSERT_THAT(world_.Fetch(list_), IsOk());
  world_.Restart();
  const auto found = world_.Find(list_);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0]->header(), list_.header);
  EXPECT_EQ(sealed::EncodeSealedBlock(found[0]->blocks()[1]->block), list_.blocks.at(1));
  EXPECT_TRUE(world_.Check(list_)->complete);
  EXPECT_EQ(world_.agency.CountEvents(audit::kSealedListReceived), 1U);
}

TEST_F(SealedCopiesLifeTest, FilesAreReadByNobodyElse) {
  ASSERT_THAT(world_.Fetch(list_), IsOk());
  using std::filesystem::perms;
  const auto mode = [](const auto& path) { return std::filesystem::status(path).permissions(); };
  EXPECT_EQ(mode(world_.Folder()), perms::owner_all);
  for (const auto& path : world_.Files()) {
    EXPECT_EQ(mode(path), perms::owner_read | perms::owner_write) << path;
    EXPECT_EQ(mode(path.parent_path()), perms::owner_all) << path;
  }
}

TEST_F(SealedCopiesLifeTest, ADamagedBlockIsPutAsideAndWantedAgain) {
  ASSERT_THAT(world_.Fetch(list_), IsOk());
  const auto path = BlockFile(1);
  Flip(path, 100);
  world_.Restart();
  EXPECT_THAT(world_.Find(list_), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_TRUE(std::filesystem::exists(path.string() + ".damaged"));
  const auto offered = world_.Check(list_);
  ASSERT_THAT(offered, IsOk());
  EXPECT_THAT(offered->wanted, ElementsAre(list_.state.blocks[1]));
  ASSERT_THAT(world_.Fetch(list_), IsOk());
  EXPECT_EQ(world_.Searched(list_), 1U);
  EXPECT_FALSE(std::filesystem::exists(path.string() + ".damaged"));
}

TEST_F(SealedCopiesLifeTest, ATruncatedOrMissingBlockIsWantedAgain) {
  ASSERT_THAT(world_.Fetch(list_), IsOk());
  std::filesystem::resize_file(BlockFile(0), 500);
  std::filesystem::remove(BlockFile(1));
  world_.Restart();
  EXPECT_THAT(world_.Find(list_), IsEmpty());
  EXPECT_THAT(world_.Check(list_)->wanted, SizeIs(2));
  ASSERT_THAT(world_.Fetch(list_), IsOk());
  EXPECT_EQ(world_.Searched(list_), 1U);
}

TEST_F(SealedCopiesLifeTest, ABlockThatIsDamagedBeforeItIsSearchedIsFound) {
  const auto offered = world_.Check(list_);
  ASSERT_THAT(offered, IsOk());
  for (const auto& block : offered->wanted) {
    ASSERT_THAT(world_.FetchBlock(list_, offered->header, block), IsOk());
    ASSERT_THAT(world_.copies->Finish(*offered, block), IsOk());
  }
  Flip(BlockFile(0), 3500);
  EXPECT_THAT(world_.Complete(list_), FailsWith(ErrorCode::kCorrupt));
  EXPECT_EQ(world_.Searched(list_), 0U);
  EXPECT_THAT(world_.Fetch(list_), IsOk());
}

TEST_F(SealedCopiesLifeTest, ACopyOfAPartnerWhoseKeyIsNotAcceptedAnyMoreIsNotLoaded) {
  ASSERT_THAT(world_.Fetch(list_), IsOk());
  SystemRandom random;
  world_.key = sign::SigningKey::Generate(random).public_key();
  world_.Restart();
  EXPECT_THAT(world_.Find(list_), IsEmpty());
  world_.key.reset();
  world_.Restart();
  EXPECT_THAT(world_.Find(list_), IsEmpty());
  world_.key = list_.key.public_key();
  world_.Restart();
  EXPECT_EQ(world_.Searched(list_), 1U);
}

TEST_F(SealedCopiesLifeTest, LeftoversThatBelongToNothingAreRemoved) {
  const auto leftover = world_.Folder() / std::string(64, 'a');
  std::filesystem::create_directory(leftover);
  ASSERT_THAT(runtime::WriteFile(leftover / "0-0123456789abcdef", Bytes(10), 0600), IsOk());
  // One that says that it is another list.
  const auto false_name = world_.Folder() / std::string(64, 'b');
  std::filesystem::create_directory(false_name);
  ASSERT_THAT(runtime::WriteFile(false_name / "header", AsBytes(list_.HeaderEnvelope()), 0600),
              IsOk());
  const auto of_somebody_else = world_.Folder() / "notes.txt";
  ASSERT_THAT(runtime::WriteFile(of_somebody_else, Bytes(10), 0600), IsOk());
  world_.Restart();
  EXPECT_THAT(world_.Files(), ElementsAre(of_somebody_else));
}

TEST_F(SealedCopiesLifeTest, AnExpiredCopyIsErasedLoggedAndTold) {
  ASSERT_THAT(world_.Fetch(list_), IsOk());
  EXPECT_THAT(world_.Erase(), IsOkAnd(0U));
  world_.told.clear();
  world_.agency.clock.Advance(std::chrono::hours(1));
  EXPECT_THAT(world_.Find(list_), IsEmpty());
  EXPECT_THAT(world_.Erase(), IsOkAnd(1U));
  EXPECT_THAT(world_.told,
              ElementsAre(CopiesWorld::Told{"eastvale-council", Header(), std::nullopt}));
  EXPECT_EQ(world_.agency.CountEvents(audit::kSealedListErased), 1U);
  EXPECT_THAT(world_.Files(), IsEmpty());
  world_.Restart();
  EXPECT_THAT(world_.Erase(), IsOkAnd(0U));
  EXPECT_THAT(world_.told, SizeIs(1));
}

TEST_F(SealedCopiesLifeTest, ACopyThatExpiresWhileTheGatewayIsDownIsErasedAtItsNextStart) {
  ASSERT_THAT(world_.Fetch(list_), IsOk());
  world_.agency.clock.Advance(std::chrono::hours(2));
  world_.Restart();
  EXPECT_THAT(world_.Find(list_), IsEmpty());
  EXPECT_THAT(world_.Erase(), IsOkAnd(1U));
  EXPECT_THAT(world_.Files(), IsEmpty());
}

TEST_F(SealedCopiesLifeTest, CopiesOfAnAgreementVersionThatEndedAreErased) {
  ASSERT_THAT(world_.Fetch(list_), IsOk());
  const auto version = [](std::uint32_t ended) {
    return [=](const sealed::ListHeader& header) { return header.agreement_version == ended; };
  };
  EXPECT_THAT(world_.Erase(version(2)), IsOkAnd(0U));
  EXPECT_EQ(world_.Searched(list_), 1U);
  EXPECT_THAT(world_.Erase(version(1)), IsOkAnd(1U));
  EXPECT_EQ(world_.Searched(list_), 0U);
}

TEST_F(SealedCopiesLifeTest, AnEpochIsSupersededOnlyWhenTheNextIsWhole) {
  ASSERT_THAT(world_.Fetch(list_), IsOk());
  SampleSealedList next(world_.agency.own, world_.agency.clock.Now(), 2);
  world_.key = next.key.public_key();
  next.header.epoch = 2;
  next.AddBlock(4);
  ASSERT_THAT(world_.Check(next), IsOk());
  EXPECT_THAT(world_.Erase(), IsOkAnd(0U));
  EXPECT_EQ(world_.Find(list_).at(0)->header().epoch, 1U);
  ASSERT_THAT(world_.Fetch(next), IsOk());
  EXPECT_THAT(world_.Find(list_), SizeIs(1)) << "the later epoch only";
  EXPECT_EQ(world_.Find(list_).at(0)->header().epoch, 2U);
  world_.told.clear();
  EXPECT_THAT(world_.Erase(), IsOkAnd(1U));
  EXPECT_THAT(world_.told,
              ElementsAre(CopiesWorld::Told{"eastvale-council", Header(), std::nullopt}));
  EXPECT_EQ(world_.Find(list_).at(0)->header().epoch, 2U);
}

TEST_F(SealedCopiesLifeTest, AnUnfinishedCopyIsErasedWithoutAWord) {
  const auto offered = world_.Check(list_);
  ASSERT_THAT(offered, IsOk());
  ASSERT_THAT(world_.FetchBlock(list_, offered->header, offered->wanted[0]), IsOk());
  world_.Restart();
  world_.agency.clock.Advance(std::chrono::hours(1));
  EXPECT_THAT(world_.Erase(), IsOkAnd(0U));
  EXPECT_THAT(world_.Files(), IsEmpty());
  EXPECT_THAT(world_.told, IsEmpty());
  EXPECT_EQ(world_.agency.CountEvents(audit::kSealedListErased), 0U);
}

TEST_F(SealedCopiesLifeTest, AnErasureThatCannotBeToldIsTriedAgain) {
  ASSERT_THAT(world_.Fetch(list_), IsOk());
  world_.told.clear();
  world_.agency.clock.Advance(std::chrono::hours(1));
  world_.refuse_to_tell = true;
  EXPECT_THAT(world_.Erase(), FailsWith(ErrorCode::kUnavailable));
  EXPECT_THAT(world_.Files(), IsEmpty()) << "what must go goes at once";
  world_.Restart();
  world_.refuse_to_tell = false;
  EXPECT_THAT(world_.Erase(), IsOkAnd(1U));
  EXPECT_THAT(world_.told, SizeIs(1));
}

TEST_F(SealedCopiesLifeTest, ASearchThatRunsKeepsWhatItHas) {
  ASSERT_THAT(world_.Fetch(list_), IsOk());
  const auto view = world_.Find(list_).at(0);
  world_.agency.clock.Advance(std::chrono::hours(1));
  ASSERT_THAT(world_.Erase(), IsOkAnd(1U));
  EXPECT_EQ(sealed::EncodeSealedBlock(view->blocks()[0]->block), list_.blocks.at(0));
}

TEST_F(SealedCopiesLifeTest, ReadersAndErasersDoNotDisturbAFetch) {
  std::jthread reader([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      (void)world_.Find(list_);
      EXPECT_THAT(world_.Erase(), IsOkAnd(0U));
    }
  });
  for (std::uint64_t sequence = 1; sequence <= 10; ++sequence) {
    list_.state.sequence = sequence;
    list_.Reseal(1);
    ASSERT_THAT(world_.Fetch(list_), IsOk());
  }
}

}  // namespace
}  // namespace comity::watchlists
