// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "services/runtime/clock.h"
#include "services/transport/openssl_ptr.h"
#include "services/transport/peer_identity.h"

namespace comity::transport {

// Reading of certificates. Nothing here decides whom to trust: that is TrustStore.

struct CertificateChain {
  X509Ptr leaf;
  X509StackPtr others;  // what followed the leaf; may be empty
};

// In:     pem  untrusted, at most 64 KiB and 8 certificates, leaf first; other PEM blocks are
// skipped Errors: kInvalidArgument
Result<CertificateChain> ParseCertificateChain(std::string_view pem);

// The certificates of a trust file of any number, e.g. anchors. Errors: kInvalidArgument  none, or
// a block that is no certificate
Result<X509StackPtr> ParseCertificates(std::string_view pem);
// The revocation lists of a file. Errors: kInvalidArgument  none, or a block that is no CRL
Result<CrlStackPtr> ParseRevocationLists(std::string_view pem);

// The identity in the one URI SAN.
// Errors: kUnauthenticated  no URI SAN, more than one, or not a SPIFFE id of ours
Result<PeerIdentity> IdentityOf(const X509& certificate);

// An anchor is the top of the chain: a self-signed certificate that may sign others.
bool IsRoot(X509* certificate);

Digest Fingerprint(const X509& certificate);      // SHA-256 of the DER
Digest PublicKeyDigest(const X509& certificate);  // SHA-256 of the SubjectPublicKeyInfo's DER
std::string SerialOf(const X509& certificate);    // lower-case hex, two characters an octet
runtime::Instant ExpiryOf(const X509& certificate);
std::string EncodePem(const X509& certificate);

// A certificate as anybody may see it.
struct PublicCertificate {
  PeerIdentity identity;
  Digest public_key;  // SHA-256 of the SubjectPublicKeyInfo
  Digest fingerprint;
  runtime::Instant expires_at{};
};
// In:     pem  untrusted; the first certificate counts
// Errors: those of ParseCertificateChain and IdentityOf
Result<PublicCertificate> ReadPublicCertificate(std::string_view pem);

// Own key and certificate as a file holds them.
struct OwnCertificate {
  PeerIdentity identity;
  Digest fingerprint;
  runtime::Instant expires_at{};
};
// Errors: kNotFound, kUnavailable  the file cannot be read
//         kPermissionDenied        others can read the key
//         kInvalidArgument         not one private key with its certificate
Result<OwnCertificate> ReadOwnCertificate(const std::filesystem::path& pem_file);

}  // namespace comity::transport
