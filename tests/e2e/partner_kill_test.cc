// SPDX-License-Identifier: Apache-2.0
// kill -9 of either gateway at any step of the life of partners: enrolment at both sides,
// suspension and resumption, a change of keys, and removal.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "services/audit/events.h"
#include "services/transport/fingerprint.h"
#include "services/transport/pki_rotate.h"
#include "tests/e2e/killed_gateways.h"
#include "tests/integration/opened_log.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

using Entry = OpenedLog::Entry;

constexpr int kUsualKills = 12;

std::string Fingerprint(const transport::PeerCard& card) {
  return transport::EncodeFingerprint(transport::CardFingerprint(card));
}

class PartnerKill : public ::testing::Test {
 protected:
  void SetUp() override {
    for (LiveAgency* agency : {&police_, &council_}) {
      agency->Configure("[peers]\naway_after = 3\n");
      agency->Start({});
    }
    gateways_.Start();
  }
  LiveAgency& Other(const LiveAgency& agency) { return &agency == &police_ ? council_ : police_; }

  // How the agency's partner stands there; empty if it never was one.
  v1::Peer PartnerAt(const LiveAgency& agency) {
    v1::ListPeersResponse response;
    gateways_.Do(agency, "dpo", [&](const auto& channel, grpc::ClientContext& context) {
      return v1::Peers::NewStub(channel)->List(&context, {}, &response);
    });
    return response.peers_size() == 1 ? response.peers(0) : v1::Peer();
  }
  void AwaitAt(const LiveAgency& agency, const std::string& what,
               const std::function<bool(const v1::Peer&)>& holds) {
    gateways_.Step("await " + what, [&] {
      if (!gateways_.Await(what, [&] { return holds(PartnerAt(agency)); })) {
        ADD_FAILURE() << PartnerAt(police_).DebugString() << PartnerAt(council_).DebugString();
      }
    });
  }
  void AwaitBothPresent() {
    for (const LiveAgency* agency : {&police_, &council_}) {
      AwaitAt(*agency, "present", [](const v1::Peer& peer) {
        return peer.state() == "active" && peer.reachability() == "present" &&
               peer.state_there() == "active" && peer.outbox() == 0;
      });
    }
  }
  void Did(const LiveAgency& agency, std::string_view event) {
    ++done_[agency.name()][std::string(event)];
  }

  using Two = KilledGateways::TwoPeopleAct;
  void DoByTwo(const LiveAgency& agency, const Two& two, const KilledGateways::Propose& propose) {
    v1::PendingAct act;
    const std::string name = std::string(two.act) + " at " + agency.name();
    gateways_.Step("propose " + name, [&] { act = gateways_.Proposed(agency, two, propose); });
    gateways_.Step("approve " + name, [&] { gateways_.Approve(agency, two, act); });
    ++decided_[agency.name()][std::string(two.act) + " " + two.subject];
  }
  transport::PeerCard Invite(const LiveAgency& agency) {
    v1::InvitePeerResponse response;
    gateways_.Step("invite", [&] {
      gateways_.Do(agency, "admin-1", [&](const auto& channel, grpc::ClientContext& context) {
        return v1::Peers::NewStub(channel)->Invite(&context, {}, &response);
      });
    });
    const auto card = transport::ParsePeerCard(response.card());
    EXPECT_THAT(card, IsOk());
    return card ? *card : transport::PeerCard();
  }
  void Enrol(const LiveAgency& agency) {
    const transport::PeerCard card = Invite(Other(agency));
    if (HasFailure()) return;
    DoByTwo(agency,
            {"peer-enrol", "partner " + card.agency, "admin-1", "admin-2", Fingerprint(card)},
            [&](const auto& channel, grpc::ClientContext& context, v1::PendingAct* act) {
              v1::AcceptPeerRequest request;
              request.set_card(transport::EncodePeerCard(card));
              return v1::Peers::NewStub(channel)->Accept(&context, request, act);
            });
    Did(agency, audit::kPeerEnrolled);
  }
  void SuspendAndResume() {
    gateways_.Step("suspend", [&] {
      gateways_.Do(police_, "dpo", [&](const auto& channel, grpc::ClientContext& context) {
        v1::SuspendPeerRequest request;
        v1::Peer peer;
        request.set_agency(council_.name());
        request.set_reason("its key is looked into");
        return v1::Peers::NewStub(channel)->Suspend(&context, request, &peer);
      });
    });
    Did(police_, audit::kPeerSuspended);
    EXPECT_EQ(PartnerAt(police_).state(), "suspended");
    AwaitAt(council_, "suspended there",
            [](const v1::Peer& peer) { return peer.state_there() == "suspended"; });
    DoByTwo(police_, {"peer-resume", "partner " + council_.name(), "dpo", "siro"},
            [&](const auto& channel, grpc::ClientContext& context, v1::PendingAct* act) {
              v1::ResumePeerRequest request;
              request.set_agency(council_.name());
              request.set_reason("cleared");
              return v1::Peers::NewStub(channel)->Resume(&context, request, act);
            });
    Did(police_, audit::kPeerResumed);
    AwaitBothPresent();
  }

