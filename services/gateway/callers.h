// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/server_context.h>

#include <chrono>
#include <map>
#include <string>
#include <utility>

#include "crypto/base/result.h"
#include "policy/model/ids.h"
#include "services/audit/journal.h"
#include "services/gateway/signed_message.h"
#include "services/runtime/clock.h"
#include "services/runtime/guarded.h"
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
    std::string method;     // called method or message kind
    Error error;
  };
  // Errors: those of the journal; the caller is turned away in any case
  Status Add(const Refusal& refusal);
  // Writes the counts that are not written and due. Errors: those of the journal
  Status WriteRepeats();

 private:
  struct Repeats {
    Refusal last;
    runtime::Instant written_at{};
    std::int64_t since = 0;
  };
  using Key = std::pair<std::string, std::string>;  // identity, type and method
  static constexpr std::chrono::seconds kQuietTime{10};
  static constexpr std::size_t kMaxKeys = 1024;

  Status Write(const Refusal& refusal, std::int64_t attempts, runtime::Instant now);

  const policy::AgencyId self_;
  audit::Journal& journal_;
  const runtime::Clock& clock_;
  runtime::Logger& logger_;
  runtime::Guarded<std::map<Key, Repeats>> repeats_;
};

// Who calls at the agency port. Threads: thread-safe.
class AgencyCallers {
 public:
  AgencyCallers(transport::TrustStore& trust, RefusalRecord& refusals, const runtime::Clock& clock)
      : trust_(trust), refusals_(refusals), clock_(clock) {}

  // The person's id. Errors: kUnauthenticated, kUnavailable; kPermissionDenied  not a person
  Result<std::string> Person(const grpc::ServerContextBase& context, std::string_view method);
  // The engine's name. Errors: as above; kPermissionDenied  not an engine
  Result<std::string> Engine(const grpc::ServerContextBase& context, std::string_view method);

 private:
  Result<std::string> Caller(const grpc::ServerContextBase& context, transport::PeerKind kind,
                             std::string_view method);
  transport::TrustStore& trust_;
  RefusalRecord& refusals_;
  const runtime::Clock& clock_;
};

// Who calls at the federation port. Threads: thread-safe.
class FederationCallers {
 public:
  FederationCallers(transport::TrustStore& trust, RefusalRecord& refusals,
                    const runtime::Clock& clock, std::map<policy::AgencyId, sign::PublicKey> keys)
      : trust_(trust), refusals_(refusals), clock_(clock), keys_(std::move(keys)) {}

  // The peer and the key it must sign with. Errors: kUnauthenticated, kUnavailable
  Result<PinnedPeer> Peer(const grpc::ServerContextBase& context, std::string_view method);

 private:
  transport::TrustStore& trust_;
  RefusalRecord& refusals_;
  const runtime::Clock& clock_;
  const std::map<policy::AgencyId, sign::PublicKey> keys_;
};

}  // namespace comity::gateway
