// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "crypto/base/encoding.h"
#include "crypto/envelope/aead.h"
#include "crypto/merkle/tree_hash.h"
#include "crypto/tlog/commitment.h"
#include "services/audit/events.h"
#include "services/audit/store_recorder.h"
#include "tests/support/documented_vector.h"
#include "tests/support/manual_clock.h"
#include "tests/support/result_matchers.h"

namespace comity::audit {
namespace {

using ::comity::testing::IsOk;

// Octets 00, 01, 02 ...: the random source of the worked example.
class CountingRandom final : public RandomSource {
 public:
  void Fill(std::span<std::uint8_t> out) override {
    for (std::uint8_t& octet : out) octet = next_++;
  }

 private:
  std::uint8_t next_ = 0;
};

// Keeps what is appended.
class CapturedLog final : public store::AuditStore {
 public:
  Result<std::uint64_t> Append(ByteView entry, std::string_view exchange,
                               const store::AuditPayloadRecord& payload) override {
    entry_ = ToBytes(entry);
    exchange_ = exchange;
    payload_ = payload;
    return 0;
  }
  Result<std::uint64_t> Size() const override { return entry_.empty() ? 0U : 1U; }
  Result<std::vector<store::AuditEntryRecord>> Read(std::uint64_t, std::uint64_t) const override {
    return std::vector<store::AuditEntryRecord>{{.index = 0, .entry = entry_}};
  }
  Result<std::vector<store::AuditEntryRecord>> OfExchange(std::string_view,
                                                          std::uint32_t) const override {
    return Read(0, 1);
  }
  Result<store::AuditPayloadRecord> Payload(std::uint64_t) const override { return payload_; }
  Result<std::map<std::uint64_t, store::AuditPayloadRecord>> ShortPayloads(
      std::uint64_t, std::uint64_t, std::uint32_t) const override {
    return std::map<std::uint64_t, store::AuditPayloadRecord>{{0, payload_}};
  }

  Bytes entry_;
  std::string exchange_;
  store::AuditPayloadRecord payload_;
};

Digest Repeated(std::uint8_t octet) {
  Digest digest;
  digest.bytes.fill(octet);
  return digest;
}

// The event of the worked example.
Event ExampleEvent() {
  Event event{.type = kSearchHit};
  event.time = policy::ParseInstant("2026-11-25T08:00:00.25Z").value();
  event.exchange = "x-7f3k/42";
  event.parties = {policy::AgencyId::Parse("eastvale-council").value(),
                   policy::AgencyId::Parse("northshire-police").value()};
  event.agreement = {.id = policy::AgreementId::Parse("northshire-eastvale-2026").value(),
                     .version = 3,
                     .sha256 = Repeated(0xaa)};
  event.decision_code = "permit";
  event.clauses = {"p1"};
  event.committed = {{"camera", "high-street-2"}, {"sequence", "42"}};
  event.messages["answer"] = Repeated(0xbb);
  event.counts["hits"] = 1;
  return event;
}

std::string DocumentedVector(const std::string& name) {
  return comity::testing::DocumentedVector("audit_entry.md", name);
}

class EntryVector : public ::testing::Test {
 protected:
  void SetUp() override {
    StoreRecorder recorder(log_, {.kek = kek_, .clock = clock_, .random = random_});
    ASSERT_THAT(recorder.Record(ExampleEvent()), IsOk());
  }

  testing::ManualClock clock_;
  CountingRandom random_;
  SecretBytes kek_{32};
  CapturedLog log_;
};

TEST_F(EntryVector, EntryIsTheDocumentedOctets) {
  EXPECT_EQ(AsText(log_.entry_), DocumentedVector("entry"));
  EXPECT_EQ(log_.exchange_, "x-7f3k/42");
}

TEST_F(EntryVector, LeafHashIsTheDocumentedOne) {
  EXPECT_EQ(EncodeHex(merkle::LeafHash(log_.entry_).view()), DocumentedVector("leaf"));
}

TEST_F(EntryVector, CommitmentIsTheDocumentedOne) {
  SecretBytes k_record(32);
  CountingRandom().Fill(k_record.ExposeMutable());
  const Digest commitment = tlog::Commit(k_record, "camera", AsBytes("high-street-2"));
  EXPECT_EQ(EncodeHex(commitment.view()), DocumentedVector("commitment"));
  EXPECT_NE(AsText(log_.entry_).find(EncodeBase64(commitment.view())), std::string_view::npos);
}

TEST_F(EntryVector, WrappedKeyIsTheDocumentedOctets) {
  EXPECT_EQ(EncodeHex(log_.payload_.wrapped_key), DocumentedVector("wrapped-key"));
}

TEST_F(EntryVector, SealedPayloadIsTheDocumentedOctets) {
  EXPECT_EQ(EncodeHex(log_.payload_.sealed), DocumentedVector("sealed"));
}

TEST_F(EntryVector, SealedPayloadOpensToTheDocumentedFields) {
  SecretBytes k_record(32);
  CountingRandom().Fill(k_record.ExposeMutable());
  Bytes context = ToBytes("comity/audit/payload/v1|");
  const Digest leaf = merkle::LeafHash(log_.entry_);
  context.insert(context.end(), leaf.bytes.begin(), leaf.bytes.end());
  const auto padded =
      envelope::Open(tlog::DerivePayloadKey(k_record), log_.payload_.sealed, context);
  ASSERT_THAT(padded, IsOk());
  const auto fields = tlog::Unpad(*padded);
  ASSERT_THAT(fields, IsOk());
  EXPECT_EQ(EncodeHex(fields->Expose()), DocumentedVector("fields"));
}

}  // namespace
}  // namespace comity::audit
