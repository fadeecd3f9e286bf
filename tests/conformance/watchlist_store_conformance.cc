// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/store_conformance.h"

namespace comity::store {
namespace {

using policy::ListCategory;
using policy::WatchlistId;
using testing::FailsWith;
using testing::IsOk;
using Entries = std::vector<EntryRecord>;

const char* const kLantern = "operation-lantern";

WatchlistRecord List(std::string_view reference = kLantern) {
  WatchlistRecord list;
  list.reference = MakeId<WatchlistId>(reference);
  list.definition = "reference: lantern\n";
  list.drafters = {MakeId<policy::PersonId>("np-operator"), MakeId<policy::PersonId>("np-other")};
  list.content = MakeDigest(1);
  list.drafted_at = At(50);
  list.imports = 1;
  list.wrapped_key = Octets("list key");
  return list;
}

EntryRecord Entry(std::string reference) {
  EntryRecord entry;
  entry.reference = std::move(reference);
  entry.category = MakeId<ListCategory>("wanted-by-courts");
  entry.valid_from = At(10);
  entry.expires_at = At(20);
  entry.review_by = At(18);
  entry.as_of = At(5);
  entry.rationale = MakeDigest(2);
  entry.wrapped_key = Octets("entry key");
  entry.sealed_template = Bytes(512, 0xA5);
  entry.sealed_fields = Octets("fields");
  return entry;
}

auto Add(const WatchlistRecord& list, const Entries& entries) {
  return [=](Transaction& t) -> Status {
    COMITY_RETURN_IF_ERROR(t.watchlists().AddList(list));
    return t.watchlists().AddEntries(list.reference, 1, entries);
  };
}
auto Change(const WatchlistRecord& list) {
  return [=](Transaction& t) { return t.watchlists().ChangeList(list); };
}
auto ChangeEntry(const EntryRecord& entry) {
  return [=](Transaction& t) {
    return t.watchlists().ChangeEntry(MakeId<WatchlistId>(kLantern), entry);
  };
}
auto EntriesOf(std::string list) {
  return [=](const Transaction& t) -> Result<Entries> {
    Entries entries;
    COMITY_RETURN_IF_ERROR(t.watchlists().VisitEntries(MakeId<WatchlistId>(list), [&](auto entry) {
      entries.push_back(std::move(entry));
      return Status();
    }));
    return entries;
  };
}
auto Lists(const Transaction& t) {
  return t.watchlists().Lists();
}
auto EntryOf(std::string reference) {
  return [=](const Transaction& t) {
    return t.watchlists().Entry(MakeId<WatchlistId>(kLantern), reference);
  };
}

TEST_P(WatchlistStoreConformance, KeepsListsAndEntriesInTheOrderOfAdding) {
  ASSERT_THAT(Write(Add(List(), {Entry("z"), Entry("a"), Entry("m")})), IsOk());
  ASSERT_THAT(Write(Add(List("a-later-list"), {Entry("z")})), IsOk());
  Reopen();
  const auto lists = Get(Lists).value();
  ASSERT_EQ(lists.size(), 2U);
  EXPECT_EQ(lists[0].reference.text(), kLantern);
  EXPECT_EQ(lists[1].reference.text(), "a-later-list");
  const Entries entries = Get(EntriesOf(kLantern)).value();
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[0].reference, "z");
  EXPECT_EQ(entries[1].reference, "a");
  EXPECT_EQ(entries[2].reference, "m");
}

TEST_P(WatchlistStoreConformance, GivesBackEveryFieldOfAList) {
  WatchlistRecord list = List();
  ASSERT_THAT(Write(Add(list, {})), IsOk());
  const auto of = [](const Transaction& t) {
    return t.watchlists().List(MakeId<WatchlistId>(kLantern));
  };
  WatchlistRecord read = Get(of).value();
  EXPECT_EQ(read.state, ListState::kDraft);
  EXPECT_EQ(read.definition, list.definition);
  EXPECT_EQ(read.drafters, list.drafters);
  EXPECT_EQ(read.content, list.content);
  EXPECT_EQ(read.drafted_at, At(50));
  EXPECT_EQ(read.approved_by, std::nullopt);
  EXPECT_EQ(read.approved_at, std::nullopt);
  EXPECT_EQ(read.closed_at, std::nullopt);
  EXPECT_EQ(read.imports, 1U);
  EXPECT_FALSE(read.importing);
  EXPECT_EQ(read.wrapped_key, Octets("list key"));
  EXPECT_EQ(read.manifest, "");
  list.state = ListState::kClosed;
  list.drafters.pop_back();
  list.content = MakeDigest(9);
  list.approved_by = MakeId<policy::PersonId>("np-supervisor");
  list.approved_at = At(60);
  list.validated_at = At(61);
  list.closed_at = At(70);
  list.delete_by = At(71);
  list.deleted_at = At(72);
  list.imports = 7;
  list.wrapped_key = Octets("another");
  list.manifest = "{}";
  ASSERT_THAT(Write(Change(list)), IsOk());
  Reopen();
  read = Get(of).value();
  EXPECT_EQ(read.state, ListState::kClosed);
  EXPECT_EQ(read.drafters, list.drafters);
  EXPECT_EQ(read.content, list.content);
  EXPECT_EQ(read.approved_by, list.approved_by);
  EXPECT_EQ(read.approved_at, At(60));
  EXPECT_EQ(read.validated_at, At(61));
  EXPECT_EQ(read.closed_at, At(70));
  EXPECT_EQ(read.delete_by, At(71));
  EXPECT_EQ(read.deleted_at, At(72));
  EXPECT_EQ(read.imports, 7U);
  EXPECT_EQ(read.wrapped_key, Octets("another"));
  EXPECT_EQ(read.manifest, "{}");
  EXPECT_THAT(Write(Change(List("nothing"))), FailsWith(ErrorCode::kNotFound));
}

TEST_P(WatchlistStoreConformance, GivesBackEveryFieldOfAnEntry) {
  EntryRecord given = Entry("ref/1");
  given.restriction = EntryRestriction::kContested;
  given.clearance = EntryClearance::kGiven;
  given.under_18 = true;
  given.cleared_at = At(12);
  ASSERT_THAT(Write(Add(List(), {given})), IsOk());
  const EntryRecord entry = Get(EntryOf("ref/1")).value();
  EXPECT_GT(entry.position, 0U);
  EXPECT_EQ(entry.reference, "ref/1");
  EXPECT_EQ(entry.category.text(), "wanted-by-courts");
  EXPECT_EQ(entry.state, EntryState::kActive);
  EXPECT_EQ(entry.restriction, EntryRestriction::kContested);
  EXPECT_EQ(entry.clearance, EntryClearance::kGiven);
  EXPECT_TRUE(entry.under_18);
  EXPECT_EQ(entry.valid_from, At(10));
  EXPECT_EQ(entry.expires_at, At(20));
  EXPECT_EQ(entry.review_by, At(18));
  EXPECT_EQ(entry.as_of, At(5));
  EXPECT_EQ(entry.cleared_at, At(12));
  EXPECT_EQ(entry.ended_at, std::nullopt);
  EXPECT_EQ(entry.rationale, MakeDigest(2));
  EXPECT_EQ(entry.wrapped_key, Octets("entry key"));
  EXPECT_EQ(entry.sealed_template, Bytes(512, 0xA5));
  EXPECT_EQ(entry.sealed_fields, Octets("fields"));
  EXPECT_THAT(Get(EntryOf("nobody")), FailsWith(ErrorCode::kNotFound));
}

// A back end may send many rows in a form of its own, in which some of these mean something.
TEST_P(WatchlistStoreConformance, KeepsEveryOctetOfManyEntriesAddedTogether) {
  const std::vector<std::string> awkward = {"\\N",      "\\.",      "\\",   "a\\", "a\tb",
                                            "a\nb",     "a\rb",     "",     "'",   "\"",
                                            "\x01\x7f", "\xc3\xa9", "\\x41"};
  Bytes octets;
  for (int i = 0; i < 256; ++i) octets.push_back(static_cast<unsigned char>(i));
  for (const bool has_null : {true, false}) {
    WatchlistRecord list = List(has_null ? "with-null" : "without-null");
    Entries entries;
    for (int i = 0; i < 200; ++i) {
      const std::string& text = awkward[static_cast<std::size_t>(i) % awkward.size()];
      EntryRecord entry = Entry(std::to_string(i) + text);
      entry.sealed_fields = i % 3 == 0 ? Bytes() : octets;
      if (!has_null || i % 2 == 0) entry.cleared_at = At(11);
      if (!has_null) entry.ended_at = At(12);
      entries.push_back(std::move(entry));
    }
    ASSERT_THAT(Write(Add(list, entries)), IsOk());
    const auto kept = Get(EntriesOf(list.reference.text()));
    ASSERT_THAT(kept, IsOk());
    ASSERT_EQ(kept->size(), entries.size());
    for (std::size_t i = 0; i < entries.size(); ++i) {
      EXPECT_EQ((*kept)[i].reference, entries[i].reference);
      EXPECT_EQ((*kept)[i].sealed_fields, entries[i].sealed_fields);
      EXPECT_EQ((*kept)[i].sealed_template, entries[i].sealed_template);
      EXPECT_EQ((*kept)[i].cleared_at, entries[i].cleared_at);
      EXPECT_EQ((*kept)[i].ended_at, entries[i].ended_at);
      EXPECT_EQ((*kept)[i].valid_from, entries[i].valid_from);
    }
  }
}

TEST_P(WatchlistStoreConformance, RefusesAListOfTheSameReference) {
  ASSERT_THAT(Write(Add(List(), {Entry("a")})), IsOk());
  EXPECT_THAT(Write(Add(List(), {Entry("b")})), FailsWith(ErrorCode::kConflict));
  EXPECT_EQ(Get(EntriesOf(kLantern)).value().size(), 1U);
}

TEST_P(WatchlistStoreConformance, KeepsNothingOfAnImportWithADuplicateEvenIfTheCallerGoesOn) {
  EXPECT_THAT(Write([](Transaction& t) -> Status {
                EXPECT_THAT(Add(List(), {Entry("a"), Entry("b"), Entry("a")})(t),
                            FailsWith(ErrorCode::kConflict));
                return {};
              }),
              IsOk());
  EXPECT_EQ(Get(Lists).value().size(), 1U);
  EXPECT_TRUE(Get(EntriesOf(kLantern)).value().empty());
}

TEST_P(WatchlistStoreConformance, HidesTheEntriesOfAnImportUntilItIsOver) {
  ASSERT_THAT(Write(Add(List(), {Entry("a")})), IsOk());
  WatchlistRecord importing = List();
  importing.imports = 2;
  importing.importing = true;
  ASSERT_THAT(Write([&](Transaction& t) -> Status {
                COMITY_RETURN_IF_ERROR(t.watchlists().ChangeList(importing));
                return t.watchlists().AddEntries(importing.reference, 2,
                                                 Entries{Entry("b"), Entry("c")});
              }),
              IsOk());
  const auto page = [](const Transaction& t) {
    return t.watchlists().EntryPage(MakeId<WatchlistId>(kLantern), 0, 10);
  };
  const auto lists_of_b = [](const Transaction& t) { return t.watchlists().ListsOf("b"); };
  EXPECT_EQ(Get(EntriesOf(kLantern)).value().size(), 1U);
  EXPECT_EQ(Get(page).value().size(), 1U);
  EXPECT_THAT(Get(EntryOf("b")), FailsWith(ErrorCode::kNotFound));
  EXPECT_TRUE(Get(lists_of_b).value().empty());
  importing.importing = false;
  ASSERT_THAT(Write(Change(importing)), IsOk());
  EXPECT_EQ(Get(EntriesOf(kLantern)).value().size(), 3U);
  EXPECT_EQ(Get(page).value().size(), 3U);
  EXPECT_EQ(Get(lists_of_b).value().size(), 1U);
}

TEST_P(WatchlistStoreConformance, RemovesOneImportInSteps) {
  ASSERT_THAT(Write(Add(List(), {Entry("a")})), IsOk());
  std::vector<std::uint64_t> removed;
  ASSERT_THAT(
      Write([&](Transaction& t) -> Status {
        const auto list = MakeId<WatchlistId>(kLantern);
        COMITY_RETURN_IF_ERROR(
            t.watchlists().AddEntries(list, 2, Entries{Entry("b"), Entry("c"), Entry("d")}));
        for (int step = 0; step < 3; ++step) {
          COMITY_ASSIGN_OR_RETURN(const auto count, t.watchlists().RemoveEntries(list, 2, 2));
          removed.push_back(count);
        }
        return {};
      }),
      IsOk());
  EXPECT_EQ(removed, (std::vector<std::uint64_t>{2, 1, 0}));
  const Entries entries = Get(EntriesOf(kLantern)).value();
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].reference, "a");
}

