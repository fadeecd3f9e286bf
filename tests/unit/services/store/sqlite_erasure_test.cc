// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "services/store/approval_store.h"
#include "services/store/notice_store.h"
#include "services/store/outbox_store.h"
#include "services/store/sqlite/sqlite_store.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"

namespace comity::store {
namespace {

using policy::RetentionClass;
using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using ::testing::Not;

const policy::Instant kNow = policy::ParseInstant("2026-11-25T08:00:00Z").value();

// Keeps what it is told, and fails when a test says so.
class ToldLedger final : public ErasureLedger {
 public:
  Result<Line> Append(std::span<const ErasedRecord> records, std::uint64_t log_size) override {
    if (failing) return Fail(ErrorCode::kUnavailable, "the ledger's disk is full");
    sizes.push_back(records.size());
    for (const ErasedRecord& record : records) {
      told.push_back(record.record_class + ":" + record.reference + ":" + record.reason);
    }
    last_log_size = log_size;
    const std::uint64_t follows = sequence;
    return Line{{++sequence, {}}, kNow, follows};
  }
  std::atomic<bool> failing = false;
  std::uint64_t sequence = 0;
  std::uint64_t last_log_size = 0;
  std::vector<std::string> told;
  std::vector<std::size_t> sizes;
};

AlertRecord Alert(const std::string& id, const std::string& secret) {
  AlertRecord alert;
  alert.id = id;
  alert.holder = policy::AgencyId::Parse("eastvale-council").value();
  alert.reference = "reference-of-" + secret;
  alert.expires_at = kNow;
  alert.wrapped_key = ToBytes("wrapped-key-of-" + secret);
  alert.sealed = ToBytes("content-of-" + secret);
  return alert;
}

class SqliteErasure : public ::testing::Test {
 protected:
  void SetUp() override { Open(); }
  void Open() {
    store_.reset();
    auto opened = OpenSqliteStore(directory_.path(), &ledger_);
    ASSERT_THAT(opened, IsOk());
    store_ = *std::move(opened);
  }
  void PutAlerts(int count) {
    for (int i = 0; i < count; ++i) {
      const std::string id = "a-" + std::to_string(i);
      ASSERT_THAT(store_->Write([&](Transaction& t) { return t.alerts().Put(Alert(id, id)); }),
                  IsOk());
    }
  }
  Status EraseAlerts() {
    return store_->Write([](Transaction& t) -> Status {
      COMITY_RETURN_IF_ERROR(t.alerts().EraseExpired(kNow));
      return {};
    });
  }
  bool HasContent(const std::string& id) {
    bool has = false;
    EXPECT_THAT(store_->Read([&](const Transaction& t) -> Status {
      COMITY_ASSIGN_OR_RETURN(const AlertRecord alert, t.alerts().Get(id));
      has = !alert.wrapped_key.empty() || !alert.sealed.empty();
      return {};
    }),
                IsOk());
    return has;
  }
  LedgerHead Head() {
    LedgerHead head;
    EXPECT_THAT(store_->Read([&](const Transaction& t) -> Status {
      COMITY_ASSIGN_OR_RETURN(head, t.retention().Head());
      return {};
    }),
                IsOk());
    return head;
  }
  // Database and write-ahead log as they lie on the disk.
  std::string Files() {
    std::string text;
    for (const char* name : {"comity.db", "comity.db-wal"}) {
      std::ifstream stream(directory_.path() / name, std::ios::binary);
      text.append(std::istreambuf_iterator<char>(stream), {});
    }
    return text;
  }
  // The write-ahead log is emptied after the acknowledgement.
  void AwaitGone(const std::string& secret) {
    for (int i = 0; i < 100 && Files().find(secret) != std::string::npos; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }

  const testing::TemporaryDirectory directory_;
  ToldLedger ledger_;
  std::unique_ptr<Store> store_;
};

TEST_F(SqliteErasure, TellsTheLedgerWhatAUnitOfWorkErases) {
  PutAlerts(2);
  ASSERT_THAT(EraseAlerts(), IsOk());
  EXPECT_THAT(ledger_.told, ElementsAre("alert:a-0:expired", "alert:a-1:expired"));
  EXPECT_EQ(Head().sequence, 1U);
  EXPECT_FALSE(HasContent("a-0"));
}

TEST_F(SqliteErasure, ErasesNothingWhileTheLedgerCannotBeWritten) {
  PutAlerts(1);
  ledger_.failing = true;
  EXPECT_THAT(EraseAlerts(), FailsWith(ErrorCode::kUnavailable));
  EXPECT_TRUE(HasContent("a-0"));
  EXPECT_EQ(Head().sequence, 0U);
  ledger_.failing = false;
  EXPECT_THAT(EraseAlerts(), IsOk());
  EXPECT_FALSE(HasContent("a-0"));
}

// Searches must not be refused because an erasure cannot be listed at that moment.
TEST_F(SqliteErasure, LetsOtherUnitsOfWorkCommitWhileTheLedgerCannotBeWritten) {
  PutAlerts(1);
  ledger_.failing = true;
  std::atomic<int> kept = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] {
        for (int n = 0; n < 20; ++n) {
          if (i == 0) {
            EXPECT_THAT(EraseAlerts(), FailsWith(ErrorCode::kUnavailable));
            continue;
          }
          const std::string id = "b-" + std::to_string(i) + "-" + std::to_string(n);
          if (store_->Write([&](Transaction& t) { return t.alerts().Put(Alert(id, id)); })) ++kept;
        }
      });
    }
  }
  EXPECT_EQ(kept, 7 * 20);
  EXPECT_TRUE(HasContent("a-0"));
}

