// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/people_at_work.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/audit/events.h"
#include "tests/e2e/gateway_process.h"
#include "tests/support/staff.h"

namespace comity::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr const char* kOne = "supervisor-1";
constexpr const char* kOther = "supervisor-2";
constexpr seconds kLongestAct{60};  // longer than a gateway waits for its database
constexpr milliseconds kBetweenActs{100};
constexpr std::uint32_t kMost = 1000;  // stops that the gateway lists at once

}  // namespace

void PeopleAtWork::Start() {
  Stop();
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

void PeopleAtWork::Stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

bool PeopleAtWork::AwaitActs(std::size_t further, seconds patience) const {
  const auto count = [this] {
    return told_.With([](const Told& told) { return told.set.size() + told.lifted.size(); });
  };
  const std::size_t wanted = count() + further;
  const auto end = steady_clock::now() + patience;
  while (count() < wanted) {
    if (steady_clock::now() > end) return false;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return true;
}

void PeopleAtWork::Run(const std::stop_token& stop) {
  v1::SetStopRequest request;
  request.set_scope(v1::STOP_SCOPE_WATCHLIST);
  request.set_reference(list_);
  request.set_reason("a complaint is being looked into");
  while (!stop.stop_requested()) {
    std::this_thread::sleep_for(kBetweenActs);
    std::optional<std::string> standing;
    if (!Standing(standing)) continue;
    if (standing) {
      Lift(*standing);
    } else {
      Set(kOne, request);
    }
  }
}

bool PeopleAtWork::Try(const std::string& person, const Call& call) {
  const std::string gateway = gateway_();
  const auto channel = lines_.With([&](auto& lines) {
    Line& line = lines[person];
    if (line.first != gateway) line = {gateway, OpenAs(agency_, person, gateway)};
    return line.second;
  });
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kLongestAct);
  const grpc::Status status = call(channel, context);
  if (status.ok()) return true;
  told_.With([&](Told& told) {
    if (IsUnknown(status)) ++told.unknown;
    told.last_refusal = fmt::format("{}: {} {}", person, static_cast<int>(status.error_code()),
                                    status.error_message());
  });
  return false;
}

std::optional<std::string> PeopleAtWork::Set(const std::string& person,
                                             const v1::SetStopRequest& request) {
  v1::Stop stop;
  const bool done = Try(person, [&](const auto& channel, grpc::ClientContext& context) {
    return v1::Stops::NewStub(channel)->Set(&context, request, &stop);
  });
  if (!done) return std::nullopt;
  told_.With([&](Told& told) { told.set.insert(stop.stop()); });
  return stop.stop();
}

std::optional<std::string> PeopleAtWork::StopPartner(const std::string& partner) {
  v1::SetStopRequest request;
  request.set_scope(v1::STOP_SCOPE_PARTNER);
  request.set_reference(partner);
  request.set_reason("the partner reports a stolen engine");
  return Set(kOther, request);
}

// False: it could not be learnt.
bool PeopleAtWork::Standing(std::optional<std::string>& stop) {
  v1::ListStopsRequest request;
  v1::ListStopsResponse response;
  request.set_limit(kMost);
  const bool done = Try(kOne, [&](const auto& channel, grpc::ClientContext& context) {
    return v1::Stops::NewStub(channel)->List(&context, request, &response);
  });
  for (const v1::Stop& each : response.stops()) {
    if (each.reference() == list_) stop = each.stop();
  }
  return done;
}

// That was proposed before, by somebody who was not told so.
bool PeopleAtWork::PendingLift(const std::string& stop, v1::PendingAct& act) {
  v1::ListApprovalsRequest request;
  v1::ListApprovalsResponse response;
  request.set_limit(kMost);
  Try(kOne, [&](const auto& channel, grpc::ClientContext& context) {
    return v1::Approvals::NewStub(channel)->List(&context, request, &response);
  });
  for (const v1::PendingAct& each : response.approvals()) {
    if (each.state() != "pending" || each.subject() != "stop " + stop) continue;
    act = each;
    return true;
  }
  return false;
}

bool PeopleAtWork::Lift(const std::string& stop) {
  v1::PendingAct act;
  if (!PendingLift(stop, act)) {
    v1::LiftStopRequest request;
    request.set_stop(stop);
    request.set_reason("the complaint was unfounded");
    const bool proposed = Try(kOne, [&](const auto& channel, grpc::ClientContext& context) {
      return v1::Stops::NewStub(channel)->Lift(&context, request, &act);
    });
    if (!proposed) return false;
  }
  v1::DecideApprovalRequest request;
  request.set_decision(
      SignedDecision(agency_.pki(), kOther, act, identity::DecisionKind::kApprove, "as agreed"));
  const bool lifted = Try(kOther, [&](const auto& channel, grpc::ClientContext& context) {
    v1::PendingAct decided;
    return v1::Approvals::NewStub(channel)->Decide(&context, request, &decided);
  });
  if (lifted) told_.With([&](Told& told) { told.lifted.insert(stop); });
  return lifted;
}

void PeopleAtWork::Check(const WholeLog& log) const {
  const Told told = this->told();
  v1::ListStopsRequest request;
  v1::ListStopsResponse response;
  request.set_all(true);
  request.set_limit(kMost);
  grpc::ClientContext context;
  const grpc::Status status = agency_.stops()->List(&context, request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_LT(response.stops_size(), static_cast<int>(kMost)) << "not all are listed";
  std::set<std::string> set;
  std::set<std::string> lifted;
  for (const v1::Stop& stop : response.stops()) {
    set.insert(stop.stop());
    if (stop.lifted_by().empty()) continue;
    EXPECT_EQ(stop.lifted_by(), kOther) << stop.DebugString();
    lifted.insert(stop.stop());
  }
  for (const std::string& stop : told.set) {
    EXPECT_TRUE(set.contains(stop)) << stop << " was acknowledged and is lost";
  }
  for (const std::string& stop : told.lifted) {
    EXPECT_TRUE(lifted.contains(stop)) << stop << " was lifted, as two were told, and stands";
  }
  // Beyond what was acknowledged is only what somebody was not told.
  EXPECT_LE(set.size() + lifted.size(), told.set.size() + told.lifted.size() + told.unknown);
  EXPECT_EQ(log.Count(audit::kStopSet), set.size());
  EXPECT_EQ(log.Count(audit::kStopLifted), lifted.size());
}

}  // namespace comity::testing
