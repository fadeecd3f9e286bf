// SPDX-License-Identifier: Apache-2.0
#include "services/watchlists/sealed_offer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/services/watchlists/copies_world.h"

namespace comity::watchlists {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using testing::CopiesWorld;
using ::testing::IsEmpty;
using testing::SampleSealedList;

class SealedOfferTest : public ::testing::Test {
 protected:
  void SetUp() override { list_.AddBlock(2); }
  // The offer after one change of the header, whose blocks and state follow it.
  Status CheckWith(const std::function<void(sealed::ListHeader&)>& change) {
    const sealed::ListHeader good = list_.header;
    change(list_.header);
    const auto offered = world_.Check(list_);
    list_.header = good;
    if (!offered) return Fail(offered.error());
    return {};
  }

  CopiesWorld world_;
  SampleSealedList list_ = world_.NewList();
};

TEST_F(SealedOfferTest, MustBeSignedByTheHolder) {
  SystemRandom random;
  const auto stranger = sign::SigningKey::Generate(random);
  const auto check = [&](const std::string& header, const std::string& state) {
    return world_.copies->Check(world_.holder, header, state);
  };
  EXPECT_THAT(check(list_.HeaderSignedBy(stranger), list_.StateEnvelope()),
              FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_THAT(check(list_.HeaderEnvelope(), list_.StateSignedBy(stranger)),
              FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_THAT(check(list_.HeaderEnvelope(), list_.StateEnvelope()), IsOk());
  world_.key.reset();
  EXPECT_FALSE(check(list_.HeaderEnvelope(), list_.StateEnvelope()).has_value());
}

TEST_F(SealedOfferTest, HeaderAndStateAreNotTakenForOneAnother) {
  const auto check = [&](const std::string& header, const std::string& state) {
    return world_.copies->Check(world_.holder, header, state);
  };
  EXPECT_THAT(check(list_.StateEnvelope(), list_.HeaderEnvelope()),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(check("", list_.StateEnvelope()), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(check(list_.HeaderEnvelope(), "{}"), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(check(SampleSealedList::Envelope(list_.key, kSealedHeaderPayloadType,
                                               Bytes(sealed::kMaxHeaderBytes + 1)),
                    list_.StateEnvelope()),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(check(std::string(kMaxSealedHeaderEnvelope + 1, ' '), list_.StateEnvelope()),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(SealedOfferTest, MustBeForThisRequesterAndByThatHolder) {
  EXPECT_THAT(CheckWith([](auto& header) { header.requester = "southmere-police"; }),
              FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_THAT(CheckWith([](auto& header) { header.holder = "southmere-police"; }),
              FailsWith(ErrorCode::kPermissionDenied));
}

TEST_F(SealedOfferTest, MustHaveTheDeltaOfItsScales) {
  EXPECT_THAT(CheckWith([](auto& header) { --header.delta; }), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(CheckWith([](auto& header) { ++header.delta; }), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(CheckWith([](auto& header) { header.scales.tau_max = 9000; }),
              FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(CheckWith([](auto& header) { header.scales.dimension = 100; }),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(CheckWith([](auto& header) { header.scales.compared_bits = 8; }),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(SealedOfferTest, MustHaveNamesOfTheRightForm) {
  EXPECT_THAT(CheckWith([](auto& header) { header.agreement = "../escape"; }),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(CheckWith([](auto& header) { header.purpose = "No Purpose"; }),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(CheckWith([](auto& header) { header.list = "Lantern!"; }),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(SealedOfferTest, MustBeOfThisDay) {
  const std::int64_t now = testing::SecondsOf(world_.agency.clock.Now());
  const auto with = [&](std::int64_t sealed_at, std::int64_t valid_until) {
    return CheckWith([&](auto& header) {
      header.sealed_at = now + sealed_at;
      header.valid_until = now + valid_until;
    });
  };
  constexpr std::int64_t kDay = 24 * 3600;
  EXPECT_THAT(with(60, 120), IsOk());
  EXPECT_THAT(with(61, 120), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(with(-10, 1), IsOk());
  EXPECT_THAT(with(-10, 0), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(with(-10, kDay - 10), IsOk());
  EXPECT_THAT(with(-10, kDay - 9), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(with(0, std::numeric_limits<std::int64_t>::max() - now),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(SealedOfferTest, StateMustBeOfTheHeader) {
  const std::string state = list_.StateEnvelope();
  list_.header.epoch = 2;
  EXPECT_THAT(world_.copies->Check(world_.holder, list_.HeaderEnvelope(), state),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(SealedOfferTest, CountsMustFitIntoTheLog) {
  constexpr std::uint64_t kMost = (std::uint64_t{1} << 53) - 1;
  EXPECT_THAT(CheckWith([](auto& header) { header.epoch = kMost; }), IsOk());
  EXPECT_THAT(CheckWith([](auto& header) { header.epoch = kMost + 1; }),
              FailsWith(ErrorCode::kInvalidArgument));
  list_.state.sequence = kMost + 1;
  EXPECT_THAT(world_.Check(list_), FailsWith(ErrorCode::kInvalidArgument));
  list_.state.sequence = kMost;
  EXPECT_THAT(world_.Fetch(list_), IsOk());
}

TEST_F(SealedOfferTest, AnnouncedSizesTakeNoRoom) {
  // The largest list there can be: 1.5 GB of blocks, none of which has arrived.
  list_.header.scales.dimension = 512;
  list_.header.delta = sealed::Profile::Create(list_.header.scales)->delta();
  list_.state.blocks.clear();
  for (std::uint32_t number = 0; number < 1024; ++number) {
    list_.state.blocks.push_back(
        {.number = number, .count = number < 1023 ? 1024U : 1023U, .hash = {}});
  }
  const auto offered = world_.Check(list_);
  ASSERT_THAT(offered, IsOk());
  EXPECT_EQ(offered->wanted.size(), 1024U);
  EXPECT_THAT(world_.Files(), IsEmpty());
  // And one that says more than it has.
  Bytes cut = sealed::EncodeListState(list_.state);
  cut.resize(cut.size() / 2);
  EXPECT_THAT(world_.copies->Check(
                  world_.holder, list_.HeaderEnvelope(),
                  SampleSealedList::Envelope(list_.key, kSealedStatePayloadType, std::move(cut))),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(SealedOfferTest, OlderStatesAreRefused) {
  list_.state.sequence = 3;
  const std::string old_state = list_.StateEnvelope();
  ASSERT_THAT(world_.Fetch(list_), IsOk());
  list_.state.sequence = 4;
  list_.state.withdrawn = {1};
  ASSERT_THAT(world_.Fetch(list_), IsOk());
  const auto offer_old = [&] {
    return world_.copies->Check(world_.holder, list_.HeaderEnvelope(), old_state);
  };
  EXPECT_THAT(offer_old(), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(world_.copies->Complete(world_.holder, list_.HeaderEnvelope(), old_state),
              FailsWith(ErrorCode::kConflict));
  world_.Restart();
  EXPECT_THAT(offer_old(), FailsWith(ErrorCode::kConflict));
  EXPECT_EQ(world_.Searched(list_), 4U);
}

TEST_F(SealedOfferTest, TwoStatesOfOneSequenceAreRefused) {
  ASSERT_THAT(world_.Fetch(list_), IsOk());
  list_.state.withdrawn = {2};
  EXPECT_THAT(world_.Check(list_), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(world_.Complete(list_), FailsWith(ErrorCode::kConflict));
}

TEST_F(SealedOfferTest, AnEpochThatIsNotLaterIsRefused) {
  list_.header.epoch = 7;
  list_.Reseal(0);
  ASSERT_THAT(world_.Fetch(list_), IsOk());
  for (const std::uint64_t epoch : {6U, 7U}) {
    EXPECT_THAT(CheckWith([&](auto& header) {
                  header.epoch = epoch;
                  header.public_seed[0] ^= 1;
                }),
                FailsWith(ErrorCode::kConflict))
        << epoch;
  }
  EXPECT_THAT(CheckWith([](auto& header) { header.epoch = 8; }), IsOk());
  // Of another list, or under another version, epochs are counted for themselves.
  EXPECT_THAT(CheckWith([](auto& header) {
                header.epoch = 1;
                header.list = "another";
              }),
              IsOk());
  EXPECT_THAT(CheckWith([](auto& header) {
                header.epoch = 1;
                header.agreement_version = 2;
              }),
              IsOk());
}

TEST_F(SealedOfferTest, AHolderHasABoundedNumberOfLists) {
  for (std::size_t i = 0; i < SealedCopies::kMostLists; ++i) {
    ASSERT_THAT(CheckWith([&](auto& header) { header.list = "list-" + std::to_string(i); }),
                IsOk());
  }
  EXPECT_THAT(CheckWith([](auto& header) { header.list = "one-more"; }),
              FailsWith(ErrorCode::kExhausted));
  EXPECT_THAT(CheckWith([](auto& header) { header.list = "list-0"; }), IsOk());
}

}  // namespace
}  // namespace comity::watchlists
