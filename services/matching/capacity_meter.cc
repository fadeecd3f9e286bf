// SPDX-License-Identifier: Apache-2.0
#include "services/matching/capacity_meter.h"

#include <algorithm>
#include <utility>

#include "services/audit/events.h"

namespace comity::matching {
namespace {

audit::Event ReservedEvent(const CapacityMeter::Key& key, policy::Instant now) {
  audit::Event event;
  event.type = audit::kCapacityReserved;
  event.time = now;
  std::string counter = key.agreement.text() + "/" + key.requester.text();
  if (!key.subject.empty()) counter += "/" + key.subject;
  event.committed = {{"counter", std::move(counter)}, {"clause", key.clause}, {"day", key.day}};
  return event;
}

}  // namespace

std::shared_ptr<CapacityMeter::Counter> CapacityMeter::Obtain(const Key& key) {
  std::lock_guard lock(mutex_);
  if (key.day > day_) {
    // Days that are over are not counted any more; forgetting one that is still in use, because a
    // clock was set back, only counts its unused block as used.
    for (auto& [requester, counters] : counters_) {
      std::erase_if(counters, [&](const auto& item) { return item.first.day < key.day; });
    }
    day_ = key.day;
  }
  Counters& counters = counters_[key.requester];
  const auto known = counters.find(key);
  if (known != counters.end()) return known->second;
  if (!key.subject.empty() && counters.size() >= ports_.max_subjects) {
    ForgetIdle(counters);
    if (counters.size() >= ports_.max_subjects) return nullptr;
  }
  return counters.emplace(key, std::make_shared<Counter>()).first->second;
}

std::shared_ptr<CapacityMeter::Counter> CapacityMeter::Find(const Key& key) const {
  std::lock_guard lock(mutex_);
  const auto counters = counters_.find(key.requester);
  if (counters == counters_.end()) return nullptr;
  const auto known = counters->second.find(key);
  return known == counters->second.end() ? nullptr : known->second;
}

// Of a counter without an unused block the store knows as much.
void CapacityMeter::ForgetIdle(Counters& counters) {
  std::erase_if(counters, [](const auto& item) {
    if (item.second.use_count() > 1) return false;
    const std::unique_lock lock(item.second->mutex, std::try_to_lock);
    return lock.owns_lock() && item.second->unused == 0;
  });
}

Status CapacityMeter::Recall(const SecretBytes& kek, const std::stop_token& stop) {
  COMITY_RETURN_IF_ERROR(record_.Recall(ports_.store, kek, ports_.clock.Now(), stop));
  return record_.Look(ports_.store, /*with_subjects=*/true);
}

Result<std::uint64_t> CapacityMeter::Reserved(const Key& key) const {
  const std::uint64_t known = record_.Known(key);
  std::uint64_t reserved = 0;
  COMITY_RETURN_IF_ERROR(ports_.store.Read([&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(reserved, transaction.capacity().Reserved(key));
    return {};
  }));
  COMITY_RETURN_IF_ERROR(record_.Check(key, known, reserved));
  return reserved;
}

Status CapacityMeter::Load(const Key& key, Counter& counter) const {
  if (counter.reserved) return {};
  COMITY_ASSIGN_OR_RETURN(counter.reserved, Reserved(key));
  return {};
}

std::optional<std::uint64_t> CapacityMeter::Used(const Key& key) const {
  const std::shared_ptr<Counter> counter = Find(key);
  if (counter == nullptr) {
    const Result<std::uint64_t> reserved = Reserved(key);
    return reserved ? std::optional(*reserved) : std::nullopt;
  }
  std::lock_guard lock(counter->mutex);
  if (!Load(key, *counter)) return std::nullopt;
  return counter->used();
}

// One unit of work for all counters whose block is used up. Asks for less near a limit.
Status CapacityMeter::ReserveBlocks(std::span<const Wanted> wanted) {
  struct Block {
    std::uint64_t reserved = 0;
    std::uint64_t amount = 0;
  };
  std::vector<Block> blocks;
  const policy::Instant now = ports_.clock.Now();
  const auto reserve_one = [&](const Demand& demand, store::Transaction& transaction,
                               audit::Recorder& recorder) -> Status {
    Block& block = blocks.emplace_back();
    COMITY_ASSIGN_OR_RETURN(block.reserved, transaction.capacity().Reserved(demand.key));
    // Nobody else reserves of it meanwhile: its lock is held.
    COMITY_RETURN_IF_ERROR(record_.Check(demand.key, record_.Known(demand.key), block.reserved));
    block.amount = std::min(demand.block, demand.limit - std::min(demand.limit, block.reserved));
    if (block.amount == 0) return {};
    COMITY_ASSIGN_OR_RETURN(block.reserved,
                            transaction.capacity().Reserve(demand.key, block.amount));
    audit::Event event = ReservedEvent(demand.key, now);
    event.parties = {ports_.own_agency};
    event.counts = {{"amount", static_cast<std::int64_t>(block.amount)},
                    {"reserved", static_cast<std::int64_t>(block.reserved)},
                    {"limit", static_cast<std::int64_t>(demand.limit)}};
    COMITY_RETURN_IF_ERROR(recorder.Record(event));
    return {};
  };
  COMITY_RETURN_IF_ERROR(ports_.journal.Commit(
      [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
        blocks.clear();
        for (const Wanted& one : wanted) {
          COMITY_RETURN_IF_ERROR(reserve_one(*one.demand, transaction, recorder));
        }
        return {};
      }));
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (blocks[i].amount > 0) record_.Note(wanted[i].demand->key, blocks[i].reserved);
    wanted[i].counter->reserved = blocks[i].reserved;
    wanted[i].counter->unused = blocks[i].amount;
  }
  return {};
}

