// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <system_error>

#include "comity/v1/retention.grpc.pb.h"
#include "services/cli/approval_text.h"
#include "services/cli/backup_restore.h"
#include "services/cli/commands.h"
#include "services/cli/exit_code.h"
#include "services/cli/output.h"
#include "services/cli/own_gateway.h"
#include "services/cli/wire_text.h"
#include "services/runtime/partial_file.h"

namespace comity::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct BackupOptions {
  std::string file, into, config, reason;
};

// Takes the chunks of a backup into a file that appears when it is whole.
class BackupWriter {
 public:
  explicit BackupWriter(const fs::path& file)
      : file_(file), draft_(file.string() + ".part"), out_(draft_, std::ios::binary) {}
  ~BackupWriter() {
    std::error_code ignored;
    if (!done_) fs::remove(draft_, ignored);
  }
  BackupWriter(const BackupWriter&) = delete;
  BackupWriter& operator=(const BackupWriter&) = delete;

  Status Add(const v1::BackupChunk& chunk) {
    if (chunk.has_head()) head_ = chunk.head();
    out_.write(chunk.data().data(), static_cast<std::streamsize>(chunk.data().size()));
    octets_ += chunk.data().size();
    last_ = chunk.last();
    if (out_) return {};
    return Fail(ErrorCode::kInvalidArgument,
                draft_.string() + " cannot be written; is the disk full?");
  }

  Status Finish() {
    out_.close();
    if (!last_ || octets_ != head_.octets()) {
      return Fail(ErrorCode::kCorrupt, "the gateway sent less than a whole backup");
    }
    if (!out_) return Fail(ErrorCode::kInvalidArgument, file_.string() + " cannot be written");
    // A backup that is not on the disk is none: synced before it has its name.
    std::error_code fault;
    const fs::path file = fs::weakly_canonical(fs::absolute(file_), fault);
    COMITY_RETURN_IF_ERROR(Locally(runtime::KeepAs(draft_, file)));
    done_ = true;
    return {};
  }

  const v1::BackupHead& head() const { return head_; }
  std::uint64_t octets() const { return octets_; }

 private:
  const fs::path file_;
  const fs::path draft_;
  std::ofstream out_;
  v1::BackupHead head_;
  std::uint64_t octets_ = 0;
  bool last_ = false;
  bool done_ = false;
};

Json HeadJson(const std::string& file, const v1::BackupHead& head) {
  return {{"file", file},
          {"backup", head.backup()},
          {"octets", head.octets()},
          {"made_at", TimeText(head.made_at())},
          {"expires_at", TimeText(head.expires_at())},
          {"log_size", head.log_size()},
          {"ledger_line", head.ledger_line()}};
}

Result<ExitCode> Backup(const BackupOptions& options, const Session& session) {
  std::error_code ignored;
  if (fs::exists(fs::symlink_status(options.file, ignored))) {
    return Fail(ErrorCode::kConflict, options.file + " exists already; name another file");
  }
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  const auto stub = v1::Backup::NewStub(gateway.channel());
  grpc::ClientContext context;
  const auto reader = stub->Make(&context, v1::MakeBackupRequest());
  BackupWriter writer(options.file);
  Status written;
  {
    ProgressLine progress("octets written");
    v1::BackupChunk chunk;
    while (written && reader->Read(&chunk)) {
      written = writer.Add(chunk);
      progress.Show(writer.octets(), writer.head().octets());
    }
  }
  if (!written) context.TryCancel();
  const grpc::Status status = reader->Finish();
  if (!written) return Fail(written.error());
  if (!status.ok()) return Fail(gateway.Describe(status));
  COMITY_RETURN_IF_ERROR(writer.Finish());
  if (session.json) {
    PrintJson(HeadJson(options.file, writer.head()));
  } else {
    Print(options.file + ": backup " + Clean(writer.head().backup()) + " of " +
          TimeText(writer.head().made_at()) + ", " + std::to_string(writer.octets()) + " octets, " +
          std::to_string(writer.head().log_size()) + " log entries. It can be put back until " +
          TimeText(writer.head().expires_at()) +
          ", with the key-encryption key and the erasure ledger.\n");
  }
  return ExitCode::kOk;
}

std::string RestoredText(const BackupOptions& options, const Restored& restored) {
  return options.into + ": backup " + restored.manifest.id + " of " +
         policy::EncodeInstant(restored.manifest.made_at) + ", " +
         std::to_string(restored.manifest.log_size) +
         " log entries; its log verifies.\nThe erasure ledger reaches to " +
         policy::EncodeInstant(restored.ledger.last_time) + " (line " +
         std::to_string(restored.ledger.head.sequence) + "): what its " +
         std::to_string(restored.lines_after) +
         " lines since the backup name is erased again when the gateway starts.\n"
         "Next: name the folder in data.directory, start comityd, and let two people confirm it: "
         "comity restoration status, comity restoration confirm --reason TEXT.\n";
}

Result<ExitCode> Restore(const BackupOptions& options, const Session& session) {
  auto restored = RestoreBackup({options.file, options.config, options.into}, session.clock);
  if (!restored && restored.error().code == ErrorCode::kCorrupt) {
    // What is wrong with the backup is the answer, not the caller's mistake.
    const std::string fault = Clean(restored.error().detail, Lines::kKeep);
    if (session.json) PrintJson(Json{{"restored", false}, {"fault", fault}});
    PrintError("comity: nothing was put back: " + fault);
    return ExitCode::kNo;
  }
  if (!restored) return Fail(std::move(restored).error());
  if (!session.json) {
    Print(RestoredText(options, *restored));
    return ExitCode::kOk;
  }
  PrintJson(Json{{"restored", true},
                 {"into", options.into},
                 {"backup", restored->manifest.id},
                 {"made_at", policy::EncodeInstant(restored->manifest.made_at)},
                 {"log_size", restored->manifest.log_size},
                 {"checkpoint_size", restored->manifest.checkpoint_size},
                 {"ledger_line", restored->ledger.head.sequence},
                 {"ledger_until", policy::EncodeInstant(restored->ledger.last_time)},
                 {"erasing_lines_after", restored->lines_after}});
  return ExitCode::kOk;
}

