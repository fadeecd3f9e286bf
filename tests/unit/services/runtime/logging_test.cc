// SPDX-License-Identifier: Apache-2.0
#include "services/runtime/logging.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "crypto/base/bytes.h"
#include "tests/support/manual_clock.h"

namespace comity::runtime {
namespace {

using ::testing::HasSubstr;

class Logging : public ::testing::Test {
 protected:
  std::string Text() const { return stream_.str(); }
  nlohmann::json Parsed() const { return nlohmann::json::parse(Text()); }

  testing::ManualClock clock_{Instant(std::chrono::microseconds(1'764'057'600'250'000))};
  std::ostringstream stream_;
  std::unique_ptr<Logger> logger_ = MakeStreamLogger(LogLevel::kInfo, clock_, stream_);
};

TEST_F(Logging, WritesOneJsonObjectALine) {
  logger_->Info("peer-connected", {{"peer", "eastvale-council"},
                                   {"streams", 3},
                                   {"bytes", std::numeric_limits<std::uint64_t>::max()},
                                   {"share", 0.5},
                                   {"resumed", false}});
  EXPECT_EQ(Text(),
            R"({"time":"2025-11-25T08:00:00.250000Z","level":"info","event":"peer-connected",)"
            R"("peer":"eastvale-council","streams":3,"bytes":18446744073709551615,"share":0.5,)"
            R"("resumed":false})"
            "\n");
}

TEST_F(Logging, LeavesOutWhatIsBelowTheLevel) {
  logger_->Debug("quiet");
  EXPECT_EQ(Text(), "");
  logger_->Error("loud");
  EXPECT_EQ(Parsed()["level"], "error");
}

TEST_F(Logging, CannotBeMadeToForgeALine) {
  logger_->Warn("refused", {{"text", "a\"}\n{\"event\":\"forged\x7F\\"}});
  const std::string text = Text();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  EXPECT_EQ(Parsed()["text"], "a\"}\n{\"event\":\"forged\x7F\\");
}

TEST_F(Logging, CutsLongText) {
  logger_->Info("long", {{"text", std::string(1000, 'x')}});
  EXPECT_EQ(Parsed()["text"], std::string(256, 'x') + "\u2026");
}

TEST_F(Logging, CutsBetweenCharactersAndNotInThem) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "\u20AC";  // three octets each
  logger_->Info("long", {{"text", text}});
  EXPECT_EQ(Parsed()["text"].get<std::string>(), text.substr(0, 255) + "\u2026");
}

TEST_F(Logging, ReplacesIllFormedUtf8) {
  for (const std::string bad :
       {"\xFF", "\xC0\xAF", "\xED\xA0\x80", "\xE2\x82", "\xF5\x80\x80\x80"}) {
    stream_.str("");
    logger_->Info("bad", {{"text", bad}});
    EXPECT_THAT(Parsed()["text"].get<std::string>(), HasSubstr("\uFFFD"));
  }
}

TEST_F(Logging, WritesNullForNumbersJsonDoesNotKnow) {
  logger_->Info("odd", {{"nan", std::numeric_limits<double>::quiet_NaN()},
                        {"infinite", std::numeric_limits<double>::infinity()}});
  EXPECT_TRUE(Parsed()["nan"].is_null());
  EXPECT_TRUE(Parsed()["infinite"].is_null());
}

TEST_F(Logging, KeepsLinesOfManyThreadsWhole) {
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        for (int line = 0; line < 100; ++line) logger_->Info("busy", {{"line", line}});
      });
    }
  }
  std::istringstream lines(Text());
  std::string line;
  int count = 0;
  for (; std::getline(lines, line); ++count) EXPECT_TRUE(nlohmann::json::accept(line)) << line;
  EXPECT_EQ(count, 800);
}

// Octets must not get into a log.
static_assert(!std::is_constructible_v<FieldValue, Bytes>);
static_assert(!std::is_constructible_v<FieldValue, ByteView>);
static_assert(!std::is_constructible_v<FieldValue, Digest>);

TEST(LogLevel, IsParsedFromItsName) {
  for (const LogLevel level :
       {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarn, LogLevel::kError}) {
    EXPECT_EQ(ParseLogLevel(Name(level)), level);
  }
  EXPECT_FALSE(ParseLogLevel("INFO"));
}

}  // namespace
}  // namespace comity::runtime
