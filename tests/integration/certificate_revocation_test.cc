// SPDX-License-Identifier: Apache-2.0
// The drill of a compromised key with real gateways: who holds it is out within a second, wherever
// it is connected, and nobody else notices (docs/operations/keys_and_certificates.md).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <thread>

#include "comity/v1/certificates.grpc.pb.h"
#include "services/audit/events.h"
#include "services/store/setting_store.h"
#include "services/store/sqlite/sqlite_store.h"
#include "services/transport/certificate.h"
#include "services/transport/pki.h"
#include "tests/integration/direct_search_world.h"
#include "tests/integration/exported_log.h"
#include "tests/support/result_matchers.h"
#include "tests/support/test_agency.h"

namespace comity::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using ::testing::HasSubstr;

// A second; AddressSanitizer makes everything several times slower.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define COMITY_SLOW_DRILL
#endif
#endif
#ifdef COMITY_SLOW_DRILL
constexpr std::chrono::seconds kBound{10};
#else
constexpr std::chrono::seconds kBound{1};
#endif

class KeyDrill : public DirectSearchWorld {
 protected:
  void SetUp() override {
    police_.Configure("[sealed]\nanswer_after = 0\n");
    DirectSearchWorld::SetUp();
    health_.Start({&police_});
  }
  std::vector<const LiveAgency*> further_partners() const override { return {&health_}; }

