// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "crypto/base/canonical_json.h"
#include "crypto/base/encoding.h"
#include "crypto/merkle/compact_tree.h"
#include "crypto/merkle/tree_hash.h"
#include "crypto/sign/dsse.h"
#include "services/watchlists/entry_seal.h"
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

class ListEnd : public ::testing::Test {
 protected:
  void SetTime(const std::string& time) { world_.agency.clock.Set(At(time)); }
  policy::Instant Now() { return world_.agency.clock.Now(); }
  // Of the day, by `from`..`until`; until "": still on it.
  std::vector<std::string> WasOn(const std::string& reference, const std::string& day) {
    std::vector<std::string> texts;
    auto manifests = world_.MakeManifests();
    const std::vector<Listing> listings = manifests.WasOn(reference, day, "dpo").value();
    for (const Listing& listing : listings) {
      texts.push_back(listing.list.text() + " " + policy::EncodeInstant(listing.from) + ".." +
                      (listing.until ? policy::EncodeInstant(*listing.until) : ""));
    }
    return texts;
  }
  nlohmann::json Head() {
    const auto text = world_.MakeManifests().Head(kList, "dpo").value();
    const auto envelope = sign::ParseDsseJson(text, 65536).value();
    EXPECT_THAT(sign::VerifySignedBy(envelope, world_.agency_key.public_key()), IsOk());
    EXPECT_EQ(envelope.payload_type, kManifestPayloadType);
    return ParseCanonicalJson(AsText(envelope.payload), 65536).value();
  }
  std::vector<std::string> Rows(std::uint32_t page) {
    std::vector<std::string> lines;
    Manifests::Rows rows{.lines = {}, .last = 0, .more = true};
    while (rows.more) {
      rows = world_.MakeManifests().RowsAfter(kList, rows.last, page).value();
      std::istringstream in(rows.lines);
      for (std::string line; std::getline(in, line);) lines.push_back(line);
    }
    return lines;
  }

  ListWorld world_;
};

