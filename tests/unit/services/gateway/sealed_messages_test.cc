// SPDX-License-Identifier: Apache-2.0
// What partners say of their copies of this agency's sealed lists: sealed-held, sealed-erased.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/base/encoding.h"
#include "services/audit/events.h"
#include "services/gateway/federation/partner_handlers.h"
#include "services/oversight/partner_content.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/services/watchlists/sealed_world.h"

namespace comity::gateway {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using comity::testing::IsOkAnd;
using oversight::EncodeSealedErased;
using oversight::EncodeSealedHeld;
using ::testing::Eq;
using watchlists::testing::kEastvale;
using watchlists::testing::kWestmoor;

class SealedWords : public ::testing::Test {
 protected:
  SealedWords() {
    world_.Approve(8);
    world_.Bring();
  }
  // The number of lists that the receipt says.
  Result<std::uint64_t> Receive(PartnerMessageHandler& handler, const policy::AgencyId& sender,
                                const std::string& content) {
    std::uint64_t lists = 0;
    COMITY_RETURN_IF_ERROR(world_.world.agency.journal().Commit(
        [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
          COMITY_ASSIGN_OR_RETURN(const auto taken,
                                  handler.Receive(transaction, recorder, sender, content));
          lists = taken.outcome.at("lists");
          return {};
        }));
    return lists;
  }
  Result<std::uint64_t> Held(const policy::AgencyId& sender, const std::string& content) {
    return Receive(held_, sender, content);
  }
  Result<std::uint64_t> Erased(const policy::AgencyId& sender, const std::string& content) {
    return Receive(erased_, sender, content);
  }
  Digest header() const { return world_.Epoch()->header(); }
  std::size_t Events(std::string_view type) { return world_.world.agency.CountEvents(type); }

  watchlists::testing::SealedWorld world_;
  SealedHeldHandler held_{[this](store::Transaction& transaction, audit::Recorder& recorder,
                                 const policy::AgencyId& partner, const Digest& header,
                                 std::uint64_t sequence) {
    return world_.publications->NoteHeld(transaction, recorder, partner, header, sequence);
  }};
  SealedErasedHandler erased_{[this](store::Transaction& transaction, audit::Recorder& recorder,
                                     const policy::AgencyId& partner, const Digest& header) {
    return world_.publications->NoteErased(transaction, recorder, partner, header);
  }};
};

TEST_F(SealedWords, OfAHeldListAreKeptAndLogged) {
  EXPECT_THAT(Held(kEastvale, EncodeSealedHeld({header(), 1})), IsOkAnd(Eq(1U)));
  EXPECT_EQ(world_.Stored(header()).held_sequence, 1U);
  EXPECT_EQ(Events(audit::kSealedListAcknowledged), 1U);
}

TEST_F(SealedWords, OfAnErasedCopyAreKeptAlsoOnceTheListHasEnded) {
  const Digest list = header();
  ASSERT_THAT(world_.publications->Shred([](const auto&) { return true; }, "over", "gateway"),
              IsOk());
  EXPECT_THAT(Erased(kEastvale, EncodeSealedErased(list)), IsOkAnd(Eq(1U)));
  EXPECT_TRUE(world_.Stored(list).erased_at);
  EXPECT_EQ(Events(audit::kSealedCopyErased), 1U);
}

TEST_F(SealedWords, OfAListThatNobodyKnowsAnyMoreAreTakenWithoutEffect) {
  EXPECT_THAT(Held(kEastvale, EncodeSealedHeld({Digest(), 1})), IsOkAnd(Eq(0U)));
  EXPECT_THAT(Erased(kEastvale, EncodeSealedErased(Digest())), IsOkAnd(Eq(0U)));
  EXPECT_EQ(Events(audit::kSealedListAcknowledged) + Events(audit::kSealedCopyErased), 0U);
}

TEST_F(SealedWords, OfSomebodyElsesListAreRefusedForGood) {
  EXPECT_THAT(Held(kWestmoor, EncodeSealedHeld({header(), 1})),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Erased(kWestmoor, EncodeSealedErased(header())),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_EQ(world_.Stored(header()).held_sequence, 0U);
  EXPECT_FALSE(world_.Stored(header()).erased_at);
}

TEST_F(SealedWords, OfAStateThatWasNeverSignedAreRefusedForGood) {
  EXPECT_THAT(Held(kEastvale, EncodeSealedHeld({header(), 2})),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Held(kEastvale, EncodeSealedHeld({header(), (std::uint64_t{1} << 53) - 1})),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_EQ(world_.Stored(header()).held_sequence, 0U);
}

TEST_F(SealedWords, OfAnOlderStateTakeNothingBack) {
  ASSERT_THAT(world_.publications->Withdraw(watchlists::testing::kSealedList,
                                            std::vector<std::string>{"r1"}),
              IsOk());
  ASSERT_THAT(Held(kEastvale, EncodeSealedHeld({header(), 2})), IsOkAnd(Eq(1U)));
  EXPECT_THAT(Held(kEastvale, EncodeSealedHeld({header(), 1})), IsOkAnd(Eq(1U)));
  EXPECT_EQ(world_.Stored(header()).held_sequence, 2U);
}

TEST_F(SealedWords, OfAnotherFormAreRefusedForGood) {
  const std::string hex = EncodeHex(header().view());
  for (const std::string& content :
       {std::string("{}"), std::string(), "{\"header\":\"" + hex + "\"}",
        "{\"header\":\"" + hex.substr(2) + "\",\"sequence\":1}",
        "{\"header\":\"" + hex + "\",\"sequence\":0}"}) {
    EXPECT_THAT(Held(kEastvale, content), FailsWith(ErrorCode::kInvalidArgument)) << content;
  }
  for (const std::string& content :
       {std::string("{}"), EncodeSealedHeld({header(), 1}), "{\"header\":\"" + hex + "00\"}"}) {
    EXPECT_THAT(Erased(kEastvale, content), FailsWith(ErrorCode::kInvalidArgument)) << content;
  }
}

TEST_F(SealedWords, ThatCannotBeStoredAreToBeSaidAgain) {
  SealedErasedHandler failing(
      [](store::Transaction&, audit::Recorder&, const policy::AgencyId&, const Digest&) -> Status {
        return Fail(ErrorCode::kUnavailable, "the disk is full");
      });
  EXPECT_THAT(Receive(failing, kEastvale, EncodeSealedErased(header())),
              FailsWith(ErrorCode::kUnavailable));
}

}  // namespace
}  // namespace comity::gateway
