// SPDX-License-Identifier: Apache-2.0
#include "services/cli/audit_export.h"

#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <system_error>

#include "comity/v1/audit.grpc.pb.h"
#include "crypto/base/quote.h"
#include "crypto/tlog/tile.h"
#include "services/cli/output.h"
#include "services/cli/own_gateway.h"

namespace comity::cli {
namespace {

namespace fs = std::filesystem;

struct ExportOptions {
  std::string dir;
};

// Writes the files of an export as their chunks come. The gateway's paths are checked: nothing is
// written but the files of the layout, inside the folder.
class ExportWriter {
 public:
  explicit ExportWriter(fs::path folder) : folder_(std::move(folder)) {}

  Status Add(const v1::ExportedChunk& chunk) {
    if (chunk.path() != path_) COMITY_RETURN_IF_ERROR(Begin(chunk.path()));
    out_.write(chunk.data().data(), static_cast<std::streamsize>(chunk.data().size()));
    if (chunk.last()) {
      out_.close();
      path_.clear();
      ++files_;
    }
    if (out_) return {};
    return Fail(ErrorCode::kInvalidArgument,
                (folder_ / chunk.path()).string() + " cannot be written; is the disk full?");
  }
  bool complete() const { return path_.empty() && files_ > 0; }
  std::uint64_t files() const { return files_; }

 private:
  Status Begin(const std::string& path) {
    const bool is_known =
        path == "checkpoint" || path == "log.vkey" || tlog::ParseTilePath(path).has_value();
    std::error_code fault;
    if (!is_known || !path_.empty() || fs::exists(folder_ / path, fault)) {
      return Fail(ErrorCode::kCorrupt,
                  "the gateway sent " + Quote(path) + ", which is no file of an export");
    }
    fs::create_directories((folder_ / path).parent_path(), fault);
    out_.open(folder_ / path, std::ios::binary);
    path_ = path;
    return {};
  }

  const fs::path folder_;
  std::ofstream out_;
  std::string path_;  // of the file under way
  std::uint64_t files_ = 0;
};

Status MakeEmptyFolder(const fs::path& folder) {
  std::error_code fault;
  if (fs::exists(folder, fault) &&
      (!fs::is_directory(folder, fault) || !fs::is_empty(folder, fault))) {
    return Fail(ErrorCode::kConflict,
                folder.string() + " is there and not an empty folder; name another one");
  }
  fs::create_directories(folder, fault);
  if (fault) {
    return Fail(ErrorCode::kInvalidArgument, folder.string() + " cannot be made");
  }
  return {};
}

Result<ExitCode> Export(const ExportOptions& options, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_RETURN_IF_ERROR(MakeEmptyFolder(options.dir));
  const auto stub = v1::Audit::NewStub(gateway.channel());
  grpc::ClientContext context;
  const auto reader = stub->Export(&context, v1::ExportAuditRequest());
  ExportWriter writer(options.dir);
  Status written;
  {
    ProgressLine progress("files written");
    v1::ExportedChunk chunk;
    while (written && reader->Read(&chunk)) {
      written = writer.Add(chunk);
      progress.Show(writer.files(), 0);
    }
  }
  if (!written) context.TryCancel();
  const grpc::Status status = reader->Finish();
  if (!written) return Fail(written.error());
  if (!status.ok()) return Fail(gateway.Describe(status));
  if (!writer.complete()) return Fail(ErrorCode::kCorrupt, "the export ended inside a file");
  if (session.json) {
    PrintJson(nlohmann::ordered_json{{"dir", options.dir}, {"files", writer.files()}});
  } else {
    Print(options.dir + ": " + std::to_string(writer.files()) +
          " files. Next: comity audit verify " + options.dir + "\n");
  }
  return ExitCode::kOk;
}

}  // namespace

void AddAuditExport(CommandLine& line, Session& session) {
  const auto options = std::make_shared<ExportOptions>();
  line.Add({"audit export", "copy the whole log into a folder",
            "Writes the log as of now into DIR, in the layout of docs/formats/audit_export.md. "
            "When the\n"
            "command fails, what is in DIR is not a whole log and does not verify.",
            "DIR is not empty", "comity audit export log-2026-11-25"},
           Asks::kGateway, [options, &session] { return Export(*options, session); })
      .Add({"dir", "DIR", "folder to make, or an empty one", true}, options->dir);
}

}  // namespace comity::cli
