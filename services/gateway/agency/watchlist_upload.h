// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/support/sync_stream.h>

#include <string>

#include "comity/v1/watchlists.grpc.pb.h"
#include "crypto/base/result.h"
#include "services/watchlists/import.h"

namespace comity::gateway {

using UploadReader = grpc::ServerReader<v1::AddEntriesRequest>;

// What arrived of an import; template octets are biometric and wiped.
struct Upload {
  std::string entries;
  std::string templates;

  Upload() = default;
  Upload(Upload&&) = default;
  Upload& operator=(Upload&&) = delete;
  ~Upload();
};

// The first message, so that the list is looked at before its entries take any memory.
// Errors: kInvalidArgument  another message comes first
Result<v1::AddBegin> ReceiveBegin(UploadReader& reader);
// The messages after it.
// In:     options  what the list has room for, and the dimension of its templates
// Errors: kInvalidArgument  another message than a chunk; kExhausted  more than the list, or any
//         list, has room for
Result<Upload> ReceiveChunks(UploadReader& reader, const watchlists::ImportOptions& options);

Result<watchlists::TemplateFormat> FormatOf(v1::TemplateFormat format);

void FillImport(const watchlists::ParsedImport& parsed, v1::AddEntriesResponse& response);

}  // namespace comity::gateway