Result<std::optional<std::size_t>> CapacityMeter::TakeLocked(std::span<const Wanted> wanted) {
  const auto first_full = [&](const auto& is_full) -> std::optional<std::size_t> {
    std::optional<std::size_t> first;
    for (const Wanted& one : wanted) {
      if (is_full(one) && (!first || one.place < *first)) first = one.place;
    }
    return first;
  };
  for (const Wanted& one : wanted) COMITY_RETURN_IF_ERROR(Load(one.demand->key, *one.counter));
  const auto over_limit = [](const Wanted& one) {
    return one.counter->used() >= one.demand->limit;
  };
  if (const auto full = first_full(over_limit)) return full;
  std::vector<Wanted> empty;
  for (const Wanted& one : wanted) {
    if (one.counter->unused == 0) empty.push_back(one);
  }
  if (!empty.empty()) COMITY_RETURN_IF_ERROR(ReserveBlocks(empty));
  if (const auto full = first_full([](const Wanted& one) { return one.counter->unused == 0; })) {
    return full;
  }
  for (const Wanted& one : wanted) --one.counter->unused;
  return std::optional<std::size_t>();
}

Result<std::optional<std::size_t>> CapacityMeter::TakeEach(std::span<const Demand> demands) {
  std::vector<Wanted> wanted;
  for (const Demand& demand : demands) {
    std::shared_ptr<Counter> counter = Obtain(demand.key);
    if (counter == nullptr) return std::optional(wanted.size());
    wanted.push_back({&demand, wanted.size(), std::move(counter)});
  }
  // One order of locks for all callers.
  std::sort(wanted.begin(), wanted.end(), [](const Wanted& left, const Wanted& right) {
    return left.demand->key < right.demand->key;
  });
  // Held across the durable reservation: whoever comes meanwhile needs the same block, and a second
  // one beside it would be refused near the limit although the first still has room.
  std::vector<std::unique_lock<std::mutex>> locks;
  for (const Wanted& one : wanted) locks.emplace_back(one.counter->mutex);
  return TakeLocked(wanted);
}

Result<bool> CapacityMeter::Take(const Key& key, std::uint64_t limit) {
  const Demand demand{key, limit};
  COMITY_ASSIGN_OR_RETURN(const auto full, TakeEach(std::span(&demand, 1)));
  return !full.has_value();
}

}  // namespace comity::matching
