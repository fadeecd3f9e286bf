// SPDX-License-Identifier: Apache-2.0
// kill -9 of either gateway at any step of the life of lists: from the draft over imports,
// approval, alerts at the partner, and changes of entries to the close and the deletion.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "comity/v1/holdings.grpc.pb.h"
#include "services/audit/events.h"
#include "tests/e2e/killed_gateways.h"
#include "tests/e2e/two_agencies.h"
#include "tests/integration/opened_log.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

using Entry = OpenedLog::Entry;
using Outcome = KilledGateways::Outcome;
using std::chrono::steady_clock;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

constexpr int kUsualKills = 12;
// One of them is longer than one unit of work of an import.
constexpr std::size_t kImports[] = {20, 1100, 21};
constexpr std::size_t kEntries = 20 + 1100 + 21;
constexpr const char* kCorrected = "do not approach";

// Which entries of a list what is done to.
constexpr std::size_t kWithdrawnInDraft = 1;
constexpr std::size_t kCorrectedInDraft = 2;
constexpr std::size_t kWithdrawn[] = {4, 30, 1130};
constexpr std::size_t kCorrectedLater = 5;
constexpr std::size_t kRestricted = 1000;

class ListKill : public ::testing::Test {
 protected:
  void SetUp() override {
    agencies_.ImportEntries(3);
    deployment_ = agencies_.CreateDeployment();
    gateways_.Start();
  }
  LiveAgency& police() { return agencies_.police(); }
  LiveAgency& council() { return agencies_.council(); }
  std::string Reference(std::size_t entry) const { return list_ + "-" + std::to_string(entry); }
  std::string Named(std::size_t entry) const { return list_ + " " + Reference(entry); }

  template <typename Request, typename Response>
  using Method = grpc::Status (v1::Watchlists::Stub::*)(grpc::ClientContext*, const Request&,
                                                        Response*);
  // One of the police does it to the list.
  template <typename Request, typename Response>
  Outcome Ask(Method<Request, Response> method, Request request, Response& response,
              const KilledGateways::How& how = {}, const std::string& person = "operator") {
    return gateways_.Do(
        police(), person,
        [&](const auto& channel, grpc::ClientContext& context) {
          const auto stub = v1::Watchlists::NewStub(channel);
          return ((*stub).*method)(&context, request, &response);
        },
        how);
  }
  template <typename Request>
  Request OfEntry(std::size_t entry) const {
    Request request;
    request.set_watchlist(list_);
    request.set_reference(Reference(entry));
    request.set_reason("the warrant was executed");
    return request;
  }
  v1::ShowEntryResponse Show(std::size_t entry) {
    v1::ShowEntryRequest request;
    v1::ShowEntryResponse response;
    request.set_watchlist(list_);
    request.set_reference(Reference(entry));
    Ask(&v1::Watchlists::Stub::ShowEntry, request, response);
    return response;
  }
  v1::WatchlistSummary Summary() {
    v1::WatchlistStatusRequest request;
    v1::WatchlistStatusResponse response;
    request.set_watchlist(list_);
    Ask(&v1::Watchlists::Stub::Status, request, response);
    return response.watchlists_size() == 1 ? response.watchlists(0) : v1::WatchlistSummary();
  }

