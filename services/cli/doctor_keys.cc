// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/base/secret.h"
#include "crypto/sign/ed25519.h"
#include "policy/model/instant.h"
#include "services/cli/doctor_checks.h"
#include "services/runtime/file.h"
#include "services/transport/certificate.h"
#include "services/transport/chain_gap.h"
#include "services/transport/key_encryption_file.h"
#include "services/transport/limits.h"
#include "services/transport/trust_store.h"
#include "services/transport/validity.h"

namespace comity::cli {
namespace {

constexpr std::chrono::days kSoon{14};
constexpr std::chrono::days kCrlSoon{2};  // of the 7 that a list lives
constexpr std::size_t kMaxKeyFile = 4096;
constexpr std::size_t kMaxIdentityFile = 256 * 1024;

std::string Until(runtime::Instant instant) {
  return policy::EncodeInstant(std::chrono::floor<std::chrono::seconds>(instant));
}

void CheckValidity(const transport::Validity& validity, runtime::Instant now, Findings& findings) {
  if (now < validity.from) {
    findings.Wrong("clock", "the system time " + Until(now) + " is before " + Until(validity.from) +
                                ", when the gateway's certificate was issued: set the clock "
                                "(timedatectl), or issue the certificate again");
  } else if (now >= validity.until) {
    findings.Wrong("keys.tls", "the certificate expired at " + Until(validity.until) +
                                   ": comity pki issue --gateway --renew");
  } else if (now + kSoon > validity.until) {
    findings.Warn("keys.tls", "the certificate expires at " + Until(validity.until) +
                                  ", in less than 14 days: comity pki issue --gateway --renew");
  } else {
    findings.Ok("clock", "the system time lies inside the certificate's life");
    findings.Ok("keys.tls", "valid until " + Until(validity.until));
  }
}

// The usual causes of a chain that ends nowhere, by the names in it.
std::string GapWords(std::string_view pem, const std::filesystem::path& roots_file) {
  const auto roots = runtime::ReadTextFile(roots_file, transport::limits::kMaxTrustFile);
  if (!roots) return {};
  const auto gap = transport::FindChainGap(pem, *roots);
  if (!gap) return {};
  std::string known;
  for (const std::string& root : gap->roots) known += (known.empty() ? "" : ", ") + root;
  return "; the chain in keys.tls ends at (" + gap->subject + "), issued by (" + gap->issuer +
         "), and keys.roots has only (" + known +
         "): append the intermediate certificate to keys.tls, or put this agency's own CA into "
         "keys.roots";
}

// Engines and people check the gateway against `roots`, as this program does.
void CheckCertifiedByRoots(const runtime::Config& config, std::string_view pem,
                           runtime::Instant now, Findings& findings) {
  transport::PinnedPeer self;
  self.agency = config.agency.id;
  self.spiffe_id = "spiffe://" + config.agency.trust_domain + "/gateway";
  self.anchor_file = config.keys.roots;
  self.crl_file = config.keys.crl;
  auto trust = transport::TrustStore::ForFederation({self});
  if (!trust) {
    findings.Wrong("keys.roots", trust.error().detail);
    return;
  }
  const auto verified = (*trust)->Verify(pem, now, transport::PeerRole::kServer);
  if (!verified) {
    findings.Wrong("keys.tls",
                   "own engines and people would refuse this certificate under "
                   "keys.roots and keys.crl: " +
                       verified.error().detail + GapWords(pem, config.keys.roots));
  }
}

void CheckIdentity(const runtime::Config& config, runtime::Instant now, Findings& findings) {
  const auto own = transport::ReadOwnCertificate(config.keys.tls);
  if (!own) {
    findings.Wrong("keys.tls", own.error().detail);
    return;
  }
  if (own->identity.kind != transport::PeerKind::kGateway) {
    findings.Wrong("keys.tls", "the certificate is of " + transport::EncodeSpiffeId(own->identity) +
                                   ", not of a gateway: comity pki issue --gateway");
    return;
  }
  if (own->identity.trust_domain != config.agency.trust_domain) {
    findings.Wrong("keys.tls", "the certificate is of " + transport::EncodeSpiffeId(own->identity) +
                                   ", but agency.trust_domain is " + config.agency.trust_domain);
    return;
  }
  const auto text = runtime::ReadSecretFile(config.keys.tls, kMaxIdentityFile);
  if (!text) {
    findings.Wrong("keys.tls", text.error().detail);
    return;
  }
  const std::string_view pem = AsText(text->Expose());
  const auto validity = transport::ValidityOfLeaf(pem);
  if (!validity) {
    findings.Wrong("keys.tls", validity.error().detail);
    return;
  }
  CheckValidity(*validity, now, findings);
  const bool is_valid_now = now >= validity->from && now < validity->until;
  if (is_valid_now) CheckCertifiedByRoots(config, pem, now, findings);
}

void CheckRoots(const runtime::Config& config, runtime::Instant now, Findings& findings) {
  auto trust = transport::TrustStore::ForAgency(
      {config.agency.id, config.agency.trust_domain, config.keys.roots, config.keys.crl});
  if (!trust) {
    findings.Wrong("keys.roots", trust.error().detail);
    return;
  }
  const auto faults = (*trust)->Faults(now);
  for (const std::string& fault : faults) findings.Wrong("keys.roots and keys.crl", fault);
  if (!faults.empty()) return;
  findings.Ok("keys.roots", config.keys.roots.string());
  if (!config.keys.crl) {
    findings.Warn("keys.crl",
                  "none is configured: a revoked person or engine gets in until its "
                  "certificate expires");
    return;
  }
  const auto validity = transport::ValidityOfRevocationLists(*config.keys.crl);
  if (validity && now + kCrlSoon > validity->until) {
    findings.Warn("keys.crl", "expires at " + Until(validity->until) +
                                  "; then everybody is refused: comity pki renew-crl");
  } else if (validity) {
    findings.Ok("keys.crl", "valid until " + Until(validity->until));
  }
}

std::optional<sign::PublicKey> CheckSigningKey(const char* what, const std::filesystem::path& file,
                                               Findings& findings) {
  const auto text = runtime::ReadSecretFile(file, kMaxKeyFile);
  if (!text) {
    findings.Wrong(what, text.error().detail);
    return std::nullopt;
  }
  const auto key = sign::SigningKey::ParseKeyFile(AsText(text->Expose()));
  if (!key) {
    findings.Wrong(what, file.string() + ": " + key.error().detail +
                             "; it must be the file that 'comity pki init' made");
    return std::nullopt;
  }
  findings.Ok(what, sign::EncodePublicKey(key->public_key()));
  return key->public_key();
}

}  // namespace

void CheckKeys(const runtime::Config& config, runtime::Instant now, Findings& findings) {
  CheckIdentity(config, now, findings);
  CheckRoots(config, now, findings);
  const auto signing = CheckSigningKey("keys.signing", config.keys.signing, findings);
  const auto log = CheckSigningKey("keys.log", config.keys.log, findings);
  if (signing && log && *signing == *log) {
    findings.Wrong("keys.log", "the log key and the signing key are one key; they must be two");
  }
  const auto encryption = transport::ReadKeyEncryptionFile(config.keys.key_encryption);
  if (encryption) {
    findings.Ok("keys.key_encryption", "readable; keep a copy apart from the data");
  } else {
    findings.Wrong("keys.key_encryption", encryption.error().detail);
  }
}

}  // namespace comity::cli
