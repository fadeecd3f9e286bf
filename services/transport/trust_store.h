// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "services/runtime/clock.h"
#include "services/transport/own_revocations.h"
#include "services/transport/peer_identity.h"

namespace comity::transport {

// A partner agency's gateway and the one authority that may speak for it.
struct PinnedPeer {
  std::string agency;
  std::string spiffe_id;  // spiffe://<trust domain>/gateway
  // PEM: the CA certificate(s) of this peer, old and new in a change. A file, or the text itself.
  std::filesystem::path anchor_file;
  std::optional<std::filesystem::path> crl_file;  // PEM: a CRL of every CA in the chain
  std::string anchor_pem{};                       // counts if there is no file
  bool operator==(const PinnedPeer&) const = default;
};

// The own agency's engines and people: any /engine/<name> and /person/<id> of one trust domain.
struct OwnAgency {
  std::string agency;
  std::string trust_domain;
  std::filesystem::path anchor_file;
  std::optional<std::filesystem::path> crl_file;
};

struct TrustTiming {
  std::chrono::milliseconds file_check{1000};  // least time between two looks at the files
  std::chrono::seconds verdict_lifetime{60};   // then a certificate is verified again
};

// In which role the peer shows its certificate: decides the extended key usage it needs.
enum class PeerRole { kClient, kServer };

// A peer whose certificate was verified.
struct VerifiedPeer {
  std::string agency;
  PeerIdentity identity;
  Digest certificate;  // SHA-256 of the leaf's DER: the fingerprint
  Digest public_key;   // SHA-256 of the leaf's SubjectPublicKeyInfo: stays when it is renewed
  std::string serial;  // lower-case hex
  runtime::Instant expires_at{};
};

// Decides which certificates are who. Each peer has its own trust anchors: the CA of one can never
// speak for another. Peers come and go while it works. Files are read again when they change, so
// that anchors and revocation lists rotate without a restart; a file that became unreadable refuses
// its peer.
//
// Threads: thread-safe.
class TrustStore {
 public:
  // For the federation port, and for channels to peers. No peer at all is allowed: nobody gets in.
  //
  // Errors: kInvalidArgument  a SPIFFE id is none of a gateway or is given twice; an anchor file
  // holds
  //                           no CA certificate
  //         kNotFound         an anchor file cannot be read
  static Result<std::unique_ptr<TrustStore>> ForFederation(std::vector<PinnedPeer> peers,
                                                           TrustTiming timing = {});
  // Other peers from now on, or the same with other anchors: what was verified before is verified
  // again. A peer without usable anchor is refused; the others are not affected.
  // Errors: kInvalidArgument  a SPIFFE id as above: nothing changes
  Status SetPeers(std::vector<PinnedPeer> peers);
  // What this agency bars from now on, in place of what it barred before: refused at the next look,
  // however long ago the certificate was verified. In: revocations  not null
  void SetRevocations(std::shared_ptr<const OwnRevocations> revocations);
  // For the agency port. Errors: as above.
  static Result<std::unique_ptr<TrustStore>> ForAgency(OwnAgency own, TrustTiming timing = {});
  ~TrustStore();
  TrustStore(const TrustStore&) = delete;
  TrustStore& operator=(const TrustStore&) = delete;

  // Cheap enough for every call: a verdict is remembered until a file changes, the leaf expires, or
  // a minute has passed.
  //
  // In:     pem_chain  leaf first, then what the peer sent; at most 64 KiB; untrusted
  //         now        UTC; certificates and CRLs are judged at this moment
  // Errors: kInvalidArgument   not PEM certificates, or a limit is broken
  //         kUnauthenticated   not exactly one URI SAN, not a known SPIFFE id, no chain to this
  //                            peer's own anchor, expired, or revoked: by its authority, or by
  //                            this agency (the detail names the revocation)
  //         kUnavailable       this peer's anchor or CRL is missing, unreadable or expired
  Result<VerifiedPeer> Verify(std::string_view pem_chain, runtime::Instant now,
                              PeerRole role = PeerRole::kClient);

  // All anchors as one PEM text, for the handshake's first look. Empty without peers.
  std::string AnchorBundle();

  // What would refuse a peer whatever it shows, in words: unreadable files, expired anchors and
  // CRLs. Empty when all is well. For start-up and `comity doctor`.
  std::vector<std::string> Faults(runtime::Instant now);

 private:
  class Impl;
  explicit TrustStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace comity::transport
