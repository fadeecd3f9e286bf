// SPDX-License-Identifier: Apache-2.0
#include "services/identity/peers.h"

#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "services/audit/events.h"
#include "services/identity/peer_record.h"
#include "services/runtime/guarded.h"

namespace comity::identity {
namespace {

using BookPtr = std::shared_ptr<const PeerBook>;

audit::Event EventAbout(std::string_view type, const policy::AgencyId& own, const Peer& peer) {
  audit::Event event;
  event.type = type;
  event.time = peer.changed_at;
  event.parties = {own};
  if (peer.terms.agency != own) event.parties.push_back(peer.terms.agency);
  return event;
}

// Public keys name nobody; the log keeps them all the same like everything that was decided.
void CommitTerms(audit::Event& event, const PeerTerms& terms) {
  event.committed["name"] = terms.name;
  event.committed["address"] = terms.address;
  event.committed["signing_key"] = sign::EncodePublicKey(terms.signing_key);
  event.committed["log_key"] = sign::EncodePublicKey(terms.log_key);
  event.committed["anchor"] = terms.anchor_pem;
  event.messages.emplace("card", terms.fingerprint);
}

void CommitRekeying(audit::Event& event, const Rekeying& how) {
  if (how.compromised_since) {
    event.committed["compromised_since"] = policy::EncodeInstant(*how.compromised_since);
  }
  event.counts["overlap_seconds"] = how.overlap.count();
}

}  // namespace

struct Peers::State {
  explicit State(Setup given) : setup(std::move(given)) {
    keys.push_back(setup.agency_key.public_key());
    keys.insert(keys.end(), setup.former_keys.begin(), setup.former_keys.end());
  }

  Result<PeerBook> ReadAll(const store::Transaction& transaction) const {
    COMITY_ASSIGN_OR_RETURN(const auto records, transaction.peers().All());
    PeerBook book;
    for (const store::PeerRecord& record : records) {
      COMITY_ASSIGN_OR_RETURN(ReadPeer read, ReadVouchedPeer(record, setup.self.agency, keys));
      book.emplace(record.agency, std::move(read.peer));
    }
    return book;
  }
  Status Put(store::Transaction& transaction, const Peer& peer) const {
    COMITY_ASSIGN_OR_RETURN(const store::PeerRecord record,
                            VouchPeer(peer, setup.self.agency, setup.agency_key));
    return transaction.peers().Put(record);
  }
  // What `change` makes of the book that the unit of work sees, stored and recorded.
  template <typename Change>
  Status Apply(store::Transaction& transaction, audit::Recorder& recorder, audit::Event event,
               Change change) const {
    COMITY_ASSIGN_OR_RETURN(const PeerBook book, ReadAll(transaction));
    COMITY_ASSIGN_OR_RETURN(const Peer peer, change(book));
    COMITY_RETURN_IF_ERROR(Put(transaction, peer));
    audit::Event about = EventAbout(event.type, setup.self.agency, peer);
    about.committed = std::move(event.committed);
    about.messages = std::move(event.messages);
    about.counts = std::move(event.counts);
    COMITY_RETURN_IF_ERROR(recorder.Record(about));
    return {};
  }
  // The own record, and all that former keys vouched for under the present one.
  Status Settle(store::Transaction& transaction, audit::Recorder& recorder) const;
  BookPtr Now() const {
    return published.With([](const BookPtr& now) { return now; });
  }

