// SPDX-License-Identifier: Apache-2.0
#include "services/identity/peers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "services/audit/events.h"
#include "services/identity/peer_record.h"
#include "tests/support/agency_store.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/services/identity/peer_sample.h"

namespace comity::identity {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using ::testing::ElementsAre;
using ::testing::SizeIs;

const policy::PersonId kBy = policy::PersonId::Parse("admin-2").value();

class PeersTest : public ::testing::Test {
 protected:
  void SetUp() override { Open(); }
  Peers::Setup SetupWith(const sign::SigningKey& key, std::vector<sign::PublicKey> former = {}) {
    return {agency_.store(), agency_.journal(), Self(key), key, std::move(former), agency_.clock};
  }
  PeerTerms Self(const sign::SigningKey& key) const {
    return TermsWith(kOwnAgency, key.public_key(), log_key_);
  }
  void Open() {
    auto peers = Peers::Open(SetupWith(key_));
    ASSERT_THAT(peers, IsOk());
    peers_ = *std::move(peers);
  }
  void Restart() {
    peers_.reset();
    agency_.Reopen();
    Open();
  }
  template <typename Act>
  Status Do(Act act) {
    COMITY_RETURN_IF_ERROR(agency_.journal().Commit(
        [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
          return act(transaction, recorder);
        }));
    return peers_->Refresh();
  }
  Status Enrol(const PeerTerms& terms) {
    return Do([&](auto& t, auto& r) { return peers_->Enrol(t, r, terms, kBy); });
  }
  Status Rekey(const PeerTerms& terms, const Rekeying& how) {
    return Do([&](auto& t, auto& r) { return peers_->Rekey(t, r, terms, how, kBy); });
  }
  Status RekeyOwn(const PeerTerms& terms) {
    return Do([&](auto& t, auto& r) { return peers_->RekeyOwn(t, r, terms, {}, "card", kBy); });
  }
  Status Suspend() {
    return Do([&](auto& t, auto& r) {
      return peers_->Suspend(t, r, council_.agency, {kBy, "looked into"});
    });
  }
  // Changes a stored record behind the register's back.
  void Tamper(const std::function<void(store::PeerRecord&)>& change) {
    ASSERT_THAT(agency_.store().Write([&](store::Transaction& transaction) -> Status {
      COMITY_ASSIGN_OR_RETURN(auto records, transaction.peers().All());
      for (store::PeerRecord& record : records) {
        if (record.agency != council_.agency) continue;
        change(record);
        COMITY_RETURN_IF_ERROR(transaction.peers().Put(record));
      }
      return {};
    }),
                IsOk());
  }

