// SPDX-License-Identifier: Apache-2.0
#include "services/backup/backup_file.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <numeric>
#include <string>

#include "crypto/envelope/aead.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"

namespace comity::backup {
namespace {

namespace fs = std::filesystem;
using testing::FailsWith;
using testing::IsOk;

std::string TextOf(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

class BackupFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Manifest manifest;
    manifest.id = "b-one";
    manifest.agency = policy::AgencyId::Parse("northshire-police").value();
    manifest.parts = {Seal("log", "the log's files"), Seal("database", Content())};
    Put(EncodeBackupHead(SignManifest(manifest, agency_)) + TextOf(folder() / "log") +
        TextOf(folder() / "database"));
  }
  // Three frames, the last one short.
  static std::string Content() {
    std::string content(2 * kFrameSize + 1000, '\0');
    std::iota(content.begin(), content.end(), '\0');
    return content;
  }
  ManifestPart Seal(const std::string& name, const std::string& content) {
    PartWriter writer(folder() / name, {key_, "b-one", name}, random_);
    // In uneven pieces, as a database and a log come.
    for (std::size_t at = 0; at < content.size(); at += 700'000) {
      EXPECT_THAT(writer.Write(AsBytes(std::string_view(content).substr(at, 700'000))), IsOk());
    }
    return writer.Finish().value();
  }
  void Put(const std::string& text) {
    std::ofstream(file(), std::ios::binary | std::ios::trunc) << text;
  }
  Result<std::string> Read(const char* part) {
    COMITY_ASSIGN_OR_RETURN(auto backup, BackupFile::Open(file(), agency_.public_key()));
    std::string content;
    COMITY_RETURN_IF_ERROR(backup.Read(part, key_, [&](ByteView octets) -> Status {
      content += AsText(octets);
      return {};
    }));
    return content;
  }
  fs::path folder() const { return directory_.path(); }
  fs::path file() const { return folder() / "one.backup"; }

  SystemRandom random_;
  const sign::SigningKey agency_ = sign::SigningKey::Generate(random_);
  const SecretBytes key_ = envelope::GenerateKey(random_);
  const testing::TemporaryDirectory directory_;
};

TEST_F(BackupFileTest, GivesItsPartsBack) {
  EXPECT_EQ(Read("log").value(), "the log's files");
  EXPECT_EQ(Read("database").value(), Content());
  EXPECT_THAT(Read("keys"), FailsWith(ErrorCode::kNotFound));
}

TEST_F(BackupFileTest, ShowsNothingOfItsContent) {
  EXPECT_EQ(TextOf(file()).find("the log's files"), std::string::npos);
  EXPECT_EQ(TextOf(file()).find(Content().substr(0, 64)), std::string::npos);
}

TEST_F(BackupFileTest, RefusesEachChangedPlace) {
  const std::string good = TextOf(file());
  const std::size_t head =
      good.size() - TextOf(folder() / "log").size() - TextOf(folder() / "database").size();
  std::string bad = good;
  // Its form, the length, the manifest and its signature.
  for (std::size_t i = 0; i < head; ++i) {
    bad[i] = static_cast<char>(good[i] ^ 1);
    Put(bad);
    EXPECT_FALSE(BackupFile::Open(file(), agency_.public_key()).has_value()) << "octet " << i;
    bad[i] = good[i];
  }
  // Each frame of both parts.
  for (std::size_t i = head; i < good.size(); i += 77'777) {
    bad[i] = static_cast<char>(good[i] ^ 1);
    Put(bad);
    EXPECT_FALSE(Read("log").has_value() && Read("database").has_value()) << "octet " << i;
    bad[i] = good[i];
  }
}

TEST_F(BackupFileTest, RefusesALongerAShorterAndAForeignFile) {
  const std::string good = TextOf(file());
  for (const std::size_t size :
       {good.size() - 1, good.size() - 5000, std::size_t{100}, std::size_t{10}, std::size_t{0}}) {
    Put(good.substr(0, size));
    EXPECT_FALSE(Read("database").has_value()) << size;
  }
  Put(good + "x");
  EXPECT_THAT(Read("log"), FailsWith(ErrorCode::kCorrupt));
  Put("PK\3\4 something else entirely");
  EXPECT_THAT(Read("log"), FailsWith(ErrorCode::kInvalidArgument));
  fs::remove(file());
  EXPECT_THAT(Read("log"), FailsWith(ErrorCode::kNotFound));
}

TEST_F(BackupFileTest, RefusesFramesThatWereMovedOrLeftOut) {
  const std::string sealed = TextOf(folder() / "database");
  const auto backup = BackupFile::Open(file(), agency_.public_key());
  ASSERT_THAT(backup, IsOk());
  const std::string head = TextOf(file()).substr(0, TextOf(file()).size() - sealed.size());
  const std::size_t frame = 4 + kFrameSize + envelope::kOverhead;
  const std::string first = sealed.substr(0, frame);
  const std::string second = sealed.substr(frame, frame);
  const std::string third = sealed.substr(2 * frame);
  Put(head + second + first + third);
  EXPECT_THAT(Read("database"), FailsWith(ErrorCode::kCorrupt));
  Put(head + first + first + third);
  EXPECT_THAT(Read("database"), FailsWith(ErrorCode::kCorrupt));
}

}  // namespace
}  // namespace comity::backup
