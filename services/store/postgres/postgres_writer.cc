// SPDX-License-Identifier: Apache-2.0
#include "services/store/postgres/postgres_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "crypto/base/quote.h"
#include "crypto/base/random_id.h"
#include "services/store/sql/database_error.h"
#include "services/store/sql/guarded_call.h"

namespace comity::store {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kFirstPause{50};
constexpr std::chrono::milliseconds kLongestPause{1000};
constexpr std::chrono::milliseconds kWaitForWriter{200};
// After the patience is over, so that each unit that comes does not knock anew.
constexpr std::chrono::milliseconds kBetweenAttempts{1000};
constexpr int kCommitShare = 3;  // of the patience: how long COMMIT itself may take

std::string NewId() {
  SystemRandom random;
  return RandomId(random);
}

std::string SessionName(const std::string& id) {
  return "comity writer " + id;
}

}  // namespace

PostgresWriter::PostgresWriter(Setup setup, LineWatch& watch, WriterNews& news)
    : setup_(std::move(setup)), watch_(watch), news_(news), id_(NewId()) {}

Result<std::unique_ptr<PostgresWriter>> PostgresWriter::Open(Setup setup, LineWatch& watch,
                                                             WriterNews& news) {
  using Opened = Result<std::unique_ptr<PostgresWriter>>;
  return GuardedCall("open the database", [&]() -> Opened {
    std::unique_ptr<PostgresWriter> writer(new PostgresWriter(std::move(setup), watch, news));
    while (true) {
      try {
        writer->Attach();
        return writer;
      } catch (const DatabaseError& error) {
        // A standby outlives the servers it waits at, if it was ever let in.
        const bool waits = writer->setup_.wait_for_writer && news.line > 0 && !writer->end_ &&
                           error.code() == ErrorCode::kUnavailable;
        if (!waits) throw;
      }
      if (!watch.Wait(steady_clock::now() + kWaitForWriter)) {
        return Fail(ErrorCode::kUnavailable, "stopped while another gateway writes");
      }
    }
  });
}

// Leaves a session that is the writer's, or throws.
void PostgresWriter::Attach() {
  if (!session_ || session_->broken()) Connect();
  if (!TryLock()) GiveWayOrClear();
  try {
    Claim();
  } catch (...) {
    session_.reset();  // with its transaction and its lock
    throw;
  }
  lost_at_.reset();
}

void PostgresWriter::Connect() {
  session_.reset();
  const Result<std::string> target = setup_.url.ConnectionString(SessionName(id_));
  if (!target) throw DatabaseError(target.error().code, target.error().detail);
  auto session = std::make_unique<Session>(*target, watch_, setup_.call_timeout);
  setup_.check(*session);
  session_ = std::move(session);
  ++news_.line;
}

bool PostgresWriter::TryLock() {
  const pqxx::result result =
      session_->Execute(fmt::format("SELECT pg_try_advisory_lock({})", kWriterLock));
  return result[0][0].as<bool>();
}

// Somebody else has the lock. A session of this very store whose line was lost is ended: until it
// is, its commit may yet happen. Before anybody else, this store gives way.
void PostgresWriter::GiveWayOrClear() {
  const pqxx::result holders = session_->Execute(fmt::format(
      "SELECT l.pid, coalesce(a.application_name, ''), coalesce(host(a.client_addr), '')"
      " FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid"
      " WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1"
      " AND l.classid = {} AND l.objid = {}"
      " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())",
      kWriterLock >> 32, kWriterLock & 0xFFFFFFFF));
  if (holders.empty()) {
    throw DatabaseError(ErrorCode::kUnavailable, "the writer's lock has just changed hands");
  }
  const auto pid = holders[0][0].as<int>();
  const auto name = holders[0][1].as<std::string>();
  if (name == SessionName(id_)) {
    session_->Execute(fmt::format("SELECT pg_terminate_backend({}, 2000)", pid));
    if (TryLock()) return;
    throw DatabaseError(ErrorCode::kUnavailable, "the lost session has not ended yet");
  }
  const auto address = holders[0][2].as<std::string>();
  const std::string who = fmt::format("another gateway writes to this database (session {} {}{})",
                                      pid, Quote(name), address.empty() ? "" : " from " + address);
  if (sure_) {
    const char* doubt = in_doubt_ ? "; whether the last commit was kept is not known" : "";
    Supersede({ErrorCode::kUnavailable, who + ": it has taken over" + doubt});
  }
  throw DatabaseError(ErrorCode::kUnavailable, who + "; stop it first");
}

