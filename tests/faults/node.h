// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "crypto/base/random.h"
#include "crypto/base/secret.h"
#include "crypto/sign/ed25519.h"
#include "policy/model/ids.h"
#include "services/audit/log.h"
#include "services/oversight/erasure_ledger.h"
#include "services/runtime/clock.h"
#include "services/runtime/logging.h"
#include "services/store/store.h"

namespace comity::testing {

// What a gateway keeps on disk, opened as it opens it, with fixed keys: store with its audit log,
// and the erasure ledger with its second copy.
//
// Threads: thread-compatible.
class Node {
 public:
  // In: folder  absolute; the data go to folder/data, the second ledger to folder/second
  // Errors: those of the parts
  static Result<std::unique_ptr<Node>> Open(const std::filesystem::path& folder);
  ~Node();

  // Act `number`: three effects and one entry, exchange "act-<number>". Every third act adds a list
  // of two people, the one after it erases one of the two.
  Status Act(int number);

  // Makes a backup and puts it together in `file`, as the person's program does.
  Status Backup(const std::filesystem::path& file);
  // Its keys and a configuration that names them, for `comity restore`. In: folder  made if need be
  static std::filesystem::path WriteConfig(const std::filesystem::path& folder,
                                           const std::filesystem::path& ledger);

  static std::filesystem::path Data(const std::filesystem::path& folder) { return folder / "data"; }
  // If there is such a file, the node has no second ledger.
  static std::filesystem::path OneLedger(const std::filesystem::path& folder) {
    return folder / "one-ledger";
  }
  static std::string ExchangeOf(int number) { return "act-" + std::to_string(number); }
  static policy::WatchlistId ListOf(int number);
  // What is encrypted of the person that act `number` erases.
  static std::string SecretOf(int number) { return "erased-by-act-" + std::to_string(number); }
  static bool AddsList(int number) { return number % 3 == 0; }
  static bool Erases(int number) { return number % 3 == 1; }

  store::Store& store() { return *store_; }
  audit::Log& log() { return *log_; }
  oversight::ErasureLedger& ledger() { return *ledger_; }

 private:
  explicit Node(std::filesystem::path folder);
  Status Start();

  const std::filesystem::path folder_;
  const sign::SigningKey agency_key_;
  const SecretBytes kek_ = SecretBytes::CopyOf(Bytes(32, 7));
  const sign::SigningKey log_key_;
  const runtime::SystemClock clock_;
  SystemRandom random_;
  std::unique_ptr<runtime::Logger> logger_;
  std::unique_ptr<oversight::ErasureLedger> ledger_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<audit::Log> log_;
};

}  // namespace comity::testing
