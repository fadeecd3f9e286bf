// SPDX-License-Identifier: Apache-2.0
#include "services/cli/backup_restore.h"

#include <sys/stat.h>

#include <cerrno>
#include <fstream>
#include <system_error>
#include <utility>
#include <vector>

#include "crypto/tlog/note_key.h"
#include "services/backup/backup_file.h"
#include "services/backup/backup_key.h"
#include "services/backup/log_part.h"
#include "services/cli/exit_code.h"
#include "services/cli/export_folder.h"
#include "services/cli/local_file.h"
#include "services/runtime/config.h"
#include "services/runtime/file.h"
#include "services/runtime/partial_file.h"
#include "services/transport/key_encryption_file.h"

namespace comity::cli {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kFolderMode = 0700;
constexpr mode_t kFileMode = 0600;
constexpr std::size_t kChunk = std::size_t{64} << 10;

struct Keys {
  sign::SigningKey agency;
  sign::SigningKey log;
  SecretBytes kek;
};

// Everything that one restoration works with.
struct Job {
  const runtime::Config& config;
  const Keys& keys;
  backup::BackupFile& file;
  const SecretBytes& backup_key;
  fs::path ledger;  // the longest copy
  fs::path folder;  // where the parts are put before they are known to be whole
};

Result<runtime::Config> ReadConfig(const fs::path& file) {
  auto config = runtime::LoadConfig(file);
  if (config) return *std::move(config);
  return Fail(ErrorCode::kInvalidArgument, runtime::Describe(config.error().front(), file));
}

Result<Keys> ReadKeys(const runtime::Config& config) {
  COMITY_ASSIGN_OR_RETURN(auto agency, ReadSigningKey(config.keys.signing));
  COMITY_ASSIGN_OR_RETURN(auto log, ReadSigningKey(config.keys.log));
  COMITY_ASSIGN_OR_RETURN(auto kek, transport::ReadKeyEncryptionFile(config.keys.key_encryption));
  return Keys{std::move(agency), std::move(log), std::move(kek)};
}

tl::unexpected<Error> Refused(const std::string& why) {
  return Fail(ErrorCode::kCorrupt, why);
}

Status CheckManifest(const backup::Manifest& manifest, const runtime::Config& config,
                     policy::Instant now) {
  if (manifest.agency.text() != config.agency.id) {
    return Refused("the backup is that of " + manifest.agency.text() + ", not of " +
                   config.agency.id);
  }
  if (manifest.schema > backup::kNewestSchema) {
    return Refused("the backup has schema " + std::to_string(manifest.schema) +
                   ", this program knows up to " + std::to_string(backup::kNewestSchema) +
                   "; use the program that made it (" + manifest.software + "), or a later one");
  }
  if (now < manifest.expires_at) return {};
  return Refused("the backup expired at " + policy::EncodeInstant(manifest.expires_at) +
                 "; its key is destroyed");
}

// Where copies of the ledger and the keys of backups may be.
std::vector<fs::path> LedgerFolders(const runtime::Config& config) {
  std::vector<fs::path> folders{config.data_directory / "erasure"};
  if (config.erasure_ledger) folders.push_back(*config.erasure_ledger);
  return folders;
}

struct Ledger {
  fs::path file;
  backup::LedgerSurvey survey;
  std::uint64_t lines_after = 0;
};

Result<Ledger> FindLedger(const runtime::Config& config, const SecretBytes& kek,
                          const backup::Manifest& manifest) {
  const SecretBytes key = backup::DeriveLedgerKey(kek);
  Ledger ledger;
  auto longest = backup::LongestLedger(LedgerFolders(config), key);
  if (!longest) {
    return Refused(longest.error().detail +
                   ": without it nobody knows what must not come back (data.erasure_ledger)");
  }
  ledger.file = *std::move(longest);
  bool extends = manifest.ledger.sequence == 0;
  COMITY_ASSIGN_OR_RETURN(
      ledger.survey,
      backup::ReadLedger(
          ledger.file, key,
          [&](const backup::LedgerLine& line, const backup::LedgerPosition& at) -> Status {
            if (at == manifest.ledger) extends = true;
            const bool after = at.sequence > manifest.ledger.sequence;
            if (after && line.kind == backup::line_kind::kErased) {
              ++ledger.lines_after;
            }
            if (line.sequence > 1 || backup::IsBeginningOf(line.about, manifest.agency.text()))
              return {};
            return Refused("the erasure ledger is that of " + line.about);
          }));
  if (extends) return ledger;
  return Refused("the erasure ledger " + ledger.file.string() + " does not hold line " +
                 std::to_string(manifest.ledger.sequence) +
                 " as the backup names it: it is older than the backup, or another node's");
}

Status CheckFolder(const fs::path& into) {
  std::error_code ignored;
  if (!fs::exists(into, ignored)) return {};
  if (fs::is_directory(into, ignored) && fs::is_empty(into, ignored)) return {};
  return Fail(ErrorCode::kConflict, into.string() +
                                        " is there and not an empty folder; move it away first, "
                                        "it may hold the newest erasure ledger");
}

// In: error  errno after the act that failed; 0: not known
tl::unexpected<Error> CannotWrite(const fs::path& path, int error) {
  return Fail(ErrorCode::kInvalidArgument,
              path.string() + " cannot be written: " +
                  (error == 0 ? "the disk fails" : std::generic_category().message(error)));
}

Status UnpackDatabase(const Job& job) {
  const fs::path path = job.folder / "comity.db";
  errno = 0;
  std::ofstream out(path, std::ios::binary);
  if (!out) return CannotWrite(path, errno);
  ::chmod(path.c_str(), kFileMode);
  COMITY_RETURN_IF_ERROR(job.file.Read("database", job.backup_key, [&](ByteView octets) -> Status {
    errno = 0;
    out.write(reinterpret_cast<const char*>(octets.data()),
              static_cast<std::streamsize>(octets.size()));
    return out ? Status() : CannotWrite(path, errno);
  }));
  errno = 0;
  out.close();
  return out ? Status() : CannotWrite(path, errno);
}

Status UnpackLog(const Job& job) {
  const fs::path log = job.folder / "log";
  backup::LogPartReader reader([&](const std::string& path, ByteView content) -> Status {
    std::error_code fault;
    fs::create_directories((log / path).parent_path(), fault);
    if (fault) {
      return Fail(ErrorCode::kInvalidArgument,
                  (log / path).parent_path().string() + " cannot be made: " + fault.message());
    }
    if (fs::exists(log / path, fault)) return Refused("the backup's log has " + path + " twice");
    errno = 0;
    std::ofstream out(log / path, std::ios::binary);
    out.write(reinterpret_cast<const char*>(content.data()),
              static_cast<std::streamsize>(content.size()));
    out.close();
    return out ? Status() : CannotWrite(log / path, errno);
  });
  COMITY_RETURN_IF_ERROR(
      job.file.Read("log", job.backup_key, [&](ByteView octets) { return reader.Feed(octets); }));
  return reader.Finish();
}

// The whole log against its checkpoint, by the key that this agency has, not the backup's.
Status VerifyLog(const Job& job) {
  const backup::Manifest& manifest = job.file.manifest();
  const tlog::VerifierKey key{manifest.log_origin, tlog::NoteKeyType::kEd25519,
                              job.keys.log.public_key()};
  COMITY_ASSIGN_OR_RETURN(const tlog::LogExport log,
                          OpenExportFolder(job.folder / "log", tlog::EncodeVerifierKey(key)));
  const auto summary = VerifyOnAllCores(log, [](std::uint64_t, std::uint64_t) {});
  if (!summary) return Refused("the backup's log does not verify: " + summary.error().detail);
  if (summary->head.checkpoint.size.value == manifest.checkpoint_size) return {};
  return Refused("the backup's checkpoint is not over the entries that its manifest names");
}

Status CopyFile(const fs::path& from, const fs::path& to) {
  std::ifstream in(from, std::ios::binary);
  errno = 0;
  std::ofstream out(to, std::ios::binary);
  ::chmod(to.c_str(), kFileMode);
  std::string chunk(kChunk, '\0');
  while (out && in.read(chunk.data(), static_cast<std::streamsize>(chunk.size())).gcount() > 0) {
    errno = 0;
    out.write(chunk.data(), in.gcount());
  }
  out.close();
  if (!out) return CannotWrite(to, errno);
  if (in.eof()) return {};
  return Fail(ErrorCode::kInvalidArgument, from.string() + " cannot be read");
}

// Ledger and backups' keys go with the data, so that the node has both copies again.
Status CopyLedger(const Job& job) {
  const fs::path erasure = job.folder / "erasure";
  std::error_code fault;
  if (fs::create_directories(erasure, fault); fault) {
    return Fail(ErrorCode::kInvalidArgument,
                erasure.string() + " cannot be made: " + fault.message());
  }
  ::chmod(erasure.c_str(), kFolderMode);
  COMITY_RETURN_IF_ERROR(CopyFile(job.ledger, backup::LedgerFileIn(erasure)));
  const fs::path keys = job.ledger.parent_path() / "backups";
  if (!fs::is_directory(keys, fault)) return {};
  if (::mkdir((erasure / "backups").c_str(), kFolderMode) != 0) {
    return CannotWrite(erasure / "backups", errno);
  }
  for (fs::directory_iterator at(keys, fault), end; !fault && at != end; at.increment(fault)) {
    if (at->path().extension() != ".key") continue;
    COMITY_RETURN_IF_ERROR(CopyFile(at->path(), erasure / "backups" / at->path().filename()));
  }
  if (!fault) return {};
  return Fail(ErrorCode::kInvalidArgument, keys.string() + " cannot be read: " + fault.message());
}

// Every file and folder: what is not on the disk when the folder gets its name is perhaps never.
Status SyncAll(const fs::path& folder) {
  std::error_code fault;
  for (fs::recursive_directory_iterator at(folder, fault), end; !fault && at != end;
       at.increment(fault)) {
    const bool is_folder = at->is_directory(fault);
    COMITY_RETURN_IF_ERROR(
        Locally(is_folder ? runtime::SyncFolder(at->path()) : runtime::SyncFile(at->path())));
  }
  if (!fault) return Locally(runtime::SyncFolder(folder));
  return Fail(ErrorCode::kInvalidArgument, folder.string() + " cannot be read: " + fault.message());
}

Status Unpack(const Job& job) {
  COMITY_RETURN_IF_ERROR(UnpackLog(job));
  COMITY_RETURN_IF_ERROR(UnpackDatabase(job));
  COMITY_RETURN_IF_ERROR(VerifyLog(job));
  COMITY_RETURN_IF_ERROR(CopyLedger(job));
  return SyncAll(job.folder);
}

// Gives the unpacked folder its name. It is whole by then; whether its name outlives a power cut is
// known only after the sync. What is said to be refused is taken away again, if the disk lets it.
Status GiveName(const fs::path& folder, const fs::path& into) {
  std::error_code fault;
  fs::remove(into, fault);  // an empty folder
  fs::rename(folder, into, fault);
  if (fault) {
    return Fail(ErrorCode::kInvalidArgument, into.string() + " cannot be made: " + fault.message());
  }
  Status synced = Locally(runtime::SyncFolder(fs::weakly_canonical(into.parent_path(), fault)));
  if (synced) return {};
  fs::rename(into, folder, fault);
  if (!fault) return synced;
  return Fail(synced.error().code,
              synced.error().detail + ". " + into.string() +
                  " is there, whole, and could not be taken back (" + fault.message() +
                  "): a power cut may lose it. Start no gateway on it; repair the disk, remove it, "
                  "and put the backup back again");
}

// In: error  of an attempt. Returns it, and what of the attempt is left on a disk that fails.
Error TakeBack(const fs::path& folder, Error error) {
  std::error_code fault;
  fs::remove_all(folder, fault);
  if (fs::exists(folder, fault)) {
    error.detail += ". " + folder.string() +
                    " is left, with the agency's data in it: remove it, or put the backup back "
                    "again, which begins by removing it";
  }
  return error;
}

// The folder appears whole, or not at all.
Status UnpackInto(Job& job, const fs::path& into) {
  std::error_code fault;
  fs::create_directories(into.parent_path(), fault);
  fs::remove_all(job.folder, fault);
  if (::mkdir(job.folder.c_str(), kFolderMode) != 0) {
    return Fail(ErrorCode::kInvalidArgument,
                job.folder.string() + " cannot be made: " + std::generic_category().message(errno));
  }
  Status unpacked = Unpack(job);
  if (unpacked) unpacked = GiveName(job.folder, into);
  if (unpacked) return {};
  return Fail(TakeBack(job.folder, unpacked.error()));
}

}  // namespace

