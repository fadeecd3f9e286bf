// SPDX-License-Identifier: Apache-2.0
// kill -9 at any moment, between ledger line and commit above all.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <random>
#include <set>
#include <thread>

#include "tests/unit/services/oversight/retention_world.h"

namespace comity::oversight {
namespace {

namespace fs = std::filesystem;
using testing::IsOk;

// How often the writer is killed: COMITY_CRASH_KILLS, or 20.
int Kills() {
  const char* wanted = std::getenv("COMITY_CRASH_KILLS");
  return wanted == nullptr ? 20 : std::atoi(wanted);
}

std::string ReadToEnd(int fd) {
  std::string text;
  char buffer[4096];
  ssize_t count = 0;
  while ((count = ::read(fd, buffer, sizeof buffer)) > 0) {
    text.append(buffer, static_cast<std::size_t>(count));
  }
  return text;
}

class ErasureCrash : public RetentionWorld {
 protected:
  // Runs the writer, kills it after `life`, and returns which erasures it acknowledged.
  std::set<std::string> RunAndKill(const std::string& prefix, std::chrono::microseconds life) {
    Close();
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const std::string data = Data().string();
    const std::string copy = Copy().string();
    const pid_t child = ::fork();
    if (child == 0) {
      ::dup2(ends[1], STDOUT_FILENO);
      ::execl(COMITY_CRASH_WRITER, COMITY_CRASH_WRITER, data.c_str(), copy.c_str(), prefix.c_str(),
              nullptr);
      std::_Exit(127);
    }
    ::close(ends[1]);
    std::jthread killer([child, life] {
      std::this_thread::sleep_for(life);  // the moment is the subject of this test
      ::kill(child, SIGKILL);
    });
    std::istringstream text(ReadToEnd(ends[0]));
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status)) << "the writer ended by itself: " << status;
    std::set<std::string> acknowledged;
    for (std::string line; std::getline(text, line) && !text.eof();) acknowledged.insert(line);
    return acknowledged;
  }
  std::set<std::string> KeptAlerts() {
    std::set<std::string> kept;
    EXPECT_THAT(store_->Read([&](const store::Transaction& tx) {
      return tx.retention().VisitKept(policy::RetentionClass::kAlert,
                                      [&](std::string_view id) -> Status {
                                        kept.emplace(id);
                                        return {};
                                      });
    }),
                IsOk());
    return kept;
  }
  std::set<Digest> Listed() {
    std::set<Digest> listed;
    EXPECT_THAT(ledger_->Visit(
                    [&](const backup::LedgerLine& line, const backup::LedgerPosition&) -> Status {
                      for (const backup::LedgerGroup& group : line.groups) {
                        listed.insert(group.ids.begin(), group.ids.end());
                      }
                      return {};
                    }),
                IsOk());
    return listed;
  }
  static std::string TextOf(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
};

TEST_F(ErasureCrash, LosesNoErasureWhenKilledAtAnyMoment) {
  MustOpen();
  const auto seed = std::random_device()();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  std::set<std::string> all;
  fs::path copy;
  unsigned longest = 150'000;
  // A busy machine may need longer lives until something is acknowledged at all.
  for (int kill = 0; kill < Kills() || (all.size() <= 1 && kill < Kills() + 8); ++kill) {
    if (kill >= Kills()) longest *= 2;
    const std::chrono::microseconds life(20'000 + random() % longest);
    const auto acknowledged = RunAndKill(std::to_string(kill), life);
    all.insert(acknowledged.begin(), acknowledged.end());
    MustOpen();
    const std::set<Digest> listed = Listed();
    // Acknowledged is listed and gone; what is listed is gone; what is there is not listed.
    for (const std::string& id : acknowledged) {
      EXPECT_TRUE(listed.contains(ledger_->Commit("alert", id))) << id;
    }
    const auto kept = KeptAlerts();
    for (const std::string& id : kept) {
      EXPECT_FALSE(listed.contains(ledger_->Commit("alert", id))) << id;
      EXPECT_FALSE(all.contains(id)) << id;
    }
    EXPECT_EQ(TextOf(backup::LedgerFileIn(OwnLedgerFolder(Data()))),
              TextOf(backup::LedgerFileIn(Copy())));
    if (kill == 0) {
      // What was stored and not yet erased when the process died is erased after the backup.
      PutAlert("a-last", clock_.Now());
      copy = CopyNow();
      ASSERT_THAT(Erase(policy::RetentionClass::kAlert, "a-last"), IsOk());
      all.insert("a-last");
    }
    if (HasFailure()) FAIL() << "kill " << kill << " after " << life.count() << " us";
  }
  std::printf("%d kills, %zu erasures acknowledged\n", Kills(), all.size());
  EXPECT_GT(all.size(), 1U);
  ASSERT_THAT(RestoreFrom(copy / "comity.db", copy / "log"), IsOk());
  for (const std::string& id : KeptAlerts()) EXPECT_FALSE(all.contains(id)) << id;
}

}  // namespace
}  // namespace comity::oversight