  void Rekey(const LiveAgency& agency, const v1::RekeyPeerRequest& request,
             const transport::PeerCard& next) {
    DoByTwo(agency,
            {"peer-rekey", "partner " + council_.name(), "admin-1", "admin-2", Fingerprint(next)},
            [&](const auto& channel, grpc::ClientContext& context, v1::PendingAct* act) {
              return v1::Peers::NewStub(channel)->Rekey(&context, request, act);
            });
  }
  // The council announces its next key, the police take it, the council switches.
  void ChangeKey() {
    std::filesystem::remove(council_.pki() / "keys" / "agency-signing.former.key");
    const auto next = transport::MakeNextKey(council_.pki(), Invite(council_));
    if (HasFailure()) return;
    ASSERT_THAT(next, IsOk());
    v1::RekeyPeerRequest own;
    own.set_card(transport::EncodePeerCard(*next));
    Rekey(council_, own, *next);
    Did(council_, audit::kOwnKeyAnnounced);
    AwaitAt(police_, "announcement",
            [](const v1::Peer& peer) { return !peer.announced_fingerprint().empty(); });
    Did(police_, audit::kPeerKeysAnnounced);
    v1::RekeyPeerRequest announced;
    announced.set_announced(council_.name());
    announced.set_overlap_hours(1);
    Rekey(police_, announced, *next);
    Did(police_, audit::kPeerRekeyed);
    AwaitAt(council_, "acceptance of the next key",
            [](const v1::Peer& peer) { return peer.keys_there_size() >= 2; });
    gateways_.WhileStopped(council_,
                           [&] { EXPECT_THAT(transport::SwitchKey(council_.pki()), IsOk()); });
    Did(council_, audit::kOwnKeyUsed);
    AwaitBothPresent();
  }
  void Remove(const LiveAgency& agency) {
    const std::string other = Other(agency).name();
    DoByTwo(agency, {"peer-remove", "partner " + other, "admin-1", "admin-2"},
            [&](const auto& channel, grpc::ClientContext& context, v1::PendingAct* act) {
              v1::RemovePeerRequest request;
              request.set_agency(other);
              request.set_reason("it left");
              return v1::Peers::NewStub(channel)->Remove(&context, request, act);
            });
    Did(agency, audit::kPeerRemoved);
    EXPECT_EQ(PartnerAt(agency).state(), "removed");
  }
  void EnrolBoth() {
    for (const LiveAgency* agency : {&council_, &police_}) Enrol(*agency);
    AwaitBothPresent();
  }

  // Every decision, and each of its effects, as often as it was made.
  void CheckLog(const OpenedLog& log, const LiveAgency& agency) {
    for (const auto& type : {audit::kApprovalProposed, audit::kApprovalDecided}) {
      const auto times = log.Times(type, [](const Entry& entry) {
        return entry.Field("act") + " " + entry.Field("subject");
      });
      EXPECT_THAT(times, ::testing::ContainerEq(decided_[agency.name()])) << agency.name();
    }
    std::map<std::string, int> times;
    for (const auto& type : {audit::kPeerEnrolled, audit::kPeerSuspended, audit::kPeerResumed,
                             audit::kPeerRekeyed, audit::kPeerRemoved, audit::kPeerKeysAnnounced,
                             audit::kOwnKeyAnnounced, audit::kOwnKeyUsed}) {
      times.merge(log.Times(type, [](const Entry& entry) { return entry.entry.type; }));
    }
    EXPECT_THAT(times, ::testing::ContainerEq(done_[agency.name()])) << agency.name();
  }
  void Check() {
    gateways_.ExpectSettled();
    gateways_.Stop();
    const auto police = OpenedLog::Of(police_);
    const auto council = OpenedLog::Of(council_);
    ASSERT_THAT(police, IsOk());
    ASSERT_THAT(council, IsOk());
    for (const LiveAgency* agency : {&police_, &council_}) Did(*agency, audit::kOwnKeyUsed);
    CheckLog(*police, police_);
    CheckLog(*council, council_);
    ExpectMessagesArrivedOnce(*police, *council);
    ExpectMessagesArrivedOnce(*council, *police);
  }

  LiveAgency police_{"northshire-police"};
  LiveAgency council_{"eastvale-council"};
  KilledGateways gateways_{{&police_, &council_}, kUsualKills};
  // What was done, by agency, as the log names it.
  std::map<std::string, std::map<std::string, int>> decided_, done_;
};

TEST_F(PartnerKill, LosesNoDecisionAboutAPartnerRepeatsNoneAndBothSidesAgree) {
  EnrolBoth();
  while (gateways_.has_kills_left() && !HasFailure()) {
    SuspendAndResume();
    ChangeKey();
    for (const LiveAgency* agency : {&police_, &council_}) Remove(*agency);
    EnrolBoth();
  }
  if (!HasFailure()) Check();
}

}  // namespace
}  // namespace comity::testing