  comity::testing::AgencyStore agency_;
  sign::SigningKey key_ = sign::SigningKey::Generate(agency_.random);
  sign::PublicKey log_key_ = SampleKey();
  PeerTerms council_ = SampleTerms("eastvale-council");
  std::unique_ptr<Peers> peers_;
};

TEST_F(PeersTest, KnowsEverythingAgainAfterARestart) {
  ASSERT_THAT(Enrol(council_), IsOk());
  agency_.clock.Advance(std::chrono::hours(1));
  ASSERT_THAT(Rekey(TermsWith("eastvale-council", SampleKey(), council_.log_key),
                    {std::chrono::hours(24), {}}),
              IsOk());
  ASSERT_THAT(Suspend(), IsOk());
  const auto before = peers_->List();
  const Peer self = peers_->Self();
  Restart();
  EXPECT_EQ(peers_->List(), before);
  EXPECT_EQ(peers_->Self(), self);
  ASSERT_THAT(before, SizeIs(1));
  EXPECT_EQ(before[0].state, PeerState::kSuspended);
  EXPECT_THAT(before[0].keys, SizeIs(2));
}

TEST_F(PeersTest, EveryActStandsInTheLog) {
  ASSERT_THAT(Enrol(council_), IsOk());
  ASSERT_THAT(Suspend(), IsOk());
  ASSERT_THAT(Do([&](auto& t, auto& r) {
                return peers_->Resume(t, r,
                                      {council_.agency, peers_->Find(council_.agency)->changed_at},
                                      {kBy, "cleared"});
              }),
              IsOk());
  ASSERT_THAT(
      Do([&](auto& t, auto& r) { return peers_->Remove(t, r, council_.agency, {kBy, "left"}); }),
      IsOk());
  EXPECT_EQ(agency_.CountEvents(audit::kPeerEnrolled), 1U);
  EXPECT_EQ(agency_.CountEvents(audit::kPeerSuspended), 1U);
  EXPECT_EQ(agency_.CountEvents(audit::kPeerResumed), 1U);
  EXPECT_EQ(agency_.CountEvents(audit::kPeerRemoved), 1U);
  EXPECT_EQ(agency_.CountEvents(audit::kOwnKeyUsed), 1U);
}

TEST_F(PeersTest, RefusedActLeavesNothingBehind) {
  ASSERT_THAT(Enrol(council_), IsOk());
  EXPECT_THAT(Enrol(council_), FailsWith(ErrorCode::kConflict));
  EXPECT_EQ(agency_.CountEvents(audit::kPeerEnrolled), 1U);
  EXPECT_THAT(peers_->List(), SizeIs(1));
}

TEST_F(PeersTest, JudgesByWhatTheUnitOfWorkSees) {
  const auto both = [&](auto& t, auto& r) -> Status {
    COMITY_RETURN_IF_ERROR(peers_->Enrol(t, r, council_, kBy));
    return peers_->Enrol(t, r, council_, kBy);
  };
  EXPECT_THAT(Do(both), FailsWith(ErrorCode::kConflict));
  EXPECT_EQ(agency_.CountEvents(audit::kPeerEnrolled), 0U);
  EXPECT_THAT(peers_->List(), SizeIs(0));
}

TEST_F(PeersTest, OnlyAnEnrolledActivePartnerSpeaks) {
  EXPECT_THAT(peers_->SpeakingKeys(council_.agency), FailsWith(ErrorCode::kUnauthenticated));
  EXPECT_THAT(peers_->SpeakingKeys(agency_.own), FailsWith(ErrorCode::kUnauthenticated));
  ASSERT_THAT(Enrol(council_), IsOk());
  EXPECT_THAT(peers_->SpeakingKeys(council_.agency).value(), ElementsAre(council_.signing_key));
  ASSERT_THAT(Suspend(), IsOk());
  EXPECT_THAT(peers_->SpeakingKeys(council_.agency), FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_THAT(peers_->SpeakingKeys(council_.agency, true), IsOk());
  ASSERT_THAT(
      Do([&](auto& t, auto& r) { return peers_->Remove(t, r, council_.agency, {kBy, "left"}); }),
      IsOk());
  EXPECT_THAT(peers_->SpeakingKeys(council_.agency, true), FailsWith(ErrorCode::kUnauthenticated));
}

TEST_F(PeersTest, OverlapEndsByTheClockAlone) {
  ASSERT_THAT(Enrol(council_), IsOk());
  const PeerTerms next = TermsWith("eastvale-council", SampleKey(), council_.log_key);
  ASSERT_THAT(Rekey(next, {std::chrono::hours(24), {}}), IsOk());
  EXPECT_THAT(peers_->SpeakingKeys(council_.agency).value(),
              ElementsAre(next.signing_key, council_.signing_key));
  agency_.clock.Advance(std::chrono::hours(24));
  EXPECT_THAT(peers_->SpeakingKeys(council_.agency).value(), ElementsAre(next.signing_key));
}

TEST_F(PeersTest, ChangedDatabaseMakesNobodyAPartner) {
  ASSERT_THAT(Enrol(council_), IsOk());
  PeerTerms forged = council_;
  forged.signing_key = SampleKey();
  SystemRandom random;
  const auto attacker = sign::SigningKey::Generate(random);
  Peer peer = peers_->Find(council_.agency).value();
  peer.terms = forged;
  const auto record = VouchPeer(peer, agency_.own, attacker).value();
  Tamper([&](store::PeerRecord& stored) { stored.vouched = record.vouched; });
  EXPECT_THAT(peers_->Refresh(), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(peers_->List(), SizeIs(0));
  EXPECT_THAT(Peers::Open(SetupWith(key_)), FailsWith(ErrorCode::kCorrupt));
}

TEST_F(PeersTest, RecordOfAnotherAgencyOrStateIsNoticed) {
  ASSERT_THAT(Enrol(council_), IsOk());
  ASSERT_THAT(Suspend(), IsOk());
  Tamper([](store::PeerRecord& stored) { stored.state = PeerState::kActive; });
  EXPECT_THAT(peers_->Refresh(), FailsWith(ErrorCode::kCorrupt));
}

TEST_F(PeersTest, ListenersHearOfEveryChange) {
  int changes = 0;
  peers_->OnChange([&] { ++changes; });
  ASSERT_THAT(Enrol(council_), IsOk());
  ASSERT_THAT(Suspend(), IsOk());
  EXPECT_EQ(changes, 2);
}

TEST_F(PeersTest, RefusesToStartWithAKeyThatWasNotAnnounced) {
  ASSERT_THAT(Enrol(council_), IsOk());
  const auto other = sign::SigningKey::Generate(agency_.random);
  EXPECT_THAT(Peers::Open(SetupWith(other)), FailsWith(ErrorCode::kCorrupt));
  // Who can forge the proof of succession, and does not have the approval, gets no further.
  EXPECT_THAT(Peers::Open(SetupWith(other, {key_.public_key()})),
              FailsWith(ErrorCode::kPermissionDenied));
}

TEST_F(PeersTest, AnnouncedKeyTakesOverWithAllPartners) {
  ASSERT_THAT(Enrol(council_), IsOk());
  const auto next = sign::SigningKey::Generate(agency_.random);
  ASSERT_THAT(RekeyOwn(Self(next)), IsOk());
  const auto before = peers_->List();
  peers_.reset();
  agency_.Reopen();
  auto opened = Peers::Open(SetupWith(next, {key_.public_key()}));
  ASSERT_THAT(opened, IsOk());
  EXPECT_EQ((*opened)->List(), before);
  EXPECT_THAT((*opened)->Self().SigningKeysAt(agency_.clock.Now()), ElementsAre(next.public_key()));
  // A crash before everything else was vouched for anew: the former key still counts.
  opened->reset();
  opened = Peers::Open(SetupWith(next, {key_.public_key()}));
  ASSERT_THAT(opened, IsOk());
  ASSERT_TRUE((*opened)->Self().announced.has_value());
  ASSERT_THAT((*opened)->ForgetFormerKeys(), IsOk());
  EXPECT_FALSE((*opened)->Self().announced.has_value());
  opened->reset();
  EXPECT_THAT(Peers::Open(SetupWith(next)), IsOk());  // no former key is needed any more
}

TEST_F(PeersTest, AnnouncedCardOfARecordIsFoundWithoutVerification) {
  ASSERT_THAT(RekeyOwn(Self(sign::SigningKey::Generate(agency_.random))), IsOk());
  std::string card;
  ASSERT_THAT(agency_.store().Read([&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto records, transaction.peers().All());
    for (const auto& record : records) card = AnnouncedCardOf(record);
    return {};
  }),
              IsOk());
  EXPECT_EQ(card, "card");
  EXPECT_EQ(AnnouncedCardOf({}), "");
}

TEST_F(PeersTest, ASuspendedPartnerHasNoKeysOnceItsSuspensionHasReturnedWhateverElseIsRead) {
  ASSERT_THAT(Enrol(council_), IsOk());
  std::atomic<int> phase{0};  // odd: suspended
  std::atomic<int> spoke{0};
  std::atomic<int> calls{0};
  std::vector<std::jthread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        const int before = phase;
        const bool speaks = peers_->SpeakingKeys(council_.agency).has_value();
        if (speaks && before % 2 == 1 && phase == before) ++spoke;
        EXPECT_THAT(peers_->List(), SizeIs(1));
        EXPECT_FALSE(peers_->Keys().empty());
        ++calls;
      }
    });
  }
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&](const std::stop_token& stop) {
      while (!stop.stop_requested()) EXPECT_THAT(peers_->Refresh(), IsOk());
    });
  }
  for (int round = 0; round < 15; ++round) {
    const int before = calls;
    ASSERT_THAT(Suspend(), IsOk());
    ++phase;
    while (calls < before + 20) std::this_thread::yield();
    ++phase;
    const Suspension suspension{council_.agency, peers_->Find(council_.agency)->changed_at};
    ASSERT_THAT(
        Do([&](auto& t, auto& r) { return peers_->Resume(t, r, suspension, {kBy, "cleared"}); }),
        IsOk());
  }
  readers.clear();
  EXPECT_EQ(spoke, 0);
}

}  // namespace
}  // namespace comity::identity