TEST_F(SqliteErasure, TellsNothingOfAUnitOfWorkThatFails) {
  PutAlerts(1);
  EXPECT_THAT(store_->Write([](Transaction& t) -> Status {
    COMITY_RETURN_IF_ERROR(t.alerts().EraseExpired(kNow));
    return Fail(ErrorCode::kConflict, "on second thoughts");
  }),
              FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(ledger_.told, IsEmpty());
  EXPECT_TRUE(HasContent("a-0"));
  PutAlerts(1);  // and the next unit of work tells nothing of it either
  EXPECT_THAT(ledger_.told, IsEmpty());
}

TEST_F(SqliteErasure, ToldALineThatHadNoEffectTheHeadStaysBehindIt) {
  PutAlerts(1);
  ++ledger_.sequence;  // a line that this database does not have
  ASSERT_THAT(EraseAlerts(), IsOk());
  EXPECT_EQ(Head().sequence, 0U);
}

TEST_F(SqliteErasure, SplitsWhatIsTooMuchForOneLine) {
  ASSERT_THAT(store_->Write([](Transaction& t) -> Status {
    for (int i = 0; i < 600; ++i) {
      const std::string id = "a-" + std::to_string(i);
      COMITY_RETURN_IF_ERROR(t.alerts().Put(Alert(id, id)));
    }
    return {};
  }),
              IsOk());
  while (HasContent("a-599")) ASSERT_THAT(EraseAlerts(), IsOk());
  EXPECT_EQ(ledger_.told.size(), 600U);
  for (const std::size_t size : ledger_.sizes) EXPECT_LE(size, ErasureLedger::kMaxRecords);
  EXPECT_EQ(Head().sequence, ledger_.sequence);
}

TEST_F(SqliteErasure, RecordsClassReasonCountAndLatenessButNoReference) {
  PutAlerts(3);
  ASSERT_THAT(EraseAlerts(), IsOk());
  std::vector<ErasureRecord> rows;
  ASSERT_THAT(store_->Read([&](const Transaction& t) -> Status {
    COMITY_ASSIGN_OR_RETURN(rows, t.retention().Erasures(kNow, kNow + std::chrono::seconds(1), 10));
    return {};
  }),
              IsOk());
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].record_class, "alert");
  EXPECT_EQ(rows[0].reason, "expired");
  EXPECT_EQ(rows[0].records, 3U);
  EXPECT_EQ(rows[0].sequence, 1U);
}

