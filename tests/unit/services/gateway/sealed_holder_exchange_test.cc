// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/sealed_holder_exchange.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <deque>

#include "services/gateway/federation/sealed_exchange.h"
#include "services/matching/sealed/holder_round.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/crypto/sealed/sample_list.h"

namespace comity::gateway {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using matching::SealedHit;
using sealed::testing::Faces;
using sealed::testing::SampleList;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr sealed::Scales kScales{
    .dimension = 128, .tau_min = 4000, .tau_max = 6000, .cos_min = -10000};
constexpr std::int32_t kTau = 5000;
constexpr std::uint32_t kCap = 3;

constexpr std::array<std::size_t, 1> kFirst{0};

using Template = sealed::SecretArray<std::int8_t>;
using Outcomes = std::vector<matching::SealedOutcome>;

Digest Filled(std::uint8_t octet) {
  Digest digest;
  digest.bytes.fill(octet);
  return digest;
}

// Both real ends of a session over two lists, 20 entries and 30, joined by queues.
class SealedEnds : public ::testing::Test {
 protected:
  SealedEnds() : faces_(128, 3), first_(kScales, 1), second_(kScales, 2) {
    first_.Seal(0, faces_.Templates(20));
    second_.Seal(0, faces_.Templates(30));
  }

  void SetUp() override {
    SealedHolderExchange::Setup setup{{first_.epoch(), second_.epoch()}, {}, {}, holder_random_};
    setup.terms.tau = kTau;
    setup.terms.cap = kCap;
    setup.terms.requester_nonce.fill(0x11);
    setup.terms.holder_nonce.fill(0x22);
    setup.terms.requester_certificate = Filled(0x33);
    setup.terms.holder_certificate = Filled(0x44);
    holder_ = *SealedHolderExchange::Create(std::move(setup));
    v1::SealedOpened opened;
    holder_->FillOpened(opened);
    std::array<std::uint8_t, 32> nonce{};
    nonce.fill(0x11);
    requester_ = *SealedExchange::Create({.lists = {first_.view(), second_.view()},
                                          .tau = kTau,
                                          .cap = kCap,
                                          .nonce = nonce,
                                          .own_certificate = Filled(0x33),
                                          .holder_certificate = Filled(0x44),
                                          .kernels = {},
                                          .random = requester_random_},
                                         opened);
  }

  SealedHolderExchange::Send ToRequester() {
    return [this](const v1::SealedMessage& message) {
      const v1::SealedPart& part = message.part();
      if (part.kind() == v1::SealedPart::KIND_OFFSETS) {
        offsets_.push_back(part);
      } else {
        EXPECT_THAT(requester_->OnPart(part), IsOk());
      }
      return listens_;
    };
  }
  void MakeReady() {
    ASSERT_THAT(holder_->OnSetUp(requester_->SetUp(), ToRequester()), IsOk());
    v1::SealedReady ready;
    holder_->FillReady(ready);
    ASSERT_THAT(requester_->OnReady(ready), IsOk());
    ASSERT_THAT(holder_->SendPads(1, ToRequester()), IsOk());
  }

  SealedExchange::Batch Ask(std::size_t count) {
    std::vector<Template> templates;
    for (std::size_t i = 0; i < count; ++i) {
      const SampleList& list = i % 2 == 0 ? first_ : second_;
      const auto entry = list.Entry(static_cast<std::uint32_t>(i + 1));
      Template& copy = templates.emplace_back(entry.size());
      std::ranges::copy(entry, copy.ExposeMutable().begin());
    }
    auto batch = requester_->Begin(templates);
    EXPECT_THAT(batch, IsOk());
    return *std::move(batch);
  }
  // The requester's tables for all offsets that came.
  std::vector<v1::SealedPart> Tables() {
    std::vector<v1::SealedPart> parts;
    for (const v1::SealedPart& part : std::exchange(offsets_, {})) {
      auto made = requester_->OnOffsets(part.probe(), part.list(), AsBytes(part.data()));
      EXPECT_THAT(made, IsOk());
      for (const auto& table : *made) {
        SendParts(table.whole, table.octets, [&](const v1::SealedMessage& message) {
          parts.push_back(message.part());
          return true;
        });
      }
    }
    return parts;
  }
  Outcomes Compare(const SealedExchange::Batch& batch, const std::vector<std::size_t>& accepted) {
    EXPECT_THAT(holder_->Begin(batch.message, accepted, ToRequester()), IsOk());
    EXPECT_THAT(requester_->Accept(accepted), IsOk());
    Outcomes outcomes;
    for (const v1::SealedPart& part : Tables()) {
      auto outcome = holder_->OnTables(part);
      EXPECT_THAT(outcome, IsOk());
      if (outcome && *outcome) outcomes.push_back(**outcome);
    }
    return outcomes;
  }

