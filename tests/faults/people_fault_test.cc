// SPDX-License-Identifier: Apache-2.0
// A whole gateway whose disk fails while people act: they set stops, lift them by two, draft lists,
// add entries, suspend an agreement and resume it. What was acknowledged is there after a restart;
// the rest is there as a whole, with its log entry, or not at all.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "policy/agreement/statement.h"
#include "services/audit/events.h"
#include "tests/e2e/exported_log.h"
#include "tests/e2e/killed_gateways.h"
#include "tests/e2e/two_agencies.h"
#include "tests/faults/fault_run.h"
#include "tests/support/result_matchers.h"
#include "tests/support/staff.h"

namespace comity::testing {
namespace {

constexpr std::uint64_t kUsualRuns = 3;  // for each fault
// With the same agencies: a person may make 64 statements on one version of an agreement.
constexpr int kRoundsTogether = 20;
constexpr const char* kList = "lantern";

class PeopleFault : public ::testing::TestWithParam<Strike> {
 protected:
  void SetUp() override { BeginAnew(); }
  // Two agencies to which nothing has happened yet.
  void BeginAnew() {
    gateways_.reset();
    agencies_ = std::make_unique<TwoAgencies>(128);
    gateways_ = std::make_unique<KilledGateways>(
        std::vector<LiveAgency*>{&agencies_->police(), &agencies_->council()}, 0);
    for (auto* each : {&stops_, &lifted_, &proposed_, &drafted_, &filled_}) each->clear();
    said_.clear();
    agencies_->ImportEntries(3);
    gateways_->Start();
    EXPECT_EQ(gateways_->End(agencies_->council()), 0);  // what is for it waits
    EXPECT_EQ(gateways_->End(police()), 0);
  }
  LiveAgency& police() { return agencies_->police(); }

  // The act of one person, tried once. True: it was acknowledged.
  template <typename Stub, typename Request, typename Response>
  bool Try(const std::string& person,
           std::unique_ptr<Stub> (*stub)(const std::shared_ptr<grpc::ChannelInterface>&,
                                         const grpc::StubOptions&),
           grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
           const Request& request, Response& response) {
    const auto status =
        gateways_->Try(police(), person, [&](const auto& channel, grpc::ClientContext& context) {
          return ((*stub(channel, {})).*method)(&context, request, &response);
        });
    Note(status);
    return status.ok();
  }
  void Note(const grpc::Status& status) {
    ++(status.ok() ? acknowledged_ : refused_);
    if (!status.ok()) last_refusal_ = status.error_message();
  }

