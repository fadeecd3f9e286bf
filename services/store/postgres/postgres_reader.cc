// SPDX-License-Identifier: Apache-2.0
#include "services/store/postgres/postgres_reader.h"

#include <utility>

#include "services/store/sql/database_error.h"
#include "services/store/sql/guarded_call.h"

namespace comity::store {

Result<std::unique_ptr<PostgresReader>> PostgresReader::Open(
    const PostgresUrl& url, LineWatch& watch, std::chrono::milliseconds limit,
    const std::atomic<std::uint64_t>& line) {
  COMITY_ASSIGN_OR_RETURN(const std::string target, url.ConnectionString("comity reader"));
  using Opened = Result<std::unique_ptr<PostgresReader>>;
  return GuardedCall("connect to the database", [&]() -> Opened {
    return std::unique_ptr<PostgresReader>(
        new PostgresReader(std::make_unique<Session>(target, watch, limit), line));
  });
}

PostgresReader::PostgresReader(std::unique_ptr<Session> session,
                               const std::atomic<std::uint64_t>& line)
    : line_(line), own_line_(line) {
  session_ = std::move(session);
}

void PostgresReader::Begin() {
  throw DatabaseError(ErrorCode::kInternal, "this connection only reads");
}

void PostgresReader::Commit() {
  Begin();
}

void PostgresReader::BeginRead() {
  if (IsBroken()) {
    throw DatabaseError(ErrorCode::kUnavailable, "the line to the database was lost");
  }
  session_->Execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  set_in_transaction(true);
}

bool PostgresReader::IsBroken() const {
  return !session_ || session_->broken() || own_line_ != line_;
}

}  // namespace comity::store
