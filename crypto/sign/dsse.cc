// SPDX-License-Identifier: Apache-2.0
#include "crypto/sign/dsse.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "crypto/base/canonical_json.h"
#include "crypto/base/encoding.h"

namespace comity::sign {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxSignatures = 16;
constexpr std::size_t kMaxPayloadType = 255;
constexpr std::size_t kKeyIdSize = 16;

tl::unexpected<Error> NotAnEnvelope(const std::string& why) {
  return Fail(ErrorCode::kInvalidArgument, "not a DSSE envelope: " + why);
}

bool IsPayloadType(const std::string& type) {
  return !type.empty() && type.size() <= kMaxPayloadType &&
         std::all_of(type.begin(), type.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

// True if `value` is an object of exactly these string fields.
bool IsObjectOf(const json& value, const std::set<std::string>& names) {
  return value.is_object() && value.size() == names.size() &&
         std::all_of(names.begin(), names.end(),
                     [&](const std::string& name) { return value.contains(name); });
}

Result<DsseSignature> ReadSignature(const json& value) {
  if (!IsObjectOf(value, {"keyid", "sig"}) || !value["keyid"].is_string() ||
      !value["sig"].is_string()) {
    return NotAnEnvelope("a signature has exactly the texts keyid and sig");
  }
  DsseSignature signature;
  signature.key_id = value["keyid"].get<std::string>();
  if (signature.key_id.size() != kKeyIdSize || !ParseHex(signature.key_id)) {
    return NotAnEnvelope("keyid has 16 digits 0-9a-f");
  }
  const auto octets = ParseBase64(value["sig"].get_ref<const std::string&>());
  if (!octets || octets->size() != Signature::kSize) {
    return NotAnEnvelope("sig is the base64 of 64 octets");
  }
  std::copy(octets->begin(), octets->end(), signature.signature.bytes.begin());
  return signature;
}

Result<std::vector<DsseSignature>> ReadSignatures(const json& value) {
  if (!value.is_array() || value.empty() || value.size() > kMaxSignatures) {
    return NotAnEnvelope("signatures is a list of 1 to 16");
  }
  std::vector<DsseSignature> signatures;
  std::set<std::string> seen;
  for (const json& item : value) {
    COMITY_ASSIGN_OR_RETURN(DsseSignature signature, ReadSignature(item));
    if (!seen.insert(signature.key_id).second) {
      return NotAnEnvelope("two signatures name the same key");
    }
    signatures.push_back(std::move(signature));
  }
  return signatures;
}

}  // namespace

Bytes PreAuthenticationEncoding(std::string_view payload_type, ByteView payload) {
  Bytes encoding = ToBytes("DSSEv1 " + std::to_string(payload_type.size()) + " " +
                           std::string(payload_type) + " " + std::to_string(payload.size()) + " ");
  encoding.insert(encoding.end(), payload.begin(), payload.end());
  return encoding;
}

Signature SignDsse(const SigningKey& key, std::string_view payload_type, ByteView payload) {
  // A payload can hold a face template: no copy of it stays behind.
  Bytes message = PreAuthenticationEncoding(payload_type, payload);
  const Signature signature = key.Sign(message);
  Wipe(message);
  return signature;
}

void AddSignature(const SigningKey& key, DsseEnvelope& envelope) {
  DsseSignature added{key.public_key(), KeyId(key.public_key()),
                      SignDsse(key, envelope.payload_type, envelope.payload)};
  std::erase_if(envelope.signatures,
                [&](const DsseSignature& other) { return other.key_id == added.key_id; });
  envelope.signatures.push_back(std::move(added));
}

Status VerifyDsse(const PublicKey& key, std::string_view payload_type, ByteView payload,
                  const Signature& signature) {
  Bytes message = PreAuthenticationEncoding(payload_type, payload);
  Status verified = Verify(key, message, signature);
  Wipe(message);
  return verified;
}

Status VerifySignedBy(const DsseEnvelope& envelope, const PublicKey& key) {
  const Bytes message = PreAuthenticationEncoding(envelope.payload_type, envelope.payload);
  // The key id is a hint that nobody signed, so it does not decide which signature counts.
  const bool signed_by_key = std::any_of(
      envelope.signatures.begin(), envelope.signatures.end(),
      [&](const DsseSignature& one) { return Verify(key, message, one.signature).has_value(); });
  if (!signed_by_key) {
    return Fail(ErrorCode::kCorrupt, "no valid signature by key " + KeyId(key));
  }
  return {};
}

std::string EncodeDsseJson(const DsseEnvelope& envelope) {
  json signatures = json::array();
  for (const DsseSignature& one : envelope.signatures) {
    signatures.push_back({{"keyid", one.key_id}, {"sig", EncodeBase64(one.signature.view())}});
  }
  const json value = {{"payload", EncodeBase64(envelope.payload)},
                      {"payloadType", envelope.payload_type},
                      {"signatures", std::move(signatures)}};
  return EncodeCanonicalJson(value) + "\n";
}

Result<DsseEnvelope> ParseDsseJson(std::string_view text, std::size_t max_size) {
  if (text.size() > max_size)
    return NotAnEnvelope("more than " + std::to_string(max_size) + " octets");
  if (!text.ends_with('\n')) return NotAnEnvelope("the final line feed is missing");
  text.remove_suffix(1);
  COMITY_ASSIGN_OR_RETURN(const json value, ParseCanonicalJson(text, max_size));
  if (!IsObjectOf(value, {"payload", "payloadType", "signatures"}) ||
      !value["payload"].is_string() || !value["payloadType"].is_string()) {
    return NotAnEnvelope("the fields are payload, payloadType and signatures");
  }
  DsseEnvelope envelope;
  envelope.payload_type = value["payloadType"].get<std::string>();
  if (!IsPayloadType(envelope.payload_type)) {
    return NotAnEnvelope("payloadType has 1 to 255 characters of printable ASCII without space");
  }
  COMITY_ASSIGN_OR_RETURN(envelope.payload,
                          ParseBase64(value["payload"].get_ref<const std::string&>()));
  COMITY_ASSIGN_OR_RETURN(envelope.signatures, ReadSignatures(value["signatures"]));
  return envelope;
}

}  // namespace comity::sign
