// SPDX-License-Identifier: Apache-2.0
#include "services/transport/pki.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "crypto/base/encoding.h"
#include "crypto/base/random.h"
#include "crypto/sign/ed25519.h"
#include "services/runtime/file.h"
#include "services/transport/address.h"
#include "services/transport/certificate.h"
#include "services/transport/certificate_builder.h"
#include "services/transport/key_encryption_file.h"
#include "services/transport/pki_folder.h"

namespace comity::transport {
namespace {

using runtime::Instant;

constexpr std::chrono::days kAuthorityLife{3650};
constexpr std::chrono::days kCrlLife{7};
constexpr std::chrono::seconds kSkew{60};  // a peer whose clock is behind takes a fresh certificate
constexpr int kMaxDays = 825;              // what browsers accept at most
constexpr std::size_t kMaxHosts = 16;
constexpr std::size_t kMaxKeyFile = 4096;

Status WriteCrl(const PkiFolder& folder, const Authority& ca, const std::vector<IndexLine>& index,
                Instant now) {
  std::vector<RevokedEntry> revoked;
  for (const IndexLine& line : index) {
    if (!line.revoked) continue;
    COMITY_ASSIGN_OR_RETURN(Bytes serial, ParseHex(line.serial));
    revoked.push_back({std::move(serial), line.revoked_at, line.reason});
  }
  const Issuer issuer{ca.certificate.get(), ca.key.get()};
  const std::string pem = MakeRevocationList(revoked, issuer, now, now + kCrlLife);
  return runtime::WriteFile(folder.crl(), AsBytes(pem), 0644);
}

Status WriteIndex(const PkiFolder& folder, const std::vector<IndexLine>& index) {
  return runtime::WriteFile(folder.index(), AsBytes(EncodeIndex(index)), 0600);
}

Authority MakeAuthority(const CaSettings& settings, Instant now) {
  Authority ca{nullptr, GenerateTlsKey()};
  CertificateSpec spec;
  spec.organisation = settings.agency;
  spec.common_name = "Comity CA of " + settings.trust_domain.substr(0, 40);  // CN: at most 64
  spec.not_before = now - kSkew;
  spec.not_after = now + kAuthorityLife;
  spec.is_authority = true;
  spec.permitted_uri_host = settings.trust_domain;
  ca.certificate = MakeCertificate(spec, ca.key.get(), Issuer{nullptr, ca.key.get()});
  return ca;
}

Status WriteAgencyKeys(const PkiFolder& folder) {
  SystemRandom random;
  COMITY_RETURN_IF_ERROR(
      WriteNewPrivate(folder.signing_key(), sign::SigningKey::Generate(random).EncodeKeyFile()));
  COMITY_RETURN_IF_ERROR(
      WriteNewPrivate(folder.log_key(), sign::SigningKey::Generate(random).EncodeKeyFile()));
  return WriteNewPrivate(folder.key_encryption_key(), MakeKeyEncryptionFile(random));
}

Result<std::string> AlternativeName(const std::string& host) {
  // An address without a port is parsed as one with any port.
  const bool is_ipv6 = host.find(':') != std::string::npos;
  const auto address = ParseAddress((is_ipv6 ? "[" + host + "]" : host) + ":0");
  if (!address) {
    return Fail(ErrorCode::kInvalidArgument, "a host is a DNS name in lower case or an IP address");
  }
  const bool is_ip = is_ipv6 || host.find_first_not_of("0123456789.") == std::string::npos;
  return (is_ip ? "IP:" : "DNS:") + host;
}

Result<std::string> AlternativeNames(const PeerIdentity& identity, std::vector<std::string> hosts) {
  if (hosts.size() > kMaxHosts) return Fail(ErrorCode::kInvalidArgument, "more than 16 hosts");
  if (hosts.empty() && identity.kind == PeerKind::kGateway) hosts = {"localhost", "127.0.0.1"};
  std::string names = "URI:" + EncodeSpiffeId(identity);
  for (const std::string& host : hosts) {
    COMITY_ASSIGN_OR_RETURN(const std::string name, AlternativeName(host));
    names += "," + name;
  }
  return names;
}

std::filesystem::path FileOf(const PkiFolder& folder, const PeerIdentity& identity) {
  switch (identity.kind) {
    case PeerKind::kGateway:
      return folder.root / "gateway.pem";
    case PeerKind::kEngine:
      return folder.root / "engines" / (identity.name + ".pem");
    case PeerKind::kPerson:
      return folder.root / "people" / (identity.name + ".pem");
  }
  return folder.root / "gateway.pem";
}

Status CheckRequest(const IssueRequest& request) {
  const bool is_gateway = request.kind == PeerKind::kGateway;
  if (is_gateway ? !request.name.empty() : !IsPeerName(request.name)) {
    return Fail(ErrorCode::kInvalidArgument,
                is_gateway ? "a gateway has no name"
                           : "a name has 1 to 64 characters a-z, 0-9 and '-', starts with a letter "
                             "and does not end with '-'");
  }
  if (request.days < 1 || request.days > kMaxDays) {
    return Fail(ErrorCode::kInvalidArgument, "a certificate lives 1 to 825 days");
  }
  return {};
}

// A person's signing key stays the same when the certificate is renewed.
Result<std::string> EnsureSigningKey(const std::filesystem::path& path) {
  const auto existing = runtime::ReadSecretFile(path, kMaxKeyFile);
  if (existing) {
    COMITY_ASSIGN_OR_RETURN(const sign::SigningKey key,
                            sign::SigningKey::ParseKeyFile(AsText(existing->Expose())));
    return sign::EncodePublicKey(key.public_key());
  }
  if (existing.error().code != ErrorCode::kNotFound) return Fail(existing.error());
  SystemRandom random;
  const sign::SigningKey key = sign::SigningKey::Generate(random);
  COMITY_RETURN_IF_ERROR(WriteNewPrivate(path, key.EncodeKeyFile()));
  return sign::EncodePublicKey(key.public_key());
}

Result<PkeyPtr> KeyFor(const IssueRequest& request, const std::filesystem::path& file) {
  std::error_code fault;
  const bool keeps = request.kind == PeerKind::kPerson && request.renew && !request.new_key &&
                     std::filesystem::exists(file, fault);
  if (keeps) return ReadPrivateKey(file);
  return GenerateTlsKey();
}

Result<CertificateSpec> SpecOf(const AgencyName& agency, const PeerIdentity& identity,
                               const IssueRequest& request, Instant now) {
  CertificateSpec spec;
  spec.organisation = agency.agency;
  spec.common_name = identity.name.empty() ? std::string(Name(identity.kind)) : identity.name;
  spec.not_before = now - kSkew;
  spec.not_after = now + std::chrono::days(request.days);
  COMITY_ASSIGN_OR_RETURN(spec.alternative_names, AlternativeNames(identity, request.hosts));
  return spec;
}

Result<std::string> SerialFrom(const std::string& serial_or_file) {
  if (!serial_or_file.empty() && ParseHex(serial_or_file)) return serial_or_file;
  COMITY_ASSIGN_OR_RETURN(const Bytes text, runtime::ReadFile(serial_or_file, kMaxKeyFile * 16));
  SecretBytes secret = SecretBytes::CopyOf(text);  // the file holds a private key, too
  COMITY_ASSIGN_OR_RETURN(const CertificateChain chain,
                          ParseCertificateChain(AsText(secret.Expose())));
  return SerialOf(*chain.leaf);
}

}  // namespace

Status InitCa(const CaSettings& settings, Instant now) {
  if (!IsPeerName(settings.agency) || !IsTrustDomain(settings.trust_domain)) {
    return Fail(ErrorCode::kInvalidArgument,
                "an agency id has 1 to 64 characters a-z, 0-9 and '-'; a trust domain is a DNS "
                "name in lower case");
  }
  const PkiFolder folder{settings.folder};
  for (const auto& part : {folder.root, folder.root / "ca", folder.root / "keys"}) {
    COMITY_RETURN_IF_ERROR(MakePrivateFolder(part));
  }
  COMITY_ASSIGN_OR_RETURN(const FolderLock lock, FolderLock::Take(folder));
  const Authority ca = MakeAuthority(settings, now);
  // The certificate first: it marks the folder as taken. agency.toml last: it marks it as whole.
  COMITY_RETURN_IF_ERROR(WriteNewPublic(folder.ca_certificate(), EncodePem(*ca.certificate)));
  COMITY_RETURN_IF_ERROR(
      WriteNewPrivate(folder.ca_key(), EncodeKeyAndCertificate(ca.key.get(), *ca.certificate)));
  COMITY_RETURN_IF_ERROR(WriteAgencyKeys(folder));
  COMITY_RETURN_IF_ERROR(WriteIndex(folder, {}));
  COMITY_RETURN_IF_ERROR(WriteCrl(folder, ca, {}, now));
  return WriteNewPublic(folder.agency(),
                        EncodeAgencyName({settings.agency, settings.trust_domain}));
}

Result<IssuedCertificate> Issue(const std::filesystem::path& root, const IssueRequest& request,
                                Instant now) {
  const PkiFolder folder{root};
  COMITY_RETURN_IF_ERROR(CheckRequest(request));
  COMITY_ASSIGN_OR_RETURN(const AgencyName agency, ReadAgencyName(folder));
  COMITY_ASSIGN_OR_RETURN(const FolderLock lock, FolderLock::Take(folder));
  COMITY_ASSIGN_OR_RETURN(const Authority ca, ReadAuthority(folder));
  COMITY_ASSIGN_OR_RETURN(std::vector<IndexLine> index, ReadIndex(folder));
  const PeerIdentity identity{request.kind, agency.trust_domain, request.name};
  COMITY_ASSIGN_OR_RETURN(const CertificateSpec spec, SpecOf(agency, identity, request, now));
  if (spec.not_after > ExpiryOf(*ca.certificate)) {
    return Fail(ErrorCode::kInvalidArgument, "the certificate would outlive its CA");
  }
  const std::filesystem::path file = FileOf(folder, identity);
  if (!request.renew) COMITY_RETURN_IF_ERROR(CheckAbsent(file));
  COMITY_ASSIGN_OR_RETURN(const PkeyPtr key, KeyFor(request, file));
  const X509Ptr certificate =
      MakeCertificate(spec, key.get(), Issuer{ca.certificate.get(), ca.key.get()});
  IssuedCertificate issued{file,
                           EncodePem(*certificate),
                           {},
                           {},
                           EncodeSpiffeId(identity),
                           SerialOf(*certificate),
                           EncodeHex(Fingerprint(*certificate).view()),
                           ExpiryOf(*certificate)};
  // Indexed before it is written: what exists can be revoked.
  index.push_back({false, issued.serial, issued.expires_at, {}, 0, issued.spiffe_id});
  COMITY_RETURN_IF_ERROR(WriteIndex(folder, index));
  COMITY_RETURN_IF_ERROR(MakePrivateFolder(file.parent_path()));
  const SecretBytes pem = EncodeKeyAndCertificate(key.get(), *certificate);
  COMITY_RETURN_IF_ERROR(runtime::WriteFile(file, pem.Expose(), 0600));
  if (request.kind == PeerKind::kPerson) {
    issued.signing_key_file = std::filesystem::path(issued.pem_file).replace_extension(".key");
    COMITY_ASSIGN_OR_RETURN(issued.signing_key, EnsureSigningKey(*issued.signing_key_file));
    const auto write = [&](const char* extension, const std::string& text) {
      return runtime::WriteFile(std::filesystem::path(file).replace_extension(extension),
                                AsBytes(text), 0644);
    };
    COMITY_RETURN_IF_ERROR(write(".crt", issued.certificate));
    COMITY_RETURN_IF_ERROR(write(".pub", issued.signing_key + "\n"));
  }
  return issued;
}

Result<RevocationReason> ParseRevocationReason(std::string_view text) {
  constexpr std::pair<std::string_view, RevocationReason> kNames[] = {
      {"unspecified", RevocationReason::kUnspecified},
      {"key-compromise", RevocationReason::kKeyCompromise},
      {"affiliation-changed", RevocationReason::kAffiliationChanged},
      {"superseded", RevocationReason::kSuperseded},
      {"cessation-of-operation", RevocationReason::kCessationOfOperation}};
  for (const auto& [name, reason] : kNames) {
    if (text == name) return reason;
  }
  return Fail(ErrorCode::kInvalidArgument,
              "a reason is unspecified, key-compromise, affiliation-changed, superseded or "
              "cessation-of-operation");
}

Result<std::string> Revoke(const std::filesystem::path& root, const RevokeRequest& request,
                           Instant now) {
  const PkiFolder folder{root};
  COMITY_RETURN_IF_ERROR(ReadAgencyName(folder));
  COMITY_ASSIGN_OR_RETURN(const FolderLock lock, FolderLock::Take(folder));
  COMITY_ASSIGN_OR_RETURN(const Authority ca, ReadAuthority(folder));
  COMITY_ASSIGN_OR_RETURN(std::vector<IndexLine> index, ReadIndex(folder));
  COMITY_ASSIGN_OR_RETURN(const std::string serial, SerialFrom(request.serial_or_file));
  const auto line = std::find_if(index.begin(), index.end(), [&](const IndexLine& candidate) {
    return candidate.serial == serial;
  });
  if (line == index.end()) {
    return Fail(ErrorCode::kNotFound, "this CA issued no certificate with serial " + serial);
  }
  if (line->revoked) {
    return Fail(ErrorCode::kConflict, "certificate " + serial + " is revoked already");
  }
  line->revoked = true;
  line->revoked_at = now;
  line->reason = static_cast<int>(request.reason);
  COMITY_RETURN_IF_ERROR(WriteIndex(folder, index));
  COMITY_RETURN_IF_ERROR(WriteCrl(folder, ca, index, now));
  return serial;
}

Status RenewCrl(const std::filesystem::path& root, Instant now) {
  const PkiFolder folder{root};
  COMITY_RETURN_IF_ERROR(ReadAgencyName(folder));
  COMITY_ASSIGN_OR_RETURN(const FolderLock lock, FolderLock::Take(folder));
  COMITY_ASSIGN_OR_RETURN(const Authority ca, ReadAuthority(folder));
  COMITY_ASSIGN_OR_RETURN(const std::vector<IndexLine> index, ReadIndex(folder));
  return WriteCrl(folder, ca, index, now);
}

}  // namespace comity::transport