// What is searched for is what lies in the files: keys, contents and references.
TEST_F(SqliteErasure, LeavesNoOctetOfAnErasedAlertInAnyFile) {
  PutAlerts(40);
  ASSERT_THAT(Files(), HasSubstr("content-of-a-7"));
  ASSERT_THAT(EraseAlerts(), IsOk());
  AwaitGone("-of-a-7");
  const std::string files = Files();
  for (int i = 0; i < 40; ++i) {
    EXPECT_THAT(files, Not(HasSubstr("-of-a-" + std::to_string(i))));
  }
}

TEST_F(SqliteErasure, LeavesNoOctetOfAnErasedPayloadAndKeepsTheEntry) {
  ASSERT_THAT(store_->Write([](Transaction& t) -> Status {
    for (int i = 0; i < 30; ++i) {
      const std::string id = std::to_string(i);
      COMITY_RETURN_IF_ERROR(
          t.audit().Append(AsBytes("the-entry-" + id), "",
                           {ToBytes("wrapped-key-" + id), ToBytes("identities-" + id), kNow}));
    }
    return {};
  }),
              IsOk());
  ASSERT_THAT(Files(), HasSubstr("identities-7"));
  ASSERT_THAT(store_->Write([](Transaction& t) -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto due,
                            t.retention().Due(RetentionClass::kAuditPayload, kNow, 100));
    EXPECT_EQ(due.size(), 30U);
    for (const RetainedRecord& record : due) {
      COMITY_RETURN_IF_ERROR(
          t.retention().Erase(RetentionClass::kAuditPayload,
                              {"audit-payload", record.reference, "expired", kNow}, kNow));
    }
    return {};
  }),
              IsOk());
  AwaitGone("identities-7");
  const std::string files = Files();
  for (int i = 0; i < 30; ++i) {
    EXPECT_THAT(files, Not(HasSubstr("identities-" + std::to_string(i))));
    EXPECT_THAT(files, Not(HasSubstr("wrapped-key-" + std::to_string(i))));
  }
  EXPECT_THAT(files, HasSubstr("the-entry-7"));
}

TEST_F(SqliteErasure, LeavesNoOctetOfAnErasedMessageNoticeOrAct) {
  ASSERT_THAT(store_->Write([](Transaction& t) -> Status {
    OutboxRecord message;
    message.peer = policy::AgencyId::Parse("eastvale-council").value();
    message.id = "abcdefghijklmnopqrstuvwxyz";
    message.kind = "entry-change";
    message.content = "content-of-the-message";
    COMITY_ASSIGN_OR_RETURN(const auto number, t.outbox().Add(message));
    COMITY_RETURN_IF_ERROR(t.outbox().Acknowledge(number, "receipt-of-the-partner", kNow));
    NoticeRecord notice;
    notice.kind = "alarm";
    notice.audience = {AudienceRecord{.role = "dpo", .acknowledged_by = {}, .acknowledged_at = {}}};
    notice.subject = "subject-of-the-notice";
    notice.words = "words-of-the-notice";
    notice.at = kNow;
    COMITY_RETURN_IF_ERROR(t.notices().Add(notice));
    ApprovalRecord act;
    act.id = "p-1";
    act.act = "stop-lift";
    act.subject = "stop";
    act.content = "content-of-the-act";
    act.words = "words-of-the-act";
    act.reason = "reason-of-the-act";
    act.state = ApprovalState::kRejected;
    act.proposed_by = policy::PersonId::Parse("j-smith").value();
    act.decided_by = policy::PersonId::Parse("k-jones").value();
    act.decided_at = kNow;
    act.expires_at = kNow;
    return t.approvals().Add(act);
  }),
              IsOk());
  const std::vector<std::string> secrets = {"content-of-the-message", "receipt-of-the-partner",
                                            "subject-of-the-notice",  "words-of-the-notice",
                                            "content-of-the-act",     "words-of-the-act",
                                            "reason-of-the-act"};
  for (const std::string& secret : secrets) ASSERT_THAT(Files(), HasSubstr(secret));
  ASSERT_THAT(store_->Write([](Transaction& t) -> Status {
    for (const RetentionClass one : {RetentionClass::kMessage, RetentionClass::kReceipt,
                                     RetentionClass::kNotice, RetentionClass::kJustification}) {
      COMITY_ASSIGN_OR_RETURN(const auto due, t.retention().Due(one, kNow, 10));
      EXPECT_EQ(due.size(), 1U) << policy::Name(one);
      for (const RetainedRecord& record : due) {
        COMITY_ASSIGN_OR_RETURN(
            const bool gone,
            t.retention().Erase(
                one, {std::string(policy::Name(one)), record.reference, "expired", kNow}, kNow));
        EXPECT_TRUE(gone) << policy::Name(one);
      }
    }
    return {};
  }),
              IsOk());
  AwaitGone("-of-the-");
  for (const std::string& secret : secrets) EXPECT_THAT(Files(), Not(HasSubstr(secret)));
}

