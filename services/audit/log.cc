// SPDX-License-Identifier: Apache-2.0
#include "services/audit/log.h"

#include <cstdint>
#include <optional>
#include <utility>

#include "crypto/envelope/aead.h"
#include "services/audit/publisher.h"
#include "services/audit/recover.h"

namespace comity::audit {

Log::Log(const Options& options) : options_(options), files_(options.directory / "log") {}
Log::~Log() = default;

Result<std::unique_ptr<Log>> Log::Open(const Options& options) {
  if (!tlog::IsKeyName(options.origin)) {
    return Fail(ErrorCode::kInvalidArgument,
                "a log origin is a name of 1 to 255 octets without spaces and '+', as in "
                "northshire-police.example/log");
  }
  if (options.kek.size() != envelope::kKeySize) {
    return Fail(ErrorCode::kInvalidArgument, "the key-encryption key must have 32 octets");
  }
  std::unique_ptr<Log> log(new Log(options));
  COMITY_RETURN_IF_ERROR(log->Start());
  return log;
}

Status Log::Start() {
  const tlog::VerifierKey key = VerifierKeyOf(options_.origin, options_.log_key);
  COMITY_ASSIGN_OR_RETURN(
      RecoveredLog found,
      Recover({.store = options_.store, .files = files_, .key = key, .logger = options_.logger}));
  COMITY_RETURN_IF_ERROR(files_.WriteVerifierKey(VerifierKeyFile()));
  publisher_ = std::make_unique<Publisher>(Publisher::Options{.store = options_.store,
                                                              .log_key = options_.log_key,
                                                              .origin = options_.origin,
                                                              .files = files_,
                                                              .logger = options_.logger},
                                           std::move(found.edge), std::move(found.last));
  return publisher_->Start();
}

Status Log::Commit(const Work& work) {
  if (publisher_->stopped()) {
    return Fail(ErrorCode::kUnavailable, "the log is stopped: " + Health().problem);
  }
  std::optional<std::uint64_t> log_size;
  const Status written = options_.store.Write([&](store::Transaction& tx) -> Status {
    StoreRecorder recorder(tx.audit(),
                           {.kek = options_.kek,
                            .clock = options_.clock,
                            .random = options_.random,
                            .retention = retention_.With([](auto& known) { return known; })});
    COMITY_RETURN_IF_ERROR(work(tx, recorder));
    log_size = recorder.log_size();
    return recorder.status();
  });
  if (!written) return written;
  if (log_size) publisher_->Wake(*log_size);
  return {};
}

Result<Checkpoint> Log::Flush(std::chrono::milliseconds timeout) {
  std::uint64_t durable = 0;
  COMITY_RETURN_IF_ERROR(options_.store.Read([&](const store::Transaction& tx) -> Status {
    COMITY_ASSIGN_OR_RETURN(durable, tx.audit().Size());
    return {};
  }));
  return publisher_->WaitFor(durable, timeout);
}

void Log::UseRetention(PayloadRetention retention) {
  retention_.With([&](PayloadRetention& known) { known = std::move(retention); });
}

Checkpoint Log::Latest() const {
  return publisher_->Latest();
}
LogHealth Log::Health() const {
  return publisher_->Health();
}

std::string Log::VerifierKeyFile() const {
  return audit::VerifierKeyFile(options_.origin, options_.log_key);
}

}  // namespace comity::audit
