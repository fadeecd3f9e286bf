// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/client_context.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "comity/v1/federation.grpc.pb.h"
#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "services/gateway/signed_message.h"
#include "services/transport/trust_store.h"

namespace comity::gateway {

// The versions of the federation protocol that this gateway speaks.
inline constexpr std::uint32_t kProtocolMin = 1;
inline constexpr std::uint32_t kProtocolMax = 1;

// What a peer answered to Hello.
struct HelloAnswer {
  std::uint32_t protocol = 0;
  std::string software;
  std::chrono::milliseconds clock_skew{};  // peer's clock minus ours, without half the round trip
};

// Channels to the pinned peers and the signed unary calls over them.
//
// Threads: thread-safe.
class PeerLinks {
 public:
  struct Link {
    PinnedPeer peer;
    std::string address;
    std::unique_ptr<v1::Federation::Stub> stub;
  };

  // References must outlive the object.
  PeerLinks(std::vector<Link> links, transport::TrustStore& trust, const MessageSigner& signer,
            const MessageVerifier& verifier, const runtime::Clock& clock, RandomSource& random);

  // Errors: kNotFound  no such peer
  Result<const Link*> Find(const policy::AgencyId& agency) const;
  const std::map<policy::AgencyId, Link>& all() const { return links_; }

  // Whether the certificate behind an open call is good at this moment, and this peer's.
  // Errors: those of transport::ServerOf; kUnauthenticated  another peer's
  Status Verify(const grpc::ClientContext& call, const policy::AgencyId& agency) const;

  // Errors: kUnavailable  not reachable in time; those of MessageVerifier
  Result<HelloAnswer> Hello(const policy::AgencyId& agency) const;

  struct Delivered {
    v1::AgreementReceipt receipt;
    Digest request;  // digests of the two signed messages
    Digest reply;
    std::string exchange;
  };
  Result<Delivered> DeliverAgreement(const policy::AgencyId& agency,
                                     v1::AgreementDelivery delivery) const;

 private:
  std::map<policy::AgencyId, Link> links_;
  transport::TrustStore& trust_;
  const MessageSigner& signer_;
  const MessageVerifier& verifier_;
  const runtime::Clock& clock_;
  RandomSource& random_;
};

}  // namespace comity::gateway
