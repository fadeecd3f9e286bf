// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agency/watchlist_upload.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/base/secret.h"

namespace comity::gateway {
namespace {

namespace limits = transport::limits;

void WipeText(std::string& text) {
  Wipe(std::span(reinterpret_cast<std::uint8_t*>(text.data()), text.size()));
}

// Room for what the list may still take and a little more, so that a file that is only somewhat
// too long is answered with its faults.
std::size_t LimitOf(std::uint64_t entries, std::size_t octets_each, std::size_t most) {
  if (entries >= most / octets_each) return most;
  return std::min(most, static_cast<std::size_t>(entries) * octets_each + limits::kMaxImportChunk);
}

Status AddChunk(std::string& whole, std::string& chunk, std::size_t limit, std::string_view what) {
  if (chunk.size() > limits::kMaxImportChunk || chunk.size() > limit - whole.size()) {
    return Fail(ErrorCode::kExhausted, std::string(what) + " are larger than " +
                                           std::to_string(limit >> 20) +
                                           " MiB, more than the list has room for");
  }
  if (whole.capacity() - whole.size() < chunk.size()) {
    // Growing leaves no unwiped copy behind.
    std::string larger;
    larger.reserve(std::min(limit, 2 * whole.size() + limits::kMaxImportChunk));
    larger.append(whole);
    WipeText(whole);
    whole = std::move(larger);
  }
  whole.append(chunk);
  WipeText(chunk);
  return {};
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

Upload::~Upload() {
  WipeText(templates);
}

bool UploadCall::Read(v1::AddEntriesRequest& request) {
  if (!reader_.Read(&request)) return false;
  // 4 s for each MiB: 256 KiB a second.
  deadline_.Extend(std::chrono::microseconds(request.ByteSizeLong() * 15625 / 4096));
  return true;
}

Status UploadCall::CheckWhole() const {
  if (deadline_.has_passed()) {
    return Fail(ErrorCode::kUnavailable,
                "the import did not go on, or sent less than 256 KiB a second: nothing of it is "
                "kept, and others can import now");
  }
  if (context_.IsCancelled()) return Fail(ErrorCode::kUnavailable, "the import was cut off");
  return {};
}

Result<v1::AddBegin> ReceiveBegin(UploadCall& call) {
  v1::AddEntriesRequest request;
  if (call.Read(request) && request.has_begin()) return std::move(*request.mutable_begin());
  COMITY_RETURN_IF_ERROR(call.CheckWhole());
  return Fail(ErrorCode::kInvalidArgument, "the first message of an import is `begin`");
}

Result<Upload> ReceiveChunks(UploadCall& call, const watchlists::ImportOptions& options) {
  const watchlists::ImportLimits& room = options.limits;
  const std::size_t entries =
      LimitOf(room.max_entries, room.max_line_bytes, limits::kMaxImportEntries);
  const std::size_t templates = LimitOf(room.max_entries, options.engine.dimension * sizeof(float),
                                        limits::kMaxImportTemplates);
  Upload upload;
  v1::AddEntriesRequest request;
  while (call.Read(request)) {
    if (request.has_entries_chunk()) {
      COMITY_RETURN_IF_ERROR(
          AddChunk(upload.entries, *request.mutable_entries_chunk(), entries, "entries"));
    } else if (request.has_templates_chunk()) {
      COMITY_RETURN_IF_ERROR(
          AddChunk(upload.templates, *request.mutable_templates_chunk(), templates, "templates"));
    } else {
      return Fail(ErrorCode::kInvalidArgument, "`begin` comes once; chunks follow it");
    }
  }
  COMITY_RETURN_IF_ERROR(call.CheckWhole());
  return upload;
}

Result<watchlists::TemplateFormat> FormatOf(v1::TemplateFormat format) {
  if (format == v1::TEMPLATE_FORMAT_NPY) return watchlists::TemplateFormat::kNpy;
  if (format == v1::TEMPLATE_FORMAT_FLOAT32) return watchlists::TemplateFormat::kFloat32;
  return Fail(ErrorCode::kInvalidArgument, "the template format is npy or float32");
}

void FillImport(const watchlists::ParsedImport& parsed, v1::AddEntriesResponse& response) {
  FillIssues(parsed.faults, *response.mutable_faults());
  FillIssues(parsed.warnings, *response.mutable_warnings());
  response.set_fault_count(parsed.fault_count);
}

}  // namespace comity::gateway
