// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/sealed_scopes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/services/gateway/sealed_agreements.h"

namespace comity::gateway {
namespace {

using ::testing::IsEmpty;
using testing::kArrest;
using testing::kBegin;
using testing::kCouncil;
using testing::kPolice;
using testing::kSharing;
using testing::Permission;
using testing::SetOf;
using testing::Sharing;
using testing::SharingUnder;
using testing::Signed;
using ::testing::SizeIs;

watchlists::ListStatus List(const std::string& threshold = "0.3", std::uint32_t dimension = 128) {
  auto text = watchlists::testing::Definition("lantern");
  text.dimension = dimension;
  text.threshold = threshold;
  watchlists::ListStatus list;
  list.list = testing::Named<policy::WatchlistId>("lantern");
  list.state = store::ListState::kApproved;
  list.searchable = true;
  list.definition =
      std::make_shared<const watchlists::ListDefinition>(watchlists::testing::Parsed(text));
  list.counts.active = 10;
  return list;
}

std::vector<WantedSealed> Wanted(const policy::AgreementSet& agreements,
                                 const watchlists::ListStatus& list = List()) {
  return WantedSealedLists(agreements, kPolice, std::span(&list, 1), kBegin);
}
std::vector<WantedSealed> WantedUnder(std::vector<policy::SearchPermission> permissions,
                                      const watchlists::ListStatus& list = List()) {
  return Wanted(*Sharing(std::move(permissions)), list);
}

bool Takes(const WantedSealed& wanted, const std::string& category,
           policy::SubjectCategory subject) {
  const std::string reference = "r1";
  const std::string code;
  const auto listed = testing::Named<policy::ListCategory>(category);
  return wanted.terms.takes({reference, listed, subject, code, {}, {}, {}});
}

TEST(SealedScopes, OneListForEachRequesterAndPurposeThatAPermissionNames) {
  const auto wanted = WantedUnder({Permission()});
  ASSERT_THAT(wanted, SizeIs(1));
  EXPECT_EQ(wanted[0].scope.requester, kCouncil);
  EXPECT_EQ(wanted[0].scope.agreement.id, kSharing);
  EXPECT_EQ(wanted[0].scope.purpose, kArrest);
  EXPECT_EQ(wanted[0].scope.list.text(), "lantern");
  EXPECT_EQ(wanted[0].terms.max_age, std::chrono::hours(12));
  EXPECT_TRUE(Takes(wanted[0], "wanted-by-courts", policy::SubjectCategory::kSuspect));
  EXPECT_FALSE(Takes(wanted[0], "victim", policy::SubjectCategory::kSuspect));
  EXPECT_FALSE(Takes(wanted[0], "wanted-by-courts", policy::SubjectCategory::kVictim));
}

TEST(SealedScopes, ThePermissionsOfOneListAreSealedTogetherForTheLowestOfTheirBounds) {
  auto second = Permission("p2");
  second.list_categories = {testing::Named<policy::ListCategory>("victim")};
  second.threshold_floor = 0.4;
  second.lists.max_age = std::chrono::hours(3);
  const auto wanted = WantedUnder({Permission(), second});
  ASSERT_THAT(wanted, SizeIs(1));
  EXPECT_EQ(wanted[0].terms.scales.tau_min, 4000);
  EXPECT_EQ(wanted[0].terms.max_age, std::chrono::hours(3));
  EXPECT_TRUE(Takes(wanted[0], "wanted-by-courts", policy::SubjectCategory::kSuspect));
  EXPECT_TRUE(Takes(wanted[0], "victim", policy::SubjectCategory::kSuspect));
}

TEST(SealedScopes, TheListsOwnThresholdIsAFloorToo) {
  const auto wanted = WantedUnder({Permission()}, List("0.72"));
  ASSERT_THAT(wanted, SizeIs(1));
  EXPECT_EQ(wanted[0].terms.scales.tau_min, 7200);
  EXPECT_EQ(wanted[0].terms.scales.tau_max, 9200);
}

TEST(SealedScopes, NothingIsSealedForADirectPermissionAnotherHolderOrAnotherEngine) {
  auto direct = Permission();
  direct.mode = policy::SearchMode::kDirect;
  EXPECT_THAT(WantedUnder({direct}), IsEmpty());
  auto reverse = Permission();
  std::swap(reverse.requester, reverse.holder);
  EXPECT_THAT(WantedUnder({reverse}), IsEmpty());
  auto engine = Permission();
  engine.engine.version = "2.0";
  EXPECT_THAT(WantedUnder({engine}), IsEmpty());
}

TEST(SealedScopes, NothingIsSealedOfAListThatIsNotSearchedTooLargeOrNotBound) {
  auto list = List();
  list.searchable = false;
  EXPECT_THAT(WantedUnder({Permission()}, list), IsEmpty());
  list = List();
  list.counts.active = 1001;
  EXPECT_THAT(WantedUnder({Permission()}, list), IsEmpty());
  list.counts.active = 1000;
  EXPECT_THAT(WantedUnder({Permission()}, list), SizeIs(1));
  auto definition = *list.definition;
  definition.agreements = {testing::Named<policy::AgreementId>("another-agreement")};
  list.definition = std::make_shared<const watchlists::ListDefinition>(definition);
  EXPECT_THAT(WantedUnder({Permission()}, list), IsEmpty());
  list = List();
  definition = *list.definition;
  definition.purpose = testing::Named<policy::PurposeCode>("missing-persons");
  list.definition = std::make_shared<const watchlists::ListDefinition>(definition);
  EXPECT_THAT(WantedUnder({Permission()}, list), IsEmpty());
}

TEST(SealedScopes, NothingIsSealedUnderAnAgreementThatDoesNotHold) {
  using policy::StatementKind;
  for (const auto last : {StatementKind::kSuspension, StatementKind::kTermination}) {
    std::vector<policy::AgreementInput> inputs;
    inputs.push_back(Signed(SharingUnder({Permission()}), last));
    EXPECT_THAT(Wanted(*SetOf(std::move(inputs))), IsEmpty());
  }
}

TEST(SealedScopes, AHigherVersionIsAnotherListAndTheFormerOneIsOver) {
  auto higher = Permission();
  higher.threshold_floor = 0.65;
  std::vector<policy::AgreementInput> inputs;
  inputs.push_back(Signed(SharingUnder({Permission()}, 1)));
  inputs.push_back(Signed(SharingUnder({higher}, 2)));
  const auto set = SetOf(std::move(inputs));
  const auto wanted = Wanted(*set);
  ASSERT_THAT(wanted, SizeIs(1));
  EXPECT_EQ(wanted[0].scope.agreement.version, 2U);
  EXPECT_EQ(wanted[0].terms.scales.tau_min, 6500);
  const auto former = policy::RefOf(SharingUnder({Permission()}, 1));
  EXPECT_TRUE(IsOver(*set, former, kBegin)) << "its lists are shredded";
  EXPECT_FALSE(IsOver(*set, wanted[0].scope.agreement, kBegin));
}

TEST(SealedScopes, AVersionIsOverForGoodAndNotWhileItIsSuspended) {
  using policy::StatementKind;
  const auto ref = policy::RefOf(SharingUnder({Permission()}));
  const auto under = [&](std::optional<StatementKind> last) {
    std::vector<policy::AgreementInput> inputs;
    inputs.push_back(Signed(SharingUnder({Permission()}), last));
    return SetOf(std::move(inputs));
  };
  EXPECT_FALSE(IsOver(*under(std::nullopt), ref, kBegin));
  EXPECT_FALSE(IsOver(*under(StatementKind::kSuspension), ref, kBegin));
  EXPECT_TRUE(IsOver(*under(StatementKind::kTermination), ref, kBegin));
  EXPECT_TRUE(IsOver(*under(std::nullopt), ref, kBegin + std::chrono::days(201)));
  EXPECT_TRUE(IsOver(*SetOf({}), ref, kBegin)) << "nobody knows it any more";
  auto other = ref;
  other.sha256.bytes[0] ^= 1;
  EXPECT_TRUE(IsOver(*under(std::nullopt), other, kBegin)) << "another document of that version";
}

TEST(SealedScales, KeepEveryCosineExactAndTheFloorAFloor) {
  const auto scales = ScalesFor(512, 0.35001);
  ASSERT_TRUE(scales);
  EXPECT_EQ(scales->tau_min, 3501) << "rounded up";
  EXPECT_EQ(scales->tau_max, 6000);
  EXPECT_EQ(scales->cos_min, -10000);
  EXPECT_EQ(ScalesFor(128, 0.95)->tau_max, 10000);
}

TEST(SealedScales, AreNoneForDimensionsThatCannotBeSealed) {
  for (const std::uint32_t dimension : {0U, 64U, 127U, 192U, 2048U}) {
    EXPECT_FALSE(ScalesFor(dimension, 0.5)) << dimension;
  }
  auto engine = Permission();
  engine.engine.dimension = 192;
  EXPECT_THAT(WantedUnder({engine}, List("0.3", 192)), IsEmpty());
}

}  // namespace
}  // namespace comity::gateway