RestorationRecord FromBackup() {
  RestorationRecord restoration;
  restoration.backup = "b-one";
  restoration.made_at = kNow;
  return restoration;
}

TEST_F(SqliteErasure, CopiesTheDatabaseWhileItIsWrittenAndMarksTheCopy) {
  std::atomic<bool> stop = false;
  std::atomic<int> written = 0;
  std::jthread writer([&] {
    while (!stop) {
      const std::string id = "a-" + std::to_string(written);
      ASSERT_THAT(store_->Write([&](Transaction& t) -> Status {
        COMITY_RETURN_IF_ERROR(t.alerts().Put(Alert(id, id)));
        COMITY_RETURN_IF_ERROR(t.audit().Append(AsBytes("entry " + id), "", {}));
        return {};
      }),
                  IsOk());
      ++written;
    }
  });
  while (written < 20) std::this_thread::yield();
  const std::filesystem::path copies = directory_.path() / "copy";
  std::filesystem::create_directory(copies);
  const auto copied = CopySqliteStore(directory_.path(), copies / "comity.db", FromBackup());
  const int after = written;
  while (written < after + 20) std::this_thread::yield();  // the writer was not held up for good
  stop = true;
  writer.join();
  ASSERT_THAT(copied, IsOk());
  auto copy = OpenSqliteStore(copies);
  ASSERT_THAT(copy, IsOk());
  ASSERT_THAT((*copy)->Read([&](const Transaction& t) -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto restoration, t.retention().Restoration());
    EXPECT_EQ(restoration.state, RestorationState::kCopy);
    EXPECT_EQ(restoration.backup, "b-one");
    COMITY_ASSIGN_OR_RETURN(const std::uint64_t size, t.audit().Size());
    EXPECT_EQ(restoration.log_size, size);
    EXPECT_GE(size, 20U);
    // One moment: each entry with its alert, and no alert beyond.
    EXPECT_THAT(t.alerts().Get("a-" + std::to_string(size - 1)), IsOk());
    EXPECT_THAT(t.alerts().Get("a-" + std::to_string(size)), FailsWith(ErrorCode::kNotFound));
    return {};
  }),
              IsOk());
  // The original knows of no restoration.
  ASSERT_THAT(store_->Read([&](const Transaction& t) -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto restoration, t.retention().Restoration());
    EXPECT_EQ(restoration.state, RestorationState::kNever);
    return {};
  }),
              IsOk());
}

TEST_F(SqliteErasure, CopiesNothingThatWasErased) {
  PutAlerts(20);
  ASSERT_THAT(EraseAlerts(), IsOk());
  const std::filesystem::path copy = directory_.path() / "copied.db";
  ASSERT_THAT(CopySqliteStore(directory_.path(), copy, FromBackup()), IsOk());
  std::ifstream stream(copy, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  EXPECT_THAT(text, Not(HasSubstr("content-of-")));
  EXPECT_THAT(CopySqliteStore(directory_.path(), copy, FromBackup()),
              FailsWith(ErrorCode::kUnavailable));
}

}  // namespace
}  // namespace comity::store
