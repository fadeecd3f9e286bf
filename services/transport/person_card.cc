// SPDX-License-Identifier: Apache-2.0
#include "services/transport/person_card.h"

#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <utility>

#include "crypto/sign/ed25519.h"
#include "services/transport/certificate.h"
#include "services/transport/peer_identity.h"

namespace comity::transport {
namespace {

constexpr std::size_t kMaxCard = 64 * 1024;
constexpr std::size_t kMaxPost = 128;

using Field = std::pair<const char*, std::string PersonCard::*>;
constexpr std::array<Field, 4> kFields = {{{"id", &PersonCard::id},
                                           {"post", &PersonCard::post},
                                           {"signing_key", &PersonCard::signing_key},
                                           {"certificate", &PersonCard::certificate}}};

Error InKey(std::string_view key, std::string_view what) {
  return {ErrorCode::kInvalidArgument,
          "person card, key `" + std::string(key) + "`: " + std::string(what)};
}

Result<PersonCard> ReadFields(const toml::table& table) {
  PersonCard card;
  for (const auto& [key, member] : kFields) {
    const auto* text = table[key].as_string();
    if (!text) return Fail(InKey(key, "missing, or not a text"));
    card.*member = text->get();
  }
  if (table.size() != kFields.size()) {
    return Fail(ErrorCode::kInvalidArgument,
                "person card: it holds a key that is none of a card's");
  }
  return card;
}

Status CheckFields(const PersonCard& card) {
  if (!IsPeerName(card.id)) return Fail(InKey("id", "not a person's id"));
  const bool plain = std::none_of(card.post.begin(), card.post.end(),
                                  [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  if (card.post.empty() || card.post.size() > kMaxPost || !plain) {
    return Fail(InKey("post", "not 1 to 128 octets on one line"));
  }
  if (!sign::ParsePublicKey(card.signing_key)) {
    return Fail(InKey("signing_key", "not ed25519:<base64 of 32 octets>"));
  }
  const auto certificate = ReadPublicCertificate(card.certificate);
  if (!certificate) return Fail(InKey("certificate", certificate.error().detail));
  if (certificate->identity.kind != PeerKind::kPerson || certificate->identity.name != card.id) {
    return Fail(InKey("certificate", "it is of " + EncodeSpiffeId(certificate->identity)));
  }
  return {};
}

std::string Escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '"' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

}  // namespace

std::string EncodePersonCard(const PersonCard& card) {
  std::string text = "# Give it to an administrator: comity person add FILE --role ROLE\n";
  for (const auto& [key, member] : kFields) {
    const bool is_block = (card.*member).find('\n') != std::string::npos;
    const char* quote = is_block ? "\"\"\"" : "\"";
    text += std::string(key) + " = " + quote + (is_block ? "\n" : "") + Escaped(card.*member) +
            quote + "\n";
  }
  return text;
}

Result<PersonCard> ParsePersonCard(std::string_view text) {
  if (text.size() > kMaxCard) {
    return Fail(ErrorCode::kInvalidArgument, "person card: larger than 64 KiB");
  }
  try {  // toml++ reports faults by exception
    COMITY_ASSIGN_OR_RETURN(PersonCard card, ReadFields(toml::parse(text)));
    COMITY_RETURN_IF_ERROR(CheckFields(card));
    return card;
  } catch (const toml::parse_error& fault) {
    return Fail(ErrorCode::kInvalidArgument,
                "person card, line " + std::to_string(fault.source().begin.line) + ": not TOML");
  }
}

}  // namespace comity::transport
