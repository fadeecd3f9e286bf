// SPDX-License-Identifier: Apache-2.0
// A disk that fails at any call: store, audit log and erasure ledger as a gateway holds them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>

#include "crypto/tlog/log_verifier.h"
#include "services/audit/export.h"
#include "tests/faults/fault_run.h"
#include "tests/faults/node.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"

namespace comity::testing {
namespace {

using ::testing::AnyOf;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr int kActs = 9;                 // of one victim: three lists, three erasures
constexpr std::uint64_t kUsualRuns = 3;  // for each fault
constexpr int kKilled = 128 + 9;

// What victims said of their acts.
struct Said {
  std::set<int> done;
  std::map<int, std::string> refused;  // number and words
};

void Read(const std::string& text, Said& said) {
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    std::istringstream words(line);
    std::string what;
    int number = 0;
    words >> what;
    if (what == "done" && words >> number) said.done.insert(number);
    if (what == "refused" && words >> number) std::getline(words, said.refused[number]);
  }
}

class StoreFault : public ::testing::TestWithParam<Strike> {
 protected:
  std::filesystem::path folder() const { return directory_->path() / "node"; }
  void Renew() {
    directory_.emplace();
    std::filesystem::create_directory(folder());
    if (one_ledger_) std::ofstream(Node::OneLedger(folder())) << "yes";
    said_ = {};
  }
  FaultRun WithDisk(const Strike& strike) {
    return {folder(), directory_->path() / "plan", strike};
  }

  // The fault is told in words that name what failed, as an outcome that may be repeated.
  static void ExpectClear(const std::string& words) {
    EXPECT_THAT(words, HasSubstr("unavailable: "));
    EXPECT_THAT(words, HasSubstr("cannot "));
  }

  CommandOutput RunVictim(FaultRun& disk, int first, int acts, const std::string& manner) {
    const auto output = disk.Run(
        {COMITY_STORE_VICTIM, folder(), std::to_string(first), std::to_string(acts), manner});
    EXPECT_THAT(output, IsOk());
    if (!output) return {};
    Read(output->out, said_);
    if (output->exit_code == 3) ExpectClear(output->out);
    for (const auto& [number, words] : said_.refused) ExpectClear(words);
    return *output;
  }

  // How many calls, or syncs, an undisturbed victim makes.
  std::uint64_t CountCalls(bool syncs) {
    Renew();
    FaultRun disk = WithDisk({});
    const CommandOutput output = RunVictim(disk, 0, kActs, "go-on");
    EXPECT_EQ(output.exit_code, 0) << output.out << output.err;
    EXPECT_EQ(said_.done.size(), static_cast<std::size_t>(kActs));
    ExpectWhole();
    return syncs ? disk.plan().syncs : disk.plan().calls;
  }

  // Everything acknowledged is there once, nothing is half there, log and ledger agree with it.
  void ExpectWhole() {
    const auto node = Node::Open(folder());
    ASSERT_THAT(node, IsOk());
    ExpectActs(**node);
    ExpectLog(**node);
    ExpectLedger(**node);
  }
  void ExpectActs(Node& node) {
    std::uint64_t entries = 0;
    const auto read = [&](const store::Transaction& tx) -> Status {
      for (int number = 0; number < 2 * kActs; ++number) {
        COMITY_ASSIGN_OR_RETURN(const auto found,
                                tx.audit().OfExchange(Node::ExchangeOf(number), 10));
        const bool is_done = said_.done.contains(number);
        EXPECT_LE(found.size(), 1u) << number;
        if (is_done) {
          EXPECT_EQ(found.size(), 1u) << "act " << number << " was acknowledged";
        }
        entries += found.size();
        if (Node::AddsList(number)) ExpectList(tx, number, !found.empty());
        if (Node::Erases(number) && is_done) ExpectErased(tx, number);
      }
      const store::CapacityStore::Key key{policy::AgreementId::Parse("faults").value(), "p1",
                                          policy::AgencyId::Parse("eastvale-council").value(),
                                          "day"};
      EXPECT_THAT(tx.capacity().Reserved(key), IsOkAnd(Eq(entries)));
      EXPECT_THAT(tx.audit().Size(), IsOkAnd(Eq(entries)));
      return {};
    };
    EXPECT_THAT(node.store().Read(read), IsOk());
  }
  static void ExpectList(const store::Transaction& tx, int number, bool is_there) {
    const auto list = Node::ListOf(number);
    EXPECT_EQ(tx.watchlists().List(list).has_value(), is_there) << number;
    EXPECT_EQ(tx.watchlists().Entry(list, "kept").has_value(), is_there) << number;
    EXPECT_EQ(tx.watchlists().Entry(list, "erased").has_value(), is_there) << number;
  }
  static void ExpectErased(const store::Transaction& tx, int number) {
    const auto entry = tx.watchlists().Entry(Node::ListOf(number - 1), "erased");
    if (!entry) return;  // its list was refused
    EXPECT_TRUE(entry->wrapped_key.empty()) << number;
    EXPECT_TRUE(entry->sealed_fields.empty()) << number;
  }
  static void ExpectLog(Node& node) {
    std::map<std::string, Bytes> files;
    const auto exported = audit::Export(node.log(), [&](std::string_view path, ByteView octets) {
      files[std::string(path)] = Bytes(octets.begin(), octets.end());
      return Status();
    });
    ASSERT_THAT(exported, IsOk());
    tlog::LogExport log;
    log.vkeys = AsText(files.at("log.vkey"));
    log.checkpoint = AsText(files.at("checkpoint"));
    for (const auto& [path, content] : files) log.paths.push_back(path);
    log.read = [&](const std::string& path) -> Result<Bytes> { return files.at(path); };
    EXPECT_THAT(tlog::VerifyLog(log), IsOk());
  }
  // Whoever is erased in the database is in the ledger, in both of its copies.
  static void ExpectLedger(Node& node) {
    EXPECT_FALSE(node.ledger().Look().behind);
    std::set<Digest> listed;
    EXPECT_THAT(node.ledger().Visit([&](const backup::LedgerLine& line, const auto&) -> Status {
      for (const auto& group : line.groups) listed.insert(group.ids.begin(), group.ids.end());
      return {};
    }),
                IsOk());
    const auto read = [&](const store::Transaction& tx) -> Status {
      COMITY_ASSIGN_OR_RETURN(const auto lists, tx.watchlists().Lists());
      for (const store::WatchlistRecord& list : lists) {
        COMITY_ASSIGN_OR_RETURN(const auto entry, tx.watchlists().Entry(list.reference, "erased"));
        if (!entry.wrapped_key.empty()) continue;
        EXPECT_TRUE(
            listed.contains(node.ledger().Commit("entry", list.reference.text() + "/erased")));
      }
      return {};
    };
    EXPECT_THAT(node.store().Read(read), IsOk());
  }
  // Once everything is closed, no octet of a person whose erasure was acknowledged is left.
  void ExpectNoOctetLeft() {
    for (const char* name : {"comity.db", "comity.db-wal"}) {
      std::ifstream stream(Node::Data(folder()) / name, std::ios::binary);
      const std::string text{std::istreambuf_iterator<char>(stream), {}};
      for (const int number : said_.done) {
        if (Node::Erases(number)) {
          EXPECT_THAT(text, Not(HasSubstr(Node::SecretOf(number))));
        }
      }
    }
  }

