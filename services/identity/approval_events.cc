// SPDX-License-Identifier: Apache-2.0
#include "services/identity/approval_events.h"

#include <string>

namespace comity::identity {
namespace {

constexpr RoleSet kOverseers{Role::kSupervisor, Role::kDpo, Role::kSignatory, Role::kAuditor};

Notice About(const store::ApprovalRecord& act, const ActRule& rule, const std::string& what) {
  Notice notice;
  notice.subject = act.subject;
  notice.words = what + ": " + std::string(rule.words) + " (" + act.act + "), " + act.subject +
                 ". See: comity approvals show " + act.id;
  return notice;
}

}  // namespace

std::string_view Name(store::ApprovalState state) {
  switch (state) {
    case store::ApprovalState::kPending:
      return "pending";
    case store::ApprovalState::kApproved:
      return "approved";
    case store::ApprovalState::kRejected:
      return "rejected";
    case store::ApprovalState::kExpired:
      return "expired";
    case store::ApprovalState::kUrgent:
      return "urgent";
    case store::ApprovalState::kReviewed:
      return "reviewed";
  }
  return "unknown";
}

audit::Event ApprovalEvent(std::string_view type, const store::ApprovalRecord& act,
                           const policy::AgencyId& own) {
  audit::Event event;
  event.type = type;
  event.parties = {own};
  event.decision_code = std::string(Name(act.state));
  event.committed = {{"approval", act.id}, {"act", act.act}, {"subject", act.subject}};
  event.messages.emplace("content", act.sha256);
  return event;
}

Notice AskedNotice(const store::ApprovalRecord& act, const ActRule& rule) {
  Notice notice = About(act, rule, "An act waits for a second person");
  notice.kind = notice::kApprovalAsked;
  notice.audience = rule.approvers;
  return notice;
}

Notice DecidedNotice(const store::ApprovalRecord& act, const ActRule& rule) {
  Notice notice = About(act, rule, "An act was " + std::string(Name(act.state)));
  notice.kind = notice::kApprovalDecided;
  notice.audience = rule.roles;
  return notice;
}

Notice UrgentNotice(const store::ApprovalRecord& act, const ActRule& rule) {
  Notice notice = About(act, rule, "One person carried out an act in an emergency");
  notice.words += ". Reason: " + act.reason + ". A supervisor reviews it by " +
                  policy::EncodeInstant(act.review_by);
  notice.kind = notice::kUrgentAct;
  notice.audience = kOverseers;
  return notice;
}

Notice OverdueNotice(const store::ApprovalRecord& act, const ActRule& rule) {
  Notice notice = About(act, rule, "The review of an act of one person is overdue");
  notice.kind = notice::kReviewOverdue;
  notice.audience = kOverseers;
  return notice;
}

Notice ReviewedNotice(const store::ApprovalRecord& act, const ActRule& rule) {
  Notice notice = About(act, rule, "The act of one person was reviewed, " + act.review);
  notice.kind = notice::kApprovalDecided;
  notice.audience = kOverseers;
  for (std::uint8_t i = 0; i < kRoleCount; ++i) {
    if (rule.roles.Has(static_cast<Role>(i))) notice.audience.Add(static_cast<Role>(i));
  }
  return notice;
}

Notice CorruptNotice(std::size_t acts) {
  return {notice::kApprovalsChanged,
          {Role::kAuditor, Role::kDpo},
          "acts of two people",
          "Acts that waited for a second person, or for their review, are not in the database as "
          "they were proposed: " +
              std::to_string(acts) +
              ". They were ended and nothing was carried out. Somebody changed the database."};
}

}  // namespace comity::identity
