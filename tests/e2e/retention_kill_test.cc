// SPDX-License-Identifier: Apache-2.0
// kill -9 of either gateway at any step of the life of a hold: an alert is held by two people, its
// entry is withdrawn by the partner, a backup is made, the hold is released by two. What is held
// stays, what is not held goes, what was released goes, and each act is logged once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>

#include "comity/v1/retention.grpc.pb.h"
#include "services/audit/events.h"
#include "tests/e2e/killed_gateways.h"
#include "tests/e2e/two_agencies.h"
#include "tests/integration/opened_log.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

using Entry = OpenedLog::Entry;
using std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr int kUsualKills = 10;
constexpr std::size_t kEntries = 60;
constexpr int kBackups = 5;  // in a row: a kill is likely to come within one of them

class RetentionKill : public ::testing::Test {
 protected:
  void SetUp() override {
    agencies_.ImportEntries(kEntries);
    deployment_ = agencies_.CreateDeployment();
    gateways_.Start();
  }
  LiveAgency& police() { return agencies_.police(); }
  LiveAgency& council() { return agencies_.council(); }
  static std::string Reference(std::size_t entry) { return "ref-" + std::to_string(entry); }

  // The engine shows the face until it is told of an alert for the entry.
  std::string RaiseAlert(std::size_t entry) {
    const auto until = steady_clock::now() + 60s;
    std::string last;
    while (steady_clock::now() < until) {
      const auto engine = EngineClient::Open(gateways_.engine(council()), deployment_, clock_);
      const auto& face = agencies_.entries()[entry];
      for (std::uint64_t sequence = 1; engine; ++sequence) {
        if (!(*engine)->Send({sequence, "capture", "camera-1", face})) break;
        const auto answer = (*engine)->Receive();
        if (!answer) break;
        last = answer->ShortDebugString();
        if (answer->answered().alerts_size() != 0) {
          (*engine)->Cancel();
          return answer->answered().alerts(0).alert();
        }
        std::this_thread::sleep_for(50ms);
      }
      std::this_thread::sleep_for(20ms);
    }
    ADD_FAILURE() << "no alert of " << Reference(entry) << ": " << last;
    return "";
  }
  // Alerts of the entry that people are shown.
  std::set<std::string> AlertsOf(std::size_t entry) {
    v1::ListAlertsRequest request;
    v1::ListAlertsResponse response;
    request.set_limit(1000);
    gateways_.Do(council(), "operator", [&](const auto& channel, grpc::ClientContext& context) {
      return v1::Alerts::NewStub(channel)->List(&context, request, &response);
    });
    std::set<std::string> alerts;
    for (const v1::Alert& alert : response.alerts()) {
      if (alert.hit().reference() == Reference(entry)) alerts.insert(alert.alert());
    }
    return alerts;
  }
  void Withdraw(std::size_t entry) {
    gateways_.Step("withdraw " + Reference(entry), [&] {
      v1::WithdrawEntryRequest request;
      request.set_watchlist("lantern");
      request.set_reference(Reference(entry));
      request.set_reason("the warrant was executed");
      gateways_.Do(police(), "operator", [&](const auto& channel, grpc::ClientContext& context) {
        v1::WithdrawEntryResponse response;
        return v1::Watchlists::NewStub(channel)->Withdraw(&context, request, &response);
      });
    });
  }

