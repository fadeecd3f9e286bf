// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/partner_notices.h"

#include <string>

namespace comity::oversight {
namespace {

using enum identity::Role;

identity::RoleSet AudienceOf(std::string_view kind) {
  if (kind == peer_notice::kAlarm) return {kSupervisor, kDpo};
  if (kind == peer_notice::kPlannedOutage || kind == peer_notice::kReturned) {
    return {kOperator, kSupervisor, kAdministrator};
  }
  return {kOperator, kSupervisor, kDpo, kSignatory};
}

}  // namespace

Status PartnerNotices::Tell(store::Transaction& transaction, audit::Recorder& recorder,
                            const policy::AgencyId& peer, std::string_view kind,
                            std::string_view words) const {
  std::string content =
      EncodePeerNotice({std::string(kind), std::string(words), setup_.clock.Now()});
  COMITY_RETURN_IF_ERROR(ParsePeerNotice(content));  // what the partner will check
  COMITY_RETURN_IF_ERROR(setup_.outbox.Add(
      transaction, recorder,
      {.peer = peer, .kind = message_kind::kPeerNotice, .content = std::move(content)}));
  return {};
}

Status PartnerNotices::Show(store::Transaction& transaction, audit::Recorder& recorder,
                            const policy::AgencyId& sender, const PeerNotice& notice) const {
  identity::Notice shown;
  shown.kind = identity::notice::kPeerNotice;
  shown.audience = AudienceOf(notice.kind);
  shown.subject = "partner " + sender.text();
  shown.words = notice.kind + " (" + policy::EncodeInstant(notice.at) + "): " + notice.words;
  return setup_.notices.Post(transaction, recorder, shown);
}

}  // namespace comity::oversight
