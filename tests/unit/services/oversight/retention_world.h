// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "services/audit/log.h"
#include "services/identity/notices.h"
#include "services/oversight/erasure_ledger.h"
#include "services/oversight/erasure_replay.h"
#include "services/oversight/restoration.h"
#include "services/oversight/retention.h"
#include "services/store/sqlite/sqlite_store.h"
#include "tests/support/manual_clock.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"

namespace comity::oversight {

// One agency's ledger, database and log on disk, opened as its gateway opens them.
class RetentionWorld : public ::testing::Test {
 protected:
  RetentionWorld() = default;
  ~RetentionWorld() override { Close(); }

  std::filesystem::path Data() const { return directory_.path() / data_; }
  std::filesystem::path Copy() const { return directory_.path() / "ledger-copy"; }

  void Close() {
    desk_.reset();
    notices_.reset();
    log_.reset();
    store_.reset();
    ledger_.reset();
  }
  // Opened twice: without a ledger, and with it. In SQLite unless a test has another database.
  virtual Result<std::unique_ptr<store::Store>> OpenStore(store::ErasureLedger* ledger) {
    return store::OpenSqliteStore(Data(), ledger);
  }
  Status Open() {
    Close();
    {
      COMITY_ASSIGN_OR_RETURN(const auto bare, OpenStore(nullptr));
      COMITY_ASSIGN_OR_RETURN(ledger_,
                              ErasureLedger::Open({Data(), Copy(), kek_, own_, clock_, random_}));
      COMITY_ASSIGN_OR_RETURN(replayed_, ReplayErasures(*bare, *ledger_, clock_));
      COMITY_ASSIGN_OR_RETURN(restoration_, AdoptCopy({*bare, *ledger_, Data(), kOrigin, log_key_,
                                                       replayed_, clock_, random_}));
    }
    COMITY_ASSIGN_OR_RETURN(store_, OpenStore(ledger_.get()));
    COMITY_ASSIGN_OR_RETURN(
        log_, audit::Log::Open({*store_, log_key_, OriginOf(restoration_, kOrigin), kek_, Data(),
                                clock_, *logger_, random_}));
    notices_ =
        std::make_unique<identity::Notices>(identity::Notices::Setup{*store_, *log_, own_, clock_});
    desk_ = std::make_unique<RetentionDesk>(
        RetentionDesk::Setup{*store_, *log_, *notices_, *ledger_, own_, clock_, {}});
    return {};
  }
  void MustOpen() { ASSERT_THAT(Open(), testing::IsOk()); }

  // The data directory is lost; a copy of the database that was made before comes in its place.
  Status RestoreFrom(const std::filesystem::path& database,
                     const std::filesystem::path& log_files) {
    Close();
    data_ = "restored-" + std::to_string(++restorations_);
    std::filesystem::create_directories(Data());
    std::filesystem::copy_file(database, Data() / "comity.db");
    std::filesystem::copy(log_files, Data() / "log", std::filesystem::copy_options::recursive);
    return Open();
  }
  // A marked copy of database and log as they are now, in a folder of its own.
  std::filesystem::path CopyNow() {
    const std::filesystem::path folder = directory_.path() / ("copy-" + std::to_string(++copies_));
    std::filesystem::create_directories(folder);
    EXPECT_THAT(log_->Flush(), testing::IsOk());
    std::filesystem::copy(Data() / "log", folder / "log", std::filesystem::copy_options::recursive);
    store::RestorationRecord restoration;
    restoration.backup = "b-" + std::to_string(copies_);
    restoration.made_at = clock_.Now();
    restoration.log_origin = OriginOf(restoration_, kOrigin);
    restoration.ledger = ledger_->Look().head;
    EXPECT_THAT(store::CopySqliteStore(Data(), folder / "comity.db", restoration), testing::IsOk());
    return folder;
  }

  Status Write(const std::function<Status(store::Transaction&)>& work) {
    return store_->Write(work);
  }
  void PutAlert(const std::string& id, policy::Instant expires) {
    store::AlertRecord alert;
    alert.id = id;
    alert.holder = policy::AgencyId::Parse("eastvale-council").value();
    alert.reference = "EC-" + id;
    alert.expires_at = expires;
    alert.wrapped_key = ToBytes("wrapped-key-of-" + id);
    alert.sealed = ToBytes("content-of-" + id);
    ASSERT_THAT(Write([&](store::Transaction& tx) { return tx.alerts().Put(alert); }),
                testing::IsOk());
  }
  bool IsThere(policy::RetentionClass record_class, std::string_view reference) {
    bool found = false;
    EXPECT_THAT(store_->Read([&](const store::Transaction& tx) {
      return tx.retention().VisitKept(record_class, [&](std::string_view kept) -> Status {
        found = found || kept == reference;
        return {};
      });
    }),
                testing::IsOk());
    return found;
  }
  bool HasAlert(const std::string& id) { return IsThere(policy::RetentionClass::kAlert, id); }
  // Erases by an act, as a withdrawal does.
  Status Erase(policy::RetentionClass record_class, const std::string& reference,
               const std::string& reason = "withdrawn") {
    return Write([&](store::Transaction& tx) -> Status {
      COMITY_RETURN_IF_ERROR(tx.retention().Erase(
          record_class, {std::string(policy::Name(record_class)), reference, reason, {}},
          clock_.Now()));
      return {};
    });
  }
  // Database and write-ahead log as they lie on the disk.
  std::string Files() const {
    std::string text;
    for (const char* name : {"comity.db", "comity.db-wal"}) {
      std::ifstream stream(Data() / name, std::ios::binary);
      text.append(std::istreambuf_iterator<char>(stream), {});
    }
    return text;
  }
  std::vector<identity::StoredNotice> NoticesFor(identity::Role role) {
    return notices_->List(identity::RoleSet{role}, 0, false, 100).value();
  }

  static constexpr const char* kOrigin = "northshire-police.example/log";
  const testing::TemporaryDirectory directory_;
  std::string data_ = "data";
  int restorations_ = 0;
  int copies_ = 0;
  testing::ManualClock clock_{policy::ParseInstant("2026-11-25T08:00:00Z").value()};
  SystemRandom random_;
  const policy::AgencyId own_ = policy::AgencyId::Parse("northshire-police").value();
  const SecretBytes kek_ = SecretBytes::CopyOf(Bytes(32, 7));
  const sign::SigningKey log_key_ = sign::SigningKey::Generate(random_);
  std::ostringstream log_text_;
  std::unique_ptr<runtime::Logger> logger_ =
      runtime::MakeStreamLogger(runtime::LogLevel::kWarn, clock_, log_text_);
  Replayed replayed_;
  Restoration restoration_;
  std::unique_ptr<ErasureLedger> ledger_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<audit::Log> log_;
  std::unique_ptr<identity::Notices> notices_;
  std::unique_ptr<RetentionDesk> desk_;
};

}  // namespace comity::oversight
