// SPDX-License-Identifier: Apache-2.0
#include "crypto/tlog/entry.h"

#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <random>

#include "crypto/base/canonical_json.h"
#include "tests/support/result_matchers.h"
#include "tests/support/sample_log.h"

namespace comity::tlog {
namespace {

using nlohmann::json;
using testing::FailsWith;
using testing::IsOk;
using testing::IsOkAnd;
using testing::SampleEntry;

constexpr std::string_view kSmallest =
    R"({"parties":["a"],"time":"2026-11-25T08:00:00Z","type":"t","v":1})";

LogEntry FullEntry() {
  LogEntry entry = SampleEntry(7);
  entry.counts = {{"faces", 12'345}, {"hits", 0}};
  return entry;
}

bool BothAccept(std::string_view text) {
  EntryFacts facts;
  const bool checked = CheckEntry(text, facts).has_value();
  const auto parsed = ParseEntry(text);
  EXPECT_EQ(checked, parsed.has_value()) << text;
  if (!parsed) return false;
  EXPECT_THAT(EncodeEntry(*parsed), IsOkAnd(::testing::Eq(text)));
  EXPECT_THAT(ParseCanonicalJson(text, kMaxEntrySize), IsOk()) << text;
  EXPECT_EQ(facts.type, parsed->type);
  EXPECT_EQ(facts.time, parsed->time);
  return true;
}

TEST(LogEntry, RoundTrips) {
  for (const LogEntry& entry : {FullEntry(), SampleEntry(0)}) {
    const auto text = EncodeEntry(entry);
    ASSERT_THAT(text, IsOk());
    EXPECT_TRUE(BothAccept(*text));
    EXPECT_THAT(ParseEntry(*text), IsOkAnd(::testing::Eq(entry)));
  }
}

TEST(LogEntry, LeavesOutEmptyFields) {
  LogEntry entry;
  entry.type = "t";
  entry.parties = {"a"};
  entry.time = ParseEntryTime("2026-11-25T08:00:00Z").value();
  EXPECT_THAT(EncodeEntry(entry), IsOkAnd(::testing::Eq(kSmallest)));
}

TEST(LogEntry, HasTheOctetsOfTheWrittenExample) {
  EXPECT_THAT(
      EncodeEntry(FullEntry()),
      IsOkAnd(::testing::Eq(
          R"({"agreement":{"id":"northshire-eastvale-2026","sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","version":3},)"
          R"("commitments":{"case_reference":")" +
          EncodeBase64(hash::Sha256(AsBytes("case7")).view()) + R"(","operator":")" +
          EncodeBase64(hash::Sha256(AsBytes("operator7")).view()) +
          R"("},"counts":{"faces":12345,"hits":0},"decision":{"clauses":["purpose.court-order-arrest"],"code":"permit"},)"
          R"("exchange":"x-7","messages":{"request":")" +
          EncodeBase64(hash::Sha256(AsBytes("request7")).view()) +
          R"("},"parties":["northshire-police","eastvale-police"],"time":"2026-11-25T00:00:00.007Z","type":"search.answered","v":1})")));
}

