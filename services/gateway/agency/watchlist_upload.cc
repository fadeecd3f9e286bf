// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agency/watchlist_upload.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/base/secret.h"
#include "services/transport/limits.h"

namespace comity::gateway {
namespace {

namespace limits = transport::limits;

void WipeText(std::string& text) {
  Wipe(std::span(reinterpret_cast<std::uint8_t*>(text.data()), text.size()));
}

Status AddChunk(std::string& whole, std::string& chunk, std::size_t limit, std::string_view what) {
  if (chunk.size() > limits::kMaxImportChunk || chunk.size() > limit - whole.size()) {
    return Fail(ErrorCode::kExhausted,
                std::string(what) + " are larger than " + std::to_string(limit >> 20) + " MiB");
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

Result<Upload> ReceiveUpload(UploadReader& reader) {
  Upload upload;
  v1::AddEntriesRequest request;
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

void FillImport(const watchlists::ParsedImport& parsed, v1::AddEntriesResponse& response) {
  FillIssues(parsed.faults, *response.mutable_faults());
  FillIssues(parsed.warnings, *response.mutable_warnings());
  response.set_fault_count(parsed.fault_count);
}

}  // namespace comity::gateway
