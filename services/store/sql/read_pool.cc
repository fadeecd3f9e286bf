// SPDX-License-Identifier: Apache-2.0
#include "services/store/sql/read_pool.h"

#include <utility>

#include "services/store/sql/guarded_call.h"
#include "services/store/sql/unit_of_work.h"

namespace comity::store {

// One place among `most_`, with a connection in it or none yet.
class ReadPool::Lease {
 public:
  explicit Lease(ReadPool& pool) : pool_(pool) {
    pool_.state_.WaitThen(
        {}, [&](const State& state) { return !state.idle.empty() || state.open < pool_.most_; },
        [&](State& state) {
          if (state.idle.empty()) {
            ++state.open;
          } else {
            connection_ = std::move(state.idle.back());
            state.idle.pop_back();
          }
        });
  }
  ~Lease() {
    const bool works = connection_ != nullptr && !connection_->IsBroken();
    if (!works) connection_.reset();
    pool_.state_.With([&](State& state) {
      if (works) {
        state.idle.push_back(std::move(connection_));
      } else {
        --state.open;
      }
    });
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  // A connection that was lost while nobody used it shows at its next beginning: another takes its
  // place once.
  Result<Connection*> Begin() {
    if (connection_) {
      const Status begun = BeginOn(*connection_);
      if (begun) return connection_.get();
      if (!connection_->IsBroken()) return Fail(begun.error());
    }
    COMITY_ASSIGN_OR_RETURN(connection_, pool_.open_());
    COMITY_RETURN_IF_ERROR(BeginOn(*connection_));
    return connection_.get();
  }

 private:
  static Status BeginOn(Connection& connection) {
    return GuardedCall("begin to read", [&]() -> Status {
      connection.ExpectWhatIsDurable(true);
      connection.BeginRead();
      return {};
    });
  }

  ReadPool& pool_;
  std::unique_ptr<Connection> connection_;
};

Status ReadPool::OpenAll() {
  std::vector<std::unique_ptr<Connection>> all(most_);
  for (auto& connection : all) {
    COMITY_ASSIGN_OR_RETURN(connection, open_());
  }
  state_.With([&](State& state) {
    state.idle = std::move(all);
    state.open = most_;
  });
  return {};
}

Status ReadPool::Run(const std::function<Status(const Transaction&)>& work) {
  Lease lease(*this);
  COMITY_ASSIGN_OR_RETURN(Connection* const connection, lease.Begin());
  Status status = GuardedCall("read", [&]() -> Status {
    const UnitOfWork unit(*connection);
    return work(unit);
  });
  connection->Abandon();  // there is nothing to commit
  return status;
}

}  // namespace comity::store