TEST_F(ListEnd, ClosingEndsMatchingAndSaysByWhenFacesAreDeleted) {
  world_.Approved(kList.text(), {Entry("a")});
  EXPECT_THAT(world_.lists->Close(kList, "over", "np-supervisor"),
              IsOkAnd(::testing::Eq(At("2026-11-25T10:00:00Z"))));
  EXPECT_FALSE(world_.lists->Matches(kList, "a", Now()));
  EXPECT_THAT(world_.lists->VisitActive(kList, [](const auto&) { return Status(); }),
              FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(world_.lists->Close(kList, "again", "np-supervisor"),
              FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(world_.changes.Texts(), ElementsAre("list-closed lantern/"));
  EXPECT_THAT(world_.lists->Restrict({kList, "a", false, "r", "o"}),
              FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(world_.lists->Correct({kList, "a", Entry("a").dump(), "r", "o"}),
              FailsWith(ErrorCode::kConflict));
}

TEST_F(ListEnd, FacesGoWithinTheShortestTimeAndNeverLaterThanADay) {
  world_.after_end = std::chrono::hours(1000);
  world_.Approved(kList.text(), {Entry("a")});
  EXPECT_THAT(world_.lists->Close(kList, "over", "o"),
              IsOkAnd(::testing::Eq(At("2026-11-26T08:00:00Z"))));
  world_.after_end = std::chrono::seconds(-5);
  world_.Approved("other", {Entry("a")});
  EXPECT_THAT(world_.lists->Close(ListId("other"), "over", "o"), IsOkAnd(::testing::Eq(At(kNow))));
}

TEST_F(ListEnd, DeletionDestroysTheKeyAndEveryOctetAndKeepsTheManifest) {
  std::vector<nlohmann::json> entries;
  for (int i = 0; i < 2500; ++i) entries.push_back(Entry("r" + std::to_string(i)));
  world_.Approved(kList.text(), entries);
  SetTime("2026-11-25T09:00:00Z");
  ASSERT_THAT(world_.lists->Close(kList, "over", "o"), IsOk());
  EXPECT_THAT(world_.lists->DeleteDue(At("2026-11-25T10:59:59Z")), IsOkAnd(::testing::Eq(0U)));
  SetTime("2026-11-25T11:00:00Z");
  EXPECT_THAT(world_.lists->DeleteDue(Now()), IsOkAnd(::testing::Eq(1U)));
  EXPECT_EQ(world_.StatusOf(kList).state, store::ListState::kDeleted);
  ASSERT_THAT(world_.agency.store().Read([&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto list, transaction.watchlists().List(kList));
    EXPECT_TRUE(list.wrapped_key.empty());
    std::size_t visited = 0;
    COMITY_RETURN_IF_ERROR(
        transaction.watchlists().VisitEntries(kList, [&](const store::EntryRecord& entry) {
          EXPECT_TRUE(entry.wrapped_key.empty() && entry.sealed_fields.empty() &&
                      entry.sealed_template.empty());
          ++visited;
          return Status();
        }));
    EXPECT_EQ(visited, 2500U);
    return {};
  }),
              IsOk());
  world_.Restart();
  EXPECT_EQ(world_.StatusOf(kList).state, store::ListState::kDeleted);
  EXPECT_EQ(world_.lists->View(kList, "r7").value().fields, "");
  EXPECT_EQ(Head().at("entries"), 2500);
  EXPECT_THAT(world_.lists->Withdraw({kList, "r7", "r", "o"}), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(world_.lists->DeleteDue(Now()), IsOkAnd(::testing::Eq(0U)));
}

TEST_F(ListEnd, TimeClosesAndDeletesByItself) {
  world_.Approved(kList.text(), {Entry("a")});
  ASSERT_THAT(world_.Draft(Definition("never-approved")), IsOk());
  EXPECT_THAT(world_.lists->CloseDue(Now()), IsOkAnd(IsEmpty()));
  SetTime("2026-12-03T00:00:00Z");  // three days late
  EXPECT_THAT(world_.lists->CloseDue(Now()), IsOkAnd(ElementsAre(kList, ListId("never-approved"))));
  EXPECT_EQ(world_.StatusOf(kList).closed_at, At("2026-11-30T00:00:00Z"));
  EXPECT_EQ(world_.StatusOf(kList).delete_by, At("2026-11-30T02:00:00Z"));
  EXPECT_THAT(world_.lists->DeleteDue(Now()), IsOkAnd(::testing::Eq(2U)));
}

TEST_F(ListEnd, AnInterruptedDeletionGoesOnAfterARestart) {
  world_.Approved(kList.text(), {Entry("a")});
  ASSERT_THAT(world_.lists->Close(kList, "over", "o"), IsOk());
  // As a crash right after the key was destroyed leaves it.
  ASSERT_THAT(world_.agency.store().Write([&](store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(auto list, transaction.watchlists().List(kList));
    list.state = store::ListState::kDeleted;
    list.deleted_at = Now();
    list.wrapped_key.clear();
    return transaction.watchlists().ChangeList(list);
  }),
              IsOk());
  world_.Restart();
  EXPECT_EQ(world_.lists->View(kList, "a").value().fields, "");
  ASSERT_THAT(world_.lists->DeleteDue(Now()), IsOk());
  ASSERT_THAT(world_.agency.store().Read([&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto entry, transaction.watchlists().Entry(kList, "a"));
    EXPECT_TRUE(entry.sealed_template.empty());
    return {};
  }),
              IsOk());
}

TEST_F(ListEnd, ManifestSaysWhoWasOnItWhenAndNothingElse) {
  nlohmann::json victim = FullEntry("victim");
  victim["category"] = "victim";
  nlohmann::json waiting = victim;
  waiting["reference"] = "waiting";
  nlohmann::json later = Entry("later");
  later["valid_from"] = "2026-11-25T20:00:00Z";
  world_.Approved(kList.text(), {Entry("a"), Entry("b"), victim, waiting, later});
  SetTime("2026-11-25T09:00:00Z");
  ASSERT_THAT(world_.Clear(kList, {"victim"}), IsOk());
  SetTime("2026-11-25T10:00:00Z");
  ASSERT_THAT(world_.lists->Withdraw({kList, "b", "arrested", "o"}), IsOk());
  EXPECT_THAT(world_.MakeManifests().Head(kList, "dpo"), FailsWith(ErrorCode::kConflict));
  SetTime("2026-11-25T11:00:00Z");
  ASSERT_THAT(world_.lists->Close(kList, "over", "o"), IsOk());
  const auto lines = Rows(2);
  ASSERT_EQ(lines.size(), 3U);  // not the one that never matched, nor the one that would later
  merkle::CompactTree tree;
  for (const std::string& line : lines) tree.Append(merkle::LeafHash(AsBytes(line)));
  const nlohmann::json head = Head();
  EXPECT_EQ(head.at("root"), EncodeHex(tree.Root().view()));
  EXPECT_EQ(head.at("entries"), 3);
  EXPECT_EQ(head.at("list"), "lantern");
  EXPECT_EQ(head.at("agency"), "northshire-police");
  EXPECT_EQ(head.at("approved_by"), "np-supervisor");
  EXPECT_EQ(head.at("closed_at"), "2026-11-25T11:00:00Z");
  const nlohmann::json b = nlohmann::json::parse(lines[1]);
  EXPECT_EQ(b, (nlohmann::json{{"reference", "b"},
                               {"category", "wanted-by-courts"},
                               {"originator", "northshire-police"},
                               {"rationale", b.at("rationale")},
                               {"from", "2026-11-25T08:00:00Z"},
                               {"until", "2026-11-25T10:00:00Z"}}));
  EXPECT_EQ(nlohmann::json::parse(lines[2]).at("from"), "2026-11-25T09:00:00Z");
  // Who holds the key-encryption key can say whether a rationale is the one; nobody else can.
  const std::string rationale = EncodeCanonicalJson(Entry("b").at("rationale"));
  EXPECT_EQ(b.at("rationale"),
            EncodeHex(CommitToRationale(world_.agency.kek(), kList, "b", rationale).view()));
  EXPECT_NE(nlohmann::json::parse(lines[0]).at("rationale"), b.at("rationale"));
}

TEST_F(ListEnd, AnswersWhetherSomebodyWasOnAListOnADayAlsoAfterDeletion) {
  nlohmann::json a = Entry("a");
  a["expires_at"] = "2026-11-28T12:00:00Z";
  a["review_by"] = "2026-11-28T12:00:00Z";
  world_.Approved(kList.text(), {a, Entry("b")});
  world_.Approved("second", {a});
  ASSERT_THAT(world_.Draft(Definition("draft")), IsOk());
  ASSERT_THAT(world_.Add(ListId("draft"), {a}), IsOk());
  EXPECT_THAT(WasOn("a", "2026-11-24"), IsEmpty());
  EXPECT_THAT(WasOn("a", "2026-11-26"), IsEmpty());  // nobody knows the future
  EXPECT_THAT(WasOn("a", "2026-11-25"),
              ElementsAre("lantern 2026-11-25T08:00:00Z..", "second 2026-11-25T08:00:00Z.."));
  EXPECT_THAT(WasOn("nobody", "2026-11-25"), IsEmpty());
  SetTime("2026-11-27T00:00:00Z");
  ASSERT_THAT(world_.lists->Close(kList, "over", "o"), IsOk());
  world_.agency.clock.Advance(std::chrono::hours(2));
  ASSERT_THAT(world_.lists->DeleteDue(Now()), IsOk());
  world_.Restart();
  const std::string closed = "lantern 2026-11-25T08:00:00Z..2026-11-27T00:00:00Z";
  EXPECT_THAT(WasOn("a", "2026-11-26"), ElementsAre(closed, "second 2026-11-25T08:00:00Z.."));
  EXPECT_THAT(WasOn("a", "2026-11-27"), ElementsAre("second 2026-11-25T08:00:00Z.."));
  EXPECT_THAT(WasOn("b", "2026-11-25"),
              ElementsAre("lantern 2026-11-25T08:00:00Z..2026-11-26T00:00:00Z"));
  EXPECT_THAT(WasOn("b", "2026-11-26"), IsEmpty());
  EXPECT_THAT(world_.MakeManifests().WasOn("a", "yesterday", "dpo"),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(world_.MakeManifests().WasOn("", "2026-11-25", "dpo"),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_EQ(world_.LogPayloads().back().at("type"), "manifest-read");
}

}  // namespace
}  // namespace comity::watchlists
