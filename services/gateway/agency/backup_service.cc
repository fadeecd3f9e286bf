// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agency/backup_service.h"

#include <fstream>
#include <utility>

#include "services/gateway/wire/convert_approval.h"
#include "services/gateway/wire/convert_time.h"
#include "services/gateway/wire/respond.h"
#include "services/identity/visible_text.h"

namespace comity::gateway {
namespace {

using identity::Act;
using Writer = grpc::ServerWriter<v1::BackupChunk>;

constexpr std::size_t kChunkBytes = std::size_t{256} << 10;  // as retention.proto states
constexpr std::size_t kMaxReason = 1000;

v1::BackupChunk FirstChunk(const oversight::MadeBackup& made) {
  v1::BackupChunk chunk;
  v1::BackupHead& head = *chunk.mutable_head();
  head.set_backup(made.manifest.id);
  head.set_octets(made.octets());
  head.set_log_size(made.manifest.log_size);
  head.set_ledger_line(made.manifest.ledger.sequence);
  *head.mutable_made_at() = ToProto(made.manifest.made_at);
  *head.mutable_expires_at() = ToProto(made.manifest.expires_at);
  chunk.set_data(made.head);
  return chunk;
}

Status Send(Writer& writer, const v1::BackupChunk& chunk) {
  if (writer.Write(chunk)) return {};
  return Fail(ErrorCode::kUnavailable, "the reader went away");
}

Status SendFile(Writer& writer, const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string octets(kChunkBytes, '\0');
  v1::BackupChunk chunk;
  while (file.read(octets.data(), static_cast<std::streamsize>(octets.size())) ||
         file.gcount() > 0) {
    chunk.set_data(octets.data(), static_cast<std::size_t>(file.gcount()));
    COMITY_RETURN_IF_ERROR(Send(writer, chunk));
  }
  if (file.eof()) return {};
  return Fail(ErrorCode::kUnavailable, "cannot read " + path.string());
}

}  // namespace

BackupService::BackupService(Ports ports) : ports_(std::move(ports)), confirm_(ports_.confirm) {
  ports_.approvals.Handle(Act::kRestoreConfirm, confirm_);
}

Result<oversight::Restoration> BackupService::Look() const {
  oversight::Restoration restoration;
  COMITY_RETURN_IF_ERROR(
      ports_.sources.log.store().Read([&](const store::Transaction& tx) -> Status {
        COMITY_ASSIGN_OR_RETURN(restoration, tx.retention().Restoration());
        return {};
      }));
  return restoration;
}

grpc::Status BackupService::Make(grpc::ServerContext* context,
                                 const v1::MakeBackupRequest* /*request*/, Writer* writer) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto caller, ports_.callers.Person(*context, Act::kBackup));
    COMITY_ASSIGN_OR_RETURN(const auto place, one_.Take("backup", "one backup at a time"));
    COMITY_ASSIGN_OR_RETURN(const oversight::MadeBackup made,
                            oversight::MakeBackup(ports_.sources, caller.person.text()));
    COMITY_RETURN_IF_ERROR(Send(*writer, FirstChunk(made)));
    for (const std::filesystem::path& file : made.files) {
      COMITY_RETURN_IF_ERROR(SendFile(*writer, file));
    }
    v1::BackupChunk last;
    last.set_last(true);
    return Send(*writer, last);
  });
}

grpc::Status BackupService::Restoration(grpc::ServerContext* context,
                                        const v1::RestorationRequest* /*request*/,
                                        v1::RestorationResponse* response) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto caller, ports_.callers.Person(*context, Act::kNodeStatus));
    COMITY_ASSIGN_OR_RETURN(const auto restoration, Look());
    response->set_state(std::string(oversight::Name(restoration.state)));
    response->set_log_origin(ports_.sources.log_origin);
    if (restoration.state == oversight::RestorationState::kNever) return {};
    response->set_backup(restoration.backup);
    *response->mutable_made_at() = ToProto(restoration.made_at);
    response->set_log_size(restoration.log_size);
    response->set_largest_seen(restoration.largest_seen);
    *response->mutable_ledger_until() = ToProto(restoration.ledger_until);
    response->set_replayed(restoration.replayed);
    *response->mutable_restored_at() = ToProto(restoration.restored_at);
    if (restoration.state == oversight::RestorationState::kConfirmed) {
      *response->mutable_confirmed_at() = ToProto(restoration.confirmed_at);
    }
    for (const policy::AgencyId& peer : ports_.reunion.Waiting(ports_.partners())) {
      response->add_waiting_for(peer.text());
    }
    return {};
  });
}

grpc::Status BackupService::Confirm(grpc::ServerContext* context,
                                    const v1::ConfirmRestorationRequest* request,
                                    v1::PendingAct* response) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto caller,
                            ports_.callers.Person(*context, Act::kRestoreConfirm));
    COMITY_RETURN_IF_ERROR(identity::CheckVisibleText("the reason", request->reason(), kMaxReason));
    COMITY_ASSIGN_OR_RETURN(const auto restoration, Look());
    COMITY_ASSIGN_OR_RETURN(
        const auto act,
        ports_.approvals.Propose(Act::kRestoreConfirm,
                                 oversight::EncodeRestoreConfirm(restoration, request->reason()),
                                 "restoration of this node", caller));
    *response = ToProto(act);
    return {};
  });
}

}  // namespace comity::gateway
