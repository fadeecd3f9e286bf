// SPDX-License-Identifier: Apache-2.0
#include "services/backup/backup_key.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "crypto/envelope/aead.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"

namespace comity::backup {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::IsOkAnd;

const policy::Instant kExpires = policy::ParseInstant("2026-12-25T08:00:00Z").value();

class BackupKeyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const fs::path& folder : folders_) fs::create_directories(folder);
    ASSERT_THAT(StoreBackupKey({"b-one", kExpires, key_.Clone()}, kek_, folders_, random_), IsOk());
  }

  SystemRandom random_;
  const testing::TemporaryDirectory directory_;
  const std::vector<fs::path> folders_{directory_.path() / "own", directory_.path() / "copy"};
  const SecretBytes kek_ = SecretBytes::CopyOf(Bytes(32, 7));
  const SecretBytes key_ = envelope::GenerateKey(random_);
};

TEST_F(BackupKeyTest, IsFoundInEitherFolder) {
  fs::remove_all(folders_[0] / "backups");
  const auto found = FindBackupKey("b-one", kek_, folders_);
  ASSERT_THAT(found, IsOk());
  EXPECT_EQ(found->expires_at, kExpires);
  EXPECT_TRUE(ConstantTimeEqual(found->key.Expose(), key_.Expose()));
  EXPECT_EQ(CountBackupKeys(folders_).count, 1U);
}

TEST_F(BackupKeyTest, DoesNotOpenWithAnotherKeyOrALaterExpiry) {
  EXPECT_THAT(FindBackupKey("b-one", SecretBytes::CopyOf(Bytes(32, 8)), folders_),
              FailsWith(ErrorCode::kCorrupt));
  const fs::path file = folders_[0] / "backups" / "b-one.key";
  std::ifstream stream(file);
  std::string text{std::istreambuf_iterator<char>(stream), {}};
  text.replace(text.find("2026-12"), 7, "2027-12");
  std::ofstream(file, std::ios::trunc) << text;
  EXPECT_THAT(FindBackupKey("b-one", kek_, folders_), FailsWith(ErrorCode::kCorrupt));
}

TEST_F(BackupKeyTest, IsDestroyedInEveryFolderWhenTheBackupExpires) {
  EXPECT_THAT(DestroyExpiredKeys(folders_, kExpires - std::chrono::microseconds(1)),
              IsOkAnd(IsEmpty()));
  EXPECT_THAT(DestroyExpiredKeys(folders_, kExpires), IsOkAnd(ElementsAre("b-one")));
  EXPECT_THAT(FindBackupKey("b-one", kek_, folders_), FailsWith(ErrorCode::kNotFound));
  for (const fs::path& folder : folders_) EXPECT_TRUE(fs::is_empty(folder / "backups"));
}

}  // namespace
}  // namespace comity::backup
