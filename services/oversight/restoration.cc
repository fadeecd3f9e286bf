// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/restoration.h"

#include <algorithm>
#include <set>
#include <system_error>
#include <utility>

#include "crypto/base/random_id.h"
#include "services/audit/checkpoint.h"
#include "services/audit/log_edge.h"
#include "services/audit/tile_files.h"
#include "services/oversight/stops.h"
#include "services/store/deployment_store.h"

namespace comity::oversight {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSuffix = 8;  // 40 random bits: two restorations of one day differ

Result<Restoration> Read(const store::Store& store) {
  Restoration restoration;
  COMITY_RETURN_IF_ERROR(store.Read([&](const store::Transaction& tx) -> Status {
    COMITY_ASSIGN_OR_RETURN(restoration, tx.retention().Restoration());
    return {};
  }));
  return restoration;
}

fs::path Aside(const AdoptSetup& setup, const Restoration& restoration) {
  return setup.data_directory / ("log-of-" + restoration.backup);
}

// The stored entries that the backup's checkpoint covers have the root that it was signed over.
Status CheckLog(const AdoptSetup& setup, const Restoration& restoration, const fs::path& folder) {
  const auto note = audit::TileFiles(folder).ReadCheckpoint();
  if (!note) {
    return Fail(ErrorCode::kCorrupt, "the log that belongs to the backup is not in " +
                                         folder.string() + ": " + note.error().detail +
                                         "; put the backup back with 'comity restore'");
  }
  COMITY_ASSIGN_OR_RETURN(
      const audit::Checkpoint checkpoint,
      audit::OpenOwnCheckpoint(
          *note, audit::VerifierKeyOf(OriginOf(restoration, setup.first_origin), setup.log_key)));
  audit::LogEdge edge;
  const audit::TileSink nowhere = [](const tlog::TilePath&, ByteView) { return Status(); };
  COMITY_RETURN_IF_ERROR(audit::AppendStored(setup.store, checkpoint.size, edge, nowhere));
  if (edge.Root() == checkpoint.root) return {};
  return Fail(ErrorCode::kCorrupt,
              "the entries in the backup's database do not have the root that was signed for them");
}

Status MoveAside(const fs::path& from, const fs::path& to) {
  std::error_code fault;
  if (!fs::exists(from, fault)) return {};
  fs::rename(from, to, fault);
  if (!fault) return {};
  return Fail(ErrorCode::kUnavailable,
              "cannot move " + from.string() + " to " + to.string() + ": " + fault.message());
}

Status AddStop(store::Transaction& tx, const AdoptSetup& setup, store::StopRecord stop) {
  stop.id = "stop-" + RandomId(setup.random);
  stop.set_by = Stops::kAlarm;
  return tx.stops().Add(stop);
}

// Own people's suspensions and terminations of an agreement are lost with the database, and a
// partner may keep silent about them: it does not go on before two people have looked at it.
Status StopAgreements(store::Transaction& tx, const AdoptSetup& setup, store::StopRecord stop) {
  stop.scope = store::StopScope::kAgreement;
  COMITY_ASSIGN_OR_RETURN(const auto documents, tx.agreements().Documents());
  std::set<policy::AgreementId> agreements;  // of many versions one
  for (const store::AgreementDocumentRecord& document : documents) agreements.insert(document.id);
  for (const policy::AgreementId& agreement : agreements) {
    stop.reference = agreement.text();
    COMITY_RETURN_IF_ERROR(AddStop(tx, setup, stop));
  }
  return {};
}

// What may have been closed, stopped, ended or withdrawn since the backup does not match before two
// people have looked at it.
Status StopAll(store::Transaction& tx, const AdoptSetup& setup, const Restoration& restoration) {
  store::StopRecord stop;
  stop.reason = "the node was restored from backup " + restoration.backup;
  stop.set_at = restoration.restored_at;
  COMITY_RETURN_IF_ERROR(StopAgreements(tx, setup, stop));
  stop.scope = store::StopScope::kWatchlist;
  COMITY_ASSIGN_OR_RETURN(const auto lists, tx.watchlists().Lists());
  for (const store::WatchlistRecord& list : lists) {
    if (list.state == store::ListState::kDeleted) continue;
    stop.reference = list.reference.text();
    COMITY_RETURN_IF_ERROR(AddStop(tx, setup, stop));
  }
  stop.scope = store::StopScope::kDeployment;
  COMITY_ASSIGN_OR_RETURN(const auto deployments,
                          tx.deployments().InState({store::DeploymentState::kActive}));
  for (const store::DeploymentRecord& deployment : deployments) {
    stop.reference = deployment.id.text();
    COMITY_RETURN_IF_ERROR(AddStop(tx, setup, stop));
  }
  return {};
}

}  // namespace

std::string_view Name(RestorationState state) {
  switch (state) {
    case RestorationState::kNever:
      return "never";
    case RestorationState::kCopy:
    case RestorationState::kRestored:
      return "restored";
    case RestorationState::kConfirmed:
      return "confirmed";
  }
  return "restored";
}

std::string OriginOf(const Restoration& restoration, const std::string& first_origin) {
  return restoration.log_origin.empty() ? first_origin : restoration.log_origin;
}

