// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/backup_maker.h"

#include <sys/stat.h>

#include <cerrno>
#include <fstream>
#include <system_error>
#include <utility>

#include "crypto/base/random_id.h"
#include "crypto/envelope/aead.h"
#include "services/audit/events.h"
#include "services/audit/export.h"
#include "services/backup/backup_file.h"
#include "services/backup/backup_key.h"
#include "services/backup/log_part.h"
#include "services/backup/sealed_part.h"

namespace comity::oversight {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kFolderMode = 0700;
constexpr std::string_view kFolderPrefix = "backup-b-";

struct Job {
  const BackupSources& sources;
  const SecretBytes& key;
  fs::path folder;
  backup::Manifest manifest;
};

Result<fs::path> MakeFolder(const BackupSources& sources, const std::string& id) {
  const fs::path folder = sources.data_directory / ("backup-" + id);
  if (::mkdir(folder.c_str(), kFolderMode) == 0) return folder;
  return Fail(ErrorCode::kUnavailable,
              "cannot make " + folder.string() + ": " + std::generic_category().message(errno));
}

Status RecordBackup(const BackupSources& sources, const std::string& id, std::string_view by,
                    const backup::Manifest& manifest) {
  audit::Event event;
  event.type = audit::kBackupMade;
  event.time = manifest.made_at;
  event.parties = {sources.own};
  event.committed = {{"backup", id}, {"operator", std::string(by)}};
  event.counts = {{"log_size", static_cast<std::int64_t>(sources.log.Latest().size)},
                  {"ledger_line", static_cast<std::int64_t>(manifest.ledger.sequence)}};
  COMITY_RETURN_IF_ERROR(
      sources.log.Commit([&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
        COMITY_RETURN_IF_ERROR(recorder.Record(event));
        if (sources.lone_acts == nullptr) return {};
        return sources.lone_acts->Tell(
            transaction, recorder,
            {identity::Act::kBackup, "this node", "backup " + id + " was made", std::string(by)});
      }));
  if (sources.lone_acts != nullptr) sources.lone_acts->Announce();
  return {};
}

// The log first: the database that is copied after it holds every entry that its checkpoint covers.
Status AddLog(Job& job) {
  backup::PartWriter writer(job.folder / "log", {job.key, job.manifest.id, "log"},
                            job.sources.random);
  COMITY_ASSIGN_OR_RETURN(
      const audit::Checkpoint checkpoint,
      audit::Export(job.sources.log, [&](std::string_view path, ByteView content) -> Status {
        const std::string head = backup::EncodeLogFileHead(path, content.size());
        COMITY_RETURN_IF_ERROR(writer.Write(AsBytes(head)));
        return writer.Write(content);
      }));
  COMITY_ASSIGN_OR_RETURN(const backup::ManifestPart part, writer.Finish());
  job.manifest.checkpoint_size = checkpoint.size;
  job.manifest.parts.push_back(part);
  return {};
}

Status AddDatabase(Job& job) {
  const fs::path copy = job.folder / "comity.db";
  store::RestorationRecord restoration;
  restoration.backup = job.manifest.id;
  restoration.made_at = job.manifest.made_at;
  restoration.log_origin = job.manifest.log_origin;
  restoration.ledger = {job.manifest.ledger.sequence, job.manifest.ledger.hash};
  COMITY_ASSIGN_OR_RETURN(restoration, job.sources.copy(copy, restoration));
  job.manifest.log_size = restoration.log_size;
  backup::PartWriter writer(job.folder / "database", {job.key, job.manifest.id, "database"},
                            job.sources.random);
  std::ifstream file(copy, std::ios::binary);
  Bytes chunk(backup::kFrameSize);
  while (file) {
    file.read(reinterpret_cast<char*>(chunk.data()), static_cast<std::streamsize>(chunk.size()));
    COMITY_RETURN_IF_ERROR(
        writer.Write(ByteView(chunk).first(static_cast<std::size_t>(file.gcount()))));
  }
  if (!file.eof()) return Fail(ErrorCode::kUnavailable, "cannot read " + copy.string());
  COMITY_ASSIGN_OR_RETURN(const backup::ManifestPart part, writer.Finish());
  job.manifest.parts.push_back(part);
  std::error_code ignored;
  fs::remove(copy, ignored);
  return {};
}

Status Gather(Job& job) {
  COMITY_RETURN_IF_ERROR(AddLog(job));
  COMITY_RETURN_IF_ERROR(AddDatabase(job));
  COMITY_RETURN_IF_ERROR(
      job.sources.ledger.Note(backup::line_kind::kBackup, job.manifest.id, job.manifest.log_size));
  return {};
}

Result<backup::Manifest> Begin(const BackupSources& sources) {
  if (!sources.ledger.Look().has_copy) {
    return Fail(ErrorCode::kConflict,
                "set data.erasure_ledger to a folder on another disk first: a backup can be put "
                "back only with a copy of the erasure ledger that outlived the data directory");
  }
  backup::Manifest manifest;
  manifest.id = "b-" + RandomId(sources.random);
  manifest.agency = sources.own;
  manifest.made_at = sources.clock.Now();
  manifest.expires_at = manifest.made_at + backup::kBackupLife;
  manifest.schema = sources.schema;
  manifest.software = sources.software;
  manifest.log_origin = sources.log_origin;
  const store::LedgerHead head = sources.ledger.Look().head;
  manifest.ledger = {head.sequence, head.hash};
  return manifest;
}

}  // namespace

MadeBackup::~MadeBackup() {
  if (folder_.empty()) return;
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

std::uint64_t MadeBackup::octets() const {
  std::uint64_t octets = head.size();
  for (const backup::ManifestPart& part : manifest.parts) octets += part.size;
  return octets;
}

Result<MadeBackup> MakeBackup(const BackupSources& sources, std::string_view by) {
  COMITY_ASSIGN_OR_RETURN(backup::Manifest manifest, Begin(sources));
  COMITY_RETURN_IF_ERROR(RecordBackup(sources, manifest.id, by, manifest));
  COMITY_ASSIGN_OR_RETURN(const fs::path folder, MakeFolder(sources, manifest.id));
  MadeBackup made(folder);
  const SecretBytes key = envelope::GenerateKey(sources.random);
  Job job{sources, key, folder, std::move(manifest)};
  Status gathered = backup::StoreBackupKey({job.manifest.id, job.manifest.expires_at, key.Clone()},
                                           sources.kek, sources.ledger.folders(), sources.random);
  if (gathered) gathered = Gather(job);
  if (!gathered) {
    static_cast<void>(backup::DestroyBackupKey(job.manifest.id, sources.ledger.folders()));
    return Fail(gathered.error());
  }
  made.manifest = std::move(job.manifest);
  made.head = backup::EncodeBackupHead(backup::SignManifest(made.manifest, sources.agency_key));
  made.files = {folder / "log", folder / "database"};
  return made;
}

void RemoveUnfinishedBackups(const fs::path& data_directory) {
  std::error_code fault;
  std::vector<fs::path> left;
  for (fs::directory_iterator at(data_directory, fault), end; !fault && at != end;
       at.increment(fault)) {
    if (at->path().filename().string().starts_with(kFolderPrefix)) left.push_back(at->path());
  }
  for (const fs::path& folder : left) fs::remove_all(folder, fault);
}

}  // namespace comity::oversight
