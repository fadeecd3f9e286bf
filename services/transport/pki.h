// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/result.h"
#include "services/runtime/clock.h"
#include "services/transport/peer_identity.h"

namespace comity::transport {

// A small certificate authority for demos and small federations (`comity pki`). Nothing in the
// gateway depends on it: certificates of a real CA with the same URI SAN serve as well.
//
//   DIR/agency.toml              agency id and trust domain                          0644
//   DIR/ca/ca.pem, ca.key        the CA's certificate and key (ECDSA P-256)          0644, 0600
//   DIR/ca/index                 one line a certificate: serial, expiry, state, name 0600
//   DIR/ca/lock                  held by a running command                           0600
//   DIR/crl.pem                  signed revocation list, valid for 7 days            0644
//   DIR/keys/agency-signing.key  Ed25519: messages, receipts, own people's keys      0600
//   DIR/keys/log.key             Ed25519: checkpoints of the audit log               0600
//   DIR/keys/key-encryption.key  256 bits: wraps data keys                           0600
//   DIR/gateway.pem              key and chain                                       0600
//   DIR/engines/NAME.pem         key and chain                                       0600
//   DIR/people/ID.pem, ID.key    key and chain; Ed25519 signing key                  0600
//   DIR/people/ID.crt, ID.pub    the certificate and the public half of the signing key alone: what
//                                a configuration's [[administrator]] names           0644
//
// An existing file is never overwritten, but for a certificate that is being renewed.
//
// Threads: thread-compatible; one process at a time works on a folder (a lock file sees to it).

struct CaSettings {
  std::string agency;        // northshire-police
  std::string trust_domain;  // northshire-police.example
  std::filesystem::path folder;
};
// Errors: kInvalidArgument  agency or trust domain is malformed
//         kConflict         the folder holds a CA already
//         kUnavailable      a file cannot be written
Status InitCa(const CaSettings& settings, runtime::Instant now);

struct IssueRequest {
  PeerKind kind = PeerKind::kGateway;
  std::string name;  // engine's name or person's id; empty for the gateway
  int days = 90;     // 1..825
  // DNS names or IP addresses besides the URI; for the gateway localhost and 127.0.0.1 when empty.
  std::vector<std::string> hosts;
  // Replaces the file of the same name by rename; the old certificate stays valid. A person keeps
  // their key, by which gateways know them, unless `new_key`.
  bool renew = false;
  bool new_key = false;
};
struct IssuedCertificate {
  std::filesystem::path pem_file;
  std::string certificate;                                // PEM, without a key
  std::optional<std::filesystem::path> signing_key_file;  // a person's
  std::string signing_key;                                // ed25519:<base64>, public; a person's
  std::string spiffe_id;
  std::string serial;
  std::string fingerprint;  // SHA-256 of the certificate, lower-case hex
  runtime::Instant expires_at{};
};
// Errors: kInvalidArgument  malformed name, host or days; days beyond the CA's own life
//         kNotFound         the folder holds no CA
//         kConflict         the file exists and `renew` is not set
Result<IssuedCertificate> Issue(const std::filesystem::path& folder, const IssueRequest& request,
                                runtime::Instant now);

// Values are those of RFC 5280 section 5.3.1.
enum class RevocationReason {
  kUnspecified = 0,
  kKeyCompromise = 1,
  kAffiliationChanged = 3,
  kSuperseded = 4,
  kCessationOfOperation = 5
};
// Errors: kInvalidArgument  not one of unspecified, key-compromise, affiliation-changed,
// superseded,
//                           cessation-of-operation
Result<RevocationReason> ParseRevocationReason(std::string_view text);

struct RevokeRequest {
  std::string serial_or_file;  // hexadecimal serial, or the path of a PEM of this CA
  RevocationReason reason = RevocationReason::kUnspecified;
};
// Marks the certificate and signs a new list. Returns the serial.
// Errors: kNotFound  no such CA or certificate; kConflict  revoked already
Result<std::string> Revoke(const std::filesystem::path& folder, const RevokeRequest& request,
                           runtime::Instant now);

// Signs the list anew; it must be done at least every 7 days, else everybody is refused.
Status RenewCrl(const std::filesystem::path& folder, runtime::Instant now);

}  // namespace comity::transport
