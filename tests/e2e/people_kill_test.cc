// SPDX-License-Identifier: Apache-2.0
// kill -9 of a gateway at any step of approvals of people: one is added by two, changed by two, is
// not changed when the second says no, and leaves. What was decided is so, once, and what waits for
// a second person has no effect.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "services/audit/events.h"
#include "services/transport/pki.h"
#include "tests/e2e/killed_gateways.h"
#include "tests/integration/opened_log.h"
#include "tests/support/result_matchers.h"
#include "tests/support/staff.h"

namespace comity::testing {
namespace {

using Entry = OpenedLog::Entry;

constexpr int kUsualKills = 12;
constexpr const char* kPost = "Operator of the night shift";

class PeopleKill : public ::testing::Test {
 protected:
  void SetUp() override {
    for (LiveAgency* agency : {&police_, &council_}) agency->Start({});
    gateways_.Start();
  }
  // Both agencies' people live the same life, so that a kill of all is one of two.
  LiveAgency& Of(int round) { return round % 2 == 0 ? police_ : council_; }

  v1::PersonCard CardOf(const LiveAgency& agency) {
    transport::IssueRequest request;
    request.kind = transport::PeerKind::kPerson;
    request.name = person_;
    const auto issued = transport::Issue(agency.pki(), request, clock_.Now());
    EXPECT_THAT(issued, IsOk());
    v1::PersonCard card;
    card.set_id(person_);
    card.set_post("Operator");
    card.set_certificate(issued->certificate);
    card.set_signing_key(issued->signing_key);
    return card;
  }
  // As two administrators see them; empty id: nobody of that id.
  v1::Person Find(const LiveAgency& agency) {
    v1::ListPeopleResponse response;
    gateways_.Do(agency, "admin-2", [&](const auto& channel, grpc::ClientContext& context) {
      return v1::People::NewStub(channel)->List(&context, {}, &response);
    });
    for (const v1::Person& person : response.people()) {
      if (person.id() == person_) return person;
    }
    return {};
  }
  v1::PendingAct Propose(const LiveAgency& agency, const char* act,
                         const KilledGateways::Propose& propose) {
    v1::PendingAct pending;
    gateways_.Step(std::string("propose ") + act,
                   [&] { pending = gateways_.Proposed(agency, Two(act), propose); });
    approvals_[agency.name()].insert(pending.approval());
    return pending;
  }
  KilledGateways::TwoPeopleAct Two(const char* act) const {
    return {act, "person " + person_, "admin-1", "admin-2"};
  }
  void Approve(const LiveAgency& agency, const v1::PendingAct& act) {
    gateways_.Step("approve " + act.act(),
                   [&] { gateways_.Approve(agency, Two(act.act().c_str()), act); });
  }
  void Reject(const LiveAgency& agency, const v1::PendingAct& act) {
    gateways_.Step("reject " + act.act(), [&] {
      v1::DecideApprovalRequest request;
      request.set_decision(
          SignedDecision(agency.pki(), "admin-2", act, identity::DecisionKind::kReject));
      gateways_.Do(agency, "admin-2", [&](const auto& channel, grpc::ClientContext& context) {
        v1::PendingAct decided;
        return v1::Approvals::NewStub(channel)->Decide(&context, request, &decided);
      });
    });
    v1::PendingAct decided;
    gateways_.Do(agency, "admin-2", [&](const auto& channel, grpc::ClientContext& context) {
      v1::GetApprovalRequest get;
      get.set_approval(act.approval());
      return v1::Approvals::NewStub(channel)->Get(&context, get, &decided);
    });
    EXPECT_EQ(decided.state(), "rejected");
  }
  v1::PendingAct ProposeChange(const LiveAgency& agency, const std::string& post,
                               const std::string& role) {
    return Propose(agency, "person-role",
                   [&](const auto& channel, grpc::ClientContext& context, v1::PendingAct* act) {
                     v1::ChangePersonRequest request;
                     request.set_id(person_);
                     request.set_post(post);
                     if (!role.empty()) request.add_roles(role);
                     return v1::People::NewStub(channel)->Change(&context, request, act);
                   });
  }
  void Revoke(const LiveAgency& agency) {
    gateways_.Step("revoke", [&] {
      v1::RevokePersonRequest request;
      request.set_id(person_);
      request.set_reason("left the agency");
      gateways_.Do(agency, "admin-1", [&](const auto& channel, grpc::ClientContext& context) {
        v1::RevokePersonResponse response;
        return v1::People::NewStub(channel)->Revoke(&context, request, &response);
      });
    });
  }

  void Live(int round) {
    person_ = "j-smith-" + std::to_string(round);
    const LiveAgency& agency = Of(round);
    const v1::PersonCard card = CardOf(agency);
    const auto added =
        Propose(agency, "person-add",
                [&](const auto& channel, grpc::ClientContext& context, v1::PendingAct* act) {
                  v1::AddPersonRequest request;
                  *request.mutable_card() = card;
                  request.add_roles("operator");
                  return v1::People::NewStub(channel)->Add(&context, request, act);
                });
    EXPECT_EQ(Find(agency).id(), "") << "one person alone adds nobody";
    Approve(agency, added);
    EXPECT_EQ(Find(agency).state(), "active");
    const auto changed = ProposeChange(agency, kPost, "");
    EXPECT_EQ(Find(agency).post(), "Operator") << "one person alone changes nobody";
    Approve(agency, changed);
    EXPECT_EQ(Find(agency).post(), kPost);
    Reject(agency, ProposeChange(agency, "Supervisor", "supervisor"));
    EXPECT_EQ(Find(agency).post(), kPost) << "it was rejected";
    Revoke(agency);
    EXPECT_EQ(Find(agency).state(), "revoked");
    people_[agency.name()].insert(person_);
  }
  void Check(const LiveAgency& agency) {
    const auto log = OpenedLog::Of(agency);
    ASSERT_THAT(log, IsOk());
    const auto person = [](const Entry& entry) {
      const std::string name = entry.Field("person");
      return name.starts_with("j-smith-") ? name : "";
    };
    for (const auto& type : {audit::kPersonAdded, audit::kPersonChanged, audit::kPersonRevoked}) {
      log->ExpectEachOnce(type, person, people_[agency.name()]);
    }
    const auto approval = [](const Entry& entry) { return entry.Field("approval"); };
    log->ExpectEachOnce(audit::kApprovalProposed, approval, approvals_[agency.name()]);
    log->ExpectEachOnce(audit::kApprovalDecided, approval, approvals_[agency.name()]);
  }

  runtime::SystemClock clock_;
  LiveAgency police_{"northshire-police"};
  LiveAgency council_{"eastvale-council"};
  KilledGateways gateways_{{&police_, &council_}, kUsualKills};
  std::string person_;                                               // of this round
  std::map<std::string, std::set<std::string>> people_, approvals_;  // by agency
};

TEST_F(PeopleKill, WhatTwoDecideIsSoOnceAndWhatOneProposesIsNot) {
  for (int round = 1; gateways_.has_kills_left() && !HasFailure(); ++round) Live(round);
  gateways_.Stop();
  if (HasFailure()) return;
  Check(police_);
  Check(council_);
}

}  // namespace
}  // namespace comity::testing
