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
  return {MakeId<WatchlistId>(reference), {"facenet", "20180402", 128}, At(50), Octets("list key")};
}

EntryRecord Entry(std::string reference) {
  EntryRecord entry;
  entry.reference = std::move(reference);
  entry.category = MakeId<ListCategory>("wanted-by-courts");
  entry.valid_from = At(10);
  entry.expires_at = At(20);
  entry.wrapped_key = Octets("entry key");
  entry.sealed_template = Bytes(512, 0xA5);
  entry.sealed_fields = Octets("fields");
  return entry;
}

auto Add(const WatchlistRecord& list, const Entries& entries) {
  return [=](Transaction& t) { return t.watchlists().AddList(list, entries); };
}
auto Withdraw(std::string reference) {
  return [=](Transaction& t) {
    return t.watchlists().Withdraw(MakeId<WatchlistId>(kLantern), reference);
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

TEST_P(WatchlistStoreConformance, KeepsListsAndEntriesInTheOrderOfImport) {
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
  ASSERT_THAT(Write(Add(List(), {})), IsOk());
  const WatchlistRecord list = Get(Lists).value().at(0);
  EXPECT_EQ(list.engine, (policy::EngineProfile{"facenet", "20180402", 128}));
  EXPECT_EQ(list.imported_at, At(50));
  EXPECT_EQ(list.wrapped_key, Octets("list key"));
}

TEST_P(WatchlistStoreConformance, GivesBackEveryFieldOfAnEntry) {
  ASSERT_THAT(Write(Add(List(), {Entry("ref/1")})), IsOk());
  const EntryRecord entry = Get(EntriesOf(kLantern)).value().at(0);
  EXPECT_EQ(entry.reference, "ref/1");
  EXPECT_EQ(entry.category.text(), "wanted-by-courts");
  EXPECT_EQ(entry.state, EntryState::kActive);
  EXPECT_EQ(entry.valid_from, At(10));
  EXPECT_EQ(entry.expires_at, At(20));
  EXPECT_EQ(entry.wrapped_key, Octets("entry key"));
  EXPECT_EQ(entry.sealed_template, Bytes(512, 0xA5));
  EXPECT_EQ(entry.sealed_fields, Octets("fields"));
}

TEST_P(WatchlistStoreConformance, RefusesAListOfTheSameReference) {
  ASSERT_THAT(Write(Add(List(), {Entry("a")})), IsOk());
  EXPECT_THAT(Write(Add(List(), {Entry("b")})), FailsWith(ErrorCode::kConflict));
  EXPECT_EQ(Get(EntriesOf(kLantern)).value().size(), 1U);
}

TEST_P(WatchlistStoreConformance, KeepsNothingOfAListWithADuplicateEvenIfTheCallerGoesOn) {
  EXPECT_THAT(Write([](Transaction& t) -> Status {
                EXPECT_THAT(Add(List(), {Entry("a"), Entry("b"), Entry("a")})(t),
                            FailsWith(ErrorCode::kConflict));
                return {};
              }),
              IsOk());
  EXPECT_TRUE(Get(Lists).value().empty());
  EXPECT_TRUE(Get(EntriesOf(kLantern)).value().empty());
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

TEST_P(WatchlistStoreConformance, ErasesTheContentOfAWithdrawnEntry) {
  ASSERT_THAT(Write(Add(List(), {Entry("a"), Entry("b")})), IsOk());
  ASSERT_THAT(Write(Withdraw("a")), IsOk());
  const Entries entries = Get(EntriesOf(kLantern)).value();
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].state, EntryState::kWithdrawn);
  EXPECT_TRUE(entries[0].wrapped_key.empty());
  EXPECT_TRUE(entries[0].sealed_template.empty());
  EXPECT_TRUE(entries[0].sealed_fields.empty());
  EXPECT_EQ(entries[1].state, EntryState::kActive);
  EXPECT_FALSE(entries[1].wrapped_key.empty());
}

TEST_P(WatchlistStoreConformance, TellsAnUnknownEntryFromAWithdrawnOne) {
  ASSERT_THAT(Write(Add(List(), {Entry("a")})), IsOk());
  EXPECT_THAT(Write(Withdraw("nobody")), FailsWith(ErrorCode::kNotFound));
  ASSERT_THAT(Write(Withdraw("a")), IsOk());
  EXPECT_THAT(Write(Withdraw("a")), FailsWith(ErrorCode::kConflict));
}

}  // namespace
}  // namespace comity::store
