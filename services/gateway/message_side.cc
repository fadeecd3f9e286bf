// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/message_side.h"

#include <algorithm>
#include <set>
#include <utility>

#include "services/store/outbox_store.h"

namespace comity::gateway {
namespace {

std::vector<oversight::EndedAgreement> EndedOf(const agreements::Register& agreements,
                                               policy::Instant now) {
  std::vector<oversight::EndedAgreement> ended;
  for (agreements::EndedVersion& one : agreements.Ended(now)) {
    ended.push_back({one.agreement.id, one.agreement.version, std::move(one.parties)});
  }
  return ended;
}

}  // namespace

MessageSide::MessageSide(Ports ports)
    : ports_(std::move(ports)),
      outbox_({ports_.self, ports_.clock, ports_.random}),
      holdings_({outbox_, ports_.clock}),
      entry_changes_(holdings_) {}

matching::RememberReleased MessageSide::remember_released() {
  return [this](store::Transaction& transaction, audit::Recorder& recorder,
                const matching::ReleasedEntries& released) {
    return entry_changes_.Remember(transaction, recorder, released);
  };
}

std::optional<policy::ReasonCode> MessageSide::HaltedAtHolder(
    const policy::SearchRequest& request) const {
  if (!catch_up_.IsBehind(request.requester, ports_.clock.Now())) return std::nullopt;
  return policy::ReasonCode::kCatchUpRequired;
}

Status MessageSide::Serve(const Desk& desk) {
  register_ = &desk.partners;
  const auto keys_now =
      [this](const policy::AgencyId& partner) -> Result<std::vector<sign::PublicKey>> {
    COMITY_ASSIGN_OR_RETURN(const identity::Peer peer, register_->Find(partner));
    return peer.SigningKeysAt(ports_.clock.Now());
  };
  const auto keys_at = [this](const policy::AgencyId& partner, policy::Instant at) {
    const auto peer = register_->Find(partner);
    return peer ? peer->SigningKeysAt(at) : std::vector<sign::PublicKey>();
  };
  const auto ended = [this, &agreements = desk.agreements] {
    return EndedOf(agreements, ports_.clock.Now());
  };
  desk_ = std::make_unique<PartnerDesk>(PartnerDesk::Ports{
      ports_.self, ports_.store, ports_.journal, ports_.agency_key, outbox_, catch_up_, desk.alerts,
      desk.notices, desk.refusals, desk.links, keys_now, ended, desk.key_changes, desk.sealed_held,
      desk.sealed_erased, ports_.clock, ports_.logger});
  service_.emplace(HoldingsService::Ports{desk.callers, ports_.store, desk_->deletions(), keys_at,
                                          ports_.clock});
  COMITY_RETURN_IF_ERROR(ports_.journal.Commit(
      [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
        COMITY_RETURN_IF_ERROR(holdings_.PassUntold(transaction, recorder));
        return {};
      }));
  return Follow(partners_);
}

Status MessageSide::Follow(const std::vector<policy::AgencyId>& partners) {
  partners_ = partners;
  if (!desk_) return {};
  COMITY_RETURN_IF_ERROR(desk_->Serve(partners));
  return DropForRemoved(partners);
}

Status MessageSide::DropForRemoved(const std::vector<policy::AgencyId>& partners) {
  std::set<policy::AgencyId> gone;
  COMITY_RETURN_IF_ERROR(ports_.store.Read([&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto waiting, transaction.outbox().AllWaiting());
    for (const store::OutboxRecord& message : waiting) {
      if (std::ranges::count(partners, message.peer) == 0) gone.insert(message.peer);
    }
    return {};
  }));
  for (const policy::AgencyId& partner : gone) {
    const auto peer = register_->Find(partner);
    const bool removed = peer && peer->state == identity::PeerState::kRemoved;
    if (removed) COMITY_RETURN_IF_ERROR(desk_->courier().Drop(partner));
  }
  return {};
}

void MessageSide::Hurry(const policy::AgencyId& partner) {
  if (desk_) desk_->Hurry(partner);
}

}  // namespace comity::gateway
