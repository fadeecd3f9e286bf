// SPDX-License-Identifier: Apache-2.0
#include "services/runtime/file.h"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>

#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"

namespace comity::runtime {
namespace {

using ::testing::Eq;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::IsOkAnd;

class File : public ::testing::Test {
 protected:
  std::filesystem::path Make(const std::string& name, const std::string& content, mode_t mode) {
    const auto path = directory_.path() / name;
    std::ofstream(path) << content;
    EXPECT_EQ(::chmod(path.c_str(), mode), 0);
    return path;
  }
  std::size_t FilesInDirectory() const {
    const std::filesystem::directory_iterator files(directory_.path());
    return static_cast<std::size_t>(std::distance(begin(files), end(files)));
  }
  const testing::TemporaryDirectory directory_;
};

TEST_F(File, IsReadWhole) {
  const auto path = Make("f", std::string("a\0b\n", 4), 0644);
  EXPECT_THAT(ReadFile(path, 4), IsOkAnd(Eq(Bytes{'a', 0, 'b', '\n'})));
  EXPECT_THAT(ReadTextFile(path, 100), IsOkAnd(Eq(std::string("a\0b\n", 4))));
}

TEST_F(File, AboveTheLimitIsRefused) {
  EXPECT_THAT(ReadFile(Make("f", "12345", 0644), 4), FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(File, WithoutASizeOfItsOwnIsStillLimited) {
  // Files of /proc claim to be empty and give text.
  EXPECT_THAT(ReadFile("/proc/self/status", 0), FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(File, ThatIsMissingOrNoFileIsNamed) {
  const auto missing = ReadFile(directory_.path() / "missing", 10);
  ASSERT_THAT(missing, FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(missing.error().detail, HasSubstr("/missing"));
  EXPECT_THAT(ReadFile(directory_.path(), 10), FailsWith(ErrorCode::kInvalidArgument));
  const auto fifo = directory_.path() / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_THAT(ReadFile(fifo, 10), FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(File, WithASecretIsReadWhenOnlyItsOwnerCan) {
  for (const mode_t mode : {0600U, 0400U}) {
    const auto secret = ReadSecretFile(Make("k" + std::to_string(mode), "key", mode), 100);
    ASSERT_THAT(secret, IsOk());
    EXPECT_EQ(AsText(secret->Expose()), "key");
  }
}

TEST_F(File, WithASecretIsRefusedForEveryOtherBit) {
  for (const mode_t bit : {0100U, 0040U, 0020U, 0010U, 0004U, 0002U, 0001U}) {
    const auto path = Make("k", "key", 0600 | bit);
    EXPECT_THAT(ReadSecretFile(path, 100), FailsWith(ErrorCode::kPermissionDenied)) << bit;
    EXPECT_THAT(CheckPrivateFile(path), FailsWith(ErrorCode::kPermissionDenied)) << bit;
  }
  EXPECT_THAT(CheckPrivateFile(Make("k", "key", 0644)).error().detail, HasSubstr("mode 0644"));
}

TEST_F(File, IsWrittenWithItsMode) {
  const auto path = directory_.path() / "f";
  const mode_t old = ::umask(0077);
  ASSERT_THAT(WriteFile(path, AsBytes("content"), 0644), IsOk());
  ::umask(old);
  struct stat status{};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0644U);
  EXPECT_THAT(ReadTextFile(path, 100), IsOkAnd(Eq("content")));
}

TEST_F(File, IsReplacedWithoutLeavingAnotherBehind) {
  const auto path = directory_.path() / "f";
  ASSERT_THAT(WriteFile(path, AsBytes("old"), 0600), IsOk());
  ASSERT_THAT(WriteFile(path, {}, 0600), IsOk());
  EXPECT_THAT(ReadTextFile(path, 100), IsOkAnd(Eq("")));
  EXPECT_EQ(FilesInDirectory(), 1U);
}

TEST_F(File, StandsUnchangedWhenTheDiskIsFull) {
  const auto path = directory_.path() / "f";
  ASSERT_THAT(WriteFile(path, AsBytes("old"), 0600), IsOk());
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &limit), 0);
  const rlimit small{10, limit.rlim_max};
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const Status status = WriteFile(path, Bytes(100, 'x'), 0600);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_THAT(status, FailsWith(ErrorCode::kUnavailable));
  EXPECT_THAT(ReadTextFile(path, 100), IsOkAnd(Eq("old")));
  EXPECT_EQ(FilesInDirectory(), 1U);
}

TEST_F(File, IsNotWrittenIntoAMissingDirectory) {
  EXPECT_THAT(WriteFile(directory_.path() / "none" / "f", {}, 0600),
              FailsWith(ErrorCode::kUnavailable));
}

}  // namespace
}  // namespace comity::runtime
