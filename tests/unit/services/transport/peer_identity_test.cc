// SPDX-License-Identifier: Apache-2.0
#include "services/transport/peer_identity.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/result_matchers.h"

namespace comity::transport {
namespace {

using testing::FailsWith;
using testing::IsOkAnd;

TEST(PeerIdentity, ReadsTheThreeKinds) {
  EXPECT_THAT(ParseSpiffeId("spiffe://northshire-police.example/gateway"),
              IsOkAnd(PeerIdentity{PeerKind::kGateway, "northshire-police.example", ""}));
  EXPECT_THAT(ParseSpiffeId("spiffe://a.example/engine/bridge-1"),
              IsOkAnd(PeerIdentity{PeerKind::kEngine, "a.example", "bridge-1"}));
  EXPECT_THAT(ParseSpiffeId("spiffe://a.example/person/j-smith"),
              IsOkAnd(PeerIdentity{PeerKind::kPerson, "a.example", "j-smith"}));
}

TEST(PeerIdentity, EncodesWhatItParses) {
  for (const char* text : {"spiffe://a/gateway", "spiffe://a.b-c.example/engine/x",
                           "spiffe://1.example/person/z9-z"}) {
    const auto identity = ParseSpiffeId(text);
    ASSERT_TRUE(identity.has_value()) << text;
    EXPECT_EQ(EncodeSpiffeId(*identity), text);
  }
}

class BadSpiffeId : public ::testing::TestWithParam<std::string> {};

TEST_P(BadSpiffeId, IsRefused) {
  EXPECT_THAT(ParseSpiffeId(GetParam()), FailsWith(ErrorCode::kInvalidArgument));
}

INSTANTIATE_TEST_SUITE_P(
    Spellings, BadSpiffeId,
    ::testing::Values(
        "", "spiffe://", "spiffe:///gateway", "a.example/gateway", "https://a.example/gateway",
        "SPIFFE://a.example/gateway", "spiffe://A.example/gateway", "spiffe://a.example/Gateway",
        "spiffe://a.example", "spiffe://a.example/", "spiffe://a.example/gateway/",
        "spiffe://a.example//gateway", "spiffe://a.example/gateway/x",
        "spiffe://a.example/./gateway", "spiffe://a.example/gateway?x",
        "spiffe://a.example/gateway#", "spiffe://a.example:443/gateway",
        "spiffe://user@a.example/gateway", "spiffe://a..example/gateway", "spiffe://.a/gateway",
        "spiffe://a./gateway", "spiffe://-a.example/gateway", "spiffe://a-.example/gateway",
        "spiffe://a_b/gateway", "spiffe://a.example/engine", "spiffe://a.example/engine/",
        "spiffe://a.example/engine/a/b", "spiffe://a.example/engine/1a",
        "spiffe://a.example/engine/a-", "spiffe://a.example/engine/%61",
        "spiffe://a.example/person/a b", "spiffe://a.example/person/..",
        "spiffe://a.example/robot/a", " spiffe://a.example/gateway", "spiffe://a.example/gateway ",
        "spiffe://a.example/gateway\n", std::string("spiffe://a.example/gateway\0", 27),
        std::string("spiffe://a.example\0.evil/gateway", 32),
        "spiffe://a.example/engine/" + std::string(65, 'a'),
        "spiffe://" + std::string(64, 'a') + "/gateway", "spiffe://b\xc3\xa9.example/gateway"));

TEST(PeerIdentity, TakesNamesUpToTheirBounds) {
  EXPECT_TRUE(IsPeerName(std::string(64, 'a')));
  EXPECT_FALSE(IsPeerName(std::string(65, 'a')));
  EXPECT_TRUE(IsTrustDomain(std::string(63, 'a') + ".example"));
  std::string longest = std::string(63, 'a') + "." + std::string(63, 'b') + "." +
                        std::string(63, 'c') + "." + std::string(61, 'd');
  EXPECT_TRUE(IsTrustDomain(longest));
  EXPECT_FALSE(IsTrustDomain(longest + "d"));
}

}  // namespace
}  // namespace comity::transport