Result<Restoration> AdoptCopy(const AdoptSetup& setup) {
  COMITY_ASSIGN_OR_RETURN(Restoration restoration, Read(setup.store));
  if (restoration.state != RestorationState::kCopy) return restoration;
  const fs::path aside = Aside(setup, restoration);
  const fs::path published = setup.data_directory / "log";
  std::error_code ignored;
  // A crash after the move leaves them aside already.
  COMITY_RETURN_IF_ERROR(
      CheckLog(setup, restoration, fs::exists(aside, ignored) ? aside : published));
  if (!fs::exists(aside, ignored)) COMITY_RETURN_IF_ERROR(MoveAside(published, aside));
  const ErasureLedger::State ledger = setup.ledger.Look();
  restoration.state = RestorationState::kRestored;
  restoration.restored_at = setup.clock.Now();
  restoration.ledger_until = ledger.last_time;
  restoration.largest_seen = std::max(ledger.largest_log_size, restoration.log_size);
  restoration.replayed = setup.replayed.records;
  restoration.log_origin = setup.first_origin + "/" + policy::UtcDay(restoration.restored_at) +
                           "-" + RandomId(setup.random).substr(0, kSuffix);
  COMITY_RETURN_IF_ERROR(setup.ledger.Note(backup::line_kind::kRestored, restoration.log_origin,
                                           restoration.log_size));
  COMITY_RETURN_IF_ERROR(setup.store.Write([&](store::Transaction& tx) -> Status {
    COMITY_RETURN_IF_ERROR(StopAll(tx, setup, restoration));
    return tx.retention().PutRestoration(restoration);
  }));
  return restoration;
}

// Lines of erasures count units of work that may have been lost; marks are of what was durable.
Status CheckNotRolledBack(const store::Store& store, const ErasureLedger& ledger) {
  std::uint64_t seen = 0;
  COMITY_RETURN_IF_ERROR(
      ledger.Visit([&](const backup::LedgerLine& line, const backup::LedgerPosition&) -> Status {
        if (line.kind == backup::line_kind::kRestored) seen = line.log_size;
        if (line.kind == backup::line_kind::kMark) seen = std::max(seen, line.log_size);
        return {};
      }));
  std::uint64_t size = 0;
  COMITY_RETURN_IF_ERROR(store.Read([&](const store::Transaction& tx) -> Status {
    COMITY_ASSIGN_OR_RETURN(size, tx.audit().Size());
    return {};
  }));
  if (size >= seen) return {};
  return Fail(ErrorCode::kConflict,
              "the log has " + std::to_string(size) + " entries and had " + std::to_string(seen) +
                  ": an older state of the data was put back. Put back the newest; if it is lost, "
                  "restore the newest backup with 'comity restore', so that the log goes on under "
                  "another name");
}

Result<Standing> StandingOf(const store::Store& store) {
  Standing standing;
  COMITY_RETURN_IF_ERROR(store.Read([&](const store::Transaction& tx) -> Status {
    COMITY_ASSIGN_OR_RETURN(standing.ledger, tx.retention().Head());
    COMITY_ASSIGN_OR_RETURN(standing.log_size, tx.audit().Size());
    COMITY_ASSIGN_OR_RETURN(standing.restoration, tx.retention().Restoration());
    return {};
  }));
  return standing;
}

Status CheckStillStands(const store::Store& store, const Standing& before) {
  COMITY_ASSIGN_OR_RETURN(const Standing now, StandingOf(store));
  const bool is_same = now.ledger == before.ledger && now.log_size == before.log_size &&
                       now.restoration.state == before.restoration.state &&
                       now.restoration.backup == before.restoration.backup &&
                       now.restoration.log_origin == before.restoration.log_origin;
  if (is_same) return {};
  return Fail(ErrorCode::kConflict,
              "the database changed while the gateway started: somebody else writes to it, or it "
              "is another one now. See which server answers, and start again");
}

Result<std::unique_ptr<Reunion>> Reunion::Open(store::Store& store,
                                               const Restoration& restoration) {
  std::unique_ptr<Reunion> reunion(
      new Reunion(store, restoration.state == RestorationState::kNever));
  COMITY_RETURN_IF_ERROR(store.Read([&](const store::Transaction& tx) -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto peers, tx.retention().Reached());
    reunion->reached_.With([&](auto& reached) { reached.insert(peers.begin(), peers.end()); });
    return {};
  }));
  return reunion;
}

bool Reunion::IsReunited(const policy::AgencyId& peer) const {
  return everybody_ || reached_.With([&](const auto& reached) { return reached.contains(peer); });
}

Status Reunion::NoteReached(const policy::AgencyId& peer) {
  if (IsReunited(peer)) return {};
  COMITY_RETURN_IF_ERROR(
      store_.Write([&](store::Transaction& tx) { return tx.retention().NoteReached(peer); }));
  reached_.With([&](auto& reached) { reached.insert(peer); });
  return {};
}

std::vector<policy::AgencyId> Reunion::Waiting(const std::vector<policy::AgencyId>& peers) const {
  std::vector<policy::AgencyId> waiting;
  for (const policy::AgencyId& peer : peers) {
    if (!IsReunited(peer)) waiting.push_back(peer);
  }
  return waiting;
}

}  // namespace comity::oversight
