// SPDX-License-Identifier: Apache-2.0
#include "services/audit/store_recorder.h"

#include <optional>
#include <string>
#include <utility>

#include "crypto/merkle/tree_hash.h"
#include "crypto/tlog/commitment.h"
#include "crypto/tlog/entry.h"
#include "policy/model/retention.h"
#include "services/audit/events.h"
#include "services/audit/payload.h"

namespace comity::audit {
namespace {

tlog::LogEntry ToEntry(const Event& event, const SecretBytes& k_record,
                       const runtime::Clock& clock) {
  tlog::LogEntry entry;
  entry.type = event.type;
  entry.time = event.time == policy::Instant{} ? clock.Now() : event.time;
  entry.exchange = event.exchange;
  for (const policy::AgencyId& party : event.parties) entry.parties.push_back(party.text());
  if (event.agreement) {
    entry.agreement = {.id = event.agreement->id.text(),
                       .version = event.agreement->version,
                       .sha256 = event.agreement->sha256};
  }
  if (!event.decision_code.empty() || !event.clauses.empty()) {
    entry.decision = {.code = event.decision_code, .clauses = event.clauses};
  }
  for (const auto& [field, octets] : event.committed) {
    entry.commitments[field] = tlog::Commit(k_record, field, AsBytes(octets));
  }
  entry.messages = event.messages;
  entry.counts = event.counts;
  return entry;
}

policy::Instant EndOf(const Event& event, const StoreRecorder::Sources& sources) {
  const policy::Instant written =
      event.time == policy::Instant{} ? sources.clock.Now() : event.time;
  const auto agreed =
      sources.retention && event.agreement ? sources.retention(event) : std::nullopt;
  return policy::EffectiveEnd(policy::RetentionClass::kAuditPayload, written, std::nullopt, agreed)
      ->due;  // the law always sets an end for this class
}

}  // namespace

Result<std::uint64_t> StoreRecorder::Record(const Event& event) {
  auto index = Append(event);
  if (index) {
    log_size_ = *index + 1;
  } else if (status_) {
    status_ = Fail(index.error());
  }
  return index;
}

Result<std::uint64_t> StoreRecorder::Append(const Event& event) {
  COMITY_RETURN_IF_ERROR(CheckEvent(event));
  const SecretBytes k_record = tlog::GenerateRecordKey(sources_.random);
  const auto text = tlog::EncodeEntry(ToEntry(event, k_record, sources_.clock));
  if (!text) {
    // The event is of our own making: bad values in it are a fault of this program.
    return Fail(ErrorCode::kInternal,
                "audit event '" + std::string(event.type) + "': " + text.error().detail);
  }
  const PayloadKeys keys{.kek = sources_.kek, .leaf = merkle::LeafHash(AsBytes(*text))};
  COMITY_ASSIGN_OR_RETURN(store::AuditPayloadRecord payload,
                          SealPayload(event.committed, k_record, keys, sources_.random));
  payload.erase_at = EndOf(event, sources_);
  return log_.Append(AsBytes(*text), event.exchange, payload);
}

}  // namespace comity::audit
