// SPDX-License-Identifier: Apache-2.0
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <set>
#include <thread>

#include "crypto/merkle/proof.h"
#include "crypto/merkle/prove.h"
#include "crypto/tlog/log_verifier.h"
#include "crypto/tlog/tile_hash.h"
#include "tests/unit/services/audit/log_fixture.h"

namespace comity::audit {
namespace {

using ::comity::testing::IsOk;

// A child process writes to the log until it is killed; what it was told to be durable comes back
// through a pipe.
class CrashTest : public LogTest {
 protected:
  // Runs in the child and does not return.
  [[noreturn]] void WriteUntilKilled(int acknowledged, int first) {
    OpenStore();
    if (!store_ || !TryOpen()) ::_exit(1);
    for (int i = first;; ++i) {
      if (!log_->Record(TestEvent(i))) ::_exit(2);
      if (::write(acknowledged, "+", 1) != 1) ::_exit(3);
    }
  }

  // Lets a child write, kills it after `life`, and returns how many entries it was acknowledged.
  int RunAndKill(int first, std::chrono::milliseconds life) {
    int ends[2] = {};
    EXPECT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) WriteUntilKilled(ends[1], first);
    ::close(ends[1]);
    int acknowledged = 0;
    char octet = 0;
    // The first acknowledgement starts the clock, so that a slow machine does not make it a test of
    // an idle process.
    if (::read(ends[0], &octet, 1) == 1) ++acknowledged;
    const auto end = std::chrono::steady_clock::now() + life;
    while (std::chrono::steady_clock::now() < end && ::read(ends[0], &octet, 1) == 1) {
      ++acknowledged;
      RememberPublished();
    }
    ::kill(child, SIGKILL);
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended by itself: " << WEXITSTATUS(status);
    while (::read(ends[0], &octet, 1) == 1) ++acknowledged;
    ::close(ends[0]);
    return acknowledged;
  }

  // What the world could have seen at this moment.
  void RememberPublished() {
    std::ifstream file(files() / "checkpoint");
    const std::string note{std::istreambuf_iterator<char>(file), {}};
    if (!note.empty()) published_.insert(note);
  }

  void ExpectPrefix(const std::string& note, const Checkpoint& now) {
    const auto old = OpenOwnCheckpoint(note, VerifierKeyOf(kTestOrigin, key_));
    ASSERT_THAT(old, IsOk());
    const auto read = [&](const tlog::TilePath& tile) { return log_->files().Read(tile); };
    const auto proof = merkle::ProveConsistency({old->size}, {now.size},
                                                tlog::SubtreesFromTiles({now.size}, read));
    ASSERT_THAT(proof, IsOk());
    EXPECT_THAT(merkle::VerifyConsistency(*proof, old->root, now.root), IsOk()) << old->size;
  }

  std::set<std::string> published_;
};

TEST_F(CrashTest, KilledAtAnyMomentKeepsEntriesAndEveryPublishedCheckpoint) {
  int acknowledged = 0;
  for (int round = 0; round < 12; ++round) {
    acknowledged += RunAndKill(1000 * round, std::chrono::milliseconds(5 + 17 * round));
    RememberPublished();
    ASSERT_NO_FATAL_FAILURE(Open()) << "round " << round;
    const Checkpoint now = log_->Flush().value();
    EXPECT_GE(now.size, static_cast<std::uint64_t>(acknowledged));
    for (const std::string& note : published_) ExpectPrefix(note, now);
    Close();
  }
  EXPECT_GT(published_.size(), 12U) << "checkpoints must have been published while it ran";
}

}  // namespace
}  // namespace comity::audit