  static std::unique_ptr<v1::Certificates::Stub> Certificates(const LiveAgency& agency,
                                                              const std::string& person) {
    return v1::Certificates::NewStub(agency.ChannelOf(person));
  }
  static v1::RevokeCertificateRequest RequestFor(const std::filesystem::path& pem,
                                                 v1::RevocationScope scope) {
    const auto certificate = transport::ReadPublicCertificate(ReadText(pem));
    EXPECT_THAT(certificate, IsOk());
    const Digest& sha256 =
        scope == v1::REVOCATION_SCOPE_KEY ? certificate->public_key : certificate->fingerprint;
    v1::RevokeCertificateRequest request;
    request.set_scope(scope);
    request.set_sha256(sha256.bytes.data(), sha256.bytes.size());
    request.set_subject(transport::EncodeSpiffeId(certificate->identity));
    request.set_reason("the key is in other hands");
    return request;
  }
  // By one person alone. Returns the id and notes the moment.
  std::string Revoke(const LiveAgency& agency, const std::filesystem::path& pem,
                     v1::RevocationScope scope = v1::REVOCATION_SCOPE_KEY) {
    grpc::ClientContext context;
    v1::CertificateRevocation one;
    revoked_at_ = steady_clock::now();
    const grpc::Status status =
        Certificates(agency, "dpo")->Revoke(&context, RequestFor(pem, scope), &one);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return one.revocation();
  }
  milliseconds SinceRevocation() const {
    return std::chrono::duration_cast<milliseconds>(steady_clock::now() - revoked_at_);
  }
  static void Reinstate(const LiveAgency& agency, const std::string& id) {
    grpc::ClientContext context;
    v1::ReinstateCertificateRequest request;
    request.set_revocation(id);
    request.set_reason("it was found sealed");
    v1::PendingAct act;
    const grpc::Status status = Certificates(agency, "dpo")->Reinstate(&context, request, &act);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_THAT(act.words(), HasSubstr("the key is in other hands"));
    agency.ApproveAct(act, "siro");
  }
  static v1::NodeStatusResponse StatusOf(const LiveAgency& agency, const std::string& person,
                                         bool contact = false) {
    grpc::ClientContext context;
    v1::NodeStatusRequest request;
    request.set_contact_peers(contact);
    v1::NodeStatusResponse response;
    const grpc::Status status = agency.node(person)->Status(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  static v1::PeerStatus Reach(const LiveAgency& from, const LiveAgency& to) {
    const v1::NodeStatusResponse status = StatusOf(from, "operator", true);
    for (const v1::PeerStatus& peer : status.peers()) {
      if (peer.agency() == to.name()) return peer;
    }
    return {};
  }
  // A channel that was refused tries again after a pause.
  static bool ReachesAgain(const LiveAgency& from, const LiveAgency& to) {
    const auto end = steady_clock::now() + std::chrono::seconds(30);
    while (steady_clock::now() < end) {
      if (Reach(from, to).reachable()) return true;
      std::this_thread::sleep_for(milliseconds(200));
    }
    return false;
  }
  static grpc::Status AskStatus(const LiveAgency& agency, const std::string& person) {
    grpc::ClientContext context;
    v1::NodeStatusResponse response;
    return agency.node(person)->Status(&context, {}, &response);
  }

  LiveAgency health_{"riverside-health"};
  steady_clock::time_point revoked_at_;
};

TEST_F(KeyDrill, APartnersGatewayIsOutOfItsDirectSessionAndOthersStay) {
  Agree();
  ImportEntries(10);
  const auto session = Unchecked();
  ASSERT_NE(session, nullptr);
  ASSERT_THAT(session->Open(Terms()), IsOk());
  ASSERT_THAT(session->Probe(entries_[0], ref_), IsOk());
  const std::string id = Revoke(police_, council_.pki() / "gateway.pem");
  EXPECT_FALSE(session->Probe(entries_[0], ref_).has_value());
  EXPECT_LT(SinceRevocation(), kBound);
  // A partner is not told why, this gateway's own log says it.
  EXPECT_THAT(session->Open(Terms()), FailsWith(ErrorCode::kUnauthenticated));
  EXPECT_THAT(police_.log_text(), HasSubstr(id));
  EXPECT_FALSE(Reach(council_, police_).reachable());
  EXPECT_TRUE(Reach(health_, police_).reachable()) << Reach(health_, police_).fault();
  // The other direction: the certificate that it shows as a server.
  const v1::PeerStatus outbound = Reach(police_, council_);
  EXPECT_FALSE(outbound.reachable());
  EXPECT_THAT(outbound.fault(), HasSubstr(id));
  EXPECT_TRUE(Reach(police_, health_).reachable());
  // A new start of the gateway that revoked it changes nothing.
  police_.Stop();
  ASSERT_THAT(police_.Restart(), IsOk());
  EXPECT_FALSE(Reach(council_, police_).reachable());
  const v1::NodeStatusResponse status = StatusOf(police_, "dpo");
  ASSERT_EQ(status.health().revocations_size(), 1);
  EXPECT_EQ(status.health().revocations(0).revocation(), id);
  EXPECT_EQ(status.health().revocations(0).subject(), council_.spiffe_id());
  Reinstate(police_, id);
  EXPECT_TRUE(ReachesAgain(police_, council_)) << Reach(police_, council_).fault();
  EXPECT_TRUE(ReachesAgain(council_, police_)) << Reach(council_, police_).fault();
  const ExportedLog log = ExportLog(police_);
  EXPECT_EQ(log.Count(audit::kCertificateRevoked), 1U);
  EXPECT_EQ(log.Count(audit::kCertificateReinstated), 1U);
}

// One certificate alone: the partner renews it and is back.
TEST_F(KeyDrill, ARenewedCertificateIsTakenWhenOnlyTheFormerOneIsRevoked) {
  Revoke(police_, council_.pki() / "gateway.pem", v1::REVOCATION_SCOPE_CERTIFICATE);
  EXPECT_FALSE(Reach(council_, police_).reachable());
  transport::IssueRequest renewal;
  renewal.kind = transport::PeerKind::kGateway;
  renewal.renew = true;
  ASSERT_THAT(transport::Issue(council_.pki(), renewal, clock_.Now()), IsOk());
  // The connection that is open was made with the former certificate.
  council_.Stop();
  ASSERT_THAT(council_.Restart(), IsOk());
  EXPECT_TRUE(ReachesAgain(council_, police_)) << Reach(council_, police_).fault();
}

TEST_F(KeyDrill, APartnersGatewayIsOutOfItsSealedSession) {
  text_.mode = "sealed";
  Agree();
  ImportEntries(10);
  const auto engine = Watch();
  ASSERT_NE(engine, nullptr);
  std::uint64_t sequence = 0;
  const auto ask = [&] { return Ask(*engine, ++sequence, entries_[3]); };
  const auto ask_until_searched = [&] {
    const auto end = steady_clock::now() + std::chrono::seconds(60);
    v1::WatchAnswer answer = ask();
    while (!answer.has_answered() && steady_clock::now() < end) {
      std::this_thread::sleep_for(milliseconds(50));
      answer = ask();
    }
    return answer;
  };
  ASSERT_EQ(ask_until_searched().answered().alerts_size(), 1);
  const std::string id = Revoke(police_, council_.pki() / "gateway.pem");
  const v1::WatchAnswer refused = ask();
  EXPECT_LT(SinceRevocation(), kBound);
  EXPECT_FALSE(refused.has_answered()) << refused.DebugString();
  Reinstate(police_, id);
  EXPECT_EQ(ask_until_searched().answered().alerts_size(), 1);
}

TEST_F(KeyDrill, TheHolderThatTheRequesterRevokedGetsNoFaceAnyMore) {
  Agree();
  ImportEntries(10);
  const auto engine = Watch();
  ASSERT_NE(engine, nullptr);
  ASSERT_TRUE(Ask(*engine, 1, entries_[0]).has_answered());
  Revoke(council_, police_.pki() / "gateway.pem");
  const v1::WatchAnswer refused = Ask(*engine, 2, entries_[0]);
  EXPECT_LT(SinceRevocation(), kBound);
  EXPECT_FALSE(refused.has_answered()) << refused.DebugString();
}

TEST_F(KeyDrill, AnEnginesStreamEndsAndAnotherEngineGoesOn) {
  Agree();
  ImportEntries(10);
  const auto deployment = StartDeployment(text_.purpose);
  const EngineSettings stolen = council_.IssueEngine("stolen");
  // An idle stream of it too: nothing that it sends makes the gateway look.
  auto definition = Definition();
  definition.set_engine_name("stolen");
  const auto second = StartDeployment(definition);
  auto idle = EngineClient::Open(stolen, second.deployment(), clock_);
  ASSERT_THAT(idle, IsOk());
  const auto staying = Watch(deployment.deployment());
  ASSERT_NE(staying, nullptr);
  ASSERT_TRUE(Ask(*staying, 1, entries_[0]).has_answered());
  const std::string id = Revoke(council_, stolen.identity_file);
  EXPECT_THAT((*idle)->Receive(), FailsWith(ErrorCode::kNotFound)) << "the stream has not ended";
  EXPECT_LT(SinceRevocation(), kBound);
  EXPECT_FALSE((*idle)->Finish().has_value());
  const auto again = EngineClient::Open(stolen, second.deployment(), clock_);
  EXPECT_FALSE(again.has_value());
  EXPECT_TRUE(Ask(*staying, 2, entries_[1]).has_answered());
}

TEST_F(KeyDrill, AnOperatorsCommandAndWatchEndUntilTwoPeopleReinstate) {
  grpc::ClientContext context;
  const auto watch = council_.alerts("operator")->Watch(&context, v1::WatchAlertsRequest());
  ASSERT_TRUE(AskStatus(council_, "operator").ok());
  const auto channel = council_.ChannelOf("operator");
  const auto node = v1::Node::NewStub(channel);
  {
    grpc::ClientContext first;
    v1::NodeStatusResponse response;
    ASSERT_TRUE(node->Status(&first, {}, &response).ok());
  }
  const std::string id = Revoke(council_, council_.person_identity("operator"));
  // On the connection that is open the refusal says why.
  grpc::ClientContext next;
  v1::NodeStatusResponse response;
  const grpc::Status refused = node->Status(&next, {}, &response);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_THAT(refused.error_message(), HasSubstr(id));
  v1::Alert alert;
  while (watch->Read(&alert)) {
  }
  EXPECT_LT(SinceRevocation(), kBound);
  const grpc::Status ended = watch->Finish();
  EXPECT_EQ(ended.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_THAT(ended.error_message(), HasSubstr(id));
  EXPECT_TRUE(AskStatus(council_, "supervisor-1").ok());
  // The same again is no further revocation; the one who revoked does not lift it alone.
  grpc::ClientContext twice;
  v1::CertificateRevocation one;
  EXPECT_EQ(
      Certificates(council_, "siro")
          ->Revoke(&twice,
                   RequestFor(council_.person_identity("operator"), v1::REVOCATION_SCOPE_KEY), &one)
          .error_code(),
      grpc::StatusCode::FAILED_PRECONDITION);
  // A renewed certificate of the same key is of no use.
  transport::IssueRequest renewal;
  renewal.kind = transport::PeerKind::kPerson;
  renewal.name = "operator";
  renewal.renew = true;
  const std::string before = ReadText(council_.person_identity("operator"));
  ASSERT_THAT(transport::Issue(council_.pki(), renewal, clock_.Now()), IsOk());
  EXPECT_NE(ReadText(council_.person_identity("operator")), before);
  EXPECT_FALSE(AskStatus(council_, "operator").ok());
  council_.Stop();
  ASSERT_THAT(council_.Restart(), IsOk());
  EXPECT_FALSE(AskStatus(council_, "operator").ok());
  Reinstate(council_, id);
  EXPECT_TRUE(AskStatus(council_, "operator").ok());
}

TEST_F(KeyDrill, AGatewayDoesNotStartOnATableThatSomebodyChanged) {
  Revoke(council_, council_.person_identity("operator"));
  council_.Stop();
  {
    const auto store = store::OpenSqliteStore(council_.data());
    ASSERT_THAT(store, IsOk());
    ASSERT_THAT((*store)->Write([](store::Transaction& transaction) {
      return transaction.settings().Put("certificate-revocations", "no table");
    }),
                IsOk());
  }
  const Status altered = council_.Restart();
  ASSERT_THAT(altered, FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(altered.error().detail, HasSubstr("certificate-revocations"));
}

}  // namespace
}  // namespace comity::testing
