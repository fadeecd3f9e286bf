// SPDX-License-Identifier: Apache-2.0
// What another agency's gateway may send. The first octet picks the payload's type, the rest is the
// payload: once as it is under a signature, and once with a good header, so that what comes after
// signature and header is reached too.
#include <algorithm>
#include <cstdlib>
#include <string>

#include "crypto/base/check.h"
#include "crypto/sign/dsse.h"
#include "services/gateway/agency/offers_reader.h"
#include "services/gateway/federation/list_validation.h"
#include "services/gateway/wire/convert_policy.h"
#include "services/gateway/wire/convert_time.h"
#include "services/gateway/wire/signed_message.h"
#include "services/matching/template_check.h"
#include "services/transport/limits.h"
#include "tests/support/manual_clock.h"

namespace comity::gateway {
namespace {

constexpr std::uint32_t kDimension = 32;
constexpr const char* kExchange = "abcdefghijklmnopqrstuvwxya";

class NoRandom final : public RandomSource {
 public:
  void Fill(std::span<std::uint8_t> out) override { std::ranges::fill(out, std::uint8_t{7}); }
};

struct World {
  NoRandom random;
  testing::ManualClock clock{policy::ParseInstant("2026-11-25T08:00:00Z").value()};
  sign::SigningKey key = sign::SigningKey::FromSeed(SecretBytes::CopyOf(Bytes(32, 1))).value();
  policy::AgencyId requester = policy::AgencyId::Parse("eastvale-council").value();
  policy::AgencyId holder = policy::AgencyId::Parse("northshire-police").value();
  PinnedPeer peer{requester, key.public_key()};
  MessageSigner signer{requester, key, clock, random};
  MessageVerifier verifier{holder, clock};
};

void Require(bool condition) {
  if (!condition) std::abort();
}

void Convert(const v1::AgreementRef& proto) {
  const auto reference = FromProto(proto);
  if (reference) Require(FromProto(ToProto(*reference)).value() == *reference);
}

void Convert(const v1::Decision& proto) {
  const policy::Decision decision = FromProto(proto);
  Require(decision.permitted() == (proto.code() == v1::DECISION_CODE_PERMIT));
  Require(decision.clauses.size() <= transport::limits::kMaxClauses);
  const policy::Decision again = FromProto(ToProto(decision));
  Require(again.code == decision.code && again.agreement == decision.agreement &&
          again.clauses == decision.clauses);
}

void Convert(const v1::SearchOpen& open, const World& world) {
  const auto time = FromProto(open.ends_at());
  if (time) Require(FromProto(ToProto(*time)).value() == *time);
  const auto request = FromProto(open.terms(), world.requester, world.holder);
  if (!request) return;
  Require(request->list_categories.size() <= transport::limits::kMaxCategories);
  const v1::SearchTerms proto = ToProto(*request);
  const auto again = FromProto(proto, world.requester, world.holder);
  Require(again && ToProto(*again).SerializeAsString() == proto.SerializeAsString());
}
void Convert(const v1::SearchProbe& probe, const World&) {
  Convert(probe.agreement());
  (void)matching::ParseTemplate(AsBytes(probe.embedding()), kDimension);
}
void Convert(const v1::SearchAnswer& answer, const World&) {
  Convert(answer.decision());
}
void Convert(const v1::SearchRefused& refused, const World&) {
  Convert(refused.decision());
}
void Convert(const v1::AgreementReceipt& receipt, const World&) {
  Convert(receipt.agreement());
}
void Convert(const v1::AgreementDelivery& delivery, const World&) {
  for (const std::string& statement : delivery.statements()) {
    (void)sign::ParseDsseJson(statement, transport::limits::kMaxStatement);
  }
}
void Convert(const v1::ListOffersRequest&, const World&) {}
void Convert(const v1::ListOffersReply& reply, const World&) {
  (void)CheckOffers(reply);
}
void Convert(const v1::ValidateListsRequest& request, const World& world) {
  (void)FromProto(request.terms(), world.requester, world.holder);
}
void Convert(const v1::ValidateListsReply& reply, const World&) {
  const auto said = FromProto(reply);
  if (said)
    Require(said->decision.permitted() == (reply.decision().code() == v1::DECISION_CODE_PERMIT));
}
void Convert(const v1::SearchOpened&, const World&) {}
void Convert(const v1::HelloRequest&, const World&) {}
void Convert(const v1::HelloReply&, const World&) {}

template <typename Payload>
void Try(const World& world, const std::string& octets) {
  v1::SignedMessage message;
  message.set_payload_type("application/vnd.comity.v1." + Payload::descriptor()->name() +
                           "+protobuf");
  message.set_payload(octets);
  const auto signature =
      sign::SignDsse(world.key, message.payload_type(), AsBytes(message.payload()));
  message.set_signature(signature.bytes.data(), signature.bytes.size());
  const auto as_is = world.verifier.Verify<Payload>(message, world.peer);
  if (as_is) Require(as_is->header().sender() == world.requester.text());
  // Whatever is under the signature counts: one octet more and it is another message.
  message.mutable_payload()->push_back('\0');
  Require(!world.verifier.Verify<Payload>(message, world.peer));

  Payload payload;
  if (!payload.ParseFromString(octets)) return;
  payload.clear_header();  // with what is unknown in it
  const auto framed = world.verifier.Verify<Payload>(
      world.signer.Sign(payload, world.holder, kExchange), world.peer);
  if (framed) Convert(*framed, world);
}

// The bytes as a whole message: nobody without the key gets past the signature.
void TryUnsigned(const World& world, const std::string& octets) {
  v1::SignedMessage message;
  if (!message.ParseFromString(octets)) return;
  (void)MessageDigest(message);
  Require(!world.verifier.Verify<v1::HelloRequest>(message, world.peer));
  Require(!world.verifier.Verify<v1::SearchOpen>(message, world.peer));
  Require(!world.verifier.Verify<v1::SearchProbe>(message, world.peer));
}

void TryType(const World& world, int type, const std::string& octets) {
  switch (type) {
    case 0:
      return Try<v1::HelloRequest>(world, octets);
    case 1:
      return Try<v1::HelloReply>(world, octets);
    case 2:
      return Try<v1::AgreementDelivery>(world, octets);
    case 3:
      return Try<v1::AgreementReceipt>(world, octets);
    case 4:
      return Try<v1::SearchOpen>(world, octets);
    case 5:
      return Try<v1::SearchOpened>(world, octets);
    case 6:
      return Try<v1::SearchRefused>(world, octets);
    case 7:
      return Try<v1::SearchProbe>(world, octets);
    case 8:
      return Try<v1::SearchAnswer>(world, octets);
    case 10:
      return Try<v1::ListOffersRequest>(world, octets);
    case 11:
      return Try<v1::ListOffersReply>(world, octets);
    case 12:
      return Try<v1::ValidateListsRequest>(world, octets);
    case 13:
      return Try<v1::ValidateListsReply>(world, octets);
    default:
      return TryUnsigned(world, octets);
  }
}

}  // namespace
}  // namespace comity::gateway

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const comity::gateway::World world;
  if (size == 0) return 0;
  comity::gateway::TryType(world, data[0] % 14, std::string(data + 1, data + size));
  return 0;
}
