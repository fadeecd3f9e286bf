// SPDX-License-Identifier: Apache-2.0
#include "services/identity/approval_rejection.h"

#include <utility>

#include "services/audit/events.h"
#include "services/identity/act.h"
#include "services/identity/approval_events.h"
#include "services/identity/approval_vouch.h"
#include "services/store/approval_store.h"

namespace comity::identity {
namespace {

using store::ApprovalState;

Status Reject(store::Transaction& transaction, audit::Recorder& recorder, const Notices& notices,
              const Rejection& rejection, store::ApprovalRecord act) {
  COMITY_ASSIGN_OR_RETURN(const Act parsed, ParseAct(act.act));
  act.state = ApprovalState::kRejected;
  act.decided_by = rejection.by;
  act.decided_at = rejection.at;
  act.reason = rejection.reason;
  COMITY_RETURN_IF_ERROR(transaction.approvals().Change(act, ApprovalState::kPending));
  audit::Event event = ApprovalEvent(audit::kApprovalDecided, act, rejection.own);
  event.committed["operator"] = rejection.by.text();
  event.committed["reason"] = rejection.reason;
  COMITY_RETURN_IF_ERROR(recorder.Record(event));
  Notice notice = DecidedNotice(act, RuleOf(parsed));
  notice.words += ". " + rejection.reason;
  return notices.Post(transaction, recorder, notice);
}

}  // namespace

Status EndCorrupt(store::Transaction& transaction, store::ApprovalRecord act) {
  const ApprovalState from = act.state;
  act.state = ApprovalState::kExpired;
  return transaction.approvals().Change(act, from);
}

Result<std::size_t> RejectAllOf(store::Transaction& transaction, audit::Recorder& recorder,
                                const Notices& notices, const Rejection& rejection) {
  COMITY_ASSIGN_OR_RETURN(const auto acts, transaction.approvals().PendingOf(rejection.proposer));
  std::size_t corrupt = 0;
  for (const store::ApprovalRecord& act : acts) {
    if (ParseAct(act.act) && CheckVouched(rejection.kek, act)) {
      COMITY_RETURN_IF_ERROR(Reject(transaction, recorder, notices, rejection, act));
      continue;
    }
    ++corrupt;
    // That the database does not let one of them end keeps nothing else from its end.
    const Status ended = EndCorrupt(transaction, act);
    if (!ended && ended.error().code == ErrorCode::kUnavailable) return Fail(ended.error());
  }
  if (corrupt > 0) {
    COMITY_RETURN_IF_ERROR(notices.Post(transaction, recorder, CorruptNotice(corrupt)));
  }
  return acts.size() - corrupt;
}

}  // namespace comity::identity
