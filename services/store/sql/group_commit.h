// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "services/runtime/guarded.h"
#include "services/store/sql/connection.h"
#include "services/store/sql/unit_of_work.h"

namespace comity::store {

// The one writer of a database: a thread that takes the units of work that wait and commits them
// together, since one sync to the disk costs more than all their statements.
//
//   Begin
//     OpenSavepoint; work 1; KeepSavepoint  succeeded: kept (what it erased is in the ledger)
//     OpenSavepoint; work 2; UndoSavepoint  failed: undone alone
//   Commit                                  failed: every unit gets the error, none is kept
//
// Threads: thread-safe. Nobody may be inside Run when it is destroyed.
class GroupCommit {
 public:
  using Work = std::function<Status(Transaction&)>;

  // In: ledger  told of what is erased before it is; may be null; must outlive the object
  explicit GroupCommit(std::unique_ptr<Connection> connection, ErasureLedger* ledger = nullptr);
  ~GroupCommit();

  // Blocks until the commit with `work` in it is durable, or the unit failed.
  Status Run(const Work& work);

 private:
  struct Unit {
    const Work* work = nullptr;
    std::promise<Status> done;
  };
  using Group = std::span<Unit* const>;

  void Serve(const std::stop_token& stop);
  std::vector<Unit*> WaitForUnits(const std::stop_token& stop);
  std::size_t CommitGroup(Group group);
  std::vector<Status> RunUnits(Group group);
  Status RunUnit(const Work& work);
  Status TellLedger();
  Status Execute(const char* act, void (Connection::*step)());

  const std::unique_ptr<Connection> connection_;
  ErasureLedger* const ledger_;
  UnitOfWork transaction_;
  runtime::Watched<std::vector<Unit*>> waiting_;
  std::jthread thread_;  // last: it ends before what it uses
};

}  // namespace comity::store