  Setup setup;
  std::vector<sign::PublicKey> keys;  // that may vouch, the present one first
  std::mutex refresh;  // one at a time, so that an older reading never replaces a newer one
  runtime::Guarded<BookPtr> published{std::make_shared<const PeerBook>()};
  std::vector<std::function<void()>> listeners;
};

Status Peers::State::Settle(store::Transaction& transaction, audit::Recorder& recorder) const {
  const policy::AgencyId& own = setup.self.agency;
  const policy::Instant now = setup.clock.Now();
  COMITY_ASSIGN_OR_RETURN(const auto records, transaction.peers().All());
  bool known = false;
  for (const store::PeerRecord& record : records) {
    COMITY_ASSIGN_OR_RETURN(const ReadPeer read, ReadVouchedPeer(record, own, keys));
    Peer peer = read.peer;
    if (record.agency == own) {
      known = true;
      COMITY_ASSIGN_OR_RETURN(peer, OwnWorkingWith(read.peer, setup.self, now));
    }
    if (!read.anew && peer == read.peer) continue;
    COMITY_RETURN_IF_ERROR(Put(transaction, peer));
    if (record.agency != own) continue;
    audit::Event event = EventAbout(audit::kOwnKeyUsed, own, peer);
    event.committed["signing_key"] = sign::EncodePublicKey(setup.self.signing_key);
    COMITY_RETURN_IF_ERROR(recorder.Record(event));
  }
  if (known) return {};
  Peer self;
  self.terms = setup.self;
  self.state = PeerState::kSelf;
  self.enrolled_at = now;
  self.changed_at = now;
  self.keys = {{self.terms.signing_key, self.terms.log_key, self.terms.anchor_pem, {}, {}, {}}};
  COMITY_RETURN_IF_ERROR(Put(transaction, self));
  audit::Event event = EventAbout(audit::kOwnKeyUsed, own, self);
  event.committed["signing_key"] = sign::EncodePublicKey(setup.self.signing_key);
  COMITY_RETURN_IF_ERROR(recorder.Record(event));
  return {};
}

Peers::Peers(std::unique_ptr<State> state) : state_(std::move(state)) {}
Peers::~Peers() = default;

Result<std::unique_ptr<Peers>> Peers::Open(Setup setup) {
  std::unique_ptr<Peers> peers(new Peers(std::make_unique<State>(std::move(setup))));
  COMITY_RETURN_IF_ERROR(peers->state_->setup.journal.Commit(
      [&](store::Transaction& transaction, audit::Recorder& recorder) {
        return peers->state_->Settle(transaction, recorder);
      }));
  COMITY_RETURN_IF_ERROR(peers->Refresh());
  return peers;
}

Status Peers::ForgetFormerKeys() {
  if (state_->setup.former_keys.empty()) return {};
  COMITY_RETURN_IF_ERROR(state_->setup.journal.Commit(
      [&](store::Transaction& transaction, audit::Recorder& /*recorder*/) -> Status {
        COMITY_ASSIGN_OR_RETURN(PeerBook book, state_->ReadAll(transaction));
        Peer& self = book.at(state_->setup.self.agency);
        self.announced.reset();
        return state_->Put(transaction, self);
      }));
  return Refresh();
}

Result<Peer> Peers::Find(const policy::AgencyId& agency) const {
  const BookPtr book = state_->Now();
  const auto known = book->find(agency);
  if (known != book->end() && known->second.state != PeerState::kSelf) return known->second;
  return Fail(ErrorCode::kNotFound, agency.text() + " is not enrolled here");
}

std::vector<Peer> Peers::List() const {
  std::vector<Peer> list;
  const BookPtr book = state_->Now();
  for (const auto& [agency, peer] : *book) {
    if (peer.state != PeerState::kSelf) list.push_back(peer);
  }
  return list;
}

Peer Peers::Self() const {
  const BookPtr book = state_->Now();
  const auto self = book->find(state_->setup.self.agency);
  return self == book->end() ? Peer{} : self->second;  // absent after a failed Refresh()
}

std::shared_ptr<const PeerBook> Peers::Book() const {
  return state_->Now();
}

policy::KeyHistories Peers::Keys() const {
  policy::KeyHistories histories;
  const BookPtr book = state_->Now();
  for (const auto& [agency, peer] : *book) histories.emplace(agency, peer.History());
  return histories;
}

Result<std::vector<sign::PublicKey>> Peers::SpeakingKeys(const policy::AgencyId& agency,
                                                         bool even_suspended) const {
  const BookPtr book = state_->Now();
  const auto known = book->find(agency);
  const bool enrolled = known != book->end() && known->second.state != PeerState::kSelf;
  if (enrolled && !even_suspended && known->second.state == PeerState::kSuspended) {
    return Fail(ErrorCode::kPermissionDenied, agency.text() + " is suspended here");
  }
  auto keys = enrolled ? known->second.SigningKeysAt(state_->setup.clock.Now())
                       : std::vector<sign::PublicKey>();
  if (!keys.empty()) return keys;
  return Fail(ErrorCode::kUnauthenticated, agency.text() + " is not enrolled here");
}

Status Peers::Enrol(store::Transaction& transaction, audit::Recorder& recorder,
                    const PeerTerms& terms, const policy::PersonId& by) const {
  audit::Event event;
  event.type = audit::kPeerEnrolled;
  event.committed["operator"] = by.text();
  CommitTerms(event, terms);
  return state_->Apply(transaction, recorder, std::move(event), [&](const PeerBook& book) {
    return Enrolled(book, terms, state_->setup.clock.Now());
  });
}

Status Peers::Rekey(store::Transaction& transaction, audit::Recorder& recorder,
                    const PeerTerms& terms, const Rekeying& how, const policy::PersonId& by) const {
  audit::Event event;
  event.type = audit::kPeerRekeyed;
  event.committed["operator"] = by.text();
  CommitTerms(event, terms);
  CommitRekeying(event, how);
  return state_->Apply(transaction, recorder, std::move(event), [&](const PeerBook& book) {
    return Rekeyed(book, terms, how, state_->setup.clock.Now());
  });
}

Status Peers::RekeyOwn(store::Transaction& transaction, audit::Recorder& recorder,
                       const PeerTerms& terms, const Rekeying& how, std::string_view card,
                       const policy::PersonId& by) const {
  audit::Event event;
  event.type = audit::kOwnKeyAnnounced;
  event.committed["operator"] = by.text();
  CommitTerms(event, terms);
  CommitRekeying(event, how);
  return state_->Apply(transaction, recorder, std::move(event), [&](const PeerBook& book) {
    return OwnRekeyed(book, terms, how, card, state_->setup.clock.Now());
  });
}

Status Peers::Suspend(store::Transaction& transaction, audit::Recorder& recorder,
                      const policy::AgencyId& agency, const Why& why) const {
  audit::Event event;
  event.type = audit::kPeerSuspended;
  event.committed = {{"operator", why.by.text()}, {"reason", why.reason}};
  return state_->Apply(transaction, recorder, std::move(event), [&](const PeerBook& book) {
    return Suspended(book, agency, why.reason, state_->setup.clock.Now());
  });
}

Status Peers::Resume(store::Transaction& transaction, audit::Recorder& recorder,
                     const Suspension& suspension, const Why& why) const {
  audit::Event event;
  event.type = audit::kPeerResumed;
  event.committed = {{"operator", why.by.text()}, {"reason", why.reason}};
  return state_->Apply(transaction, recorder, std::move(event), [&](const PeerBook& book) {
    return Resumed(book, suspension, state_->setup.clock.Now());
  });
}

Status Peers::Remove(store::Transaction& transaction, audit::Recorder& recorder,
                     const policy::AgencyId& agency, const Why& why) const {
  audit::Event event;
  event.type = audit::kPeerRemoved;
  event.committed = {{"operator", why.by.text()}, {"reason", why.reason}};
  return state_->Apply(transaction, recorder, std::move(event), [&](const PeerBook& book) {
    return Removed(book, agency, why.reason, state_->setup.clock.Now());
  });
}

Status Peers::Announce(store::Transaction& transaction, audit::Recorder& recorder,
                       const policy::AgencyId& agency, const PeerAnnouncement& announcement) const {
  audit::Event event;
  event.type = audit::kPeerKeysAnnounced;
  event.messages.emplace("card", announcement.fingerprint);
  if (announcement.compromised_since) {
    event.committed["compromised_since"] = policy::EncodeInstant(*announcement.compromised_since);
  }
  return state_->Apply(transaction, recorder, std::move(event),
                       [&](const PeerBook& book) { return Announced(book, agency, announcement); });
}

bool Peers::IsReadable() const {
  return state_->Now()->contains(state_->setup.self.agency);
}

void Peers::OnChange(std::function<void()> listener) {
  state_->listeners.push_back(std::move(listener));
}

Status Peers::Refresh() {
  const std::lock_guard only(state_->refresh);
  PeerBook book;
  const Status read =
      state_->setup.store.Read([&](const store::Transaction& transaction) -> Status {
        COMITY_ASSIGN_OR_RETURN(book, state_->ReadAll(transaction));
        return {};
      });
  if (!read) book.clear();  // nobody is a partner until it can be read again
  auto next = std::make_shared<const PeerBook>(std::move(book));
  state_->published.With([&](BookPtr& now) { now = std::move(next); });
  for (const auto& listener : state_->listeners) listener();
  return read;
}

}  // namespace comity::identity
