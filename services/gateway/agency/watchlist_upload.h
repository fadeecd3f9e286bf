// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/support/sync_stream.h>

#include <string>

#include "comity/v1/watchlists.grpc.pb.h"
#include "crypto/base/result.h"
#include "services/gateway/wire/call_deadline.h"
#include "services/transport/limits.h"
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

// An import whose sender is waited for no longer than kImportPatience allows: then the call is
// cancelled, so that others can import.
class UploadCall {
 public:
  UploadCall(grpc::ServerContext& context, UploadReader& reader)
      : context_(context),
        reader_(reader),
        deadline_(context, transport::limits::kImportPatience) {}
  bool Read(v1::AddEntriesRequest& request);
  // Whether all that was sent has come.
  // Errors: kUnavailable  the sender was too slow, or the call was cut off
  Status CheckWhole() const;

 private:
  grpc::ServerContext& context_;
  UploadReader& reader_;
  CallDeadline deadline_;
};

// The first message, so that the list is looked at before its entries take any memory.
// Errors: kInvalidArgument  another message comes first; those of CheckWhole
Result<v1::AddBegin> ReceiveBegin(UploadCall& call);
// The messages after it.
// In:     options  what the list has room for, and the dimension of its templates
// Errors: kInvalidArgument  another message than a chunk; kExhausted  more than the list, or any
//         list, has room for; those of CheckWhole
Result<Upload> ReceiveChunks(UploadCall& call, const watchlists::ImportOptions& options);

Result<watchlists::TemplateFormat> FormatOf(v1::TemplateFormat format);

void FillImport(const watchlists::ParsedImport& parsed, v1::AddEntriesResponse& response);

}  // namespace comity::gateway
