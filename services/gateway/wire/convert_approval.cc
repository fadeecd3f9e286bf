// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/wire/convert_approval.h"

#include "services/gateway/wire/convert_time.h"
#include "services/identity/approval_events.h"

namespace comity::gateway {

v1::PendingAct ToProto(const identity::PendingAct& act, bool with_content) {
  v1::PendingAct proto;
  proto.set_approval(act.id);
  proto.set_act(act.act);
  proto.set_subject(act.subject);
  proto.set_sha256(act.sha256.bytes.data(), act.sha256.bytes.size());
  if (with_content) proto.set_content(act.content);
  proto.set_words(act.words);
  proto.set_state(std::string(identity::Name(act.state)));
  proto.set_proposed_by(act.proposed_by.text());
  *proto.mutable_proposed_at() = ToProto(act.proposed_at);
  *proto.mutable_expires_at() = ToProto(act.expires_at);
  if (act.decided_by) {
    proto.set_decided_by(act.decided_by->text());
    *proto.mutable_decided_at() = ToProto(act.decided_at);
  }
  proto.set_reason(act.reason);
  if (act.review_by != policy::Instant{}) *proto.mutable_review_by() = ToProto(act.review_by);
  if (act.reviewed_by) proto.set_reviewed_by(act.reviewed_by->text());
  proto.set_review(act.review);
  if (const auto parsed = identity::ParseAct(act.act)) {
    for (const std::string& role : identity::RuleOf(*parsed).approvers.Names()) {
      proto.add_approvers(role);
    }
  }
  return proto;
}

}  // namespace comity::gateway