  std::optional<TemporaryDirectory> directory_;
  bool one_ledger_ = false;
  Said said_;
};

TEST_P(StoreFault, LosesNothingAcknowledgedAndTellsTheRest) {
  Strike strike = GetParam();
  const std::uint64_t calls = CountCalls(false);
  std::uint64_t struck = 0;
  for (const std::uint64_t at : PickCalls(calls, kUsualRuns)) {
    strike.at = at;
    Renew();
    FaultRun disk = WithDisk(strike);
    const CommandOutput output = RunVictim(disk, 0, kActs, "go-on");
    struck += disk.plan().fired;
    const bool torn = strike.fault == Fault::kTorn && disk.plan().fired != 0;
    if (torn) {
      EXPECT_EQ(output.exit_code, kKilled);
    }
    if (!torn) {
      EXPECT_THAT(output.exit_code, AnyOf(0, 3)) << output.err;
    }
    ExpectWhole();
    ExpectNoOctetLeft();
    if (HasFailure()) FAIL() << Describe(strike) << ": " << disk.plan().call << "\n" << output.out;
  }
  std::printf("%s: %llu faults of %llu calls\n", Describe(strike).c_str(),
              static_cast<unsigned long long>(struck), static_cast<unsigned long long>(calls));
  EXPECT_GT(struck, 0u);
}

std::string NameOf(const ::testing::TestParamInfo<Strike>& of) {
  constexpr std::array kNames = {"", "Full", "Quota", "Failed", "ReadOnly", "Short", "Torn"};
  return std::string(kNames.at(static_cast<std::size_t>(of.param.fault))) +
         (of.param.lasts ? "ForGood" : "Once");
}

INSTANTIATE_TEST_SUITE_P(Kind, StoreFault,
                         ::testing::Values(Strike{Fault::kFull}, Strike{Fault::kFull, 0, true},
                                           Strike{Fault::kQuota, 0, true}, Strike{Fault::kFailed},
                                           Strike{Fault::kFailed, 0, true},
                                           Strike{Fault::kReadOnly, 0, true}, Strike{Fault::kShort},
                                           Strike{Fault::kTorn}),
                         NameOf);

// A sync that failed has lost what it was for, although every later one succeeds. A gateway that
// ends then and starts again reads what is not on the disk: what it acknowledges from there on must
// survive a loss of power all the same.
class LostSync : public StoreFault {
 protected:
  void LoseEachSync(const std::string& manner, int acts_afterwards) {
    const std::uint64_t syncs = CountCalls(true);
    for (const std::uint64_t at : PickCalls(syncs, kUsualRuns)) {
      const Strike strike{Fault::kSyncLost, at};
      Renew();
      FaultRun disk = WithDisk(strike);
      const CommandOutput first = RunVictim(disk, 0, kActs, manner);
      EXPECT_THAT(first.exit_code, AnyOf(0, 3, 4)) << first.err;
      const CommandOutput second = RunVictim(disk, kActs, acts_afterwards, "die");
      EXPECT_EQ(second.exit_code, 0) << second.out << second.err;
      disk.CutPower();
      ExpectWhole();
      if (HasFailure()) {
        FAIL() << Describe(strike) << ": " << disk.plan().call << "\n" << first.out << second.out;
      }
    }
  }
};

TEST_F(LostSync, LosesNothingAcknowledgedByAGatewayThatGoesOn) {
  LoseEachSync("go-on", kActs);
}

TEST_F(LostSync, LosesNothingAcknowledgedByAGatewayThatEndedAndStartedAgain) {
  LoseEachSync("die", kActs);
}

// Nothing that comes later brings the lost pages to the disk by chance.
TEST_F(LostSync, LosesNothingAcknowledgedByAGatewayThatStartedAgainAndDidNothing) {
  LoseEachSync("die", 0);
}

// Without a second copy that would make up for the line that was lost.
TEST_F(LostSync, LosesNoLineOfAnErasureLedgerThatHasNoSecondCopy) {
  one_ledger_ = true;
  LoseEachSync("die", 0);
}

}  // namespace
}  // namespace comity::testing
