// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agency/peer_content.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/gateway/agency/peer_words.h"
#include "services/gateway/federation/peer_terms.h"
#include "services/transport/fingerprint.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/services/gateway/sample_card.h"

namespace comity::gateway {
namespace {

using testing::FailsWith;
using ::testing::HasSubstr;
using testing::IsOk;

constexpr runtime::Instant kNow{std::chrono::seconds(1'790'000'000)};

class PeerContentTest : public ::testing::Test {
 protected:
  SampleAgency council_{"eastvale-council", kNow};
  sign::SigningKey key_ = council_.NewKey();
  transport::PeerCard card_ = council_.Card(key_);
};

TEST_F(PeerContentTest, CardActReadsWhatItWrites) {
  PeerCardAct act{transport::EncodePeerCard(card_), "192.0.2.9:1", {std::chrono::hours(2), {}}};
  auto read = ParsePeerCardAct(EncodePeerCardAct(act));
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(read->card, act.card);
  EXPECT_EQ(read->address, act.address);
  EXPECT_EQ(read->how.overlap, act.how.overlap);
  EXPECT_FALSE(read->how.compromised_since);
  act.how = {{}, kNow};
  read = ParsePeerCardAct(EncodePeerCardAct(act));
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(read->how.compromised_since, kNow);
}

TEST_F(PeerContentTest, RefusesAnotherForm) {
  for (const char* wrong : {"", "{}", R"({"address":"","card":"x","overlap_seconds":"1x"})",
                            R"({"address":"","card":"x","overlap_seconds":""})",
                            R"({"address":"","card":"x","more":"","overlap_seconds":"1"})"}) {
    EXPECT_THAT(ParsePeerCardAct(wrong), FailsWith(ErrorCode::kInvalidArgument)) << wrong;
  }
  for (const char* wrong :
       {"", R"({"agency":"eastvale-council"})", R"({"agency":"Eastvale","reason":"x"})",
        R"({"agency":"eastvale-council","reason":""})",
        R"({"agency":"eastvale-council","reason":"x","suspended_at":"2026-11-25T08:00:00.0Z"})",
        R"({"agency":"eastvale-council","reason":"a\u202eb"})"}) {
    EXPECT_THAT(ParsePeerStateAct(wrong), FailsWith(ErrorCode::kInvalidArgument)) << wrong;
  }
}

TEST_F(PeerContentTest, GivenAddressTakesThePlaceOfTheCards) {
  const std::string text = transport::EncodePeerCard(card_);
  EXPECT_EQ(TermsOf(PeerCardAct{text, "", {}})->address, card_.address);
  EXPECT_EQ(TermsOf(PeerCardAct{text, "192.0.2.9:1", {}})->address, "192.0.2.9:1");
  for (const char* wrong : {"192.0.2.9", "192.0.2.9:0", "http://192.0.2.9:1"}) {
    EXPECT_THAT(TermsOf(PeerCardAct{text, wrong, {}}), FailsWith(ErrorCode::kInvalidArgument));
  }
}

TEST_F(PeerContentTest, CardWithAnInvisibleNameIsRefused) {
  transport::PeerCard card = card_;
  card.name = "Eastvale \xe2\x80\xae Council";  // right-to-left override
  const auto made = transport::SignPeerCard(card, key_);
  ASSERT_THAT(made, IsOk());
  EXPECT_THAT(TermsOf(*made), FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(PeerContentTest, WordsSayWhatIsComparedAndWhatChanges) {
  const auto terms = TermsOf(card_);
  ASSERT_THAT(terms, IsOk());
  const std::string words = WordsOf(*terms) + Question(*terms);
  EXPECT_THAT(words, HasSubstr(transport::EncodeFingerprint(terms->fingerprint)));
  EXPECT_THAT(words, HasSubstr(card_.signing_key));
  EXPECT_THAT(words, HasSubstr(card_.log_key));
  EXPECT_THAT(words, HasSubstr("on a number that was known before"));
  identity::Peer before;
  before.terms = *terms;
  const auto next = TermsOf(council_.Card(council_.NewKey(), &key_));
  const std::string change = RekeyWords(before, *next, {std::chrono::hours(48), {}});
  EXPECT_THAT(change, HasSubstr("Signing key until now: " + card_.signing_key));
  EXPECT_THAT(change, HasSubstr("accepted for 48 hours more"));
  EXPECT_THAT(RekeyWords(before, *next, {{}, kNow}), HasSubstr("may be in other hands since"));
  EXPECT_THAT(OwnRekeyWords(*next, {}), HasSubstr("--switch"));
}

}  // namespace
}  // namespace comity::gateway
