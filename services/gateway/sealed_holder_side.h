// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "policy/decide/agreement_set.h"
#include "services/gateway/agency/gallery_loader.h"
#include "services/gateway/federation/partner_handlers.h"
#include "services/gateway/federation/sealed_desk.h"
#include "services/gateway/federation/sealed_stream.h"
#include "services/gateway/identity_keys.h"
#include "services/gateway/list_side.h"
#include "services/runtime/config.h"
#include "services/runtime/logging.h"
#include "services/runtime/metrics.h"
#include "services/transport/credentials.h"
#include "services/watchlists/sealed_publications.h"

namespace comity::gateway {

// What this agency needs to have its lists searched sealed, put together: the sealed lists, the
// desk that keeps them, what partners say of their copies.
//
// Threads: Open by one thread, then thread-safe.
class SealedHolderSide final : public ListFollower {
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
    ListSide& lists;                  // follows its changes from here on
    const transport::ServerTls& tls;  // of the federation port
    std::function<std::shared_ptr<const policy::AgreementSet>()> agreements;
  };
  // Errors: those of SealedPublications::Open
  static Result<std::unique_ptr<SealedHolderSide>> Open(Ports ports);
  ~SealedHolderSide() override;

  SealedDesk& desk() { return *desk_; }
  SealedSearchPorts search();
  PartnerMessageHandler& held() { return *held_; }
  PartnerMessageHandler& erased() { return *erased_; }
  void UpdateGauges(runtime::Metrics& metrics) const;
  // Nothing is written to store and log by this any more.
  void Halt() { desk_->Halt(); }

  // ListFollower
  void OnLoaded(const policy::WatchlistId& list) override;
  void OnWithdrawn(const policy::WatchlistId& list,
                   std::span<const std::string> references) override;
  void OnDropped(const policy::WatchlistId& list) override;

 private:
  explicit SealedHolderSide(Ports ports) : ports_(std::move(ports)) {}

  const Ports ports_;
  std::unique_ptr<watchlists::SealedPublications> publications_;
  std::optional<SealedHeldHandler> held_;
  std::optional<SealedErasedHandler> erased_;
  std::optional<SealedDesk> desk_;  // its thread ends before what it uses
};

}  // namespace comity::gateway
