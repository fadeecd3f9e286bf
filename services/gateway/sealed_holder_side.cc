// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/sealed_holder_side.h"

#include <utility>

#include "crypto/ot/kernel.h"
#include "crypto/sealed/score.h"

namespace comity::gateway {

Result<std::unique_ptr<SealedHolderSide>> SealedHolderSide::Open(Ports ports) {
  std::unique_ptr<SealedHolderSide> side(new SealedHolderSide(std::move(ports)));
  const Ports& own = side->ports_;
  COMITY_ASSIGN_OR_RETURN(
      side->publications_,
      watchlists::SealedPublications::Open(
          {own.store, own.journal, own.keys.kek, own.random, own.clock, own.self, *own.keys.agency,
           own.lists.lists(), own.config.data_directory / "sealed" / "own",
           &own.lists.lone_acts()}));
  watchlists::SealedPublications* const publications = side->publications_.get();
  side->held_.emplace([publications](store::Transaction& transaction, audit::Recorder& recorder,
                                     const policy::AgencyId& partner, const Digest& header,
                                     std::uint64_t sequence) {
    return publications->NoteHeld(transaction, recorder, partner, header, sequence);
  });
  side->erased_.emplace([publications](store::Transaction& transaction, audit::Recorder& recorder,
                                       const policy::AgencyId& partner, const Digest& header) {
    return publications->NoteErased(transaction, recorder, partner, header);
  });
  side->desk_.emplace(SealedDesk::Ports{own.self, *publications, own.lists.lists(), own.agreements,
                                        own.clock, own.logger});
  own.lists.loader().Follow(side.get());
  return side;
}

SealedHolderSide::~SealedHolderSide() {
  ports_.lists.loader().Follow(nullptr);
}

SealedSearchPorts SealedHolderSide::search() {
  return {*desk_,
          {sealed::FastestKernel(), ot::FastestKernel()},
          ports_.config.sealed_answer_after,
          [this](const Digest& certificate) { return ports_.tls.HasShown(certificate); }};
}

void SealedHolderSide::OnLoaded(const policy::WatchlistId&) {
  desk_->Poke();
}

void SealedHolderSide::OnWithdrawn(const policy::WatchlistId& list,
                                   std::span<const std::string> references) {
  desk_->Withdrawn(list, references);
}

void SealedHolderSide::OnDropped(const policy::WatchlistId& list) {
  desk_->Dropped(list);
}

void SealedHolderSide::UpdateGauges(runtime::Metrics& metrics) const {
  const SealedDesk::Counts counts = desk_->counts();
  metrics.Gauge({"comity_sealed_lists", "Sealed lists of this agency in force"})
      .Set(static_cast<double>(counts.in_force));
  metrics.Gauge({"comity_sealed_lists_waiting", "Sealed lists that are wanted and not in force"})
      .Set(static_cast<double>(counts.waiting));
}

}  // namespace comity::gateway
