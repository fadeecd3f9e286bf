// SPDX-License-Identifier: Apache-2.0
#include "services/store/holding_store.h"

#include <gmock/gmock.h>

#include "tests/conformance/store_conformance.h"

namespace comity::store {
namespace {

using policy::AgencyId;
using policy::AgreementId;
using policy::WatchlistId;
using ::testing::ElementsAre;
using testing::FailsWith;
using testing::IsOk;
using ::testing::SizeIs;

const AgencyId kEast = MakeId<AgencyId>("eastvale-council");
const AgencyId kSouth = MakeId<AgencyId>("southmere-police");
const WatchlistId kWarrants = MakeId<WatchlistId>("warrants");
const AgreementId kAgreement = MakeId<AgreementId>("one");
constexpr auto kAllItems =
    HoldingRecord::kReference | HoldingRecord::kCategory | HoldingRecord::kResponseCode;

HoldingRecord Holding(std::string reference, const AgencyId& partner = kEast,
                      std::uint32_t released = kAllItems) {
  HoldingRecord holding;
  holding.list = kWarrants;
  holding.reference = std::move(reference);
  holding.partner = partner;
  holding.agreement = kAgreement;
  holding.version = 2;
  holding.released = released;
  holding.told_at = At(10);
  holding.held_until = At(100);
  return holding;
}

auto Tell(const HoldingRecord& holding, std::string answer = "x/1") {
  return [=](Transaction& t) { return t.holdings().Told(holding, answer); };
}
auto Of(std::string reference) {
  return [=](const Transaction& t) { return t.holdings().OfReference(reference); };
}
auto OfEntry(std::string reference) {
  return [=](const Transaction& t) { return t.holdings().OfEntry(kWarrants, reference); };
}
auto Answers(std::string reference, const AgencyId& partner = kEast) {
  return [=](const Transaction& t) { return t.holdings().Answers(kWarrants, reference, partner); };
}
auto PutChange(std::string reference, std::string change, std::int64_t at) {
  return [=](Transaction& t) {
    return t.holdings().PutChange({kWarrants, reference, change, "missing", "amber", At(at)});
  };
}
auto LastChange(std::string reference) {
  return [=](const Transaction& t) { return t.holdings().LastChange(kWarrants, reference); };
}
DeletionRecord Deletion(const AgencyId& holder, std::uint64_t message) {
  return {kAgreement, 2, holder, At(1), At(9), message, std::nullopt, 0};
}
auto All() {
  return [](const Transaction& t) { return t.holdings().Deletions(); };
}

TEST_P(HoldingStoreConformance, RemembersWhoWasTold) {
  ASSERT_THAT(Write(Tell(Holding("ns-1"))), IsOk());
  Reopen();
  const auto got = Get(Of("ns-1")).value();
  ASSERT_THAT(got, SizeIs(1));
  EXPECT_EQ(got[0].list, kWarrants);
  EXPECT_EQ(got[0].reference, "ns-1");
  EXPECT_EQ(got[0].partner, kEast);
  EXPECT_EQ(got[0].agreement, kAgreement);
  EXPECT_EQ(got[0].version, 2U);
  EXPECT_EQ(got[0].released, kAllItems);
  EXPECT_EQ(got[0].first_told_at, At(10));
  EXPECT_EQ(got[0].told_at, At(10));
  EXPECT_EQ(got[0].held_until, At(100));
  EXPECT_EQ(got[0].times, 1U);
  EXPECT_EQ(got[0].change, "");
  EXPECT_EQ(got[0].message, 0U);
}

TEST_P(HoldingStoreConformance, CountsARepeatAndKeepsTheWidest) {
  HoldingRecord later = Holding("ns-1", kEast, HoldingRecord::kResponseCode);
  later.told_at = At(20);
  later.held_until = At(90);
  later.version = 3;
  ASSERT_THAT(Write(Tell(Holding("ns-1", kEast, HoldingRecord::kReference))), IsOk());
  ASSERT_THAT(Write(Tell(later)), IsOk());
  const auto got = Get(OfEntry("ns-1")).value();
  ASSERT_THAT(got, SizeIs(1));
  EXPECT_EQ(got[0].times, 2U);
  EXPECT_EQ(got[0].first_told_at, At(10));
  EXPECT_EQ(got[0].told_at, At(20));
  EXPECT_EQ(got[0].held_until, At(100));
  EXPECT_EQ(got[0].version, 3U);
  EXPECT_EQ(got[0].released, HoldingRecord::kReference | HoldingRecord::kResponseCode);
}

TEST_P(HoldingStoreConformance, KeepsTheAnswersOfWhoWasNotGivenTheReference) {
  const HoldingRecord unnamed = Holding("ns-1", kEast, HoldingRecord::kCategory);
  ASSERT_THAT(Write(Tell(unnamed, "z/1")), IsOk());
  ASSERT_THAT(Write(Tell(unnamed, "a/7")), IsOk());
  ASSERT_THAT(Write(Tell(unnamed, "a/7")), IsOk());
  ASSERT_THAT(Write(Tell(Holding("ns-1", kSouth), "s/1")), IsOk());
  EXPECT_THAT(Get(Answers("ns-1")).value(), ElementsAre("z/1", "a/7"));
  EXPECT_THAT(Get(Answers("ns-1", kSouth)).value(), ::testing::IsEmpty());
}

TEST_P(HoldingStoreConformance, NotesAChangeForOnePartnerOnly) {
  ASSERT_THAT(Write(Tell(Holding("ns-1"))), IsOk());
  ASSERT_THAT(Write(Tell(Holding("ns-1", kSouth))), IsOk());
  ASSERT_THAT(Write([](Transaction& t) {
                return t.holdings().NoteChange(kWarrants, "ns-1", kSouth, "withdrawn", 7);
              }),
              IsOk());
  const auto got = Get(Of("ns-1")).value();
  ASSERT_THAT(got, SizeIs(2));
  EXPECT_EQ(got[0].change, "");
  EXPECT_EQ(got[1].change, "withdrawn");
  EXPECT_EQ(got[1].message, 7U);
}

TEST_P(HoldingStoreConformance, ListsWhatAnyPartnerWasToldOfOneList) {
  ASSERT_THAT(Write(Tell(Holding("ns-2"))), IsOk());
  ASSERT_THAT(Write(Tell(Holding("ns-1"))), IsOk());
  ASSERT_THAT(Write(Tell(Holding("ns-1", kSouth))), IsOk());
  EXPECT_THAT(Get([](const Transaction& t) { return t.holdings().ToldOf(kWarrants); }).value(),
              ElementsAre("ns-1", "ns-2"));
}

TEST_P(HoldingStoreConformance, KnowsTheLaterOfAChangeOfTheEntryAndOfItsList) {
  EXPECT_FALSE(Get(LastChange("ns-1")).value());
  ASSERT_THAT(Write(PutChange("ns-1", "corrected", 5)), IsOk());
  ASSERT_THAT(Write(PutChange("ns-1", "restricted", 6)), IsOk());
  const auto entry = Get(LastChange("ns-1")).value();
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->change, "restricted");
  EXPECT_EQ(entry->category, "missing");
  EXPECT_EQ(entry->response_code, "amber");
  EXPECT_EQ(entry->at, At(6));
  ASSERT_THAT(Write(PutChange("", "expired", 7)), IsOk());
  EXPECT_EQ(Get(LastChange("ns-1")).value()->change, "expired");
  EXPECT_EQ(Get(LastChange("ns-2")).value()->change, "expired");
}

TEST_P(HoldingStoreConformance, TakesTheEndOfTheListOfTwoChangesAtOneTime) {
  ASSERT_THAT(Write(PutChange("", "expired", 7)), IsOk());
  ASSERT_THAT(Write(PutChange("ns-1", "corrected", 7)), IsOk());
  EXPECT_EQ(Get(LastChange("ns-1")).value()->change, "expired");
  ASSERT_THAT(Write(PutChange("ns-2", "corrected", 8)), IsOk());
  ASSERT_THAT(Write(PutChange("", "expired", 8)), IsOk());
  EXPECT_EQ(Get(LastChange("ns-2")).value()->change, "expired");
}

TEST_P(HoldingStoreConformance, FindsEndedEntriesThatPartnersWereToldOfAndNobodyPassedOn) {
  const auto entry = [](std::string reference, EntryState state) {
    EntryRecord made;
    made.reference = std::move(reference);
    made.category = MakeId<policy::ListCategory>("wanted-by-courts");
    made.state = state;
    made.valid_from = At(10);
    made.expires_at = At(20);
    return made;
  };
  WatchlistRecord list;
  list.reference = kWarrants;
  list.definition = "reference: warrants\n";
  list.drafted_at = At(5);
  list.wrapped_key = Octets("key");
  ASSERT_THAT(Write([&](Transaction& t) -> Status {
                COMITY_RETURN_IF_ERROR(t.watchlists().AddList(list));
                return t.watchlists().AddEntries(
                    kWarrants, 1,
                    std::vector{entry("active", EntryState::kActive),
                                entry("withdrawn", EntryState::kWithdrawn),
                                entry("expired", EntryState::kExpired),
                                entry("passed-on", EntryState::kWithdrawn),
                                entry("never-told", EntryState::kWithdrawn)});
              }),
              IsOk());
  for (const char* reference : {"active", "withdrawn", "expired", "passed-on"}) {
    ASSERT_THAT(Write(Tell(Holding(reference))), IsOk());
    ASSERT_THAT(Write(Tell(Holding(reference, kSouth))), IsOk());
  }
  ASSERT_THAT(Write(PutChange("passed-on", "withdrawn", 5)), IsOk());
  ASSERT_THAT(Write(PutChange("withdrawn", "corrected", 5)), IsOk());
  const auto untold = [](const Transaction& t) { return t.holdings().Untold(); };
  const auto found = Get(untold).value();
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[0].reference, "expired");
  EXPECT_EQ(found[0].change, "expired");
  EXPECT_EQ(found[1].reference, "withdrawn");
  EXPECT_EQ(found[1].change, "withdrawn");
  ASSERT_THAT(Write(PutChange("", "expired", 6)), IsOk());  // all of the list was passed on
  EXPECT_THAT(Get(untold).value(), ::testing::IsEmpty());
}

