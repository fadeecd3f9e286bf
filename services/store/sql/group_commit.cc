// SPDX-License-Identifier: Apache-2.0
#include "services/store/sql/group_commit.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <span>
#include <utility>

#include "crypto/base/check.h"
#include "services/store/sql/guarded_call.h"
#include "services/store/sql/savepoint.h"

namespace comity::store {
namespace {

constexpr std::size_t kMaxGroup = 256;                   // bounds how long the first one waits
constexpr std::chrono::milliseconds kErasureRetry{200};  // while a reader holds the old log

// How long after its time a record goes that had one.
std::int64_t LateMs(const ErasedRecord& record, policy::Instant at) {
  if (record.due_at == policy::Instant() || at <= record.due_at) return 0;
  return std::chrono::duration_cast<std::chrono::milliseconds>(at - record.due_at).count();
}

std::vector<ErasureRecord> Summarise(std::span<const ErasedRecord> records,
                                     const ErasureLedger::Line& line) {
  std::vector<ErasureRecord> rows;
  for (const ErasedRecord& record : records) {
    auto row = std::ranges::find_if(rows, [&](const ErasureRecord& known) {
      return known.record_class == record.record_class && known.reason == record.reason;
    });
    if (row == rows.end()) {
      rows.push_back({line.at, record.record_class, record.reason, 0, line.head.sequence, 0});
      row = std::prev(rows.end());
    }
    ++row->records;
    row->late_ms = std::max(row->late_ms, LateMs(record, line.at));
  }
  return rows;
}

}  // namespace

GroupCommit::GroupCommit(std::unique_ptr<Connection> connection, ErasureLedger* ledger)
    : connection_(std::move(connection)),
      ledger_(ledger),
      transaction_(*connection_),
      thread_([this](const std::stop_token& stop) { Serve(stop); }) {}

GroupCommit::~GroupCommit() = default;

Status GroupCommit::Run(const Work& work) {
  // A unit of work that waits for another one of its own thread would wait for ever.
  COMITY_CHECK(std::this_thread::get_id() != thread_.get_id());
  Unit unit{&work, {}};
  std::future<Status> done = unit.done.get_future();
  waiting_.With([&](std::vector<Unit*>& waiting) { waiting.push_back(&unit); });
  return done.get();
}

void GroupCommit::Serve(const std::stop_token& stop) {
  while (true) {
    const std::vector<Unit*> units = WaitForUnits(stop);
    if (units.empty() && stop.stop_requested()) return;
    Group rest(units);
    while (!rest.empty()) {
      rest = rest.subspan(CommitGroup(rest.first(std::min(rest.size(), kMaxGroup))));
    }
    if (connection_->erasure_pending()) connection_->FlushErasure();
  }
}

std::vector<GroupCommit::Unit*> GroupCommit::WaitForUnits(const std::stop_token& stop) {
  std::vector<Unit*> units;
  const auto ready = [](const std::vector<Unit*>& waiting) { return !waiting.empty(); };
  const auto take = [&](std::vector<Unit*>& waiting) { units = std::exchange(waiting, {}); };
  if (connection_->erasure_pending()) {
    waiting_.WaitUntil(stop, std::chrono::steady_clock::now() + kErasureRetry, ready, take);
  } else {
    waiting_.WaitThen(stop, ready, take);
  }
  return units;
}

// Commits a beginning of `group` and tells its units how they fared; returns how many they were.
std::size_t GroupCommit::CommitGroup(Group group) {
  std::vector<Status> results;
  connection_->set_log_size(std::nullopt);
  connection_->set_written({});
  connection_->ExpectWhatIsDurable(false);
  Status committed = Execute("begin a transaction", &Connection::Begin);
  if (committed) {
    results = RunUnits(group);
    committed = connection_->InTransaction()
                    ? Execute("commit", &Connection::Commit)
                    : Fail(ErrorCode::kUnavailable, "the database rolled the group back");
    if (!committed) connection_->Abandon();
    if (committed) connection_->WrittenIsDurable();
  } else {
    results.resize(group.size());
  }
  for (std::size_t i = 0; i < results.size(); ++i) {
    // A unit that failed for itself keeps its own reason.
    const bool lost = !committed && results[i];
    // Moved out first: whoever waits destroys the unit as soon as the value is there.
    std::promise<Status> done = std::move(group[i]->done);
    done.set_value(lost ? committed : std::move(results[i]));
  }
  return results.size();
}

// Stops after the unit in which the database gave the whole transaction up; those after it run
// again in a transaction of their own.
std::vector<Status> GroupCommit::RunUnits(Group group) {
  std::vector<Status> results;
  for (const Unit* unit : group) {
    results.push_back(RunUnit(*unit->work));
    if (!connection_->InTransaction()) break;
  }
  return results;
}

Status GroupCommit::RunUnit(const Work& work) {
  return GuardedCall("run a unit of work", [&]() -> Status {
    connection_->erased().clear();
    Savepoint unit(*connection_);
    Status status = work(transaction_);
    if (status && connection_->InTransaction()) status = TellLedger();
    if (status && connection_->InTransaction()) unit.Release();
    return status;
  });
}

// Last in a unit of work, so that what fails in it is not listed. A unit that is listed and then
// lost with its group leaves the head behind the ledger for good: lines are applied again at the
// next start, which can only erase. Those whose references come again are not (ErasureReplay).
Status GroupCommit::TellLedger() {
  const std::vector<ErasedRecord> erased = std::exchange(connection_->erased(), {});
  if (ledger_ == nullptr || erased.empty()) return {};
  RetentionStore& retention = transaction_.retention();
  COMITY_ASSIGN_OR_RETURN(const std::uint64_t log_size, transaction_.audit().Size());
  COMITY_ASSIGN_OR_RETURN(LedgerHead head, retention.Head());
  bool in_step = true;
  std::span<const ErasedRecord> rest(erased);
  while (!rest.empty()) {
    const auto batch = rest.first(std::min(rest.size(), ErasureLedger::kMaxRecords));
    COMITY_ASSIGN_OR_RETURN(const ErasureLedger::Line line, ledger_->Append(batch, log_size));
    in_step = in_step && line.follows <= head.sequence;
    if (in_step) head = line.head;
    for (const ErasureRecord& row : Summarise(batch, line)) {
      COMITY_RETURN_IF_ERROR(retention.AddErasure(row));
    }
    rest = rest.subspan(batch.size());
  }
  return retention.SetHead(head);
}

Status GroupCommit::Execute(const char* act, void (Connection::*step)()) {
  return GuardedCall(act, [&]() -> Status {
    (connection_.get()->*step)();
    return {};
  });
}

}  // namespace comity::store
