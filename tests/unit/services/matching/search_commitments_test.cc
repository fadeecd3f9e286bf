// SPDX-License-Identifier: Apache-2.0
#include "services/matching/search_commitments.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "crypto/base/encoding.h"
#include "tests/unit/services/matching/matching_support.h"

namespace comity::matching {
namespace {

using policy::AgreementId;
using testing::At;
using testing::kNow;
using testing::Named;

SecretBytes Key(std::uint8_t fill) {
  const Bytes octets(32, fill);
  return SecretBytes::CopyOf(octets);
}

const AgreementId& Agreement() {
  static const auto id = Named<AgreementId>("northshire-eastvale-2026");
  return id;
}

// Computed with Python's hmac and hashlib from the form in docs/formats/federation.md.
TEST(SearchCommitments, AreTheDocumentedHmacs) {
  const Committer committer(Key(0x11));
  const Commitment officer = committer.Officer(Agreement(), At(kNow), "ada");
  EXPECT_EQ(EncodeHex(officer.key.view()),
            "14949448c2513bed15c02bcd46dee66de6ef26c3879d9586369c9ba4f29607dc");
  EXPECT_EQ(EncodeHex(officer.value.view()),
            "a0193797d51f5fb3bd3202662d2e5e4780be803167a8efa29cd77c621ac750ec");
  const Commitment case_ref = committer.Case(Agreement(), At(kNow), "NP-2026-0042");
  EXPECT_EQ(EncodeHex(case_ref.value.view()),
            "c7d5d51de5714513412530e80dbf21ff91806eb12508e173ca6a39fb9f727875");
}

TEST(SearchCommitments, OfOneOfficerAreTheSameWithinAgreementAndDay) {
  const Committer committer(Key(1));
  const Committer restarted(Key(1));
  const auto midnight = At(kNow - kNow % 86'400);
  EXPECT_EQ(committer.Officer(Agreement(), midnight, "ada").value,
            restarted.Officer(Agreement(), midnight + std::chrono::hours(23), "ada").value);
}

TEST(SearchCommitments, OfAnythingElseAreUnrelated) {
  const Committer committer(Key(1));
  const auto other_agreement = Named<AgreementId>("northshire-southmere-2026");
  const auto tomorrow = At(kNow + 86'400);
  std::set<std::string> seen;
  for (const Commitment& one : {committer.Officer(Agreement(), At(kNow), "ada"),
                                committer.Officer(Agreement(), At(kNow), "bob"),
                                committer.Officer(Agreement(), tomorrow, "ada"),
                                committer.Officer(other_agreement, At(kNow), "ada"),
                                committer.Case(Agreement(), At(kNow), "ada"),
                                Committer(Key(2)).Officer(Agreement(), At(kNow), "ada")}) {
    EXPECT_TRUE(seen.insert(EncodeHex(one.value.view())).second);
    EXPECT_TRUE(seen.insert(EncodeHex(one.key.view())).second);
  }
}

}  // namespace
}  // namespace comity::matching
