// SPDX-License-Identifier: Apache-2.0
#include "services/transport/status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

namespace comity::transport {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr ErrorCode kAllCodes[] = {
    ErrorCode::kInvalidArgument, ErrorCode::kUnauthenticated, ErrorCode::kPermissionDenied,
    ErrorCode::kNotFound,        ErrorCode::kConflict,        ErrorCode::kExhausted,
    ErrorCode::kUnavailable,     ErrorCode::kCorrupt,         ErrorCode::kInternal};

TEST(GrpcStatus, EveryCodeComesBackAsItself) {
  std::set<grpc::StatusCode> seen;
  for (const ErrorCode code : kAllCodes) {
    const grpc::Status status = ToGrpcStatus({code, "x"}, "c1");
    EXPECT_FALSE(status.ok());
    EXPECT_TRUE(seen.insert(status.error_code()).second) << Name(code);
    EXPECT_EQ(FromGrpcStatus(status).code, code);
    EXPECT_EQ(FromLocalGrpcStatus(ToLocalGrpcStatus({code, "x"})).code, code);
  }
}

TEST(GrpcStatus, TellsAPeerTheReferenceAndNeverTheDetail) {
  for (const ErrorCode code : kAllCodes) {
    const grpc::Status status = ToGrpcStatus({code, "row 7 of table secrets"}, "c-42");
    EXPECT_THAT(status.error_message(), HasSubstr("c-42"));
    EXPECT_THAT(status.error_message(), Not(HasSubstr("secrets")));
    EXPECT_TRUE(status.error_details().empty());
  }
}

TEST(GrpcStatus, TellsTheOwnPeopleTheDetail) {
  EXPECT_EQ(ToLocalGrpcStatus({ErrorCode::kConflict, "line 3: no"}).error_message(), "line 3: no");
  EXPECT_FALSE(ToLocalGrpcStatus({ErrorCode::kConflict, ""}).error_message().empty());
  EXPECT_EQ(
      ToLocalGrpcStatus({ErrorCode::kConflict, std::string(9000, 'a')}).error_message().size(),
      2048U + 3U);
}

TEST(GrpcStatus, CutsAndEscapesWhatAPeerSays) {
  const Error error = FromGrpcStatus(
      {grpc::StatusCode::INTERNAL, "\x1b[2J\nforged line\xff" + std::string(5000, 'a')});
  EXPECT_THAT(error.detail, HasSubstr("\\x1b[2J\\x0aforged line\\xff"));
  EXPECT_LT(error.detail.size(), 300U);
}

TEST(GrpcStatus, KeepsLinesOfTheOwnGateway) {
  EXPECT_EQ(FromLocalGrpcStatus({grpc::StatusCode::INVALID_ARGUMENT, "a\nb\x1b"}).detail,
            "a\nb\\x1b");
}

TEST(GrpcStatus, TakesATimeoutForUnavailableAndAnUnknownCodeForAFault) {
  EXPECT_EQ(FromGrpcStatus({grpc::StatusCode::DEADLINE_EXCEEDED, ""}).code,
            ErrorCode::kUnavailable);
  EXPECT_EQ(FromGrpcStatus({grpc::StatusCode::CANCELLED, ""}).code, ErrorCode::kUnavailable);
  EXPECT_EQ(FromGrpcStatus({grpc::StatusCode::UNKNOWN, ""}).code, ErrorCode::kInternal);
}

}  // namespace
}  // namespace comity::transport
