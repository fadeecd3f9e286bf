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
#include "services/gateway/federation/peer_view.h"
#include "services/gateway/federation/sealed_probes.h"
#include "services/gateway/federation/session_wire.h"
#include "services/gateway/wire/convert_hit.h"
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

void Convert(const v1::Hit& proto) {
  const auto hit = FromProto(proto);
  if (hit) Require(FromProto(ToProto(*hit)).value() == *hit);
}
void Convert(const v1::PeerView& proto) {
  const auto view = FromProto(proto);
  if (view) Require(ToProto(*view).SerializeAsString() == proto.SerializeAsString());
}
// What a session is opened with is within its bounds, or no session.
template <typename Open>
void ConvertTerms(const Open& open, const World& world) {
  const auto terms = TermsOf(open, {world.requester, world.holder, Digest{}});
  if (!terms) return;
  Require(terms->exchange == kExchange && terms->deployment == open.deployment());
  Require(open.commitments().officer().size() == Digest::kSize);
}
void Convert(const v1::SearchOpen& open, const World& world) {
  ConvertTerms(open, world);
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
  for (const v1::Hit& hit : answer.hits()) Convert(hit);
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
void Convert(const v1::HelloRequest& hello, const World&) {
  Convert(hello.view());
  Require(CleanSoftware(hello.software()).size() <= 64);
}
void Convert(const v1::HelloReply& hello, const World&) {
  Convert(hello.view());
}
void Convert(const v1::PartnerMessage& message, const World&) {
  (void)FromProto(message.due_by());  // its content: partner_content_fuzz
}
void Convert(const v1::PartnerReceipt&, const World&) {}  // its receipt: receipt_fuzz

using SealedRefs = google::protobuf::RepeatedPtrField<v1::SealedListRef>;
void Convert(const SealedRefs& refs) {
  const auto known = SealedRefsOf(refs);
  if (known) Require(!known->empty() && known->size() <= matching::kMostSealedLists);
}
void Convert(const v1::ListSealedRequest& asked, const World&) {
  Convert(asked.agreement());
  (void)FromProto(asked.engine());
  Convert(asked.held());
}
void Convert(const v1::ListSealedReply& reply, const World&) {
  Convert(reply.decision());  // its envelopes: sealed_offer_fuzz
}
void Convert(const v1::FetchSealedRequest&, const World&) {}
void Convert(const v1::SealedOpen& open, const World& world) {
  ConvertTerms(open, world);
  Convert(open.lists());
}
void Convert(const v1::SealedOpened&, const World&) {}  // sealed_session_fuzz
void Convert(const v1::SealedSetUp&, const World&) {}
void Convert(const v1::SealedReady&, const World&) {}
void Convert(const v1::SealedProbes& probes, const World&) {
  for (std::size_t lists = 1; lists <= 2; ++lists) {
    const auto question = SealedProbesOf(probes, lists, Digest{});
    if (!question) continue;
    Require(question->lists.size() == lists);
    Require(question->probes.size() == static_cast<std::size_t>(probes.probes_size()));
    for (const auto& probe : question->probes) Require(probe.blinded.size() == lists);
  }
}
void Convert(const v1::SealedAnswers& answers, const World&) {
  for (const v1::SealedAnswer& answer : answers.answers()) {
    Convert(answer.decision());
    for (const v1::Hit& hit : answer.hits()) Convert(hit);
  }
}

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
  if (as_is) {
    Require(as_is->header().sender() == world.requester.text());
    // What a message says does not change when it is written again.
    Payload again;
    Require(again.ParseFromString(as_is->SerializeAsString()));
    Require(again.SerializeAsString() == as_is->SerializeAsString());
  }
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

// One type for each number; any other number is for messages that nobody signed.
template <typename... Payloads>
struct Types {
  static constexpr unsigned kCount = sizeof...(Payloads);
  static void Try(const World& world, unsigned type, const std::string& octets) {
    unsigned number = 0;
    const bool known =
        ((number++ == type ? (gateway::Try<Payloads>(world, octets), true) : false) || ...);
    if (!known) TryUnsigned(world, octets);
  }
};
using AllTypes =
    Types<v1::HelloRequest, v1::HelloReply, v1::AgreementDelivery, v1::AgreementReceipt,
          v1::SearchOpen, v1::SearchOpened, v1::SearchRefused, v1::SearchProbe, v1::SearchAnswer,
          v1::PartnerMessage, v1::ListOffersRequest, v1::ListOffersReply, v1::ValidateListsRequest,
          v1::ValidateListsReply, v1::PartnerReceipt, v1::ListSealedRequest, v1::ListSealedReply,
          v1::FetchSealedRequest, v1::SealedOpen, v1::SealedOpened, v1::SealedSetUp,
          v1::SealedReady, v1::SealedProbes, v1::SealedAnswers>;

}  // namespace
}  // namespace comity::gateway

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const comity::gateway::World world;
  if (size == 0) return 0;
  using comity::gateway::AllTypes;
  AllTypes::Try(world, data[0] % (AllTypes::kCount + 1), std::string(data + 1, data + size));
  return 0;
}