  EntryText TextOf(std::size_t entry) const {
    EntryText text;
    text.reference = Reference(entry);
    text.category = TwoAgencies::kCategory;
    text.now = std::chrono::floor<std::chrono::seconds>(clock_.Now());
    return text;
  }
  void Draft() {
    gateways_.Step("draft", [&] {
      v1::DraftWatchlistRequest request;
      v1::DraftWatchlistResponse response;
      request.set_definition(WriteDefinition(agencies_.ListNamed(list_)));
      Ask(&v1::Watchlists::Stub::Draft, request, response);
      EXPECT_EQ(response.faults_size(), 0) << response.DebugString();
    });
  }
  // One file of entries and faces, handed in until it is there.
  void Import(std::size_t from, std::size_t count) {
    std::vector<v1::AddEntriesRequest> parts(3);
    parts[0].mutable_begin()->set_watchlist(list_);
    parts[0].mutable_begin()->set_format(v1::TEMPLATE_FORMAT_FLOAT32);
    for (std::size_t i = from; i < from + count; ++i) {
      faces_.push_back(agencies_.Stranger());
      *parts[1].mutable_entries_chunk() += EntryLine(TextOf(i));
      parts[2].mutable_templates_chunk()->append(
          reinterpret_cast<const char*>(faces_.back().data()),
          faces_.back().size() * sizeof(float));
    }
    // An entry line has some 700 octets, a chunk at most 1 MiB.
    ASSERT_LE(parts[1].entries_chunk().size(), std::size_t{1} << 20);
    gateways_.Step("import of " + std::to_string(count), [&] {
      v1::AddEntriesResponse response;
      gateways_.Do(police(), "operator",
                   [&](const auto& channel, grpc::ClientContext& context) {
                     response.Clear();
                     const auto stub = v1::Watchlists::NewStub(channel);
                     const auto writer = stub->Add(&context, &response);
                     for (const auto& part : parts) writer->Write(part);
                     writer->WritesDone();
                     return writer->Finish();
                   },
                   {.is_done = [&] { return Summary().entries() == from + count; }});
      EXPECT_EQ(response.fault_count(), 0u) << response.DebugString();
    });
    EXPECT_EQ(Summary().entries(), from + count) << "acknowledged, and not all or nothing";
  }
  void Withdraw(std::size_t entry) {
    gateways_.Step("withdraw " + Reference(entry), [&] {
      v1::WithdrawEntryResponse response;
      Ask(&v1::Watchlists::Stub::Withdraw, OfEntry<v1::WithdrawEntryRequest>(entry), response);
    });
    withdrawn_.insert(Named(entry));
  }
  void Correct(std::size_t entry) {
    gateways_.Step("correct " + Reference(entry), [&] {
      EntryText text = TextOf(entry);
      text.valid_for = 23h;  // not longer than what was approved
      text.response = kCorrected;
      auto request = OfEntry<v1::CorrectEntryRequest>(entry);
      request.set_entry(EntryJson(text).dump());
      v1::CorrectEntryResponse response;
      Ask(&v1::Watchlists::Stub::Correct, request, response,
          {.is_done = [&] { return Show(entry).fields().find(kCorrected) != std::string::npos; }});
      EXPECT_EQ(response.faults_size(), 0) << response.DebugString();
    });
    corrected_.insert(Named(entry));
  }
  // What a correction made of an entry that was approved matches once two people approve it.
  void ApproveCorrected(std::size_t entry) {
    AwaitTold(entry, "restricted");
    DoByTwo({"entry-approve", "watchlist " + list_, "supervisor-1", "supervisor-2"},
            [&](const auto& channel, grpc::ClientContext& context, v1::PendingAct* act) {
              v1::ApproveEntriesRequest request;
              request.set_watchlist(list_);
              request.add_references(Reference(entry));
              return v1::Watchlists::NewStub(channel)->ApproveEntries(&context, request, act);
            });
    approved_.insert(list_);
  }
  void RestrictAndUnrestrict(std::size_t entry) {
    gateways_.Step("restrict", [&] {
      v1::RestrictEntryResponse response;
      Ask(&v1::Watchlists::Stub::Restrict, OfEntry<v1::RestrictEntryRequest>(entry), response);
    });
    DoByTwo({"entry-unrestrict", "entry " + Reference(entry), "operator", "supervisor-1"},
            [&](const auto& channel, grpc::ClientContext& context, v1::PendingAct* act) {
              return v1::Watchlists::NewStub(channel)->Unrestrict(
                  &context, OfEntry<v1::UnrestrictEntryRequest>(entry), act);
            });
    restricted_.insert(Named(entry));
  }
  void DoByTwo(const KilledGateways::TwoPeopleAct& two, const KilledGateways::Propose& propose) {
    v1::PendingAct act;
    gateways_.Step("propose " + two.subject,
                   [&] { act = gateways_.Proposed(police(), two, propose); });
    gateways_.Step("approve " + two.subject, [&] { gateways_.Approve(police(), two, act); });
    decided_.insert(std::string(two.act) + " " + two.subject);
  }
  void Submit() {
    DoByTwo({"watchlist-approve", "watchlist " + list_, "operator", "supervisor-1"},
            [&](const auto& channel, grpc::ClientContext& context, v1::PendingAct* act) {
              v1::SubmitWatchlistRequest request;
              request.set_watchlist(list_);
              return v1::Watchlists::NewStub(channel)->Submit(&context, request, act);
            });
    EXPECT_EQ(Summary().state(), "approved");
  }

