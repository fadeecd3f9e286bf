// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "crypto/base/result.h"
#include "crypto/base/secret.h"
#include "services/runtime/config.h"
#include "services/store/bound_tables.h"
#include "services/store/erasure.h"
#include "services/store/peer_store.h"
#include "services/store/store.h"

namespace comity::store {

struct PostgresOptions {
  // postgresql://ROLE@HOST[,HOST...]:PORT/DATABASE?...; several hosts for a primary and those that
  // may take its place. No password in it. Beyond this machine it must say sslmode=verify-full and
  // sslrootcert.
  std::string url;
  // One line: the password. Read at each connection, so it may be replaced. Empty: the url names a
  // passfile, or none is needed.
  std::filesystem::path password_file;

  // The role that owns the schema. Empty: the schema is looked at, not changed. The same role as
  // that of `url`: whoever works is also the owner, which is refused otherwise.
  std::string migration_url;
  std::filesystem::path migration_password_file;

  std::size_t readers = 8;  // connections to read with, at most
  // How long units wait for a line that was lost, from its loss; and how long a commit at most
  // whose answer is missing.
  std::chrono::milliseconds patience{30'000};
  // A statement that takes longer counts as a lost line.
  std::chrono::milliseconds call_timeout{60'000};

  // Another gateway writes: true: wait until it ends (a standby), false: fail.
  bool wait_for_writer = false;
  // Requested: nothing waits for the database any more, and a call that it does not answer within
  // two seconds is cut.
  std::stop_token stop;
  // Called once, by the writer's thread, when superseded() becomes true. Must not call the store.
  std::function<void(const Error&)> on_superseded;
  // For tests and benches: a server with fsync off is not refused.
  bool accept_unsafe_server = false;
};

// How the configuration says that the database is reached.
PostgresOptions OptionsOf(const runtime::StoreConfig& config);

// A store in a PostgreSQL database. One gateway at a time writes to a database: it holds a lock of
// the server for as long as its session lives, and all commits are made in that session.
//
// When the line is lost, the units whose commit was not sent fail with kUnavailable and are not
// kept. A commit whose answer is missing is looked up after the line is there again: its units
// succeed or fail as it was. Units that come while the line is down wait, `patience` at most from
// its loss; later ones fail until it is back.
//
// Threads: thread-safe.
class PostgresStore : public Store {
 public:
  // True for good when this store must not write any more: another gateway has taken over, the
  // database was put back to an earlier state, or it could not be learnt in time whether a commit
  // was kept. What the program remembers may then differ from the database: it must end.
  virtual bool superseded() const = 0;
};

// Opens the store, brings its schema up to date if `options` say how, and becomes the one writer.
//
// Errors: kInvalidArgument   the url; what to write instead; or a server that is too old, is not in
//                            UTF-8, or loses what it acknowledges (fsync off)
//         kPermissionDenied  the role is a superuser, owns the tables, may change log entries, or
//         may
//                            not do what it must; a password file that others may read
//         kUnavailable       no connection, or another gateway writes
//         kConflict          the schema is newer than this program, or older and may not be changed
//         kCorrupt           the database is another program's
// In:     ledger  told of all that is erased before it is; null: nobody is; must outlive the store
//         kek     the key-encryption key, of which tables are bound (bound_tables.h); null: they
//         are
//                 neither checked nor bound. Secret: kek
Result<std::unique_ptr<PostgresStore>> OpenPostgresStore(const PostgresOptions& options,
                                                         ErasureLedger* ledger = nullptr,
                                                         const SecretBytes* kek = nullptr);

// Looks at the database as OpenPostgresStore does before it works, and changes nothing: the line,
// the server, what the role may do, the schema. Takes no lock: a gateway may work meanwhile.
// Errors: those of OpenPostgresStore
// In: kek  as above; null: `bound` stays empty
struct PostgresExamination {
  std::vector<PeerRecord> peers;  // by agency, kSelf among them; nothing is verified
  std::vector<BoundState> bound;
  bool log_shows_rows = false;  // the server's own log has parts of rows that it refuses
};
Result<PostgresExamination> ExaminePostgresStore(const PostgresOptions& options,
                                                 const SecretBytes* kek = nullptr);

int PostgresSchemaVersion();  // of what this program writes

}  // namespace comity::store
