// SPDX-License-Identifier: Apache-2.0
#include "services/matching/search_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "tests/support/result_matchers.h"
#include "tests/unit/services/matching/matching_support.h"

namespace comity::matching {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using testing::Category;
using ::testing::StartsWith;

IdentifyOrder Good() {
  IdentifyOrder order;
  order.own = testing::Named<policy::AgencyId>("eastvale-council");
  order.purpose = testing::Named<policy::PurposeCode>("court-order-arrest");
  order.mode = policy::SearchMode::kDirect;
  order.list_categories = {Category("wanted-by-courts")};
  order.engine = testing::Profile(128);
  order.threshold = 0.6;
  order.case_ref = "NP-2026-0042";
  order.operator_id = "ada";
  order.offence = Offence{"theft-act-1968-s8", 14};
  order.aim = SearchAim::kIdentify;
  order.subject_status = SubjectStatus::kSuspect;
  return order;
}

struct BadField {
  std::string field;
  std::function<void(IdentifyOrder&)> change;
};

class IdentifyOrderFields : public ::testing::TestWithParam<BadField> {};

TEST_P(IdentifyOrderFields, AreRefusedByName) {
  IdentifyOrder order = Good();
  ASSERT_THAT(CheckOrder(order), IsOk());
  GetParam().change(order);
  const Status status = CheckOrder(order);
  ASSERT_THAT(status, FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(status.error().detail, StartsWith(GetParam().field + " "));
}

INSTANTIATE_TEST_SUITE_P(
    EachBrokenOnce, IdentifyOrderFields,
    ::testing::Values(
        BadField{"purpose", [](auto& o) { o.purpose.reset(); }},
        BadField{"case_ref", [](auto& o) { o.case_ref = ""; }},
        BadField{"case_ref", [](auto& o) { o.case_ref = std::string(65, 'x'); }},
        BadField{"case_ref", [](auto& o) { o.case_ref = "a\nb"; }},
        BadField{"case_ref", [](auto& o) { o.case_ref = "\xff"; }},
        BadField{"offence.code", [](auto& o) { o.offence->code = ""; }},
        BadField{"offence.code", [](auto& o) { o.offence->code = std::string(65, 'x'); }},
        BadField{"offence.max_penalty_years", [](auto& o) { o.offence->max_penalty_years = 100; }},
        BadField{"aim", [](auto& o) { o.aim.reset(); }},
        BadField{"subject_status", [](auto& o) { o.subject_status.reset(); }},
        BadField{"engine.name", [](auto& o) { o.engine.name = ""; }},
        BadField{"engine.dimension", [](auto& o) { o.engine.dimension = 2049; }},
        BadField{"threshold", [](auto& o) { o.threshold = 0; }},
        BadField{"threshold", [](auto& o) { o.threshold = 1.01; }},
        BadField{"threshold",
                 [](auto& o) { o.threshold = std::numeric_limits<double>::quiet_NaN(); }},
        BadField{"list_categories", [](auto& o) { o.list_categories.clear(); }},
        BadField{"list_categories",
                 [](auto& o) { o.list_categories.push_back(o.list_categories[0]); }},
        BadField{"list_categories", [](auto& o) { o.list_categories = {Category("everybody")}; }}));

TEST(IdentifyOrder, AsksAsAnOperatorOnceAndTellsTheClassOfTheOffence) {
  const auto order = OrderOf(Good(), "s-abc");
  EXPECT_EQ(order->request.role, policy::RequesterRole::kOperator);
  EXPECT_EQ(order->request.use, policy::UseMode::kRetrospective);
  EXPECT_EQ(order->request.offence_class, policy::OffenceClass::k4YearsOrMore);
  EXPECT_TRUE(order->request.has_case_reference);
  EXPECT_TRUE(order->deployment.empty());
  EXPECT_EQ(order->justification.at("search"), "s-abc");
}

TEST(Offence, FallsIntoTheClassOfItsLongestSentence) {
  using policy::OffenceClass;
  for (const auto& [years, expected] :
       {std::pair{0U, OffenceClass::kBelow1Year}, std::pair{1U, OffenceClass::k1To4Years},
        std::pair{3U, OffenceClass::k1To4Years}, std::pair{4U, OffenceClass::k4YearsOrMore},
        std::pair{99U, OffenceClass::k4YearsOrMore}}) {
    EXPECT_EQ(ClassOf({"code", years}), expected) << years;
  }
}

}  // namespace
}  // namespace comity::matching