TEST_P(WatchlistStoreConformance, CountsEntriesThatHaveAKey) {
  const auto count = [](const char* list) {
    return [=](const Transaction& t) {
      return t.watchlists().CountEntries(MakeId<WatchlistId>(list));
    };
  };
  EXPECT_THAT(Get(count(kLantern)), testing::IsOkAnd(::testing::Eq(0U)));
  ASSERT_THAT(Write(Add(List(), {Entry("a"), Entry("b"), Entry("c")})), IsOk());
  ASSERT_THAT(Write([](Transaction& t) -> Status {
                WatchlistRecord other = List();
                other.reference = MakeId<WatchlistId>("beacon");
                return Add(other, {Entry("a")})(t);
              }),
              IsOk());
  EXPECT_THAT(Get(count(kLantern)), testing::IsOkAnd(::testing::Eq(3U)));
  EntryRecord erased = Entry("b");
  erased.state = EntryState::kWithdrawn;
  erased.wrapped_key.clear();
  ASSERT_THAT(Write([&](Transaction& t) {
                return t.watchlists().ChangeEntry(MakeId<WatchlistId>(kLantern), erased);
              }),
              IsOk());
  EXPECT_THAT(Get(count(kLantern)), testing::IsOkAnd(::testing::Eq(2U)));
  EXPECT_THAT(Get(count("beacon")), testing::IsOkAnd(::testing::Eq(1U)));
}

