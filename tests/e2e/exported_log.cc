// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/exported_log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <map>
#include <utility>

#include "crypto/tlog/entry_bundle.h"
#include "crypto/tlog/log_verifier.h"

namespace comity::testing {
namespace {

using Files = std::map<std::string, Bytes>;

Result<Files> Download(v1::Audit::Stub& auditor) {
  Files files;
  grpc::ClientContext context;
  const auto reader = auditor.Export(&context, v1::ExportAuditRequest());
  v1::ExportedChunk chunk;
  while (reader->Read(&chunk)) {
    const ByteView data = AsBytes(chunk.data());
    Bytes& file = files[chunk.path()];
    file.insert(file.end(), data.begin(), data.end());
  }
  const grpc::Status status = reader->Finish();
  if (!status.ok()) return Fail(ErrorCode::kUnavailable, status.error_message());
  return files;
}

Result<cli::LogSide> VerifyFiles(const Files& files) {
  tlog::LogExport log;
  for (const auto& [path, content] : files) log.paths.push_back(path);
  log.read = [&](const std::string& path) -> Result<Bytes> {
    const auto found = files.find(path);
    if (found == files.end()) return Fail(ErrorCode::kNotFound, path);
    return found->second;
  };
  COMITY_ASSIGN_OR_RETURN(const Bytes keys, log.read("log.vkey"));
  COMITY_ASSIGN_OR_RETURN(const Bytes checkpoint, log.read("checkpoint"));
  log.vkeys = AsText(keys);
  log.checkpoint = AsText(checkpoint);
  cli::LogGatherer gatherer;
  COMITY_RETURN_IF_ERROR(tlog::VerifyLog(gatherer.Watch(std::move(log))));
  return gatherer.Side();
}

// A bundle's width: 256, or what the path of a partial one ends in.
unsigned WidthOf(std::string_view path) {
  constexpr std::string_view kPartial = ".p/";
  const std::size_t at = path.rfind(kPartial);
  unsigned width = 256;
  if (at == std::string_view::npos) return width;
  std::from_chars(path.data() + at + kPartial.size(), path.data() + path.size(), width);
  return width;
}

}  // namespace

Result<WholeLog> WholeLog::Of(v1::Audit::Stub& auditor) {
  COMITY_ASSIGN_OR_RETURN(const Files files, Download(auditor));
  WholeLog log;
  COMITY_ASSIGN_OR_RETURN(log.side_, VerifyFiles(files));
  for (const auto& [path, content] : files) {
    if (!path.starts_with("tile/entries/")) continue;
    COMITY_ASSIGN_OR_RETURN(const auto bundle, tlog::ParseEntryBundle(content, WidthOf(path)));
    for (const Bytes& text : bundle) {
      COMITY_ASSIGN_OR_RETURN(tlog::LogEntry entry, tlog::ParseEntry(AsText(text)));
      log.entries_.push_back(std::move(entry));
    }
  }
  return log;
}

void ExpectAgreeing(const WholeLog& one, const WholeLog& other) {
  // Nothing is under way, and both clocks are one.
  const auto compared =
      cli::CompareLogs(one.side(), other.side(), {.skew = std::chrono::seconds(0)});
  ASSERT_TRUE(compared.has_value()) << compared.error().detail;
  for (const cli::Difference& each : compared->differences) {
    ADD_FAILURE() << each.kind << " in the log of " << each.agency << ", exchange " << each.exchange
                  << ": " << each.words;
  }
  std::printf(
      "%s and %s: %llu searches, %llu alerts, %llu messages agree; %llu answers with hits lost\n",
      one.side().agency.c_str(), other.side().agency.c_str(),
      static_cast<unsigned long long>(compared->searches),
      static_cast<unsigned long long>(compared->alerts),
      static_cast<unsigned long long>(compared->messages),
      static_cast<unsigned long long>(compared->hits_without_alert));
}

std::size_t WholeLog::Count(std::string_view type) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(entries_, [&](const auto& entry) { return entry.type == type; }));
}

std::optional<Digest> WholeLog::MessageOf(std::string_view type, std::string_view exchange,
                                          const std::string& message) const {
  for (const tlog::LogEntry& entry : entries_) {
    if (entry.type != type || entry.exchange != exchange) continue;
    const auto found = entry.messages.find(message);
    if (found != entry.messages.end()) return found->second;
  }
  return std::nullopt;
}

std::uint64_t WholeLog::Sum(std::string_view type, const std::string& count) const {
  std::uint64_t sum = 0;
  for (const tlog::LogEntry& entry : entries_) {
    const auto found = entry.counts.find(count);
    if (entry.type == type && found != entry.counts.end()) {
      sum += static_cast<std::uint64_t>(found->second);
    }
  }
  return sum;
}

}  // namespace comity::testing
