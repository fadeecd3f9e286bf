// SPDX-License-Identifier: Apache-2.0
// The worked examples of docs/formats/federation.md, made by what the gateway makes them with. The
// one of an envelope is checked where statements are:
// tests/unit/policy/agreement/statement_test.cc.
#include <gmock/gmock.h>

#include <chrono>
#include <string>

#include "crypto/base/encoding.h"
#include "crypto/hash/sha256.h"
#include "crypto/sign/dsse.h"
#include "services/gateway/wire/convert_time.h"
#include "services/gateway/wire/signed_message.h"
#include "services/matching/search_commitments.h"
#include "tests/support/documented_vector.h"
#include "tests/support/manual_clock.h"
#include "tests/support/result_matchers.h"

namespace comity::gateway {
namespace {

using testing::IsOk;
using testing::ManualClock;
using namespace std::chrono_literals;

constexpr const char* kHello = "abcdefghijklmnopqrstuvwxyz";
constexpr const char* kSearch = "qrstuvwxyz234567abcdefghie";

// Octets 00, 01, 02 ...: 16 for the salt of each message of the example, in their order.
class CountingRandom final : public RandomSource {
 public:
  void Fill(std::span<std::uint8_t> out) override {
    for (std::uint8_t& octet : out) octet = next_++;
  }

 private:
  std::uint8_t next_ = 0;
};

SecretBytes Rising() {
  SecretBytes octets(32);
  CountingRandom().Fill(octets.ExposeMutable());
  return octets;
}

sign::SigningKey KeyOf(const SecretBytes& seed) {
  return sign::SigningKey::FromSeed(seed).value();
}

std::string Vector(const std::string& name) {
  return testing::DocumentedVector("federation.md", name);
}

std::string Hex(std::string_view octets) {
  return EncodeHex(AsBytes(octets));
}

std::string DigestHex(const v1::SignedMessage& message) {
  return EncodeHex(MessageDigest(message).view());
}

policy::Instant At(const char* text) {
  return policy::ParseInstant(text).value();
}

v1::PeerView ViewWith(const sign::PublicKey& key) {
  v1::PeerView view;
  view.add_capabilities("direct");
  view.add_capabilities("sealed");
  view.set_state("active");
  view.add_keys(sign::KeyId(key));
  return view;
}

class FederationExample : public ::testing::Test {
 protected:
  v1::SignedMessage Hello() {
    v1::HelloRequest hello;
    hello.set_protocol_min(1);
    hello.set_protocol_max(1);
    hello.set_software("example 1.0");
    *hello.mutable_view() = ViewWith(council_key_.public_key());
    return police_signer_.Sign(hello, council_, kHello);
  }
  v1::SignedMessage Reply() {
    v1::HelloReply reply;
    reply.set_protocol(1);
    reply.set_software("comityd/0.1.0");
    *reply.mutable_view() = ViewWith(police_key_.public_key());
    clock_.Advance(50ms);
    return council_signer_.Sign(reply, police_, kHello);
  }
  v1::SignedMessage Open();
  v1::SignedMessage Opened() {
    v1::SearchOpened opened;
    opened.set_entries(1025);
    clock_.Advance(40ms);
    return council_signer_.Sign(opened, police_, kSearch);
  }

