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
  v1::AddBegin begin;
  std::string entries;
  std::string templates;

  Upload() = default;
  Upload(Upload&&) = default;
  Upload& operator=(Upload&&) = delete;
  ~Upload();
};

// Errors: kInvalidArgument  not `begin` and then chunks; kExhausted  above the limits
Result<Upload> ReceiveUpload(UploadReader& reader);

Result<watchlists::TemplateFormat> FormatOf(v1::TemplateFormat format);

void FillImport(const watchlists::ParsedImport& parsed, v1::AddEntriesResponse& response);

}  // namespace comity::gateway
