// SPDX-License-Identifier: Apache-2.0
#include "services/backup/manifest.h"

#include <gtest/gtest.h>

#include "services/store/sqlite/sqlite_store.h"
#include "tests/support/result_matchers.h"

namespace comity::backup {
namespace {

using testing::FailsWith;
using testing::IsOk;

Manifest Example() {
  Manifest manifest;
  manifest.id = "b-abcdefghijklmnopqrstuvwxyz";
  manifest.agency = policy::AgencyId::Parse("northshire-police").value();
  manifest.made_at = policy::ParseInstant("2026-11-25T08:00:00Z").value();
  manifest.expires_at = manifest.made_at + kBackupLife;
  manifest.schema = kNewestSchema;
  manifest.software = "comity 1";
  manifest.log_origin = "northshire-police.example/log";
  manifest.log_size = 12;
  manifest.checkpoint_size = 11;
  manifest.ledger.sequence = 3;
  manifest.parts = {{"log", 100, {}}, {"database", 4096, {}}};
  return manifest;
}

TEST(BackupManifest, ReadsBackWhatTheAgencySigned) {
  SystemRandom random;
  const auto key = sign::SigningKey::Generate(random);
  const auto read = OpenManifest(SignManifest(Example(), key), key.public_key());
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(*read, Example());
}

TEST(BackupManifest, RefusesAnotherSignerAndEveryFlippedOctet) {
  SystemRandom random;
  const auto key = sign::SigningKey::Generate(random);
  const std::string text = SignManifest(Example(), key);
  EXPECT_THAT(OpenManifest(text, sign::SigningKey::Generate(random).public_key()),
              FailsWith(ErrorCode::kCorrupt));
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string bad = text;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    EXPECT_FALSE(OpenManifest(bad, key.public_key()).has_value()) << i;
  }
}

// A program that writes a newer schema must say so here too, or its backups could not be put back.
TEST(BackupManifest, KnowsTheSchemaOfTheStore) {
  EXPECT_EQ(kNewestSchema, static_cast<std::uint32_t>(store::SqliteSchemaVersion()));
}

}  // namespace
}  // namespace comity::backup
