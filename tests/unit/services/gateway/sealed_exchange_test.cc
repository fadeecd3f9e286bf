// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/sealed_exchange.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/gateway/federation/offsets_intake.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/services/gateway/holder_end.h"

namespace comity::gateway {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using matching::SealedHit;
using sealed::testing::Faces;
using sealed::testing::SampleList;
using testing::DigestOf;
using ::testing::ElementsAre;
using testing::HolderEnd;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr sealed::Scales kScales{
    .dimension = 128, .tau_min = 4000, .tau_max = 6000, .cos_min = -10000};

using Template = sealed::SecretArray<std::int8_t>;

Template Copy(std::span<const std::int8_t> entry) {
  Template copy(entry.size());
  std::ranges::copy(entry, copy.ExposeMutable().begin());
  return copy;
}

// Both ends over two lists, 20 entries and 30.
class SealedExchangeTest : public ::testing::Test {
 protected:
  SealedExchangeTest() : faces_(128, 3), first_(kScales, 1), second_(kScales, 2), random_(9) {
    nonce_.fill(0x11);
    first_.Seal(0, faces_.Templates(20));
    second_.Seal(0, faces_.Templates(30));
    holder_.emplace(std::vector<const SampleList*>{&first_, &second_}, nonce_);
  }

  Result<std::unique_ptr<SealedExchange>> Create(const v1::SealedOpened& opened) {
    return SealedExchange::Create({{first_.view(), second_.view()},
                                   HolderEnd::kTau,
                                   HolderEnd::kCap,
                                   nonce_,
                                   DigestOf(0x33),
                                   DigestOf(0x44),
                                   {},
                                   random_},
                                  opened);
  }
  void SetUp() override { exchange_ = *Create(holder_->Opened()); }

  void MakeReady() {
    for (const auto& part : holder_->Trees(exchange_->SetUp())) {
      ASSERT_THAT(exchange_->OnPart(part), IsOk());
    }
    ASSERT_THAT(exchange_->OnReady(holder_->Ready()), IsOk());
    for (std::size_t list = 0; list < 2; ++list) {
      for (const auto& part : holder_->Pads(list)) ASSERT_THAT(exchange_->OnPart(part), IsOk());
    }
  }

  // Sees a batch through; the holder goes on with `indices`.
  std::vector<matching::SealedOutcome> Search(const std::vector<Template>& templates,
                                              const std::vector<std::size_t>& indices) {
    const auto batch = exchange_->Begin(templates).value();
    exchange_->Prepare();
    const auto offsets = holder_->Begin(batch.message, indices);
    EXPECT_THAT(exchange_->Accept(indices), IsOk());
    std::map<std::size_t, std::vector<Bytes>> tables;
    for (const auto& one : offsets) {
      auto made = exchange_->OnOffsets(one.probe, one.list, one.octets).value();
      for (auto& table : made) {
        EXPECT_EQ(table.whole.size, table.octets.size());
        EXPECT_EQ(table.whole.probe, one.probe);
        tables[one.probe].push_back(std::move(table.octets));
      }
    }
    std::vector<matching::SealedOutcome> outcomes;
    for (std::size_t p = 0; p < indices.size(); ++p) {
      outcomes.push_back(holder_->Outcome(p, tables[indices[p]]));
    }
    return outcomes;
  }

