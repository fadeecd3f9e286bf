// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "policy/decide/agreement_set.h"
#include "services/audit/journal.h"
#include "services/gateway/agency/gallery_loader.h"
#include "services/gateway/agency/watchlists_service.h"
#include "services/gateway/federation/sealed_desk.h"
#include "services/gateway/identity_keys.h"
#include "services/gateway/wire/callers.h"
#include "services/identity/approvals.h"
#include "services/identity/lone_acts.h"
#include "services/matching/galleries.h"
#include "services/runtime/config.h"
#include "services/runtime/logging.h"
#include "services/watchlists/acts.h"
#include "services/watchlists/manifest.h"
#include "services/watchlists/register.h"

namespace comity::gateway {

// The agency's own lists, put together: register, galleries, the acts that need two people.
//
// Threads: made and served by the owner's thread; the parts are thread-safe.
class ListSide {
 public:
  // All references must outlive the object.
  struct Setup {
    const runtime::Config& config;
    const policy::AgencyId& self;
    const IdentityKeys& keys;
    store::Store& store;
    audit::Journal& journal;
    const runtime::Clock& clock;
    RandomSource& random;
    runtime::Logger& logger;
    matching::AnswerBarrier& barrier;
    identity::Approvals& approvals;
    const identity::LoneActs& lone_acts;
    std::function<std::shared_ptr<const policy::AgreementSet>()> agreements;
    watchlists::EntryChangeSink* changes = nullptr;  // who tells partners; null: nobody was told
  };
  // Errors: those of Register::Open; kCorrupt  a list does not decrypt
  static Result<std::unique_ptr<ListSide>> Open(Setup setup);

  watchlists::Register& lists() { return *lists_; }
  matching::Galleries& galleries() { return galleries_; }
  GalleryLoader& loader() { return *loader_; }
  const identity::LoneActs& lone_acts() const { return setup_.lone_acts; }

  // Both must outlive what is served.
  void Serve(AgencyCallers& callers, SealedDesk& sealed);
  WatchlistsService& service() { return *service_; }
  // Ends and erases what is due; returns how many entries and lists were erased.
  Result<std::uint64_t> EraseDue(policy::Instant now);

 private:
  explicit ListSide(Setup setup) : setup_(std::move(setup)), galleries_(setup_.barrier) {}
  std::chrono::seconds AfterEnd(const policy::AgreementId& agreement) const;
  void HandleActs();

  Setup setup_;
  std::unique_ptr<watchlists::Register> lists_;
  matching::Galleries galleries_;
  std::optional<GalleryLoader> loader_;
  std::optional<watchlists::Manifests> manifests_;
  std::optional<watchlists::ApproveListAct> approve_list_;
  std::optional<watchlists::ApproveEntriesAct> approve_entries_;
  std::optional<watchlists::UnrestrictAct> unrestrict_;
  std::optional<WatchlistsService> service_;
};

}  // namespace comity::gateway
