// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/wire/signed_message.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "crypto/hash/sha256.h"
#include "crypto/sign/dsse.h"
#include "services/gateway/wire/convert_time.h"
#include "services/matching/exchange_id.h"

namespace comity::gateway {
namespace {

constexpr std::size_t kMaxPayloadBytes = std::size_t{1} << 20;  // as federation.proto states
constexpr std::size_t kSaltBytes = 16;

std::string TypeName(std::string_view name) {
  return "application/vnd.comity.v1." + std::string(name) + "+protobuf";
}

// A field this version does not know may be meant to change the meaning of those it does: refused.
bool HasUnknownFields(const google::protobuf::Message& payload) {
  using google::protobuf::FieldDescriptor;
  const google::protobuf::Reflection& reflection = *payload.GetReflection();
  if (!reflection.GetUnknownFields(payload).empty()) return true;
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(payload, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    const int count = field->is_repeated() ? reflection.FieldSize(payload, field) : 1;
    for (int i = 0; i < count; ++i) {
      const auto& inner = field->is_repeated() ? reflection.GetRepeatedMessage(payload, field, i)
                                               : reflection.GetMessage(payload, field);
      if (HasUnknownFields(inner)) return true;
    }
  }
  return false;
}

}  // namespace

Digest MessageDigest(const v1::SignedMessage& message) {
  Bytes encoded =
      sign::PreAuthenticationEncoding(message.payload_type(), AsBytes(message.payload()));
  const Digest digest = hash::Sha256(encoded);
  Wipe(encoded);  // it holds a template when the message is a probe
  return digest;
}

MessageSigner::MessageSigner(policy::AgencyId self, const sign::SigningKey& key,
                             const runtime::Clock& clock, RandomSource& random)
    : self_(std::move(self)), key_(key), clock_(clock), random_(random) {}

std::string MessageSigner::TypeOf(const google::protobuf::Message& payload) {
  return TypeName(payload.GetDescriptor()->name());
}

void MessageSigner::FillHeader(v1::MessageHeader& header, const policy::AgencyId& receiver,
                               std::string_view exchange_id) const {
  header.set_sender(self_.text());
  header.set_receiver(receiver.text());
  *header.mutable_sent_at() = ToProto(clock_.Now());
  header.set_exchange_id(std::string(exchange_id));
  std::array<std::uint8_t, kSaltBytes> salt;
  random_.Fill(salt);
  header.set_salt(salt.data(), salt.size());
}

v1::SignedMessage MessageSigner::SignPayload(std::string type,
                                             const google::protobuf::Message& payload) const {
  v1::SignedMessage message;
  message.set_payload_type(std::move(type));
  message.set_payload(payload.SerializeAsString());
  const sign::Signature signature =
      sign::SignDsse(key_, message.payload_type(), AsBytes(message.payload()));
  message.set_signature(signature.bytes.data(), signature.bytes.size());
  return message;
}

MessageVerifier::MessageVerifier(policy::AgencyId self, const runtime::Clock& clock,
                                 runtime::Instant not_before)
    : self_(std::move(self)), clock_(clock), not_before_(not_before) {}

std::string MessageVerifier::PayloadType(std::string_view name) {
  return TypeName(name);
}

Status MessageVerifier::VerifyInto(const v1::SignedMessage& message, const PinnedPeer& peer,
                                   google::protobuf::Message& payload) const {
  const std::string& name = payload.GetDescriptor()->name();
  if (message.payload().size() > kMaxPayloadBytes) {
    return Fail(ErrorCode::kInvalidArgument, "a payload is at most 1 MiB");
  }
  if (message.payload_type() != TypeName(name)) {
    return Fail(ErrorCode::kInvalidArgument, "expected the message " + name);
  }
  sign::Signature signature;
  if (message.signature().size() != signature.bytes.size()) {
    return Fail(ErrorCode::kCorrupt, "a signature has 64 octets");
  }
  std::copy(message.signature().begin(), message.signature().end(), signature.bytes.begin());
  COMITY_RETURN_IF_ERROR(CheckSignature(message, signature, peer));
  if (!payload.ParseFromString(message.payload()) || HasUnknownFields(payload)) {
    return Fail(ErrorCode::kInvalidArgument, "payload is not a " + name + " of this version");
  }
  return {};
}

// The newest key first: the others are there for as long as keys change.
Status MessageVerifier::CheckSignature(const v1::SignedMessage& message,
                                       const sign::Signature& signature, const PinnedPeer& peer) {
  const auto by = [&](const sign::PublicKey& key) {
    return sign::VerifyDsse(key, message.payload_type(), AsBytes(message.payload()), signature);
  };
  const Status newest = by(peer.signing_key);
  if (newest) return {};
  const bool former = std::ranges::any_of(
      peer.former_keys, [&](const sign::PublicKey& key) { return by(key).has_value(); });
  return former ? Status() : newest;
}

Status MessageVerifier::CheckHeader(const v1::MessageHeader& header, const PinnedPeer& peer) const {
  if (header.sender() != peer.agency.text()) {
    return Fail(ErrorCode::kPermissionDenied, "the signed sender is not the connected peer");
  }
  if (header.receiver() != self_.text()) {
    return Fail(ErrorCode::kPermissionDenied, "the message is addressed to another agency");
  }
  if (!matching::IsExchangeId(header.exchange_id())) {
    return Fail(ErrorCode::kInvalidArgument,
                "header.exchange_id has 26 characters a-z and 2-7 (128 random bits in base32)");
  }
  if (header.salt().size() != kSaltBytes) {
    return Fail(ErrorCode::kInvalidArgument, "header.salt has 16 octets");
  }
  COMITY_ASSIGN_OR_RETURN(const policy::Instant sent_at, FromProto(header.sent_at()));
  const auto skew = sent_at - clock_.Now();
  if (skew > kMaxClockSkew || skew < -kMaxClockSkew) {
    return Fail(ErrorCode::kUnauthenticated, "header.sent_at is more than 60 s from this clock");
  }
  if (sent_at <= not_before_) {
    return Fail(ErrorCode::kUnauthenticated, "sent before this gateway was restored: send it anew");
  }
  return {};
}

}  // namespace comity::gateway
