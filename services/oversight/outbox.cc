// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/outbox.h"

#include "crypto/base/random_id.h"
#include "services/audit/events.h"
#include "services/oversight/partner_content.h"
#include "services/store/outbox_store.h"

namespace comity::oversight {

Result<std::uint64_t> Outbox::Add(store::Transaction& transaction, audit::Recorder& recorder,
                                  const Message& message) {
  if (message.content.size() > kMaxContent) {
    return Fail(ErrorCode::kInvalidArgument, "a message to a partner has at most 64 KiB");
  }
  store::OutboxRecord record;
  record.peer = message.peer;
  record.id = RandomId(setup_.random);
  record.kind = message.kind;
  record.content = message.content;
  record.created_at = setup_.clock.Now();
  record.due_by = message.due_by;
  COMITY_ASSIGN_OR_RETURN(const std::uint64_t number, transaction.outbox().Add(record));
  audit::Event event;
  event.type = audit::kPartnerMessageQueued;
  event.time = record.created_at;
  event.exchange = record.id;
  event.parties = {setup_.own, message.peer};
  event.committed = {{"kind", record.kind}, {"content", record.content}};
  event.counts = {{"number", static_cast<std::int64_t>(number)}};
  COMITY_RETURN_IF_ERROR(recorder.Record(event));
  put_.With([&](auto& put) { ++put[message.peer]; });
  return number;
}

std::uint64_t Outbox::PutFor(const policy::AgencyId& peer) const {
  return put_.With([&](const auto& put) {
    const auto found = put.find(peer);
    return found == put.end() ? 0 : found->second;
  });
}

void Outbox::AwaitMore(const policy::AgencyId& peer, std::uint64_t seen,
                       std::chrono::milliseconds patience, const std::stop_token& stop) {
  const auto more = [&](const auto& put) {
    const auto found = put.find(peer);
    return found != put.end() && found->second > seen;
  };
  put_.WaitUntil(stop, std::chrono::steady_clock::now() + patience, more, [](auto&) {});
}

}  // namespace comity::oversight
