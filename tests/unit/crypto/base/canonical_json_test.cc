// SPDX-License-Identifier: Apache-2.0
#include "crypto/base/canonical_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/result_matchers.h"

namespace comity {
namespace {

using nlohmann::json;
using testing::FailsWith;
using testing::IsOk;
using testing::IsOkAnd;

constexpr std::size_t kLimit = 4096;

std::string Nested(int depth, char open, char close) {
  std::string text(static_cast<std::size_t>(depth), open);
  return text + std::string(static_cast<std::size_t>(depth), close);
}

TEST(CanonicalJson, OrdersNamesByOctet) {
  EXPECT_EQ(EncodeCanonicalJson({{"b", 1}, {"A", 2}, {"a", 3}, {"~", 4}}),
            R"({"A":2,"a":3,"b":1,"~":4})");
}

TEST(CanonicalJson, WritesControlCharactersAsRfc8785Does) {
  std::string text;
  for (char c = 0; c < 0x20; ++c) text += c;
  EXPECT_EQ(EncodeCanonicalJson(text),
            "\"\\u0000\\u0001\\u0002\\u0003\\u0004\\u0005\\u0006\\u0007\\b\\t\\n\\u000b\\f\\r"
            "\\u000e\\u000f\\u0010\\u0011\\u0012\\u0013\\u0014\\u0015\\u0016\\u0017\\u0018\\u0019"
            "\\u001a\\u001b\\u001c\\u001d\\u001e\\u001f\"");
}

TEST(CanonicalJson, LeavesDeleteAndNonAsciiLiteral) {
  const std::string text = "\"\x7f\xc2\x80\xe2\x82\xac\xf0\x9f\x98\x80/\"";
  EXPECT_EQ(EncodeCanonicalJson(json("\x7f\xc2\x80\xe2\x82\xac\xf0\x9f\x98\x80/")), text);
  EXPECT_THAT(ParseCanonicalJson(text, kLimit), IsOk());
}

TEST(CanonicalJson, GivesBackWhatItWrote) {
  const json value = {{"list", {1, -2, true, "x\n"}}, {"object", {{"empty", json::object()}}}};
  EXPECT_THAT(ParseCanonicalJson(EncodeCanonicalJson(value), kLimit),
              IsOkAnd(::testing::Eq(value)));
}

TEST(CanonicalJson, RefusesEverySpellingButTheCanonicalOne) {
  for (const std::string text : {R"({"b":1,"a":2})",
                                 R"({"a":1,"a":1})",
                                 R"({ "a":1})",
                                 "{\"a\":1}\n",
                                 R"(["\u0041"])",
                                 R"(["\/"])",
                                 R"(["\u007f"])",
                                 R"(["\u000A"])",
                                 "[01]",
                                 "[-0]",
                                 "[1.0]",
                                 "[1e2]",
                                 "[null]",
                                 "[1,]",
                                 "",
                                 "x",
                                 "\xef\xbb\xbf[]",
                                 "[]x",
                                 "[/**/]",
                                 R"({"a":1)",
                                 R"(["\ud800"])"}) {
    EXPECT_THAT(ParseCanonicalJson(text, kLimit), FailsWith(ErrorCode::kInvalidArgument)) << text;
  }
}

TEST(CanonicalJson, RefusesIllFormedUtf8) {
  for (const std::string text : {"[\"\xff\"]", "[\"\xc0\x80\"]", "[\"\xed\xa0\x80\"]",
                                 "[\"\xf4\x90\x80\x80\"]", "[\"\xe2\x82\"]", "{\"\xff\":1}"}) {
    EXPECT_THAT(ParseCanonicalJson(text, kLimit), FailsWith(ErrorCode::kInvalidArgument));
  }
}

TEST(CanonicalJson, RefusesRawControlCharactersInStrings) {
  EXPECT_THAT(ParseCanonicalJson("[\"\n\"]", kLimit), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(ParseCanonicalJson(std::string("[\"\0\"]", 5), kLimit),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST(CanonicalJson, BoundsIntegersAt53Bits) {
  EXPECT_THAT(ParseCanonicalJson("[9007199254740991,-9007199254740991]", kLimit), IsOk());
  for (const std::string text : {"[9007199254740992]", "[-9007199254740992]",
                                 "[18446744073709551616]", "[-9223372036854775809]"}) {
    EXPECT_THAT(ParseCanonicalJson(text, kLimit), FailsWith(ErrorCode::kInvalidArgument)) << text;
  }
}

TEST(CanonicalJson, BoundsNestingAt16) {
  EXPECT_THAT(ParseCanonicalJson(Nested(16, '[', ']'), kLimit), IsOk());
  EXPECT_THAT(ParseCanonicalJson(Nested(17, '[', ']'), kLimit),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(ParseCanonicalJson(std::string(kLimit, '['), kLimit),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST(CanonicalJson, BoundsSizeBeforeParsing) {
  EXPECT_THAT(ParseCanonicalJson("[1,2]", 5), IsOk());
  EXPECT_THAT(ParseCanonicalJson("[1,2]", 4), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(CanonicalJson, RefusesNamesBeyondPrintableAscii) {
  for (const std::string text : {"{\"\xc3\xa9\":1}", "{\"\\n\":1}", "{\"\x7f\":1}"}) {
    EXPECT_THAT(ParseCanonicalJson(text, kLimit), FailsWith(ErrorCode::kInvalidArgument));
  }
}

TEST(CanonicalJson, TryEncodeGivesAnErrorForTextFromOutside) {
  EXPECT_THAT(TryEncodeCanonicalJson({{"note", "\xff"}}), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(TryEncodeCanonicalJson({{"\xff", 1}}), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(TryEncodeCanonicalJson(json(nullptr)), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(TryEncodeCanonicalJson(json(0.5)), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(TryEncodeCanonicalJson({{"note", "ok"}}), IsOkAnd(::testing::Eq(R"({"note":"ok"})")));
}

TEST(CanonicalJsonDeathTest, EncodeEndsTheProcessOnOurOwnMistake) {
  EXPECT_DEATH(EncodeCanonicalJson(json(0.5)), "invariant broken");
}

}  // namespace
}  // namespace comity
