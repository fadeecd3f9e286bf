// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "crypto/base/secret.h"
#include "crypto/sign/ed25519.h"
#include "policy/model/ids.h"
#include "services/audit/log.h"
#include "services/backup/manifest.h"
#include "services/identity/lone_acts.h"
#include "services/oversight/erasure_ledger.h"
#include "services/runtime/clock.h"
#include "services/store/retention_store.h"

namespace comity::oversight {

// What a backup is made of; all references must outlive the call.
struct BackupSources {
  audit::Log& log;
  ErasureLedger& ledger;
  // Writes a consistent, marked copy of the database into a new file.
  std::function<Result<store::RestorationRecord>(const std::filesystem::path& copy,
                                                 store::RestorationRecord restoration)>
      copy;
  const sign::SigningKey& agency_key;
  const SecretBytes& kek;
  std::filesystem::path data_directory;  // parts are gathered in a folder there
  std::string log_origin;
  policy::AgencyId own;
  std::uint32_t schema = 0;
  std::string software;
  const runtime::Clock& clock;
  RandomSource& random;
  const identity::LoneActs* lone_acts = nullptr;  // none: nobody is told, as in tests of parts
};

// A backup that is ready to be handed out: `head`, then the files one after the other. The files
// are removed with the object.
//
// Threads: thread-compatible.
class MadeBackup {
 public:
  explicit MadeBackup(std::filesystem::path folder) : folder_(std::move(folder)) {}
  MadeBackup(MadeBackup&& other) noexcept
      : manifest(std::move(other.manifest)),
        head(std::move(other.head)),
        files(std::move(other.files)),
        folder_(std::exchange(other.folder_, {})) {}
  MadeBackup& operator=(MadeBackup&&) = delete;
  ~MadeBackup();

  std::uint64_t octets() const;

  backup::Manifest manifest;
  std::string head;
  std::vector<std::filesystem::path> files;

 private:
  std::filesystem::path folder_;
};

// Makes a backup of the running node. Commits and searches go on meanwhile.
//
// In:     by  who asked
// Errors: kConflict  there is no second copy of the erasure ledger: without it the backup could
//                    never be put back (data.erasure_ledger)
//         kUnavailable  the disk is full; those of log, store and ledger
Result<MadeBackup> MakeBackup(const BackupSources& sources, std::string_view by);

// Removes what a backup left behind that did not come to its end.
void RemoveUnfinishedBackups(const std::filesystem::path& data_directory);

}  // namespace comity::oversight
