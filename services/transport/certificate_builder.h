// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/secret.h"
#include "services/runtime/clock.h"
#include "services/transport/openssl_ptr.h"

namespace comity::transport {

// Making of keys, certificates and revocation lists. Inputs are values that were checked before; a
// failure here is a fault of this program or of memory, and ends the process.

// An ECDSA P-256 key: the one curve that every TLS 1.3 peer of gRPC 1.51 can use.
PkeyPtr GenerateTlsKey();

struct CertificateSpec {
  std::string organisation;
  std::string common_name;
  runtime::Instant not_before{};
  runtime::Instant not_after{};
  bool is_authority = false;
  int path_length = 0;             // authority: how many authorities may stand below it
  std::string alternative_names;   // OpenSSL form: "URI:spiffe://...,DNS:localhost"; checked parts
  std::string permitted_uri_host;  // authority: certifies URIs of this host only
};

struct Issuer {
  const X509* certificate = nullptr;  // null: self-signed
  EVP_PKEY* key = nullptr;
};

// A version 3 certificate over `subject_key` with a random 127-bit serial number.
// Source: RFC 5280 section 4
X509Ptr MakeCertificate(const CertificateSpec& spec, EVP_PKEY* subject_key, const Issuer& issuer);

struct RevokedEntry {
  Bytes serial;  // big-endian
  runtime::Instant revoked_at{};
  int reason = 0;  // CRLReason of RFC 5280 section 5.3.1
};
// A version 2 list in PEM form. Source: RFC 5280 section 5
std::string MakeRevocationList(const std::vector<RevokedEntry>& entries, const Issuer& issuer,
                               runtime::Instant now, runtime::Instant next_update);

// Key and certificate as one PEM text.
SecretBytes EncodeKeyAndCertificate(EVP_PKEY* key, const X509& certificate);

}  // namespace comity::transport
