// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/support/result_matchers.h"
#include "tests/unit/services/watchlists/list_world.h"

namespace comity::watchlists {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace testing;

const policy::WatchlistId kList = ListId("lantern");

class Drafts : public ::testing::Test {
 protected:
  void DraftOf(const std::vector<nlohmann::json>& entries) {
    ASSERT_THAT(world_.Draft(Definition(kList.text())), IsOk());
    ASSERT_THAT(world_.Add(kList, entries), IsOk());
  }
  std::vector<nlohmann::json> Many(std::size_t count) {
    std::vector<nlohmann::json> entries;
    for (std::size_t i = 0; i < count; ++i) entries.push_back(Entry("r" + std::to_string(i)));
    return entries;
  }

  ListWorld world_;
};

TEST_F(Drafts, MatchNothingBeforeTheyAreApproved) {
  DraftOf({Entry("a")});
  EXPECT_FALSE(world_.lists->Matches(kList, "a", world_.agency.clock.Now()));
  EXPECT_THAT(world_.lists->VisitActive(kList, [](const auto&) { return Status(); }),
              FailsWith(ErrorCode::kConflict));
  EXPECT_FALSE(world_.StatusOf(kList).searchable);
  ASSERT_THAT(world_.Approve(kList), IsOk());
  EXPECT_TRUE(world_.lists->Matches(kList, "a", world_.agency.clock.Now()));
  EXPECT_TRUE(world_.StatusOf(kList).searchable);
  EXPECT_EQ(world_.StatusOf(kList).approved_by, kSupervisor);
}

TEST_F(Drafts, MatchWithinTheTimeOfTheListOnly) {
  auto text = Definition(kList.text());
  text.starts_at = At("2026-11-25T10:00:00Z");
  text.ends_at = At("2026-11-25T12:00:00Z");
  ASSERT_THAT(world_.Draft(text), IsOk());
  ASSERT_THAT(world_.Add(kList, {Entry("a")}), IsOk());
  ASSERT_THAT(world_.Approve(kList), IsOk());
  const auto matches = [&](const char* time) {
    return world_.lists->Matches(kList, "a", At(time));
  };
  EXPECT_FALSE(matches("2026-11-25T09:59:59Z"));
  EXPECT_TRUE(matches("2026-11-25T10:00:00Z"));
  EXPECT_TRUE(matches("2026-11-25T11:59:59Z"));
  EXPECT_FALSE(matches("2026-11-25T12:00:00Z"));
}

TEST_F(Drafts, UseANameOnce) {
  DraftOf({Entry("a")});
  EXPECT_THAT(world_.Draft(Definition(kList.text())), FailsWith(ErrorCode::kConflict));
  ASSERT_THAT(world_.lists->Close(kList, "wrong", "np-supervisor"), IsOk());
  ASSERT_THAT(world_.lists->DeleteDue(world_.agency.clock.Now()), IsOk());
  EXPECT_THAT(world_.Draft(Definition(kList.text())), FailsWith(ErrorCode::kConflict));
}

TEST_F(Drafts, RefuseADefinitionThatIsOverOrOfAnotherDocument) {
  auto text = Definition(kList.text());
  text.starts_at = At("2026-11-24T00:00:00Z");
  text.ends_at = At(kNow);
  EXPECT_THAT(world_.Draft(text), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(world_.lists->Draft(Parsed(Definition("a")),
                                  comity::testing::WriteDefinition(Definition("b")), kOperator),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(Drafts, TakeEntriesOfSeveralImportsAndNoReferenceTwice) {
  DraftOf({Entry("a")});
  ASSERT_THAT(world_.Add(kList, {Entry("b"), Entry("c")}), IsOk());
  EXPECT_EQ(world_.StatusOf(kList).counts.entries, 3U);
  EXPECT_THAT(world_.Add(kList, {Entry("d"), Entry("a")}), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_EQ(world_.StatusOf(kList).counts.entries, 3U);
}

TEST_F(Drafts, TakeNoFaultyImport) {
  ASSERT_THAT(world_.Draft(Definition(kList.text())), IsOk());
  EXPECT_THAT(world_.lists->Add(kList, Parse({nlohmann::json::object()}), kOperator, "file"),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(world_.lists->Add(ListId("other"), Parse({Entry("a")}), kOperator, "file"),
              FailsWith(ErrorCode::kNotFound));
  EXPECT_EQ(world_.agency.CountEvents(audit::kEntriesAdded), 0U);
  EXPECT_EQ(world_.StatusOf(kList).counts.entries, 0U);
}

TEST_F(Drafts, StopAtTheSizeCap) {
  auto text = Definition(kList.text());
  text.size_cap = 2;
  ASSERT_THAT(world_.Draft(text), IsOk());
  EXPECT_THAT(world_.Add(kList, Many(3)), FailsWith(ErrorCode::kInvalidArgument));
  ASSERT_THAT(world_.Add(kList, Many(2)), IsOk());
  EXPECT_THAT(world_.Add(kList, {Entry("x")}), FailsWith(ErrorCode::kExhausted));
}

TEST_F(Drafts, CannotBeAddedToOnceApproved) {
  DraftOf({Entry("a")});
  ASSERT_THAT(world_.Approve(kList), IsOk());
  EXPECT_THAT(world_.Add(kList, {Entry("b")}), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(world_.Approve(kList), FailsWith(ErrorCode::kConflict));
}

TEST_F(Drafts, AreApprovedBySomebodyWhoHadNoPartInThem) {
  DraftOf({Entry("a")});
  EXPECT_THAT(world_.Approve(kList, kOperator), IsOk());  // proposer too: an emergency
  const auto other = ListId("other");
  ASSERT_THAT(world_.Draft(Definition("other")), IsOk());
  ASSERT_THAT(world_.Add(other, {Entry("a")}), IsOk());
  const Digest content = world_.StatusOf(other).content;
  EXPECT_THAT(world_.ApproveContent(other, content, {kSupervisor, kOperator}),
              FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_EQ(world_.StatusOf(other).state, store::ListState::kDraft);
  EXPECT_THAT(world_.ApproveContent(other, content, {kOperator, kSupervisor}), IsOk());
}

TEST_F(Drafts, AreApprovedExactlyAsTheyWereSubmitted) {
  DraftOf({Entry("a"), Entry("b")});
  const auto change = [&](auto act) {
    const Digest before = world_.StatusOf(kList).content;
    ASSERT_THAT(act(), IsOk());
    EXPECT_NE(world_.StatusOf(kList).content, before);
    EXPECT_THAT(world_.ApproveContent(kList, before, {kOperator, kSupervisor}),
                FailsWith(ErrorCode::kConflict));
  };
  change([&] { return world_.Add(kList, {Entry("c")}); });
  change([&] { return world_.lists->Withdraw({kList, "a", "r", "o"}); });
  change([&]() -> Status {
    nlohmann::json entry = Entry("b");
    entry["response"]["priority"] = "red";
    COMITY_ASSIGN_OR_RETURN(const auto corrected,
                            world_.lists->Correct({kList, "b", entry.dump(), "r", "o"}));
    EXPECT_THAT(corrected.faults, IsEmpty());
    return {};
  });
  world_.Restart();
  EXPECT_THAT(world_.Approve(kList), IsOk());
}

TEST_F(Drafts, WhoCorrectsOrWithdrawsInADraftDoesNotApproveIt) {
  ASSERT_THAT(world_.Draft(Definition(kList.text())), IsOk());
  ASSERT_THAT(world_.Add(kList, {Entry("a"), Entry("b")}), IsOk());
  nlohmann::json entry = Entry("b");
  entry["response"]["priority"] = "red";
  ASSERT_THAT(world_.lists->Correct({kList, "b", entry.dump(), "r", kSupervisor.text()}), IsOk());
  ASSERT_THAT(world_.lists->Withdraw({kList, "a", "r", "np-sup-3"}), IsOk());
  EXPECT_THAT(world_.Approve(kList, kSupervisor), FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_THAT(world_.Approve(kList, Who("np-sup-3")), FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_THAT(world_.Approve(kList, kSecondSupervisor), IsOk());
}

TEST_F(Drafts, AreRefusedWhenTheyWouldStopTooManyPassersBy) {
  auto text = Definition(kList.text());
  text.false_match_rate = "0.001";
  text.expected_faces = 10'000;
  text.false_alert_budget = 19;
  ASSERT_THAT(world_.Draft(text), IsOk());
  ASSERT_THAT(world_.Add(kList, {Entry("a"), Entry("b")}), IsOk());
  // 1 - 0.999^2 = 0.001999 of 10,000 faces
  EXPECT_NEAR(world_.StatusOf(kList).prediction.false_alerts, 19.99, 1e-6);
  const auto refused = world_.lists->CheckApprovable(kList);
  ASSERT_THAT(refused, FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(refused.error().detail, HasSubstr("false_alert_budget of 19"));
  ASSERT_THAT(world_.lists->Withdraw({kList, "b", "r", "o"}), IsOk());
  EXPECT_THAT(world_.lists->CheckApprovable(kList), IsOk());
}

TEST_F(Drafts, NeedAnEntryThatCouldMatch) {
  ASSERT_THAT(world_.Draft(Definition(kList.text())), IsOk());
  EXPECT_THAT(world_.lists->CheckApprovable(kList), FailsWith(ErrorCode::kConflict));
  ASSERT_THAT(world_.Add(kList, {Entry("a")}), IsOk());
  world_.agency.clock.Set(At("2026-11-26T00:00:00Z"));
  EXPECT_THAT(world_.lists->CheckApprovable(kList), FailsWith(ErrorCode::kConflict));
}

TEST_F(Drafts, AreCopiesWithANewReview) {
  nlohmann::json victim = Entry("victim");
  victim["subject_category"] = "victim";
  world_.Approved(kList.text(), {Entry("a"), Entry("withdrawn"), victim, Entry("restricted")});
  ASSERT_THAT(world_.Clear(kList, {"victim"}), IsOk());
  ASSERT_THAT(world_.lists->Withdraw({kList, "withdrawn", "r", "o"}), IsOk());
  ASSERT_THAT(world_.lists->Restrict({kList, "restricted", false, "r", "o"}), IsOk());
  const auto copy_id = ListId("december");
  ASSERT_THAT(world_.Draft(Definition("december")), IsOk());
  const ParsedImport copy = world_.lists->CopyFor(kList, copy_id).value();
  ASSERT_TRUE(copy.ok());
  ASSERT_THAT(copy.entries, SizeIs(2));
  ASSERT_THAT(world_.lists->Add(copy_id, copy, kOperator, "list lantern"), IsOk());
  EXPECT_EQ(world_.StatusOf(copy_id).state, store::ListState::kDraft);
  EXPECT_EQ(world_.StatusOf(copy_id).counts.awaiting_approval, 1U);
  ASSERT_THAT(world_.Approve(copy_id), IsOk());
  EXPECT_THAT(world_.Visited(copy_id), ElementsAre("a"));
}

TEST_F(Drafts, AreCopiedUnderTheirOwnRules) {
  world_.Approved(kList.text(), {Entry("a")});
  auto text = Definition("missing");
  text.categories = {"missing-at-risk"};
  ASSERT_THAT(world_.Draft(text), IsOk());
  const ParsedImport copy = world_.lists->CopyFor(kList, ListId("missing")).value();
  ASSERT_FALSE(copy.ok());
  EXPECT_THAT(copy.faults.front().message, HasSubstr("a: `category`"));
  EXPECT_THAT(copy.entries, IsEmpty());
  text = Definition("other-engine");
  text.engine_version = "2.0";
  ASSERT_THAT(world_.Draft(text), IsOk());
  EXPECT_THAT(world_.lists->CopyFor(kList, ListId("other-engine")),
              FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(world_.lists->CopyFor(ListId("missing"), ListId("other-engine")),
              FailsWith(ErrorCode::kConflict));
}

// 2,500 entries are three units of work, and the import begins and ends with one each.
TEST_F(Drafts, AreWholeOrUntouchedWhereverAnImportIsCutOff) {
  DraftOf({Entry("first")});
  const ParsedImport parsed = Parse(Many(2500));
  const Digest content = world_.StatusOf(kList).content;
  for (int units = 0; units < 5; ++units) {
    SCOPED_TRACE(units);
    world_.journal.left = units;
    EXPECT_THAT(world_.lists->Add(kList, parsed, kOperator, "file"),
                FailsWith(ErrorCode::kUnavailable));
    EXPECT_EQ(world_.StatusOf(kList).counts.entries, 1U);
    world_.journal.left.reset();
    if (units % 2 == 0) world_.Restart();
    EXPECT_EQ(world_.StatusOf(kList).counts.entries, 1U);
    EXPECT_EQ(world_.StatusOf(kList).content, content);
    // The next import does not meet what the last one left.
    EXPECT_THAT(world_.lists->OptionsFor(kList), IsOk());
  }
  EXPECT_EQ(world_.agency.CountEvents(audit::kEntriesAdded), 1U);
  ASSERT_THAT(world_.lists->Add(kList, parsed, kOperator, "file"), IsOk());
  EXPECT_EQ(world_.StatusOf(kList).counts.entries, 2501U);
  EXPECT_EQ(world_.agency.CountEvents(audit::kEntriesAdded), 2U);
}

TEST_F(Drafts, ShowNothingOfAnImportThatIsInterruptedAndRemoveItAtTheNextStart) {
  DraftOf({Entry("first")});
  const Digest content = world_.StatusOf(kList).content;
  // As a crash after two of three units leaves it.
  const ParsedImport parsed = Parse(Many(2000));
  ASSERT_TRUE(parsed.ok());
  ASSERT_THAT(world_.agency.store().Write([&](store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(auto list, transaction.watchlists().List(kList));
    ++list.imports;
    list.importing = true;
    COMITY_RETURN_IF_ERROR(transaction.watchlists().ChangeList(list));
    std::vector<store::EntryRecord> entries(2000);
    for (std::size_t i = 0; i < entries.size(); ++i) {
      entries[i].reference = parsed.entries[i].reference;
      entries[i].category = parsed.entries[i].category;
      entries[i].wrapped_key = ToBytes("key");
      entries[i].sealed_fields = ToBytes("fields");
      entries[i].sealed_template = ToBytes("template");
    }
    return transaction.watchlists().AddEntries(kList, list.imports, entries);
  }),
              IsOk());
  world_.Restart();
  EXPECT_EQ(world_.agency.CountEvents(audit::kImportRemoved), 1U);
  EXPECT_EQ(world_.StatusOf(kList).counts.entries, 1U);
  EXPECT_EQ(world_.StatusOf(kList).content, content);
  ASSERT_THAT(world_.Add(kList, Many(2500)), IsOk());
  EXPECT_EQ(world_.StatusOf(kList).counts.entries, 2501U);
  ASSERT_THAT(world_.Approve(kList), IsOk());
  EXPECT_THAT(world_.Visited(kList), SizeIs(2501));
}

}  // namespace
}  // namespace comity::watchlists
