// SPDX-License-Identifier: Apache-2.0
#include "services/matching/capacity_meter.h"

#include <algorithm>
#include <string>

#include "services/audit/events.h"

namespace comity::matching {
namespace {

audit::Event ReservedEvent(const CapacityMeter::Key& key, policy::Instant now) {
  audit::Event event;
  event.type = audit::kCapacityReserved;
  event.time = now;
  event.committed = {{"counter", key.agreement.text() + "/" + key.requester.text()},
                     {"clause", key.clause},
                     {"day", key.day}};
  return event;
}

}  // namespace

std::shared_ptr<CapacityMeter::Counter> CapacityMeter::Find(const Key& key) {
  std::lock_guard lock(mutex_);
  auto& counter = counters_[key];
  if (!counter) {
    counter = std::make_shared<Counter>();
    // Days that are over are not counted any more; forgetting one that is still in use, because a
    // clock was set back, only counts its unused block as used.
    std::erase_if(counters_, [&](const auto& item) { return item.first.day < key.day; });
  }
  return counter;
}

Status CapacityMeter::Load(const Key& key, Counter& counter) {
  if (counter.reserved) return {};
  return ports_.store.Read([&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(counter.reserved, transaction.capacity().Reserved(key));
    return {};
  });
}

std::optional<std::uint64_t> CapacityMeter::Used(const Key& key) {
  const std::shared_ptr<Counter> counter = Find(key);
  std::lock_guard lock(counter->mutex);
  if (!Load(key, *counter)) return std::nullopt;
  return *counter->reserved - counter->unused;
}

Status CapacityMeter::ReserveBlock(const Key& key, std::uint64_t limit, Counter& counter) {
  std::uint64_t reserved = 0;
  std::uint64_t amount = 0;
  const auto reserve = [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
    COMITY_ASSIGN_OR_RETURN(reserved, transaction.capacity().Reserved(key));
    amount = std::min(kBlock, limit - std::min(limit, reserved));
    if (amount == 0) return {};
    COMITY_ASSIGN_OR_RETURN(reserved, transaction.capacity().Reserve(key, amount));
    audit::Event event = ReservedEvent(key, ports_.clock.Now());
    event.parties = {ports_.own_agency};
    event.counts = {{"amount", static_cast<std::int64_t>(amount)},
                    {"reserved", static_cast<std::int64_t>(reserved)},
                    {"limit", static_cast<std::int64_t>(limit)}};
    COMITY_RETURN_IF_ERROR(recorder.Record(event));
    return {};
  };
  COMITY_RETURN_IF_ERROR(ports_.journal.Commit(reserve));
  counter.reserved = reserved;
  counter.unused = amount;
  return {};
}

Result<bool> CapacityMeter::Take(const Key& key, std::uint64_t limit) {
  const std::shared_ptr<Counter> counter = Find(key);
  // Held across the durable reservation: whoever comes meanwhile needs the same block, and a second
  // one beside it would be refused near the limit although the first still has room.
  std::lock_guard lock(counter->mutex);
  COMITY_RETURN_IF_ERROR(Load(key, *counter));
  if (*counter->reserved - counter->unused >= limit) return false;
  if (counter->unused == 0) COMITY_RETURN_IF_ERROR(ReserveBlock(key, limit, *counter));
  if (counter->unused == 0) return false;
  --counter->unused;
  return true;
}

}  // namespace comity::matching
