// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/retention.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "services/audit/events.h"
#include "services/backup/backup_key.h"
#include "services/oversight/bound_start.h"
#include "services/oversight/retention_hold.h"

namespace comity::oversight {

using policy::Instant;
using policy::RetentionClass;

namespace {

constexpr std::uint32_t kBatch = 200;  // a few milliseconds of the one writer
constexpr std::chrono::hours kMarkEvery{1};
constexpr std::chrono::seconds kForgetEvery{60};
constexpr identity::RoleSet kToldOfOverdue{identity::Role::kDpo, identity::Role::kAuditor,
                                           identity::Role::kKeyAdministrator};

// What goes by age.
constexpr std::array kByAge{
    RetentionClass::kAlert,         RetentionClass::kEntry,      RetentionClass::kAuditPayload,
    RetentionClass::kJustification, RetentionClass::kMessage,    RetentionClass::kReceipt,
    RetentionClass::kHolding,       RetentionClass::kDeployment, RetentionClass::kNotice};
// What the store keeps under a reference.
constexpr std::array kReferenced{RetentionClass::kAlert,         RetentionClass::kEntry,
                                 RetentionClass::kWatchlist,     RetentionClass::kAuditPayload,
                                 RetentionClass::kJustification, RetentionClass::kMessage,
                                 RetentionClass::kReceipt,       RetentionClass::kHolding,
                                 RetentionClass::kDeployment,    RetentionClass::kNotice};

// Whether RetainedRecord::since of the class is the date on which it goes, or the one from which
// its period counts.
bool HasDateOfItsOwn(RetentionClass record_class) {
  return record_class == RetentionClass::kAlert || record_class == RetentionClass::kEntry ||
         record_class == RetentionClass::kWatchlist ||
         record_class == RetentionClass::kAuditPayload;
}

// How long after `since` a record of the class goes.
std::chrono::seconds PeriodOf(RetentionClass record_class) {
  if (HasDateOfItsOwn(record_class)) return {};
  return policy::RuleOf(record_class).most.value_or(std::chrono::seconds(0));
}

std::string NameOf(RetentionClass record_class) {
  return std::string(policy::Name(record_class));
}

std::int64_t LateMs(Instant due, Instant now) {
  return std::max<std::int64_t>(
      0, std::chrono::duration_cast<std::chrono::milliseconds>(now - due).count());
}

}  // namespace

struct RetentionDesk::State {
  explicit State(Setup given) : setup(std::move(given)) {}

  // One unit of work; returns how many it erased.
  Result<std::uint64_t> EraseBatch(RetentionClass record_class, Instant now, ErasedCount& count);
  Result<ErasedCount> EraseClass(RetentionClass record_class, Instant now);
  Status ForgetAged(Instant now);
  Result<ErasedCount> DestroyBackups(Instant now);
  Result<std::uint64_t> CountOverdue() const;
  Status TellOfOverdue(Instant now);
  Status TellOfClock();
  Status Mark(Instant now);
  Result<std::uint64_t> LogSize() const;

