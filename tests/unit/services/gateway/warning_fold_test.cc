// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/wire/warning_fold.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/manual_clock.h"

namespace comity::gateway {
namespace {

class WarningFoldTest : public ::testing::Test {
 protected:
  struct Line {
    WarningFold::Warning last;
    std::int64_t attempts = 0;
  };
  void Fail(const std::string& peer, ErrorCode code, const std::string& correlation = "c") {
    fold_.Add({peer, "Federation.Deliver", correlation, {code, "no"}});
  }

  testing::ManualClock clock_{policy::ParseInstant("2026-11-25T08:00:00Z").value()};
  std::vector<Line> lines_;
  WarningFold fold_{clock_, [this](const WarningFold::Warning& last, std::int64_t attempts) {
                      lines_.push_back({last, attempts});
                    }};
};

TEST_F(WarningFoldTest, WritesTheFirstAtOnceAndAFloodAsCountsThatAddUp) {
  for (int i = 0; i < 1000; ++i) {
    Fail("eastvale-council", ErrorCode::kExhausted, std::to_string(i));
    clock_.Advance(std::chrono::milliseconds(30));
  }
  ASSERT_GE(lines_.size(), 1u);
  EXPECT_EQ(lines_[0].attempts, 1);
  EXPECT_EQ(lines_[0].last.correlation, "0");
  EXPECT_LE(lines_.size(), 4u);  // 30 s
  clock_.Advance(std::chrono::seconds(10));
  fold_.WriteRepeats();
  std::int64_t total = 0;
  for (const Line& line : lines_) total += line.attempts;
  EXPECT_EQ(total, 1000);
  EXPECT_EQ(lines_.back().last.correlation, "999");
}

TEST_F(WarningFoldTest, KeepsCallersAndErrorCodesApart) {
  Fail("eastvale-council", ErrorCode::kExhausted);
  Fail("eastvale-council", ErrorCode::kCorrupt);
  Fail("riverside-health", ErrorCode::kExhausted);
  Fail("riverside-health", ErrorCode::kExhausted);
  EXPECT_EQ(lines_.size(), 3u);
}

}  // namespace
}  // namespace comity::gateway
