// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <string>

#include "crypto/sign/ed25519.h"
#include "policy/model/instant.h"
#include "services/cli/doctor_checks.h"
#include "services/runtime/file.h"
#include "services/transport/certificate.h"
#include "services/transport/limits.h"
#include "services/transport/trust_store.h"

namespace comity::cli {
namespace {

constexpr std::size_t kMaxKeyFile = 4096;

struct Keys {
  Digest tls;
  sign::PublicKey signing;
};

// The certificate as the agency port would verify it.
Result<Digest> CheckCertificate(const runtime::AdministratorConfig& person,
                                const runtime::Config& config, runtime::Instant now) {
  COMITY_ASSIGN_OR_RETURN(
      const std::string pem,
      runtime::ReadTextFile(person.certificate, transport::limits::kMaxCertificateChain));
  COMITY_ASSIGN_OR_RETURN(const auto trust, transport::TrustStore::ForAgency(
                                                {config.agency.id, config.agency.trust_domain,
                                                 config.keys.roots, config.keys.crl}));
  COMITY_ASSIGN_OR_RETURN(const transport::VerifiedPeer verified, trust->Verify(pem, now));
  if (verified.identity.kind != transport::PeerKind::kPerson ||
      verified.identity.name != person.id) {
    return Fail(ErrorCode::kInvalidArgument,
                "the certificate is of " + transport::EncodeSpiffeId(verified.identity));
  }
  return verified.public_key;
}

Result<sign::PublicKey> CheckSigningKey(const runtime::AdministratorConfig& person) {
  COMITY_ASSIGN_OR_RETURN(std::string text,
                          runtime::ReadTextFile(person.signing_key_file, kMaxKeyFile));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return sign::ParsePublicKey(text);
}

}  // namespace

void CheckAdministrators(const runtime::Config& config, runtime::Instant now, Findings& findings) {
  std::optional<Keys> first;
  for (const runtime::AdministratorConfig& person : config.administrators) {
    const std::string what = "administrator " + person.id;
    const auto certificate = CheckCertificate(person, config, now);
    const auto key = CheckSigningKey(person);
    if (!certificate) findings.Wrong(what + " certificate", certificate.error().detail);
    if (!key) findings.Wrong(what + " signing_key_file", key.error().detail);
    if (!certificate || !key) continue;
    if (first && (first->tls == *certificate || first->signing == *key)) {
      findings.Wrong(what, "a key is that of the other administrator; they must be two people");
      continue;
    }
    first = Keys{*certificate, *key};
    findings.Ok(what, person.post + ", " + sign::EncodePublicKey(*key));
  }
}

}  // namespace comity::cli
