// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/exported_log.h"

#include <gtest/gtest.h>

#include "crypto/tlog/entry_bundle.h"
#include "crypto/tlog/tile.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

std::map<std::string, Bytes> Download(const LiveAgency& agency) {
  std::map<std::string, Bytes> files;
  grpc::ClientContext context;
  const auto stub = agency.audit();
  const auto reader = stub->Export(&context, v1::ExportAuditRequest());
  v1::ExportedChunk chunk;
  bool complete = true;
  while (reader->Read(&chunk)) {
    const ByteView part = AsBytes(chunk.data());
    Bytes& file = files[chunk.path()];
    file.insert(file.end(), part.begin(), part.end());
    complete = chunk.last();
  }
  const grpc::Status status = reader->Finish();
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_TRUE(complete);
  return files;
}

Status ReadEntries(ExportedLog& log) {
  const std::uint64_t size = log.summary.counts.entries;
  for (std::uint64_t tile = 0; tile * tlog::kTileWidth < size; ++tile) {
    tlog::TilePath path{.entries = true, .index = tile};
    if (tile >= tlog::FullTiles({size}, 0)) path.width = tlog::PartialWidth({size}, 0);
    COMITY_RETURN_IF_ERROR(tlog::ForEachEntry(
        log.files.at(tlog::EncodeTilePath(path)), path.width, [&](ByteView entry) -> Status {
          COMITY_ASSIGN_OR_RETURN(log.entries.emplace_back(), tlog::ParseEntry(AsText(entry)));
          return {};
        }));
  }
  return {};
}

}  // namespace

tlog::LogExport ExportedLog::AsExport() const {
  tlog::LogExport log;
  log.vkeys = std::string(AsText(files.at("log.vkey")));
  log.checkpoint = std::string(AsText(files.at("checkpoint")));
  for (const auto& [path, content] : files) log.paths.push_back(path);
  log.read = [this](const std::string& path) -> Result<Bytes> {
    const auto found = files.find(path);
    if (found == files.end()) return Fail(ErrorCode::kNotFound, path);
    return found->second;
  };
  return log;
}

std::vector<tlog::LogEntry> ExportedLog::OfType(std::string_view type) const {
  std::vector<tlog::LogEntry> found;
  for (const auto& entry : entries) {
    if (entry.type == type) found.push_back(entry);
  }
  return found;
}

ExportedLog ExportLog(const LiveAgency& agency) {
  ExportedLog log;
  log.files = Download(agency);
  if (!log.files.contains("checkpoint") || !log.files.contains("log.vkey")) {
    ADD_FAILURE() << "the export has no checkpoint or no key";
    return log;
  }
  auto verified = tlog::VerifyLog(log.AsExport());
  EXPECT_THAT(verified, IsOk());
  if (!verified) return log;
  log.summary = *std::move(verified);
  EXPECT_THAT(ReadEntries(log), IsOk());
  return log;
}

}  // namespace comity::testing
