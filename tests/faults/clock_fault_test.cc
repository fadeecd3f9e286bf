// SPDX-License-Identifier: Apache-2.0
// Two whole gateways, of which one's machine has its clock set by hours while they search. Each
// goes on by the time since boot (docs/adr/0030): nothing ends early and nothing is permitted
// longer. Whoever starts with a wrong clock is refused, by itself first and by partners then.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "services/gateway/wire/convert_time.h"
#include "tests/e2e/exported_log.h"
#include "tests/e2e/killed_gateways.h"
#include "tests/e2e/live_engine.h"
#include "tests/e2e/two_agencies.h"
#include "tests/faults/set_clock.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

using std::chrono::microseconds;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

constexpr auto kBack = -2h;
constexpr auto kAhead = 7h;    // after the end of every deployment here
constexpr auto kLonger = 60s;  // than a gateway needs to look at its clock

// The clock of one machine, which its gateway is started under.
class MachineClock {
 public:
  explicit MachineClock(std::filesystem::path file) : file_(std::move(file)) {
    const int fd = ::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    COMITY_CHECK(fd >= 0 && ::ftruncate(fd, sizeof(ClockPlan)) == 0);
    void* mapped = ::mmap(nullptr, sizeof(ClockPlan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ::close(fd);
    COMITY_CHECK(mapped != MAP_FAILED);
    plan_ = static_cast<ClockPlan*>(mapped);
  }
  ~MachineClock() { ::munmap(plan_, sizeof(ClockPlan)); }
  MachineClock(const MachineClock&) = delete;
  MachineClock& operator=(const MachineClock&) = delete;

  void Set(microseconds ahead) { plan_->ahead_us = ahead.count(); }
  std::vector<std::string> Before() const {
    return {"env", std::string(kClockVariable) + "=" + file_.string(),
            std::string("LD_PRELOAD=") + COMITY_SET_CLOCK_OBJECT};
  }

 private:
  const std::filesystem::path file_;
  ClockPlan* plan_ = nullptr;
};

std::size_t CountOf(const std::string& text, const std::string& words) {
  std::size_t count = 0;
  for (std::size_t at = text.find(words); at != std::string::npos; at = text.find(words, at + 1)) {
    ++count;
  }
  return count;
}

class ClockFault : public ::testing::Test {
 protected:
  void SetUp() override {
    agencies_.ImportEntries(10);
    engine_ = std::make_unique<LiveEngine>([this] { return gateways_.engine(council()); },
                                           agencies_.entries());
    first_ = agencies_.CreateDeployment();
    second_ = agencies_.CreateDeployment();
    gateways_.RunUnder(police(), police_clock_.Before());
    gateways_.RunUnder(council(), council_clock_.Before());
    gateways_.Start();
  }
  LiveAgency& police() { return agencies_.police(); }
  LiveAgency& council() { return agencies_.council(); }

  // Faces are answered with hits, of a session that is there or of a new one.
  void AwaitHits(const char* when) {
    const std::uint64_t before = engine_->told().hits;
    EXPECT_TRUE(gateways_.Await("hits", [&] { return engine_->told().hits > before + 3; }))
        << when << ": " << engine_->told().last;
  }
  void AwaitSaid(const LiveAgency& agency, const std::string& words, std::size_t times) {
    const auto until = std::chrono::steady_clock::now() + kLonger;
    while (CountOf(gateways_.log(agency), words) < times) {
      ASSERT_LT(std::chrono::steady_clock::now(), until) << words << " is not said:\n"
                                                         << gateways_.log(agency);
      std::this_thread::sleep_for(50ms);
    }
  }
  void SearchWhileSet(const LiveAgency& agency, MachineClock& clock) {
    engine_->Start(first_);
    AwaitHits("before");
    clock.Set(kAhead);
    AwaitSaid(agency, "clock-jumped", 1);
    AwaitHits("ahead");
    engine_->Start(second_);
    AwaitHits("ahead, in a new session");
    clock.Set(kBack);
    AwaitHits("back");
    clock.Set(0h);
    AwaitSaid(agency, "clock-follows-again", 1);
    AwaitHits("right again");
    engine_->Stop();
    EXPECT_THAT(gateways_.log(agency), HasSubstr("\"by_seconds\":25"));  // 25200, or just below
  }
  // Every entry says the true time, whatever the machine's clock said.
  void ExpectTrueTimes(LiveAgency& agency) {
    const auto log = WholeLog::Of(*v1::Audit::NewStub(gateways_.ChannelOf(agency, "auditor")));
    ASSERT_THAT(log, IsOk());
    const auto now = clock_.Now() + 5s;
    for (const tlog::LogEntry& entry : log->entries()) {
      EXPECT_GE(entry.time, began_ - 5s) << agency.name() << ", " << entry.type;
      EXPECT_LE(entry.time, now) << agency.name() << ", " << entry.type;
    }
  }

  // A deployment of the running gateways that ends soon.
  std::string StartShort(policy::Instant ends_at) {
    const KilledGateways::TwoPeopleAct two{"deployment-start", "", "operator", "supervisor-1"};
    const auto act = gateways_.Proposed(
        council(), two,
        [&](const auto& channel, grpc::ClientContext& context, v1::PendingAct* pending) {
          v1::ProposeDeploymentRequest request;
          v1::ProposeDeploymentResponse response;
          *request.mutable_definition() = agencies_.Deployment("case-8");
          *request.mutable_definition()->mutable_ends_at() = gateway::ToProto(ends_at);
          const grpc::Status status =
              v1::Deployments::NewStub(channel)->Propose(&context, request, &response);
          *pending = response.pending();
          return status;
        });
    gateways_.Approve(council(), two, act);
    return act.subject().substr(act.subject().find(' ') + 1);
  }
  void ExpectNoneAfter(LiveAgency& agency, std::string_view type, policy::Instant end) {
    const auto log = WholeLog::Of(*v1::Audit::NewStub(gateways_.ChannelOf(agency, "auditor")));
    ASSERT_THAT(log, IsOk());
    EXPECT_GT(log->Count(type), 0u);
    for (const tlog::LogEntry& entry : log->entries()) {
      if (entry.type != type) continue;
      EXPECT_LE(entry.time, end) << agency.name() << ", " << type;
    }
  }

  // Of the council, as its operator types it.
  CommandOutput StartCouncil() {
    auto words = council_clock_.Before();
    words.insert(words.end(),
                 {"timeout", "30", ComitydPath(), "--config", council().config_file().string()});
    const auto output = RunCommand(words);
    EXPECT_THAT(output, IsOk());
    return output.value_or(CommandOutput());
  }
  void RestartCouncilAt(std::chrono::hours ahead, const char* complaint) {
    gateways_.WhileStopped(council(), [&] {
      council_clock_.Set(ahead);
      const CommandOutput refused = StartCouncil();
      EXPECT_EQ(refused.exit_code, 1);
      EXPECT_THAT(refused.err, HasSubstr(complaint));
      EXPECT_THAT(refused.err, HasSubstr("--accept-clock"));
      gateways_.RunUnder(council(), council_clock_.Before(), {"--accept-clock"});
    });
  }

  const runtime::SystemClock clock_;
  const policy::Instant began_ = clock_.Now();
  const TemporaryDirectory directory_;
  MachineClock police_clock_{directory_.path() / "police"};
  MachineClock council_clock_{directory_.path() / "council"};
  TwoAgencies agencies_{128};
  KilledGateways gateways_{{&agencies_.police(), &agencies_.council()}, 0};
  std::unique_ptr<LiveEngine> engine_;
  std::string first_, second_;  // deployments
};

TEST_F(ClockFault, SearchesGoOnByTheTrueTimeWhileEitherClockIsSet) {
  SearchWhileSet(police(), police_clock_);
  SearchWhileSet(council(), council_clock_);
  gateways_.ExpectSettled();
  ExpectTrueTimes(police());
  ExpectTrueTimes(council());
  gateways_.Stop();
}

TEST_F(ClockFault, WhatEndsEndsAlthoughBothClocksAreSetBack) {
  const policy::Instant end = clock_.Now() + 20s;
  engine_->Start(StartShort(end));
  AwaitHits("before the end");
  ASSERT_LT(clock_.Now(), end - 1s) << "too slow a machine for this test";
  police_clock_.Set(kBack);
  council_clock_.Set(kBack);
  AwaitHits("set back, before the end");
  while (clock_.Now() < end) std::this_thread::sleep_for(20ms);
  engine_->ExpectHalt(true);
  std::this_thread::sleep_for(2s);
  engine_->Stop();
  EXPECT_EQ(engine_->told().hits_in_halt, 0u);
  police_clock_.Set(0h);
  council_clock_.Set(0h);
  gateways_.ExpectSettled();
  ExpectNoneAfter(police(), "search-hit", end + 1s);
  ExpectNoneAfter(council(), "alert-raised", end + 1s);
  gateways_.Stop();
}

TEST_F(ClockFault, WhoStartsWithAWrongClockIsRefusedByItselfAndThenByItsPartner) {
  engine_->Start(first_);
  AwaitHits("before");
  RestartCouncilAt(2h, "after what it can be");
  // Somebody said that it is right; the partner knows better.
  const std::uint64_t before = engine_->told().hits;
  std::this_thread::sleep_for(5s);
  EXPECT_EQ(engine_->told().hits, before) << engine_->told().last;
  RestartCouncilAt(0h, "before what it can be");
  AwaitHits("right again");
  engine_->Stop();
  gateways_.ExpectSettled();
  gateways_.Stop();
}

}  // namespace
}  // namespace comity::testing
