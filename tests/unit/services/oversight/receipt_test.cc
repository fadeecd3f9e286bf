// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/receipt.h"

#include <gmock/gmock.h>

#include "crypto/base/random.h"
#include "crypto/hash/sha256.h"
#include "crypto/sign/dsse.h"
#include "tests/support/result_matchers.h"

namespace comity::oversight {
namespace {

using ::testing::Eq;
using testing::FailsWith;
using testing::IsOkAnd;

Receipt Example() {
  Receipt receipt;
  receipt.sender = policy::AgencyId::Parse("northshire-police").value();
  receipt.receiver = policy::AgencyId::Parse("eastvale-council").value();
  receipt.id = "abcdefghijklmnopqrstuvwxyz";
  receipt.kind = "entry-change";
  receipt.content = hash::Sha256(AsBytes("{}"));
  receipt.outcome = {{"alerts", 3}, {"acknowledged", 0}};
  receipt.at = policy::ParseInstant("2026-11-25T08:00:00.5Z").value();
  return receipt;
}

class ReceiptTest : public ::testing::Test {
 protected:
  std::string Signed(const Receipt& receipt) { return SignReceipt(key_, receipt); }
  Result<Receipt> Open(std::string_view envelope, const sign::SigningKey& key) {
    const sign::PublicKey keys[] = {key.public_key()};
    return OpenReceipt(envelope, keys);
  }

  SystemRandom random_;
  sign::SigningKey key_ = sign::SigningKey::Generate(random_);
  sign::SigningKey other_ = sign::SigningKey::Generate(random_);
};

TEST_F(ReceiptTest, HasTheDocumentedPayload) {
  EXPECT_EQ(EncodeReceipt(Example()),
            R"({"at":"2026-11-25T08:00:00.500Z","content_sha256":)"
            R"("44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",)"
            R"("id":"abcdefghijklmnopqrstuvwxyz","kind":"entry-change",)"
            R"("outcome":{"acknowledged":0,"alerts":3},"receiver":"eastvale-council",)"
            R"("sender":"northshire-police"})");
}

TEST_F(ReceiptTest, OpensWhatItsReceiverSigned) {
  EXPECT_THAT(Open(Signed(Example()), key_), IsOkAnd(Eq(Example())));
}

TEST_F(ReceiptTest, OpensWithEitherKeyWhileTwoSpeakForTheReceiver) {
  const sign::PublicKey keys[] = {other_.public_key(), key_.public_key()};
  EXPECT_THAT(OpenReceipt(Signed(Example()), keys), IsOkAnd(Eq(Example())));
}

TEST_F(ReceiptTest, RefusesAnotherSigner) {
  EXPECT_THAT(Open(Signed(Example()), other_), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(OpenReceipt(Signed(Example()), {}), FailsWith(ErrorCode::kCorrupt));
}

TEST_F(ReceiptTest, RefusesAChangedPayload) {
  std::string envelope = Signed(Example());
  auto parsed = sign::ParseDsseJson(envelope, kMaxReceipt).value();
  Receipt changed = Example();
  changed.outcome["alerts"] = 4;
  parsed.payload = ToBytes(EncodeReceipt(changed));
  EXPECT_THAT(Open(sign::EncodeDsseJson(parsed), key_), FailsWith(ErrorCode::kCorrupt));
}

TEST_F(ReceiptTest, RefusesAStatementOfAnotherType) {
  sign::DsseEnvelope envelope;
  envelope.payload_type = "application/vnd.comity.statement.v1+json";
  envelope.payload = ToBytes(EncodeReceipt(Example()));
  sign::AddSignature(key_, envelope);
  EXPECT_THAT(Open(sign::EncodeDsseJson(envelope), key_), FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(ReceiptTest, RefusesTwoSignaturesAndOversizedText) {
  auto envelope = sign::ParseDsseJson(Signed(Example()), kMaxReceipt).value();
  sign::AddSignature(other_, envelope);
  EXPECT_THAT(Open(sign::EncodeDsseJson(envelope), key_), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Open(std::string(kMaxReceipt + 1, ' '), key_),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(ReceiptTest, RefusesEveryOtherPayload) {
  const std::string good = EncodeReceipt(Example());
  EXPECT_THAT(ParseReceipt(good), IsOkAnd(Eq(Example())));
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string text = good;
    return text.replace(text.find(from), from.size(), to);
  };
  for (const std::string& text :
       {std::string("{}"), with("\"alerts\":3", "\"alerts\":-3"),
        with("\"alerts\":3", "\"Alerts\":3"), with("\"alerts\":3", "\"alerts\":\"3\""),
        with("abcdefghijklmnopqrstuvwxyz", "short"), with("entry-change", "Entry Change"),
        with("44136fa3", "44136fA3"), with(".500Z", ".5Z"), with("{\"at\"", "{\"a\":1,\"at\"")}) {
    EXPECT_THAT(ParseReceipt(text), FailsWith(ErrorCode::kInvalidArgument)) << text;
  }
}

}  // namespace
}  // namespace comity::oversight
