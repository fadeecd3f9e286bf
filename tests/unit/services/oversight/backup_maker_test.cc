// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/backup_maker.h"

#include <atomic>
#include <optional>
#include <thread>

#include "crypto/tlog/log_verifier.h"
#include "services/audit/checkpoint.h"
#include "services/audit/events.h"
#include "services/backup/backup_file.h"
#include "services/backup/backup_key.h"
#include "services/backup/log_part.h"
#include "tests/unit/services/oversight/retention_world.h"

namespace comity::oversight {
namespace {

namespace fs = std::filesystem;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::Not;

class BackupMaker : public RetentionWorld {
 protected:
  void SetUp() override { MustOpen(); }
  BackupSources Sources() {
    return {*log_,
            *ledger_,
            [this](const fs::path& file, store::RestorationRecord restoration) {
              return store::CopySqliteStore(Data(), file, std::move(restoration));
            },
            agency_,
            kek_,
            Data(),
            kOrigin,
            own_,
            static_cast<std::uint32_t>(store::SqliteSchemaVersion()),
            "comity test",
            clock_,
            random_,
            &lone_acts_.emplace(identity::LoneActs::Setup{*notices_, *store_, *log_, clock_})};
  }
  fs::path Save(const MadeBackup& made) {
    const fs::path file = directory_.path() / "one.backup";
    std::ofstream out(file, std::ios::binary);
    out << made.head;
    for (const fs::path& part : made.files) out << std::ifstream(part, std::ios::binary).rdbuf();
    return file;
  }
  // Unpacks it as a restoration does.
  fs::path Unpack(const fs::path& file) {
    auto backup = backup::BackupFile::Open(file, agency_.public_key());
    EXPECT_THAT(backup, IsOk());
    const auto key = backup::FindBackupKey(backup->manifest().id, kek_, {Copy()});
    EXPECT_THAT(key, IsOk());
    const fs::path folder = directory_.path() / "unpacked";
    fs::create_directories(folder);
    std::ofstream database(folder / "comity.db", std::ios::binary);
    EXPECT_THAT(backup->Read("database", key->key,
                             [&](ByteView octets) -> Status {
                               database << AsText(octets);
                               return {};
                             }),
                IsOk());
    backup::LogPartReader reader([&](const std::string& path, ByteView content) -> Status {
      fs::create_directories((folder / "log" / path).parent_path());
      std::ofstream(folder / "log" / path, std::ios::binary) << AsText(content);
      return {};
    });
    EXPECT_THAT(backup->Read("log", key->key, [&](ByteView octets) { return reader.Feed(octets); }),
                IsOk());
    EXPECT_THAT(reader.Finish(), IsOk());
    return folder;
  }

