// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/restart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace comity::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class PendingRestartTest : public ::testing::Test {
 protected:
  std::vector<std::string> asked_;
  PendingRestart pending_{[this](std::string why) { asked_.push_back(std::move(why)); }};
};

TEST_F(PendingRestartTest, OfADatabaseThatWasOpenedAgainIsNone) {
  pending_.Ask("database lost");
  EXPECT_THAT(asked_, IsEmpty());
  pending_.Forget();
  pending_.Settle();
  EXPECT_THAT(asked_, IsEmpty());
}

TEST_F(PendingRestartTest, OfTheDatabaseThatIsKeptIsPassedOn) {
  pending_.Forget();
  pending_.Ask("database lost");
  pending_.Settle();
  EXPECT_THAT(asked_, ElementsAre("database lost"));
  pending_.Ask("database out of reach");
  EXPECT_THAT(asked_, ElementsAre("database lost", "database out of reach"));
}

TEST_F(PendingRestartTest, WithoutAnybodyToAskIsNoFault) {
  PendingRestart alone{nullptr};
  alone.Settle();
  alone.Ask("database lost");
}

}  // namespace
}  // namespace comity::gateway