TEST_P(HoldingStoreConformance, ForgetsWhatWasToldUnderAnEndedAgreement) {
  HoldingRecord newer = Holding("ns-2");
  newer.version = 3;
  const HoldingRecord unnamed = Holding("ns-3", kEast, HoldingRecord::kCategory);
  for (const auto& holding : {Holding("ns-1"), newer, unnamed, Holding("ns-1", kSouth)}) {
    ASSERT_THAT(Write(Tell(holding)), IsOk());
  }
  std::uint64_t forgotten = 0;
  ASSERT_THAT(Write([&](Transaction& t) -> Status {
                COMITY_ASSIGN_OR_RETURN(forgotten, t.holdings().ForgetUnder(kAgreement, 2, kEast));
                return {};
              }),
              IsOk());
  EXPECT_EQ(forgotten, 2U);
  EXPECT_THAT(Get(Of("ns-1")).value(), SizeIs(1));
  EXPECT_THAT(Get(Of("ns-2")).value(), SizeIs(1));
  EXPECT_THAT(Get(Answers("ns-3")).value(), ::testing::IsEmpty());
}

TEST_P(HoldingStoreConformance, RemembersTheLatestWithdrawalOfAPartnerForAWhile) {
  const auto note = [](std::int64_t at, std::int64_t received) {
    return [=](Transaction& t) {
      return t.holdings().NoteWithdrawn({kEast, "ev-1", At(at), At(received)});
    };
  };
  const auto at = [](const AgencyId& holder) {
    return [=](const Transaction& t) { return t.holdings().WithdrawnAt(holder, "ev-1"); };
  };
  const auto forget = [](std::int64_t before) {
    return [=](Transaction& t) { return t.holdings().ForgetWithdrawn(At(before)); };
  };
  ASSERT_THAT(Write(note(900, 20)), IsOk());  // the partner's clock says what it likes
  ASSERT_THAT(Write(note(5, 30)), IsOk());
  EXPECT_EQ(Get(at(kEast)).value(), At(900));
  EXPECT_EQ(Get(at(kSouth)).value(), std::nullopt);
  ASSERT_THAT(Write(forget(30)), IsOk());
  EXPECT_EQ(Get(at(kEast)).value(), At(900));
  ASSERT_THAT(Write(forget(31)), IsOk());
  EXPECT_EQ(Get(at(kEast)).value(), std::nullopt);
}