  void SetAndLiftStop() {
    v1::SetStopRequest set;
    v1::Stop stop;
    set.set_scope(v1::STOP_SCOPE_WATCHLIST);
    set.set_reference(kList);
    set.set_reason("a complaint is being looked into");
    if (!Try("supervisor-1", &v1::Stops::NewStub, &v1::Stops::Stub::Set, set, stop)) return;
    stops_.insert(stop.stop());
    v1::LiftStopRequest lift;
    v1::PendingAct act;
    lift.set_stop(stop.stop());
    lift.set_reason("the complaint was unfounded");
    if (!Try("supervisor-1", &v1::Stops::NewStub, &v1::Stops::Stub::Lift, lift, act)) return;
    proposed_.insert(act.approval());
    v1::DecideApprovalRequest decide;
    v1::PendingAct decided;
    decide.set_decision(
        SignedDecision(police().pki(), "supervisor-2", act, identity::DecisionKind::kApprove));
    if (Try("supervisor-2", &v1::Approvals::NewStub, &v1::Approvals::Stub::Decide, decide,
            decided)) {
      lifted_.insert(stop.stop());
    }
  }
  void DraftAndAdd(const std::string& list) {
    v1::DraftWatchlistRequest draft;
    v1::DraftWatchlistResponse drafted;
    draft.set_definition(WriteDefinition(agencies_->ListNamed(list)));
    if (!Try("operator", &v1::Watchlists::NewStub, &v1::Watchlists::Stub::Draft, draft, drafted)) {
      return;
    }
    EXPECT_EQ(drafted.watchlist(), list) << drafted.DebugString();
    drafted_.insert(list);
    v1::AddEntriesResponse added;
    const auto status = gateways_->Try(police(), "operator",
                                       [&](const auto& channel, grpc::ClientContext& context) {
                                         const auto stub = v1::Watchlists::NewStub(channel);
                                         const auto writer = stub->Add(&context, &added);
                                         for (const auto& part : Import(list)) writer->Write(part);
                                         writer->WritesDone();
                                         return writer->Finish();
                                       });
    Note(status);
    if (status.ok() && added.fault_count() == 0) filled_.insert(list);
  }
  std::vector<v1::AddEntriesRequest> Import(const std::string& list) {
    std::vector<v1::AddEntriesRequest> parts(3);
    parts[0].mutable_begin()->set_watchlist(list);
    parts[0].mutable_begin()->set_format(v1::TEMPLATE_FORMAT_FLOAT32);
    EntryText text;
    text.reference = list + "-0";
    text.category = TwoAgencies::kCategory;
    text.now = std::chrono::floor<std::chrono::seconds>(clock_.Now());
    parts[1].set_entries_chunk(EntryLine(text));
    const auto face = agencies_->Stranger();
    parts[2].set_templates_chunk(
        std::string(reinterpret_cast<const char*>(face.data()), face.size() * sizeof(float)));
    return parts;
  }
  // Returns the statement's id, said or not.
  Digest Say(const std::string& person, const char* post, policy::Statement statement) {
    statement.agreement = agencies_->reference();
    statement.party = policy::AgencyId::Parse(police().name()).value();
    statement.post = post;
    statement.text = "as agreed";
    statement.at = clock_.Now();
    const auto envelope = policy::MakeStatement(police().PersonKey(person), statement);
    EXPECT_THAT(envelope, IsOk());
    const Digest id = policy::StatementId(envelope->payload);
    v1::SubmitAgreementRequest request;
    v1::SubmitAgreementResponse response;
    request.set_statement(sign::EncodeDsseJson(*envelope));
    if (Try(person, &v1::Agreements::NewStub, &v1::Agreements::Stub::Submit, request, response)) {
      said_.insert(id);
    }
    return id;
  }
  void SuspendAndResume() {
    policy::Statement suspension;
    suspension.kind = policy::StatementKind::kSuspension;
    suspensions_.push_back(Say("dpo", "Data Protection Officer", suspension));
    Resume(suspensions_.back());
  }
  void Resume(const Digest& suspension) {
    policy::Statement resumption;
    resumption.kind = policy::StatementKind::kResumption;
    resumption.lifts = suspension;
    Say("siro", "Senior Information Risk Owner", resumption);
    Say("chief", "Chief Officer", resumption);
  }
  void Act() {
    ++round_;
    SetAndLiftStop();
    DraftAndAdd("list-" + std::to_string(round_));
    SuspendAndResume();
  }

  // Calls that an undisturbed round makes once the gateway listens.
  std::uint64_t CountCalls() {
    const std::uint64_t before = refused_;
    const std::uint64_t calls = RunOn({});
    EXPECT_EQ(refused_, before) << last_refusal_;
    return calls;
  }
  // One round on a disk that fails at the call after `strike.at` since the gateway listens.
  std::uint64_t RunOn(const Strike& strike) {
    FaultRun disk(police().data(), plans_.path() / ("plan-" + std::to_string(round_)), strike);
    disk.plan().at = 0;
    gateways_->RunUnder(police(), disk.Before(COMITY_FAULTY_IO_OBJECT));
    gateways_->StartAgain(police());
    const std::uint64_t before = disk.plan().calls;
    if (strike.at != 0) disk.plan().at = before + strike.at;
    Act();
    const std::uint64_t calls = disk.plan().calls - before;
    struck_ += disk.plan().fired;
    if (disk.plan().fired != 0) where_ = disk.plan().call;
    gateways_->End(police());  // the disk may fail at that, too
    gateways_->RunUnder(police(), {});
    gateways_->StartAgain(police());
    ExpectWhole();
    Tidy();
    EXPECT_EQ(gateways_->End(police()), 0);
    return calls;
  }
  // On a good disk: what stands in the way of the next round.
  void Tidy() {
    const auto refused = refused_;
    const auto before = acknowledged_;
    for (const Digest& suspension : suspensions_) Resume(suspension);
    suspensions_.clear();
    refused_ = refused;  // one that was never said, or is lifted, cannot be resumed
    acknowledged_ = before;
    LiftAll();
  }
  void LiftAll() {
    for (const v1::PendingAct& act : Approvals()) {
      if (act.state() == "pending") Approve(act);
    }
    for (const v1::Stop& stop : Stops()) {
      if (!stop.lifted_by().empty()) continue;
      Approve(gateways_->Proposed(
          police(), LiftOf(stop.stop()),
          [&](const auto& channel, grpc::ClientContext& context, v1::PendingAct* act) {
            v1::LiftStopRequest lift;
            lift.set_stop(stop.stop());
            lift.set_reason("the complaint was unfounded");
            return v1::Stops::NewStub(channel)->Lift(&context, lift, act);
          }));
    }
  }
  static KilledGateways::TwoPeopleAct LiftOf(const std::string& stop) {
    return {"stop-lift", "stop " + stop, "supervisor-1", "supervisor-2"};
  }
  void Approve(const v1::PendingAct& act) { gateways_->Approve(police(), LiftOf(""), act); }

