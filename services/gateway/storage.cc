// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/storage.h"

#include <chrono>
#include <utility>

#include "services/audit/events.h"
#include "services/oversight/backup_maker.h"
#include "services/oversight/bound_start.h"
#include "services/runtime/directory_lock.h"
#include "services/runtime/shutdown.h"
#include "services/store/sqlite/sqlite_store.h"

namespace comity::gateway {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kUnwrittenAtMost{60};
constexpr std::chrono::seconds kBetweenTries{2};  // to reach the database at the start
constexpr std::chrono::minutes kLongestTry{1};    // to learn that it is away
constexpr int kTriesTold = 5;                     // one line for so many
constexpr std::chrono::seconds kTurnsOfOthers{10};
constexpr std::chrono::milliseconds kLook{100};

// Says which part of the set-up an error comes from.
template <typename T>
Result<T> At(std::string_view place, Result<T> result) {
  if (result) return result;
  return Fail(result.error().code, std::string(place) + ": " + result.error().detail);
}

}  // namespace

// A server that is not there is waited for: it starts with the machine as the gateway does, or is
// handed over to a replica just now. A password that is refused and a certificate that does not
// verify look the same here: libpq has only words for them, in the server's language.
Result<std::unique_ptr<Storage>> Storage::Open(const Setup& setup,
                                               const std::function<Status()>& prepare) {
  bool is_bounded = setup.database_wait.has_value();
  auto away_since = steady_clock::now();
  for (int tries = 0;; ++tries) {
    COMITY_ASSIGN_OR_RETURN(Turn turn, AwaitTurn(setup, tries > 0));
    if (turn.waited) is_bounded = false;
    COMITY_RETURN_IF_ERROR(prepare());
    const auto tried = steady_clock::now();
    std::unique_ptr<Storage> storage(new Storage(setup, std::move(turn)));
    Status opened = storage->BringUpToDate();
    if (opened) opened = storage->OpenLog();
    if (opened) {
      storage->restart_.Settle();
      return storage;
    }
    if (!storage->is_away_ || setup.stop.stop_requested()) return Fail(opened.error());
    storage.reset();  // with its turn
    const auto now = steady_clock::now();
    if (now - tried > kLongestTry) away_since = now;  // it waited for another gateway's session
    if (is_bounded && now - away_since >= *setup.database_wait) return Fail(opened.error());
    if (tries % kTriesTold == 0) {
      setup.logger.Warn("database-away", {{"reason", opened.error().detail}});
    }
    if (!runtime::SleepUnlessStopped(kBetweenTries, setup.stop)) return Fail(opened.error());
  }
}

// Held from before the ledger is read until after the last commit: with the database's own lock
// alone, a gateway that lost it would still write to the folder beside its successor.
Result<Storage::Turn> Storage::AwaitTurn(const Setup& setup, bool again) {
  Turn turn;
  if (!setup.config.store) return turn;
  const std::filesystem::path& directory = setup.config.data_directory;
  // Where nobody reaches the database, all have the directory in turns, which is no news.
  const auto news = steady_clock::now() + (again ? kTurnsOfOthers : std::chrono::seconds(0));
  do {
    if (auto lock = runtime::LockDirectory(directory)) {
      turn.data_lock = *std::move(lock);
      return turn;
    }
  } while (steady_clock::now() < news && runtime::SleepUnlessStopped(kLook, setup.stop));
  setup.logger.Info("gateway-waits", {{"directory", directory.string()},
                                      {"until", "the gateway that works has ended"}});
  turn.waited = true;
  COMITY_ASSIGN_OR_RETURN(turn.data_lock,
                          At("data.directory", runtime::AwaitDirectory(directory, setup.stop)));
  return turn;
}

Result<std::unique_ptr<store::Store>> Storage::OpenStore(store::ErasureLedger* ledger) {
  restart_.Forget();  // what was lost by now is opened anew
  auto store = OpenDatabase(setup_.config, ledger, Owner(), &setup_.keys.kek);
  is_away_ = setup_.config.store && !store && store.error().code == ErrorCode::kUnavailable;
  return store;
}

DatabaseOwner Storage::Owner() {
  return {setup_.stop, [this](const Error& error) {
            setup_.logger.Error("database-lost", {{"reason", error.detail}});
            restart_.Ask("database lost");
          }};
}

void Storage::WatchDatabase() {
  if (!setup_.config.store) return;
  if (!written_at_) written_at_ = steady_clock::now();  // this gateway has just opened it
  const Status written = store_->Write([](store::Transaction&) { return Status(); });
  const auto now = steady_clock::now();
  if (written) {  // else it does not matter why: an empty unit of work has no error of its own
    written_at_ = now;
    return;
  }
  // Counted from the last success: other tasks of the same thread may have waited for the line, and
  // used up the store's patience, before this one saw that it is lost.
  if (now - *written_at_ < kUnwrittenAtMost) return;
  setup_.logger.Error("database-lost", {{"reason", written.error().detail}});
  restart_.Ask("database out of reach");
}

int Storage::Schema() const {
  return setup_.config.store ? store::PostgresSchemaVersion() : store::SqliteSchemaVersion();
}