TEST_P(WatchlistStoreConformance, StopsVisitingAtTheFirstError) {
  ASSERT_THAT(Write(Add(List(), {Entry("a"), Entry("b"), Entry("c")})), IsOk());
  int visited = 0;
  const auto count = [&](const Transaction& t) -> Result<int> {
    COMITY_RETURN_IF_ERROR(t.watchlists().VisitEntries(
        MakeId<WatchlistId>(kLantern), [&](const EntryRecord&) -> Status {
          if (++visited == 2) return Fail(ErrorCode::kExhausted, "enough");
          return {};
        }));
    return visited;
  };
  EXPECT_THAT(Get(count), FailsWith(ErrorCode::kExhausted));
  EXPECT_EQ(visited, 2);
}

TEST_P(WatchlistStoreConformance, VisitsEntriesInsideAVisit) {
  ASSERT_THAT(Write(Add(List(), {Entry("a"), Entry("b")})), IsOk());
  int visited = 0;
  const auto nested = [&](const Transaction& t) -> Result<int> {
    COMITY_RETURN_IF_ERROR(t.watchlists().VisitEntries(
        MakeId<WatchlistId>(kLantern), [&](const EntryRecord&) -> Status {
          visited += static_cast<int>(EntriesOf(kLantern)(t).value().size());
          return {};
        }));
    return visited;
  };
  EXPECT_THAT(Get(nested), testing::IsOkAnd(::testing::Eq(4)));
}