  // The engine shows the face until it is told of an alert for the entry.
  void RaiseAlert(std::size_t entry) {
    gateways_.Step("alert of " + Reference(entry), [&] {
      const auto until = steady_clock::now() + 60s;
      std::string last;
      while (steady_clock::now() < until) {
        const auto engine = EngineClient::Open(gateways_.engine(council()), deployment_, clock_);
        for (std::uint64_t face = 1; engine; ++face) {
          if (!(*engine)->Send({face, "capture", "camera-1", faces_[entry]})) break;
          const auto answer = (*engine)->Receive();
          if (!answer) break;
          last = answer->DebugString();
          for (const v1::AlertRef& alert : answer->answered().alerts()) {
            if (alert.hit().reference() != Reference(entry)) continue;
            alerts_.insert(alert.alert());
            (*engine)->Cancel();
            return;
          }
          std::this_thread::sleep_for(50ms);
        }
        std::this_thread::sleep_for(20ms);
      }
      ADD_FAILURE() << "no alert of " << Reference(entry) << ": " << last;
    });
  }
  // What the council has been told of the entry last, if it has answered so that it can be proven.
  std::string Acknowledged(std::size_t entry) {
    v1::HoldersRequest request;
    v1::HoldersResponse response;
    request.set_reference(Reference(entry));
    gateways_.Do(police(), "operator", [&](const auto& channel, grpc::ClientContext& context) {
      return v1::Holdings::NewStub(channel)->OfReference(&context, request, &response);
    });
    if (response.holders_size() != 1) return "";
    const v1::EntryHolder& holder = response.holders(0);
    return holder.answer().receipt_verified() ? holder.change() : "";
  }
  void AwaitTold(std::size_t entry, const std::string& change) {
    gateways_.Step("await " + change, [&] {
      gateways_.Await("receipt of " + change + " of " + Reference(entry),
                      [&] { return Acknowledged(entry) == change; });
    });
  }
  std::map<std::string, v1::Alert> AlertsOfList() {
    v1::ListAlertsRequest request;
    v1::ListAlertsResponse response;
    request.set_limit(1000);
    gateways_.Do(council(), "operator", [&](const auto& channel, grpc::ClientContext& context) {
      return v1::Alerts::NewStub(channel)->List(&context, request, &response);
    });
    std::map<std::string, v1::Alert> alerts;
    for (const v1::Alert& alert : response.alerts()) {
      if (alert.hit().reference().starts_with(list_ + "-")) alerts[alert.hit().reference()] = alert;
    }
    return alerts;
  }