Status Storage::BringUpToDate() {
  const std::filesystem::path& directory = setup_.config.data_directory;
  oversight::Standing standing;
  {
    // Opened without a ledger, since a replay writes no lines. SQLite's also takes the directory's
    // lock before the ledger in it is touched.
    COMITY_ASSIGN_OR_RETURN(const auto store, OpenStore(nullptr));
    oversight::RemoveUnfinishedBackups(directory);
    COMITY_ASSIGN_OR_RETURN(
        ledger_,
        At("data.erasure_ledger",
           oversight::ErasureLedger::Open({directory, setup_.config.erasure_ledger, setup_.keys.kek,
                                           setup_.own, setup_.clock, setup_.random})));
    COMITY_RETURN_IF_ERROR(oversight::BindTables(*store, *ledger_));
    COMITY_ASSIGN_OR_RETURN(
        replayed_,
        At("data.erasure_ledger", oversight::ReplayErasures(*store, *ledger_, setup_.clock)));
    oversight::Restoration before;
    COMITY_RETURN_IF_ERROR(store->Read([&](const store::Transaction& tx) -> Status {
      COMITY_ASSIGN_OR_RETURN(before, tx.retention().Restoration());
      return {};
    }));
    is_first_start_ = before.state == oversight::RestorationState::kCopy;
    COMITY_ASSIGN_OR_RETURN(
        restoration_,
        At("data.directory",
           oversight::AdoptCopy({*store, *ledger_, directory, LogOrigin(setup_.config),
                                 *setup_.keys.log, replayed_, setup_.clock, setup_.random})));
    COMITY_RETURN_IF_ERROR(At("data.directory", oversight::CheckNotRolledBack(*store, *ledger_)));
    COMITY_ASSIGN_OR_RETURN(standing, oversight::StandingOf(*store));
  }
  COMITY_ASSIGN_OR_RETURN(store_, OpenStore(ledger_.get()));
  COMITY_RETURN_IF_ERROR(oversight::ExpectMarked(*store_, *ledger_));
  // Opened a second time, it could be another server's by now. What holds of the first one holds of
  // this one too if the log is as long and the ledger's head is the same.
  return At("data.directory", oversight::CheckStillStands(*store_, standing));
}

Status Storage::OpenLog() {
  origin_ = oversight::OriginOf(restoration_, LogOrigin(setup_.config));
  COMITY_ASSIGN_OR_RETURN(
      log_, At("audit log", audit::Log::Open({*store_, *setup_.keys.log, origin_, setup_.keys.kek,
                                              setup_.config.data_directory, setup_.clock,
                                              setup_.logger, setup_.random})));
  COMITY_ASSIGN_OR_RETURN(reunion_, oversight::Reunion::Open(*store_, restoration_));
  COMITY_RETURN_IF_ERROR(Record(replayed_, is_first_start_));
  return NoteSize();
}

Status Storage::Record(const oversight::Replayed& replayed, bool is_new) {
  audit::Event event;
  event.parties = {setup_.own};
  if (replayed.records > 0) {
    event.type = audit::kErasuresReplayed;
    event.counts = {{"records", static_cast<std::int64_t>(replayed.records)},
                    {"lines", static_cast<std::int64_t>(replayed.lines)}};
    COMITY_RETURN_IF_ERROR(log_->Record(event));
  }
  if (!is_new) return {};
  event.type = audit::kNodeRestored;
  event.committed = {{"backup", restoration_.backup}};
  event.counts = {{"log_size", static_cast<std::int64_t>(restoration_.log_size)},
                  {"largest_seen", static_cast<std::int64_t>(restoration_.largest_seen)},
                  {"records", static_cast<std::int64_t>(restoration_.replayed)}};
  return log_->Record(event);
}

Status Storage::NoteSize() {
  COMITY_RETURN_IF_ERROR(oversight::MarkLedger(*store_, *ledger_));
  return {};
}

Status Storage::UpholdBars(identity::People& people, identity::Peers& peers,
                           identity::Notices& notices) {
  COMITY_ASSIGN_OR_RETURN(
      bars_,
      At("data.erasure_ledger", oversight::Bars::Open({*store_, *log_, people, peers, notices,
                                                       *ledger_, setup_.clock, setup_.logger})));
  COMITY_RETURN_IF_ERROR(At("data.erasure_ledger", bars_->Uphold()));
  ListBars();
  COMITY_RETURN_IF_ERROR(oversight::TellOfBinding(
      {*store_, *ledger_, *log_, notices, setup_.own, setup_.clock, setup_.logger}));
  tables_ = std::make_unique<oversight::TableWatch>(
      oversight::TableWatch::Ports{*store_, *log_, notices, *ledger_, setup_.own, setup_.clock,
                                   setup_.logger, [this](store::BoundTable table) {
                                     if (distrust_) distrust_(table);
                                   }});
  return tables_->Look();
}

Status Storage::LookAtTables() {
  return tables_ ? tables_->Look() : Status();
}

void Storage::ListBars() {
  if (bars_) static_cast<void>(bars_->List());  // it logs and tells what it could not do
}

void Storage::NoteEnd() {
  ListBars();
  if (const Status noted = NoteSize(); !noted) {
    setup_.logger.Warn("erasure-ledger-behind", {{"reason", noted.error().detail}});
  }
}

}  // namespace comity::gateway
