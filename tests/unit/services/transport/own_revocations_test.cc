// SPDX-License-Identifier: Apache-2.0
#include "services/transport/own_revocations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
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
using testing::TestAgency;

constexpr runtime::Instant kNow{std::chrono::seconds(1'790'000'000)};

TEST(OwnRevocations, BiteAtTheNextLookAndNameThemselves) {
  TestAgency police("northshire-police", kNow);
  TestAgency council("eastvale-council", kNow);
  auto opened = TrustStore::ForFederation({council.AsPeer(), police.AsPeer()});
  ASSERT_THAT(opened, IsOk());
  const auto store = *std::move(opened);
  const std::string council_pem = ReadText(council.IssueGateway(kNow).pem_file);
  const std::string police_pem = ReadText(police.IssueGateway(kNow).pem_file);
  const auto peer = store->Verify(council_pem, kNow);  // remembered from now on
  ASSERT_THAT(peer, IsOk());
  ASSERT_THAT(store->Verify(council_pem, kNow, PeerRole::kServer), IsOk());
  const auto expect_refused = [&](const OwnRevocations& revocations, const std::string& id) {
    store->SetRevocations(std::make_shared<const OwnRevocations>(revocations));
    for (const PeerRole role : {PeerRole::kClient, PeerRole::kServer}) {
      const auto refused = store->Verify(council_pem, kNow, role);
      ASSERT_THAT(refused, FailsWith(ErrorCode::kUnauthenticated));
      EXPECT_THAT(refused.error().detail, HasSubstr(id));
      EXPECT_THAT(refused.error().detail, HasSubstr("spiffe://"));
      EXPECT_THAT(store->Verify(police_pem, kNow, role), IsOk());
    }
  };
  expect_refused({{{peer->certificate, "rev-certificate"}}, {}}, "rev-certificate");
  expect_refused({{}, {{peer->public_key, "rev-key"}}}, "rev-key");
  // The two are not taken for each other.
  store->SetRevocations(std::make_shared<const OwnRevocations>(
      OwnRevocations{{{peer->public_key, "rev-1"}}, {{peer->certificate, "rev-2"}}}));
  EXPECT_THAT(store->Verify(council_pem, kNow), IsOk());
  // Files that change and peers that are set anew do not lift it.
  store->SetRevocations(
      std::make_shared<const OwnRevocations>(OwnRevocations{{}, {{peer->public_key, "rev-3"}}}));
  ASSERT_THAT(store->SetPeers({council.AsPeer()}), IsOk());
  EXPECT_THAT(store->Verify(council_pem, kNow), FailsWith(ErrorCode::kUnauthenticated));
  store->SetRevocations(std::make_shared<const OwnRevocations>());
  EXPECT_THAT(store->Verify(council_pem, kNow), IsOk());
}

}  // namespace
}  // namespace comity::transport
