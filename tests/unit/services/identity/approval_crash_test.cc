// SPDX-License-Identifier: Apache-2.0
// A process that proposes and decides is killed at random moments: what was acknowledged stands,
// and no act is approved without its effect and its log entry, nor the other way round.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <random>
#include <sstream>
#include <thread>

#include "crypto/base/encoding.h"
#include "services/identity/approval_events.h"
#include "tests/unit/services/identity/identity_world.h"

namespace comity::identity {
namespace {

using comity::testing::IsOk;
using store::ApprovalState;

// How often the process is killed: COMITY_CRASH_KILLS, or 30.
int Kills() {
  const char* wanted = std::getenv("COMITY_CRASH_KILLS");
  return wanted == nullptr ? 30 : std::atoi(wanted);
}

class ApprovalCrash : public IdentityWorld {
 protected:
  // Proposes and decides for ever; prints "<approval> <state>" for what was acknowledged.
  [[noreturn]] void WorkForEver(int output, int round);
  // What the process acknowledged before it was killed after `life`.
  std::map<std::string, std::string> WorkAndKill(int round, std::chrono::microseconds life);
  void ExpectWhole(const std::map<std::string, std::string>& acknowledged);
};

void ApprovalCrash::WorkForEver(int output, int round) {
  Restart();
  const auto tell = [&](const Result<PendingAct>& act) {
    if (!act) std::_Exit(1);
    const std::string line = act->id + " " + std::string(Name(act->state)) + "\n";
    if (::write(output, line.data(), line.size()) < 0) std::_Exit(1);
  };
  for (int i = 0;; ++i) {
    const std::string entry = std::to_string(round) + "-" + std::to_string(i);
    const auto act = Propose(Act::kDeploymentStart, entry, "supervisor-1");
    tell(act);
    if (i % 3 == 0) {
      tell(Approve(*act, "supervisor-2"));
    } else if (i % 3 == 1) {
      tell(approvals_->Reject(Decide(*act, "supervisor-2", DecisionKind::kReject),
                              CallerOf("supervisor-2")));
    } else {
      tell(approvals_->CarryUrgently(Decide(*act, "supervisor-1", DecisionKind::kUrgent),
                                     CallerOf("supervisor-1")));
      tell(approvals_->Review(Decide(*act, "supervisor-2", DecisionKind::kUphold),
                              CallerOf("supervisor-2")));
    }
  }
}

std::map<std::string, std::string> ApprovalCrash::WorkAndKill(int round,
                                                              std::chrono::microseconds life) {
  Close();  // no thread of ours runs while this process is copied
  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const pid_t child = ::fork();
  if (child == 0) WorkForEver(ends[1], round);
  ::close(ends[1]);
  std::jthread killer([child, life] {
    std::this_thread::sleep_for(life);  // the moment is the subject of this test
    ::kill(child, SIGKILL);
  });
  std::string text;
  char buffer[4096];
  ssize_t count = 0;
  while ((count = ::read(ends[0], buffer, sizeof buffer)) > 0) {
    text.append(buffer, static_cast<std::size_t>(count));
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the process ended by itself: " << status;
  std::map<std::string, std::string> acknowledged;
  std::istringstream lines(text.substr(0, text.rfind('\n') + 1));
  std::string id;
  std::string state;
  while (lines >> id >> state) acknowledged[id] = state;
  Restart();
  return acknowledged;
}

void ApprovalCrash::ExpectWhole(const std::map<std::string, std::string>& acknowledged) {
  const std::map<std::string, int> order{
      {"pending", 0}, {"approved", 1}, {"rejected", 1}, {"urgent", 1}, {"reviewed", 2}};
  const auto logged = StatesFromLog();
  std::size_t found = 0;
  std::vector<PendingAct> acts;
  ASSERT_THAT(agency_.store().Read([&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(acts, transaction.approvals().List(false, 1'000'000));
    return {};
  }),
              IsOk());
  for (const PendingAct& act : acts) {
    const std::string state(Name(act.state));
    EXPECT_EQ(logged.at(EncodeHex(act.sha256.view())), state);
    const bool done = act.state == ApprovalState::kApproved ||
                      act.state == ApprovalState::kUrgent || act.state == ApprovalState::kReviewed;
    EXPECT_EQ(IsDone(act.subject.substr(std::string_view("entry ").size())), done) << act.id;
    const auto told = acknowledged.find(act.id);
    if (told == acknowledged.end()) continue;
    ++found;
    // It may have gone on after what was acknowledged last.
    EXPECT_GE(order.at(state), order.at(told->second)) << act.id;
  }
  EXPECT_EQ(found, acknowledged.size());
  EXPECT_EQ(logged.size(), acts.size());
}

TEST_F(ApprovalCrash, KillAtAnyMomentLeavesNoActHalfDone) {
  const auto seed = std::random_device()();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  std::map<std::string, std::string> all;
  for (int kill = 0; kill < Kills(); ++kill) {
    const std::chrono::microseconds life(random() % 150'000);
    for (const auto& [id, state] : WorkAndKill(kill, life)) all[id] = state;
    ExpectWhole(all);
    if (HasFailure()) FAIL() << "kill " << kill << " after " << life.count() << " us";
  }
  std::printf("%d kills, %zu acts acknowledged\n", Kills(), all.size());
  EXPECT_GT(all.size(), 0U);
}

}  // namespace
}  // namespace comity::identity
