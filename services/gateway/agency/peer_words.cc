// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agency/peer_words.h"

#include "crypto/base/encoding.h"
#include "crypto/hash/sha256.h"
#include "services/transport/certificate.h"
#include "services/transport/fingerprint.h"

namespace comity::gateway {
namespace {

std::string AnchorFingerprint(const std::string& pem) {
  const auto chain = transport::ParseCertificateChain(pem);
  return chain ? transport::EncodeFingerprint(transport::Fingerprint(*chain->leaf)) : "unreadable";
}

std::string Hours(std::chrono::seconds duration) {
  return std::to_string(std::chrono::floor<std::chrono::hours>(duration).count()) + " hours";
}

std::string CompromiseWords(const identity::Rekeying& how) {
  return "The keys it had before may be in other hands since " +
         policy::EncodeInstant(*how.compromised_since) +
         ".\nNothing they signed since then counts any more: agreements with statements received "
         "since are not in force until they are made anew.\n";
}

}  // namespace

std::string WordsOf(const identity::PeerTerms& terms) {
  std::string abilities;
  for (const std::string& capability : terms.capabilities) abilities += " " + capability;
  return "Agency: " + terms.agency.text() + " (" + terms.name + ")\nAddress: " + terms.address +
         "\nIdentity: " + terms.spiffe_id + "\nProtocol: " + std::to_string(terms.protocol_min) +
         " to " + std::to_string(terms.protocol_max) + ";" +
         (abilities.empty() ? " no capabilities" : abilities) +
         "\nSigning key: " + sign::EncodePublicKey(terms.signing_key) +
         "\nLog key: " + sign::EncodePublicKey(terms.log_key) +
         "\nCA certificate, SHA-256: " + AnchorFingerprint(terms.anchor_pem) +
         "\nCard fingerprint: " + transport::EncodeFingerprint(terms.fingerprint) + "\n";
}

std::string Question(const identity::PeerTerms& terms) {
  return "Before approval: call " + terms.agency.text() +
         " on a number that was known before, not one that came with the card, and ask: \"Which "
         "card fingerprint does 'comity peer invite' show at your gateway?\"\nApprove with what "
         "you are told: comity approvals approve ID --fingerprint '...'. Another fingerprint than "
         "the one above is refused.\n";
}

std::string RekeyWords(const identity::Peer& before, const identity::PeerTerms& terms,
                       const identity::Rekeying& how) {
  const identity::PeerTerms& old = before.terms;
  std::string words = "Replace what is known of the partner " + terms.agency.text() + ".\n";
  words += WordsOf(terms);
  if (old.address != terms.address) words += "Address until now: " + old.address + "\n";
  if (old.signing_key == terms.signing_key) {
    words += "The signing key stays as it is.\n";
  } else {
    words += "Signing key until now: " + sign::EncodePublicKey(old.signing_key) + "\n";
  }
  if (old.anchor_pem != terms.anchor_pem) {
    words += "CA certificate until now, SHA-256: " + AnchorFingerprint(old.anchor_pem) + "\n";
  }
  if (how.compromised_since) {
    words += CompromiseWords(how);
  } else if (how.overlap > std::chrono::seconds(0)) {
    words += "The keys until now are accepted for " + Hours(how.overlap) + " more.\n";
  }
  return words + Question(terms);
}

std::string OwnRekeyWords(const identity::PeerTerms& terms, const identity::Rekeying& how) {
  std::string words = "Announce this agency's next signing key to all partners.\n";
  words += WordsOf(terms);
  if (how.compromised_since) words += CompromiseWords(how);
  return words +
         "The gateway works with it once the key file is changed ('comity pki rotate-key "
         "--switch') and it is started again; each partner accepts it once two of its people "
         "approved.\nApprove with the card fingerprint that 'comity pki rotate-key' printed: "
         "comity approvals approve ID --fingerprint '...'.\n";
}

}  // namespace comity::gateway
