// SPDX-License-Identifier: Apache-2.0
// What is withdrawn, corrected, restricted or ended at one agency reaches the other's alerts.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <thread>

#include "comity/v1/holdings.grpc.pb.h"
#include "services/audit/events.h"
#include "services/gateway/wire/convert_policy.h"
#include "tests/integration/direct_search_world.h"
#include "tests/integration/exported_log.h"
#include "tests/support/result_matchers.h"
#include "tests/support/watchlist_text.h"

namespace comity::testing {
namespace {

using std::chrono::steady_clock;
using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

class Withdrawals : public DirectSearchWorld {
 protected:
  void SetUp() override {
    DirectSearchWorld::SetUp();
    Agree();
    ImportEntries(5);
  }
  void Withdraw(const std::string& reference) {
    grpc::ClientContext context;
    v1::WithdrawEntryRequest request;
    v1::WithdrawEntryResponse response;
    request.set_watchlist("lantern");
    request.set_reference(reference);
    request.set_reason("the warrant was executed");
    const grpc::Status status = police_.watchlists()->Withdraw(&context, request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
  }
  v1::HoldersResponse HoldersOf(const std::string& reference) {
    grpc::ClientContext context;
    v1::HoldersRequest request;
    v1::HoldersResponse response;
    request.set_reference(reference);
    const auto stub = v1::Holdings::NewStub(police_.ChannelOf("operator"));
    const grpc::Status status = stub->OfReference(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  static v1::DeletionsResponse DeletionsOf(const LiveAgency& agency) {
    grpc::ClientContext context;
    v1::DeletionsResponse response;
    const auto stub = v1::Holdings::NewStub(agency.ChannelOf("dpo"));
    const grpc::Status status = stub->Deletions(&context, v1::DeletionsRequest(), &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  // Waits until the council has acknowledged what it was told of the entry.
  v1::EntryHolder AwaitAcknowledged(const std::string& reference) {
    v1::EntryHolder holder;
    for (int i = 0; i < 1000; ++i) {
      const v1::HoldersResponse response = HoldersOf(reference);
      if (response.holders_size() == 1) holder = response.holders(0);
      if (holder.answer().has_acknowledged_at()) return holder;
      std::this_thread::sleep_for(10ms);
    }
    ADD_FAILURE() << "not acknowledged: " << holder.DebugString();
    return holder;
  }
  std::vector<v1::Alert> AlertsOfCouncil() {
    grpc::ClientContext context;
    v1::ListAlertsResponse response;
    EXPECT_TRUE(
        council_.alerts("operator")->List(&context, v1::ListAlertsRequest(), &response).ok());
    return {response.alerts().begin(), response.alerts().end()};
  }
  std::size_t CouncilNotices(const std::string& person, std::string_view kind) {
    grpc::ClientContext context;
    v1::ListNoticesRequest request;
    v1::ListNoticesResponse response;
    request.set_all(true);
    EXPECT_TRUE(council_.notices(person)->List(&context, request, &response).ok());
    return static_cast<std::size_t>(
        std::ranges::count(response.notices(), kind, &v1::Notice::kind));
  }
};

TEST_F(Withdrawals, ReachTheAlertAndTheRunningSearchAndAreAcknowledged) {
  const auto engine = Watch();
  ASSERT_EQ(Ask(*engine, 1, entries_[0]).answered().alerts_size(), 1);
  ASSERT_EQ(Ask(*engine, 2, entries_[1]).answered().alerts_size(), 1);
  grpc::ClientContext watching;
  const auto stub = council_.alerts("operator");
  v1::WatchAlertsRequest from_now;
  from_now.set_include_open(true);
  const auto changes = stub->Watch(&watching, from_now);
  v1::Alert seen;
  ASSERT_TRUE(changes->Read(&seen) && changes->Read(&seen));  // the open ones
  const auto begin = steady_clock::now();
  Withdraw("ref-0");
  ASSERT_TRUE(changes->Read(&seen));
  const auto took = steady_clock::now() - begin;
  fmt::print("withdrawal seen at the other agency after {} ms\n",
             std::chrono::duration_cast<std::chrono::milliseconds>(took).count());
  EXPECT_LT(took, 5s);
  EXPECT_EQ(seen.state(), "withdrawn");
  EXPECT_EQ(seen.entry_note().change(), "withdrawn");
  watching.TryCancel();
  const v1::EntryHolder holder = AwaitAcknowledged("ref-0");
  EXPECT_EQ(holder.partner(), "eastvale-council");
  EXPECT_EQ(holder.change(), "withdrawn");
  EXPECT_FALSE(holder.holds());
  EXPECT_TRUE(holder.answer().receipt_verified());
  EXPECT_THAT(holder.answer().receipt(), HasSubstr("payload"));
  ASSERT_EQ(AlertsOfCouncil().size(), 1U);
  EXPECT_EQ(AlertsOfCouncil()[0].hit().reference(), "ref-1");
  EXPECT_EQ(CouncilNotices("operator", "alerts-changed"), 1U);
  // The same search goes on, and the entry is no part of it any more.
  EXPECT_EQ(Ask(*engine, 3, entries_[0]).answered().alerts_size(), 0);
  EXPECT_EQ(Ask(*engine, 4, entries_[2]).answered().alerts_size(), 1);
  // The entry that the council was never told of concerns nobody.
  Withdraw("ref-4");
  EXPECT_EQ(HoldersOf("ref-4").holders_size(), 0);
  EXPECT_EQ(ExportLog(council_).Count(audit::kPartnerMessageReceived), 1U);
}

TEST_F(Withdrawals, WhoIsShownAlertsIsOnTheRecord) {
  const auto engine = Watch();
  ASSERT_EQ(Ask(*engine, 1, entries_[0]).answered().alerts_size(), 1);
  ASSERT_EQ(AlertsOfCouncil().size(), 1U);
  EXPECT_EQ(ExportLog(council_).Count(audit::kAlertsRead), 1U);
  grpc::ClientContext watching;
  const auto stub = council_.alerts("operator");
  v1::WatchAlertsRequest request;
  request.set_include_open(true);
  const auto changes = stub->Watch(&watching, request);
  v1::Alert seen;
  ASSERT_TRUE(changes->Read(&seen));
  EXPECT_EQ(ExportLog(council_).Count(audit::kAlertsRead), 2U);
  watching.TryCancel();
}

TEST_F(Withdrawals, BothLogsHoldTheDigestOfTheReceipt) {
  const auto engine = Watch();
  ASSERT_EQ(Ask(*engine, 1, entries_[0]).answered().alerts_size(), 1);
  Withdraw("ref-0");
  AwaitAcknowledged("ref-0");
  const auto received = ExportLog(council_).OfType(audit::kPartnerMessageReceived);
  const auto kept = ExportLog(police_).OfType(audit::kReceiptReceived);
  ASSERT_EQ(received.size(), 1U);
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(received[0].messages, kept[0].messages);
  EXPECT_EQ(received[0].exchange, kept[0].exchange);
}

TEST_F(Withdrawals, ACorrectionChangesTheAlert) {
  const auto engine = Watch();
  ASSERT_EQ(Ask(*engine, 1, entries_[0]).answered().alerts_size(), 1);
  EntryText text;
  text.reference = "ref-0";
  text.now = Now();
  // Seconds after the import; a correction may not lengthen what was approved.
  text.valid_for -= std::chrono::hours(1);
  text.response = "do not approach";
  grpc::ClientContext context;
  v1::CorrectEntryRequest request;
  v1::CorrectEntryResponse response;
  request.set_watchlist("lantern");
  request.set_reference("ref-0");
  request.set_entry(EntryJson(text).dump());
  request.set_reason("the warning was missing");
  const grpc::Status status = police_.watchlists()->Correct(&context, request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_EQ(response.faults_size(), 0) << response.DebugString();
  EXPECT_TRUE(response.awaits_approval());
  // Nobody has approved it yet: the partner learns that the entry is not to be relied on.
  EXPECT_EQ(AwaitAcknowledged("ref-0").change(), "restricted");
  auto alerts = AlertsOfCouncil();
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_THAT(alerts[0].hit().response_code(), Not(HasSubstr("do not approach")));
  EXPECT_EQ(alerts[0].entry_note().change(), "restricted");
  EXPECT_EQ(Ask(*engine, 2, entries_[0]).answered().alerts_size(), 0);

  grpc::ClientContext approving;
  v1::ApproveEntriesRequest approve;
  approve.set_watchlist("lantern");
  approve.add_references("ref-0");
  v1::PendingAct act;
  ASSERT_TRUE(police_.watchlists("supervisor-1")->ApproveEntries(&approving, approve, &act).ok());
  police_.ApproveAct(act, "supervisor-2");
  for (int i = 0; i < 1000 && alerts[0].entry_note().change() != "unrestricted"; ++i) {
    std::this_thread::sleep_for(10ms);
    alerts = AlertsOfCouncil();
    ASSERT_EQ(alerts.size(), 1U);
  }
  EXPECT_TRUE(AwaitAcknowledged("ref-0").holds());
  EXPECT_THAT(alerts[0].hit().response_code(), HasSubstr("do not approach"));
  EXPECT_EQ(alerts[0].entry_note().change(), "unrestricted");
}

TEST_F(Withdrawals, APartnerThatWasCutOffCatchesUpBeforeItMaySearchAgain) {
  const auto engine = Watch();
  ASSERT_EQ(Ask(*engine, 1, entries_[0]).answered().alerts_size(), 1);
  const auto unchecked = Unchecked();
  ASSERT_THAT(unchecked->Open(Terms()), IsOk());
  const auto before = unchecked->Probe(entries_[1], ref_);
  ASSERT_THAT(before, IsOk());
  EXPECT_EQ(before->decision().code(), v1::DECISION_CODE_PERMIT);
  council_.Stop();
  Withdraw("ref-0");
  EXPECT_TRUE(HoldersOf("ref-0").holders(0).holds());
  std::this_thread::sleep_for(7s);
  const auto refused = unchecked->Probe(entries_[1], ref_);
  ASSERT_THAT(refused, IsOk());
  EXPECT_EQ(refused->decision().code(), v1::DECISION_CODE_CATCH_UP_REQUIRED);
  EXPECT_EQ(refused->hits_size(), 0);
  const auto opening = Unchecked()->Open(Terms());
  ASSERT_THAT(opening, IsOk());
  EXPECT_EQ(opening->code, policy::ReasonCode::kCatchUpRequired);
  // A restart of the holder opens no gap.
  police_.Stop();
  police_.Start({&council_});
  const auto restarted = Unchecked()->Open(Terms());
  ASSERT_THAT(restarted, IsOk());
  EXPECT_EQ(restarted->code, policy::ReasonCode::kCatchUpRequired);
  council_.Start({&police_});
  AwaitAcknowledged("ref-0");
  const auto again = Unchecked()->Open(Terms());
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->code, policy::ReasonCode::kPermit);
  EXPECT_TRUE(AlertsOfCouncil().empty());
}

TEST_F(Withdrawals, TheEndOfAnAgreementDeletesAtBothSidesWithReceipts) {
  text_.version = 2;
  text_.termination_notice = "PT1S";
  Agree();
  const auto engine = Watch();
  ASSERT_EQ(Ask(*engine, 1, entries_[0]).answered().alerts_size(), 1);
  policy::Statement termination;
  termination.kind = policy::StatementKind::kTermination;
  termination.agreement = ref_;
  termination.text = "The operation is over.";
  police_.Say("siro", termination);
  police_.Say("chief", termination);
  const auto all_done = [](const v1::DeletionsResponse& response) {
    return response.deletions_size() == 2 &&
           std::ranges::all_of(response.deletions(),
                               [](const v1::Deletion& one) { return one.has_done_at(); });
  };
  for (int i = 0; i < 300; ++i) {
    if (all_done(DeletionsOf(police_)) && all_done(DeletionsOf(council_))) break;
    std::this_thread::sleep_for(50ms);
  }
  for (const LiveAgency* agency : {&police_, &council_}) {
    const v1::DeletionsResponse response = DeletionsOf(*agency);
    ASSERT_TRUE(all_done(response)) << agency->name() << response.DebugString();
    const v1::Deletion& other = response.deletions(0);
    EXPECT_NE(other.holder(), agency->name());
    EXPECT_TRUE(other.answer().receipt_verified());
    EXPECT_EQ(response.deletions(1).holder(), agency->name());
  }
  EXPECT_TRUE(AlertsOfCouncil().empty());
  EXPECT_EQ(HoldersOf("ref-0").holders_size(), 0);
  EXPECT_GE(ExportLog(council_).Count(audit::kDeletionDone), 1U);
}

}  // namespace
}  // namespace comity::testing
