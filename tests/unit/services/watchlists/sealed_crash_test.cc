// SPDX-License-Identifier: Apache-2.0
// A process that seals, withdraws and releases is killed at random moments: what it said was done
// is done, and nothing stands half.
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <random>
#include <thread>

#include "tests/support/result_matchers.h"
#include "tests/unit/services/watchlists/sealed_world.h"

namespace comity::watchlists {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace testing;

constexpr std::size_t kEntries = 250;
constexpr std::chrono::microseconds kLongestLife{5'000'000};
constexpr int kMoreKills = 20;

int Kills() {
  const char* wanted = std::getenv("COMITY_CRASH_KILLS");
  return wanted == nullptr ? 12 : std::atoi(wanted);
}

class SealedCrash : public ::testing::Test {
 protected:
  // Runs in the child and does not return. Acknowledges each withdrawal with one octet.
  [[noreturn]] void WorkUntilKilled(int acknowledged, std::size_t first) {
    world_.Restart();
    for (std::size_t next = first; next < kEntries; ++next) {
      if (!world_.TryBring()) ::_exit(1);
      const SealedEpochPtr epoch = world_.Epoch();
      if (epoch == nullptr) ::_exit(2);
      const std::vector<std::uint32_t> hits(8, epoch->view->slots().numbers().front());
      const std::uint64_t sequence = epoch->view->state().sequence;
      if (!world_.Charge({epoch->header(), sequence, hits, false})) ::_exit(3);
      const std::string reference = Name(next);
      // It may have been killed between the two acts.
      const Status restricted =
          world_.world.lists->Restrict({kSealedList, reference, false, "why", "o"});
      if (!restricted && restricted.error().code != ErrorCode::kConflict) ::_exit(4);
      if (!world_.publications->Withdraw(kSealedList, std::vector<std::string>{reference})) {
        ::_exit(5);
      }
      if (::write(acknowledged, "+", 1) != 1) ::_exit(6);
    }
    while (true) ::pause();
  }

  // Returns how many withdrawals were acknowledged.
  std::size_t RunAndKill(std::size_t first, std::chrono::microseconds life) {
    int ends[2] = {};
    EXPECT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) WorkUntilKilled(ends[1], first);
    ::close(ends[1]);
    std::this_thread::sleep_for(life);  // the moment is the subject of this test
    ::kill(child, SIGKILL);
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended by itself: " << WEXITSTATUS(status);
    std::size_t acknowledged = 0;
    char octet = 0;
    while (::read(ends[0], &octet, 1) == 1) ++acknowledged;
    ::close(ends[0]);
    return acknowledged;
  }

  void Close() {
    world_.publications.reset();
    world_.world.lists.reset();
    world_.world.agency.Close();
  }

  // All entries but the first `gone` take part; the next one may be gone too.
  void ExpectWhole(std::size_t gone) {
    const SealedEpochPtr epoch = world_.Epoch();
    if (epoch == nullptr) {
      EXPECT_EQ(gone, 0U);
      EXPECT_THAT(world_.Files(), IsEmpty());
      return;
    }
    EXPECT_EQ(world_.Files().size(), epoch->view->state().blocks.size());
    const std::set<std::string> sealed = world_.Sealed();
    for (std::size_t i = 0; i < kEntries; ++i) {
      if (i == gone) continue;
      EXPECT_EQ(sealed.count(Name(i)), i > gone ? 1U : 0U) << i << " of " << gone;
    }
    EXPECT_THAT(world_.Search(Name(kEntries - 1)), ElementsAre(Name(kEntries - 1)));
  }

  SealedWorld world_;
};

TEST_F(SealedCrash, LeavesNothingHalfAndForgetsNothing) {
  const auto seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 generator(seed);
  world_.Approve(kEntries);
  std::size_t gone = 0;
  std::chrono::microseconds more{0};  // for a machine that gets nowhere sooner
  for (int kill = 0; kill < Kills() + (gone == 0 ? kMoreKills : 0) && gone + 20 < kEntries;
       ++kill) {
    Close();
    const std::chrono::microseconds life(20'000 + generator() % 300'000);
    gone += RunAndKill(gone, life + more);
    if (gone == 0) more = std::min(2 * more + life, kLongestLife);
    world_.Restart();
    ExpectWhole(gone);
  }
  EXPECT_GT(gone, 0U);
}

}  // namespace
}  // namespace comity::watchlists
