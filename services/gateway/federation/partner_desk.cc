// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/partner_desk.h"

#include <condition_variable>
#include <mutex>

#include "services/oversight/partner_content.h"
#include "services/store/holding_store.h"

namespace comity::gateway {
namespace {

constexpr std::chrono::seconds kTick{1};
constexpr std::uint64_t kTicksBetweenLooks = 5;
constexpr std::uint64_t kTicksBetweenSweeps = 3600;
// A hit is answered within seconds; what a partner withdrew is remembered far longer than that.
constexpr std::chrono::hours kKeepWithdrawals{48};

oversight::Deletions::Erase EraseAlerts(casework::AlertDesk& alerts) {
  return [&alerts](store::Transaction& transaction, audit::Recorder& recorder,
                   const policy::AgreementId& agreement, std::uint32_t version,
                   const std::optional<policy::AgencyId>& holder) -> Result<oversight::Erased> {
    COMITY_ASSIGN_OR_RETURN(auto changed,
                            alerts.EraseUnder(transaction, recorder, {agreement, version, holder}));
    return oversight::Erased{changed.alerts - changed.held, std::move(changed.publish)};
  };
}

}  // namespace

PartnerDesk::PartnerDesk(Ports ports)
    : ports_(std::move(ports)),
      deletions_({ports_.self, ports_.store, ports_.journal, ports_.outbox,
                  EraseAlerts(ports_.alerts), ports_.clock}),
      partner_notices_({ports_.outbox, ports_.notices, ports_.clock}),
      unacknowledged_({ports_.store, ports_.journal, ports_.notices, ports_.clock}),
      entry_changes_(ports_.alerts, ports_.notices, ports_.clock),
      deletion_orders_(deletions_),
      peer_notices_(partner_notices_, ports_.notices),
      inbox_({ports_.self, ports_.journal, ports_.agency_key, handlers_, ports_.refusals,
              ports_.clock}),
      courier_({ports_.self, ports_.store, ports_.journal, ports_.outbox, ports_.catch_up,
                handlers_, ports_.peers, ports_.keys, ports_.notices, ports_.clock,
                ports_.logger}) {
  handlers_.Add(oversight::message_kind::kEntryChange, entry_changes_);
  handlers_.Add(oversight::message_kind::kDeletionOrder, deletion_orders_);
  handlers_.Add(oversight::message_kind::kPeerNotice, peer_notices_);
  handlers_.Add(oversight::message_kind::kKeyChange, ports_.key_changes);
  handlers_.Add(oversight::message_kind::kSealedHeld, ports_.sealed_held);
  handlers_.Add(oversight::message_kind::kSealedErased, ports_.sealed_erased);
}

PartnerDesk::~PartnerDesk() {
  housekeeping_ = {};
  // Nothing comes in any more: the ports are closed before their desk.
  if (const Status posted = entry_changes_.PostRest(); !posted) {
    Complain("changed-alerts-not-told", posted.error());
  }
}

Status PartnerDesk::Serve(const std::vector<policy::AgencyId>& partners) {
  COMITY_RETURN_IF_ERROR(courier_.Serve(partners));
  if (!housekeeping_.joinable()) {
    housekeeping_ = std::jthread([this](const std::stop_token& stop) { KeepHouse(stop); });
  }
  return {};
}

void PartnerDesk::KeepHouse(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  for (std::uint64_t tick = 0; !stop.stop_requested(); ++tick) {
    Work(tick);
    wake.wait_for(lock, stop, kTick, [] { return false; });
  }
}

void PartnerDesk::Work(std::uint64_t tick) {
  if (const Status noted = courier_.NoteBehind(); !noted) {
    Complain("partners-behind-not-known", noted.error());
  }
  if (const auto started = deletions_.Start(ports_.ended()); !started) {
    Complain("deletion-not-started", started.error());
  }
  if (const Status posted = entry_changes_.PostGathered(); !posted) {
    Complain("changed-alerts-not-told", posted.error());
  }
  if (tick % kTicksBetweenLooks == 0) {
    if (const Status looked = unacknowledged_.Look(); !looked) {
      Complain("late-messages-not-told", looked.error());
    }
  }
  if (tick % kTicksBetweenSweeps == 0) {
    const Status swept =
        ports_.journal.Commit([&](store::Transaction& transaction, audit::Recorder&) -> Status {
          return transaction.holdings().ForgetWithdrawn(ports_.clock.Now() - kKeepWithdrawals);
        });
    if (!swept) Complain("withdrawals-not-swept", swept.error());
  }
}

void PartnerDesk::Complain(std::string_view what, const Error& error) {
  ports_.logger.Error(what, {{"code", Name(error.code)}, {"reason", error.detail}});
}

}  // namespace comity::gateway
