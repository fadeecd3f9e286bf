// SPDX-License-Identifier: Apache-2.0
#include "services/cli/approval_text.h"

#include <nlohmann/json.hpp>

#include "services/cli/card_approval.h"
#include "services/cli/output.h"
#include "services/cli/wire_text.h"

namespace comity::cli {
namespace {

using Json = nlohmann::ordered_json;

Json Absent(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

std::string Line(const char* name, const std::string& value) {
  return value.empty() ? "" : name + Clean(value) + "\n";
}

}  // namespace

Json PendingJson(const v1::PendingAct& act) {
  Json json = {{"approval", act.approval()},
               {"act", act.act()},
               {"subject", act.subject()},
               {"sha256", HexText(act.sha256())},
               {"words", act.words()},
               {"state", act.state()},
               {"proposed_by", act.proposed_by()},
               {"proposed_at", TimeText(act.proposed_at())},
               {"expires_at", TimeText(act.expires_at())},
               {"decided_by", Absent(act.decided_by())},
               {"decided_at", Absent(TimeText(act.decided_at()))},
               {"reason", Absent(act.reason())},
               {"review_by", Absent(TimeText(act.review_by()))},
               {"reviewed_by", Absent(act.reviewed_by())},
               {"review", Absent(act.review())},
               {"approvers", Json::array()}};
  for (const std::string& role : act.approvers()) json["approvers"].push_back(role);
  return json;
}

std::string PendingText(const v1::PendingAct& act) {
  std::string approvers;
  for (const std::string& role : act.approvers()) {
    approvers += (approvers.empty() ? "" : ", ") + role;
  }
  return Clean(act.words(), Lines::kKeep) + "\n" + Line("approval     ", act.approval()) +
         Line("act          ", act.act()) + Line("subject      ", act.subject()) +
         Line("content      ", "SHA-256 " + HexText(act.sha256())) +
         Line("state        ", act.state()) +
         Line("proposed by  ", act.proposed_by() + ", " + TimeText(act.proposed_at())) +
         Line("approved by  ", "one of " + approvers + ", never the proposer") +
         (act.state() == "pending" ? Line("expires      ", TimeText(act.expires_at())) : "") +
         (act.decided_by().empty()
              ? ""
              : Line("decided by   ", act.decided_by() + ", " + TimeText(act.decided_at()))) +
         Line("reason       ", act.reason()) +
         (act.state() == "urgent" ? Line("review by    ", TimeText(act.review_by())) : "") +
         Line("reviewed by  ", act.reviewed_by()) + Line("review       ", act.review());
}

void ReportPending(const v1::PendingAct& act, bool json) {
  if (json) return PrintJson(PendingJson(act));
  const std::string how = TakesCard(act) ? "--fingerprint '...'  (as the partner reads it out)"
                                         : "--sha256 " + HexText(act.sha256()).substr(0, 8);
  Print(PendingText(act) + "\nIt waits for a second person: comity approvals approve " +
        Clean(act.approval()) + " " + how + "\n");
}

}  // namespace comity::cli