  template <typename Call>
  void Read(const std::string& person, const Call& call) {
    const auto status = gateways_->Try(police(), person, call);
    EXPECT_TRUE(status.ok()) << status.error_message();
  }
  void ExpectWhole() {
    const auto log = WholeLog::Of(*v1::Audit::NewStub(gateways_->ChannelOf(police(), "auditor")));
    ASSERT_THAT(log, IsOk());
    ExpectStops(*log);
    ExpectApprovals(*log);
    ExpectLists(*log);
    ExpectStatements(*log);
  }
  google::protobuf::RepeatedPtrField<v1::Stop> Stops() {
    v1::ListStopsResponse response;
    Read("operator", [&](const auto& channel, grpc::ClientContext& context) {
      v1::ListStopsRequest request;
      request.set_all(true);
      request.set_limit(1000);
      return v1::Stops::NewStub(channel)->List(&context, request, &response);
    });
    return response.stops();
  }
  void ExpectStops(const WholeLog& log) {
    std::set<std::string> stored, lifted;
    for (const v1::Stop& stop : Stops()) {
      stored.insert(stop.stop());
      if (!stop.lifted_by().empty()) lifted.insert(stop.stop());
    }
    EXPECT_EQ(log.Count(audit::kStopSet), stored.size());
    EXPECT_EQ(log.Count(audit::kStopLifted), lifted.size());
    EXPECT_TRUE(std::ranges::includes(stored, stops_)) << "a stop was acknowledged and is lost";
    EXPECT_TRUE(std::ranges::includes(lifted, lifted_)) << "a lift was acknowledged and is lost";
  }
  google::protobuf::RepeatedPtrField<v1::PendingAct> Approvals() {
    v1::ListApprovalsResponse response;
    Read("supervisor-1", [&](const auto& channel, grpc::ClientContext& context) {
      v1::ListApprovalsRequest request;
      request.set_all(true);
      request.set_limit(1000);
      return v1::Approvals::NewStub(channel)->List(&context, request, &response);
    });
    return response.approvals();
  }
  void ExpectApprovals(const WholeLog& log) {
    std::set<std::string> stored;
    std::size_t decided = 0, lifts = 0;  // approved
    for (const v1::PendingAct& act : Approvals()) {
      stored.insert(act.approval());
      if (act.state() != "approved") continue;
      ++decided;
      lifts += act.act() == "stop-lift" ? 1 : 0;
    }
    EXPECT_EQ(log.Count(audit::kApprovalProposed), stored.size());
    EXPECT_EQ(log.Count(audit::kApprovalDecided), decided);
    EXPECT_EQ(log.Count(audit::kStopLifted), lifts) << "decided and not carried out, or not whole";
    EXPECT_TRUE(std::ranges::includes(stored, proposed_)) << "a proposal is lost";
  }
  void ExpectLists(const WholeLog& log) {
    v1::WatchlistStatusResponse response;
    Read("operator", [&](const auto& channel, grpc::ClientContext& context) {
      return v1::Watchlists::NewStub(channel)->Status(&context, {}, &response);
    });
    std::set<std::string> stored, filled;
    std::size_t imports = 0;
    for (const v1::WatchlistSummary& list : response.watchlists()) {
      stored.insert(list.watchlist());
      if (list.entries() != 0) filled.insert(list.watchlist());
      imports += list.entries() != 0 ? 1 : 0;
      if (list.watchlist() != kList) EXPECT_LE(list.entries(), 1u) << list.watchlist();
    }
    EXPECT_EQ(log.Count(audit::kWatchlistDrafted), stored.size());
    EXPECT_EQ(log.Count(audit::kEntriesAdded), imports);
    EXPECT_TRUE(std::ranges::includes(stored, drafted_)) << "a draft is lost";
    EXPECT_TRUE(std::ranges::includes(filled, filled_)) << "an entry is lost";
    for (const std::string& list : filled) {
      if (list != kList) ExpectEntry(list);
    }
  }
  void ExpectEntry(const std::string& list) {
    v1::ShowEntryResponse response;
    Read("operator", [&](const auto& channel, grpc::ClientContext& context) {
      v1::ShowEntryRequest request;
      request.set_watchlist(list);
      request.set_reference(list + "-0");
      return v1::Watchlists::NewStub(channel)->ShowEntry(&context, request, &response);
    });
    EXPECT_FALSE(response.fields().empty()) << list;
  }
  void ExpectStatements(const WholeLog& log) {
    v1::ListAgreementsResponse response;
    Read("dpo", [&](const auto& channel, grpc::ClientContext& context) {
      return v1::Agreements::NewStub(channel)->List(&context, {}, &response);
    });
    ASSERT_EQ(response.agreements_size(), 1);
    EXPECT_FALSE(response.agreements(0).statements_left_out());
    std::set<std::string> own;
    for (const v1::StatementSummary& statement : response.agreements(0).statements()) {
      if (statement.party() == police().name()) own.insert(statement.id());
    }
    EXPECT_EQ(log.Count(audit::kStatementIssued), own.size());
    for (const Digest& id : said_) {
      EXPECT_TRUE(own.contains(std::string(AsText(id.view())))) << "a statement is lost";
    }
  }

