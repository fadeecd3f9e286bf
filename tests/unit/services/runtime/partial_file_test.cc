// SPDX-License-Identifier: Apache-2.0
#include "services/runtime/partial_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>

#include "services/runtime/file.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"

namespace comity::runtime {
namespace {

using testing::FailsWith;
using testing::IsOk;
using testing::IsOkAnd;

class PartialFile : public ::testing::Test {
 protected:
  Status Append(std::uint64_t offset, std::string_view piece) {
    return AppendAt(path_, offset, AsBytes(piece), 0600);
  }
  std::string Content() const { return ReadTextFile(path_, 1 << 20).value_or("?"); }

  testing::TemporaryDirectory folder_;
  const std::filesystem::path path_ = folder_.path() / "piece";
};

TEST_F(PartialFile, GrowsByWhatComesNext) {
  EXPECT_THAT(PartialSize(path_), IsOkAnd(0U));
  ASSERT_THAT(Append(0, "abc"), IsOk());
  EXPECT_THAT(PartialSize(path_), IsOkAnd(3U));
  ASSERT_THAT(Append(3, ""), IsOk());
  ASSERT_THAT(Append(3, "def"), IsOk());
  EXPECT_EQ(Content(), "abcdef");
  struct stat status{};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
}

TEST_F(PartialFile, HasNoHoles) {
  EXPECT_THAT(Append(1, "b"), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_FALSE(std::filesystem::exists(path_));
  ASSERT_THAT(Append(0, "abc"), IsOk());
  EXPECT_THAT(Append(4, "e"), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_EQ(Content(), "abc");
}

TEST_F(PartialFile, DropsWhatIsBeyondTheOffset) {
  ASSERT_THAT(Append(0, "abcdef"), IsOk());
  ASSERT_THAT(Append(2, "X"), IsOk());
  EXPECT_EQ(Content(), "abX");
}

TEST_F(PartialFile, NeverWritesThroughALink) {
  const auto target = folder_.path() / "target";
  ASSERT_THAT(WriteFile(target, AsBytes("abc"), 0600), IsOk());
  std::filesystem::create_symlink(target, path_);
  EXPECT_THAT(PartialSize(path_), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Append(3, "def"), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(ReadTextFile(target, 10), IsOkAnd(std::string("abc")));
}

TEST_F(PartialFile, KeepsNothingOfAPieceForWhichTheDiskHasNoRoom) {
  ASSERT_THAT(Append(0, "abc"), IsOk());
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit old_limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old_limit), 0);
  const rlimit limit{1000, old_limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  const Status appended = Append(3, std::string(5000, 'x'));
  ::setrlimit(RLIMIT_FSIZE, &old_limit);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_THAT(appended, FailsWith(ErrorCode::kUnavailable));
  EXPECT_EQ(Content(), "abc");
  EXPECT_THAT(Append(3, "def"), IsOk());
}

TEST_F(PartialFile, GetsItsNameWhenItIsWhole) {
  ASSERT_THAT(Append(0, "abc"), IsOk());
  const auto whole = folder_.path() / "whole";
  ASSERT_THAT(KeepAs(path_, whole), IsOk());
  EXPECT_FALSE(std::filesystem::exists(path_));
  EXPECT_THAT(ReadTextFile(whole, 10), IsOkAnd(std::string("abc")));
  EXPECT_THAT(KeepAs(path_, whole), FailsWith(ErrorCode::kUnavailable));
}

}  // namespace
}  // namespace comity::runtime
