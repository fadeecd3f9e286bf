// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/key_change.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/audit/events.h"
#include "services/gateway/federation/peer_terms.h"
#include "tests/support/agency_store.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/services/gateway/sample_card.h"

namespace comity::gateway {
namespace {

using testing::FailsWith;
using ::testing::HasSubstr;
using testing::IsOk;

class KeyChangeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    identity::PeerTerms self;
    self.agency = agency_.own;
    self.spiffe_id = "spiffe://northshire-police.example/gateway";
    self.signing_key = own_key_.public_key();
    self.log_key = council_.NewKey().public_key();
    auto peers = identity::Peers::Open(
        {agency_.store(), agency_.journal(), self, own_key_, {}, agency_.clock});
    ASSERT_THAT(peers, IsOk());
    peers_ = *std::move(peers);
    handler_.emplace(KeyChangeHandler::Ports{*peers_, notices_, agency_.clock});
    const auto terms = TermsOf(council_.Card(key_));
    ASSERT_THAT(terms, IsOk());
    Do([&](auto& t, auto& r) { return peers_->Enrol(t, r, *terms, by_); });
  }
  void Do(const audit::Journal::Work& work) {
    ASSERT_THAT(agency_.journal().Commit(work), IsOk());
    ASSERT_THAT(peers_->Refresh(), IsOk());
  }
  Status Receive(std::string_view content, const std::string& sender = "eastvale-council") {
    std::function<void()> after;
    COMITY_RETURN_IF_ERROR(agency_.journal().Commit(
        [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
          COMITY_ASSIGN_OR_RETURN(
              auto taken, handler_->Receive(transaction, recorder,
                                            policy::AgencyId::Parse(sender).value(), content));
          after = std::move(taken.after);
          return {};
        }));
    if (after) after();
    return {};
  }
  std::string Announcement(const transport::PeerCard& card) {
    return EncodeKeyChange({transport::EncodePeerCard(card), {}});
  }
  identity::Peer Council() { return peers_->Find(council_id_).value(); }

  testing::AgencyStore agency_;
  SampleAgency council_{"eastvale-council", agency_.clock.Now()};
  const policy::AgencyId council_id_ = policy::AgencyId::Parse("eastvale-council").value();
  const policy::PersonId by_ = policy::PersonId::Parse("admin-2").value();
  sign::SigningKey own_key_ = council_.NewKey();
  sign::SigningKey key_ = council_.NewKey();
  sign::SigningKey next_ = council_.NewKey();
  identity::Notices notices_{{agency_.store(), agency_.journal(), agency_.own, agency_.clock}};
  std::unique_ptr<identity::Peers> peers_;
  std::optional<KeyChangeHandler> handler_;
};

TEST_F(KeyChangeTest, ReadsWhatItWrites) {
  for (const KeyChange& change :
       {KeyChange{"card\n", {}}, KeyChange{"card", agency_.clock.Now()}}) {
    const auto read = ParseKeyChange(EncodeKeyChange(change));
    ASSERT_THAT(read, IsOk());
    EXPECT_EQ(*read, change);
  }
  for (const char* wrong : {"", "{}", R"({"card":1})", R"({"card":"x","extra":"y"})",
                            R"({"card":"x","compromised_since":"yesterday"})",
                            R"({"card":"x","compromised_since":"2026-11-25T09:00:00+01:00"})"}) {
    EXPECT_THAT(ParseKeyChange(wrong), FailsWith(ErrorCode::kInvalidArgument)) << wrong;
  }
}

TEST_F(KeyChangeTest, AnnouncementIsKeptAndToldAndChangesNoKey) {
  const transport::PeerCard card = council_.Card(next_, &key_);
  ASSERT_THAT(Receive(Announcement(card)), IsOk());
  ASSERT_TRUE(Council().announced.has_value());
  EXPECT_EQ(Council().announced->fingerprint, transport::CardFingerprint(card));
  EXPECT_EQ(Council().SigningKeysAt(agency_.clock.Now()),
            std::vector<sign::PublicKey>{key_.public_key()});
  const auto told = notices_.List({identity::Role::kKeyAdministrator}, 0, true, 10);
  ASSERT_THAT(told, IsOk());
  ASSERT_EQ(told->size(), 1U);
  EXPECT_THAT((*told)[0].words, HasSubstr("comity peer rekey --announced eastvale-council"));
  EXPECT_EQ(agency_.CountEvents(audit::kPeerKeysAnnounced), 1U);
}

TEST_F(KeyChangeTest, CompromiseIsTold) {
  const transport::PeerCard card = council_.Card(next_, &key_);
  ASSERT_THAT(Receive(EncodeKeyChange({transport::EncodePeerCard(card), agency_.clock.Now()})),
              IsOk());
  const auto told = notices_.List({identity::Role::kDpo}, 0, true, 10);
  ASSERT_EQ(told->size(), 1U);
  EXPECT_THAT((*told)[0].words, HasSubstr("may be in other hands"));
}

TEST_F(KeyChangeTest, RefusesACardThatNoPresentKeySigned) {
  const sign::SigningKey stranger = council_.NewKey();
  for (const transport::PeerCard& card :
       {council_.Card(next_, &stranger), council_.Card(next_), council_.Card(key_)}) {
    EXPECT_THAT(Receive(Announcement(card)), FailsWith(ErrorCode::kInvalidArgument));
  }
  transport::PeerCard forged = council_.Card(next_, &key_);
  forged.former_signature = council_.Card(next_, &stranger).former_signature;
  EXPECT_THAT(Receive(Announcement(forged)), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_FALSE(Council().announced.has_value());
}

TEST_F(KeyChangeTest, RefusesACardOfAnotherAgencyThanTheSender) {
  SampleAgency health("riverside-health", agency_.clock.Now());
  EXPECT_THAT(Receive(Announcement(health.Card(next_, &key_))),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(KeyChangeTest, RefusesASenderThatIsNoActivePartner) {
  const std::string content = Announcement(council_.Card(next_, &key_));
  EXPECT_FALSE(Receive(content, "riverside-health").has_value());
  Do([&](auto& t, auto& r) { return peers_->Suspend(t, r, council_id_, {by_, "looked into"}); });
  EXPECT_THAT(Receive(content), FailsWith(ErrorCode::kPermissionDenied));
}

}  // namespace
}  // namespace comity::gateway