  const runtime::SystemClock clock_;
  const TemporaryDirectory plans_;
  std::unique_ptr<TwoAgencies> agencies_;
  std::unique_ptr<KilledGateways> gateways_;
  int round_ = 0;
  std::uint64_t acknowledged_ = 0, refused_ = 0, struck_ = 0;
  std::string last_refusal_, where_;
  // What was acknowledged in all rounds with these agencies.
  std::set<std::string> stops_, lifted_, proposed_, drafted_, filled_;
  std::set<Digest> said_;
  std::vector<Digest> suspensions_;  // said in this round, or perhaps
};

TEST_P(PeopleFault, WhatWasAcknowledgedIsThereAndNothingIsHalfThere) {
  Strike strike = GetParam();
  const std::uint64_t calls = CountCalls();
  ASSERT_GT(calls, 20u);
  for (const std::uint64_t at : PickCalls(calls, kUsualRuns)) {
    if (round_ % kRoundsTogether == 0) BeginAnew();
    strike.at = at;
    where_.clear();
    RunOn(strike);
    if (HasFailure()) FAIL() << Describe(strike) << " since it listens: " << where_;
  }
  CountCalls();  // after all that, on a good disk: every act is done
  EXPECT_GT(struck_, 0u) << "nothing was struck";
  EXPECT_GT(acknowledged_, 0u);
  std::printf("%d rounds, %llu acts acknowledged, %llu refused or unknown\n", round_,
              static_cast<unsigned long long>(acknowledged_),
              static_cast<unsigned long long>(refused_));
}

std::string NameOf(const ::testing::TestParamInfo<Strike>& of) {
  constexpr std::array kNames = {"", "Full", "Quota", "Failed", "ReadOnly", "Short", "Torn"};
  return std::string(kNames.at(static_cast<std::size_t>(of.param.fault))) +
         (of.param.lasts ? "ForGood" : "Once");
}

INSTANTIATE_TEST_SUITE_P(Kind, PeopleFault,
                         ::testing::Values(Strike{Fault::kFull, 0, true}, Strike{Fault::kFailed},
                                           Strike{Fault::kReadOnly, 0, true}, Strike{Fault::kTorn}),
                         NameOf);

}  // namespace
}  // namespace comity::testing
