// SPDX-License-Identifier: Apache-2.0
#include "services/transport/address.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/result_matchers.h"

namespace comity::transport {
namespace {

using testing::FailsWith;
using testing::IsOkAnd;

TEST(Address, ReadsNamesAndNumbers) {
  EXPECT_THAT(ParseAddress("gateway.example:7443"), IsOkAnd(Address{"gateway.example", 7443}));
  EXPECT_THAT(ParseAddress("192.0.2.7:1"), IsOkAnd(Address{"192.0.2.7", 1}));
  EXPECT_THAT(ParseAddress("[2001:db8::7]:65535"), IsOkAnd(Address{"2001:db8::7", 65535}));
  EXPECT_THAT(ParseAddress("localhost:0"), IsOkAnd(Address{"localhost", 0}));
}

TEST(Address, EncodesWhatItParses) {
  for (const char* text : {"gateway.example:7443", "127.0.0.1:80", "[::1]:443"}) {
    const auto address = ParseAddress(text);
    ASSERT_TRUE(address.has_value()) << text;
    EXPECT_EQ(address->text(), text);
  }
}

class BadAddress : public ::testing::TestWithParam<std::string> {};

TEST_P(BadAddress, IsRefused) {
  EXPECT_THAT(ParseAddress(GetParam()), FailsWith(ErrorCode::kInvalidArgument));
}

INSTANTIATE_TEST_SUITE_P(Spellings, BadAddress,
                         ::testing::Values("", ":", "host", "host:", ":80", "host:port", "host:+80",
                                           "host:080", "host:65536", "host:80 ", " host:80",
                                           "host:-1", "http://host:80", "host:80/", "::1:80",
                                           "[::1]80", "[::1]", "[::1", "[]:80", "[host]:80",
                                           "[::1%eth0]:80", "10.0.0.256:80", "10.0.0:80", "Host:80",
                                           "ho_st:80", "unix:/tmp/x", "a..b:80",
                                           std::string("a\0b:80", 6)));

TEST(Address, KnowsLoopback) {
  EXPECT_TRUE(IsLoopback({"127.0.0.1", 1}));
  EXPECT_TRUE(IsLoopback({"127.8.9.10", 1}));
  EXPECT_TRUE(IsLoopback({"::1", 1}));
  EXPECT_TRUE(IsLoopback({"localhost", 1}));
  EXPECT_FALSE(IsLoopback({"0.0.0.0", 1}));
  EXPECT_FALSE(IsLoopback({"127.evil.example", 1}));
  EXPECT_FALSE(IsLoopback({"192.0.2.7", 1}));
}

}  // namespace
}  // namespace comity::transport
