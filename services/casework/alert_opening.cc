// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "services/audit/events.h"
#include "services/casework/alert_desk.h"
#include "services/casework/hit_report.h"

// What an auditor is shown of a sealed hit.
namespace comity::casework {
namespace {

audit::Event OpenedEvent(const AlertDeskSetup& setup, const Alert& alert, const OpenOrder& order,
                         Instant now) {
  audit::Event event;
  event.type = audit::kAlertOpened;
  event.time = now;
  event.exchange = alert.exchange_id;
  event.parties = {setup.own, alert.holder};
  event.agreement = alert.agreement;
  event.committed = {{"alert", alert.id},
                     {"reason", order.reason},
                     {"operator", order.by},
                     {"deployment", alert.deployment.text()}};
  event.counts = {{"frames", static_cast<std::int64_t>(alert.openings.size())}};
  return event;
}

}  // namespace

Result<OpenedAlert> AlertDesk::Open(const OpenOrder& order) {
  if (order.reason.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "an opening needs a reason");
  }
  COMITY_RETURN_IF_ERROR(CheckText("the reason", order.reason, kMaxReason));
  COMITY_RETURN_IF_ERROR(CheckText("who opens", order.by, 256));
  const identity::LoneActs* lone_acts = state_->setup.lone_acts;
  OpenedAlert opened;
  const auto work = [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
    opened.frames.clear();
    const Instant now = state_->setup.clock.Now();
    COMITY_ASSIGN_OR_RETURN(const Alert alert,
                            state_->GetOpen(transaction.alerts(), order.id, now));
    if (alert.openings.empty()) {
      return Fail(ErrorCode::kNotFound, "no frame of this alert was searched sealed");
    }
    opened.id = alert.id;
    opened.holder = alert.holder;
    for (const SealedOpening& sealed : alert.openings) {
      COMITY_ASSIGN_OR_RETURN(HitOpening opening, OpenOpening(sealed, state_->setup.kek));
      opened.frames.push_back({sealed.exchange_id, std::move(opening)});
    }
    COMITY_RETURN_IF_ERROR(recorder.Record(OpenedEvent(state_->setup, alert, order, now)));
    if (lone_acts == nullptr) return {};
    return lone_acts->Tell(transaction, recorder,
                           {identity::Act::kAlertOpen, "alerts",
                            "the probes behind alert " + alert.id + " were opened", order.by});
  };
  COMITY_RETURN_IF_ERROR(state_->setup.journal.Commit(work));
  if (lone_acts != nullptr) lone_acts->Announce();
  return opened;
}

}  // namespace comity::casework
