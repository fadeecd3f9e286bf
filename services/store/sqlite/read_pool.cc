// SPDX-License-Identifier: Apache-2.0
#include "services/store/sqlite/read_pool.h"

#include <utility>

#include "services/store/sqlite/guarded_call.h"
#include "services/store/sqlite/unit_of_work.h"

namespace comity::store {
namespace {

constexpr std::size_t kMaxConnections = 16;  // each costs about 2 MB of page cache when busy

Status RunOn(Connection& connection, const std::function<Status(const Transaction&)>& work) {
  return GuardedCall("read comity.db", [&]() -> Status {
    // Ends with a rollback when it goes out of scope: there is nothing to commit.
    SQLite::Transaction transaction(connection.database());
    const UnitOfWork unit(connection);
    return work(unit);
  });
}

}  // namespace

Status ReadPool::Run(const std::function<Status(const Transaction&)>& work) {
  COMITY_ASSIGN_OR_RETURN(std::unique_ptr<Connection> connection, Take());
  Status status = RunOn(*connection, work);
  GiveBack(std::move(connection));
  return status;
}

Result<std::unique_ptr<Connection>> ReadPool::Take() {
  std::unique_ptr<Connection> connection;
  state_.WaitThen(
      {}, [](const State& state) { return !state.idle.empty() || state.open < kMaxConnections; },
      [&](State& state) {
        if (state.idle.empty()) {
          ++state.open;
        } else {
          connection = std::move(state.idle.back());
          state.idle.pop_back();
        }
      });
  if (connection) return connection;
  auto opened = Connection::Open(file_, Connection::Mode::kReadOnly);
  if (!opened) state_.With([](State& state) { --state.open; });
  return opened;
}

void ReadPool::GiveBack(std::unique_ptr<Connection> connection) {
  state_.With([&](State& state) { state.idle.push_back(std::move(connection)); });
}

}  // namespace comity::store
