// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/erasure_replay.h"

#include <sys/resource.h>

#include <csignal>
#include <map>
#include <random>

#include "services/audit/events.h"
#include "tests/unit/services/oversight/retention_world.h"

namespace comity::oversight {
namespace {

namespace fs = std::filesystem;
using policy::RetentionClass;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::Not;

// No file of this process grows beyond `bytes` while it lives.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) : old_handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    EXPECT_EQ(::getrlimit(RLIMIT_FSIZE, &old_limit_), 0);
    const rlimit limit{bytes, old_limit_.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  }
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &old_limit_);
    std::signal(SIGXFSZ, old_handler_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  void (*old_handler_)(int);
  rlimit old_limit_{};
};

class ErasureReplay : public RetentionWorld {
 protected:
  void SetUp() override { MustOpen(); }
  policy::Instant Later() const { return clock_.Now() + std::chrono::hours(24); }

  store::EntryRecord Entry(const std::string& reference) {
    store::EntryRecord entry;
    entry.reference = reference;
    entry.category = policy::ListCategory::Parse("suspected").value();
    entry.expires_at = Later();
    entry.wrapped_key = ToBytes("wrapped-key-of-" + reference);
    entry.sealed_template = ToBytes("template-of-" + reference);
    entry.sealed_fields = ToBytes("fields-of-" + reference);
    return entry;
  }
  void AddList(const std::vector<std::string>& references) {
    store::WatchlistRecord list;
    list.reference = kList;
    list.state = store::ListState::kApproved;
    list.definition = "definition";
    list.drafted_at = clock_.Now();
    list.imports = 1;
    list.wrapped_key = ToBytes("wrapped-list-key");
    std::vector<store::EntryRecord> entries;
    for (const std::string& reference : references) entries.push_back(Entry(reference));
    ASSERT_THAT(Write([&](store::Transaction& tx) -> Status {
                  COMITY_RETURN_IF_ERROR(tx.watchlists().AddList(list));
                  return tx.watchlists().AddEntries(kList, 1, entries);
                }),
                IsOk());
  }
  store::EntryRecord Read(const std::string& reference) {
    store::EntryRecord entry;
    EXPECT_THAT(store_->Read([&](const store::Transaction& tx) -> Status {
      COMITY_ASSIGN_OR_RETURN(entry, tx.watchlists().Entry(kList, reference));
      return {};
    }),
                IsOk());
    return entry;
  }
  Status Restore(const fs::path& copy) { return RestoreFrom(copy / "comity.db", copy / "log"); }