  std::optional<identity::LoneActs> lone_acts_;
  const sign::SigningKey agency_ = sign::SigningKey::Generate(random_);
};

TEST_F(BackupMaker, IsConsistentThoughTheNodeIsAtWork) {
  std::atomic<bool> stop = false;
  std::atomic<int> written = 0;
  std::jthread writer([&] {
    while (!stop) {
      audit::Event event;
      event.type = audit::kPayloadOpened;
      event.parties = {own_};
      event.committed = {{"reason", "entry " + std::to_string(written)}};
      ASSERT_THAT(log_->Record(event), IsOk());
      ++written;
    }
  });
  while (written < 300) std::this_thread::yield();
  auto made = MakeBackup(Sources(), "j-smith");
  const int after = written;
  while (written < after + 100) std::this_thread::yield();
  stop = true;
  writer.join();
  ASSERT_THAT(made, IsOk());
  EXPECT_GE(made->manifest.log_size, made->manifest.checkpoint_size);
  EXPECT_GE(made->manifest.checkpoint_size, 300U);
  const fs::path folder = Unpack(Save(*made));
  // The gateway compares stored entries and signed root before it takes it.
  ASSERT_THAT(RestoreFrom(folder / "comity.db", folder / "log"), IsOk());
  EXPECT_EQ(restoration_.log_size, made->manifest.log_size);
  EXPECT_EQ(restoration_.backup, made->manifest.id);
}

TEST_F(BackupMaker, IsToldToTheOtherKeepersAndToThoseWhoOversee) {
  const auto made = MakeBackup(Sources(), "j-smith");
  ASSERT_THAT(made, IsOk());
  using enum identity::Role;
  for (const identity::Role role : {kDpo, kAuditor, kAdministrator, kKeyAdministrator}) {
    ASSERT_EQ(NoticesFor(role).size(), 1U);
    EXPECT_THAT(NoticesFor(role)[0].words,
                HasSubstr(made->manifest.id + " was made by j-smith alone; it stands in the log"));
  }
}

TEST_F(BackupMaker, HoldsNothingThatCanBeReadWithoutTheKeys) {
  PutAlert("a-1", clock_.Now() + std::chrono::hours(24));
  const auto made = MakeBackup(Sources(), "j-smith");
  ASSERT_THAT(made, IsOk());
  std::ifstream stream(Save(*made), std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  EXPECT_THAT(text, Not(HasSubstr("content-of-a-1")));
  EXPECT_THAT(text, Not(HasSubstr("EC-a-1")));
  EXPECT_THAT(text, HasSubstr("comity-backup/1"));
}

TEST_F(BackupMaker, CleansUpAfterItself) {
  {
    const auto made = MakeBackup(Sources(), "j-smith");
    ASSERT_THAT(made, IsOk());
    EXPECT_TRUE(fs::exists(Data() / ("backup-" + made->manifest.id) / "database"));
    EXPECT_FALSE(fs::exists(Data() / ("backup-" + made->manifest.id) / "comity.db"));
  }
  for (const auto& item : fs::directory_iterator(Data())) {
    EXPECT_FALSE(item.path().filename().string().starts_with("backup-")) << item.path();
  }
  fs::create_directories(Data() / "backup-b-crashed");
  RemoveUnfinishedBackups(Data());
  EXPECT_FALSE(fs::exists(Data() / "backup-b-crashed"));
  EXPECT_TRUE(fs::exists(Data() / "comity.db"));
}

TEST_F(BackupMaker, IsRecordedAndListedInTheLedger) {
  const auto made = MakeBackup(Sources(), "j-smith");
  ASSERT_THAT(made, IsOk());
  bool listed = false;
  ASSERT_THAT(
      ledger_->Visit([&](const backup::LedgerLine& line, const backup::LedgerPosition&) -> Status {
        listed =
            listed || (line.kind == backup::line_kind::kBackup && line.about == made->manifest.id);
        return {};
      }),
      IsOk());
  EXPECT_TRUE(listed);
  std::vector<store::AuditEntryRecord> entries;
  ASSERT_THAT(store_->Read([&](const store::Transaction& tx) -> Status {
    COMITY_ASSIGN_OR_RETURN(entries, tx.audit().Read(0, 10));
    return {};
  }),
              IsOk());
  ASSERT_FALSE(entries.empty());
  EXPECT_THAT(std::string(AsText(entries.front().entry)), HasSubstr("backup-made"));
}

TEST_F(BackupMaker, RefusesWithoutASecondCopyOfTheLedger) {
  Close();
  auto bare = store::OpenSqliteStore(Data());
  ASSERT_THAT(bare, IsOk());
  auto ledger = ErasureLedger::Open({Data(), std::nullopt, kek_, own_, clock_, random_});
  ASSERT_THAT(ledger, IsOk());
  auto log = audit::Log::Open({**bare, log_key_, kOrigin, kek_, Data(), clock_, *logger_, random_});
  ASSERT_THAT(log, IsOk());
  const BackupSources sources{**log,   **ledger, {}, agency_,       kek_,   Data(),
                              kOrigin, own_,     1,  "comity test", clock_, random_};
  const auto made = MakeBackup(sources, "j-smith");
  ASSERT_THAT(made, FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(made.error().detail, HasSubstr("data.erasure_ledger"));
}

}  // namespace
}  // namespace comity::oversight
