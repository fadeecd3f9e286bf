// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agency/approvals_service.h"

#include <utility>

#include "crypto/base/quote.h"
#include "services/gateway/wire/convert_approval.h"
#include "services/gateway/wire/respond.h"
#include "services/identity/approval_decision.h"

namespace comity::gateway {
namespace {

using identity::Act;
using identity::DecisionKind;
using identity::Role;

constexpr std::uint32_t kDefaultListed = 100;

bool MaySee(const identity::Caller& caller, const identity::PendingAct& act) {
  constexpr identity::RoleSet kOverseers{Role::kSupervisor, Role::kDpo, Role::kSignatory,
                                         Role::kAuditor};
  if (caller.roles.Meets(kOverseers) || caller.person == act.proposed_by) return true;
  const auto parsed = identity::ParseAct(act.act);
  if (!parsed) return false;
  const identity::ActRule& rule = identity::RuleOf(*parsed);
  return caller.roles.Meets(rule.roles) || caller.roles.Meets(rule.approvers);
}

}  // namespace

grpc::Status ApprovalsService::List(grpc::ServerContext* context,
                                    const v1::ListApprovalsRequest* request,
                                    v1::ListApprovalsResponse* response) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto caller, callers_.Person(*context, Act::kApprovalRead));
    const std::uint32_t limit = request->limit() == 0 ? kDefaultListed : request->limit();
    COMITY_ASSIGN_OR_RETURN(const auto acts, approvals_.List(!request->all(), limit));
    for (const identity::PendingAct& act : acts) {
      if (MaySee(caller, act)) *response->add_approvals() = ToProto(act, false);
    }
    return {};
  });
}

grpc::Status ApprovalsService::Get(grpc::ServerContext* context,
                                   const v1::GetApprovalRequest* request,
                                   v1::PendingAct* response) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto caller, callers_.Person(*context, Act::kApprovalRead));
    const auto act = approvals_.Get(request->approval());
    if (!act && act.error().code != ErrorCode::kNotFound) return Fail(act.error());
    if (!act || !MaySee(caller, *act)) {
      return Fail(ErrorCode::kNotFound,
                  "there is no approval " + Quote(request->approval(), 32) + " for your roles");
    }
    COMITY_ASSIGN_OR_RETURN(const std::string details, approvals_.Details(*act, caller));
    *response = ToProto(*act);
    response->set_words(act->words + details);
    return {};
  });
}

Result<identity::PendingAct> ApprovalsService::Dispatch(const std::string& decision,
                                                        const identity::Caller& caller) {
  // Only to know whom to ask: what is asked verifies it.
  COMITY_ASSIGN_OR_RETURN(const identity::Decision parsed, identity::ParseDecision(decision));
  switch (parsed.kind) {
    case DecisionKind::kApprove:
      return approvals_.Approve(decision, caller);
    case DecisionKind::kReject:
      return approvals_.Reject(decision, caller);
    case DecisionKind::kUrgent:
      return approvals_.CarryUrgently(decision, caller);
    case DecisionKind::kUphold:
    case DecisionKind::kOverturn:
      return approvals_.Review(decision, caller);
  }
  return Fail(ErrorCode::kInvalidArgument, "no such decision");
}

grpc::Status ApprovalsService::Decide(grpc::ServerContext* context,
                                      const v1::DecideApprovalRequest* request,
                                      v1::PendingAct* response) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto caller, callers_.Person(*context, Act::kApprovalDecide));
    auto act = Dispatch(request->decision(), caller);
    if (!act) {
      const ErrorCode code = act.error().code;
      const bool attempt = code == ErrorCode::kPermissionDenied || code == ErrorCode::kCorrupt;
      if (!attempt) return Fail(std::move(act).error());
      return Fail(
          callers_.Refused(caller, identity::Name(Act::kApprovalDecide), std::move(act).error()));
    }
    *response = ToProto(*act);
    return {};
  });
}

}  // namespace comity::gateway
