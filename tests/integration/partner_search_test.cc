// SPDX-License-Identifier: Apache-2.0
// What partners' states and keys do to agreements and searches that are under way.
#include <gmock/gmock.h>

#include <functional>
#include <string>
#include <thread>

#include "services/transport/fingerprint.h"
#include "services/transport/pki_rotate.h"
#include "tests/integration/direct_search_world.h"
#include "tests/integration/live_acts.h"
#include "tests/support/partners.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

std::string Fingerprint(const transport::PeerCard& card) {
  return transport::EncodeFingerprint(transport::CardFingerprint(card));
}

class PartnerSearch : public DirectSearchWorld {
 protected:
  // Neither gateway knows the other when it starts.
  void SetUp() override {
    police_.Start({});
    council_.Start({});
    Enrol(police_.administrators(), council_.card());
    Enrol(council_.administrators(), police_.card());
    AwaitPartners(police_);
    AwaitPartners(council_);
    text_.requester = council_.party_keys();
    text_.holder = police_.party_keys();
    text_.effective_from = Now() - std::chrono::hours(24);
    text_.effective_until = Now() + std::chrono::hours(24 * 30);
    text_.attachment_until = Now() + std::chrono::hours(24 * 30);
    Agree();
    ImportEntries(3);
  }

  bool Hits(EngineClient& engine, std::uint64_t sequence) {
    return Ask(engine, sequence, entries_[1]).answered().alerts_size() == 1;
  }
  bool HitsSoon(EngineClient& engine, std::uint64_t from) {
    const auto end = steady_clock::now() + std::chrono::seconds(20);
    for (std::uint64_t i = from; steady_clock::now() < end; ++i) {
      if (Hits(engine, i)) return true;
      std::this_thread::sleep_for(milliseconds(100));
    }
    return false;
  }
  static std::string StatusAt(const LiveAgency& agency) {
    grpc::ClientContext context;
    v1::ListAgreementsResponse response;
    const grpc::Status status = agency.agreements()->List(&context, {}, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.agreements_size() == 1 ? response.agreements(0).status() : "none";
  }
  static bool ComesTo(const LiveAgency& agency, const std::string& status) {
    const auto end = steady_clock::now() + std::chrono::seconds(20);
    while (steady_clock::now() < end && StatusAt(agency) != status) {
      std::this_thread::sleep_for(milliseconds(100));
    }
    return StatusAt(agency) == status;
  }
  static void SuspendPartner(const LiveAgency& agency, const std::string& partner) {
    grpc::ClientContext context;
    v1::SuspendPeerRequest request;
    request.set_agency(partner);
    request.set_reason("its key is looked into");
    v1::Peer peer;
    ASSERT_TRUE(agency.peers("supervisor-1")->Suspend(&context, request, &peer).ok());
  }
  static void ResumePartner(const LiveAgency& agency, const std::string& partner) {
    grpc::ClientContext context;
    v1::ResumePeerRequest request;
    request.set_agency(partner);
    request.set_reason("cleared");
    v1::PendingAct act;
    ASSERT_TRUE(agency.peers("supervisor-1")->Resume(&context, request, &act).ok());
    agency.ApproveAct(act, "siro");
  }
  // Two people of `agency` take over `card`.
  static void TakeOver(const LiveAgency& agency, const transport::PeerCard& card,
                       const std::optional<policy::Instant>& compromised_since = {}) {
    grpc::ClientContext context;
    v1::RekeyPeerRequest request;
    request.set_card(transport::EncodePeerCard(card));
    if (compromised_since) {
      const auto micros = compromised_since->time_since_epoch().count();
      request.mutable_compromised_since()->set_seconds(micros / 1'000'000);
    } else {
      request.set_overlap_hours(24);
    }
    v1::PendingAct act;
    const grpc::Status status = agency.peers()->Rekey(&context, request, &act);
    ASSERT_TRUE(status.ok()) << status.error_message();
    ASSERT_TRUE(ApproveCard(agency.administrators(), act, Fingerprint(card)).ok());
  }
  // The stream gets no hit later than a second after `suspend` returned.
  void ExpectNoHitAfterASecond(EngineClient& engine, const std::function<void()>& suspend) {
    ASSERT_TRUE(Hits(engine, 1));
    suspend();
    const auto suspended_at = steady_clock::now();
    auto last_hit = suspended_at;
    for (std::uint64_t i = 2; steady_clock::now() < suspended_at + std::chrono::seconds(3); ++i) {
      if (Hits(engine, i)) last_hit = steady_clock::now();
      std::this_thread::sleep_for(milliseconds(20));
    }
    EXPECT_LE(last_hit - suspended_at, std::chrono::seconds(1));
  }
};

TEST_F(PartnerSearch, AgenciesEnrolledAtRunTimeSearchEachOther) {
  const auto engine = Watch();
  EXPECT_TRUE(Hits(*engine, 1));
}

TEST_F(PartnerSearch, HolderThatSuspendsTheRequesterEndsItsOpenStream) {
  const auto engine = Watch();
  ExpectNoHitAfterASecond(*engine, [&] { SuspendPartner(police_, council_.name()); });
  ResumePartner(police_, council_.name());
  EXPECT_TRUE(HitsSoon(*engine, 10'000));
}

TEST_F(PartnerSearch, RequesterThatSuspendsTheHolderEndsItsOwnStream) {
  const auto engine = Watch();
  ExpectNoHitAfterASecond(*engine, [&] { SuspendPartner(council_, police_.name()); });
  ResumePartner(council_, police_.name());
  EXPECT_TRUE(HitsSoon(*engine, 10'000));
}

TEST_F(PartnerSearch, SuspendedPartnerIsRefusedWithAClearCode) {
  SuspendPartner(police_, council_.name());
  const auto unchecked = Unchecked();
  EXPECT_THAT(unchecked->Open(Terms()), FailsWith(ErrorCode::kPermissionDenied));
}

TEST_F(PartnerSearch, AgreementWithARemovedPartnerIsInForceNoMore) {
  const auto engine = Watch();
  ASSERT_TRUE(Hits(*engine, 1));
  grpc::ClientContext context;
  v1::RemovePeerRequest request;
  request.set_agency(council_.name());
  request.set_reason("it left");
  v1::PendingAct act;
  ASSERT_TRUE(police_.peers()->Remove(&context, request, &act).ok());
  police_.ApproveAct(act, "admin-2");
  EXPECT_NE(StatusAt(police_), "in-force");
  std::this_thread::sleep_for(std::chrono::seconds(1));
  EXPECT_FALSE(Hits(*engine, 2));
  const auto unchecked = Unchecked();
  EXPECT_FALSE(unchecked->Open(Terms()).has_value());
}

TEST_F(PartnerSearch, AgreementOutlivesARotationOfAPartnersKey) {
  const auto next = transport::MakeNextKey(council_.pki(), council_.card());
  ASSERT_THAT(next, IsOk());
  TakeOver(council_, *next);  // announces it
  TakeOver(police_, *next);
  council_.Stop();
  ASSERT_THAT(transport::SwitchKey(council_.pki()), IsOk());
  ASSERT_THAT(council_.Restart(), IsOk());
  AwaitPartners(council_);
  EXPECT_EQ(StatusAt(police_), "in-force");
  EXPECT_TRUE(ComesTo(council_, "in-force"));
  const auto engine = Watch();
  EXPECT_TRUE(HitsSoon(*engine, 1));
  // What its people say now carries the new key's countersignature, and counts.
  policy::Statement suspension;
  suspension.kind = policy::StatementKind::kSuspension;
  suspension.agreement = ref_;
  suspension.text = "A complaint is being looked into.";
  council_.Say("dpo", suspension);
  EXPECT_TRUE(ComesTo(police_, "suspended"));
  EXPECT_EQ(StatusAt(council_), "suspended");
  // And again from the store, where each key counts for its time.
  for (LiveAgency* agency : {&police_, &council_}) {
    agency->Stop();
    ASSERT_THAT(agency->Restart(), IsOk());
    EXPECT_EQ(StatusAt(*agency), "suspended");
  }
}

TEST_F(PartnerSearch, CompromisedKeyIsRefusedInAnOpenStreamToo) {
  const auto unchecked = Unchecked();
  const auto opened = unchecked->Open(Terms());
  ASSERT_THAT(opened, IsOk());
  ASSERT_TRUE(opened->permitted());
  ASSERT_THAT(unchecked->Probe(entries_[1], ref_), IsOk());
  const auto next = transport::MakeNextKey(council_.pki(), council_.card());
  ASSERT_THAT(next, IsOk());
  TakeOver(police_, *next, clock_.Now());
  EXPECT_FALSE(unchecked->Probe(entries_[1], ref_).has_value());
}

TEST_F(PartnerSearch, StatementsBeforeACompromiseStayGood) {
  std::this_thread::sleep_for(std::chrono::seconds(1));  // instants are given in seconds
  const auto next = transport::MakeNextKey(council_.pki(), council_.card());
  ASSERT_THAT(next, IsOk());
  TakeOver(police_, *next, clock_.Now());
  EXPECT_EQ(StatusAt(police_), "in-force");
}

TEST_F(PartnerSearch, SuspensionSinceACompromiseGoesOnStopping) {
  std::this_thread::sleep_for(std::chrono::seconds(1));
  const auto since = clock_.Now();
  policy::Statement suspension;
  suspension.kind = policy::StatementKind::kSuspension;
  suspension.agreement = ref_;
  suspension.text = "A complaint is being looked into.";
  council_.Say("dpo", suspension);
  ASSERT_TRUE(ComesTo(police_, "suspended"));
  const auto next = transport::MakeNextKey(council_.pki(), council_.card());
  ASSERT_THAT(next, IsOk());
  TakeOver(police_, *next, since);
  EXPECT_EQ(StatusAt(police_), "suspended");
}

TEST_F(PartnerSearch, StatementsSinceACompromiseCountNoMore) {
  const auto next = transport::MakeNextKey(council_.pki(), council_.card());
  ASSERT_THAT(next, IsOk());
  TakeOver(police_, *next, clock_.Now() - std::chrono::hours(1));
  EXPECT_NE(StatusAt(police_), "in-force");
  EXPECT_NE(StatusAt(police_), "suspended");
}

}  // namespace
}  // namespace comity::testing
