// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "services/audit/log.h"
#include "services/gateway/database.h"
#include "services/gateway/identity_keys.h"
#include "services/gateway/restart.h"
#include "services/oversight/bars.h"
#include "services/oversight/erasure_ledger.h"
#include "services/oversight/restoration.h"
#include "services/oversight/table_watch.h"
#include "services/runtime/config.h"
#include "services/runtime/descriptor.h"
#include "services/store/store.h"

namespace comity::gateway {

// What a gateway keeps on disk, opened in the only safe order: the erasure ledger, the database
// brought up to it, the log under its name. Nothing else opens any of them.
//
// Threads: Open and Close by one thread; what it holds is thread-safe.
class Storage {
 public:
  struct Setup {
    const runtime::Config& config;
    const IdentityKeys& keys;
    policy::AgencyId own;
    const runtime::Clock& clock;
    runtime::Logger& logger;
    RandomSource& random;
    std::stop_token stop{};  // requested: nothing waits for a database any more
    // Called, perhaps by the database's thread, when this gateway must end and start anew, with
    // why.
    std::function<void(std::string)> start_anew{};
    // How long a database that is away is waited for, unless another gateway worked until now;
    // none: as long as it takes.
    std::optional<std::chrono::seconds> database_wait{};
  };
  // With a PostgreSQL database: waits until no other gateway has the data directory nor writes to
  // the database. A database that cannot be reached is tried again; between two tries the directory
  // is let go, since another gateway of the agency perhaps reaches it. All references must outlive
  // the object. In:     prepare  called whenever the directory has become this gateway's, before
  // anything in it
  //                  is read that another one changes: keys, the clock's record, the ledger. It
  //                  fills `setup.keys`. An error ends the start
  // Errors: those of prepare, store, ledger, replay and log; each names what is wrong
  //         kUnavailable  `stop` was requested first, or the directory cannot be locked
  static Result<std::unique_ptr<Storage>> Open(const Setup& setup,
                                               const std::function<Status()>& prepare);

  int Schema() const;  // of the database
  store::Store& store() { return *store_; }
  audit::Log& log() { return *log_; }
  oversight::ErasureLedger& ledger() { return *ledger_; }
  oversight::Reunion& reunion() { return *reunion_; }
  // As it was when this was opened.
  const oversight::Restoration& restoration() const { return restoration_; }
  const std::string& log_origin() const { return origin_; }
  // Put back from a backup and not confirmed by two people: nothing may be searched or exchanged.
  bool waits() const { return restoration_.state == oversight::RestorationState::kRestored; }
  // Ends again whom the ledger bars, once and before anything is served; from then on ListBars()
  // lists whoever is revoked or removed. What it is given must outlive the last ListBars().
  Status UpholdBars(identity::People& people, identity::Peers& peers, identity::Notices& notices);
  // About every second, so that nobody's revocation waits for the ledger. Nothing without
  // UpholdBars(). A failure is logged and told, and tried again the next time.
  void ListBars();
  // About every ten seconds: whether the bound tables are as this gateway wrote them. Looked at the
  // first time by UpholdBars, which also tells of it.
  Status LookAtTables();
  // Called by LookAtTables for each table that is not to be trusted. Set once, before anything is
  // served.
  void OnDistrust(std::function<void(store::BoundTable)> distrust) {
    distrust_ = std::move(distrust);
  }
  // Now and then: whether the database can be written. If not for a minute, this gateway starts
  // anew, so that another one that waits, and perhaps reaches it, takes over.
  void WatchDatabase();
  // Notes in the ledger who has ended and how long the log is, at an orderly end.
  void NoteEnd();

 private:
  // That this gateway is the one that works, as long as it lives.
  struct Turn {
    runtime::Descriptor data_lock;  // of a PostgreSQL node; SQLite's store has its own
    bool waited = false;            // until another gateway ended that worked
  };
  static Result<Turn> AwaitTurn(const Setup& setup, bool again);

  Storage(const Setup& setup, Turn turn)
      : setup_(setup), turn_(std::move(turn)), restart_(setup.start_anew) {}
  DatabaseOwner Owner();
  Result<std::unique_ptr<store::Store>> OpenStore(store::ErasureLedger* ledger);
  Status BringUpToDate();
  Status OpenLog();
  Status Record(const oversight::Replayed& replayed, bool is_new);
  Status NoteSize();

  const Setup setup_;
  const Turn turn_;
  bool is_away_ = false;  // the database could not be reached
  std::optional<std::chrono::steady_clock::time_point>
      written_at_;          // as far as WatchDatabase knows
  PendingRestart restart_;  // outlives the store, whose thread asks
  std::unique_ptr<oversight::ErasureLedger> ledger_;
  std::unique_ptr<store::Store> store_;
  oversight::Replayed replayed_;
  bool is_first_start_ = false;  // of a database that was put back
  oversight::Restoration restoration_;
  std::string origin_;
  std::unique_ptr<audit::Log> log_;
  std::unique_ptr<oversight::Reunion> reunion_;
  std::unique_ptr<oversight::Bars> bars_;
  std::function<void(store::BoundTable)> distrust_;
  std::unique_ptr<oversight::TableWatch> tables_;
};

}  // namespace comity::gateway
