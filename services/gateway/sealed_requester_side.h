// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "policy/decide/agreement_set.h"
#include "services/audit/journal.h"
#include "services/gateway/federation/peer_links.h"
#include "services/gateway/federation/sealed_fetcher.h"
#include "services/gateway/federation/sealed_source.h"
#include "services/gateway/wire/signed_message.h"
#include "services/identity/notices.h"
#include "services/identity/peers.h"
#include "services/oversight/outbox.h"
#include "services/runtime/clock.h"
#include "services/runtime/logging.h"
#include "services/runtime/metrics.h"
#include "services/store/store.h"
#include "services/transport/credentials.h"
#include "services/watchlists/sealed_copies.h"

namespace comity::gateway {

// What this agency needs to search the sealed lists of others, put together: its copies and what
// keeps them current.
//
// Threads: Open by one thread, then thread-safe. Links that use source() end before this object.
class SealedRequesterSide {
 public:
  struct Ports {
    policy::AgencyId self;
    store::Store& store;
    audit::Journal& journal;
    const runtime::Clock& clock;
    RandomSource& random;
    runtime::Logger& logger;
    identity::Notices& notices;
    const identity::Peers& partners;
    oversight::Outbox& outbox;
    const transport::ServerTls& tls;  // of the federation port
    const PeerLinks& peers;
    const MessageSigner& signer;
    const MessageVerifier& verifier;
    std::function<std::shared_ptr<const policy::AgreementSet>()> agreements;
    std::filesystem::path folder;  // of the copies
  };
  // References must outlive the object. Errors: those of SealedCopies::Open
  static Result<std::unique_ptr<SealedRequesterSide>> Open(Ports ports);

  const SealedSource& source() const { return source_; }
  // The partner is heard of again, or an agreement with it has changed.
  void Hurry(const policy::AgencyId& partner) { fetcher_->Hurry(partner); }
  void UpdateGauges(runtime::Metrics& metrics) const;

 private:
  explicit SealedRequesterSide(Ports ports) : ports_(std::move(ports)) {}
  SealedSource MakeSource();
  void OnFailedCheck(const policy::AgencyId& holder, std::string_view detail);

  const Ports ports_;
  std::unique_ptr<watchlists::SealedCopies> copies_;
  SealedSource source_;
  std::optional<SealedFetcher> fetcher_;  // last: its threads end before what they use
};

}  // namespace comity::gateway