  ManualClock clock_{At("2026-11-25T08:00:00.250Z")};
  CountingRandom random_;
  const policy::AgencyId police_ = policy::AgencyId::Parse("northshire-police").value();
  const policy::AgencyId council_ = policy::AgencyId::Parse("eastvale-council").value();
  const policy::AgreementId agreement_ =
      policy::AgreementId::Parse("northshire-eastvale-2026").value();
  const sign::SigningKey police_key_ = KeyOf(Rising());
  const sign::SigningKey council_key_ = KeyOf(SecretBytes::CopyOf(Bytes(32, 1)));
  const MessageSigner police_signer_{police_, police_key_, clock_, random_};
  const MessageSigner council_signer_{council_, council_key_, clock_, random_};
  const matching::Committer committer_{Rising()};
};

v1::SignedMessage FederationExample::Open() {
  clock_.Set(At("2026-11-25T08:00:00.500Z"));
  v1::SearchOpen open;
  v1::SearchTerms& terms = *open.mutable_terms();
  terms.mutable_agreement()->set_id(agreement_.text());
  terms.mutable_agreement()->set_version(1);
  const Digest document =
      ParseHexDigest("728dc28dfa5691341d5014dea621a0c8a46a28df24a16ff9cdd2ae6dba4d5b69").value();
  terms.mutable_agreement()->set_sha256(std::string(AsText(document.view())));
  terms.set_purpose("missing-person");
  terms.set_role(v1::REQUESTER_ROLE_ENGINE);
  terms.set_use(v1::USE_MODE_LIVE);
  terms.set_mode(v1::SEARCH_MODE_DIRECT);
  terms.add_list_categories("missing-at-risk");
  terms.mutable_engine()->set_name("facenet");
  terms.mutable_engine()->set_version("3.1");
  terms.mutable_engine()->set_dimension(128);
  terms.set_threshold(0.6);
  open.set_deployment("d-abcdefghijklmnopqrstuvwxye");
  *open.mutable_ends_at() = ToProto(At("2026-11-25T16:00:00Z"));
  const Digest officer = committer_.Officer(agreement_, clock_.Now(), "j-smith").value;
  const Digest case_ref = committer_.Case(agreement_, clock_.Now(), "NP-2026-0042").value;
  open.mutable_commitments()->set_officer(std::string(AsText(officer.view())));
  open.mutable_commitments()->set_case_ref(std::string(AsText(case_ref.view())));
  return police_signer_.Sign(open, council_, kSearch);
}

TEST_F(FederationExample, OfAHelloIsWhatTheGatewaySigns) {
  const v1::SignedMessage hello = Hello();
  EXPECT_EQ(Hex(hello.payload()), Vector("payload"));
  EXPECT_EQ(
      EncodeHex(sign::PreAuthenticationEncoding(hello.payload_type(), AsBytes(hello.payload()))),
      Vector("pae"));
  EXPECT_EQ(Hex(hello.signature()), Vector("signature"));
  EXPECT_EQ(DigestHex(hello), Vector("digest"));
  EXPECT_EQ(Hex(hello.SerializeAsString()), Vector("message"));
}

TEST_F(FederationExample, OfAHelloIsAcceptedByItsReceiver) {
  v1::SignedMessage message;
  ASSERT_TRUE(message.ParseFromString(std::string(AsText(ParseHex(Vector("message")).value()))));
  const MessageVerifier verifier(council_, clock_);
  EXPECT_THAT(verifier.Verify<v1::HelloRequest>(message, {police_, police_key_.public_key()}),
              IsOk());
}

TEST_F(FederationExample, OfAReplyIsWhatTheGatewaySigns) {
  Hello();
  const v1::SignedMessage reply = Reply();
  EXPECT_EQ(Hex(reply.payload()), Vector("reply payload"));
  EXPECT_EQ(Hex(reply.signature()), Vector("reply signature"));
  EXPECT_EQ(DigestHex(reply), Vector("reply digest"));
}

TEST_F(FederationExample, OfAnOpeningIsWhatTheGatewaySigns) {
  Hello();
  Reply();
  const v1::SignedMessage open = Open();
  EXPECT_EQ(Hex(open.payload()), Vector("open payload"));
  EXPECT_EQ(Hex(open.signature()), Vector("open signature"));
  EXPECT_EQ(DigestHex(open), Vector("open digest"));
  const v1::SignedMessage opened = Opened();
  EXPECT_EQ(Hex(opened.payload()), Vector("opened payload"));
  EXPECT_EQ(DigestHex(opened), Vector("opened digest"));
}

TEST_F(FederationExample, OfCommitmentsIsWhatTheGatewayComputes) {
  const policy::Instant day = At("2026-11-25T12:00:00Z");
  const matching::Commitment officer = committer_.Officer(agreement_, day, "j-smith");
  const matching::Commitment case_ref = committer_.Case(agreement_, day, "NP-2026-0042");
  EXPECT_EQ(EncodeHex(officer.key.view()) + EncodeHex(officer.value.view()) +
                EncodeHex(case_ref.key.view()) + EncodeHex(case_ref.value.view()),
            Vector("commitments"));
}

// What the document says in its text beside the vectors.
TEST_F(FederationExample, HasTheKeysThatTheDocumentNames) {
  const std::string document = testing::ReadFormatDocument("federation.md");
  for (const sign::SigningKey* key : {&police_key_, &council_key_}) {
    EXPECT_THAT(document, ::testing::HasSubstr("`" + sign::EncodePublicKey(key->public_key())));
    EXPECT_THAT(document, ::testing::HasSubstr("`" + sign::KeyId(key->public_key()) + "`"));
  }
}

// A vector that is added to the document is checked, or this fails.
TEST_F(FederationExample, IsCheckedForEveryVectorOfTheDocument) {
  EXPECT_THAT(testing::VectorsOf("federation.md"),
              ::testing::UnorderedElementsAre(
                  "envelope", "payload", "pae", "signature", "digest", "message", "reply payload",
                  "reply signature", "reply digest", "open payload", "open signature",
                  "open digest", "opened payload", "opened digest", "commitments"));
}

}  // namespace
}  // namespace comity::gateway
