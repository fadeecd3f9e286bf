// SPDX-License-Identifier: Apache-2.0
// The acts against an independent copy of the roles matrix, tests/data/roles_matrix.txt, which was
// written from the domain study and not from the code.
#include "services/identity/act.h"

#include <gmock/gmock.h>

#include <array>
#include <fstream>
#include <map>
#include <sstream>

#include "tests/support/result_matchers.h"

namespace comity::identity {
namespace {

using comity::testing::FailsWith;

struct Row {
  RoleSet does;
  RoleSet approves;
  bool urgent = false;
};

// Columns as the study has them.
constexpr std::array kColumns{Role::kOperator,       Role::kAdjudicator,   Role::kSupervisor,
                              Role::kReleaseOfficer, Role::kDpo,           Role::kSignatory,
                              Role::kAuditor,        Role::kAdministrator, Role::kKeyAdministrator};

std::map<std::string, Row> ReadMatrix() {
  std::ifstream file(COMITY_SOURCE_DIR "/tests/data/roles_matrix.txt");
  std::map<std::string, Row> rows;
  std::string line;
  while (std::getline(file, line)) {
    if (line.empty() || line.front() == '#') continue;
    std::istringstream words(line);
    std::string name;
    words >> name;
    Row row;
    row.urgent = name.ends_with('!');
    if (row.urgent) name.pop_back();
    for (const Role role : kColumns) {
      std::string cell;
      EXPECT_TRUE(words >> cell) << line;
      if (cell.find('x') != std::string::npos) row.does.Add(role);
      if (cell.find('a') != std::string::npos) row.approves.Add(role);
      EXPECT_TRUE(cell == "-" || cell == "x" || cell == "a" || cell == "xa") << line;
    }
    EXPECT_TRUE(rows.emplace(name, row).second) << line;
  }
  return rows;
}

TEST(Acts, AreThoseOfTheRolesMatrixAndNoOthers) {
  const auto matrix = ReadMatrix();
  EXPECT_EQ(matrix.size(), ActRules().size());
  for (const ActRule& rule : ActRules()) {
    const auto row = matrix.find(std::string(rule.name));
    ASSERT_NE(row, matrix.end()) << rule.name;
    EXPECT_EQ(rule.roles.Names(), row->second.does.Names()) << rule.name;
    EXPECT_EQ(rule.approvers.Names(), row->second.approves.Names()) << rule.name;
    EXPECT_EQ(rule.urgent, row->second.urgent) << rule.name;
  }
}

TEST(Acts, AreFoundByTheirNames) {
  for (const ActRule& rule : ActRules()) EXPECT_EQ(ParseAct(rule.name).value(), rule.act);
  EXPECT_THAT(ParseAct("anything"), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(Acts, CanAlwaysFindASecondPersonOfAnotherOrTheSameRole) {
  for (const ActRule& rule : ActRules()) {
    EXPECT_FALSE(rule.roles.empty()) << rule.name;
    EXPECT_FALSE(rule.words.empty()) << rule.name;
    // Who carries it out alone must be of those who approve.
    if (rule.urgent) {
      EXPECT_TRUE(rule.roles.Meets(rule.approvers)) << rule.name;
    }
  }
}

}  // namespace
}  // namespace comity::identity
