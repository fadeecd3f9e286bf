// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "crypto/base/quote.h"
#include "crypto/base/utf8.h"

namespace comity {
namespace {

TEST(Quote, EscapesWhatIsNotPrintableAscii) {
  EXPECT_EQ(Quote("a b\n\x1b[31m'\\\xc3\xa9"), "'a b\\x0a\\x1b[31m\\x27\\x5c\\xc3\\xa9'");
}

TEST(Quote, CutsLongText) {
  EXPECT_EQ(Quote("abcdef", 6), "'abcdef'");
  EXPECT_EQ(Quote("abcdefg", 6), "'abcdef...'");
}

TEST(Utf8, AcceptsTheEdgesOfEveryRange) {
  for (const std::string text :
       {"", "a", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
        "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(IsUtf8(text)) << Quote(text);
  }
}

TEST(Utf8, RefusesLongFormsSurrogatesAndCutSequences) {
  for (const std::string text :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41", "\xe0\x9f\xbf", "\xe2\x82",
        "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"}) {
    EXPECT_FALSE(IsUtf8(text)) << Quote(text);
  }
}

TEST(Utf8, FindsSpacesBeyondAscii) {
  EXPECT_TRUE(HasUnicodeSpace("a\xc2\xa0z"));
  EXPECT_TRUE(HasUnicodeSpace("\xe3\x80\x80"));
  EXPECT_FALSE(HasUnicodeSpace("caf\xc3\xa9 \xe2\x80\x94"));
}

}  // namespace
}  // namespace comity
