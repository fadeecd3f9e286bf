// SPDX-License-Identifier: Apache-2.0
#include "services/store/peer_store.h"

#include "tests/conformance/store_conformance.h"

namespace comity::store {
namespace {

using policy::AgencyId;
using testing::IsOk;

auto Put(std::string_view agency, PeerState state, std::string vouched) {
  const PeerRecord peer{MakeId<AgencyId>(agency), state, std::move(vouched), At(7)};
  return [=](Transaction& t) { return t.peers().Put(peer); };
}
auto All(const Transaction& t) {
  return t.peers().All();
}
auto Contacts(const Transaction& t) {
  return t.peers().Contacts();
}

PeerContactRecord Contact(std::string_view agency) {
  PeerContactRecord contact;
  contact.agency = MakeId<AgencyId>(agency);
  contact.last_seen = At(5);
  contact.away_since = At(6);
  contact.planned = true;
  contact.state_there = "active";
  contact.keys_there = {"0011223344556677", "8899aabbccddeeff"};
  contact.protocol = 1;
  contact.software = "comityd/0.2";
  contact.capabilities = {"direct", "sealed"};
  return contact;
}

TEST_P(PeerStoreConformance, GivesBackEveryField) {
  const std::string octets("{\"payload\":\"\0\xff\"}", 16);
  ASSERT_THAT(Write(Put("eastvale-council", PeerState::kSuspended, octets)), IsOk());
  Reopen();
  const auto all = Get(All).value();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].agency.text(), "eastvale-council");
  EXPECT_EQ(all[0].state, PeerState::kSuspended);
  EXPECT_EQ(all[0].vouched, octets);
  EXPECT_EQ(all[0].changed_at, At(7));
}

TEST_P(PeerStoreConformance, ReplacesTheRecordOfOneAgencyAndNoOther) {
  ASSERT_THAT(Write(Put("eastvale-council", PeerState::kActive, "one")), IsOk());
  ASSERT_THAT(Write(Put("riverside-health", PeerState::kActive, "two")), IsOk());
  ASSERT_THAT(Write(Put("eastvale-council", PeerState::kRemoved, "three")), IsOk());
  const auto all = Get(All).value();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].vouched, "three");
  EXPECT_EQ(all[0].state, PeerState::kRemoved);
  EXPECT_EQ(all[1].vouched, "two");
}

TEST_P(PeerStoreConformance, GivesRecordsByAgency) {
  for (const char* agency : {"westmoor", "ashford", "kingsmead"}) {
    ASSERT_THAT(Write(Put(agency, PeerState::kActive, agency)), IsOk());
  }
  const auto all = Get(All).value();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].agency.text(), "ashford");
  EXPECT_EQ(all[2].agency.text(), "westmoor");
}

TEST_P(PeerStoreConformance, GivesBackEveryFieldOfAContact) {
  const PeerContactRecord contact = Contact("eastvale-council");
  ASSERT_THAT(Write([&](Transaction& t) { return t.peers().PutContact(contact); }), IsOk());
  Reopen();
  const auto all = Get(Contacts).value();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].agency, contact.agency);
  EXPECT_EQ(all[0].last_seen, contact.last_seen);
  EXPECT_EQ(all[0].away_since, contact.away_since);
  EXPECT_TRUE(all[0].planned);
  EXPECT_EQ(all[0].state_there, "active");
  EXPECT_EQ(all[0].keys_there, contact.keys_there);
  EXPECT_EQ(all[0].protocol, 1U);
  EXPECT_EQ(all[0].software, "comityd/0.2");
  EXPECT_EQ(all[0].capabilities, contact.capabilities);
}

TEST_P(PeerStoreConformance, AContactMayLackEverything) {
  PeerContactRecord contact;
  contact.agency = MakeId<AgencyId>("eastvale-council");
  const auto put = [&](Transaction& t) { return t.peers().PutContact(contact); };
  PeerContactRecord full = Contact("eastvale-council");
  ASSERT_THAT(Write([&](Transaction& t) { return t.peers().PutContact(full); }), IsOk());
  ASSERT_THAT(Write(put), IsOk());
  const auto all = Get(Contacts).value();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_FALSE(all[0].last_seen);
  EXPECT_FALSE(all[0].away_since);
  EXPECT_FALSE(all[0].planned);
  EXPECT_TRUE(all[0].keys_there.empty());
  EXPECT_TRUE(all[0].capabilities.empty());
}

}  // namespace
}  // namespace comity::store