  std::vector<v1::RetentionHold> Holds() {
    v1::RetentionHoldsResponse response;
    gateways_.Do(council(), "dpo", [&](const auto& channel, grpc::ClientContext& context) {
      return v1::Retention::NewStub(channel)->Holds(&context, {}, &response);
    });
    return {response.holds().begin(), response.holds().end()};
  }
  // What is stored of alerts, shown or not.
  std::uint64_t KeptAlerts() {
    v1::RetentionDueResponse response;
    gateways_.Do(council(), "dpo", [&](const auto& channel, grpc::ClientContext& context) {
      return v1::Retention::NewStub(channel)->Due(&context, {}, &response);
    });
    for (const v1::RetentionClassStatus& each : response.classes()) {
      if (each.record_class() == "alert") return each.kept();
    }
    ADD_FAILURE() << response.DebugString();
    return 0;
  }
  void DoByTwo(const KilledGateways::TwoPeopleAct& two, const KilledGateways::Propose& propose) {
    v1::PendingAct act;
    gateways_.Step("propose " + two.subject,
                   [&] { act = gateways_.Proposed(council(), two, propose); });
    gateways_.Step("approve " + two.subject, [&] { gateways_.Approve(council(), two, act); });
    approvals_.insert(act.approval());
  }
  void Hold(const std::string& alert) {
    DoByTwo({"retention-hold", "hold on alert", "supervisor-1", "dpo"},
            [&](const auto& channel, grpc::ClientContext& context, v1::PendingAct* act) {
              v1::RetentionHoldRequest request;
              request.set_record_class("alert");
              request.set_reference(alert);
              request.set_reason("a complaint is being looked into");
              return v1::Retention::NewStub(channel)->Hold(&context, request, act);
            });
    const auto holds = Holds();
    ASSERT_EQ(holds.size(), 1u) << "acknowledged, and not there once";
    EXPECT_EQ(holds.front().reference(), alert);
    hold_ = holds.front().number();
    held_.insert(alert);
  }
  void Release() {
    DoByTwo({"retention-release", "hold " + std::to_string(hold_), "supervisor-1", "dpo"},
            [&](const auto& channel, grpc::ClientContext& context, v1::PendingAct* act) {
              v1::RetentionReleaseRequest request;
              request.set_number(hold_);
              request.set_reason("the complaint was unfounded");
              return v1::Retention::NewStub(channel)->Release(&context, request, act);
            });
    EXPECT_TRUE(Holds().empty());
  }
  // As an administrator's program takes it: what does not come to its end is none.
  void TakeBackup() {
    std::uint64_t octets = 0, expected = 0;
    bool last = false;
    gateways_.Do(council(), "admin-1", [&](const auto& channel, grpc::ClientContext& context) {
      octets = expected = 0;
      last = false;
      v1::BackupChunk chunk;
      const auto stub = v1::Backup::NewStub(channel);
      const auto reader = stub->Make(&context, v1::MakeBackupRequest());
      while (reader->Read(&chunk)) {
        if (chunk.has_head()) expected = chunk.head().octets();
        octets += chunk.data().size();
        last = chunk.last();
      }
      return reader->Finish();
    });
    EXPECT_TRUE(last) << "acknowledged, and not whole";
    EXPECT_EQ(octets, expected);
    ++backups_;
  }
  void Backup() {
    gateways_.Step("backup", [&] {
      for (int i = 0; i < kBackups; ++i) TakeBackup();
    });
  }
  void RunRetention() {
    gateways_.Step("erase what is due", [&] {
      gateways_.Do(council(), "dpo", [&](const auto& channel, grpc::ClientContext& context) {
        v1::RetentionRunResponse response;
        return v1::Retention::NewStub(channel)->Run(&context, {}, &response);
      });
    });
  }

  void Live(std::size_t round) {
    const std::size_t held = 2 * round;
    const std::size_t other = held + 1;
    std::string alert;
    gateways_.Step("alerts", [&] {
      alert = RaiseAlert(held);
      RaiseAlert(other);
    });
    Hold(alert);
    if (HasFailure()) return;
    Withdraw(held);
    Withdraw(other);
    gateways_.Step("await withdrawal", [&] {
      gateways_.Await("no alert shown of what was withdrawn",
                      [&] { return AlertsOf(held).empty() && AlertsOf(other).empty(); });
    });
    gateways_.Await("only what is held is kept", [&] { return KeptAlerts() == 1; });
    Backup();
    RunRetention();
    EXPECT_EQ(KeptAlerts(), 1u) << "what is held was erased";
    Release();
    RunRetention();
    gateways_.Await("what was released is gone", [&] { return KeptAlerts() == 0; });
  }
  // No backup that was given up is left in the data folder, and none of its files.
  void ExpectNoDrafts() {
    for (const auto& item : std::filesystem::directory_iterator(council().data())) {
      EXPECT_FALSE(item.path().filename().string().starts_with("backup-b-")) << item.path();
    }
  }
  void Check() {
    gateways_.ExpectSettled();
    gateways_.Stop();
    const auto log = OpenedLog::Of(council());
    ASSERT_THAT(log, IsOk());
    const auto reference = [](const Entry& entry) { return entry.Field("reference"); };
    log->ExpectEachOnce(audit::kRetentionHeld, reference, held_);
    log->ExpectEachOnce(audit::kRetentionReleased, reference, held_);
    const auto approval = [](const Entry& entry) {
      return entry.Field("act").starts_with("retention-") ? entry.Field("approval") : "";
    };
    log->ExpectEachOnce(audit::kApprovalProposed, approval, approvals_);
    log->ExpectEachOnce(audit::kApprovalDecided, approval, approvals_);
    log->ExpectNoneTwice(audit::kBackupMade,
                         [](const Entry& entry) { return entry.Field("backup"); });
    EXPECT_GE(
        log->Times(audit::kBackupMade, [](const Entry& entry) { return entry.Field("backup"); })
            .size(),
        backups_);
    ExpectNoDrafts();
  }

  runtime::SystemClock clock_;
  TwoAgencies agencies_{128};
  KilledGateways gateways_{{&agencies_.police(), &agencies_.council()}, kUsualKills};
  std::string deployment_;
  std::uint64_t hold_ = 0;  // of this round
  std::size_t backups_ = 0;
  std::set<std::string> held_, approvals_;  // in all rounds
};

TEST_F(RetentionKill, KeepsWhatIsHeldErasesTheRestAndRepeatsNoAct) {
  std::size_t round = 0;
  for (; gateways_.has_kills_left() && !HasFailure() && 2 * round + 1 < kEntries; ++round) {
    Live(round);
  }
  if (!HasFailure()) Check();
}

}  // namespace
}  // namespace comity::testing
