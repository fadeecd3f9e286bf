// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/partner_inbox.h"

#include <utility>

#include "crypto/base/encoding.h"
#include "crypto/base/random_id.h"
#include "crypto/hash/sha256.h"
#include "services/audit/events.h"
#include "services/gateway/federation/inbox_budget.h"
#include "services/oversight/partner_content.h"
#include "services/oversight/receipt.h"
#include "services/store/outbox_store.h"

namespace comity::gateway {
namespace {

Status CheckForm(const v1::PartnerMessage& message) {
  if (!IsRandomId(message.id()) || !policy::IsWellFormedId(message.kind())) {
    return Fail(ErrorCode::kInvalidArgument, "a message's id or kind is not of its form");
  }
  return oversight::CheckContent(message.content());
}

// Commits to the content and does not hold it: the handler logs what it did, and a partner must not
// fill a log that nobody may shorten with octets of its choice.
audit::Event ReceivedEvent(const store::InboxRecord& message, const policy::AgencyId& self,
                           std::size_t size, const oversight::Outcome& outcome) {
  audit::Event event;
  event.type = audit::kPartnerMessageReceived;
  event.time = message.received_at;
  event.exchange = message.id;
  event.parties = {self, message.sender};
  event.committed = {{"kind", message.kind},
                     {"content_sha256", EncodeHex(message.content.view())},
                     {"content_octets", std::to_string(size)},
                     {"outcome", oversight::EncodeOutcome(outcome)}};
  event.messages = {{"receipt", oversight::ReceiptDigest(message.receipt)}};
  return event;
}

}  // namespace

Status PartnerInbox::TakeOnce(store::Transaction& transaction, audit::Recorder& recorder,
                              const policy::AgencyId& sender, const v1::PartnerMessage& message,
                              Taking& taking) const {
  const Digest content = hash::Sha256(AsBytes(message.content()));
  COMITY_ASSIGN_OR_RETURN(const auto before, transaction.outbox().Received(sender, message.id()));
  if (before) {
    if (before->content != content || before->kind != message.kind()) {
      taking.refused = message_refusal::kIdReused;
      return Fail(ErrorCode::kConflict, "the id came before with another message");
    }
    taking.receipt = before->receipt;
    return {};
  }
  PartnerMessageHandler* handler = ports_.handlers.Find(message.kind());
  if (handler == nullptr) {
    taking.refused = message_refusal::kUnsupportedKind;
    return Fail(ErrorCode::kInvalidArgument, "no messages of kind " + message.kind());
  }
  taking.known_kind = true;
  const policy::Instant now = ports_.clock.Now();
  const Status within = CheckBudget(transaction, sender, message.kind(), now);
  taking.over_budget = !within && within.error().code == ErrorCode::kExhausted;
  COMITY_RETURN_IF_ERROR(within);
  auto taken = handler->Receive(transaction, recorder, sender, message.content());
  if (!taken) {
    if (taken.error().code == ErrorCode::kInvalidArgument) {
      taking.refused = message_refusal::kInvalidContent;
    }
    return Fail(taken.error());
  }
  COMITY_RETURN_IF_ERROR(ChargeBudget(transaction, sender, message.kind(), taken->weight, now));
  store::InboxRecord record{sender, message.id(), message.kind(), content, {}, now};
  record.receipt = oversight::SignReceipt(
      ports_.agency_key,
      {sender, ports_.self, record.id, record.kind, content, taken->outcome, record.received_at});
  COMITY_RETURN_IF_ERROR(transaction.outbox().Receive(record));
  COMITY_RETURN_IF_ERROR(recorder.Record(
      ReceivedEvent(record, ports_.self, message.content().size(), taken->outcome)));
  taking.receipt = std::move(record.receipt);
  taking.after = std::move(taken->after);
  return {};
}

Result<v1::PartnerReceipt> PartnerInbox::Take(const policy::AgencyId& sender,
                                              const v1::PartnerMessage& message) {
  COMITY_RETURN_IF_ERROR(CheckForm(message));
  Taking taking;
  const Status taken = ports_.journal.Commit(
      [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
        taking = {};
        return TakeOnce(transaction, recorder, sender, message, taking);
      });
  v1::PartnerReceipt answer;
  answer.set_id(message.id());
  if (taken) {
    if (taking.after) taking.after();
    answer.set_receipt(taking.receipt);
    return answer;
  }
  if (taking.refused.empty() && !taking.over_budget) return Fail(taken.error());
  // A sender chooses its kinds: only those that are known here are told apart.
  const std::string method = "PartnerMessage" + (taking.known_kind ? " " + message.kind() : "");
  COMITY_RETURN_IF_ERROR(
      ports_.refusals.Add({audit::kPeerMessageRefused, sender.text(), method, taken.error()}));
  if (taking.over_budget) return Fail(taken.error());
  answer.set_refused(std::string(taking.refused));
  return answer;
}

}  // namespace comity::gateway
