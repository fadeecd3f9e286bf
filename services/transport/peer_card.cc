// SPDX-License-Identifier: Apache-2.0
#include "services/transport/peer_card.h"

#include <toml++/toml.h>
#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "crypto/base/canonical_json.h"
#include "crypto/base/encoding.h"
#include "crypto/hash/sha256.h"
#include "crypto/sign/dsse.h"
#include "services/transport/address.h"
#include "services/transport/certificate.h"
#include "services/transport/peer_identity.h"

namespace comity::transport {
namespace {

constexpr std::size_t kMaxName = 128;
constexpr std::size_t kMaxCapabilities = 16;
constexpr std::size_t kMaxCapability = 32;

using Field = std::pair<const char*, std::string PeerCard::*>;
constexpr std::array<Field, 11> kTexts = {{{"agency", &PeerCard::agency},
                                           {"name", &PeerCard::name},
                                           {"spiffe_id", &PeerCard::spiffe_id},
                                           {"address", &PeerCard::address},
                                           {"signing_key", &PeerCard::signing_key},
                                           {"log_key", &PeerCard::log_key},
                                           {"anchor_fingerprint", &PeerCard::anchor_fingerprint},
                                           {"anchor_pem", &PeerCard::anchor_pem},
                                           {"former_key", &PeerCard::former_key},
                                           {"signature", &PeerCard::signature},
                                           {"former_signature", &PeerCard::former_signature}}};
using Count = std::pair<const char*, std::uint32_t PeerCard::*>;
constexpr std::array<Count, 2> kCounts = {
    {{"protocol_min", &PeerCard::protocol_min}, {"protocol_max", &PeerCard::protocol_max}}};

Error InKey(std::string_view key, std::string_view what) {
  return {ErrorCode::kInvalidArgument,
          "peer card, key `" + std::string(key) + "`: " + std::string(what)};
}

// What is signed: canonical JSON of all but the signatures.
Result<std::string> PayloadOf(const PeerCard& card) {
  nlohmann::json object = {{"capabilities", card.capabilities}};
  for (const auto& [key, member] : kTexts) {
    if (std::string_view(key).ends_with("signature")) continue;
    object[key] = card.*member;
  }
  for (const auto& [key, member] : kCounts) object[key] = card.*member;
  return TryEncodeCanonicalJson(object);
}

Result<PeerCard> ReadFields(const toml::table& table) {
  PeerCard card;
  for (const auto& [key, member] : kTexts) {
    const auto* text = table[key].as_string();
    if (!text) return Fail(InKey(key, "missing, or not a text"));
    card.*member = text->get();
  }
  for (const auto& [key, member] : kCounts) {
    const auto* number = table[key].as_integer();
    if (!number || number->get() < 0 || number->get() > std::numeric_limits<std::uint32_t>::max()) {
      return Fail(InKey(key, "missing, or not a version"));
    }
    card.*member = static_cast<std::uint32_t>(number->get());
  }
  const auto* capabilities = table["capabilities"].as_array();
  if (!capabilities || capabilities->size() > kMaxCapabilities) {
    return Fail(InKey("capabilities", "missing, or not a list of at most 16"));
  }
  for (const toml::node& item : *capabilities) {
    const auto* text = item.as_string();
    if (!text) return Fail(InKey("capabilities", "holds something else than a text"));
    card.capabilities.push_back(text->get());
  }
  if (table.size() == kTexts.size() + kCounts.size() + 1) return card;
  return Fail(ErrorCode::kInvalidArgument, "peer card: it holds a key that is none of a card's");
}

Status CheckAnchor(const PeerCard& card) {
  const auto anchors = ParseCertificates(card.anchor_pem);
  if (!anchors) return Fail(InKey("anchor_pem", anchors.error().detail));
  X509* anchor = sk_X509_value(anchors->get(), 0);
  if (sk_X509_num(anchors->get()) != 1 || !IsRoot(anchor) ||
      EncodePem(*anchor) != card.anchor_pem) {
    return Fail(InKey("anchor_pem", "not exactly one self-signed CA certificate"));
  }
  if (EncodeHex(Fingerprint(*anchor).view()) != card.anchor_fingerprint) {
    return Fail(InKey("anchor_fingerprint", "not that of the certificate in `anchor_pem`"));
  }
  return {};
}

Status CheckKey(const char* key, const std::string& text) {
  if (sign::ParsePublicKey(text)) return {};
  return Fail(InKey(key, "not ed25519:<base64 of 32 octets>"));
}

Status CheckAbilities(const PeerCard& card) {
  if (card.protocol_min == 0 || card.protocol_min > card.protocol_max) {
    return Fail(InKey("protocol_min", "not from 1 to `protocol_max`"));
  }
  for (const std::string& capability : card.capabilities) {
    if (!IsPeerName(capability) || capability.size() > kMaxCapability ||
        std::ranges::count(card.capabilities, capability) != 1) {
      return Fail(InKey("capabilities", "a name of a-z 0-9 '-', at most 32, none twice"));
    }
  }
  return {};
}

Status CheckFields(const PeerCard& card) {
  if (!IsPeerName(card.agency)) return Fail(InKey("agency", "not an agency id"));
  const bool plain = std::ranges::all_of(
      card.name, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
  if (card.name.empty() || card.name.size() > kMaxName || !plain) {
    return Fail(InKey("name", "not 1 to 128 octets on one line"));
  }
  const auto identity = ParseSpiffeId(card.spiffe_id);
  if (!identity || identity->kind != PeerKind::kGateway) {
    return Fail(InKey("spiffe_id", "not spiffe://<trust domain>/gateway"));
  }
  const auto address = ParseAddress(card.address);
  if (!address || address->port == 0) return Fail(InKey("address", "not host:port"));
  COMITY_RETURN_IF_ERROR(CheckKey("signing_key", card.signing_key));
  COMITY_RETURN_IF_ERROR(CheckKey("log_key", card.log_key));
  if (card.signing_key == card.log_key) return Fail(InKey("log_key", "the signing key as well"));
  COMITY_RETURN_IF_ERROR(CheckAbilities(card));
  if (!card.former_key.empty()) {
    COMITY_RETURN_IF_ERROR(CheckKey("former_key", card.former_key));
    if (card.former_key == card.signing_key) return Fail(InKey("former_key", "the new key"));
  }
  return CheckAnchor(card);
}

Status CheckSignature(const char* key, const std::string& public_key, const std::string& text,
                      std::string_view payload) {
  const auto octets = ParseBase64(text);
  if (!octets || octets->size() != sign::Signature::kSize) {
    return Fail(InKey(key, "not base64 of 64 octets"));
  }
  sign::Signature signature;
  std::ranges::copy(*octets, signature.bytes.begin());
  COMITY_ASSIGN_OR_RETURN(const sign::PublicKey signer, sign::ParsePublicKey(public_key));
  if (sign::VerifyDsse(signer, kPeerCardPayloadType, AsBytes(payload), signature)) return {};
  return Fail(ErrorCode::kCorrupt, "peer card, key `" + std::string(key) +
                                       "`: the card was changed after it was signed");
}

Status CheckSignatures(const PeerCard& card) {
  COMITY_ASSIGN_OR_RETURN(const std::string payload, PayloadOf(card));
  COMITY_RETURN_IF_ERROR(CheckSignature("signature", card.signing_key, card.signature, payload));
  if (!card.former_key.empty()) {
    return CheckSignature("former_signature", card.former_key, card.former_signature, payload);
  }
  if (card.former_signature.empty()) return {};
  return Fail(InKey("former_signature", "there is no `former_key`"));
}

std::string Signed(const sign::SigningKey& key, std::string_view payload) {
  return EncodeBase64(sign::SignDsse(key, kPeerCardPayloadType, AsBytes(payload)).view());
}

// As TOML's basic string; a card's texts hold no control characters but the line feeds of PEM.
std::string Quoted(const std::string& text) {
  if (text.find('\n') != std::string::npos) return "\"\"\"\n" + text + "\"\"\"";
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

}  // namespace

Digest CardFingerprint(const PeerCard& card) {
  const auto payload = PayloadOf(card);
  return payload ? hash::Sha256(AsBytes(*payload)) : Digest{};
}

Result<PeerCard> SignPeerCard(PeerCard card, const sign::SigningKey& key,
                              const sign::SigningKey* former) {
  card.signing_key = sign::EncodePublicKey(key.public_key());
  card.former_key = former == nullptr ? "" : sign::EncodePublicKey(former->public_key());
  COMITY_RETURN_IF_ERROR(CheckFields(card));
  COMITY_ASSIGN_OR_RETURN(const std::string payload, PayloadOf(card));
  card.signature = Signed(key, payload);
  card.former_signature = former == nullptr ? "" : Signed(*former, payload);
  return card;
}

std::string EncodePeerCard(const PeerCard& card) {
  std::string text = "# Peer card of " + card.agency +
                     ". Before use, compare its fingerprint with the agency over another way.\n";
  for (const auto& [key, member] : kTexts) {
    text += std::string(key) + " = " + Quoted(card.*member) + "\n";
  }
  for (const auto& [key, member] : kCounts) {
    text += std::string(key) + " = " + std::to_string(card.*member) + "\n";
  }
  std::string list;
  for (const std::string& capability : card.capabilities) {
    list += (list.empty() ? "" : ", ") + Quoted(capability);
  }
  return text + "capabilities = [" + list + "]\n";
}

Result<PeerCard> ParsePeerCard(std::string_view text) {
  if (text.size() > kMaxPeerCard) {
    return Fail(ErrorCode::kInvalidArgument, "peer card: larger than 16 KiB");
  }
  try {  // toml++ reports faults by exception
    COMITY_ASSIGN_OR_RETURN(PeerCard card, ReadFields(toml::parse(text)));
    COMITY_RETURN_IF_ERROR(CheckFields(card));
    COMITY_RETURN_IF_ERROR(CheckSignatures(card));
    return card;
  } catch (const toml::parse_error& fault) {
    return Fail(ErrorCode::kInvalidArgument,
                "peer card, line " + std::to_string(fault.source().begin.line) + ": not TOML");
  }
}

}  // namespace comity::transport