TEST_P(HoldingStoreConformance, KeepsDeletionsUntilTheyAreDone) {
  const auto add = [](const DeletionRecord& deletion) {
    return [=](Transaction& t) { return t.holdings().AddDeletion(deletion); };
  };
  const auto finish = [](const DeletionRecord& deletion) {
    return [=](Transaction& t) { return t.holdings().FinishDeletion(deletion); };
  };
  ASSERT_THAT(Write(add(Deletion(kSouth, 4))), IsOk());
  ASSERT_THAT(Write(add(Deletion(kEast, 5))), IsOk());
  EXPECT_THAT(Write(add(Deletion(kEast, 6))), FailsWith(ErrorCode::kConflict));
  DeletionRecord done = Deletion(kEast, 5);
  done.done_at = At(3);
  done.erased = 12;
  ASSERT_THAT(Write(finish(done)), IsOk());
  EXPECT_THAT(Write(finish(done)), FailsWith(ErrorCode::kConflict));
  done.version = 9;
  EXPECT_THAT(Write(finish(done)), FailsWith(ErrorCode::kNotFound));
  Reopen();
  const auto all = Get(All()).value();
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[0].holder, kSouth);
  EXPECT_FALSE(all[0].done_at);
  EXPECT_EQ(all[1].agreement, kAgreement);
  EXPECT_EQ(all[1].version, 2U);
  EXPECT_EQ(all[1].ordered_at, At(1));
  EXPECT_EQ(all[1].due_by, At(9));
  EXPECT_EQ(all[1].message, 5U);
  EXPECT_EQ(all[1].done_at, At(3));
  EXPECT_EQ(all[1].erased, 12U);
}

}  // namespace
}  // namespace comity::store