TEST_P(WatchlistStoreConformance, GivesPagesWithoutContent) {
  ASSERT_THAT(Write(Add(List(), {Entry("a"), Entry("b"), Entry("c")})), IsOk());
  const auto page = [](std::uint64_t after) {
    return [=](const Transaction& t) {
      return t.watchlists().EntryPage(MakeId<WatchlistId>(kLantern), after, 2);
    };
  };
  const Entries first = Get(page(0)).value();
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(first[0].reference, "a");
  EXPECT_FALSE(first[0].wrapped_key.empty());
  EXPECT_TRUE(first[0].sealed_template.empty());
  EXPECT_TRUE(first[0].sealed_fields.empty());
  const Entries second = Get(page(first[1].position)).value();
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(second[0].reference, "c");
}

TEST_P(WatchlistStoreConformance, ChangesAnEntryAndKeepsTheContentItIsNotGiven) {
  ASSERT_THAT(Write(Add(List(), {Entry("a"), Entry("b")})), IsOk());
  EntryRecord entry = Entry("a");
  entry.category = MakeId<ListCategory>("victim");
  entry.restriction = EntryRestriction::kRestricted;
  entry.clearance = EntryClearance::kPending;
  entry.expires_at = At(19);
  entry.wrapped_key = Octets("rewrapped");
  entry.sealed_fields = Octets("other fields");
  entry.sealed_template.clear();
  ASSERT_THAT(Write(ChangeEntry(entry)), IsOk());
  const EntryRecord read = Get(EntryOf("a")).value();
  EXPECT_EQ(read.category.text(), "victim");
  EXPECT_EQ(read.restriction, EntryRestriction::kRestricted);
  EXPECT_EQ(read.clearance, EntryClearance::kPending);
  EXPECT_EQ(read.expires_at, At(19));
  EXPECT_EQ(read.wrapped_key, Octets("rewrapped"));
  EXPECT_EQ(read.sealed_fields, Octets("other fields"));
  EXPECT_EQ(read.sealed_template, Bytes(512, 0xA5));
  EXPECT_EQ(Get(EntryOf("b")).value().wrapped_key, Octets("entry key"));
  EXPECT_THAT(Write(ChangeEntry(Entry("nobody"))), FailsWith(ErrorCode::kNotFound));
}

