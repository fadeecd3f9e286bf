// SPDX-License-Identifier: Apache-2.0
#include "services/identity/role.h"

#include <gmock/gmock.h>

#include "tests/support/result_matchers.h"

namespace comity::identity {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using ::testing::ElementsAre;
using enum Role;

TEST(RoleSet, GivesNamesInTheOrderOfRolesAndReadsThemBack) {
  const RoleSet roles{kDpo, kOperator};
  EXPECT_THAT(roles.Names(), ElementsAre("operator", "dpo"));
  EXPECT_EQ(RoleSet::Parse(roles.Names()).value(), roles);
}

TEST(RoleSet, ReadsEveryRoleByItsName) {
  for (std::uint8_t i = 0; i < kRoleCount; ++i) {
    const auto role = static_cast<Role>(i);
    EXPECT_EQ(ParseRole(Name(role)).value(), role);
  }
}

TEST(RoleSet, RefusesUnknownRepeatedAndNoRoles) {
  EXPECT_THAT(RoleSet::Parse({"sheriff"}), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(RoleSet::Parse({"dpo", "dpo"}), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(RoleSet::Parse({}), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(RoleSet, KeepsOversightApartFromOperation) {
  EXPECT_THAT(CheckTogether({kDpo, kOperator}), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(CheckTogether({kDpo, kSignatory}), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(CheckTogether({kAuditor, kDpo}), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(CheckTogether({kAdministrator, kSupervisor}), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(CheckTogether({kAdministrator, kKeyAdministrator}),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(CheckTogether({kKeyAdministrator, kAdjudicator}),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST(RoleSet, LetsOperatingRolesStandTogether) {
  EXPECT_THAT(CheckTogether({kOperator, kAdjudicator, kSupervisor, kReleaseOfficer, kSignatory}),
              IsOk());
}

}  // namespace
}  // namespace comity::identity
