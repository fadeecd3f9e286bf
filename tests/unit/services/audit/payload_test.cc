// SPDX-License-Identifier: Apache-2.0
#include "services/audit/payload.h"

#include "crypto/envelope/aead.h"
#include "crypto/merkle/tree_hash.h"
#include "crypto/tlog/commitment.h"
#include "tests/unit/services/audit/log_fixture.h"

namespace comity::audit {
namespace {

using ::comity::testing::FailsWith;
using ::comity::testing::IsOk;
using ::testing::ElementsAre;
using ::testing::Not;
using ::testing::Pair;

class PayloadTest : public LogTest {
 protected:
  void SetUp() override {
    Open();
    Append(0, 2);
  }
  store::AuditEntryRecord Entry(std::uint64_t index) {
    store::AuditEntryRecord record;
    EXPECT_THAT(store_->Read([&](const store::Transaction& tx) -> Status {
      COMITY_ASSIGN_OR_RETURN(const auto entries, tx.audit().Read(index, 1));
      record = entries.at(0);
      return {};
    }),
                IsOk());
    return record;
  }
  store::AuditPayloadRecord Payload(std::uint64_t index) {
    store::AuditPayloadRecord record;
    EXPECT_THAT(store_->Read([&](const store::Transaction& tx) -> Status {
      COMITY_ASSIGN_OR_RETURN(record, tx.audit().Payload(index));
      return {};
    }),
                IsOk());
    return record;
  }
  // Appends an entry with this payload past the recorder.
  std::uint64_t AppendRaw(const Bytes& entry, const store::AuditPayloadRecord& payload) {
    std::uint64_t index = 0;
    EXPECT_THAT(store_->Write([&](store::Transaction& tx) -> Status {
      COMITY_ASSIGN_OR_RETURN(index, tx.audit().Append(entry, "", payload));
      return {};
    }),
                IsOk());
    return index;
  }
};

TEST_F(PayloadTest, OpensToTheFieldsThatWereCommitted) {
  const auto opened = OpenPayload(*store_, kek_, 1);
  ASSERT_THAT(opened, IsOk());
  EXPECT_FALSE(opened->erased);
  EXPECT_EQ(opened->entry, Entry(1).entry);
  EXPECT_THAT(opened->fields, ElementsAre(Pair("camera", "c1"), Pair("hits", "reference 1")));
}

TEST_F(PayloadTest, EntryHoldsNoCommittedContent) {
  EXPECT_THAT(std::string(AsText(Entry(1).entry)), Not(::testing::HasSubstr("reference")));
}

TEST_F(PayloadTest, ErasedPayloadIsReportedAsErased) {
  const std::uint64_t index = AppendRaw(Entry(1).entry, {});
  const auto opened = OpenPayload(*store_, kek_, index);
  ASSERT_THAT(opened, IsOk());
  EXPECT_TRUE(opened->erased);
  EXPECT_TRUE(opened->fields.empty());
  EXPECT_EQ(opened->entry, Entry(1).entry);
}

TEST_F(PayloadTest, PayloadOfAnotherEntryIsRefused) {
  const std::uint64_t index = AppendRaw(Entry(1).entry, Payload(0));
  EXPECT_THAT(OpenPayload(*store_, kek_, index), FailsWith(ErrorCode::kCorrupt));
}

TEST_F(PayloadTest, AnotherKeyIsRefused) {
  const SecretBytes other = envelope::GenerateKey(random_);
  EXPECT_THAT(OpenPayload(*store_, other, 0), FailsWith(ErrorCode::kCorrupt));
}

TEST_F(PayloadTest, AnyChangedOctetIsFound) {
  const store::AuditPayloadRecord good = Payload(0);
  for (std::size_t i = 0; i < good.wrapped_key.size(); i += 7) {
    store::AuditPayloadRecord bad = good;
    bad.wrapped_key[i] ^= 1;
    const std::uint64_t index = AppendRaw(Entry(0).entry, bad);
    EXPECT_THAT(OpenPayload(*store_, kek_, index), FailsWith(ErrorCode::kCorrupt)) << i;
  }
  for (std::size_t i = 0; i < good.sealed.size(); i += 23) {
    store::AuditPayloadRecord bad = good;
    bad.sealed[i] ^= 1;
    const std::uint64_t index = AppendRaw(Entry(0).entry, bad);
    EXPECT_THAT(OpenPayload(*store_, kek_, index), FailsWith(ErrorCode::kCorrupt)) << i;
  }
}

TEST_F(PayloadTest, FieldsThatTheEntryDoesNotCommitToAreRefused) {
  const Bytes entry = Entry(0).entry;
  const PayloadKeys keys{.kek = kek_, .leaf = merkle::LeafHash(entry)};
  const SecretBytes k_record = tlog::GenerateRecordKey(random_);
  const CommittedFields forged{{"camera", "c2"}, {"hits", "reference 0"}};
  const auto payload = SealPayload(forged, k_record, keys, random_);
  ASSERT_THAT(payload, IsOk());
  EXPECT_THAT(OpenPayload(*store_, kek_, AppendRaw(entry, *payload)),
              FailsWith(ErrorCode::kCorrupt));
}

TEST_F(PayloadTest, UnknownIndexIsNotFound) {
  EXPECT_THAT(OpenPayload(*store_, kek_, 2), FailsWith(ErrorCode::kNotFound));
}

TEST_F(PayloadTest, LengthTellsTheBucketOnly) {
  const SecretBytes k_record = tlog::GenerateRecordKey(random_);
  const PayloadKeys keys{.kek = kek_, .leaf = {}};
  const auto sealed_size = [&](std::size_t octets) {
    return SealPayload({{"f", std::string(octets, 'x')}}, k_record, keys, random_)->sealed.size();
  };
  EXPECT_EQ(sealed_size(1), sealed_size(200));
  EXPECT_EQ(sealed_size(300), sealed_size(900));
  EXPECT_LT(sealed_size(200), sealed_size(300));
}

TEST_F(PayloadTest, OversizedFieldsAreAFaultOfThisProgram) {
  const SecretBytes k_record = tlog::GenerateRecordKey(random_);
  const PayloadKeys keys{.kek = kek_, .leaf = {}};
  const CommittedFields large{{"f", std::string(kMaxPayloadSize, 'x')}};
  EXPECT_THAT(SealPayload(large, k_record, keys, random_), FailsWith(ErrorCode::kInternal));
  const CommittedFields long_name{{std::string(256, 'n'), "x"}};
  EXPECT_THAT(SealPayload(long_name, k_record, keys, random_), FailsWith(ErrorCode::kInternal));
}

}  // namespace
}  // namespace comity::audit