  Setup setup;
  std::mutex run;  // one run at a time
  Instant forgotten_at{};
  Instant marked_at{};
  std::uint64_t marked_size = 0;
  bool told = false;           // that something is overdue
  bool told_of_clock = false;  // that the machine's clock jumped
};

RetentionDesk::RetentionDesk(Setup setup) : state_(std::make_unique<State>(std::move(setup))) {}
RetentionDesk::~RetentionDesk() = default;

Result<std::uint64_t> RetentionDesk::State::EraseBatch(RetentionClass record_class, Instant now,
                                                       ErasedCount& count) {
  const auto period = PeriodOf(record_class);
  std::vector<store::RetainedRecord> due;
  // Looked for outside the unit of work: mostly there is nothing, and nobody waits for that.
  COMITY_RETURN_IF_ERROR(setup.store.Read([&](const store::Transaction& tx) -> Status {
    COMITY_ASSIGN_OR_RETURN(due, tx.retention().Due(record_class, now - period, kBatch));
    return {};
  }));
  if (due.empty()) return 0;
  std::uint64_t erased = 0;
  const auto work = [&](store::Transaction& tx, audit::Recorder& recorder) -> Status {
    erased = 0;
    for (const store::RetainedRecord& record : due) {
      // Held since it was looked for.
      COMITY_ASSIGN_OR_RETURN(const bool held,
                              tx.retention().IsHeld(record_class, record.reference));
      if (held) continue;
      COMITY_ASSIGN_OR_RETURN(
          const bool gone,
          tx.retention().Erase(
              record_class,
              {NameOf(record_class), record.reference, "expired", record.since + period}, now));
      if (gone) ++erased;
    }
    if (erased == 0) return {};
    audit::Event event;
    event.type = audit::kRecordsErased;
    event.time = now;
    event.parties = {setup.own};
    event.decision_code = NameOf(record_class);
    event.committed = {{"reason", "expired"}};
    event.counts = {{"records", static_cast<std::int64_t>(erased)}};
    COMITY_RETURN_IF_ERROR(recorder.Record(event));
    return {};
  };
  COMITY_RETURN_IF_ERROR(setup.journal.Commit(work));
  count.records += erased;
  count.late_ms = std::max(count.late_ms, LateMs(due.front().since + period, now));
  return erased;
}

Result<ErasedCount> RetentionDesk::State::EraseClass(RetentionClass record_class, Instant now) {
  ErasedCount count{NameOf(record_class), "expired", 0, 0};
  while (true) {
    COMITY_ASSIGN_OR_RETURN(const std::uint64_t erased, EraseBatch(record_class, now, count));
    if (erased < kBatch) return count;
  }
}

// What has no reference: counts of days that are over, exchange ids that could not be repeated.
Status RetentionDesk::State::ForgetAged(Instant now) {
  if (now - forgotten_at < kForgetEvery) return {};
  const auto period = PeriodOf(RetentionClass::kCounter);
  COMITY_RETURN_IF_ERROR(setup.store.Write([&](store::Transaction& tx) -> Status {
    COMITY_RETURN_IF_ERROR(tx.capacity().Forget(policy::UtcDay(now - period)));
    return tx.replays().Forget(now);
  }));
  forgotten_at = now;
  return {};
}

Result<ErasedCount> RetentionDesk::State::DestroyBackups(Instant now) {
  ErasedCount count{NameOf(RetentionClass::kBackup), "expired", 0, 0};
  COMITY_ASSIGN_OR_RETURN(const auto gone, backup::DestroyExpiredKeys(setup.ledger.folders(), now));
  if (gone.empty()) return count;
  count.records = gone.size();
  audit::Event event;
  event.type = audit::kRecordsErased;
  event.time = now;
  event.parties = {setup.own};
  event.decision_code = count.record_class;
  event.committed = {{"reason", "expired"}};
  event.counts = {{"records", static_cast<std::int64_t>(gone.size())}};
  COMITY_RETURN_IF_ERROR(setup.journal.Record(event));
  return count;
}

Result<std::vector<ErasedCount>> RetentionDesk::Run() {
  const std::lock_guard lock(state_->run);
  std::vector<ErasedCount> erased;
  Status outcome;
  const auto add = [&](Result<ErasedCount> count) {
    if (!count) {
      if (outcome) outcome = Fail(count.error());
    } else if (count->records > 0) {
      erased.push_back(*std::move(count));
    }
  };
  const Instant now = state_->setup.clock.Now();
  std::set<RetentionClass> failed;
  for (const Eraser& eraser : state_->setup.erasers) {
    const auto done = eraser.erase(now);
    if (!done) failed.insert(eraser.record_class);
    // Lists and their entries go together.
    if (!done && eraser.record_class == RetentionClass::kWatchlist) {
      failed.insert(RetentionClass::kEntry);
    }
    add(done ? Result<ErasedCount>(ErasedCount{NameOf(eraser.record_class), "expired", *done, 0})
             : Fail(done.error()));
  }
  // After the erasers: what is left is what a hold had kept and does no more.
  for (const RetentionClass record_class : kByAge) {
    if (!failed.contains(record_class)) add(state_->EraseClass(record_class, now));
  }
  add(state_->DestroyBackups(now));
  if (const Status forgotten = state_->ForgetAged(now); !forgotten && outcome) outcome = forgotten;
  if (!outcome) return Fail(outcome.error());
  return erased;
}

Result<std::uint64_t> RetentionDesk::State::CountOverdue() const {
  std::uint64_t overdue = 0;
  const Instant since = setup.clock.Now() - kGrace;
  COMITY_RETURN_IF_ERROR(setup.store.Read([&](const store::Transaction& tx) -> Status {
    for (const RetentionClass record_class : kReferenced) {
      COMITY_ASSIGN_OR_RETURN(
          const auto late,
          tx.retention().Due(record_class, since - PeriodOf(record_class), kMostCounted));
      overdue += late.size();
    }
    return {};
  }));
  return overdue;
}

Status RetentionDesk::State::TellOfOverdue(Instant now) {
  COMITY_ASSIGN_OR_RETURN(const std::uint64_t overdue, CountOverdue());
  const bool news = overdue > 0 && !told;
  told = overdue > 0;
  if (!news) return {};
  const std::string since = policy::EncodeInstant(now - kGrace);
  return setup.notices.Post(
      {identity::notice::kErasureOverdue, kToldOfOverdue, "erasure",
       std::to_string(overdue) + " records should have been erased before " + since +
           " and were not. They are out of use, but not gone. The gateway's own log says why; "
           "'comity retention due' shows which."});
}

Status RetentionDesk::State::TellOfClock() {
  const auto jump = setup.clock.Jump();
  const bool news = jump && !told_of_clock;
  told_of_clock = jump.has_value();
  if (!news) return {};
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(*jump).count();
  return setup.notices.Post(
      {identity::notice::kAlarm, kToldOfOverdue, "clock",
       "The machine's clock was set " + std::string(seconds < 0 ? "back" : "ahead") + " by " +
           std::to_string(std::abs(seconds)) +
           " s while the gateway ran. The gateway does not follow it: nothing expires, is erased "
           "or is permitted again by that. Set the clock right, and it is followed again. If the "
           "new time is right, start comityd once with --accept-clock."});
}

Result<std::uint64_t> RetentionDesk::State::LogSize() const {
  std::uint64_t size = 0;
  COMITY_RETURN_IF_ERROR(setup.store.Read([&](const store::Transaction& tx) -> Status {
    COMITY_ASSIGN_OR_RETURN(size, tx.audit().Size());
    return {};
  }));
  return size;
}

// So that who restores the node learns how long its log had been.
Status RetentionDesk::State::Mark(Instant now) {
  if (now - marked_at < kMarkEvery) return {};
  COMITY_ASSIGN_OR_RETURN(std::uint64_t size, LogSize());
  if (size != marked_size) {
    COMITY_ASSIGN_OR_RETURN(size, MarkLedger(setup.store, setup.ledger));
  }
  marked_at = now;
  marked_size = size;
  return {};
}

Status RetentionDesk::Housekeep() {
  const auto erased = Run();
  const std::lock_guard lock(state_->run);
  const Instant now = state_->setup.clock.Now();
  Status outcome = erased ? Status() : Fail(erased.error());
  const auto also = [&](const Status& status) {
    if (outcome && !status) outcome = status;
  };
  also(state_->TellOfOverdue(now));
  also(state_->TellOfClock());
  also(state_->Mark(now));
  const auto told =
      TellOfHolds(state_->setup.store, state_->setup.journal, state_->setup.notices, now);
  also(told ? Status() : Fail(told.error()));
  return outcome;
}

Result<std::vector<ClassStatus>> RetentionDesk::Due() const {
  const Setup& setup = state_->setup;
  const Instant now = setup.clock.Now();
  std::vector<ClassStatus> classes;
  COMITY_RETURN_IF_ERROR(setup.store.Read([&](const store::Transaction& tx) -> Status {
    for (const policy::RetentionRule& rule : policy::RetentionRules()) {
      ClassStatus& status = classes.emplace_back();
      status.record_class = rule.record_class;
      const auto count = tx.retention().Count(rule.record_class);
      if (!count && count.error().code == ErrorCode::kInvalidArgument) continue;
      if (!count) return Fail(count.error());
      const auto period = PeriodOf(rule.record_class);
      status.stored = true;
      status.kept = count->kept;
      status.held = count->held;
      if (count->oldest && count->oldest->time_since_epoch() < std::chrono::hours(24 * 365'000)) {
        status.next_due = *count->oldest + period;
      }
      if (std::ranges::find(kReferenced, rule.record_class) == kReferenced.end()) continue;
      COMITY_ASSIGN_OR_RETURN(const auto due,
                              tx.retention().Due(rule.record_class, now - period, kMostCounted));
      status.due = due.size();
      status.overdue = static_cast<std::uint64_t>(std::ranges::count_if(
          due, [&](const auto& record) { return record.since + period <= now - kGrace; }));
    }
    return {};
  }));
  ClassStatus& backups = classes.back();  // the last class
  const backup::KeptBackups kept = backup::CountBackupKeys(setup.ledger.folders());
  backups.stored = true;
  backups.kept = kept.count;
  backups.next_due = kept.next;
  return classes;
}

Result<ErasureReport> RetentionDesk::ReportOf(Instant from, Instant to) const {
  ErasureReport report;
  std::vector<store::ErasureRecord> rows;
  COMITY_RETURN_IF_ERROR(state_->setup.store.Read([&](const store::Transaction& tx) -> Status {
    COMITY_ASSIGN_OR_RETURN(rows, tx.retention().Erasures(from, to, kMostRows));
    COMITY_ASSIGN_OR_RETURN(const auto holds, tx.retention().Holds());
    report.held = holds.size();
    return {};
  }));
  report.whole = rows.size() < kMostRows;
  std::map<std::pair<std::string, std::string>, ErasedCount> sums;
  for (const store::ErasureRecord& row : rows) {
    ErasedCount& sum = sums[{row.record_class, row.reason}];
    sum.record_class = row.record_class;
    sum.reason = row.reason;
    sum.records += row.records;
    sum.late_ms = std::max(sum.late_ms, row.late_ms);
  }
  for (auto& [key, sum] : sums) report.erased.push_back(std::move(sum));
  COMITY_ASSIGN_OR_RETURN(report.overdue, state_->CountOverdue());
  return report;
}

}  // namespace comity::oversight