  const policy::WatchlistId kList = policy::WatchlistId::Parse("operation-lantern").value();
};

TEST_F(ErasureReplay, DoesNothingAtAnOrdinaryStart) {
  PutAlert("a-1", Later());
  PutAlert("a-2", Later());
  ASSERT_THAT(Erase(RetentionClass::kAlert, "a-1"), IsOk());
  MustOpen();
  EXPECT_EQ(replayed_.lines, 0U);
  EXPECT_TRUE(HasAlert("a-2"));
  EXPECT_FALSE(HasAlert("a-1"));
}

// As after kill -9 between the ledger's line and the commit: the line stands, the effect does not.
TEST_F(ErasureReplay, ErasesWhatACrashLeftBetweenLineAndCommit) {
  PutAlert("a-1", Later());
  PutAlert("a-2", Later());
  const std::vector<store::ErasedRecord> records{{"alert", "a-1", "withdrawn", {}}};
  ASSERT_THAT(ledger_->Append(records, 5), IsOk());
  EXPECT_TRUE(HasAlert("a-1"));
  MustOpen();
  EXPECT_EQ(replayed_.lines, 1U);
  EXPECT_EQ(replayed_.records, 1U);
  EXPECT_FALSE(HasAlert("a-1"));
  EXPECT_TRUE(HasAlert("a-2"));
  MustOpen();
  EXPECT_EQ(replayed_.lines, 0U);
}

// A start cannot know whether the unit of work was told of the failure: the line binds.
TEST_F(ErasureReplay, ErasesWhatOnlyOneCopyOfTheLedgerNames) {
  PutAlert("a-1", Later());
  PutAlert("a-2", Later());
  fs::remove(backup::LedgerFileIn(Copy()));
  EXPECT_THAT(Erase(RetentionClass::kAlert, "a-1"), FailsWith(ErrorCode::kUnavailable));
  EXPECT_TRUE(HasAlert("a-1"));
  MustOpen();
  EXPECT_FALSE(HasAlert("a-1"));
  EXPECT_TRUE(HasAlert("a-2"));
}

TEST_F(ErasureReplay, LeavesAloneWhatAFailedLineNamesOnceThatIsSaid) {
  PutAlert("a-1", Later());
  PutAlert("a-2", Later());
  const std::vector<store::ErasedRecord> failed{{"alert", "a-1", "withdrawn", {}}};
  {
    const FullDisk full(1);
    EXPECT_THAT(ledger_->Append(failed, 5), FailsWith(ErrorCode::kUnavailable));
  }
  ASSERT_THAT(Erase(RetentionClass::kAlert, "a-2"), IsOk());
  MustOpen();
  EXPECT_EQ(replayed_.lines, 0U);
  EXPECT_TRUE(HasAlert("a-1"));
  EXPECT_FALSE(HasAlert("a-2"));
}

TEST_F(ErasureReplay, BringsBackNothingThatWasErasedAfterTheBackup) {
  AddList({"ref-1", "ref-2", "ref-3"});
  PutAlert("a-1", Later());
  PutAlert("a-2", Later());
  audit::Event event;
  event.type = audit::kPayloadOpened;
  event.parties = {own_};
  event.committed = {{"operator", "j-smith"}, {"reason", "complaint"}};
  ASSERT_THAT(log_->Record(event), IsOk());
  const fs::path copy = CopyNow();

  ASSERT_THAT(Erase(RetentionClass::kAlert, "a-1"), IsOk());
  ASSERT_THAT(Erase(RetentionClass::kEntry, "operation-lantern/ref-2"), IsOk());
  ASSERT_THAT(Erase(RetentionClass::kAuditPayload, "0"), IsOk());
  store::EntryRecord corrected = Entry("ref-3");
  corrected.sealed_fields = ToBytes("other-fields");
  ASSERT_THAT(
      Write([&](store::Transaction& tx) { return tx.watchlists().ChangeEntry(kList, corrected); }),
      IsOk());

  ASSERT_THAT(Restore(copy), IsOk());
  EXPECT_EQ(replayed_.records, 4U);
  EXPECT_FALSE(HasAlert("a-1"));
  EXPECT_TRUE(HasAlert("a-2"));
  EXPECT_EQ(Read("ref-1").state, store::EntryState::kActive);
  for (const char* gone : {"ref-2", "ref-3"}) {
    EXPECT_EQ(Read(gone).state, store::EntryState::kWithdrawn);
    EXPECT_TRUE(Read(gone).wrapped_key.empty());
  }
  EXPECT_FALSE(IsThere(RetentionClass::kAuditPayload, "0"));
  // Not in the files either, though the backup held it.
  for (const char* secret : {"content-of-a-1", "wrapped-key-of-a-1", "template-of-ref-2",
                             "wrapped-key-of-ref-2", "fields-of-ref-3"}) {
    EXPECT_THAT(Files(), Not(HasSubstr(secret))) << secret;
  }
  EXPECT_THAT(Files(), HasSubstr("content-of-a-2"));
}

TEST_F(ErasureReplay, EndsAWholeListThatWasDeleted) {
  AddList({"ref-1", "ref-2"});
  const fs::path copy = CopyNow();
  ASSERT_THAT(Erase(RetentionClass::kWatchlist, "operation-lantern", "closed"), IsOk());
  ASSERT_THAT(Restore(copy), IsOk());
  EXPECT_TRUE(Read("ref-1").wrapped_key.empty());
  EXPECT_THAT(Files(), Not(HasSubstr("wrapped-list-key")));
  EXPECT_THAT(Files(), Not(HasSubstr("template-of-ref-2")));
}

TEST_F(ErasureReplay, LeavesACorrectionAloneAfterACrash) {
  AddList({"ref-1"});
  const std::vector<store::ErasedRecord> records{
      {"entry", "operation-lantern/ref-1", "corrected", {}}};
  ASSERT_THAT(ledger_->Append(records, 5), IsOk());
  MustOpen();
  EXPECT_EQ(Read("ref-1").state, store::EntryState::kActive);
}

// After a group of units was lost the head stays behind its lines, until the next start: meanwhile
// the same references may be imported anew, and two people approve them.
TEST_F(ErasureReplay, LeavesAloneWhatWasImportedAnewAfterAnImportThatWasGivenUp) {
  const std::vector<store::ErasedRecord> given_up{
      {"entry", "operation-lantern/ref-1", "not-taken", {}}};
  ASSERT_THAT(ledger_->Append(given_up, 5), IsOk());
  AddList({"ref-1"});
  MustOpen();
  EXPECT_EQ(replayed_.lines, 1U);
  EXPECT_EQ(Read("ref-1").state, store::EntryState::kActive);
  EXPECT_FALSE(Read("ref-1").wrapped_key.empty());
}

TEST_F(ErasureReplay, LeavesAloneInACopyWhatWasCorrectedOrImportedAnewBeforeIt) {
  AddList({"ref-1", "ref-2", "ref-3"});
  const std::vector<store::ErasedRecord> before{
      {"entry", "operation-lantern/ref-1", "not-taken", {}},
      {"entry", "operation-lantern/ref-2", "corrected", {}}};
  ASSERT_THAT(ledger_->Append(before, 5), IsOk());
  const fs::path copy = CopyNow();
  const std::vector<store::ErasedRecord> after{
      {"entry", "operation-lantern/ref-3", "not-taken", {}}};
  ASSERT_THAT(ledger_->Append(after, 5), IsOk());
  ASSERT_THAT(Restore(copy), IsOk());
  EXPECT_FALSE(Read("ref-1").wrapped_key.empty());
  EXPECT_FALSE(Read("ref-2").wrapped_key.empty());
  EXPECT_TRUE(Read("ref-3").wrapped_key.empty());
}

TEST_F(ErasureReplay, RefusesALedgerThatIsOlderThanTheDatabase) {
  PutAlert("a-1", Later());
  const auto text = [](const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(stream), {});
  };
  const std::string old = text(backup::LedgerFileIn(Copy()));
  ASSERT_THAT(Erase(RetentionClass::kAlert, "a-1"), IsOk());
  Close();
  for (const fs::path& folder : {Copy(), OwnLedgerFolder(Data())}) {
    std::ofstream(backup::LedgerFileIn(folder), std::ios::trunc | std::ios::binary) << old;
  }
  const Status opened = Open();
  ASSERT_THAT(opened, FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(opened.error().detail, HasSubstr("older than the database"));
}

TEST_F(ErasureReplay, RefusesTheLedgerOfAnotherAgencyAndNoLedgerAtAll) {
  PutAlert("a-1", Later());
  ASSERT_THAT(Erase(RetentionClass::kAlert, "a-1"), IsOk());
  Close();
  fs::remove_all(Copy());
  fs::remove_all(OwnLedgerFolder(Data()));
  EXPECT_THAT(Open(), FailsWith(ErrorCode::kCorrupt));
  fs::remove_all(Copy());
  fs::remove_all(OwnLedgerFolder(Data()));
  {
    const auto other = policy::AgencyId::Parse("eastvale-council").value();
    ASSERT_THAT(ErasureLedger::Open({Data(), Copy(), kek_, other, clock_, random_}), IsOk());
  }
  const Status opened = Open();
  ASSERT_THAT(opened, FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(opened.error().detail, HasSubstr("eastvale-council"));
}

// Nothing had been erased when the copy was made: a ledger that begins anew would seem to fit.
TEST_F(ErasureReplay, RefusesALedgerThatIsOlderThanTheCopy) {
  PutAlert("a-1", Later());
  const fs::path copy = CopyNow();
  ASSERT_THAT(Erase(RetentionClass::kAlert, "a-1"), IsOk());
  Close();
  fs::remove_all(Copy());
  EXPECT_THAT(Restore(copy), FailsWith(ErrorCode::kCorrupt));
}

// Whatever happened before and after the backup: what was erased stays erased, what was not is
// there.
TEST_F(ErasureReplay, RestoresExactlyWhatWasNeverErased) {
  std::mt19937_64 random(20261125);
  for (int round = 0; round < 6; ++round) {
    std::map<std::string, bool> alerts;  // whether it was erased, by id
    std::map<std::string, bool> at_copy;
    const std::string prefix = "a-" + std::to_string(round) + "-";
    fs::path copy;
    const std::size_t copy_at = random() % 60;
    for (std::size_t step = 0; step < 60; ++step) {
      if (step == copy_at) {
        copy = CopyNow();
        at_copy = alerts;
      }
      const std::string id = prefix + std::to_string(random() % 20);
      if (!alerts.contains(id)) {
        PutAlert(id, Later());
        alerts[id] = false;
      } else if (!alerts[id] && random() % 2 == 0) {
        ASSERT_THAT(Erase(RetentionClass::kAlert, id), IsOk());
        alerts[id] = true;
      } else if (random() % 25 == 0) {
        MustOpen();  // restarts change nothing
      }
    }
    ASSERT_THAT(Restore(copy), IsOk());
    for (const auto& [id, erased] : alerts) {
      const bool expected = !erased && at_copy.contains(id);
      EXPECT_EQ(HasAlert(id), expected) << "round " << round << ": " << id;
    }
  }
}

}  // namespace
}  // namespace comity::oversight
