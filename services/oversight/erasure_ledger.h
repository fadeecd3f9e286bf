// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "crypto/base/secret.h"
#include "policy/model/ids.h"
#include "services/backup/ledger_file.h"
#include "services/runtime/clock.h"
#include "services/store/erasure.h"

namespace comity::oversight {

// Where the ledger's own folder lies, beside the data.
std::filesystem::path OwnLedgerFolder(const std::filesystem::path& data_directory);

// The agency's list of all that was erased, kept outside the database and written before each
// erasure commits (docs/formats/erasure_log.md, ADR on backups and erasure).
//
// Threads: thread-safe.
class ErasureLedger final : public store::ErasureLedger {
 public:
  struct Setup {
    std::filesystem::path data_directory;
    std::optional<std::filesystem::path> copy;  // folder of the second copy
    const SecretBytes& kek;                     // 32 octets; not kept
    policy::AgencyId own;
    const runtime::Clock& clock;  // must outlive the object
    RandomSource& random;
  };
  // Errors: kCorrupt      a copy is damaged, they differ, or they are another agency's
  //         kUnavailable  a folder cannot be made, read or written
  static Result<std::unique_ptr<ErasureLedger>> Open(const Setup& setup);
  ~ErasureLedger() override;

  Result<Line> Append(std::span<const store::ErasedRecord> records,
                      std::uint64_t log_size) override;
  // A line that names no record. In: kind  of backup::line_kind; about  0..255
  Result<store::LedgerHead> Note(std::string_view kind, std::string_view about,
                                 std::uint64_t log_size);
  // The next line that names records follows this one: the database has the effect of all before.
  void SetFollowed(std::uint64_t sequence);

  struct State {
    std::uint64_t lines = 0;
    store::LedgerHead head;
    policy::Instant last_time{};
    std::uint64_t largest_log_size = 0;
    bool has_copy = false;
    bool behind = false;  // a copy lacks lines that the other has
  };
  State Look() const;
  // All lines so far, oldest first. Errors: kCorrupt  the file was changed meanwhile
  Status Visit(const backup::LedgerVisit& visit) const;
  // What names a record in it.
  Digest Commit(std::string_view record_class, std::string_view reference) const;
  const std::vector<std::filesystem::path>& folders() const;

 private:
  struct Impl;
  explicit ErasureLedger(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace comity::oversight
