// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/tlog/checkpoint.h"
#include "crypto/tlog/entry_time.h"

namespace comity::tlog {

// An exported log as the verifier sees it. The export holds `checkpoint`, `log.vkey`, `tile/...`
// and nothing else.
struct LogExport {
  // The log's vkey, then one line for each witness whose cosignature the checkpoint carries; the
  // file log.vkey must hold exactly this. From a source the auditor trusts, or the file itself.
  std::string vkeys;
  std::string checkpoint;  // the checkpoint note; the file `checkpoint` must hold exactly this
  // Content of a file by its path relative to the export. VerifyTileRange may be called from
  // several threads; then this is as well.
  std::function<Result<Bytes>(const std::string& path)> read;
  std::vector<std::string> paths;  // every file that exists
};

// Bounds of what an audit counts, so that a hostile log cannot fill memory.
inline constexpr std::size_t kMaxEntryTypes = 1024;

struct EntryCounts {
  std::uint64_t entries = 0;
  std::optional<EntryTime> first;  // earliest and latest time of any entry
  std::optional<EntryTime> last;
  std::map<std::string, std::uint64_t> by_type;
};

// The whole verdict.
struct LogSummary {
  VerifiedCheckpoint head;
  std::vector<VerifierKey> witnesses;  // those of log.vkey; head.cosignatures point into it
  EntryCounts counts;
};

// A range [begin, end) of level-0 tiles, the last of them perhaps partial.
struct TileRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};
struct VerifiedRange {
  TileRange range;
  std::vector<Digest> full_tile_roots;  // hashes of level 1, one for each full tile
  std::vector<Digest> partial;          // leaf hashes of the partial tile, if it is in the range
  EntryCounts counts;
};

// Verifies a whole log without network, database or gateway: the note's signatures, every entry
// (ParseEntry's grammar) hashed into the level-0 tiles octet for octet, every higher tile octet for
// octet, the root, and that exactly the expected files exist. Any flipped octet in any file is
// found.
//
// In:      progress  called after about every 65,536 entries with (entries done, all); may be empty
// Errors:  kInvalidArgument  keys or checkpoint are not well formed
//          kNotFound         a file is missing (named)
//          kConflict         a file is not part of such a log, e.g. a stale partial tile (named)
//          kCorrupt          a signature, hash, tile, entry or root is wrong (path and entry named)
//          those of `read`
// Threads: pure; memory about 32 octets a 256 entries.
// Source:  C2SP tlog-tiles, tlog-checkpoint, signed-note; RFC 9162
using Progress = std::function<void(std::uint64_t done, std::uint64_t all)>;
Result<LogSummary> VerifyLog(const LogExport& log, const Progress& progress = {});

// The same in three steps, so that a caller may verify ranges on several threads: OpenLog, then
// VerifyTileRange over ranges that together are [0, TileCount), then FinishLog with the results in
// order.
Result<LogSummary> OpenLog(const LogExport& log);
std::uint64_t TileCount(const LogSummary& opened);
Result<VerifiedRange> VerifyTileRange(const LogExport& log, const LogSummary& opened,
                                      TileRange range);
Result<LogSummary> FinishLog(const LogExport& log, LogSummary opened,
                             std::span<const VerifiedRange> ranges);

}  // namespace comity::tlog