  Faces faces_;
  SampleList first_;
  SampleList second_;
  sealed::testing::SeededRandom holder_random_{7};
  sealed::testing::SeededRandom requester_random_{9};
  std::unique_ptr<SealedHolderExchange> holder_;
  std::unique_ptr<SealedExchange> requester_;
  std::deque<v1::SealedPart> offsets_;
  bool listens_ = true;
};

TEST_F(SealedEnds, FindWhatIsOnEitherList) {
  MakeReady();
  const auto batch = Ask(3);
  const Outcomes outcomes = Compare(batch, {0, 1, 2});
  ASSERT_THAT(outcomes, SizeIs(3));
  EXPECT_THAT(outcomes[0].hits, ElementsAre(SealedHit{0, 1}));
  EXPECT_THAT(outcomes[1].hits, ElementsAre(SealedHit{1, 2}));
  EXPECT_THAT(outcomes[2].hits, ElementsAre(SealedHit{0, 3}));
  EXPECT_FALSE(holder_->is_comparing());
}

TEST_F(SealedEnds, CompareOnlyWhatTheHolderGoesOnWith) {
  MakeReady();
  const auto batch = Ask(3);
  const Outcomes outcomes = Compare(batch, {1});
  ASSERT_THAT(outcomes, SizeIs(1));
  EXPECT_THAT(outcomes[0].hits, ElementsAre(SealedHit{1, 2}));
}

TEST_F(SealedEnds, StayInStepOverSkippedBatches) {
  MakeReady();
  static_cast<void>(Ask(2));
  holder_->Skip();
  const auto batch = Ask(1);
  EXPECT_EQ(holder_->next_batch(), batch.message.batch());
  EXPECT_THAT(Compare(batch, {0}), SizeIs(1));
}

TEST_F(SealedEnds, GoOnAtAnotherStateWhenBothHaveIt) {
  MakeReady();
  static_cast<void>(Ask(1));
  second_.Withdraw({4});
  ASSERT_THAT(holder_->Update({first_.epoch(), second_.epoch()}), IsOk());
  holder_->Skip();
  ASSERT_THAT(requester_->Update({first_.view(), second_.view()}), IsOk());
  EXPECT_THAT(Compare(Ask(1), {0}), SizeIs(1));
}

TEST_F(SealedEnds, EndWhenABatchIsBoundToAnotherState) {
  MakeReady();
  const auto batch = Ask(1);
  second_.Withdraw({4});
  ASSERT_THAT(holder_->Update({first_.epoch(), second_.epoch()}), IsOk());
  EXPECT_THAT(holder_->Begin(batch.message, kFirst, ToRequester()),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(offsets_, IsEmpty());
}

// At one state only what each side has counted is left to differ, and nothing would mend that.
TEST_F(SealedEnds, EndWhenTheyHaveCountedDifferently) {
  MakeReady();
  static_cast<void>(Ask(1));  // the holder never hears of it
  const auto batch = Ask(1);
  EXPECT_THAT(holder_->Begin(batch.message, kFirst, ToRequester()),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(offsets_, IsEmpty());
}

TEST_F(SealedEnds, EndWhenOneBindingOfABatchIsAnother) {
  MakeReady();
  auto batch = Ask(1);
  (*batch.message.mutable_bindings(1))[0] ^= 1;
  EXPECT_THAT(holder_->Begin(batch.message, kFirst, ToRequester()),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(offsets_, IsEmpty());
}

TEST_F(SealedEnds, MakePadsForAsLongAsTheyAreAsked) {
  MakeReady();
  for (int i = 0; i < 40; ++i) {
    ASSERT_THAT(Compare(Ask(8), {0, 1, 2, 3, 4, 5, 6, 7}), SizeIs(8));
  }
}

TEST_F(SealedEnds, RefuseOtherSessionTerms) {
  v1::SealedSetUp set_up = requester_->SetUp();
  (*set_up.mutable_lists(1)->mutable_sid())[0] ^= 1;
  EXPECT_THAT(holder_->OnSetUp(set_up, ToRequester()), FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(SealedEnds, RefuseBaseOtsOfAnotherNumber) {
  v1::SealedSetUp set_up = requester_->SetUp();
  set_up.mutable_lists()->RemoveLast();
  EXPECT_THAT(holder_->OnSetUp(set_up, ToRequester()), FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(SealedEnds, RefuseTablesThatNobodyAskedFor) {
  MakeReady();
  EXPECT_THAT(holder_->OnTables({}), FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(SealedEnds, RefuseTablesOutOfOrderOrOfAnotherSize) {
  MakeReady();
  const auto batch = Ask(2);
  ASSERT_THAT(holder_->Begin(batch.message, std::vector<std::size_t>{0, 1}, ToRequester()), IsOk());
  ASSERT_THAT(requester_->Accept(std::vector<std::size_t>{0, 1}), IsOk());
  const auto parts = Tables();
  ASSERT_THAT(parts, SizeIs(4));
  EXPECT_THAT(holder_->OnTables(parts[1]), FailsWith(ErrorCode::kInvalidArgument));
  v1::SealedPart large = parts[0];
  large.set_size(large.size() + 8);
  EXPECT_THAT(holder_->OnTables(large), FailsWith(ErrorCode::kInvalidArgument));
  v1::SealedPart elsewhere = parts[0];
  (*elsewhere.mutable_binding())[5] ^= 1;
  EXPECT_THAT(holder_->OnTables(elsewhere), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(holder_->OnTables(parts[0]), IsOk());
}

TEST_F(SealedEnds, ACraftedSketchIsOverTheCap) {
  MakeReady();
  const auto batch = Ask(1);
  ASSERT_THAT(holder_->Begin(batch.message, std::vector<std::size_t>{0}, ToRequester()), IsOk());
  ASSERT_THAT(requester_->Accept(std::vector<std::size_t>{0}), IsOk());
  auto parts = Tables();
  std::string& last = *parts.back().mutable_data();
  for (std::size_t i = 0; i < 12; ++i) last[last.size() - 13 + i] ^= 0x5a;
  std::optional<matching::SealedOutcome> outcome;
  for (const v1::SealedPart& part : parts) {
    const auto read = holder_->OnTables(part);
    ASSERT_THAT(read, IsOk());
    outcome = *read;
  }
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(outcome->over_cap);
  EXPECT_THAT(outcome->hits, IsEmpty());
}

TEST_F(SealedEnds, StopWhenNobodyListens) {
  MakeReady();
  listens_ = false;
  const auto batch = Ask(1);
  EXPECT_THAT(holder_->Begin(batch.message, std::vector<std::size_t>{0}, ToRequester()),
              FailsWith(ErrorCode::kUnavailable));
}

TEST_F(SealedEnds, AListWithoutEntriesSendsNothingButTheSketch) {
  std::vector<std::uint32_t> all;
  for (std::uint32_t slot = 1; slot <= 30; ++slot) all.push_back(slot);
  second_.Withdraw(all);
  SetUp();
  MakeReady();
  const Outcomes outcomes = Compare(Ask(1), {0});
  ASSERT_THAT(outcomes, SizeIs(1));
  EXPECT_THAT(outcomes[0].hits, ElementsAre(SealedHit{0, 1}));
}

}  // namespace
}  // namespace comity::gateway
