// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/killed_gateways.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <thread>

#include "tests/e2e/exported_log.h"
#include "tests/support/result_matchers.h"
#include "tests/support/staff.h"

namespace comity::testing {
namespace {

using std::chrono::microseconds;
using std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto kDeadline = 15s;     // of one attempt
constexpr auto kPatience = 60s;     // with one act
constexpr auto kConvergence = 20s;  // of two gateways that both run
constexpr auto kBetweenAttempts = 20ms;

std::uint64_t NumberOf(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::uint64_t Seed() {
  const std::uint64_t seed = NumberOf("COMITY_CRASH_SEED", std::random_device()());
  fmt::print("COMITY_CRASH_SEED={}\n", seed);
  return seed;
}

// Short moments are as likely as long ones: an act takes some milliseconds, what follows it longer.
microseconds Moment(std::mt19937_64& random, microseconds longest) {
  const double top = std::log(static_cast<double>(longest.count()));
  return microseconds(
      static_cast<std::int64_t>(std::exp(std::uniform_real_distribution<>(3, top)(random))));
}

}  // namespace

KilledGateways::KilledGateways(const std::vector<LiveAgency*>& agencies, int usual)
    : kills_left_(
          static_cast<int>(NumberOf("COMITY_CRASH_KILLS", static_cast<std::uint64_t>(usual)))),
      random_(Seed()) {
  for (LiveAgency* agency : agencies) served_.push_back(std::make_unique<Served>(*agency));
}

void KilledGateways::Start() {
  std::vector<Served*> all;
  for (const auto& each : served_) {
    each->agency->Stop();
    all.push_back(each.get());
  }
  StartAgain(all);
}

void KilledGateways::StartAgain(const std::vector<Served*>& victims) {
  for (Served* each : victims) EXPECT_TRUE(each->process.Begin());
  for (Served* each : victims) {
    // A start takes a fraction of a second, on a machine that does nothing else.
    const auto until = steady_clock::now() + kPatience;
    bool listens = each->process.AwaitListening();
    while (!listens && each->process.IsRunning() && steady_clock::now() < until) {
      listens = each->process.AwaitListening();
    }
    EXPECT_TRUE(listens) << each->agency->name() << " does not start again\n"
                         << each->process.log();
    each->engine.With([&](EngineSettings& engine) { engine = each->process.engine(); });
  }
}

KilledGateways::Plan KilledGateways::NextPlan() {
  Plan plan;
  for (const auto& each : served_) plan.victims.push_back(each.get());
  // Seldom all at once, as in a power cut.
  if (random_() % 8 != 0) plan.victims = {plan.victims[random_() % plan.victims.size()]};
  plan.before = Moment(random_, 300ms);
  plan.down = Moment(random_, 300ms);
  if (random_() % 5 == 0) plan.starting = Moment(random_, 150ms);
  kills_left_ -= static_cast<int>(plan.victims.size()) * (plan.starting > 0us ? 2 : 1);
  return plan;
}

void KilledGateways::Carry(const Plan& plan) {
  std::this_thread::sleep_for(plan.before);
  for (Served* victim : plan.victims) victim->process.Kill();
  std::this_thread::sleep_for(plan.down);
  if (plan.starting > 0us) {
    for (Served* victim : plan.victims) EXPECT_TRUE(victim->process.Begin());
    std::this_thread::sleep_for(plan.starting);
    for (Served* victim : plan.victims) victim->process.Kill();
  }
  StartAgain(plan.victims);
}

void KilledGateways::Step(const std::string& name, const std::function<void()>& acts) {
  if (::testing::Test::HasFailure()) return;
  const ::testing::ScopedTrace trace(__FILE__, __LINE__, "step: " + name);
  // Not in every step: some follow one that nothing disturbed.
  if (!has_kills_left() || random_() % 3 == 0) {
    acts();
    return;
  }
  const std::jthread killer([this, plan = NextPlan()] { Carry(plan); });
  acts();
}

void KilledGateways::Stop() {
  for (const auto& each : served_) {
    EXPECT_EQ(each->process.Stop(kStopPatience), 0) << each->process.log();
  }
}

void KilledGateways::WhileStopped(const LiveAgency& agency, const std::function<void()>& act) {
  Served& served = Find(agency);
  EXPECT_EQ(served.process.Stop(kStopPatience), 0) << served.process.log();
  act();
  StartAgain({&served});
}

KilledGateways::Served& KilledGateways::Find(const LiveAgency& agency) const {
  return **std::ranges::find_if(served_, [&](const auto& each) { return each->agency == &agency; });
}

EngineSettings KilledGateways::engine(const LiveAgency& agency) const {
  return Find(agency).engine.With([](const EngineSettings& engine) { return engine; });
}

std::shared_ptr<grpc::Channel> KilledGateways::ChannelOf(const LiveAgency& agency,
                                                         const std::string& person) const {
  const std::string gateway = engine(agency).gateway;
  return lines_.With([&](auto& lines) {
    Line& line = lines[agency.name() + " " + person];
    if (line.first == gateway) return line.second;
    line = {gateway, OpenAs(agency, person, gateway)};
    return line.second;
  });
}

grpc::Status KilledGateways::Try(const LiveAgency& agency, const std::string& person,
                                 const Call& call) const {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kDeadline);
  return call(ChannelOf(agency, person), context);
}

KilledGateways::Outcome KilledGateways::Do(const LiveAgency& agency, const std::string& person,
                                           const Call& call, const How& how) const {
  const auto until = steady_clock::now() + kPatience;
  bool unknown = false;  // the outcome of an earlier attempt
  grpc::Status status;
  do {
    if (unknown && how.is_done && how.is_done()) return Outcome::kDoneBefore;
    status = Try(agency, person, call);
    if (status.ok()) return Outcome::kDone;
    const bool is_late = status.error_code() == grpc::StatusCode::FAILED_PRECONDITION;
    if (unknown && is_late) return Outcome::kDoneBefore;
    unknown = unknown || IsUnknown(status);
    const bool waits = how.waits && status.error_code() == grpc::StatusCode::NOT_FOUND;
    if (!waits && !IsUnknown(status)) break;
    std::this_thread::sleep_for(kBetweenAttempts);
  } while (steady_clock::now() < until);
  ADD_FAILURE() << agency.name() << ", " << person << ": " << status.error_code() << " "
                << status.error_message() << (unknown ? " (after an unknown outcome)" : "");
  return Outcome::kRefused;
}

std::vector<v1::PendingAct> KilledGateways::Pending(const LiveAgency& agency,
                                                    const TwoPeopleAct& two) const {
  std::vector<v1::PendingAct> found;
  v1::ListApprovalsResponse response;
  Do(agency, two.proposer, [&](const auto& channel, grpc::ClientContext& context) {
    v1::ListApprovalsRequest request;
    request.set_limit(1000);
    return v1::Approvals::NewStub(channel)->List(&context, request, &response);
  });
  for (const v1::PendingAct& act : response.approvals()) {
    const bool is_it = two.subject.empty() || act.subject() == two.subject;
    if (is_it && act.act() == two.act && act.state() == "pending") found.push_back(act);
  }
  return found;
}

v1::PendingAct KilledGateways::Proposed(const LiveAgency& agency, const TwoPeopleAct& two,
                                        const Propose& propose) const {
  v1::PendingAct act;
  const auto outcome = Do(agency, two.proposer,
                          [&](const auto& channel, grpc::ClientContext& context) {
                            return propose(channel, context, &act);
                          },
                          {.is_done = [&] { return !Pending(agency, two).empty(); }});
  if (outcome != Outcome::kDoneBefore) return act;
  const auto pending = Pending(agency, two);
  EXPECT_EQ(pending.size(), 1u) << two.act << " " << two.subject;
  return pending.empty() ? act : pending.front();
}

void KilledGateways::Approve(const LiveAgency& agency, const TwoPeopleAct& two,
                             const v1::PendingAct& act) const {
  v1::DecideApprovalRequest request;
  request.set_decision(SignedDecision(agency.pki(), two.approver, act,
                                      identity::DecisionKind::kApprove, two.reason));
  const auto outcome =
      Do(agency, two.approver, [&](const auto& channel, grpc::ClientContext& context) {
        v1::PendingAct decided;
        return v1::Approvals::NewStub(channel)->Decide(&context, request, &decided);
      });
  if (outcome != Outcome::kDoneBefore) return;
  v1::PendingAct decided;
  Do(agency, two.approver, [&](const auto& channel, grpc::ClientContext& context) {
    v1::GetApprovalRequest get;
    get.set_approval(act.approval());
    return v1::Approvals::NewStub(channel)->Get(&context, get, &decided);
  });
  EXPECT_EQ(decided.state(), "approved") << decided.DebugString();
}

std::uint64_t KilledGateways::CountWaiting(const LiveAgency& agency) const {
  v1::ListPeersResponse response;
  Do(agency, "dpo", [&](const auto& channel, grpc::ClientContext& context) {
    return v1::Peers::NewStub(channel)->List(&context, {}, &response);
  });
  std::uint64_t waiting = 0;
  for (const v1::Peer& peer : response.peers()) waiting += peer.outbox();
  return waiting;
}

void KilledGateways::ExpectSettled() const {
  for (const auto& each : served_) {
    const LiveAgency& agency = *each->agency;
    Await("an empty outbox at " + agency.name(), [&] { return CountWaiting(agency) == 0; });
  }
  std::vector<WholeLog> logs;
  for (const auto& each : served_) {
    const LiveAgency& agency = *each->agency;
    auto log = WholeLog::Of(*v1::Audit::NewStub(ChannelOf(agency, "auditor")));
    ASSERT_THAT(log, IsOk()) << agency.name();
    for (const WholeLog& other : logs) ExpectAgreeing(other, *log);
    logs.push_back(*std::move(log));
  }
}

bool KilledGateways::Await(const std::string& what, const std::function<bool()>& holds) const {
  auto until = steady_clock::now() + kConvergence;
  while (steady_clock::now() < until) {
    if (holds()) return true;
    std::this_thread::sleep_for(kBetweenAttempts);
  }
  ADD_FAILURE() << "not within 20 seconds: " << what;
  return false;
}

}  // namespace comity::testing
