// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/receipt_check.h"

#include <utility>

#include "crypto/base/quote.h"
#include "crypto/hash/sha256.h"
#include "services/oversight/partner_content.h"

namespace comity::gateway {
namespace {

using enum identity::Role;

std::string_view NoticeKind(std::string_view message) {
  if (message == oversight::message_kind::kEntryChange) {
    return identity::notice::kWithdrawalUnacknowledged;
  }
  if (message == oversight::message_kind::kDeletionOrder) return identity::notice::kReceiptMissing;
  return identity::notice::kPeerNotice;
}

}  // namespace

Result<PartnerAnswer> CheckPartnerReceipt(const v1::PartnerReceipt& answer,
                                          const store::OutboxRecord& message,
                                          const policy::AgencyId& self,
                                          std::span<const sign::PublicKey> keys) {
  if (answer.receipt().empty() == answer.refused().empty()) {
    return Fail(ErrorCode::kInvalidArgument, "an answer is a receipt or a refusal");
  }
  if (answer.id() != message.id) {
    return Fail(ErrorCode::kCorrupt, "the answer is about another message");
  }
  PartnerAnswer checked;
  if (!answer.refused().empty()) {
    if (!policy::IsWellFormedId(answer.refused())) {
      return Fail(ErrorCode::kInvalidArgument, "the refusal has no code");
    }
    checked.refused = answer.refused();
    return checked;
  }
  COMITY_ASSIGN_OR_RETURN(oversight::Receipt receipt,
                          oversight::OpenReceipt(answer.receipt(), keys));
  const bool is_for_it = receipt.sender == self && receipt.receiver == message.peer &&
                         receipt.id == message.id && receipt.kind == message.kind &&
                         receipt.content == hash::Sha256(AsBytes(message.content));
  if (!is_for_it) return Fail(ErrorCode::kCorrupt, "the receipt is for another message");
  checked.receipt = std::move(receipt);
  return checked;
}

identity::Notice RefusalNotice(const store::OutboxRecord& message, const std::string& code) {
  identity::Notice notice;
  notice.kind = NoticeKind(message.kind);
  notice.audience = {kSupervisor, kDpo, kAdministrator};
  notice.subject = "partner " + message.peer.text();
  notice.words = message.peer.text() + " refuses a message of kind " + message.kind + " of " +
                 policy::EncodeInstant(message.created_at) + " (" + code +
                 "). It stays in the outbox and is offered again every minute; speak to the "
                 "partner's administrators.";
  return notice;
}

}  // namespace comity::gateway
