// SPDX-License-Identifier: Apache-2.0
#include "services/transport/peer_card.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "services/transport/trust_store.h"
#include "tests/support/result_matchers.h"
#include "tests/support/test_agency.h"

namespace comity::transport {
namespace {

using testing::FailsWith;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::ReadText;
using testing::TemporaryDirectory;
using testing::TestAgency;

constexpr runtime::Instant kNow{std::chrono::seconds(1'790'000'000)};

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

class PeerCardTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto card = ExportPeerCard(agency_.root());
    ASSERT_THAT(card, IsOk());
    card_ = *card;
    text_ = EncodePeerCard(card_);
  }
  TestAgency agency_{"eastvale-council", kNow};
  PeerCard card_;
  std::string text_;
};

TEST_F(PeerCardTest, ReadsWhatItWrites) {
  const auto read = ParsePeerCard(text_);
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(EncodePeerCard(*read), text_);
  EXPECT_EQ(read->spiffe_id, "spiffe://eastvale-council.example/gateway");
}

TEST_F(PeerCardTest, HoldsNoSecret) {
  EXPECT_THAT(text_, ::testing::Not(HasSubstr("PRIVATE")));
}

TEST_F(PeerCardTest, RefusesAForeignAnchorUnderTheSameFingerprint) {
  const TestAgency other("mallory", kNow);
  PeerCard forged = card_;
  forged.anchor_pem = ReadText(other.anchor());
  EXPECT_THAT(ParsePeerCard(EncodePeerCard(forged)), FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(PeerCardTest, NamesTheKeyThatIsWrong) {
  const auto refused = ParsePeerCard(Replaced(text_, "ed25519:", "ed25518:"));
  ASSERT_THAT(refused, FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(refused.error().detail, HasSubstr("signing_key"));
  const auto no_toml = ParsePeerCard("a = 1\nb = = 2\n");
  ASSERT_THAT(no_toml, FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(no_toml.error().detail, HasSubstr("line 2"));
}

TEST_F(PeerCardTest, RefusesAnUnknownOrMissingKey) {
  EXPECT_THAT(ParsePeerCard(text_ + "extra = 1\n"), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(ParsePeerCard(Replaced(text_, "log_key", "log_kay")),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(ParsePeerCard(Replaced(text_, "/gateway", "/engine/x")),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(ParsePeerCard(std::string(70'000, '#')), FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(PeerCardTest, InstallsOnceWhatATrustStoreTakes) {
  const TemporaryDirectory folder;
  ASSERT_THAT(InstallPeerCard(card_, folder.path()), IsOk());
  const auto own = folder.path() / "eastvale-council";
  EXPECT_EQ(ReadText(own / "signing.pub"), card_.signing_key + "\n");
  EXPECT_THAT(TrustStore::ForFederation(
                  {{card_.agency, card_.spiffe_id, own / "anchor.pem", std::nullopt}}),
              IsOk());
  EXPECT_THAT(InstallPeerCard(card_, folder.path()), FailsWith(ErrorCode::kConflict));
}

}  // namespace
}  // namespace comity::transport
