// SPDX-License-Identifier: Apache-2.0
#include "services/audit/prove.h"

#include <fstream>

#include "crypto/merkle/tree_hash.h"
#include "crypto/tlog/proof_text.h"
#include "tests/unit/services/audit/log_fixture.h"

namespace comity::audit {
namespace {

using ::comity::testing::FailsWith;
using ::comity::testing::IsOk;

class ProveTest : public LogTest {
 protected:
  void SetUp() override { Open(); }
  // As a stranger checks a receipt, with the log's key only.
  Status Check(const EntryProof& receipt) {
    COMITY_ASSIGN_OR_RETURN(const tlog::TlogProof proof, tlog::ParseTlogProof(receipt.proof));
    COMITY_RETURN_IF_ERROR(tlog::VerifyTlogProof(proof, merkle::LeafHash(receipt.entry),
                                                 VerifierKeyOf(kTestOrigin, key_)));
    return {};
  }
};

TEST_F(ProveTest, ReceiptOfEveryIndexVerifies) {
  Append(0, 300);
  for (const std::uint64_t index : {0U, 1U, 127U, 255U, 256U, 298U, 299U}) {
    const auto receipt = ProveIndex(*log_, index);
    ASSERT_THAT(receipt, IsOk()) << index;
    EXPECT_EQ(receipt->index, index);
    EXPECT_THAT(Check(*receipt), IsOk()) << index;
  }
}

TEST_F(ProveTest, ReceiptDoesNotVerifyForAnotherEntry) {
  Append(0, 3);
  auto receipt = ProveIndex(*log_, 1).value();
  receipt.entry = ProveIndex(*log_, 2).value().entry;
  EXPECT_THAT(Check(receipt), FailsWith(ErrorCode::kCorrupt));
}

TEST_F(ProveTest, IndexBeyondTheLogIsNotFound) {
  Append(0, 3);
  EXPECT_THAT(ProveIndex(*log_, 3), FailsWith(ErrorCode::kNotFound));
}

TEST_F(ProveTest, ExchangeGivesItsEntriesOldestFirst) {
  Append(0, 5);
  Append(3, 1);  // the exchange x-3 again, at index 5
  const auto receipts = ProveExchange(*log_, "x-3");
  ASSERT_THAT(receipts, IsOk());
  ASSERT_EQ(receipts->size(), 2U);
  EXPECT_EQ(receipts->at(0).index, 3U);
  EXPECT_EQ(receipts->at(1).index, 5U);
  for (const EntryProof& receipt : *receipts) EXPECT_THAT(Check(receipt), IsOk());
}

TEST_F(ProveTest, UnknownOrEmptyExchangeIsRefused) {
  Append(0, 2);
  EXPECT_THAT(ProveExchange(*log_, "x-77"), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(ProveExchange(*log_, ""), FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(ProveTest, ExchangeOfMoreThanTheLimitIsExhausted) {
  for (std::uint32_t i = 0; i <= kMaxProofs; ++i) Append(7, 1);
  EXPECT_THAT(ProveExchange(*log_, "x-7"), FailsWith(ErrorCode::kExhausted));
}

TEST_F(ProveTest, AChangedTileIsFoundBeforeAReceiptLeaves) {
  Append(0, 300);
  ASSERT_THAT(log_->Flush(), IsOk());
  std::ofstream(files() / "tile/0/000", std::ios::binary) << std::string(8192, 'x');
  EXPECT_THAT(ProveIndex(*log_, 0), FailsWith(ErrorCode::kCorrupt));
}

TEST_F(ProveTest, APartialTileThatIsGoneIsReadFromTheFullOne) {
  Append(0, 300);
  ASSERT_THAT(log_->Flush(), IsOk());
  const auto partial = log_->files().Read({.level = 0, .index = 0, .width = 200});
  ASSERT_THAT(partial, IsOk());
  EXPECT_EQ(partial->size(), 200U * 32U);
}

}  // namespace
}  // namespace comity::audit
