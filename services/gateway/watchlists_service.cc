// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/watchlists_service.h"

#include <span>
#include <utility>

#include "crypto/base/secret.h"
#include "services/gateway/convert_policy.h"
#include "services/gateway/convert_time.h"
#include "services/gateway/respond.h"
#include "services/transport/limits.h"

namespace comity::gateway {
namespace {

using ImportReader = grpc::ServerReader<v1::ImportWatchlistRequest>;
namespace limits = transport::limits;

// What arrived of an import; template octets are biometric and wiped.
struct Upload {
  v1::ImportBegin begin;
  std::string entries;
  std::string templates;

  Upload() = default;
  Upload(Upload&&) = default;
  Upload& operator=(Upload&&) = delete;
  ~Upload() { WipeText(templates); }

  static void WipeText(std::string& text) {
    Wipe(std::span(reinterpret_cast<std::uint8_t*>(text.data()), text.size()));
  }
};

comity::Status AddChunk(std::string& whole, std::string& chunk, std::size_t limit,
                        std::string_view what) {
  if (chunk.size() > limits::kMaxImportChunk || chunk.size() > limit - whole.size()) {
    return Fail(ErrorCode::kExhausted,
                std::string(what) + " are larger than " + std::to_string(limit >> 20) + " MiB");
  }
  if (whole.capacity() - whole.size() < chunk.size()) {
    // Growing leaves no unwiped copy behind.
    std::string larger;
    larger.reserve(std::min(limit, 2 * whole.size() + limits::kMaxImportChunk));
    larger.append(whole);
    Upload::WipeText(whole);
    whole = std::move(larger);
  }
  whole.append(chunk);
  Upload::WipeText(chunk);
  return {};
}

Result<Upload> Receive(ImportReader& reader) {
  Upload upload;
  v1::ImportWatchlistRequest request;
  if (!reader.Read(&request) || !request.has_begin()) {
    return Fail(ErrorCode::kInvalidArgument, "the first message of an import is `begin`");
  }
  upload.begin = request.begin();
  while (reader.Read(&request)) {
    if (request.has_entries_chunk()) {
      COMITY_RETURN_IF_ERROR(AddChunk(upload.entries, *request.mutable_entries_chunk(),
                                      limits::kMaxImportEntries, "entries"));
    } else if (request.has_templates_chunk()) {
      COMITY_RETURN_IF_ERROR(AddChunk(upload.templates, *request.mutable_templates_chunk(),
                                      limits::kMaxImportTemplates, "templates"));
    } else {
      return Fail(ErrorCode::kInvalidArgument, "`begin` comes once; chunks follow it");
    }
  }
  return upload;
}

Result<watchlists::TemplateFormat> FormatOf(v1::TemplateFormat format) {
  if (format == v1::TEMPLATE_FORMAT_NPY) return watchlists::TemplateFormat::kNpy;
  if (format == v1::TEMPLATE_FORMAT_FLOAT32) return watchlists::TemplateFormat::kFloat32;
  return Fail(ErrorCode::kInvalidArgument, "the template format is npy or float32");
}

void FillIssues(const std::vector<watchlists::ImportIssue>& issues,
                google::protobuf::RepeatedPtrField<v1::ImportIssue>& wire) {
  for (const watchlists::ImportIssue& issue : issues) {
    v1::ImportIssue& entry = *wire.Add();
    entry.set_line(issue.line);
    entry.set_message(issue.message);
  }
}

}  // namespace

grpc::Status WatchlistsService::Import(grpc::ServerContext* context, ImportReader* reader,
                                       v1::ImportWatchlistResponse* response) {
  return RespondLocally([&]() -> comity::Status {
    COMITY_ASSIGN_OR_RETURN(const std::string person,
                            ports_.callers.Person(*context, "Watchlists.Import"));
    const std::unique_lock only(importing_, std::try_to_lock);
    if (!only) return Fail(ErrorCode::kUnavailable, "another import is under way; try again later");
    COMITY_ASSIGN_OR_RETURN(const Upload upload, Receive(*reader));
    COMITY_ASSIGN_OR_RETURN(const policy::WatchlistId list,
                            policy::WatchlistId::Parse(upload.begin.watchlist()));
    COMITY_ASSIGN_OR_RETURN(const auto lists,
                            ports_.watchlists.StatusOf(std::nullopt, ports_.clock.Now()));
    if (lists.size() >= ports_.max_lists) {
      return Fail(ErrorCode::kExhausted, "this gateway holds " + std::to_string(lists.size()) +
                                             " watchlists, as many as limits.max_lists allows");
    }
    watchlists::ImportOptions options;
    COMITY_ASSIGN_OR_RETURN(options.format, FormatOf(upload.begin.format()));
    COMITY_ASSIGN_OR_RETURN(options.engine, FromProto(upload.begin.engine()));
    options.now = ports_.clock.Now();
    options.limits.max_entries = ports_.max_entries;
    const watchlists::ParsedImport parsed =
        watchlists::ParseImport(upload.entries, AsBytes(upload.templates), options);
    FillIssues(parsed.faults, *response->mutable_faults());
    FillIssues(parsed.warnings, *response->mutable_warnings());
    response->set_fault_count(parsed.fault_count);
    if (!parsed.ok()) return {};
    COMITY_RETURN_IF_ERROR(ports_.watchlists.Import(list, parsed, person));
    COMITY_RETURN_IF_ERROR(ports_.galleries.Load(list));
    response->set_entries(parsed.entries.size());
    return {};
  });
}

grpc::Status WatchlistsService::Status(grpc::ServerContext* context,
                                       const v1::WatchlistStatusRequest* request,
                                       v1::WatchlistStatusResponse* response) {
  return RespondLocally([&]() -> comity::Status {
    COMITY_ASSIGN_OR_RETURN(const std::string person,
                            ports_.callers.Person(*context, "Watchlists.Status"));
    std::optional<policy::WatchlistId> list;
    if (!request->watchlist().empty()) {
      COMITY_ASSIGN_OR_RETURN(list, policy::WatchlistId::Parse(request->watchlist()));
    }
    COMITY_ASSIGN_OR_RETURN(const auto lists, ports_.watchlists.StatusOf(list, ports_.clock.Now()));
    for (const watchlists::ListStatus& status : lists) {
      v1::WatchlistSummary& summary = *response->add_watchlists();
      summary.set_watchlist(status.list.text());
      *summary.mutable_engine() = ToProto(status.engine);
      *summary.mutable_imported_at() = ToProto(status.imported_at);
      summary.set_active(status.active);
      summary.set_withdrawn(status.withdrawn);
      summary.set_expired(status.expired);
      summary.set_not_yet_valid(status.not_yet_valid);
      for (const auto& [category, count] : status.active_by_category) {
        (*summary.mutable_active_by_category())[category] = count;
      }
    }
    return {};
  });
}

grpc::Status WatchlistsService::Withdraw(grpc::ServerContext* context,
                                         const v1::WithdrawEntryRequest* request,
                                         v1::WithdrawEntryResponse* response) {
  return RespondLocally([&]() -> comity::Status {
    COMITY_ASSIGN_OR_RETURN(const std::string person,
                            ports_.callers.Person(*context, "Watchlists.Withdraw"));
    COMITY_ASSIGN_OR_RETURN(const policy::WatchlistId list,
                            policy::WatchlistId::Parse(request->watchlist()));
    const comity::Status withdrawn =
        ports_.watchlists.Withdraw({list, request->reference(), request->reason(), person});
    if (!withdrawn && withdrawn.error().code != ErrorCode::kConflict) return withdrawn;
    // Also of an entry that is withdrawn already: the first attempt may have failed between the
    // two.
    COMITY_RETURN_IF_ERROR(ports_.galleries.Withdraw(list, request->reference()));
    COMITY_RETURN_IF_ERROR(withdrawn);
    COMITY_ASSIGN_OR_RETURN(const auto lists, ports_.watchlists.StatusOf(list, ports_.clock.Now()));
    response->set_active(lists.front().active);
    return {};
  });
}

}  // namespace comity::gateway
