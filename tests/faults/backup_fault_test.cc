// SPDX-License-Identifier: Apache-2.0
// A disk that fails at any call while a node is backed up, a backup is put back, or the agency's
// signing key is replaced.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <string>

#include "crypto/base/encoding.h"
#include "services/oversight/backup_maker.h"
#include "services/runtime/file.h"
#include "services/transport/certificate.h"
#include "services/transport/fingerprint.h"
#include "services/transport/peer_card.h"
#include "services/transport/pki.h"
#include "services/transport/pki_folder.h"
#include "tests/faults/fault_run.h"
#include "tests/faults/node.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"

namespace comity::testing {
namespace {

using ::testing::AnyOf;
using ::testing::Eq;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

constexpr int kKilled = 128 + 9;
constexpr std::uint64_t kUsualRuns = 3;  // of each fault
constexpr Strike kStrikes[] = {{Fault::kFull},
                               {Fault::kFull, 0, true},
                               {Fault::kFailed},
                               {Fault::kFailed, 0, true},
                               {Fault::kReadOnly, 0, true},
                               {Fault::kShort},
                               {Fault::kTorn},
                               {Fault::kSyncLost}};

std::string Content(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// Every file below a folder, by its path there.
std::map<std::string, std::string> Tree(const fs::path& folder) {
  std::map<std::string, std::string> tree;
  for (const auto& item : fs::recursive_directory_iterator(folder)) {
    if (item.is_regular_file()) {
      tree[item.path().lexically_relative(folder).string()] = Content(item.path());
    }
  }
  return tree;
}

// `folder` is on the disk that fails; what is beside it is not.
class BackupFault : public ::testing::Test {
 protected:
  fs::path Beside(const std::string& name) const { return directory_.path() / name; }
  fs::path folder() const { return Beside("folder"); }
  static void Renew(const fs::path& from, const fs::path& to) {
    fs::remove_all(to);
    fs::copy(from, to, fs::copy_options::recursive);
  }
  static CommandOutput Sound(std::vector<std::string> words) {
    words.insert(words.begin(), COMITY_BACKUP_VICTIM);
    auto output = RunCommand(words);
    EXPECT_THAT(output, IsOk());
    return output.value_or(CommandOutput());
  }
  void RemovePlan() const {  // its counts are those of one run
    fs::remove(Beside("plan"));
    fs::remove(Beside("plan.record"));
  }
  // Each fault at many calls: `renew` before each, `check` after it.
  template <typename BeforeEach, typename Check>
  void StrikeEach(std::vector<std::string> words, const BeforeEach& renew, const Check& check) {
    words.insert(words.begin(), COMITY_BACKUP_VICTIM);
    for (Strike strike : kStrikes) {
      std::uint64_t fired = 0;
      for (const std::uint64_t at : PickCalls(Count(words, strike, renew), kUsualRuns)) {
        strike.at = at;
        renew();
        RemovePlan();
        FaultRun disk(folder(), Beside("plan"), strike);
        const auto output = disk.Run(words);
        ASSERT_THAT(output, IsOk());
        fired += disk.plan().fired;
        if (strike.fault == Fault::kSyncLost) disk.CutPower();
        if (disk.plan().fired != 0 && strike.fault == Fault::kTorn) {
          EXPECT_EQ(output->exit_code, kKilled);
        } else {
          EXPECT_LE(output->exit_code, 1);
        }
        check(strike, *output);
        if (HasFailure()) {
          FAIL() << Describe(strike) << ": " << disk.plan().call << "\n"
                 << output->out << output->err;
        }
      }
      // An act that writes no octets, as a switch of keys, has no write to cut short.
      if (strike.fault != Fault::kShort) {
        EXPECT_GT(fired, 0u) << Describe(strike) << ": nothing was struck";
      }
    }
  }
  // What a person reads: the place and the cause.
  void ExpectNamed(const Strike& strike, const CommandOutput& output) {
    if (output.exit_code != 1) return;
    EXPECT_THAT(output.out, HasSubstr(folder().string()));
    const bool is_full = strike.fault == Fault::kFull;
    EXPECT_THAT(output.out, AnyOf(HasSubstr("Input/output error"),
                                  HasSubstr(is_full ? "No space left" : "Read-only file system")));
  }

  const TemporaryDirectory directory_;

 private:
  template <typename BeforeEach>
  std::uint64_t Count(const std::vector<std::string>& words, const Strike& strike,
                      const BeforeEach& renew) {
    renew();
    RemovePlan();
    FaultRun disk(folder(), Beside("plan"), {strike.fault});
    const auto output = disk.Run(words);
    EXPECT_TRUE(output && output->exit_code == 0) << "without a fault: " << output->out;
    return strike.fault == Fault::kSyncLost ? disk.plan().syncs : disk.plan().calls;
  }
};

class NodeFault : public BackupFault {
 protected:
  void SetUp() override {
    fs::create_directory(Beside("sound"));
    auto node = Node::Open(Beside("sound"));
    ASSERT_THAT(node, IsOk());
    for (int i = 0; i < 5; ++i) ASSERT_THAT((*node)->Act(i), IsOk());
    ASSERT_THAT((*node)->Backup(Beside("former")), IsOk());
    node->reset();
    config_ = Node::WriteConfig(Beside("keys"), Beside("sound") / "second");
  }
  static fs::path Draft(const fs::path& into) { return into.string() + ".restoring"; }
  // A refused restoration that a disk did not let take back what it had put there.
  static void ExpectLeftoversNamed(const CommandOutput& output, const fs::path& into) {
    const auto is_named = [&](const fs::path& folder, const std::string& words) {
      return output.out.find(folder.string() + words) != std::string::npos;
    };
    EXPECT_EQ(is_named(into, " is there, whole, and could not be taken back"), fs::exists(into));
    EXPECT_EQ(is_named(Draft(into), " is left, with the agency's data in it"),
              fs::exists(Draft(into)));
  }
  CommandOutput Restore(const fs::path& backup, const fs::path& config, const fs::path& into) {
    return Sound({"restore", backup.string(), config.string(), into.string()});
  }

  fs::path config_;
};

TEST_F(NodeFault, ABackupIsMadeOrRefusedAndTheFormerOneStaysWhole) {
  const fs::path file = Beside("next");
  const fs::path config = Node::WriteConfig(Beside("keys-there"), folder() / "second");
  const auto renew = [&] {
    Renew(Beside("sound"), folder());
    fs::remove(file);
  };
  StrikeEach({"make", folder().string(), file.string()}, renew,
             [&](const Strike&, const CommandOutput& output) {
               // Killed after the file was whole: it is there, though nobody was told of it.
               const bool killed = output.exit_code == kKilled;
               const bool is_there = fs::exists(file);
               if (!killed) {
                 EXPECT_EQ(is_there, output.exit_code == 0);
               }
               {
                 const auto node = Node::Open(folder());  // the next start, on a good disk
                 ASSERT_THAT(node, IsOk());
               }
               oversight::RemoveUnfinishedBackups(Node::Data(folder()));
               for (const auto& item : fs::directory_iterator(Node::Data(folder()))) {
                 EXPECT_FALSE(item.path().filename().string().starts_with("backup-b-"));
               }
               for (const auto& backup : {Beside("former"), file}) {
                 if (backup == file && !is_there) continue;
                 const CommandOutput restored = Restore(backup, config, Beside("restored"));
                 EXPECT_EQ(restored.exit_code, 0) << backup << restored.out;
                 fs::remove_all(Beside("restored"));
               }
             });
}

TEST_F(NodeFault, ABackupIsPutBackAsAWholeOrNotAtAll) {
  ASSERT_EQ(Restore(Beside("former"), config_, Beside("reference")).exit_code, 0);
  const auto whole = Tree(Beside("reference"));
  EXPECT_EQ(whole.count("comity.db"), 1u);
  EXPECT_EQ(whole.count("log/checkpoint"), 1u);
  EXPECT_EQ(whole.count("erasure/ledger"), 1u);
  const fs::path into = folder() / "data";
  const auto renew = [&] {
    fs::remove_all(folder());
    fs::create_directory(folder());
  };
  StrikeEach({"restore", Beside("former").string(), config_.string(), into.string()}, renew,
             [&](const Strike& strike, const CommandOutput& output) {
               ExpectNamed(strike, output);
               if (output.exit_code == 0) {
                 EXPECT_TRUE(fs::exists(into));
               } else if (output.exit_code == 1) {
                 ExpectLeftoversNamed(output, into);
                 EXPECT_TRUE(!fs::exists(into) || Tree(into) == whole) << "refused, and a part";
                 fs::remove_all(into);  // as the error says
               }
               if (!fs::exists(into)) {
                 const CommandOutput again = Restore(Beside("former"), config_, into);
                 EXPECT_EQ(again.exit_code, 0) << "again: " << again.out;
               }
               EXPECT_TRUE(Tree(into) == whole) << "a part, or something else";
               EXPECT_FALSE(fs::exists(Draft(into)));
             });
}

class KeyFault : public BackupFault {
 protected:
  void SetUp() override {
    const runtime::SystemClock clock;
    ASSERT_THAT(transport::InitCa({"eastvale-council", "eastvale-council.example", Beside("sound")},
                                  clock.Now()),
                IsOk());
    old_ = *KeyAt(transport::PkiFolder{Beside("sound")}.signing_key());
    transport::PeerCard card = Unsigned();
    const auto text =
        runtime::ReadSecretFile(transport::PkiFolder{Beside("sound")}.signing_key(), 4096);
    const auto key = sign::SigningKey::ParseKeyFile(AsText(text->Expose()));
    const auto made = transport::SignPeerCard(card, *key);
    ASSERT_THAT(made, IsOk());
    std::ofstream(Beside("card")) << transport::EncodePeerCard(*made);
  }
  transport::PeerCard Unsigned() const {
    const transport::PkiFolder pki{Beside("sound")};
    transport::PeerCard card;
    card.agency = "eastvale-council";
    card.name = "Eastvale Council";
    card.spiffe_id = "spiffe://eastvale-council.example/gateway";
    card.address = "gateway.eastvale.example:7443";
    card.log_key = *KeyAt(pki.log_key());
    card.protocol_min = 1;
    card.protocol_max = 2;
    card.capabilities = {"direct", "sealed"};
    card.anchor_pem = Content(pki.ca_certificate());
    const auto chain = transport::ParseCertificateChain(card.anchor_pem);
    card.anchor_fingerprint = EncodeHex(transport::Fingerprint(*chain->leaf).view());
    return card;
  }
  // Public half of a key that can be read and signed with.
  static std::optional<std::string> KeyAt(const fs::path& file) {
    const auto text = runtime::ReadSecretFile(file, 4096);
    if (!text) return std::nullopt;
    const auto key = sign::SigningKey::ParseKeyFile(AsText(text->Expose()));
    if (!key) return std::nullopt;
    return sign::EncodePublicKey(key->public_key());
  }
  std::optional<std::string> KeyNamed(const std::string& name) const {
    return KeyAt(folder() / "keys" / ("agency-signing" + name + ".key"));
  }
  std::uint64_t Drafts() const {
    std::uint64_t drafts = 0;
    for (const auto& item : fs::directory_iterator(folder() / "keys")) {
      drafts += item.path().filename().string().starts_with(".") ? 1U : 0U;
    }
    return drafts;
  }

  std::string old_;
};

TEST_F(KeyFault, ANextKeyIsMadeOrThereIsNone) {
  StrikeEach(
      {"next", folder().string(), Beside("card").string()},
      [&] { Renew(Beside("sound"), folder()); },
      [&](const Strike& strike, const CommandOutput& output) {
        ExpectNamed(strike, output);
        EXPECT_EQ(KeyNamed(""), old_);
        const bool is_there = fs::exists(folder() / "keys" / "agency-signing.next.key");
        if (output.exit_code == 0) {
          EXPECT_EQ("done " + KeyNamed(".next").value_or("") + "\n", output.out);
        }
        // A disk that refuses to remove, too, may leave a key that is whole; nobody knows it.
        if (output.exit_code == 1 && !strike.lasts) {
          EXPECT_FALSE(is_there);
        }
        if (is_there) {
          EXPECT_TRUE(KeyNamed(".next")) << "half a key";
        }
        if (is_there) return;
        const auto again = Sound({"next", folder().string(), Beside("card").string()});
        EXPECT_EQ(again.exit_code, 0) << "again: " << again.out;
        EXPECT_EQ(Drafts(), 0u) << "a secret that nothing names";
      });
}

TEST_F(KeyFault, AKeyIsSwitchedOrNotAndOneOfTheTwoIsAlwaysThePresentOne) {
  ASSERT_EQ(
      RunCommand({COMITY_BACKUP_VICTIM, "next", Beside("sound").string(), Beside("card").string()})
          ->exit_code,
      0);
  const std::string next = *KeyAt(Beside("sound") / "keys" / "agency-signing.next.key");
  StrikeEach(
      {"switch", folder().string()}, [&] { Renew(Beside("sound"), folder()); },
      [&](const Strike& strike, const CommandOutput& output) {
        ExpectNamed(strike, output);
        EXPECT_THAT(KeyNamed("").value_or("none"), AnyOf(Eq(old_), Eq(next)));
        if (output.exit_code == 0) {
          EXPECT_EQ(KeyNamed(""), next);
        }
        if (output.exit_code == 1) {
          const bool says = output.out.find("is the present one now") != std::string::npos;
          EXPECT_EQ(KeyNamed(""), says ? next : old_);
        }
        if (KeyNamed("") == old_) {
          const CommandOutput again = Sound({"switch", folder().string()});
          EXPECT_EQ(again.exit_code, 0) << "again: " << again.out;
        }
        EXPECT_EQ(KeyNamed(""), next);
        EXPECT_EQ(KeyNamed(".former"), old_);
        EXPECT_FALSE(KeyNamed(".next"));
      });
}

}  // namespace
}  // namespace comity::testing