Result<Restored> RestoreBackup(const RestoreRequest& request, const runtime::Clock& clock) {
  COMITY_ASSIGN_OR_RETURN(const runtime::Config config, ReadConfig(request.config));
  COMITY_ASSIGN_OR_RETURN(const Keys keys, ReadKeys(config));
  fs::path into = fs::absolute(request.into).lexically_normal();
  if (!into.has_filename()) into = into.parent_path();  // DIR/
  COMITY_RETURN_IF_ERROR(CheckFolder(into));
  COMITY_ASSIGN_OR_RETURN(auto file,
                          backup::BackupFile::Open(request.file, keys.agency.public_key()));
  const backup::Manifest manifest = file.manifest();
  COMITY_RETURN_IF_ERROR(CheckManifest(manifest, config, clock.Now()));
  COMITY_ASSIGN_OR_RETURN(const Ledger ledger, FindLedger(config, keys.kek, manifest));
  auto key = backup::FindBackupKey(manifest.id, keys.kek, LedgerFolders(config));
  if (!key) return Refused(key.error().detail);
  fs::path aside = into;
  aside += ".restoring";
  Job job{config, keys, file, key->key, ledger.file, aside};
  COMITY_RETURN_IF_ERROR(UnpackInto(job, into));
  return Restored{manifest, ledger.survey, ledger.lines_after};
}

}  // namespace comity::cli
