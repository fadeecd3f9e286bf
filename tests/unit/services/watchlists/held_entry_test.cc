// SPDX-License-Identifier: Apache-2.0
// Entries that two people keep as evidence: they match no more, and what they say stays.
#include <gmock/gmock.h>

#include "services/store/retention_store.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/services/watchlists/list_world.h"

namespace comity::watchlists {
namespace {

using comity::testing::IsOk;
using comity::testing::IsOkAnd;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using namespace testing;

const policy::WatchlistId kList = ListId("lantern");

class HeldEntry : public ::testing::Test {
 protected:
  void Hold(const std::string& reference) {
    store::HoldRecord hold;
    hold.record_class = "entry";
    hold.reference = reference;
    hold.reason = "evidence";
    hold.held_by = hold.approved_by = policy::PersonId::Parse("np-dpo").value();
    hold.review_by = Now() + std::chrono::days(90);
    ASSERT_THAT(Write([&](store::Transaction& tx) -> Status {
                  COMITY_ASSIGN_OR_RETURN(hold_.number, tx.retention().AddHold(hold));
                  return {};
                }),
                IsOk());
  }
  void Release() {
    hold_.released_at = Now();
    ASSERT_THAT(Write([&](store::Transaction& tx) { return tx.retention().ChangeHold(hold_); }),
                IsOk());
  }
  Status Write(const std::function<Status(store::Transaction&)>& work) {
    return world_.agency.store().Write(work);
  }
  policy::Instant Now() { return world_.agency.clock.Now(); }
  bool HasKey(const std::string& reference) {
    bool has = false;
    EXPECT_THAT(world_.agency.store().Read([&](const store::Transaction& tx) -> Status {
      COMITY_ASSIGN_OR_RETURN(const auto entry, tx.watchlists().Entry(kList, reference));
      has = !entry.wrapped_key.empty();
      return {};
    }),
                IsOk());
    return has;
  }

  std::vector<std::string> Due() {
    std::vector<std::string> references;
    EXPECT_THAT(world_.agency.store().Read([&](const store::Transaction& tx) -> Status {
      COMITY_ASSIGN_OR_RETURN(const auto due,
                              tx.retention().Due(policy::RetentionClass::kEntry, Now(), 100));
      for (const auto& record : due) references.push_back(record.reference);
      return {};
    }),
                IsOk());
    return references;
  }
  std::uint64_t EraseDue() {
    std::uint64_t erased = 0;
    for (const std::string& reference : Due()) {
      EXPECT_THAT(Write([&](store::Transaction& tx) -> Status {
                    COMITY_ASSIGN_OR_RETURN(
                        const bool gone,
                        tx.retention().Erase(policy::RetentionClass::kEntry,
                                             {"entry", reference, "expired", Now()}, Now()));
                    if (gone) ++erased;
                    return {};
                  }),
                  IsOk());
    }
    return erased;
  }

  ListWorld world_;
  store::HoldRecord hold_;
};

TEST_F(HeldEntry, MatchesNoMoreAndKeepsItsContentWhenItIsWithdrawn) {
  world_.Approved(kList.text(), {Entry("a"), Entry("b")});
  Hold("lantern/a");
  ASSERT_THAT(world_.lists->Withdraw({kList, "a", "found", "np-op"}), IsOk());
  ASSERT_THAT(world_.lists->Withdraw({kList, "b", "found", "np-op"}), IsOk());
  EXPECT_FALSE(world_.lists->Matches(kList, "a", Now()));
  EXPECT_TRUE(HasKey("a"));
  EXPECT_FALSE(HasKey("b"));
}

// What the retention run finds at this moment, and erases.
TEST_F(HeldEntry, IsDueAsSoonAsTheHoldOfAWithdrawnOneIsReleased) {
  nlohmann::json entry = Entry("a");
  entry["expires_at"] = "2027-06-01T00:00:00Z";
  entry["review_by"] = "2027-06-01T00:00:00Z";
  world_.Approved(kList.text(), {entry, Entry("b")});
  Hold("lantern/a");
  ASSERT_THAT(world_.lists->Withdraw({kList, "a", "found", "np-op"}), IsOk());
  EXPECT_THAT(Due(), IsEmpty());
  world_.agency.clock.Advance(std::chrono::hours(1));
  Release();
  EXPECT_THAT(Due(), ElementsAre("lantern/a"));
  EXPECT_EQ(EraseDue(), 1U);
  EXPECT_FALSE(HasKey("a"));
  EXPECT_TRUE(HasKey("b"));
}

TEST_F(HeldEntry, KeepsNoOtherFaceOfItsListBeyondTheListsTime) {
  std::vector<nlohmann::json> entries;
  for (const char* reference : {"a", "b", "c"}) {
    entries.push_back(Entry(reference));
    entries.back()["expires_at"] = "2027-06-01T00:00:00Z";
    entries.back()["review_by"] = "2027-06-01T00:00:00Z";
  }
  world_.Approved(kList.text(), entries);
  Hold("lantern/b");
  const auto delete_by = world_.lists->Close(kList, "over", "np-supervisor");
  ASSERT_THAT(delete_by, IsOk());
  world_.agency.clock.Set(*delete_by - std::chrono::microseconds(1));
  EXPECT_THAT(Due(), IsEmpty());
  world_.agency.clock.Set(*delete_by);
  EXPECT_THAT(world_.lists->DeleteDue(*delete_by), IsOkAnd(0U));
  EXPECT_THAT(Due(), UnorderedElementsAre("lantern/a", "lantern/c"));
  EXPECT_EQ(EraseDue(), 2U);
  EXPECT_FALSE(HasKey("a"));
  EXPECT_TRUE(HasKey("b"));
  EXPECT_FALSE(HasKey("c"));
  EXPECT_THAT(Due(), IsEmpty());
  world_.Restart();
  EXPECT_THAT(world_.lists->DeleteDue(*delete_by), IsOkAnd(0U));
  Release();
  EXPECT_THAT(world_.lists->DeleteDue(*delete_by), IsOkAnd(1U));
  EXPECT_FALSE(HasKey("b"));
}

TEST_F(HeldEntry, KeepsTheKeyOfItsListUntilItIsReleased) {
  world_.Approved(kList.text(), {Entry("a"), Entry("b")});
  Hold("lantern/a");
  const auto delete_by = world_.lists->Close(kList, "over", "np-supervisor");
  ASSERT_THAT(delete_by, IsOk());
  EXPECT_THAT(world_.lists->DeleteDue(*delete_by), IsOkAnd(0U));
  EXPECT_TRUE(HasKey("a"));
  Release();
  EXPECT_THAT(world_.lists->DeleteDue(*delete_by), IsOkAnd(1U));
  EXPECT_FALSE(HasKey("a"));
}

}  // namespace
}  // namespace comity::watchlists
