// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crypto/base/result.h"
#include "crypto/base/secret.h"
#include "services/backup/ledger_line.h"
#include "services/runtime/descriptor.h"

namespace comity::backup {

// Where a ledger stands. Sequence 0: it has no line.
struct LedgerPosition {
  std::uint64_t sequence = 0;
  Digest hash;  // of the last line
  bool operator==(const LedgerPosition&) const = default;
};

// What reading a whole ledger file tells.
struct LedgerSurvey {
  LedgerPosition head;
  std::uint64_t octets = 0;  // of whole lines; what follows is a line that was never durable
  policy::Instant last_time{};
  std::uint64_t largest_log_size = 0;
};

// Reads a ledger file and checks its chain, its numbers and the key of every line.
//
// In:     visit  called for each line with the position it gives; may be empty
// Errors: kNotFound  no such file; kCorrupt  names the line at fault; those of `visit`
using LedgerVisit = std::function<Status(const LedgerLine& line, const LedgerPosition& at)>;
Result<LedgerSurvey> ReadLedger(const std::filesystem::path& file, const SecretBytes& ledger_key,
                                const LedgerVisit& visit = {});

// The file in a ledger's folder.
std::filesystem::path LedgerFileIn(const std::filesystem::path& folder);

// Picks the longer of several copies of one ledger; copies that are absent are passed over.
// Errors: kNotFound  none is there; kCorrupt  a copy is damaged, or two copies differ: names both
Result<std::filesystem::path> LongestLedger(const std::vector<std::filesystem::path>& folders,
                                            const SecretBytes& ledger_key);

// The ledger in one or two folders, written in step: one beside the data, one elsewhere, so that
// the loss of either loses nothing.
//
// Threads: thread-compatible.
class LedgerFiles {
 public:
  // Makes folders (mode 0700) and files as needed, cuts a line that was not finished, and brings
  // the shorter copy up to the longer one.
  // In:     folders  one or two
  // Errors: kCorrupt  a copy is damaged or they differ; kUnavailable  cannot be read or written
  static Result<std::unique_ptr<LedgerFiles>> Open(std::vector<std::filesystem::path> folders,
                                                   SecretBytes ledger_key);

  // Appends a line; sequence and previous are filled in. Durable in every copy on return.
  // Errors: kUnavailable  a copy could not be written: what the others have of it stands, and it
  //                       is completed before the next line
  Result<LedgerPosition> Append(LedgerLine line);

  const LedgerSurvey& survey() const { return survey_; }
  bool behind() const;  // a copy lacks what another has
  const std::vector<std::filesystem::path>& folders() const { return folders_; }
  const SecretBytes& key() const { return key_; }
  // All lines, from the first copy. Errors: those of ReadLedger
  Status Visit(const LedgerVisit& visit) const;

 private:
  struct Copy {
    runtime::Descriptor file;
    std::uint64_t octets = 0;  // durable
    std::string pending;       // not durable yet
  };
  LedgerFiles(std::vector<std::filesystem::path> folders, SecretBytes key)
      : folders_(std::move(folders)), key_(std::move(key)) {}
  Status OpenCopies();
  Status WritePending();

  const std::vector<std::filesystem::path> folders_;
  const SecretBytes key_;
  std::vector<Copy> copies_;
  LedgerSurvey survey_;
};

}  // namespace comity::backup
