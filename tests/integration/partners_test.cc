// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <thread>

#include "services/transport/credentials.h"
#include "services/transport/fingerprint.h"
#include "services/transport/pki.h"
#include "services/transport/pki_rotate.h"
#include "tests/integration/live_agency.h"
#include "tests/support/result_matchers.h"
#include "tests/support/staff.h"

namespace comity::testing {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

// What a person at the agency port sees of a partner; empty if it never was one.
v1::Peer PeerAt(const LiveAgency& agency, const std::string& partner) {
  grpc::ClientContext context;
  v1::ListPeersResponse response;
  const grpc::Status status = agency.peers()->List(&context, {}, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  for (const v1::Peer& peer : response.peers()) {
    if (peer.terms().agency() == partner) return peer;
  }
  return {};
}

bool Eventually(const std::function<bool()>& holds, milliseconds patience = milliseconds(15'000)) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (std::chrono::steady_clock::now() < end) {
    if (holds()) return true;
    std::this_thread::sleep_for(milliseconds(50));
  }
  return holds();
}

std::string Fingerprint(const transport::PeerCard& card) {
  return transport::EncodeFingerprint(transport::CardFingerprint(card));
}

class Partners : public ::testing::Test {
 protected:
  void SetUp() override {
    police_.Configure("[peers]\naway_after = 3\n");
    council_.Configure("[peers]\naway_after = 3\n");
  }
  void StartBoth() {
    police_.Start({});
    council_.Start({});
  }
  void EnrolBoth() {
    Enrol(police_.administrators(), council_.card());
    Enrol(council_.administrators(), police_.card());
  }
  bool SeeEachOther() {
    return Eventually([&] {
      return PeerAt(police_, council_.name()).reachability() == "present" &&
             PeerAt(council_, police_.name()).reachability() == "present";
    });
  }
  static grpc::Status Accept(const LiveAgency& agency, const std::string& card, v1::PendingAct* act,
                             const std::string& person = "admin-1") {
    grpc::ClientContext context;
    v1::AcceptPeerRequest request;
    request.set_card(card);
    return agency.peers(person)->Accept(&context, request, act);
  }
  static grpc::Status Rekey(const LiveAgency& agency, const v1::RekeyPeerRequest& request,
                            v1::PendingAct* act) {
    grpc::ClientContext context;
    return agency.peers()->Rekey(&context, request, act);
  }
  static grpc::Status Suspend(const LiveAgency& agency, const std::string& partner) {
    grpc::ClientContext context;
    v1::SuspendPeerRequest request;
    request.set_agency(partner);
    request.set_reason("its key is looked into");
    v1::Peer peer;
    return agency.peers("dpo")->Suspend(&context, request, &peer);
  }
  static std::vector<v1::Notice> NoticesOf(const LiveAgency& agency, const std::string& person) {
    grpc::ClientContext context;
    v1::ListNoticesRequest request;
    v1::ListNoticesResponse response;
    const grpc::Status status = agency.notices(person)->List(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return {response.notices().begin(), response.notices().end()};
  }
  static std::size_t CountNotices(const LiveAgency& agency, const std::string& kind) {
    const auto notices = NoticesOf(agency, "dpo");
    return static_cast<std::size_t>(std::ranges::count(notices, kind, &v1::Notice::kind));
  }

  LiveAgency police_{"northshire-police"};
  LiveAgency council_{"eastvale-council"};
  runtime::SystemClock clock_;
};

TEST_F(Partners, EnrolEachOtherAtRunTimeAndSeeSoOnBothSides) {
  StartBoth();
  Enrol(police_.administrators(), council_.card());
  // One side alone: enrolled here, and nothing is known of there.
  EXPECT_EQ(PeerAt(police_, council_.name()).state(), "active");
  EXPECT_EQ(PeerAt(police_, council_.name()).state_there(), "");
  Enrol(council_.administrators(), police_.card());
  ASSERT_TRUE(SeeEachOther());
  const v1::Peer council = PeerAt(police_, council_.name());
  EXPECT_EQ(council.state_there(), "active");
  EXPECT_EQ(council.protocol(), 1U);
  EXPECT_THAT(council.software(), HasSubstr("comityd/"));
  EXPECT_THAT(council.capabilities(), ::testing::ElementsAre("direct", "sealed"));
  ASSERT_EQ(council.keys_there_size(), 1);
}

TEST_F(Partners, ApproverSeesEveryFingerprintAndTheQuestion) {
  StartBoth();
  v1::PendingAct act;
  ASSERT_TRUE(Accept(police_, transport::EncodePeerCard(council_.card()), &act).ok());
  EXPECT_THAT(act.words(), HasSubstr("eastvale-council"));
  EXPECT_THAT(act.words(), HasSubstr(Fingerprint(council_.card())));
  EXPECT_THAT(act.words(), HasSubstr(council_.card().signing_key));
  EXPECT_THAT(act.words(), HasSubstr(council_.card().address));
  EXPECT_THAT(act.words(), HasSubstr("call eastvale-council on a number that was known before"));
}

TEST_F(Partners, InvitedCardIsTheOneThatPartnersAccept) {
  StartBoth();
  grpc::ClientContext context;
  v1::InvitePeerResponse response;
  ASSERT_TRUE(council_.peers()->Invite(&context, {}, &response).ok());
  const auto card = transport::ParsePeerCard(response.card());
  ASSERT_THAT(card, IsOk());
  EXPECT_EQ(*card, council_.card());
}

TEST_F(Partners, WrongFingerprintIsRefusedAndTheActWaits) {
  StartBoth();
  v1::PendingAct act;
  ASSERT_TRUE(Accept(police_, transport::EncodePeerCard(council_.card()), &act).ok());
  for (const std::string& told : {Fingerprint(police_.card()), std::string("as agreed"),
                                  Fingerprint(council_.card()).substr(0, 39)}) {
    const grpc::Status status = ApproveCard(police_.administrators(), act, told);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED) << told;
  }
  EXPECT_EQ(PeerAt(police_, council_.name()).state(), "");
  EXPECT_TRUE(ApproveCard(police_.administrators(), act, Fingerprint(council_.card())).ok());
  EXPECT_EQ(PeerAt(police_, council_.name()).state(), "active");
}

TEST_F(Partners, ProposerDoesNotApproveTheirOwnEnrolment) {
  StartBoth();
  v1::PendingAct act;
  ASSERT_TRUE(Accept(police_, transport::EncodePeerCard(council_.card()), &act).ok());
  const TwoPeople one{police_.pki(), police_.ChannelOf("admin-1"), police_.ChannelOf("admin-1"),
                      "admin-1"};
  EXPECT_EQ(ApproveCard(one, act, Fingerprint(council_.card())).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(Partners, CardWithTheIdOrTheKeyOfAnotherAgencyIsRefused) {
  StartBoth();
  Enrol(police_.administrators(), council_.card());
  v1::PendingAct act;
  // Its own id, by another agency's hand.
  const LiveAgency impostor("northshire-police");
  EXPECT_EQ(Accept(police_, transport::EncodePeerCard(impostor.card()), &act).error_code(),
            grpc::StatusCode::FAILED_PRECONDITION);
  // The id of a partner.
  const LiveAgency second("eastvale-council");
  EXPECT_EQ(Accept(police_, transport::EncodePeerCard(second.card()), &act).error_code(),
            grpc::StatusCode::FAILED_PRECONDITION);
  // One key for two agencies.
  LiveAgency health("riverside-health");
  for (const char* key : {"agency-signing.key", "log.key"}) {
    std::filesystem::copy_file(council_.pki() / "keys" / key, health.pki() / "keys" / key,
                               std::filesystem::copy_options::overwrite_existing);
  }
  const grpc::Status same_key = Accept(police_, transport::EncodePeerCard(health.card()), &act);
  EXPECT_EQ(same_key.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(same_key.error_message(), HasSubstr("eastvale-council"));
}

TEST_F(Partners, SuspendedPartnerIsToldSoAndMayResumeByTwo) {
  StartBoth();
  EnrolBoth();
  ASSERT_TRUE(SeeEachOther());
  ASSERT_TRUE(Suspend(police_, council_.name()).ok());
  EXPECT_EQ(PeerAt(police_, council_.name()).state(), "suspended");
  EXPECT_TRUE(
      Eventually([&] { return PeerAt(council_, police_.name()).state_there() == "suspended"; }));
  EXPECT_EQ(Suspend(police_, council_.name()).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  grpc::ClientContext context;
  v1::ResumePeerRequest request;
  request.set_agency(council_.name());
  request.set_reason("cleared");
  v1::PendingAct act;
  ASSERT_TRUE(police_.peers("dpo")->Resume(&context, request, &act).ok());
  EXPECT_EQ(PeerAt(police_, council_.name()).state(), "suspended");
  police_.ApproveAct(act, "siro");
  EXPECT_EQ(PeerAt(police_, council_.name()).state(), "active");
  EXPECT_TRUE(
      Eventually([&] { return PeerAt(council_, police_.name()).state_there() == "active"; }));
}

TEST_F(Partners, RemovedPartnerIsRefusedAndItsKeysStay) {
  StartBoth();
  EnrolBoth();
  ASSERT_TRUE(SeeEachOther());
  grpc::ClientContext context;
  v1::RemovePeerRequest request;
  request.set_agency(council_.name());
  request.set_reason("it left");
  v1::PendingAct act;
  ASSERT_TRUE(police_.peers()->Remove(&context, request, &act).ok());
  police_.ApproveAct(act, "admin-2");
  const v1::Peer removed = PeerAt(police_, council_.name());
  EXPECT_EQ(removed.state(), "removed");
  ASSERT_EQ(removed.keys_size(), 1);
  EXPECT_EQ(removed.keys(0).end(), "removed");
  // For the partner the police are gone: its hellos are not answered any more.
  EXPECT_TRUE(
      Eventually([&] { return PeerAt(council_, police_.name()).reachability() == "away"; }));
}

TEST_F(Partners, OutageIsToldOnceAndItsEndWithTheDuration) {
  StartBoth();
  EnrolBoth();
  ASSERT_TRUE(SeeEachOther());
  // A goodbye is given up after two seconds, which a busy machine can take: then it is an outage as
  // any other, and told once as well.
  bool planned = false;
  for (std::uint64_t outages = 1; outages <= 3 && !planned; ++outages) {
    council_.Stop();  // says goodbye
    EXPECT_TRUE(Eventually([&] { return CountNotices(police_, "peer-outage") == outages; }));
    planned = PeerAt(police_, council_.name()).reachability() == "planned-away";
    std::this_thread::sleep_for(std::chrono::seconds(4));
    EXPECT_EQ(CountNotices(police_, "peer-outage"), outages);
    council_.Start({});
    ASSERT_TRUE(SeeEachOther());
    EXPECT_TRUE(Eventually([&] { return CountNotices(police_, "peer-returned") == outages; }));
    EXPECT_EQ(CountNotices(police_, "peer-outage"), outages);
  }
  EXPECT_TRUE(planned) << "no goodbye was heard";
}

TEST_F(Partners, EverythingIsKnownAgainAfterARestart) {
  StartBoth();
  EnrolBoth();
  ASSERT_TRUE(SeeEachOther());
  ASSERT_TRUE(Suspend(police_, council_.name()).ok());
  const v1::Peer before = PeerAt(police_, council_.name());
  police_.Stop();
  police_.Start({});
  const v1::Peer after = PeerAt(police_, council_.name());
  EXPECT_EQ(after.state(), "suspended");
  EXPECT_EQ(after.reason(), before.reason());
  EXPECT_EQ(after.terms().SerializeAsString(), before.terms().SerializeAsString());
  EXPECT_EQ(after.keys_size(), before.keys_size());
}

TEST_F(Partners, OtherAddressIsTakenOverByANewCard) {
  StartBoth();
  EnrolBoth();
  ASSERT_TRUE(SeeEachOther());
  transport::PeerCard moved = council_.card();
  v1::RekeyPeerRequest request;
  request.set_card(transport::EncodePeerCard(moved));
  request.set_address("127.0.0.1:1");  // nobody listens there
  v1::PendingAct act;
  ASSERT_TRUE(Rekey(police_, request, &act).ok());
  EXPECT_THAT(act.words(), HasSubstr("Address until now: " + moved.address));
  ASSERT_TRUE(ApproveCard(police_.administrators(), act, Fingerprint(moved)).ok());
  EXPECT_EQ(PeerAt(police_, council_.name()).terms().address(), "127.0.0.1:1");
  EXPECT_EQ(PeerAt(police_, council_.name()).keys_size(), 1);
  // Back to where it is: the channel follows.
  request.clear_address();
  ASSERT_TRUE(Rekey(police_, request, &act).ok());
  ASSERT_TRUE(ApproveCard(police_.administrators(), act, Fingerprint(moved)).ok());
  EXPECT_TRUE(SeeEachOther());
}

// The partner's own announcement, two people here, and the switch.
TEST_F(Partners, AnnouncedKeyTakesOverWithoutAGap) {
  StartBoth();
  EnrolBoth();
  ASSERT_TRUE(SeeEachOther());
  const auto next = transport::MakeNextKey(council_.pki(), council_.card());
  ASSERT_THAT(next, IsOk());
  v1::RekeyPeerRequest own;
  own.set_card(transport::EncodePeerCard(*next));
  v1::PendingAct act;
  ASSERT_TRUE(Rekey(council_, own, &act).ok());
  ASSERT_TRUE(ApproveCard(council_.administrators(), act, Fingerprint(*next)).ok());
  // It arrives and changes nothing by itself.
  ASSERT_TRUE(Eventually(
      [&] { return !PeerAt(police_, council_.name()).announced_fingerprint().empty(); }));
  EXPECT_EQ(PeerAt(police_, council_.name()).keys_size(), 1);
  EXPECT_EQ(CountNotices(police_, "peer-keys-changed"), 1U);
  v1::RekeyPeerRequest announced;
  announced.set_announced(council_.name());
  announced.set_overlap_hours(1);
  ASSERT_TRUE(Rekey(police_, announced, &act).ok());
  ASSERT_TRUE(ApproveCard(police_.administrators(), act, Fingerprint(*next)).ok());
  EXPECT_EQ(PeerAt(police_, council_.name()).keys_size(), 2);
  EXPECT_EQ(PeerAt(police_, council_.name()).announced_fingerprint(), "");
  // The council learns that its next key is accepted, switches and starts again.
  ASSERT_TRUE(Eventually([&] { return PeerAt(council_, police_.name()).keys_there_size() == 2; }));
  EXPECT_TRUE(SeeEachOther());  // with the old key still
  council_.Stop();
  ASSERT_THAT(transport::SwitchKey(council_.pki()), IsOk());
  council_.Start({});
  EXPECT_TRUE(SeeEachOther());
  council_.Stop();
  council_.Start({});  // and again, without the former key
  EXPECT_TRUE(SeeEachOther());
}

TEST_F(Partners, CompromisedKeyIsRefusedAtOnce) {
  StartBoth();
  EnrolBoth();
  ASSERT_TRUE(SeeEachOther());
  const auto next = transport::MakeNextKey(council_.pki(), council_.card());
  ASSERT_THAT(next, IsOk());
  v1::RekeyPeerRequest request;
  request.set_card(transport::EncodePeerCard(*next));
  const auto since = clock_.Now() - std::chrono::hours(1);
  request.mutable_compromised_since()->set_seconds(
      std::chrono::floor<std::chrono::seconds>(since).time_since_epoch().count());
  v1::PendingAct act;
  ASSERT_TRUE(Rekey(police_, request, &act).ok());
  EXPECT_THAT(act.words(), HasSubstr("may be in other hands since"));
  ASSERT_TRUE(ApproveCard(police_.administrators(), act, Fingerprint(*next)).ok());
  const v1::Peer peer = PeerAt(police_, council_.name());
  ASSERT_EQ(peer.keys_size(), 2);
  EXPECT_EQ(peer.keys(0).end(), "compromised");
  EXPECT_EQ(peer.keys(0).until().seconds(), request.compromised_since().seconds());
  // The council still signs with the old key: nothing of it counts, it is as if away.
  EXPECT_TRUE(
      Eventually([&] { return PeerAt(police_, council_.name()).reachability() == "away"; }));
  EXPECT_THAT(police_.log_text(), HasSubstr("peer-message-refused"));
}

TEST_F(Partners, GatewayDoesNotStartWithAKeyThatNobodyAnnounced) {
  StartBoth();
  council_.Stop();
  ASSERT_THAT(transport::MakeNextKey(council_.pki(), council_.card()), IsOk());
  ASSERT_THAT(transport::SwitchKey(council_.pki()), IsOk());
  const auto refused = council_.TryStart();
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().detail, HasSubstr("keys.signing"));
}

TEST_F(Partners, RevokedGatewayIsRefusedWhileAFolderOfListsIsConfigured) {
  const std::filesystem::path folder = police_.data().parent_path() / "crls";
  std::filesystem::create_directories(folder);
  const auto copy = [&] {
    std::filesystem::copy_file(council_.pki() / "crl.pem", folder / "eastvale-council.pem",
                               std::filesystem::copy_options::overwrite_existing);
  };
  copy();
  police_.Configure("[peers]\ncrl_folder = \"crls\"\naway_after = 3\n");
  StartBoth();
  EnrolBoth();
  ASSERT_TRUE(SeeEachOther());
  ASSERT_THAT(transport::Revoke(council_.pki(), {(council_.pki() / "gateway.pem").string(), {}},
                                clock_.Now()),
              IsOk());
  copy();  // replaced while the gateway runs
  EXPECT_TRUE(
      Eventually([&] { return PeerAt(police_, council_.name()).reachability() == "away"; }));
}

// Twenty partners more cost a handshake nothing that a person would notice.
TEST_F(Partners, ManyPartnersDoNotSlowTheHandshake) {
  StartBoth();
  EnrolBoth();
  ASSERT_TRUE(SeeEachOther());
  const auto handshake = [&] {
    std::vector<double> times;
    for (int i = 0; i < 9; ++i) {
      const auto channel = transport::OpenChannel(
          {{"127.0.0.1", police_.federation_port()},
           council_.pki() / "gateway.pem",
           {police_.name(), police_.spiffe_id(), police_.pki() / "ca" / "ca.pem", {}}},
          {1024, clock_});
      const auto start = std::chrono::steady_clock::now();
      EXPECT_TRUE((*channel)->WaitForConnected(std::chrono::system_clock::now() +
                                               std::chrono::seconds(10)));
      times.push_back(
          std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
              .count());
    }
    std::ranges::sort(times);
    return times[times.size() / 2];
  };
  const double alone = handshake();
  police_.Stop();
  std::vector<std::unique_ptr<LiveAgency>> others;
  std::vector<const LiveAgency*> partners;
  for (int i = 0; i < 19; ++i) {
    others.push_back(std::make_unique<LiveAgency>("partner-" + std::string(1, char('a' + i))));
    partners.push_back(others.back().get());
  }
  police_.Start(partners);
  ASSERT_TRUE(SeeEachOther());
  const double among_twenty = handshake();
  std::printf("handshake, median: %.1f ms with 1 partner, %.1f ms with 20\n", alone, among_twenty);
  EXPECT_LT(among_twenty, 3 * alone + 20);
}

}  // namespace
}  // namespace comity::testing
