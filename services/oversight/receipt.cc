// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/receipt.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "crypto/base/canonical_json.h"
#include "crypto/base/encoding.h"
#include "crypto/base/random_id.h"
#include "crypto/hash/sha256.h"
#include "crypto/sign/dsse.h"

namespace comity::oversight {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxPayload = std::size_t{8} << 10;
constexpr std::size_t kMaxOutcomes = 16;

tl::unexpected<Error> NoReceipt(const std::string& detail) {
  return Fail(ErrorCode::kInvalidArgument, "not a receipt: " + detail);
}

const std::string& TextAt(const Json& json, const char* name) {
  return json.at(name).get_ref<const std::string&>();
}

Json OutcomeJson(const Outcome& outcome) {
  Json json = Json::object();
  for (const auto& [name, count] : outcome) json[name] = count;
  return json;
}

Result<Outcome> ReadOutcome(const Json& json) {
  if (!json.is_object() || json.size() > kMaxOutcomes) return NoReceipt("outcome");
  Outcome outcome;
  for (const auto& [name, count] : json.items()) {
    if (!policy::IsWellFormedId(name) || !count.is_number_unsigned()) return NoReceipt("outcome");
    outcome.emplace(name, count.get<std::uint64_t>());
  }
  return outcome;
}

Result<Receipt> Read(const Json& json) {
  Receipt receipt;
  COMITY_ASSIGN_OR_RETURN(receipt.sender, policy::AgencyId::Parse(TextAt(json, "sender")));
  COMITY_ASSIGN_OR_RETURN(receipt.receiver, policy::AgencyId::Parse(TextAt(json, "receiver")));
  receipt.id = TextAt(json, "id");
  receipt.kind = TextAt(json, "kind");
  if (!IsRandomId(receipt.id) || !policy::IsWellFormedId(receipt.kind)) return NoReceipt("id");
  COMITY_ASSIGN_OR_RETURN(receipt.content, ParseHexDigest(TextAt(json, "content_sha256")));
  COMITY_ASSIGN_OR_RETURN(receipt.outcome, ReadOutcome(json.at("outcome")));
  COMITY_ASSIGN_OR_RETURN(receipt.at, policy::ParseInstant(TextAt(json, "at")));
  return receipt;
}

}  // namespace

std::string EncodeOutcome(const Outcome& outcome) {
  return EncodeCanonicalJson(OutcomeJson(outcome));
}

std::string EncodeReceipt(const Receipt& receipt) {
  return EncodeCanonicalJson({{"sender", receipt.sender.text()},
                              {"receiver", receipt.receiver.text()},
                              {"id", receipt.id},
                              {"kind", receipt.kind},
                              {"content_sha256", EncodeHex(receipt.content.view())},
                              {"outcome", OutcomeJson(receipt.outcome)},
                              {"at", policy::EncodeInstant(receipt.at)}});
}

Result<Receipt> ParseReceipt(std::string_view payload) {
  COMITY_ASSIGN_OR_RETURN(const Json json, ParseCanonicalJson(payload, kMaxPayload));
  try {
    COMITY_ASSIGN_OR_RETURN(Receipt receipt, Read(json));
    if (EncodeReceipt(receipt) != payload) return NoReceipt("a field or spelling of another form");
    return receipt;
  } catch (const Json::exception&) {
    return NoReceipt("a field is missing or of another type");
  }
}

std::string SignReceipt(const sign::SigningKey& key, const Receipt& receipt) {
  sign::DsseEnvelope envelope;
  envelope.payload_type = kReceiptPayloadType;
  envelope.payload = ToBytes(EncodeReceipt(receipt));
  sign::AddSignature(key, envelope);
  return sign::EncodeDsseJson(envelope);
}

Result<Receipt> OpenReceipt(std::string_view envelope, std::span<const sign::PublicKey> keys) {
  COMITY_ASSIGN_OR_RETURN(const sign::DsseEnvelope opened,
                          sign::ParseDsseJson(envelope, kMaxReceipt));
  if (opened.payload_type != kReceiptPayloadType || opened.signatures.size() != 1) {
    return NoReceipt("another payload type, or not one signature");
  }
  const bool signed_by_one = std::ranges::any_of(
      keys, [&](const sign::PublicKey& key) { return VerifySignedBy(opened, key).has_value(); });
  if (!signed_by_one) return Fail(ErrorCode::kCorrupt, "the receipt is not signed by its receiver");
  return ParseReceipt(AsText(opened.payload));
}

Digest ReceiptDigest(std::string_view envelope) {
  return hash::Sha256(AsBytes(envelope));
}

}  // namespace comity::oversight
