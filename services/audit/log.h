// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "crypto/base/secret.h"
#include "crypto/sign/ed25519.h"
#include "services/audit/checkpoint.h"
#include "services/audit/journal.h"
#include "services/audit/store_recorder.h"
#include "services/audit/tile_files.h"
#include "services/runtime/clock.h"
#include "services/runtime/guarded.h"
#include "services/runtime/logging.h"
#include "services/store/store.h"

namespace comity::audit {

class Publisher;

// The agency's transparency log: entries become durable in the store together with their effect,
// and a publisher thread brings them into tiles under a signed checkpoint within 100 ms.
//
// Threads: thread-safe. The destructor publishes nothing further and joins the thread.
class Log final : public Journal {
 public:
  // Every reference must outlive the log.
  struct Options {
    store::Store& store;
    const sign::SigningKey& log_key;  // note type 0x01; used for nothing else
    std::string origin;               // schema-less URL, also the name of the key
    const SecretBytes& kek;           // 32 octets; wraps the key of each entry's payload
    std::filesystem::path directory;  // files go to <directory>/log
    const runtime::Clock& clock;
    runtime::Logger& logger;
    RandomSource& random;
  };

  // Recomputes the whole tree from the store, compares it with the last signed checkpoint, writes
  // the files that are missing or differ, publishes what is not published, and starts the
  // publisher.
  //
  // Errors: kInvalidArgument  origin or kek is not of the form above
  //         kCorrupt          the stored log is shorter than, or differs from, a checkpoint that
  //         was
  //                           signed (the store's, or the file <directory>/log/checkpoint), or that
  //                           checkpoint is not by `log_key`: signing on would fork the log
  //         kUnavailable      the store or the directory cannot be read or written
  static Result<std::unique_ptr<Log>> Open(const Options& options);
  ~Log() override;

  // Errors: those of `work`; kInternal  an event that events.h does not declare, or too large, even
  //         if `work` overlooked it; kUnavailable  the log is stopped (LogHealth); else the store's
  Status Commit(const Work& work) override;

  // Waits until every entry durable at the call is under the published checkpoint; returns it.
  // Errors: kUnavailable  not within `timeout`; the detail names what the publisher last ran into
  Result<Checkpoint> Flush(std::chrono::milliseconds timeout = std::chrono::seconds(10));

  // From now on payloads of events under an agreement are kept no longer than it says.
  void UseRetention(PayloadRetention retention);

  Checkpoint Latest() const;  // published last; of size 0 in a fresh log
  LogHealth Health() const;

  std::string VerifierKeyFile() const;  // content of log.vkey
  const store::Store& store() const { return options_.store; }
  // <directory>/log: checkpoint, log.vkey, tile/... as a tlog-tiles client reads them
  const TileFiles& files() const { return files_; }

 private:
  explicit Log(const Options& options);
  Status Start();

  Options options_;
  TileFiles files_;
  runtime::Guarded<PayloadRetention> retention_;
  std::unique_ptr<Publisher> publisher_;
};

}  // namespace comity::audit
