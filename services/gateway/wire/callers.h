// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/server_context.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/base/result.h"
#include "policy/model/ids.h"
#include "services/audit/journal.h"
#include "services/gateway/wire/repeats.h"
#include "services/gateway/wire/signed_message.h"
#include "services/identity/peers.h"
#include "services/identity/people.h"
#include "services/runtime/clock.h"
#include "services/runtime/logging.h"
#include "services/transport/trust_store.h"

namespace comity::gateway {

// Records callers that are turned away: the first of a kind at once, its repeats as a count at most
// every ten seconds, so that a flood of refused calls does not become a flood of entries. Whoever
// owns it calls WriteRepeats() every now and then, so that the end of a flood is counted too.
//
// Threads: thread-safe.
class RefusalRecord {
 public:
  // References must outlive the object.
  RefusalRecord(policy::AgencyId self, audit::Journal& journal, const runtime::Clock& clock,
                runtime::Logger& logger)
      : self_(std::move(self)), journal_(journal), clock_(clock), logger_(logger) {}

  struct Refusal {
    std::string_view type;  // kAuthenticationRefused, kAuthorisationRefused or kPeerMessageRefused
    std::string identity;   // SPIFFE id or agency; empty when unknown
    std::string method;     // called method or message kind: of those known here, never as it came
    Error error;
  };
  // Errors: those of the journal; the caller is turned away in any case
  Status Add(const Refusal& refusal);
  // Writes the counts that are not written and due. Errors: those of the journal
  Status WriteRepeats();

 private:
  Status WriteAll(const std::vector<Repeats<Refusal>::Due>& due, runtime::Instant now);
  Status Write(const Refusal& refusal, std::int64_t attempts, runtime::Instant now);

  const policy::AgencyId self_;
  audit::Journal& journal_;
  const runtime::Clock& clock_;
  runtime::Logger& logger_;
  Repeats<Refusal> repeats_;
};

// Who calls at the agency port. Threads: thread-safe.
class AgencyCallers {
 public:
  // References must outlive the object.
  AgencyCallers(transport::TrustStore& trust, const identity::People& people,
                RefusalRecord& refusals, const runtime::Clock& clock)
      : trust_(trust), people_(people), refusals_(refusals), clock_(clock) {}

  // The person who calls, if they may do `act` or propose it. Who may not is recorded.
  // Errors: kUnauthenticated, kUnavailable; kPermissionDenied  not a registered person, or no role
  Result<identity::Caller> Person(const grpc::ServerContextBase& context, identity::Act act);
  // The engine's name. Errors: as above; kPermissionDenied  not an engine
  Result<std::string> Engine(const grpc::ServerContextBase& context, std::string_view method);
  // Records an attempt that was refused later than at the door: an own act that its proposer would
  // approve, a signature by another key. Returns `error`, or the journal's.
  Error Refused(const identity::Caller& caller, std::string_view act, Error error);

 private:
  Result<transport::VerifiedPeer> Caller(const grpc::ServerContextBase& context,
                                         transport::PeerKind kind, std::string_view method);
  transport::TrustStore& trust_;
  const identity::People& people_;
  RefusalRecord& refusals_;
  const runtime::Clock& clock_;
};

// Who calls at the federation port. Threads: thread-safe.
class FederationCallers {
 public:
  // References must outlive the object.
  FederationCallers(transport::TrustStore& trust, const identity::Peers& peers,
                    RefusalRecord& refusals, const runtime::Clock& clock)
      : trust_(trust), peers_(peers), refusals_(refusals), clock_(clock) {}

  enum class Suspended { kRefused, kAdmitted };
  // The peer and the keys it may sign with at this moment; streams ask again and again.
  // Errors: kUnauthenticated, kUnavailable; kPermissionDenied  it is suspended here
  Result<PinnedPeer> Peer(const grpc::ServerContextBase& context, std::string_view method,
                          Suspended suspended = Suspended::kRefused);
  // SHA-256 of the DER that the peer shows on the call's connection. Errors: as above
  Result<Digest> CertificateOf(const grpc::ServerContextBase& context) const;

 private:
  transport::TrustStore& trust_;
  const identity::Peers& peers_;
  RefusalRecord& refusals_;
  const runtime::Clock& clock_;
};

}  // namespace comity::gateway