  void CloseAndDelete() {
    gateways_.Step("close", [&] {
      v1::CloseWatchlistRequest request;
      v1::CloseWatchlistResponse response;
      request.set_watchlist(list_);
      request.set_reason("the operation is over");
      Ask(&v1::Watchlists::Stub::Close, request, response, {}, "supervisor-1");
    });
    gateways_.Step("await deletion", [&] {
      gateways_.Await("deletion", [&] { return Summary().state() == "deleted"; });
      gateways_.Await("no alert left", [&] { return AlertsOfList().empty(); });
    });
  }
  // A row for each entry that was ever on the list: not for the one withdrawn from the draft.
  void CheckManifest() {
    std::string rows;
    gateways_.Do(police(), "auditor", [&](const auto& channel, grpc::ClientContext& context) {
      rows.clear();
      v1::ManifestRequest request;
      request.set_watchlist(list_);
      const auto stub = v1::Watchlists::NewStub(channel);
      const auto reader = stub->Manifest(&context, request);
      for (v1::ManifestPart part; reader->Read(&part);) rows += part.rows();
      return reader->Finish();
    });
    EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(rows, '\n')), kEntries - 1);
  }

  void Live(int round) {
    list_ = "list-" + std::to_string(round);
    faces_.clear();
    Draft();
    std::size_t from = 0;
    for (const std::size_t count : kImports) {
      Import(from, count);
      from += count;
      imported_.insert(list_ + " " + std::to_string(count));
    }
    Withdraw(kWithdrawnInDraft);
    Correct(kCorrectedInDraft);
    Submit();
    for (const std::size_t entry : kWithdrawn) RaiseAlert(entry);
    RaiseAlert(kCorrectedLater);
    RaiseAlert(kRestricted);
    for (const std::size_t entry : kWithdrawn) Withdraw(entry);
    Correct(kCorrectedLater);
    ApproveCorrected(kCorrectedLater);
    RestrictAndUnrestrict(kRestricted);
    for (const std::size_t entry : kWithdrawn) AwaitTold(entry, "withdrawn");
    AwaitTold(kCorrectedLater, "unrestricted");
    AwaitTold(kRestricted, "unrestricted");
    CheckList();
    CloseAndDelete();
    CheckManifest();
    lists_.insert(list_);
  }
  void CheckList() {
    if (HasFailure()) return;
    const v1::WatchlistSummary summary = Summary();
    EXPECT_EQ(summary.entries(), kEntries);
    EXPECT_EQ(summary.withdrawn(), 1 + std::size(kWithdrawn));
    EXPECT_EQ(summary.active(), kEntries - 1 - std::size(kWithdrawn));
    gateways_.Await("no alert of what was withdrawn", [&] {
      const auto alerts = AlertsOfList();
      return alerts.size() == 2 && alerts.contains(Reference(kCorrectedLater)) &&
             alerts.contains(Reference(kRestricted));
    });
    const auto alerts = AlertsOfList();
    const auto corrected = alerts.find(Reference(kCorrectedLater));
    ASSERT_NE(corrected, alerts.end());
    EXPECT_THAT(corrected->second.hit().response_code(), HasSubstr(kCorrected));
  }

  void CheckHolder(const OpenedLog& log) {
    const auto is_ours = [](const std::string& list) { return list.starts_with("list-"); };
    const auto list = [&](const Entry& entry) {
      return is_ours(entry.Field("list")) ? entry.Field("list") : std::string();
    };
    const auto reference = [&](const Entry& entry) {
      return list(entry).empty() ? "" : list(entry) + " " + entry.Field("reference");
    };
    for (const auto& type : {audit::kWatchlistDrafted, audit::kWatchlistApproved}) {
      log.ExpectEachOnce(type, list, lists_);
    }
    for (const auto& type : {audit::kWatchlistClosed, audit::kWatchlistDeleted}) {
      log.ExpectEachOnceOrReplayed(type, list, lists_);
    }
    log.ExpectEachOnce(
        audit::kEntriesAdded,
        [&](const Entry& entry) {
          return list(entry).empty() ? "" : list(entry) + " " + entry.Count("entries");
        },
        imported_);
    log.ExpectEachOnceOrReplayed(audit::kEntryWithdrawn, reference, withdrawn_);
    log.ExpectEachOnce(audit::kEntryCorrected, reference, corrected_);
    log.ExpectEachOnce(audit::kEntriesApproved, list, approved_);
    log.ExpectEachOnce(audit::kEntryRestricted, reference, restricted_);
    log.ExpectEachOnce(audit::kEntryUnrestricted, reference, restricted_);
    for (const auto& type : {audit::kApprovalProposed, audit::kApprovalDecided}) {
      log.ExpectEachOnce(
          type,
          [&](const Entry& entry) {
            const std::string subject = entry.Field("subject");
            return subject == "watchlist lantern" ? "" : entry.Field("act") + " " + subject;
          },
          decided_);
    }
  }
  void CheckRequester(const OpenedLog& log) {
    // The payload of an alert goes with it, and with it the alert's name: its answer stays.
    const auto answer = [](const Entry& entry) {
      return entry.entry.exchange + " " + entry.Message("answer");
    };
    log.ExpectNoneTwice(audit::kAlertRaised, answer);
    EXPECT_GE(log.Times(audit::kAlertRaised, answer).size(), alerts_.size());
    log.ExpectNoneTwice(audit::kAlertsChanged, [](const Entry& entry) {
      const std::string reference = entry.Field("reference");
      return reference.empty() ? reference
                               : reference + " " + entry.Field("change") + " " + entry.Field("at");
    });
  }
  void Check() {
    gateways_.ExpectSettled();
    gateways_.Stop();
    const auto holder = OpenedLog::Of(police());
    const auto requester = OpenedLog::Of(council());
    ASSERT_THAT(holder, IsOk());
    ASSERT_THAT(requester, IsOk());
    CheckHolder(*holder);
    CheckRequester(*requester);
    ExpectMessagesArrivedOnce(*holder, *requester);
    ExpectMessagesArrivedOnce(*requester, *holder);
  }

  runtime::SystemClock clock_;
  TwoAgencies agencies_{128, "PT1S"};
  KilledGateways gateways_{{&agencies_.police(), &agencies_.council()}, kUsualKills};
  std::string deployment_;
  std::string list_;                          // of this round
  std::vector<TwoAgencies::Template> faces_;  // of its entries
  std::set<std::string> alerts_;              // that the engine was told of
  // What was done in all rounds, as the log names it.
  std::set<std::string> lists_, imported_, withdrawn_, corrected_, approved_, restricted_, decided_;
};

TEST_F(ListKill, LosesNoEntryAndNoChangeAndRepeatsNoneAtEitherAgency) {
  for (int round = 1; gateways_.has_kills_left() && !HasFailure(); ++round) Live(round);
  if (!HasFailure()) Check();
}

}  // namespace
}  // namespace comity::testing
