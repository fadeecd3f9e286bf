// SPDX-License-Identifier: Apache-2.0
#include "services/watchlists/register.h"

#include <gmock/gmock.h>

#include <fstream>
#include <span>
#include <thread>

#include "services/watchlists/entry_fields.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/services/watchlists/list_world.h"

namespace comity::watchlists {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace testing;

const policy::WatchlistId kList = ListId("operation-lantern");

class WatchlistRegister : public ::testing::Test {
 protected:
  // Three entries: a (active), b (of a victim), c (not yet valid).
  static std::vector<nlohmann::json> Three() {
    nlohmann::json b = FullEntry("b");
    b["category"] = "victim";
    nlohmann::json c = Entry("c");
    c["valid_from"] = "2026-11-25T20:00:00Z";
    return {Entry("a"), b, c};
  }
  void ApproveThree() { world_.Approved(kList.text(), Three()); }
  bool Matches(const std::string& reference) {
    return world_.lists->Matches(kList, reference, world_.agency.clock.Now());
  }
  // As many active entries; returns their references in the order of adding.
  std::vector<std::string> ApproveMany(int count) {
    std::vector<std::string> references;
    std::vector<nlohmann::json> entries;
    for (int i = count; i > 0; --i) references.push_back("entry-" + std::to_string(i));
    for (const std::string& reference : references) entries.push_back(Entry(reference));
    world_.Approved(kList.text(), entries);
    return references;
  }
  ListCounts Counts() { return world_.StatusOf(kList).counts; }

