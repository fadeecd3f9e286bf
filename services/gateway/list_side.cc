// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/list_side.h"

#include <chrono>
#include <utility>

namespace comity::gateway {

using identity::Act;

Result<std::unique_ptr<ListSide>> ListSide::Open(Setup setup) {
  std::unique_ptr<ListSide> side(new ListSide(std::move(setup)));
  Setup& own = side->setup_;
  ListSide* const self = side.get();
  // A list that does not decrypt is not searched, and the gateway does not start.
  GalleryMaker maker([self](const policy::WatchlistId& list, auto gallery, auto terms) {
    self->galleries_.Put(list, std::move(gallery), std::move(terms));
  });
  COMITY_ASSIGN_OR_RETURN(
      side->lists_, watchlists::Register::Open({own.store, own.journal, own.keys.kek, own.random,
                                                own.clock, own.self, *own.keys.agency, own.changes,
                                                [self](const policy::AgreementId& agreement) {
                                                  return self->AfterEnd(agreement);
                                                },
                                                &own.lone_acts},
                                               &maker));
  side->loader_.emplace(*side->lists_, side->galleries_, own.clock);
  side->manifests_.emplace(own.store, own.journal, own.clock, own.self);
  side->HandleActs();
  return side;
}

std::chrono::seconds ListSide::AfterEnd(const policy::AgreementId& agreement) const {
  const auto set = setup_.agreements();
  const policy::AgreementVersion* version = set->FindCurrent(agreement, setup_.clock.Now());
  // Under an agreement that is not there any more nothing is kept.
  return version == nullptr ? std::chrono::seconds(0) : version->agreement.retention.list_after_end;
}

void ListSide::HandleActs() {
  const watchlists::ListChanged load = [this](const policy::WatchlistId& list) {
    const Status loaded = loader_->Load(list);
    if (loaded) return;
    // Approved and not searched: nothing is told that should not be.
    setup_.logger.Error("watchlist-not-loaded",
                        {{"list", list.text()}, {"reason", loaded.error().detail}});
  };
  approve_list_.emplace(*lists_, load);
  approve_entries_.emplace(*lists_, load);
  unrestrict_.emplace(*lists_, load);
  setup_.approvals.Handle(Act::kWatchlistApprove, *approve_list_);
  setup_.approvals.Handle(Act::kEntryApprove, *approve_entries_);
  setup_.approvals.Handle(Act::kEntryUnrestrict, *unrestrict_);
}

void ListSide::Serve(AgencyCallers& callers, SealedDesk& sealed) {
  service_.emplace(WatchlistsService::Ports{
      callers, *lists_, *manifests_, setup_.approvals, *loader_, sealed, setup_.barrier,
      setup_.clock, setup_.config.limits.max_entries_per_list, setup_.config.limits.max_lists});
}

Result<std::uint64_t> ListSide::EraseDue(policy::Instant now) {
  return loader_->Housekeep(now);
}

}  // namespace comity::gateway
