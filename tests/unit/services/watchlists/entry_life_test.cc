// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/support/result_matchers.h"
#include "tests/unit/services/watchlists/list_world.h"

namespace comity::watchlists {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using comity::testing::IsOkAnd;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace testing;

const policy::WatchlistId kList = ListId("lantern");

class EntryLife : public ::testing::Test {
 protected:
  bool Matches(const std::string& reference) {
    return world_.lists->Matches(kList, reference, world_.agency.clock.Now());
  }
  Result<std::vector<std::string>> Correct(const std::string& reference,
                                           const nlohmann::json& entry) {
    COMITY_ASSIGN_OR_RETURN(
        Corrected corrected,
        world_.lists->Correct({kList, reference, entry.dump(), "wrong", "np-officer"}));
    return std::move(corrected.faults);
  }

  ListWorld world_;
};

TEST_F(EntryLife, RestrictionStopsMatchingUntilTwoPeopleLiftIt) {
  world_.Approved(kList.text(), {Entry("a"), Entry("b")});
  ASSERT_THAT(world_.lists->Restrict({kList, "a", true, "denies it", "officer"}), IsOk());
  EXPECT_FALSE(Matches("a"));
  EXPECT_THAT(world_.Visited(kList), ElementsAre("b"));
  EXPECT_EQ(world_.StatusOf(kList).counts.contested, 1U);
  EXPECT_THAT(world_.lists->Restrict({kList, "a", true, "again", "officer"}),
              FailsWith(ErrorCode::kConflict));
  world_.Restart();
  EXPECT_FALSE(Matches("a"));
  ASSERT_THAT(world_.Unrestrict(kList, "a"), IsOk());
  EXPECT_TRUE(Matches("a"));
  EXPECT_THAT(world_.Visited(kList), ElementsAre("a", "b"));
  EXPECT_THAT(world_.Unrestrict(kList, "a"), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(world_.changes.Texts(),
              ElementsAre("restricted lantern/a", "unrestricted lantern/a"));
  EXPECT_EQ(world_.changes.durable[1].response_code, "amber: speak to the person");
  EXPECT_EQ(world_.changes.durable[1].deadline,
            world_.changes.durable[1].at + std::chrono::hours(48));
  EXPECT_THAT(world_.changes.durable[1].agreements, ElementsAre(kAgreement));
}

TEST_F(EntryLife, OfThoseWhoNeedMoreProtectionMatchesAfterAFurtherApproval) {
  nlohmann::json victim = Entry("victim");
  victim["category"] = "victim";
  world_.Approved(kList.text(), {Entry("a"), victim});
  EXPECT_FALSE(Matches("victim"));
  EXPECT_THAT(world_.Visited(kList), ElementsAre("a"));
  EXPECT_THAT(world_.Clear(kList, {"victim", "a"}), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(world_.Clear(kList, {"victim"}, kOperator), FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_FALSE(Matches("victim"));
  ASSERT_THAT(world_.Clear(kList, {"victim"}), IsOk());
  EXPECT_TRUE(Matches("victim"));
  world_.Restart();
  EXPECT_THAT(world_.Visited(kList), ElementsAre("a", "victim"));
}

TEST_F(EntryLife, CorrectionReplacesFieldsAndKeepsTheFace) {
  world_.Approved(kList.text(), {Entry("a"), Entry("b")});
  std::vector<float> face;
  const auto keep = [&](const ActiveEntry& entry) -> Status {
    if (entry.reference == "a") face.assign(entry.face_template.begin(), entry.face_template.end());
    return {};
  };
  ASSERT_THAT(world_.lists->VisitActive(kList, keep), IsOk());
  nlohmann::json entry = Entry("a");
  entry["category"] = "missing-at-risk";
  entry["response"]["text"] = "call the desk";
  entry["review_by"] = "2026-11-25T23:00:00Z";
  ASSERT_THAT(Correct("a", entry), IsOkAnd(IsEmpty()));
  ASSERT_THAT(world_.Clear(kList, {"a"}), IsOk());
  world_.Restart();
  const auto check = [&](const ActiveEntry& active) -> Status {
    if (active.reference != "a") return {};
    EXPECT_EQ(active.category.text(), "missing-at-risk");
    EXPECT_EQ(active.response_code, "amber: call the desk");
    EXPECT_EQ(active.until, At("2026-11-25T23:00:00Z"));
    EXPECT_THAT(active.face_template, ::testing::ElementsAreArray(face));
    return {};
  };
  ASSERT_THAT(world_.lists->VisitActive(kList, check), IsOk());
  EXPECT_THAT(world_.changes.Texts(),
              ElementsAre("restricted lantern/a", "unrestricted lantern/a"));
  EXPECT_EQ(world_.changes.durable[0].response_code, "") << "nobody approved it yet";
  EXPECT_EQ(world_.changes.durable[1].category, "missing-at-risk");
  EXPECT_EQ(world_.changes.durable[1].response_code, "amber: call the desk");
  const auto log = world_.LogPayloads();
  EXPECT_EQ(log.at(log.size() - 2).at("type"), "entry-corrected");
  EXPECT_EQ(log.at(log.size() - 2).at("changed"), "category response review_by");
}

TEST_F(EntryLife, CorrectionOfWhatWasApprovedWaitsForASecondPerson) {
  const auto altered = [](const char* field, const nlohmann::json& value) {
    nlohmann::json entry = Entry("a");
    entry[nlohmann::json::json_pointer(field)] = value;
    return entry;
  };
  const std::vector<nlohmann::json> alterations = {
      altered("/category", "missing-at-risk"),
      altered("/subject_category", "missing"),
      altered("/response/priority", "red"),
      altered("/response/officer_safety_code", "weapons"),
      altered("/image/source_kind", "warrant"),
      altered("/image/acquisition_legal_basis", "another"),
      altered("/rationale/necessity", "Another one."),
      altered("/offence_code", "11/1"),
      altered("/max_penalty_years", 3),
      altered("/handling_code", "C"),
      altered("/vulnerable", true)};
  int number = 0;
  for (nlohmann::json alteration : alterations) {
    if (alteration["handling_code"] == "C") alteration["handling_conditions"] = "ask first";
    const auto list = ListId("list-" + std::to_string(++number));
    world_.Approved(list.text(), {Entry("a")});
    const auto corrected =
        world_.lists->Correct({list, "a", alteration.dump(), "wrong", "np-officer"});
    ASSERT_THAT(corrected, IsOk());
    EXPECT_THAT(corrected->faults, IsEmpty()) << alteration;
    EXPECT_TRUE(corrected->awaits_approval) << alteration;
    EXPECT_FALSE(world_.lists->Matches(list, "a", world_.agency.clock.Now())) << alteration;
    ASSERT_THAT(world_.Clear(list, {"a"}), IsOk());
    EXPECT_TRUE(world_.lists->Matches(list, "a", world_.agency.clock.Now())) << alteration;
  }
}

TEST_F(EntryLife, OnePersonShortensAndQualifiesWhatWasApproved) {
  world_.Approved(kList.text(), {Entry("a")});
  nlohmann::json entry = Entry("a");
  entry["expires_at"] = "2026-11-25T23:00:00Z";
  entry["review_by"] = "2026-11-25T22:00:00Z";
  entry["reliability"]["grade"] = "2B";
  entry["identified"] = false;
  entry["fact_or_assessment"] = "assessment";
  const auto corrected = world_.lists->Correct({kList, "a", entry.dump(), "less sure", "np-dpo"});
  ASSERT_THAT(corrected, IsOk());
  EXPECT_THAT(corrected->faults, IsEmpty());
  EXPECT_FALSE(corrected->awaits_approval);
  EXPECT_TRUE(Matches("a"));
  EXPECT_THAT(world_.changes.Texts(), ElementsAre("corrected lantern/a"));
}

TEST_F(EntryLife, WhoAlteredAnApprovedEntryDoesNotApproveIt) {
  world_.Approved(kList.text(), {Entry("a")});
  nlohmann::json entry = Entry("a");
  entry["response"]["priority"] = "red";
  ASSERT_THAT(world_.lists->Correct({kList, "a", entry.dump(), "armed", kSecondSupervisor.text()}),
              IsOk());
  EXPECT_THAT(world_.Clear(kList, {"a"}, kSecondSupervisor),
              FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_THAT(world_.Clear(kList, {"a"}, kSupervisor), IsOk());
}

TEST_F(EntryLife, AnApprovalCoversTheEntryAsItStoodWhenItWasProposed) {
  nlohmann::json victim = Entry("v");
  victim["category"] = "victim";
  world_.Approved(kList.text(), {victim});
  const EntryInState proposed = world_.InState(kList, "v").value();
  victim["response"]["text"] = "arrest";
  ASSERT_THAT(Correct("v", victim), IsOkAnd(IsEmpty()));
  EXPECT_THAT(world_.ClearAsProposed(kList, {proposed}), FailsWith(ErrorCode::kConflict));
  EXPECT_FALSE(Matches("v"));
  EXPECT_THAT(world_.Clear(kList, {"v"}), IsOk());
}

TEST_F(EntryLife, LiftingARestrictionLiftsNoLaterOne) {
  world_.Approved(kList.text(), {Entry("a")});
  ASSERT_THAT(world_.lists->Restrict({kList, "a", false, "photo?", "np-officer"}), IsOk());
  const EntryInState first = world_.InState(kList, "a").value();
  ASSERT_THAT(world_.lists->Restrict({kList, "a", true, "denies it", "np-officer"}), IsOk());
  EXPECT_THAT(world_.UnrestrictAsProposed(kList, first), FailsWith(ErrorCode::kConflict));
  const EntryInState second = world_.InState(kList, "a").value();
  ASSERT_THAT(world_.UnrestrictAsProposed(kList, second), IsOk());
  ASSERT_THAT(world_.lists->Restrict({kList, "a", true, "denies it", "np-officer"}), IsOk());
  EXPECT_THAT(world_.UnrestrictAsProposed(kList, second), FailsWith(ErrorCode::kConflict))
      << "the same kind again is another restriction";
  EXPECT_FALSE(Matches("a"));
}

TEST_F(EntryLife, PartnersAreNotToldThatAnEntryIsFreeWhileSomethingHoldsIt) {
  world_.Approved(kList.text(), {Entry("a")});
  ASSERT_THAT(world_.lists->Restrict({kList, "a", false, "photo?", "np-officer"}), IsOk());
  nlohmann::json entry = Entry("a");
  entry["response"]["priority"] = "red";
  ASSERT_THAT(Correct("a", entry), IsOkAnd(IsEmpty()));
  ASSERT_THAT(world_.Unrestrict(kList, "a"), IsOk());
  EXPECT_THAT(world_.changes.Texts(), ElementsAre("restricted lantern/a", "restricted lantern/a"));
  ASSERT_THAT(world_.Clear(kList, {"a"}), IsOk());
  EXPECT_EQ(world_.changes.Texts().back(), "unrestricted lantern/a");
}

TEST_F(EntryLife, WhatAnEntrySaysIsReadOnTheRecord) {
  world_.Approved(kList.text(), {Entry("a"), Entry("b")});
  const auto views = world_.lists->Read({kList, {"a", "b"}, "sample", "np-dpo"});
  ASSERT_THAT(views, IsOk());
  EXPECT_THAT((*views)[0].fields, HasSubstr("Warrant"));
  const auto last = world_.LogPayloads().back();
  EXPECT_EQ(last.at("type"), "entry-read");
  EXPECT_EQ(last.at("references"), "a\nb");
  EXPECT_EQ(last.at("reason"), "sample");
  EXPECT_EQ(last.at("operator"), "np-dpo");
  world_.journal.left = 0;
  EXPECT_THAT(world_.lists->Read({kList, {"a"}, "", "np-dpo"}), FailsWith(ErrorCode::kUnavailable))
      << "what cannot be recorded is not shown";
}

TEST_F(EntryLife, CorrectionNamesItsFaultsAndChangesNothing) {
  world_.Approved(kList.text(), {Entry("a")});
  EXPECT_THAT(Correct("a", Entry("b")),
              IsOkAnd(ElementsAre("`reference` is not that of the entry")));
  nlohmann::json entry = Entry("a");
  entry["name"] = "N. N.";
  EXPECT_THAT(Correct("a", entry), IsOkAnd(ElementsAre(HasSubstr("who the person is"))));
  const auto no_json = world_.lists->Correct({kList, "a", "{", "r", "o"});
  ASSERT_THAT(no_json, IsOk());
  EXPECT_THAT(no_json->faults, ElementsAre(HasSubstr("not valid JSON")));
  EXPECT_THAT(Correct("x", Entry("x")), FailsWith(ErrorCode::kNotFound));
  EXPECT_EQ(world_.agency.CountEvents(audit::kEntryCorrected), 0U);
  EXPECT_TRUE(Matches("a"));
}

TEST_F(EntryLife, CorrectionOfAnApprovedEntryWidensNothing) {
  nlohmann::json victim = Entry("v");
  victim["category"] = "victim";
  world_.Approved(kList.text(), {Entry("a"), victim});
  nlohmann::json entry = Entry("a");
  entry["expires_at"] = "2026-11-26T00:00:01Z";
  EXPECT_THAT(Correct("a", entry), IsOkAnd(ElementsAre(HasSubstr("`expires_at` would be later"))));
  entry = Entry("a");
  entry["valid_from"] = "2026-11-24T23:59:59Z";
  EXPECT_THAT(Correct("a", entry), IsOkAnd(ElementsAre(HasSubstr("`valid_from` would be"))));
  // One person cannot talk an entry out of its further approval ...
  ASSERT_THAT(Correct("v", Entry("v")), IsOkAnd(IsEmpty()));
  EXPECT_FALSE(Matches("v"));
  // ... and what was approved is not what a correction makes of it.
  nlohmann::json vulnerable = Entry("a");
  vulnerable["vulnerable"] = true;
  ASSERT_THAT(Correct("a", vulnerable), IsOkAnd(IsEmpty()));
  EXPECT_FALSE(Matches("a"));
  EXPECT_EQ(world_.StatusOf(kList).counts.awaiting_approval, 2U);
  ASSERT_THAT(world_.Clear(kList, {"a"}), IsOk());
  ASSERT_THAT(Correct("a", vulnerable), IsOkAnd(IsEmpty()));
  EXPECT_FALSE(Matches("a"));
}

TEST_F(EntryLife, ExpiryDestroysTheKeyAndIsPassedOn) {
  nlohmann::json later = Entry("later");
  later["expires_at"] = "2026-11-27T00:00:00Z";
  later["review_by"] = "2026-11-27T00:00:00Z";
  std::vector<nlohmann::json> entries = {later};
  for (int i = 0; i < 150; ++i) entries.push_back(Entry("r" + std::to_string(i)));
  world_.Approved(kList.text(), entries);
  EXPECT_THAT(world_.lists->ExpireDue(world_.agency.clock.Now()), IsOkAnd(IsEmpty()));
  world_.agency.clock.Set(At("2026-11-26T00:00:00Z"));
  const auto expired = world_.lists->ExpireDue(world_.agency.clock.Now()).value();
  ASSERT_EQ(expired.size(), 1U);
  EXPECT_EQ(expired[0].references.size(), 150U);
  EXPECT_EQ(world_.changes.durable.size(), 150U);
  EXPECT_EQ(world_.lists->View(kList, "r7").value().fields, "");
  EXPECT_EQ(world_.lists->View(kList, "r7").value().record.state, store::EntryState::kExpired);
  EXPECT_THAT(world_.lists->ExpireDue(world_.agency.clock.Now()), IsOkAnd(IsEmpty()));
  world_.Restart();
  EXPECT_THAT(world_.Visited(kList), ElementsAre("later"));
  EXPECT_EQ(world_.StatusOf(kList).counts.expired, 150U);
}

TEST_F(EntryLife, WhatOnePersonDoesToAnApprovedListIsToldToThoseWhoOversee) {
  world_.TellOversight();
  world_.Approved(kList.text(), {Entry("a"), Entry("b"), Entry("c"), Entry("d")});
  ASSERT_THAT(world_.lists->Withdraw({kList, "a", "arrested", "o"}), IsOk());
  ASSERT_THAT(world_.lists->Withdraw({kList, "d", "arrested", "o"}), IsOk());
  ASSERT_THAT(world_.lists->Restrict({kList, "b", true, "contested", "o"}), IsOk());
  nlohmann::json shorter = Entry("c");
  shorter["expires_at"] = "2026-11-25T09:00:00Z";
  ASSERT_THAT(world_.lists->Correct({kList, "c", shorter.dump(), "served", "o"}), IsOk());
  ASSERT_THAT(world_.lists->Close(kList, "over", "s"), IsOk());
  const auto told = ElementsAre(HasSubstr("entry a was withdrawn by o alone"),
                                HasSubstr("entry b was marked contested by o alone"),
                                HasSubstr("entry c was corrected (expires_at) by o alone"),
                                HasSubstr("the list was closed; its faces go by 2026-"));
  ASSERT_THAT(world_.NoticesFor(identity::Role::kSupervisor), told);
  EXPECT_THAT(world_.NoticesFor(identity::Role::kDpo), told);
  EXPECT_THAT(world_.NoticesFor(identity::Role::kAuditor), told);
  EXPECT_THAT(world_.NoticesFor(identity::Role::kOperator), IsEmpty());
  world_.agency.clock.Advance(identity::LoneActs::kGathered);
  ASSERT_THAT(world_.lone_acts->Housekeep(), IsOk());
  EXPECT_THAT(world_.NoticesFor(identity::Role::kDpo).back(),
              HasSubstr("o alone did 1 further act of this kind on list lantern"));
}

TEST_F(EntryLife, NobodyIsToldOfWhatHappensInADraft) {
  world_.TellOversight();
  ASSERT_THAT(world_.Draft(Definition(kList.text())), IsOk());
  ASSERT_THAT(world_.Add(kList, {Entry("a"), Entry("b")}), IsOk());
  ASSERT_THAT(world_.lists->Withdraw({kList, "a", "r", "o"}), IsOk());
  ASSERT_THAT(world_.lists->Restrict({kList, "b", false, "r", "o"}), IsOk());
  ASSERT_THAT(world_.lists->Close(kList, "r", "o"), IsOk());
  EXPECT_THAT(world_.changes.Texts(), IsEmpty());
  EXPECT_THAT(world_.NoticesFor(identity::Role::kDpo), IsEmpty());
}

TEST_F(EntryLife, ValidationCountsWhatMatchesAndWhatIsStale) {
  nlohmann::json soon = Entry("soon");
  soon["review_by"] = "2026-11-25T09:00:00Z";
  world_.Approved(kList.text(), {Entry("a"), soon});
  world_.Approved("other", {Entry("z")});
  auto own_use = Definition("own");
  own_use.agreements.clear();
  ASSERT_THAT(world_.Draft(own_use), IsOk());
  ASSERT_THAT(world_.Add(ListId("own"), {Entry("a")}), IsOk());
  ASSERT_THAT(world_.Approve(ListId("own")), IsOk());
  world_.agency.clock.Set(At("2026-11-25T09:00:00Z"));
  const auto now = world_.agency.clock.Now();
  const Validation seen = world_.lists->ValidationOf(kAgreement, kPurpose, now);
  ASSERT_EQ(seen.lists.size(), 2U);
  EXPECT_EQ(seen.lists[0].list, kList);
  EXPECT_EQ(seen.entries, 2U);
  EXPECT_EQ(seen.stale, 1U);
  EXPECT_EQ(world_.StatusOf(kList).validated_at, At(kNow));
  const Validation validated = world_.lists->Revalidate(kAgreement, kPurpose, now).value();
  EXPECT_EQ(validated.entries, 2U);
  EXPECT_EQ(validated.stale, 1U);
  EXPECT_EQ(world_.agency.CountEvents(audit::kWatchlistValidated), 2U);
  world_.Restart();
  EXPECT_EQ(world_.StatusOf(kList).validated_at, now);
  EXPECT_EQ(world_.StatusOf(ListId("own")).validated_at, At(kNow));
  const auto elsewhere = policy::AgreementId::Parse("another").value();
  EXPECT_THAT(world_.lists->ValidationOf(elsewhere, kPurpose, now).lists, IsEmpty());
  const auto purpose = policy::PurposeCode::Parse("another").value();
  EXPECT_THAT(world_.lists->ValidationOf(kAgreement, purpose, now).lists, IsEmpty());
}

}  // namespace
}  // namespace comity::watchlists