PostgresWriter::Count PostgresWriter::Look() {
  const pqxx::result row = session_->Execute(
      "BEGIN; SELECT number, writer FROM comity.writer_commit WHERE id = 1 FOR UPDATE");
  if (row.size() != 1) {
    session_->Execute("ROLLBACK");
    Supersede({ErrorCode::kCorrupt, "comity.writer_commit has lost its row"});
  }
  return {row[0][0].as<std::int64_t>(), row[0][1].as<std::string>()};
}

// What was counted must be what this store knows, else others have written or the database was put
// back.
void PostgresWriter::Judge(const Count& count) {
  if (!sure_) return;  // it has not written yet
  if (count.number < *sure_) {
    Supersede({ErrorCode::kCorrupt,
               fmt::format("the database was put back: it counts {} commits, {} were acknowledged",
                           count.number, *sure_)});
  }
  if (count.number > asked_ || count.writer != id_) {
    Supersede(
        {ErrorCode::kUnavailable,
         fmt::format("another gateway has taken over: {} commits, of which this one knows {}{}",
                     count.number, *sure_,
                     in_doubt_ ? "; whether its last one was kept is not known" : "")});
  }
}

// Whether the commit in doubt is part of what was counted. Each claim counts on from where it
// stood, and never to the number in doubt, so that later looks tell the two apart.
bool PostgresWriter::HasCommitInDoubt(std::int64_t number) const {
  if (number <= *in_doubt_) return number == *in_doubt_;
  const auto claim = claims_.find(number);
  return claim != claims_.end() && claim->second;
}

// Under the lock. Nothing is known for good before the claim itself is committed: a commit that
// waits for a replica is seen by others as soon as its session is ended, and may still be lost with
// its server. The claim waits for the same replica.
void PostgresWriter::Claim() {
  const Count count = Look();
  Judge(count);
  const bool kept = in_doubt_ && HasCommitInDoubt(count.number);
  const std::int64_t claim = std::max({count.number, asked_, in_doubt_.value_or(0)}) + 1;
  if (in_doubt_) claims_[claim] = kept;
  asked_ = claim;
  session_->Execute(
      fmt::format("UPDATE comity.writer_commit SET number = {}, writer = '{}' WHERE id = 1; COMMIT",
                  claim, id_));
  sure_ = claim;
  kept_ = kept;
  in_doubt_.reset();
  claims_.clear();
}

void PostgresWriter::BeginRead() {
  throw DatabaseError(ErrorCode::kInternal, "the writer's connection only writes");
}

void PostgresWriter::Begin() {
  ThrowIfSuperseded();
  const Time until = steady_clock::now() + setup_.patience;
  while (true) {
    if (!session_ || session_->broken()) RestoreForUnits();
    try {
      return BeginGroup();
    } catch (const DatabaseError&) {
      const bool lost = !session_ || session_->broken();
      if (end_ || !lost || steady_clock::now() > until) throw;
    }
  }
}

// A session of somebody else that has changed a table and has not committed is waited for, and then
// seen by the check.
void PostgresWriter::KeepOthersFromBoundTables() {
  if (keeps_others_out_) return;
  session_->Execute(
      "LOCK TABLE comity.deployment, comity.stop, comity.retention_hold, comity.restoration,"
      " comity.restoration_reached, comity.table_binding IN SHARE ROW EXCLUSIVE MODE");
  keeps_others_out_ = true;
}

