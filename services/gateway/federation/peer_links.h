// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "comity/v1/federation.grpc.pb.h"
#include "comity/v1/sealed.pb.h"
#include "crypto/base/bytes.h"
#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "services/gateway/federation/peer_view.h"
#include "services/gateway/wire/signed_message.h"
#include "services/runtime/guarded.h"
#include "services/transport/trust_store.h"

namespace comity::gateway {

// What a peer answered to Hello.
struct HelloAnswer {
  std::uint32_t protocol = 0;
  std::string software;
  PeerView view;
  std::chrono::milliseconds clock_skew{};    // peer's clock minus ours, without half the round trip
  policy::Instant certificate_expires_at{};  // of the one that it showed
};

// Channels to the partners and the signed unary calls over them. Partners come and go while it
// works.
//
// Threads: thread-safe.
class PeerLinks {
 public:
  // Stays usable for as long as it is held, also when the partner is gone from here; a new call
  // should ask Find() again.
  struct Link {
    PinnedPeer peer;
    std::string address;
    std::shared_ptr<v1::Federation::Stub> stub;
  };
  using LinkPtr = std::shared_ptr<const Link>;
  struct Target {
    PinnedPeer peer;
    std::string address;
    bool suspended = false;
    bool operator==(const Target&) const = default;
  };
  // Opens a channel that accepts this agency's gateway and no other.
  using Connect = std::function<Result<std::shared_ptr<grpc::Channel>>(
      const policy::AgencyId& agency, const std::string& address)>;

  // What this gateway says to a partner of itself and of it.
  using ViewOf = std::function<PeerView(const policy::AgencyId& agency)>;
  struct Ports {
    Connect connect;
    ViewOf view;
    transport::TrustStore& trust;
    const MessageSigner& signer;
    const MessageVerifier& verifier;
    const runtime::Clock& clock;
    RandomSource& random;
  };

  // References must outlive the object.
  explicit PeerLinks(Ports ports) : ports_(std::move(ports)) {}

  // The partners from now on. The channel of an unchanged address stays.
  // Errors: those of Connect, of the first that cannot be opened; the others are set
  Status Set(const std::vector<Target>& targets);

  // Never null. Errors: kNotFound  no such partner; kPermissionDenied  it is suspended here
  Result<LinkPtr> Find(const policy::AgencyId& agency) const;
  // All that are not suspended, as of now.
  std::map<policy::AgencyId, LinkPtr> all() const;
  // All, suspended ones too.
  std::vector<policy::AgencyId> partners() const;

  // Whether the certificate behind an open call is good at this moment, and this peer's.
  // Errors: those of transport::ServerOf; kUnauthenticated  another peer's
  Status Verify(const grpc::ClientContext& call, const policy::AgencyId& agency) const;

  // The certificate behind an open call, verified as above: SHA-256 of its DER.
  Result<Digest> CertificateOf(const grpc::ClientContext& call,
                               const policy::AgencyId& agency) const;

  // Also to a partner that is suspended.
  // Errors: kNotFound; kUnavailable  not reachable in time; those of MessageVerifier
  // In: leaving  this gateway stops now, as planned
  Result<HelloAnswer> Hello(const policy::AgencyId& agency, bool leaving = false) const;

  struct Delivered {
    v1::AgreementReceipt receipt;
    Digest request;  // digests of the two signed messages
    Digest reply;
    std::string exchange;
  };
  Result<Delivered> DeliverAgreement(const policy::AgencyId& agency,
                                     v1::AgreementDelivery delivery) const;

  template <typename Reply>
  struct Answered {
    Reply reply;
    Digest request;  // digests of the two signed messages
    Digest answer;
    std::string exchange;
  };
  using Offered = Answered<v1::ListOffersReply>;
  using Validated = Answered<v1::ValidateListsReply>;
  // Errors: those of Find; kUnavailable  not reachable in time; those of MessageVerifier
  Result<Offered> ListOffers(const policy::AgencyId& agency) const;
  // Errors: as ListOffers. In: stop  ends the call
  Result<Validated> ValidateLists(const policy::AgencyId& agency, v1::ValidateListsRequest request,
                                  const std::stop_token& stop) const;

  // The sealed lists that the partner has for this agency. Errors: as ValidateLists
  Result<v1::ListSealedReply> ListSealed(const policy::AgencyId& agency,
                                         v1::ListSealedRequest request,
                                         const std::stop_token& stop) const;
  // A state or a block, as it comes: `take` is given 1 octet to 1 MiB at a time. Ends after a
  // minute; what was taken by then counts.
  // Errors: those of Find; kUnavailable  the stream broke; those of `take`, which ends the call
  Status FetchSealed(const policy::AgencyId& agency, v1::FetchSealedRequest request,
                     const std::stop_token& stop,
                     const std::function<Status(ByteView)>& take) const;

  // Also to a partner that is suspended here: it must learn what is withdrawn all the same.
  // Errors: those of Hello; kInternal, kExhausted ...  what the partner's status says
  // In: stop  ends the call
  Result<v1::PartnerReceipt> Deliver(const policy::AgencyId& agency, v1::PartnerMessage message,
                                     const std::stop_token& stop) const;

 private:
  struct Known {
    LinkPtr link;
    bool suspended = false;
  };
  // How a unary call ended.
  struct Answer {
    const grpc::Status& status;
    const grpc::ClientContext& context;
    const v1::SignedMessage& reply;
  };
  // A unary call: the request signed, the answer verified.
  template <typename Reply, typename Method, typename Request>
  Result<Answered<Reply>> Ask(const Link& link, Method method, Request request,
                              const std::stop_token& stop) const;
  Result<Known> Look(const policy::AgencyId& agency) const;
  Status ServedBy(const grpc::ClientContext& call, const policy::AgencyId& agency) const;
  // The verified payload. An answer must repeat the exchange id of its request.
  template <typename Payload>
  Result<Payload> Read(const Answer& answer, const PinnedPeer& peer,
                       const std::string& exchange) const;

  const Ports ports_;
  runtime::Guarded<std::map<policy::AgencyId, Known>> links_;
};

}  // namespace comity::gateway
