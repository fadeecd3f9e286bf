// SPDX-License-Identifier: Apache-2.0
#include "services/audit/log_edge.h"

#include <fstream>

#include "tests/unit/services/audit/log_fixture.h"

namespace comity::audit {
namespace {

using ::comity::testing::FailsWith;
using ::comity::testing::IsOk;
using ::testing::HasSubstr;

// A log of 20 entries, closed, with a copy of its database as it was at 10.
class ForkRefusal : public LogTest {
 protected:
  void SetUp() override {
    Open();
    Append(0, 10);
    ASSERT_THAT(log_->Flush(), IsOk());
    Close();
    std::filesystem::copy(data(), backup(), std::filesystem::copy_options::recursive);
    Open();
    Append(10, 10);
    ASSERT_THAT(log_->Flush(), IsOk());
    Close();
  }
  std::filesystem::path backup() const { return folder_.path() / "backup"; }
  void RestoreBackup() {
    std::filesystem::remove_all(data());
    std::filesystem::rename(backup(), data());
  }
  void SaveCheckpoint(const Checkpoint& checkpoint) {
    ASSERT_THAT(store_->Write([&](store::Transaction& tx) {
      return tx.checkpoints().Save({.size = checkpoint.size, .note = checkpoint.note});
    }),
                IsOk());
  }
  std::string FileCheckpoint() const {
    std::ifstream file(files() / "checkpoint");
    return {std::istreambuf_iterator<char>(file), {}};
  }
};

TEST_F(ForkRefusal, RefusesADatabaseOlderThanThePublishedCheckpoint) {
  RestoreBackup();
  OpenStore();
  const Status opened = TryOpen();
  ASSERT_THAT(opened, FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(opened.error().detail, HasSubstr("10 entries"));
  EXPECT_THAT(opened.error().detail, HasSubstr("over 20"));
}

TEST_F(ForkRefusal, RefusesARestoredDatabaseThatGrewToTheSameSize) {
  RestoreBackup();
  OpenStore();
  const std::string published = FileCheckpoint();
  std::filesystem::rename(files(), folder_.path() / "aside");
  ASSERT_THAT(TryOpen(), IsOk());
  Append(100, 10);  // other entries than those that were signed
  ASSERT_THAT(log_->Flush(), IsOk());
  Close();
  std::filesystem::remove_all(files());
  std::filesystem::rename(folder_.path() / "aside", files());
  OpenStore();
  const Status opened = TryOpen();
  ASSERT_THAT(opened, FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(opened.error().detail, HasSubstr("fork"));
  EXPECT_EQ(FileCheckpoint(), published) << "a refused log is left as found";
}

TEST_F(ForkRefusal, RefusesAStoreShorterThanItsOwnCheckpoint) {
  OpenStore();
  SaveCheckpoint(SignCheckpoint(kTestOrigin, key_, 21, Digest{}));
  EXPECT_THAT(TryOpen(), FailsWith(ErrorCode::kCorrupt));
}

TEST_F(ForkRefusal, RefusesACheckpointByAnotherKey) {
  OpenStore();
  key_ = sign::SigningKey::Generate(random_);
  const Status opened = TryOpen();
  ASSERT_THAT(opened, FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(opened.error().detail, HasSubstr("by its key"));
}

TEST_F(ForkRefusal, RefusesAChangedCheckpointFile) {
  std::ofstream(files() / "checkpoint") << "nothing";
  OpenStore();
  EXPECT_THAT(TryOpen(), FailsWith(ErrorCode::kCorrupt));
}

TEST_F(ForkRefusal, WritesNoTileBeforeTheRootIsRight) {
  std::filesystem::remove_all(files() / "tile");
  OpenStore();
  SaveCheckpoint(SignCheckpoint(kTestOrigin, key_, 21, Digest{}));
  EXPECT_THAT(TryOpen(), FailsWith(ErrorCode::kCorrupt));
  EXPECT_FALSE(exists(files() / "tile"));
}

TEST_F(ForkRefusal, ACheckpointFileOlderThanTheStoreIsBroughtUpToDate) {
  const std::string newest = FileCheckpoint();
  Close();
  OpenStore();
  ASSERT_THAT(TryOpen(), IsOk());
  Close();
  const auto at_five = [&] {
    LogEdge edge;
    OpenStore();
    EXPECT_THAT(AppendStored(*store_, 5, edge, [](auto&, auto) -> Status { return {}; }), IsOk());
    return SignCheckpoint(kTestOrigin, key_, 5, edge.Root());
  }();
  std::ofstream(files() / "checkpoint", std::ios::trunc) << at_five.note;
  ASSERT_THAT(TryOpen(), IsOk());
  EXPECT_EQ(FileCheckpoint(), newest);
}

}  // namespace
}  // namespace comity::audit