void PostgresWriter::UndoSavepoint() {
  PostgresConnection::UndoSavepoint();
  keeps_others_out_ = false;  // the server lets go of locks since the savepoint
}

void PostgresWriter::BeginGroup() {
  keeps_others_out_ = false;
  set_in_transaction(true);
  const std::int64_t number = *sure_ + 1;
  try {
    // The log's size comes along: most units append to it.
    const pqxx::result counted = session_->Execute(fmt::format(
        "BEGIN; UPDATE comity.writer_commit SET number = number + 1, writer = '{}' WHERE id = 1"
        " RETURNING number, (SELECT coalesce(max(leaf_index) + 1, 0) FROM comity.audit_entry)",
        id_));
    if (counted.size() == 1 && counted[0][0].as<std::int64_t>() == number) {
      set_log_size(counted[0][1].as<std::uint64_t>());
      return;
    }
    Abandon();
    const Count count = Look();
    session_->Execute("ROLLBACK");
    Judge(count);
    throw DatabaseError(ErrorCode::kInternal, "the commits were counted twice");
  } catch (...) {
    Abandon();
    throw;
  }
}

void PostgresWriter::Commit() {
  SendGathered();
  asked_ = *sure_ + 1;
  const Time until = steady_clock::now() + setup_.patience;
  try {
    // In a transaction that failed, COMMIT would roll back and report success; the statement before
    // it reports the failure.
    session_->Execute("SELECT 1; COMMIT", setup_.patience / kCommitShare);
    set_in_transaction(false);
    sure_ = asked_;
    return;
  } catch (const std::exception&) {
    if (!session_->broken()) throw;  // the server refused
  }
  set_in_transaction(false);
  ResolveCommit(until);
}

// Returns if the commit was kept. Whatever goes wrong, of memory too, it does not say that nothing
// was kept unless it has seen so.
void PostgresWriter::ResolveCommit(Time until) {
  in_doubt_ = asked_;
  kept_ = false;
  try {
    Restore(until);
  } catch (const std::exception& error) {
    if (end_) throw;
    Supersede({ErrorCode::kUnavailable,
               fmt::format("it is not known whether the last commit was kept: its answer was lost "
                           "and the database cannot be asked ({}); start the gateway again",
                           error.what())});
  }
  if (kept_) return;
  throw DatabaseError(ErrorCode::kUnavailable,
                      "the line to the database was lost during the commit; nothing was kept");
}

// Tries until the line is there again; throws what the last attempt met.
void PostgresWriter::Restore(Time until) {
  for (auto pause = kFirstPause;; pause = std::min(pause * 2, kLongestPause)) {
    try {
      return Attach();
    } catch (const std::exception&) {
      const Time next = steady_clock::now() + pause;
      if (end_ || next > until || !watch_.Wait(next)) throw;
    }
  }
}

void PostgresWriter::RestoreForUnits() {
  const Time now = steady_clock::now();
  if (!lost_at_) lost_at_ = now;
  const Time until = *lost_at_ + setup_.patience;
  if (now > until && now < next_attempt_) {
    throw DatabaseError(ErrorCode::kUnavailable, "the database is out of reach");
  }
  try {
    Restore(until);
  } catch (const DatabaseError&) {
    next_attempt_ = steady_clock::now() + kBetweenAttempts;
    throw;
  }
}

void PostgresWriter::Supersede(Error error) {
  end_ = error;
  session_.reset();
  news_.superseded = true;
  if (sure_ && setup_.on_superseded) setup_.on_superseded(error);  // else it was never the writer
  throw DatabaseError(error.code, error.detail);
}

void PostgresWriter::ThrowIfSuperseded() const {
  if (end_) throw DatabaseError(end_->code, end_->detail);
}

}  // namespace comity::store