  ListWorld world_;
};

TEST_F(WatchlistRegister, GivesBackWhatWasAddedAfterARestart) {
  const ParsedImport parsed = Parse(Three());
  ASSERT_THAT(world_.Draft(Definition(kList.text())), IsOk());
  ASSERT_THAT(world_.lists->Add(kList, parsed, kOperator, "file"), IsOk());
  ASSERT_THAT(world_.Approve(kList), IsOk());
  ASSERT_THAT(world_.Clear(kList, {"b"}), IsOk());
  EXPECT_EQ(world_.agency.CountEvents(audit::kEntriesAdded), 1U);
  world_.Restart();
  std::size_t row = 0;
  const auto check = [&](const ActiveEntry& entry) -> Status {
    const EntryFields& fields = parsed.entries[row];
    EXPECT_EQ(entry.reference, fields.reference);
    EXPECT_EQ(entry.category, fields.category);
    EXPECT_EQ(entry.subject, fields.subject);
    EXPECT_EQ(entry.valid_from, fields.valid_from);
    EXPECT_EQ(entry.until, fields.expires_at);
    EXPECT_EQ(entry.response_code, ReadSearchFields(fields.sealed_fields).value().response_code);
    EXPECT_THAT(entry.face_template, ::testing::ElementsAreArray(parsed.templates.Row(row)));
    ++row;
    return {};
  };
  ASSERT_THAT(world_.lists->VisitActive(kList, check), IsOk());
  EXPECT_EQ(row, 3U);
}

TEST_F(WatchlistRegister, CountsByStateAndCategory) {
  ApproveThree();
  ListCounts counts = Counts();
  EXPECT_EQ(counts.entries, 3U);
  EXPECT_EQ(counts.active, 1U);
  EXPECT_EQ(counts.awaiting_approval, 1U);
  EXPECT_EQ(counts.not_yet_valid, 1U);
  EXPECT_EQ(counts.prospective, 3U);
  ASSERT_THAT(world_.Clear(kList, {"b"}), IsOk());
  ASSERT_THAT(world_.lists->Withdraw({kList, "a", "arrested", "officer"}), IsOk());
  counts = Counts();
  EXPECT_EQ(counts.active, 1U);
  EXPECT_EQ(counts.withdrawn, 1U);
  EXPECT_EQ(counts.not_yet_valid, 1U);
  EXPECT_THAT(counts.active_by_category, ElementsAre(std::pair("victim", 1U)));
  world_.agency.clock.Set(At("2026-11-26T00:00:00Z"));
  counts = Counts();
  EXPECT_EQ(counts.expired, 2U);
  EXPECT_EQ(counts.withdrawn, 1U);
  EXPECT_EQ(counts.active, 0U);
}

TEST_F(WatchlistRegister, StopsMatchingBeforeWithdrawReturns) {
  ApproveThree();
  EXPECT_TRUE(Matches("a"));
  EXPECT_FALSE(Matches("b"));  // waits for a further approval
  EXPECT_FALSE(Matches("c"));  // not yet valid
  ASSERT_THAT(world_.lists->Withdraw({kList, "a", "arrested", "officer"}), IsOk());
  EXPECT_FALSE(Matches("a"));
  EXPECT_THAT(world_.Visited(kList), ElementsAre("c"));
  EXPECT_EQ(world_.agency.CountEvents(audit::kEntryWithdrawn), 1U);
  EXPECT_THAT(world_.changes.Texts(), ElementsAre("withdrawn operation-lantern/a"));
  world_.Restart();
  EXPECT_FALSE(Matches("a"));
  EXPECT_THAT(world_.Visited(kList), ElementsAre("c"));
}

TEST_F(WatchlistRegister, RefusesUnknownRepeatedAndUnexplainedWithdrawals) {
  ApproveThree();
  Register& lists = *world_.lists;
  EXPECT_THAT(lists.Withdraw({kList, "x", "r", "o"}), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(lists.Withdraw({ListId("other"), "a", "r", "o"}), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(lists.Withdraw({kList, "a", "", "o"}), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(lists.Withdraw({kList, "a", std::string(1001, 'x'), "o"}),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_TRUE(Matches("a"));
  ASSERT_THAT(lists.Withdraw({kList, "a", "r", "o"}), IsOk());
  EXPECT_THAT(lists.Withdraw({kList, "a", "r", "o"}), FailsWith(ErrorCode::kConflict));
  EXPECT_EQ(world_.agency.CountEvents(audit::kEntryWithdrawn), 1U);
}

TEST_F(WatchlistRegister, ChangesNothingWhenTheChangeCannotBePassedOn) {
  ApproveThree();
  world_.changes.refuse = true;
  EXPECT_THAT(world_.lists->Withdraw({kList, "a", "r", "o"}), FailsWith(ErrorCode::kUnavailable));
  EXPECT_TRUE(Matches("a"));
  EXPECT_EQ(world_.agency.CountEvents(audit::kEntryWithdrawn), 0U);
}

TEST_F(WatchlistRegister, LeavesOutWhatHasExpired) {
  ApproveThree();
  world_.agency.clock.Set(At("2026-11-26T00:00:00Z"));
  EXPECT_THAT(world_.Visited(kList), IsEmpty());
}

TEST_F(WatchlistRegister, LeavesOutWhatNobodyLookedAtForTooLong) {
  nlohmann::json reviewed = Entry("reviewed");
  reviewed["review_by"] = "2026-11-25T12:00:00Z";
  nlohmann::json old = Entry("old");
  old["reliability"]["as_of"] = "2026-10-26T12:00:00Z";  // 30 days before noon
  world_.Approved(kList.text(), {reviewed, old, Entry("fresh")});
  EXPECT_EQ(Counts().active, 3U);
  world_.agency.clock.Set(At("2026-11-25T12:00:00Z"));
  EXPECT_FALSE(Matches("reviewed"));
  EXPECT_FALSE(Matches("old"));
  EXPECT_TRUE(Matches("fresh"));
  EXPECT_THAT(world_.Visited(kList), ElementsAre("fresh"));
  EXPECT_EQ(Counts().stale, 2U);
  EXPECT_EQ(Counts().prospective, 1U);
}

// More than one task opens; see kOpenedAtOnce.
TEST_F(WatchlistRegister, VisitsManyEntriesInTheOrderOfAdding) {
  const std::vector<std::string> added = ApproveMany(700);
  EXPECT_EQ(world_.Visited(kList), added);
}

TEST_F(WatchlistRegister, AVisitThatFailsShowsNoEntryMore) {
  ApproveMany(700);
  int shown = 0;
  const Status visited = world_.lists->VisitActive(kList, [&](const auto&) -> Status {
    if (++shown == 300) return Fail(ErrorCode::kExhausted, "no room");
    return {};
  });
  EXPECT_THAT(visited, FailsWith(ErrorCode::kExhausted));
  EXPECT_EQ(shown, 300);
}

TEST_F(WatchlistRegister, NamesTheFirstOfManyEntriesThatDoesNotOpen) {
  const std::vector<std::string> added = ApproveMany(700);
  ASSERT_THAT(world_.agency.store().Write([&](store::Transaction& transaction) -> Status {
    for (const std::size_t damaged : {650U, 400U}) {
      COMITY_ASSIGN_OR_RETURN(auto entry, transaction.watchlists().Entry(kList, added[damaged]));
      entry.sealed_template.back() ^= 1;
      COMITY_RETURN_IF_ERROR(transaction.watchlists().ChangeEntry(kList, entry));
    }
    return {};
  }),
              IsOk());
  std::vector<std::string> shown;
  const Status visited = world_.lists->VisitActive(kList, [&](const auto& entry) -> Status {
    shown.push_back(entry.reference);
    return {};
  });
  ASSERT_THAT(visited, FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(visited.error().detail, HasSubstr("entry " + added[400]));
  EXPECT_THAT(shown, ElementsAreArray(std::span(added).first(400)));
}

// Keeps what it is given of one list; see ListTaker.
class Taken final : public ListTaker {
 public:
  Status Begin(const ListDefinition& list, std::size_t most) override {
    began.push_back(list.reference);
    references.assign(most, {});
    return {};
  }
  Status Take(std::size_t place, const ActiveEntry& entry) override {
    const std::lock_guard lock(mutex_);
    EXPECT_LT(place, references.size());
    EXPECT_TRUE(references[place].empty()) << place;
    references[place] = entry.reference;
    faces[entry.reference] = {entry.face_template.begin(), entry.face_template.end()};
    return references[place] == refused ? Fail(ErrorCode::kExhausted, "no room") : Status();
  }
  Status End(const ListDefinition& list, std::optional<policy::Instant> validated_at,
             std::size_t entries) override {
    EXPECT_EQ(list.reference, began.back());
    EXPECT_TRUE(validated_at.has_value());
    references.resize(entries);
    ended = true;
    return {};
  }

  std::vector<policy::WatchlistId> began;
  std::vector<std::string> references;
  std::map<std::string, std::vector<float>> faces;
  std::string refused;
  bool ended = false;

 private:
  std::mutex mutex_;
};

TEST_F(WatchlistRegister, GivesATakerWhatVisitsShowEachAtItsPlace) {
  std::vector<std::string> added = ApproveMany(700);
  ASSERT_THAT(world_.lists->Withdraw({kList, added[3], "r", "o"}), IsOk());
  ASSERT_THAT(world_.lists->Restrict({kList, added[600], false, "r", "o"}), IsOk());
  added.erase(added.begin() + 600);
  added.erase(added.begin() + 3);
  Taken loaded;
  ASSERT_THAT(world_.lists->Load(kList, loaded), IsOk());
  EXPECT_TRUE(loaded.ended);
  EXPECT_EQ(loaded.references, added);
  const auto check = [&](const ActiveEntry& entry) -> Status {
    EXPECT_THAT(entry.face_template, ::testing::ElementsAreArray(loaded.faces[entry.reference]));
    return {};
  };
  ASSERT_THAT(world_.lists->VisitActive(kList, check), IsOk());

  const ListCounts counts = Counts();
  Taken opened;
  world_.lists.reset();
  auto again = world_.TryOpen(world_.agency.kek(), &opened);
  ASSERT_THAT(again, IsOk());
  world_.lists = *std::move(again);
  EXPECT_TRUE(opened.ended);
  EXPECT_THAT(opened.began, ElementsAre(kList));
  EXPECT_EQ(opened.references, added);
  EXPECT_EQ(opened.faces, loaded.faces);
  // The register's own memory is of the same reading.
  EXPECT_EQ(Counts().active, counts.active);
  EXPECT_EQ(Counts().restricted, counts.restricted);
  EXPECT_EQ(Counts().withdrawn, counts.withdrawn);
}

TEST_F(WatchlistRegister, DoesNotOpenForATakerWhereAnEntryDoesNotOpen) {
  const std::vector<std::string> added = ApproveMany(700);
  ASSERT_THAT(world_.agency.store().Write([&](store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(auto entry, transaction.watchlists().Entry(kList, added[699]));
    entry.sealed_template.back() ^= 1;
    return transaction.watchlists().ChangeEntry(kList, entry);
  }),
              IsOk());
  for (const bool opens : {false, true}) {
    Taken taken;
    const Status loaded = opens
                              ? world_.TryOpen(world_.agency.kek(), &taken).map([](const auto&) {})
                              : world_.lists->Load(kList, taken);
    ASSERT_THAT(loaded, FailsWith(ErrorCode::kCorrupt));
    EXPECT_THAT(loaded.error().detail, HasSubstr("entry " + added[699]));
    EXPECT_FALSE(taken.ended);
  }
  Taken refusing;
  refusing.refused = added[10];
  EXPECT_THAT(world_.lists->Load(kList, refusing), FailsWith(ErrorCode::kExhausted));
  EXPECT_FALSE(refusing.ended);
}

TEST_F(WatchlistRegister, RefusesToOpenUnderAnotherKey) {
  ApproveThree();
  const SecretBytes other = SecretBytes::CopyOf(Bytes(32, 8));
  const auto opened = world_.TryOpen(other);
  ASSERT_THAT(opened, FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(opened.error().detail, HasSubstr("operation-lantern"));
}

TEST_F(WatchlistRegister, KeepsTemplatesAndFieldsOutOfTheDatabaseInTheClear) {
  const ParsedImport parsed = Parse({FullEntry("a"), FullEntry("b")});
  ASSERT_THAT(world_.Draft(Definition(kList.text())), IsOk());
  ASSERT_THAT(world_.lists->Add(kList, parsed, kOperator, "file"), IsOk());
  world_.lists.reset();
  world_.agency.Close();
  std::ifstream in(world_.agency.database(), std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), {});
  ASSERT_FALSE(bytes.empty());
  const auto row = parsed.templates.Row(1);
  const std::string first(reinterpret_cast<const char*>(row.data()), 16);
  EXPECT_EQ(bytes.find(first), std::string::npos);
  for (const char* text : {"nominal 4711", "Warrant; not at", "speak to the person"}) {
    EXPECT_EQ(bytes.find(text), std::string::npos) << text;
  }
}

TEST_F(WatchlistRegister, CanBeReadWhileItChanges) {
  std::vector<nlohmann::json> entries;
  for (int i = 0; i < 40; ++i) entries.push_back(Entry("r" + std::to_string(i)));
  world_.Approved(kList.text(), entries);
  std::jthread reader([&] {
    for (int i = 0; i < 20; ++i) {
      EXPECT_GE(world_.Visited(kList).size(), 20U);
      Counts();
    }
  });
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(world_.lists->Withdraw({kList, "r" + std::to_string(i), "r", "o"}), IsOk());
  }
  reader.join();
  EXPECT_EQ(Counts().active, 20U);
}

TEST_F(WatchlistRegister, ShowsAnEntryWithoutFaceAndWithoutTheKeyToThePerson) {
  world_.Approved(kList.text(), {FullEntry("a"), Entry("gone")});
  EntryView view = world_.lists->View(kList, "a").value();
  nlohmann::json expected = FullEntry("a");
  expected.erase("identity_ref");
  EXPECT_EQ(nlohmann::json::parse(view.fields), expected);
  EXPECT_TRUE(view.record.sealed_template.empty());
  EXPECT_TRUE(view.record.sealed_fields.empty());
  EXPECT_TRUE(view.record.wrapped_key.empty());
  ASSERT_THAT(world_.lists->Withdraw({kList, "gone", "r", "o"}), IsOk());
  view = world_.lists->View(kList, "gone").value();
  EXPECT_EQ(view.record.state, store::EntryState::kWithdrawn);
  EXPECT_EQ(view.fields, "");
}

// Whoever can write to the database but has no key-encryption key changes no list's fate.
TEST_F(WatchlistRegister, DetectsAnEditedStateOfAListOrAnEntry) {
  ASSERT_THAT(world_.Draft(Definition(kList.text())), IsOk());
  ASSERT_THAT(world_.Add(kList, Three()), IsOk());
  const auto edit = [&](auto change) {
    return world_.agency.store().Write([&](store::Transaction& transaction) -> Status {
      COMITY_ASSIGN_OR_RETURN(auto list, transaction.watchlists().List(kList));
      return change(transaction.watchlists(), list);
    });
  };
  ASSERT_THAT(edit([](store::WatchlistStore& store, store::WatchlistRecord& list) {
                list.state = store::ListState::kApproved;
                list.approved_at = At(kNow);
                return store.ChangeList(list);
              }),
              IsOk());
  EXPECT_THAT(world_.TryOpen(world_.agency.kek()), FailsWith(ErrorCode::kCorrupt));
  ASSERT_THAT(edit([](store::WatchlistStore& store, store::WatchlistRecord& list) {
                list.state = store::ListState::kDraft;
                list.approved_at.reset();
                return store.ChangeList(list);
              }),
              IsOk());
  ASSERT_THAT(world_.Approve(kList), IsOk());
  ASSERT_THAT(edit([](store::WatchlistStore& store, store::WatchlistRecord& list) -> Status {
                COMITY_ASSIGN_OR_RETURN(auto entry, store.Entry(list.reference, "b"));
                entry.clearance = store::EntryClearance::kGiven;
                return store.ChangeEntry(list.reference, entry);
              }),
              IsOk());
  EXPECT_THAT(world_.lists->VisitActive(kList, [](const auto&) { return Status(); }),
              FailsWith(ErrorCode::kCorrupt));
}

}  // namespace
}  // namespace comity::watchlists