  Faces faces_;
  SampleList first_;
  SampleList second_;
  sealed::testing::SeededRandom random_;
  std::array<std::uint8_t, 32> nonce_{};
  std::optional<HolderEnd> holder_;
  std::unique_ptr<SealedExchange> exchange_;
};

TEST_F(SealedExchangeTest, OneProbeFindsItsEntriesInEveryList) {
  MakeReady();
  const auto probe = second_.Entry(7);
  std::vector<Template> templates;
  templates.push_back(Copy(first_.Entry(3)));
  templates.push_back(Copy(probe));
  templates.push_back(Copy(faces_.Template()));
  const auto outcomes = Search(templates, {0, 1, 2});
  ASSERT_THAT(outcomes, SizeIs(3));
  EXPECT_THAT(outcomes[0].hits, ElementsAre(SealedHit{0, 3}));
  EXPECT_THAT(outcomes[1].hits, ElementsAre(SealedHit{1, 7}));
  EXPECT_THAT(outcomes[2].hits, IsEmpty());
  EXPECT_FALSE(outcomes[2].over_cap);
}

TEST_F(SealedExchangeTest, WhatTheHolderRefusesAtOnceTakesNoPads) {
  MakeReady();
  std::vector<Template> templates;
  for (std::uint32_t slot : {1U, 2U, 3U}) templates.push_back(Copy(first_.Entry(slot)));
  const auto outcomes = Search(templates, {1});
  EXPECT_THAT(outcomes[0].hits, ElementsAre(SealedHit{0, 2}));
  EXPECT_EQ(exchange_->pads_taken(), 30U);
}

TEST_F(SealedExchangeTest, ABatchThatIsRefusedAsAWholeUsesNothingUp) {
  MakeReady();
  std::vector<Template> templates;
  templates.push_back(Copy(first_.Entry(5)));
  const auto refused = exchange_->Begin(templates).value();
  for (std::size_t list = 0; list < 2; ++list) holder_->holder(list).SkipBatch();
  const auto outcomes = Search(templates, {0});
  EXPECT_THAT(outcomes[0].hits, ElementsAre(SealedHit{0, 5}));
  EXPECT_EQ(refused.message.batch(), 0U);
  EXPECT_EQ(exchange_->pads_taken(), 30U);
}

TEST_F(SealedExchangeTest, EveryProbeOfASessionHasANumberAndABlindingOfItsOwn) {
  MakeReady();
  std::vector<Template> templates;
  templates.push_back(Copy(first_.Entry(1)));
  templates.push_back(Copy(first_.Entry(1)));
  const auto batch = exchange_->Begin(templates).value();
  EXPECT_EQ(batch.message.probes(0).sequence(), 1U);
  EXPECT_EQ(batch.message.probes(1).sequence(), 2U);
  EXPECT_NE(batch.message.probes(0).blinded(0), batch.message.probes(1).blinded(0));
  EXPECT_NE(batch.message.probes(0).blinded(0), batch.message.probes(0).blinded(1));
  const auto again = exchange_->Begin(templates).value();
  EXPECT_EQ(again.message.probes(0).sequence(), 3U);
  EXPECT_NE(again.message.probes(0).blinded(0), batch.message.probes(0).blinded(0));
}

TEST_F(SealedExchangeTest, TheOpeningIsOfWhatWasSent) {
  MakeReady();
  std::vector<Template> templates;
  templates.push_back(Copy(second_.Entry(2)));
  const auto batch = exchange_->Begin(templates).value();
  const casework::HitOpening& opening = batch.openings[0];
  ASSERT_THAT(opening.lists, SizeIs(2));
  EXPECT_EQ(opening.lists[1].header, sealed::EncodeListHeader(second_.header()));
  const auto entry = second_.Entry(2);
  EXPECT_THAT(sealed::VerifyOpening(second_.view()->matrix(), entry, opening.lists[1].seed.Expose(),
                                    AsBytes(batch.message.probes(0).blinded(1))),
              IsOk());
  EXPECT_THAT(sealed::VerifyOpening(second_.view()->matrix(), second_.Entry(3),
                                    opening.lists[1].seed.Expose(),
                                    AsBytes(batch.message.probes(0).blinded(1))),
              FailsWith(ErrorCode::kCorrupt));
}

TEST_F(SealedExchangeTest, AListThatChangesIsSearchedAsItStands) {
  MakeReady();
  first_.Withdraw({4});
  const SealedLists lists{first_.view(), second_.view()};
  ASSERT_TRUE(exchange_->Covers(lists));
  ASSERT_THAT(exchange_->Update(lists), IsOk());
  ASSERT_THAT(holder_->holder(0).Update(first_.epoch(), 0), IsOk());
  std::vector<Template> templates;
  templates.push_back(Copy(first_.Entry(4)));
  EXPECT_THAT(Search(templates, {0})[0].hits, IsEmpty());
  EXPECT_FALSE(exchange_->Covers({first_.view()}));
}

TEST_F(SealedExchangeTest, AListWithNoEntryLeftIsServedWithItsNeighbour) {
  MakeReady();
  std::vector<std::uint32_t> all(20);
  for (std::uint32_t i = 0; i < 20; ++i) all[i] = i + 1;
  first_.Withdraw(all);
  ASSERT_THAT(exchange_->Update({first_.view(), second_.view()}), IsOk());
  ASSERT_THAT(holder_->holder(0).Update(first_.epoch(), 0), IsOk());
  std::vector<Template> templates;
  templates.push_back(Copy(second_.Entry(9)));
  const std::vector<std::size_t> indices{0};
  const auto batch = exchange_->Begin(templates).value();
  const auto offsets = holder_->Begin(batch.message, indices);
  ASSERT_THAT(exchange_->Accept(indices), IsOk());
  EXPECT_EQ(exchange_->OffsetSize(0), 0U);
  std::vector<Bytes> tables;
  auto made = exchange_->OnOffsets(0, 1, offsets[1].octets).value();
  for (auto& table : made) {
    tables.push_back(std::move(table.octets));
  }
  ASSERT_THAT(tables, SizeIs(2));
  EXPECT_THAT(holder_->Outcome(0, tables).hits, ElementsAre(SealedHit{1, 9}));
}

TEST_F(SealedExchangeTest, RefusesAnOpeningOfOtherTerms) {
  const auto with = [&](auto change) {
    v1::SealedOpened opened = holder_->Opened();
    change(opened);
    return Create(opened);
  };
  const auto refused = FailsWith(ErrorCode::kInvalidArgument);
  EXPECT_THAT(with([](auto& o) { o.set_cap(8); }), refused);
  EXPECT_THAT(with([](auto& o) { o.set_hit_opening(v1::HIT_OPENING_HOLDER); }), refused);
  EXPECT_THAT(with([](auto& o) { o.set_nonce("short"); }), refused);
  EXPECT_THAT(with([](auto& o) { o.mutable_offers()->RemoveLast(); }), refused);
  EXPECT_THAT(with([](auto& o) { o.set_offers(0, std::string(32, 0)); }), refused);
}

TEST_F(SealedExchangeTest, RefusesASessionOfOtherTermsThanItsOwn) {
  std::array<std::uint8_t, 32> other{};
  HolderEnd stranger({&first_, &second_}, other);
  for (const auto& part : holder_->Trees(exchange_->SetUp())) {
    ASSERT_THAT(exchange_->OnPart(part), IsOk());
  }
  EXPECT_THAT(exchange_->OnReady(stranger.Ready()), FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(SealedExchangeTest, TakesTreesOnceAndBeforeItIsReady) {
  const auto trees = holder_->Trees(exchange_->SetUp());
  EXPECT_THAT(exchange_->OnReady(holder_->Ready()), FailsWith(ErrorCode::kInvalidArgument));
  for (const auto& part : trees) ASSERT_THAT(exchange_->OnPart(part), IsOk());
  EXPECT_THAT(exchange_->OnPart(trees[0]), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(exchange_->OnPart(holder_->Pads(0)[0]), FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(SealedExchangeTest, AChangedPadMessageFailsTheCheck) {
  for (const auto& part : holder_->Trees(exchange_->SetUp())) {
    ASSERT_THAT(exchange_->OnPart(part), IsOk());
  }
  ASSERT_THAT(exchange_->OnReady(holder_->Ready()), IsOk());
  auto parts = holder_->Pads(0);
  (*parts.back().mutable_data()).back() ^= 1;
  Status taken;
  for (const auto& part : parts) taken = exchange_->OnPart(part);
  EXPECT_THAT(taken, FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(exchange_->OnPart(holder_->Pads(0)[0]), ::testing::Not(IsOk()));
}

TEST_F(SealedExchangeTest, RefusesPadsOutOfTurn) {
  MakeReady();
  holder_->Pads(0);
  EXPECT_THAT(exchange_->OnPart(holder_->Pads(0)[0]), FailsWith(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace comity::gateway
