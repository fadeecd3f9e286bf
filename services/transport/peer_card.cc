// SPDX-License-Identifier: Apache-2.0
#include "services/transport/peer_card.h"

#include <toml++/toml.h>
#include <array>
#include <cstddef>
#include <utility>

#include "crypto/base/encoding.h"
#include "crypto/sign/ed25519.h"
#include "services/runtime/file.h"
#include "services/transport/certificate.h"
#include "services/transport/peer_identity.h"
#include "services/transport/pki_folder.h"

namespace comity::transport {
namespace {

constexpr std::size_t kMaxCard = 64 * 1024;
constexpr std::size_t kMaxKeyFile = 4096;

using Field = std::pair<const char*, std::string PeerCard::*>;
constexpr std::array<Field, 6> kFields = {{{"agency", &PeerCard::agency},
                                           {"spiffe_id", &PeerCard::spiffe_id},
                                           {"signing_key", &PeerCard::signing_key},
                                           {"log_key", &PeerCard::log_key},
                                           {"anchor_fingerprint", &PeerCard::anchor_fingerprint},
                                           {"anchor_pem", &PeerCard::anchor_pem}}};

Error InKey(std::string_view key, std::string_view what) {
  return {ErrorCode::kInvalidArgument,
          "peer card, key `" + std::string(key) + "`: " + std::string(what)};
}

Result<PeerCard> ReadFields(const toml::table& table) {
  PeerCard card;
  for (const auto& [key, member] : kFields) {
    const auto* text = table[key].as_string();
    if (!text) return Fail(InKey(key, "missing, or not a text"));
    card.*member = text->get();
  }
  if (table.size() != kFields.size()) {
    return Fail(ErrorCode::kInvalidArgument, "peer card: it holds a key that is none of a card's");
  }
  return card;
}

Status CheckAnchor(const PeerCard& card) {
  const auto anchors = ParseCertificates(card.anchor_pem);
  if (!anchors) return Fail(InKey("anchor_pem", anchors.error().detail));
  X509* anchor = sk_X509_value(anchors->get(), 0);
  if (sk_X509_num(anchors->get()) != 1 || X509_check_ca(anchor) != 1) {
    return Fail(InKey("anchor_pem", "not exactly one CA certificate"));
  }
  if (EncodeHex(Fingerprint(*anchor).view()) != card.anchor_fingerprint) {
    return Fail(InKey("anchor_fingerprint", "not that of the certificate in `anchor_pem`"));
  }
  return {};
}

Status CheckFields(const PeerCard& card) {
  if (!IsPeerName(card.agency)) return Fail(InKey("agency", "not an agency id"));
  const auto identity = ParseSpiffeId(card.spiffe_id);
  if (!identity || identity->kind != PeerKind::kGateway) {
    return Fail(InKey("spiffe_id", "not spiffe://<trust domain>/gateway"));
  }
  if (!sign::ParsePublicKey(card.signing_key)) {
    return Fail(InKey("signing_key", "not ed25519:<base64 of 32 octets>"));
  }
  if (!sign::ParsePublicKey(card.log_key)) {
    return Fail(InKey("log_key", "not ed25519:<base64 of 32 octets>"));
  }
  return CheckAnchor(card);
}

Result<std::string> PublicKeyOf(const std::filesystem::path& key_file) {
  COMITY_ASSIGN_OR_RETURN(const SecretBytes text, runtime::ReadSecretFile(key_file, kMaxKeyFile));
  const auto key = sign::SigningKey::ParseKeyFile(AsText(text.Expose()));
  if (!key) return Fail(ErrorCode::kCorrupt, key_file.string() + ": " + key.error().detail);
  return sign::EncodePublicKey(key->public_key());
}

}  // namespace

std::string EncodePeerCard(const PeerCard& card) {
  std::string text = "# Compare both keys and the fingerprint with " + card.agency +
                     " over another way before use.\n";
  for (const auto& [key, member] : kFields) {
    const bool is_block = (card.*member).find('\n') != std::string::npos;
    const char* quote = is_block ? "\"\"\"" : "\"";
    text += std::string(key) + " = " + quote + (is_block ? "\n" : "") + card.*member + quote + "\n";
  }
  return text;
}

Result<PeerCard> ParsePeerCard(std::string_view text) {
  if (text.size() > kMaxCard) {
    return Fail(ErrorCode::kInvalidArgument, "peer card: larger than 64 KiB");
  }
  try {  // toml++ reports faults by exception
    COMITY_ASSIGN_OR_RETURN(PeerCard card, ReadFields(toml::parse(text)));
    COMITY_RETURN_IF_ERROR(CheckFields(card));
    return card;
  } catch (const toml::parse_error& fault) {
    return Fail(ErrorCode::kInvalidArgument,
                "peer card, line " + std::to_string(fault.source().begin.line) + ": not TOML");
  }
}

Result<PeerCard> ExportPeerCard(const std::filesystem::path& pki_folder) {
  const PkiFolder folder{pki_folder};
  COMITY_ASSIGN_OR_RETURN(const AgencyName name, ReadAgencyName(folder));
  COMITY_ASSIGN_OR_RETURN(const std::string pem,
                          runtime::ReadTextFile(folder.ca_certificate(), kMaxCard));
  const auto chain = ParseCertificateChain(pem);
  if (!chain) return Fail(ErrorCode::kCorrupt, folder.ca_certificate().string() + " is damaged");
  PeerCard card{name.agency,
                EncodeSpiffeId({PeerKind::kGateway, name.trust_domain, {}}),
                {},
                {},
                EncodeHex(Fingerprint(*chain->leaf).view()),
                EncodePem(*chain->leaf)};
  COMITY_ASSIGN_OR_RETURN(card.signing_key, PublicKeyOf(folder.signing_key()));
  COMITY_ASSIGN_OR_RETURN(card.log_key, PublicKeyOf(folder.log_key()));
  return card;
}

Status InstallPeerCard(const PeerCard& card, const std::filesystem::path& folder) {
  COMITY_RETURN_IF_ERROR(CheckFields(card));
  const std::filesystem::path own = folder / card.agency;
  COMITY_RETURN_IF_ERROR(MakePrivateFolder(own));
  COMITY_RETURN_IF_ERROR(WriteNewPublic(own / "anchor.pem", card.anchor_pem));
  return WriteNewPublic(own / "signing.pub", card.signing_key + "\n");
}

}  // namespace comity::transport