TEST(LogEntry, RefusesToEncodeWhatIsOutOfBounds) {
  const std::function<void(LogEntry&)> breaks[] = {
      [](LogEntry& e) { e.type.clear(); },
      [](LogEntry& e) { e.type = std::string(129, 'a'); },
      [](LogEntry& e) { e.type = "a\"b"; },
      [](LogEntry& e) { e.exchange = R"(x","messages":{)"; },
      [](LogEntry& e) { e.exchange = "caf\xc3\xa9"; },
      [](LogEntry& e) { e.parties.clear(); },
      [](LogEntry& e) { e.parties = std::vector<std::string>(65, "a"); },
      [](LogEntry& e) { e.parties = {""}; },
      [](LogEntry& e) { e.agreement->version = 0; },
      [](LogEntry& e) { e.agreement->version = -1; },
      [](LogEntry& e) { e.agreement->version = std::int64_t{1} << 53; },
      [](LogEntry& e) { e.agreement->id = "a\\"; },
      [](LogEntry& e) { e.decision->code.clear(); },
      [](LogEntry& e) { e.decision->clauses = {"\n"}; },
      [](LogEntry& e) { e.counts["n"] = -1; },
      [](LogEntry& e) { e.counts[""] = 1; },
      [](LogEntry& e) { e.commitments["\x7f"] = Digest(); },
      [](LogEntry& e) { e.time = EntryTime(std::chrono::microseconds(-1)); },
      [](LogEntry& e) { e.time = EntryTime::max(); },
  };
  for (std::size_t i = 0; i < std::size(breaks); ++i) {
    LogEntry entry = FullEntry();
    breaks[i](entry);
    EXPECT_THAT(EncodeEntry(entry), FailsWith(ErrorCode::kInvalidArgument)) << i;
  }
}

TEST(LogEntry, IsAtMost8KiB) {
  LogEntry entry = FullEntry();
  entry.decision->clauses = std::vector<std::string>(60, std::string(120, 'c'));
  EXPECT_THAT(EncodeEntry(entry), IsOk());
  entry.decision->clauses = std::vector<std::string>(64, std::string(128, 'c'));
  EXPECT_THAT(EncodeEntry(entry), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(LogEntry, AcceptsTheEdgesOfItsBounds) {
  LogEntry entry = FullEntry();
  entry.type = std::string(128, '~');
  entry.counts["n"] = (std::int64_t{1} << 53) - 1;
  entry.decision->clauses.clear();
  entry.parties = std::vector<std::string>(64, " ");
  EXPECT_TRUE(BothAccept(EncodeEntry(entry).value()));
}

TEST(LogEntry, RefusesEachFieldBrokenOnce) {
  const json good = json::parse(EncodeEntry(FullEntry()).value());
  const std::pair<std::string, json> patches[] = {
      {"/v", 2},
      {"/v", "1"},
      {"/extra", 1},
      {"/type", ""},
      {"/type", 1},
      {"/type", "\xc3\xa9"},
      {"/time", "2026-11-25T08:00:00.000Z"},
      {"/time", 5},
      {"/exchange", ""},
      {"/parties", json::array()},
      {"/parties", "a"},
      {"/parties/0", 1},
      {"/agreement/id", ""},
      {"/agreement/version", 0},
      {"/agreement/version", -3},
      {"/agreement/sha256", std::string(64, 'F')},
      {"/agreement/sha256", std::string(63, '0')},
      {"/agreement/extra", 1},
      {"/decision/code", ""},
      {"/decision/clauses", "x"},
      {"/decision/extra", 1},
      {"/commitments", json::object()},
      {"/counts", json::object()},
      {"/messages", json::object()},
      {"/commitments/operator", "AAAA"},
      {"/commitments/operator", std::string(42, 'A') + "B="},
      {"/messages/request", 1},
      {"/counts/faces", -1},
      {"/counts/faces", "1"},
      {"/counts/faces", true}};
  for (const auto& [path, value] : patches) {
    json broken = good;
    broken[json::json_pointer(path)] = value;
    EXPECT_FALSE(BothAccept(EncodeCanonicalJson(broken))) << path << value;
  }
  for (const std::string path :
       {"/v", "/type", "/time", "/parties", "/agreement/id", "/agreement/sha256",
        "/agreement/version", "/decision/code", "/decision/clauses"}) {
    json broken = good;
    const json::json_pointer pointer(path);
    broken[pointer.parent_pointer()].erase(pointer.back());
    EXPECT_FALSE(BothAccept(EncodeCanonicalJson(broken))) << path;
  }
}

TEST(LogEntry, NamesTheOctetAndWhatIsExpected) {
  const auto entry = ParseEntry(R"({"parties":["a"],"time":"2026-11-25T08:00:00Z","v":1})");
  ASSERT_THAT(entry, FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_EQ(entry.error().detail, R"(not a log entry: octet 46: expected ,"type":)");
}

TEST(LogEntry, RefusesEveryCutAndEveryExtension) {
  const std::string good = EncodeEntry(FullEntry()).value();
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(BothAccept(std::string_view(good).substr(0, size)));
  }
  EXPECT_FALSE(BothAccept(good + " "));
  EXPECT_FALSE(BothAccept(good + "\n"));
}

// A change of one octet either is refused by both readers, or gives an entry that encodes to it.
TEST(LogEntry, ReadersAgreeOnEveryChangedOctet) {
  const std::string good = EncodeEntry(FullEntry()).value();
  std::size_t refused = 0;
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const char c : std::string_view("\0\"\\,:{}[]0aZ=~\x7f\xff", 17)) {
      std::string changed = good;
      changed[at] = c;
      refused += BothAccept(changed) ? 0U : 1U;
    }
  }
  EXPECT_GT(refused, good.size());
}

TEST(LogEntry, ReadersAgreeOnRandomEdits) {
  const std::string good = EncodeEntry(FullEntry()).value();
  std::mt19937 random(20261125);  // NOLINT(cert-msc51-cpp): the run must repeat
  const auto below = [&](std::size_t bound) { return random() % bound; };
  for (int i = 0; i < 20'000; ++i) {
    std::string changed = good;
    const std::size_t at = below(changed.size());
    const std::size_t size = below(std::min<std::size_t>(20, changed.size() - at) + 1);
    if (i % 3 == 0) changed.erase(at, size);
    if (i % 3 == 1) changed.insert(at, good.substr(below(good.size()), size));
    if (i % 3 == 2) std::swap(changed[at], changed[below(changed.size())]);
    BothAccept(changed);
  }
}

TEST(LogEntry, RefusesNamesOutOfOrderOrTwice) {
  const std::string tail = R"(,"parties":["a"],"time":"2026-11-25T08:00:00Z","type":"t","v":1})";
  EXPECT_TRUE(BothAccept(R"({"counts":{"a":1,"b":2})" + tail));
  EXPECT_FALSE(BothAccept(R"({"counts":{"b":1,"a":2})" + tail));
  EXPECT_FALSE(BothAccept(R"({"counts":{"a":1,"a":2})" + tail));
  EXPECT_FALSE(BothAccept(R"({"counts":{"a":01})" + tail));
  EXPECT_FALSE(BothAccept(R"({"counts":{"a":9007199254740992})" + tail));
  EXPECT_FALSE(BothAccept(R"({"counts":{"a":99999999999999999999})" + tail));
}

}  // namespace
}  // namespace comity::tlog