Json RestorationJson(const v1::RestorationResponse& response) {
  Json json = {{"state", response.state()},
               {"log_origin", response.log_origin()},
               {"backup", response.backup()},
               {"made_at", TimeText(response.made_at())},
               {"log_size", response.log_size()},
               {"largest_seen", response.largest_seen()},
               {"ledger_until", TimeText(response.ledger_until())},
               {"replayed", response.replayed()},
               {"restored_at", TimeText(response.restored_at())},
               {"confirmed_at", TimeText(response.confirmed_at())},
               {"waiting_for", Json::array()}};
  for (const std::string& peer : response.waiting_for()) json["waiting_for"].push_back(peer);
  return json;
}

std::string RestorationText(const v1::RestorationResponse& response) {
  if (response.state() == "never") return "this node was never restored from a backup\n";
  std::string text =
      "state         " + Clean(response.state()) + "\nbackup        " + Clean(response.backup()) +
      " of " + TimeText(response.made_at()) + "\nlog entries   " +
      std::to_string(response.log_size()) + " in the backup; the lost log had at least " +
      std::to_string(response.largest_seen()) + "\nlog now       " + Clean(response.log_origin()) +
      "\nledger until  " + TimeText(response.ledger_until()) + "\nerased again  " +
      std::to_string(response.replayed()) + " records\nrestored at   " +
      TimeText(response.restored_at()) + "\n";
  if (response.has_confirmed_at()) {
    text += "confirmed at  " + TimeText(response.confirmed_at()) + "\n";
  }
  for (const std::string& peer : response.waiting_for()) {
    text += "waits for     " + Clean(peer) + " (not searched until it was reached)\n";
  }
  return text;
}

Result<ExitCode> RestorationStatus(const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(
      const v1::RestorationResponse response,
      gateway.Call<v1::Backup>(&v1::Backup::Stub::Restoration, v1::RestorationRequest()));
  if (session.json) {
    PrintJson(RestorationJson(response));
  } else {
    Print(RestorationText(response));
  }
  return response.state() == "restored" ? ExitCode::kNo : ExitCode::kOk;
}

Result<ExitCode> Confirm(const BackupOptions& options, const Session& session) {
  v1::ConfirmRestorationRequest request;
  request.set_reason(options.reason);
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(const v1::PendingAct act,
                          gateway.Call<v1::Backup>(&v1::Backup::Stub::Confirm, request));
  ReportPending(act, session.json);
  return ExitCode::kOk;
}

void AddRestoration(CommandLine& line, Session& session) {
  line.Group("restoration", "a node that was put back from a backup");
  line.Add(
      {"restoration status", "whether the node was restored, and what it waits for",
       "Prints from which backup, what was lost, what was erased again, and which partners\n"
       "were not reached since.",
       "the node was restored and two people have not confirmed it", "comity restoration status"},
      Asks::kGateway, [&session] { return RestorationStatus(session); });
  const auto options = std::make_shared<BackupOptions>();
  line.Add({"restoration confirm", "propose that a restored node works again",
            "Until a second person has approved it the node neither searches nor exchanges. "
            "Compare\n"
            "first how far the erasure ledger reaches with when the node was lost.",
            "it was not restored, or is confirmed already",
            "comity restoration confirm --reason 'disk replaced, ledger is that of today'"},
           Asks::kGateway, [options, &session] { return Confirm(*options, session); })
      .Add({"--reason", "TEXT", "why it may, up to 1000 octets", true}, options->reason);
}

}  // namespace

void AddBackupCommands(CommandLine& line, Session& session) {
  auto options = std::make_shared<BackupOptions>();
  line.Add(
          {"backup", "take a backup of the running node",
           "Writes a consistent copy of database and log into one file, encrypted and signed. The\n"
           "keys of the node are not in it. It expires after 30 days. Needs data.erasure_ledger.",
           "", "comity backup northshire-2026-11-25.backup"},
          Asks::kGateway, [options, &session] { return Backup(*options, session); })
      .Add({"file", "FILE", "file to write; must not exist", true}, options->file);
  options = std::make_shared<BackupOptions>();
  line.Add(
          {"restore", "put a backup back, offline",
           "Verifies signature, age, schema, every octet and the whole log, and that the erasure\n"
           "ledger extends the backup; then makes DIR. The gateway that starts on it first erases\n"
           "again what was erased since, and waits for two people (comity restoration confirm).\n"
           "Run it as the gateway's user.",
           "the backup is refused: damaged, expired, of another agency or a newer schema, or the "
           "ledger is missing or older",
           "comity restore northshire.backup --config comityd.toml --into data"},
          Asks::kNobody, [options, &session] { return Restore(*options, session); })
      .Add({"file", "FILE", "the backup", true}, options->file)
      .Add({"--config", "FILE", "the gateway's configuration: its keys and ledger", true},
           options->config)
      .Add({"--into", "DIR", "folder to make, or an empty one: the data.directory", true},
           options->into);
  AddRestoration(line, session);
}

}  // namespace comity::cli
