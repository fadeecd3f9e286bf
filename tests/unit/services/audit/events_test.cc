// SPDX-License-Identifier: Apache-2.0
#include "services/audit/events.h"

#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/result_matchers.h"

namespace comity::audit {
namespace {

using ::comity::testing::FailsWith;
using ::comity::testing::IsOk;
using ::testing::HasSubstr;

// The cells of a Markdown table row, without blanks around them and without back quotes.
std::vector<std::string> Cells(const std::string& row) {
  std::vector<std::string> cells;
  std::istringstream in(row.substr(1));
  for (std::string cell; std::getline(in, cell, '|');) {
    std::erase(cell, '`');
    const auto begin = cell.find_first_not_of(' ');
    const auto end = cell.find_last_not_of(' ');
    cells.push_back(begin == std::string::npos ? "" : cell.substr(begin, end - begin + 1));
  }
  return cells;
}

// The rows of the catalogue: those whose first cell is a back-quoted name.
std::vector<std::vector<std::string>> CatalogueRows() {
  std::ifstream file(COMITY_SOURCE_DIR "/docs/audit_events.md");
  std::vector<std::vector<std::string>> rows;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("| `")) rows.push_back(Cells(line));
  }
  return rows;
}

TEST(AuditEvents, CatalogueHasOneRowForEachTypeWithItsFields) {
  const auto rows = CatalogueRows();
  ASSERT_EQ(rows.size(), kEventTypes.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    SCOPED_TRACE(rows[i][0]);
    ASSERT_EQ(rows[i].size(), 7U);
    EXPECT_EQ(rows[i][0], kEventTypes[i].name);
    EXPECT_NE(rows[i][1], "") << "who writes it";
    EXPECT_NE(rows[i][2], "") << "when";
    EXPECT_EQ(rows[i][3], kEventTypes[i].committed);
    EXPECT_EQ(rows[i][4], kEventTypes[i].messages);
    EXPECT_EQ(rows[i][5], kEventTypes[i].counts);
    const std::set<std::string> classes{"long", "agreement", "standard", "alert"};
    EXPECT_TRUE(classes.contains(rows[i][6])) << rows[i][6];
  }
}

TEST(AuditEvents, NamesAreUnique) {
  std::set<std::string_view> names;
  for (const EventType& type : kEventTypes) EXPECT_TRUE(names.insert(type.name).second);
}

TEST(AuditEvents, AcceptsDeclaredFields) {
  Event event{.type = kSearchPeriod};
  event.counts = {{"faces", 812}, {"refused-capacity-exhausted", 3}};
  event.committed = {{"deployment", "d-1"}};
  EXPECT_THAT(CheckEvent(event), IsOk());
}

TEST(AuditEvents, RefusesAnUnknownType) {
  const Status checked = CheckEvent({.type = "face-seen"});
  ASSERT_THAT(checked, FailsWith(ErrorCode::kInternal));
  EXPECT_THAT(checked.error().detail, HasSubstr("face-seen"));
}

TEST(AuditEvents, RefusesAFieldThatTheTypeDoesNotDeclare) {
  Event committed{.type = kSearchHit};
  committed.committed = {{"embedding", "x"}};
  EXPECT_THAT(CheckEvent(committed), FailsWith(ErrorCode::kInternal));
  Event message{.type = kSearchHit};
  message.messages["embedding"] = {};
  EXPECT_THAT(CheckEvent(message), FailsWith(ErrorCode::kInternal));
  Event count{.type = kSearchHit};
  count.counts["faces"] = 1;
  EXPECT_THAT(CheckEvent(count), FailsWith(ErrorCode::kInternal));
}

TEST(AuditEvents, AStarNeedsSomethingInItsPlace) {
  Event event{.type = kSearchPeriod};
  event.counts = {{"refused-", 1}};
  EXPECT_THAT(CheckEvent(event), FailsWith(ErrorCode::kInternal));
}

TEST(AuditEvents, NoEventDeclaresAnythingBiometric) {
  for (const EventType& type : kEventTypes) {
    for (const std::string_view list : {type.committed, type.messages, type.counts}) {
      EXPECT_EQ(list.find("embedding"), std::string_view::npos) << type.name;
      EXPECT_EQ(list.find("template"), std::string_view::npos) << type.name;
    }
  }
}

}  // namespace
}  // namespace comity::audit
