// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "crypto/base/result.h"
#include "services/runtime/guarded.h"
#include "services/store/postgres/postgres_connection.h"
#include "services/store/postgres/postgres_url.h"

namespace comity::store {

// The number of the server's lock that the writer of a database holds ("COMITY"), in this database
// only.
inline constexpr std::int64_t kWriterLock = 0x434F4D495459;

// What the writer tells others. Threads: thread-safe.
struct WriterNews {
  std::atomic<std::uint64_t> line{0};  // how many lines there were
  std::atomic<bool> superseded{false};
};

// The one writer's connection. Its session holds the server's lock, so a session that was lost
// commits nothing after another has taken the lock. The table writer_commit counts the commits and
// names the open store that made the last: whoever makes the line anew learns from it, under the
// lock, what became of the last commit and whether anybody else has written.
//
//   lost before COMMIT was sent   nothing was kept
//   lost after                    looked up; Commit returns or throws as it was
//   the number or name differs    superseded, for good
//
// Threads: thread-compatible.
class PostgresWriter final : public PostgresConnection {
 public:
  struct Setup {
    PostgresUrl url;
    std::chrono::milliseconds patience;
    std::chrono::milliseconds call_timeout;
    bool wait_for_writer = false;
    std::function<void(const Error&)> on_superseded;
    // Looks at a server before it is written to. Throws DatabaseError.
    std::function<void(Session&)> check;
  };
  // Connects and becomes the writer.
  // Errors: kUnavailable  no connection; another gateway writes; `stop` was requested
  //         those of `check`
  static Result<std::unique_ptr<PostgresWriter>> Open(Setup setup, LineWatch& watch,
                                                      WriterNews& news);

  void Begin() override;
  void BeginRead() override;  // throws: readers read
  void Commit() override;
  void KeepOthersFromBoundTables() override;
  void UndoSavepoint() override;

 private:
  using Time = LineWatch::Time;
  struct Count {
    std::int64_t number = 0;
    std::string writer;
  };

  PostgresWriter(Setup setup, LineWatch& watch, WriterNews& news);
  void Restore(Time until);
  void RestoreForUnits();
  void Attach();
  void Connect();
  bool TryLock();
  void GiveWayOrClear();
  void Claim();
  bool HasCommitInDoubt(std::int64_t number) const;
  Count Look();
  void Judge(const Count& count);
  void BeginGroup();
  void ResolveCommit(Time until);
  [[noreturn]] void Supersede(Error error);
  void ThrowIfSuperseded() const;

  const Setup setup_;
  bool keeps_others_out_ = false;  // in the transaction that runs
  LineWatch& watch_;
  WriterNews& news_;
  const std::string id_;  // of this open store, random

  // Number of the last commit of which it is known that it was kept, and the highest that was asked
  // for. Unequal: an answer is missing. No value: not the writer yet.
  std::optional<std::int64_t> sure_;
  std::int64_t asked_ = 0;
  std::optional<std::int64_t> in_doubt_;  // the group whose answer is missing
  bool kept_ = false;                     // what became of it, once that is certain
  std::map<std::int64_t, bool> claims_;   // since it is in doubt: whether it was there below

  std::optional<Time> lost_at_;
  Time next_attempt_{};
  std::optional<Error> end_;  // why it is superseded
};

}  // namespace comity::store
