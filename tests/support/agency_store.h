// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/check.h"
#include "crypto/base/random.h"
#include "crypto/base/secret.h"
#include "crypto/sign/ed25519.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "services/audit/log.h"
#include "services/runtime/logging.h"
#include "services/store/sqlite/sqlite_store.h"
#include "tests/support/manual_clock.h"
#include "tests/support/temporary_directory.h"

namespace comity::testing {

// One agency's embedded store and log in a folder of its own, as the daemon holds them. Can be
// closed and opened again, as a restart would.
//
// Threads: thread-compatible.
class AgencyStore {
 public:
  AgencyStore() { Reopen(); }
  ~AgencyStore() { Close(); }
  AgencyStore(const AgencyStore&) = delete;
  AgencyStore& operator=(const AgencyStore&) = delete;

  void Close() {
    log_.reset();
    store_.reset();
  }
  void Reopen() {
    Close();
    auto store = store::OpenSqliteStore(folder_.path() / "data");
    COMITY_CHECK(store.has_value());
    store_ = std::move(store).value();
    auto log = audit::Log::Open({.store = *store_,
                                 .log_key = log_key_,
                                 .origin = "northshire-police.example/log",
                                 .kek = kek_,
                                 .directory = folder_.path(),
                                 .clock = clock,
                                 .logger = *logger_,
                                 .random = random});
    COMITY_CHECK(log.has_value());
    log_ = std::move(log).value();
  }

  store::Store& store() { return *store_; }
  audit::Journal& journal() { return *log_; }
  const SecretBytes& kek() const { return kek_; }
  std::filesystem::path database() const { return folder_.path() / "data" / "comity.db"; }

  // How many entries of this type the log has. A type stands in an entry in the clear.
  std::size_t CountEvents(std::string_view type) {
    std::size_t count = 0;
    const std::string field = "\"type\":\"" + std::string(type) + "\"";
    const Status read = store_->Read([&](const store::Transaction& transaction) -> Status {
      COMITY_ASSIGN_OR_RETURN(const auto entries, transaction.audit().Read(0, 1'000'000));
      for (const store::AuditEntryRecord& record : entries) {
        if (AsText(record.entry).find(field) != std::string_view::npos) ++count;
      }
      return {};
    });
    COMITY_CHECK(read.has_value());
    return count;
  }

  ManualClock clock{policy::ParseInstant("2026-11-25T08:00:00Z").value()};
  SystemRandom random;
  const policy::AgencyId own = policy::AgencyId::Parse("northshire-police").value();

 private:
  TemporaryDirectory folder_;
  SecretBytes kek_ = SecretBytes::CopyOf(Bytes(32, 7));
  sign::SigningKey log_key_ = sign::SigningKey::Generate(random);
  std::ostringstream log_text_;
  std::unique_ptr<runtime::Logger> logger_ =
      runtime::MakeStreamLogger(runtime::LogLevel::kWarn, clock, log_text_);
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<audit::Log> log_;
};

}  // namespace comity::testing
