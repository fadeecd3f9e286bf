// SPDX-License-Identifier: Apache-2.0
#include "services/store/sqlite/group_commit.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "crypto/base/check.h"
#include "services/store/sqlite/guarded_call.h"
#include "services/store/sqlite/savepoint.h"

namespace comity::store {
namespace {

constexpr std::size_t kMaxGroup = 256;                   // bounds how long the first one waits
constexpr std::chrono::milliseconds kErasureRetry{200};  // while a reader holds the old log

}  // namespace

GroupCommit::GroupCommit(std::unique_ptr<Connection> connection)
    : connection_(std::move(connection)),
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
  Status committed = Execute("BEGIN IMMEDIATE", "begin a transaction");
  if (committed) {
    results = RunUnits(group);
    committed = connection_->InTransaction()
                    ? Execute("COMMIT", "commit")
                    : Fail(ErrorCode::kUnavailable, "the database rolled the group back");
    if (!committed) connection_->Abandon();
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

// Stops after the unit in which SQLite gave the whole transaction up; those after it run again in a
// transaction of their own.
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
    Savepoint unit(*connection_);
    Status status = work(transaction_);
    if (status && connection_->InTransaction()) unit.Release();
    return status;
  });
}

Status GroupCommit::Execute(const char* sql, const char* act) {
  return GuardedCall(act, [&]() -> Status {
    Query(*connection_, sql).Run();
    return {};
  });
}

}  // namespace comity::store
