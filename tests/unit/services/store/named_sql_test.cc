// SPDX-License-Identifier: Apache-2.0
#include "services/store/sql/named_sql.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>

namespace comity::store {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

TEST(NamedSql, PutsAQuestionMarkForEachNameAndGivesTheValuesInOrder) {
  const NamedSql sql("UPDATE t SET a = :at, b = coalesce(b, :at) WHERE id = :id");
  EXPECT_EQ(sql.sql(), "UPDATE t SET a = ?, b = coalesce(b, ?) WHERE id = ?");
  EXPECT_THAT(
      sql.Arguments({{"id", "x"}, {"at", std::int64_t{7}}, {"unused", "y"}}),
      ElementsAre(StoredValue(std::int64_t{7}), StoredValue(std::int64_t{7}), StoredValue("x")));
}

TEST(NamedSql, LeavesATextWithoutNamesAsItIs) {
  const NamedSql sql("SELECT x'' FROM t WHERE a = '*'");
  EXPECT_EQ(sql.sql(), "SELECT x'' FROM t WHERE a = '*'");
  EXPECT_TRUE(sql.Arguments({}).empty());
}

TEST(MatchForm, GivesTheLastPartAllThatIsLeft) {
  const auto values = MatchForm(":list/:partner/:reference", "warrants/eastvale/NP/17/b");
  ASSERT_TRUE(values.has_value());
  EXPECT_THAT(*values, UnorderedElementsAre(Pair("list", StoredValue("warrants")),
                                            Pair("partner", StoredValue("eastvale")),
                                            Pair("reference", StoredValue("NP/17/b"))));
}

TEST(MatchForm, WantsEveryPartAndEveryWord) {
  EXPECT_FALSE(MatchForm(":list/:reference", "warrants").has_value());
  EXPECT_FALSE(MatchForm("sent/:id", "received/east/a").has_value());
  EXPECT_TRUE(MatchForm("sent/:id", "sent/a").has_value());
  EXPECT_FALSE(MatchForm("sent/:id", "sent").has_value());
}

TEST(MatchForm, TakesANumberAsOneAndNothingElseForIt) {
  const auto values = MatchForm(":number", "42");
  ASSERT_TRUE(values.has_value());
  EXPECT_THAT(*values, ElementsAre(Pair("number", StoredValue(std::int64_t{42}))));
  for (const char* text : {"", "42x", "x42", " 42", "99999999999999999999"}) {
    EXPECT_FALSE(MatchForm(":number", text).has_value()) << text;
  }
}

}  // namespace
}  // namespace comity::store
