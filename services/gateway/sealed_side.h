// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "crypto/base/result.h"
#include "services/gateway/sealed_holder_side.h"
#include "services/gateway/sealed_requester_side.h"

namespace comity::gateway {

// Both sides of sealed search, put together.
//
// Threads: Open, Halt and the destructor by one thread; then thread-safe.
class SealedSide {
 public:
  struct Ports {  // all references must outlive the object
    const runtime::Config& config;
    policy::AgencyId self;
    const IdentityKeys& keys;
    store::Store& store;
    audit::Journal& journal;
    const runtime::Clock& clock;
    RandomSource& random;
    runtime::Logger& logger;
    identity::Notices& notices;
    const identity::Peers& partners;
    oversight::Outbox& outbox;
    ListSide& lists;
    const transport::ServerTls& tls;  // of the federation port
    const PeerLinks& peers;
    const MessageSigner& signer;
    const MessageVerifier& verifier;
    std::function<std::shared_ptr<const policy::AgreementSet>()> agreements;
  };
  // Errors: those of the two sides
  static Result<std::unique_ptr<SealedSide>> Open(Ports ports);

  SealedRequesterSide& requester() { return *requester_; }
  SealedHolderSide& holder() { return *holder_; }
  void UpdateGauges(runtime::Metrics& metrics) const;
  // Nothing is fetched and sealed any more; what was opened as requester is gone.
  void Halt();

 private:
  SealedSide() = default;
  std::unique_ptr<SealedRequesterSide> requester_;
  std::unique_ptr<SealedHolderSide> holder_;
};

}  // namespace comity::gateway
