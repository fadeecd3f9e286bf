// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "crypto/merkle/prove.h"
#include "crypto/tlog/proof_text.h"
#include "tests/support/sample_log.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/services/cli/comity_process.h"

namespace comity::testing {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

constexpr std::uint64_t kEntries = 300;

class AuditVerify : public ::testing::Test {
 protected:
  AuditVerify() : log_(MakeSampleLog(kEntries)) { WriteExport(); }
  void WriteExport() {
    fs::remove_all(dir_);
    for (const auto& [path, content] : log_.files) WriteWhole(dir_ / path, AsText(content));
  }
  CommandOutput Verify() const { return Comity({"audit", "verify", dir_.string()}); }

  TemporaryDirectory root_;
  const fs::path dir_ = root_.path() / "export";
  const SampleLog log_;
};

TEST_F(AuditVerify, AcceptsAWholeLogAndCountsIt) {
  const CommandOutput output = Verify();
  EXPECT_EQ(output.exit_code, 0) << output.err;
  EXPECT_THAT(output.out, HasSubstr("entries   300\n"));
  EXPECT_THAT(output.out, HasSubstr("search.permitted  100\n"));
  EXPECT_THAT(output.err, HasSubstr("the key came from the export itself"));
  const auto json = ComityJson({"audit", "verify", dir_.string()});
  EXPECT_EQ(json["verified"], true);
  EXPECT_EQ(json["first"], "2026-11-25T00:00:00Z");
  EXPECT_EQ(json["last"], "2026-11-25T00:00:00.299Z");
  EXPECT_EQ(json["by_type"]["search.answered"], 200);
  EXPECT_EQ(json["witnesses"][0], "witness.example/w");
}

TEST_F(AuditVerify, NamesTheFileOfAFlippedOctet) {
  for (const auto& [path, content] : log_.files) {
    for (const std::size_t at : {std::size_t{0}, content.size() / 2, content.size() - 1}) {
      Bytes flipped = content;
      flipped[at] ^= 1;
      WriteWhole(dir_ / path, AsText(flipped));
      const CommandOutput output = Verify();
      EXPECT_EQ(output.exit_code, 1) << path << " octet " << at;
      EXPECT_THAT(output.err, HasSubstr("is NOT verified")) << path;
      // A wrong checkpoint or key cannot be told from the other.
      if (path.starts_with("tile/")) {
        EXPECT_THAT(output.err, HasSubstr(path));
      }
      WriteWhole(dir_ / path, AsText(content));
    }
  }
  EXPECT_EQ(Verify().exit_code, 0);
}

TEST_F(AuditVerify, NamesAMissingFile) {
  fs::remove(dir_ / "tile/1/000.p/1");
  const CommandOutput output = Verify();
  EXPECT_EQ(output.exit_code, 1);
  EXPECT_THAT(output.err, HasSubstr("tile/1/000.p/1"));
}

TEST_F(AuditVerify, RefusesFilesThatDoNotBelong) {
  WriteWhole(dir_ / "tile" / "notes.txt", "x");
  const CommandOutput output = Verify();
  EXPECT_EQ(output.exit_code, 1);
  EXPECT_THAT(output.err, HasSubstr("notes.txt"));
}

TEST_F(AuditVerify, RefusesLinks) {
  fs::rename(dir_ / "tile/0/000", root_.path() / "elsewhere");
  fs::create_symlink(root_.path() / "elsewhere", dir_ / "tile/0/000");
  const CommandOutput output = Verify();
  EXPECT_EQ(output.exit_code, 1);
  EXPECT_THAT(output.err, HasSubstr("'tile/0/000' is a link"));
}

TEST_F(AuditVerify, TakesTheKeyFromASourceThatTheAuditorTrusts) {
  const std::string key = log_.vkeys.substr(0, log_.vkeys.find('\n'));
  const CommandOutput good = Comity({"audit", "verify", dir_.string(), "--vkey", key});
  EXPECT_EQ(good.exit_code, 0);
  EXPECT_EQ(good.err, "");
  const std::string other = tlog::EncodeVerifierKey(
      {"log.example/audit", tlog::NoteKeyType::kEd25519, SampleKey(9).public_key()});
  WriteWhole(root_.path() / "other.vkey", other + "\n");
  const CommandOutput bad =
      Comity({"audit", "verify", dir_.string(), "--vkey", (root_.path() / "other.vkey").string()});
  EXPECT_EQ(bad.exit_code, 1);
  EXPECT_THAT(bad.err, HasSubstr("another log"));
  EXPECT_EQ(Comity({"audit", "verify", dir_.string(), "--vkey", "nonsense"}).exit_code, 2);
}

TEST_F(AuditVerify, EndsWithTwoWithoutAFolder) {
  EXPECT_EQ(Comity({"audit", "verify", (root_.path() / "none").string()}).exit_code, 2);
}

// More entries than one thread takes at once.
TEST(AuditVerifyOfALongLog, FindsTheOneFlippedOctetOnWhicheverThread) {
  const SampleLog log = MakeSampleLog(40'000);
  const TemporaryDirectory root;
  for (const auto& [path, content] : log.files) WriteWhole(root.path() / path, AsText(content));
  const std::vector<std::string> verify = {"audit", "verify", root.path().string()};
  EXPECT_EQ(ComityJson(verify)["entries"], 40'000);
  for (const std::string path : {"tile/entries/003", "tile/entries/090", "tile/entries/156.p/64"}) {
    Bytes flipped = log.files.at(path);
    flipped[flipped.size() / 2] ^= 1;
    WriteWhole(root.path() / path, AsText(flipped));
    const CommandOutput output = Comity(verify);
    EXPECT_EQ(output.exit_code, 1);
    EXPECT_THAT(output.err, HasSubstr(path));
    WriteWhole(root.path() / path, AsText(log.files.at(path)));
  }
}

class AuditProof : public AuditVerify {
 protected:
  AuditProof() {
    std::vector<Digest> leaves;
    for (std::uint64_t i = 0; i < kEntries; ++i) {
      leaves.push_back(merkle::LeafHash(AsBytes(*tlog::EncodeEntry(SampleEntry(i)))));
    }
    const auto read = tlog::SubtreesFromTiles({kEntries}, [&](const tlog::TilePath& tile) {
      return Result<Bytes>(log_.files.at(tlog::EncodeTilePath(tile)));
    });
    const auto proof = merkle::ProveInclusion({7}, {kEntries}, read);
    COMITY_CHECK(proof.has_value());
    tlog::TlogProof text;
    text.index = {7};
    text.path = proof->path;
    text.checkpoint = std::string(AsText(log_.files.at("checkpoint")));
    WriteWhole(proof_, tlog::EncodeTlogProof(text));
    WriteWhole(entry_, *tlog::EncodeEntry(SampleEntry(7)));
  }
  CommandOutput VerifyProof() const {
    return Comity({"audit", "verify-proof", proof_.string(), "--entry", entry_.string(), "--vkey",
                   (dir_ / "log.vkey").string()});
  }
  const fs::path proof_ = root_.path() / "7.tlog-proof";
  const fs::path entry_ = root_.path() / "7.json";
};

TEST_F(AuditProof, IsVerifiedOffline) {
  const CommandOutput output = VerifyProof();
  EXPECT_EQ(output.exit_code, 0) << output.err;
  EXPECT_EQ(output.out, "verified: entry 7 of 300 in log.example/audit\n");
}

TEST_F(AuditProof, FailsForAnotherEntry) {
  WriteWhole(entry_, *tlog::EncodeEntry(SampleEntry(8)));
  EXPECT_EQ(VerifyProof().exit_code, 1);
}

TEST_F(AuditProof, FailsForAnotherIndex) {
  Replace(proof_, "index 7", "index 6");
  const CommandOutput output = VerifyProof();
  EXPECT_EQ(output.exit_code, 1);
  EXPECT_THAT(output.err, HasSubstr("is NOT verified"));
}

}  // namespace
}  // namespace comity::testing
