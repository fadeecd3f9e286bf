// SPDX-License-Identifier: Apache-2.0
#include "services/cli/watchlist_add.h"

#include <filesystem>
#include <fstream>
#include <memory>
#include <span>
#include <system_error>

#include "comity/v1/watchlists.grpc.pb.h"
#include "crypto/base/secret.h"
#include "services/cli/output.h"
#include "services/cli/own_gateway.h"
#include "services/cli/watchlist_text.h"
#include "services/transport/limits.h"

namespace comity::cli {
namespace {

namespace fs = std::filesystem;
namespace limits = transport::limits;
using Writer = grpc::ClientWriter<v1::AddEntriesRequest>;

// A million entries are parsed and sealed after the last chunk.
constexpr std::chrono::minutes kPatience{30};

struct AddOptions {
  std::string list, entries, templates;
};

struct Upload {
  std::string file;
  std::uint64_t size = 0;
};

Result<Upload> Look(const std::string& file, std::size_t limit) {
  std::error_code fault;
  if (!fs::is_regular_file(file, fault)) {
    return Fail(ErrorCode::kNotFound, file + " is not there, or is no regular file");
  }
  const std::uint64_t size = fs::file_size(file, fault);
  if (fault) return Fail(ErrorCode::kInvalidArgument, file + ": its size cannot be read");
  if (size > limit) {
    return Fail(ErrorCode::kInvalidArgument,
                file + ": larger than " + std::to_string(limit >> 20) + " MiB");
  }
  return Upload{file, size};
}

Result<v1::TemplateFormat> FormatOf(const std::string& file) {
  const std::string extension = fs::path(file).extension().string();
  if (extension == ".npy") return v1::TEMPLATE_FORMAT_NPY;
  if (extension == ".f32") return v1::TEMPLATE_FORMAT_FLOAT32;
  return Fail(ErrorCode::kInvalidArgument,
              file + ": a template file ends with .npy (NumPy '<f4') or .f32 (raw float32)");
}

// Sends one file; `set` gives the chunk's text inside the message. Templates are biometric: each
// chunk is wiped when it was sent.
template <typename Set>
Status SendFile(Writer& writer, const Upload& upload, Set set) {
  std::ifstream in(upload.file, std::ios::binary);
  ProgressLine progress("sending " + upload.file);
  std::uint64_t sent = 0;
  v1::AddEntriesRequest request;
  while (sent < upload.size) {
    std::string& chunk = set(request);
    chunk.resize(std::min<std::uint64_t>(limits::kMaxImportChunk, upload.size - sent));
    if (!in.read(chunk.data(), static_cast<std::streamsize>(chunk.size()))) {
      return Fail(ErrorCode::kInvalidArgument, upload.file + ": it cannot be read, or it shrank");
    }
    const bool is_open = writer.Write(request);
    sent += chunk.size();
    Wipe(std::span(reinterpret_cast<std::uint8_t*>(chunk.data()), chunk.size()));
    if (!is_open) return {};  // the gateway ended the call; its status says why
    progress.Show(sent, upload.size);
  }
  return {};
}

Status SendAll(Writer& writer, const v1::AddBegin& begin, const Upload& entries,
               const Upload& templates) {
  v1::AddEntriesRequest request;
  *request.mutable_begin() = begin;
  if (!writer.Write(request)) return {};
  COMITY_RETURN_IF_ERROR(SendFile(writer, entries, [](auto& message) -> std::string& {
    return *message.mutable_entries_chunk();
  }));
  COMITY_RETURN_IF_ERROR(SendFile(writer, templates, [](auto& message) -> std::string& {
    return *message.mutable_templates_chunk();
  }));
  writer.WritesDone();
  return {};
}

Result<ExitCode> AddEntries(const AddOptions& options, const Session& session) {
  v1::AddBegin begin;
  begin.set_watchlist(options.list);
  COMITY_ASSIGN_OR_RETURN(const v1::TemplateFormat format, FormatOf(options.templates));
  begin.set_format(format);
  COMITY_ASSIGN_OR_RETURN(const Upload entries, Look(options.entries, limits::kMaxImportEntries));
  COMITY_ASSIGN_OR_RETURN(const Upload templates,
                          Look(options.templates, limits::kMaxImportTemplates));
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  const auto stub = v1::Watchlists::NewStub(gateway.channel());
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  v1::AddEntriesResponse response;
  const auto writer = stub->Add(&context, &response);
  const Status sent = SendAll(*writer, begin, entries, templates);
  if (!sent) context.TryCancel();  // what is cut short adds nothing
  const grpc::Status status = writer->Finish();
  if (!sent) return Fail(sent.error());
  if (!status.ok()) return Fail(gateway.Describe(status));
  return ReportAdded(response, options.list, options.entries, session.json);
}

}  // namespace

void AddWatchlistAdd(CommandLine& line, Session& session) {
  const auto options = std::make_shared<AddOptions>();
  line.Add({"watchlist add", "add entries to a draft",
            "Sends entries and templates to the own gateway, which adds all of them to the draft "
            "or, with\n"
            "any fault, none. Line i of the one file belongs to row i of the other\n"
            "(docs/formats/watchlist_entries.md). Faults are printed as FILE:LINE: message.",
            "there are faults, or the gateway refuses the entries",
            "comity watchlist add court-warrants --entries list.jsonl --templates list.npy"},
           Asks::kGateway, [options, &session] { return AddEntries(*options, session); })
      .Add({"list", "LIST", "the draft", true}, options->list)
      .Add({"--entries", "FILE", "JSON Lines, up to 256 MiB", true}, options->entries)
      .Add({"--templates", "FILE", "templates, .npy or .f32, up to 2 GiB", true},
           options->templates);
}

}  // namespace comity::cli