TEST_P(WatchlistStoreConformance, ErasesTheContentOfAnEntryWithoutAKey) {
  ASSERT_THAT(Write(Add(List(), {Entry("a"), Entry("b")})), IsOk());
  EntryRecord entry = Entry("a");
  entry.state = EntryState::kWithdrawn;
  entry.ended_at = At(15);
  entry.wrapped_key.clear();
  ASSERT_THAT(Write(ChangeEntry(entry)), IsOk());
  const Entries entries = Get(EntriesOf(kLantern)).value();
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].state, EntryState::kWithdrawn);
  EXPECT_EQ(entries[0].ended_at, At(15));
  EXPECT_TRUE(entries[0].wrapped_key.empty());
  EXPECT_TRUE(entries[0].sealed_template.empty());
  EXPECT_TRUE(entries[0].sealed_fields.empty());
  EXPECT_FALSE(entries[1].wrapped_key.empty());
}

TEST_P(WatchlistStoreConformance, ErasesAListsEntriesInSteps) {
  ASSERT_THAT(Write(Add(List(), {Entry("a"), Entry("b"), Entry("c")})), IsOk());
  ASSERT_THAT(Write(Add(List("other"), {Entry("a")})), IsOk());
  std::vector<std::uint64_t> erased;
  ASSERT_THAT(Write([&](Transaction& t) -> Status {
                for (int step = 0; step < 3; ++step) {
                  COMITY_ASSIGN_OR_RETURN(const auto count, t.watchlists().EraseEntries(
                                                                MakeId<WatchlistId>(kLantern), 2));
                  erased.push_back(count);
                }
                return {};
              }),
              IsOk());
  EXPECT_EQ(erased, (std::vector<std::uint64_t>{2, 1, 0}));
  const Entries entries = Get(EntriesOf(kLantern)).value();
  for (const EntryRecord& entry : entries) {
    EXPECT_TRUE(entry.wrapped_key.empty() && entry.sealed_template.empty() &&
                entry.sealed_fields.empty());
  }
  EXPECT_FALSE(Get(EntriesOf("other")).value().at(0).sealed_template.empty());
}

TEST_P(WatchlistStoreConformance, FindsTheListsOfAReference) {
  ASSERT_THAT(Write(Add(List(), {Entry("a"), Entry("b")})), IsOk());
  ASSERT_THAT(Write(Add(List("other"), {Entry("a")})), IsOk());
  const auto of = [](std::string reference) {
    return [=](const Transaction& t) { return t.watchlists().ListsOf(reference); };
  };
  EXPECT_EQ(Get(of("a")).value(),
            (std::vector{MakeId<WatchlistId>(kLantern), MakeId<WatchlistId>("other")}));
  EXPECT_EQ(Get(of("b")).value().size(), 1U);
  EXPECT_TRUE(Get(of("nobody")).value().empty());
}

}  // namespace
}  // namespace comity::store
