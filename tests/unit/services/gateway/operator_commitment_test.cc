// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/operator_commitment.h"

#include <gtest/gtest.h>

#include <memory>

#include "crypto/base/encoding.h"

namespace comity::gateway {
namespace {

matching::RequesterTerms Terms(const std::string& case_ref, const std::string& person) {
  auto deployment = std::make_shared<matching::Deployment>();
  deployment->case_ref = case_ref;
  matching::RequesterTerms terms;
  terms.deployment = std::move(deployment);
  terms.operator_id = person;
  terms.operator_key = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
  return terms;
}

// Computed with Python:
//   hmac.new(key, b"comity/operator/v1|6|case-7" + b"alice", hashlib.sha256).hexdigest()
TEST(OperatorCommitment, IsTheDocumentedHmac) {
  EXPECT_EQ(EncodeHex(CommitToOperator(Terms("case-7", "alice")).view()),
            "dc26d4b945ed1c40bf021df90b4c69b5d9d209f28b5703cb4c4c7d4390c3c287");
}

TEST(OperatorCommitment, TellsWhereTheCaseEndsAndTheOperatorBegins) {
  EXPECT_NE(CommitToOperator(Terms("case-7a", "lice")), CommitToOperator(Terms("case-7", "alice")));
}

TEST(OperatorCommitment, HidesAllBehindTheKey) {
  matching::RequesterTerms other = Terms("case-7", "alice");
  other.operator_key.back() = '0';
  EXPECT_NE(CommitToOperator(other), CommitToOperator(Terms("case-7", "alice")));
}

}  // namespace
}  // namespace comity::gateway
