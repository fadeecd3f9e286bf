// SPDX-License-Identifier: Apache-2.0
#include "services/store/sql/peer_store.h"

#include <optional>
#include <sstream>
#include <string>
#include <utility>

#include "services/store/sql/guarded_call.h"
#include "services/store/sql/row.h"

namespace comity::store {
namespace {

std::string Join(const std::vector<std::string>& words) {
  std::string joined;
  for (const std::string& word : words) joined += (joined.empty() ? "" : " ") + word;
  return joined;
}

std::vector<std::string> Split(const std::string& joined) {
  std::vector<std::string> words;
  std::istringstream stream(joined);
  for (std::string word; stream >> word;) words.push_back(std::move(word));
  return words;
}

policy::Instant OrZero(const std::optional<policy::Instant>& instant) {
  return instant.value_or(policy::Instant{});
}

std::optional<policy::Instant> ReadOptionalTime(const Query& row, int column) {
  const policy::Instant instant = row.Time(column);
  if (instant == policy::Instant{}) return std::nullopt;
  return instant;
}

Result<PeerRecord> ReadPeer(const Query& row) {
  PeerRecord peer;
  COMITY_ASSIGN_OR_RETURN(peer.agency, ReadId<policy::AgencyId>(row, 0));
  COMITY_ASSIGN_OR_RETURN(peer.state,
                          ReadEnum<PeerState>(row, 1,
                                              {PeerState::kActive, PeerState::kSuspended,
                                               PeerState::kRemoved, PeerState::kSelf}));
  peer.vouched = ReadOctets(row, 2);
  peer.changed_at = row.Time(3);
  return peer;
}

Result<PeerContactRecord> ReadContact(const Query& row) {
  PeerContactRecord contact;
  COMITY_ASSIGN_OR_RETURN(contact.agency, ReadId<policy::AgencyId>(row, 0));
  contact.last_seen = ReadOptionalTime(row, 1);
  contact.away_since = ReadOptionalTime(row, 2);
  contact.planned = row.Integer(3) != 0;
  contact.state_there = row.Text(4);
  contact.keys_there = Split(row.Text(5));
  COMITY_ASSIGN_OR_RETURN(contact.protocol, ReadUint32(row, 6));
  contact.software = row.Text(7);
  contact.capabilities = Split(row.Text(8));
  return contact;
}

}  // namespace

Status SqlPeerStore::Put(const PeerRecord& peer) {
  return GuardedStep(connection_, "store the partner", [&]() -> Status {
    Query(connection_,
          "INSERT INTO peer (agency, state, vouched, changed_at) VALUES (?, ?, ?, ?)"
          " ON CONFLICT (agency) DO UPDATE SET state = excluded.state, vouched = excluded.vouched,"
          " changed_at = excluded.changed_at",
          peer.agency.text(), static_cast<std::int64_t>(peer.state), AsBytes(peer.vouched),
          peer.changed_at)
        .Run();
    return {};
  });
}

Result<std::vector<PeerRecord>> SqlPeerStore::All() const {
  using Peers = std::vector<PeerRecord>;
  return GuardedStep(connection_, "read the partners", [&]() -> Result<Peers> {
    Peers peers;
    Query row(connection_, "SELECT agency, state, vouched, changed_at FROM peer ORDER BY agency");
    while (row.Next()) {
      COMITY_ASSIGN_OR_RETURN(auto peer, ReadPeer(row));
      peers.push_back(std::move(peer));
    }
    return peers;
  });
}

Status SqlPeerStore::PutContact(const PeerContactRecord& contact) {
  return GuardedStep(connection_, "store the contact", [&]() -> Status {
    Query(connection_,
          "INSERT INTO peer_contact (agency, last_seen, away_since, planned, state_there,"
          " keys_there, protocol, software, capabilities) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
          " ON CONFLICT (agency) DO UPDATE SET last_seen = excluded.last_seen,"
          " away_since = excluded.away_since, planned = excluded.planned,"
          " state_there = excluded.state_there, keys_there = excluded.keys_there,"
          " protocol = excluded.protocol, software = excluded.software,"
          " capabilities = excluded.capabilities",
          contact.agency.text(), OrZero(contact.last_seen), OrZero(contact.away_since),
          std::int64_t{contact.planned}, contact.state_there, Join(contact.keys_there),
          contact.protocol, contact.software, Join(contact.capabilities))
        .Run();
    return {};
  });
}

Result<std::vector<PeerContactRecord>> SqlPeerStore::Contacts() const {
  using Contacts = std::vector<PeerContactRecord>;
  return GuardedStep(connection_, "read the contacts", [&]() -> Result<Contacts> {
    Contacts contacts;
    Query row(connection_,
              "SELECT agency, last_seen, away_since, planned, state_there, keys_there, protocol,"
              " software, capabilities FROM peer_contact ORDER BY agency");
    while (row.Next()) {
      COMITY_ASSIGN_OR_RETURN(auto contact, ReadContact(row));
      contacts.push_back(std::move(contact));
    }
    return contacts;
  });
}

}  // namespace comity::store
