// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/result.h"
#include "crypto/sign/ed25519.h"
#include "policy/model/ids.h"
#include "policy/model/key_history.h"
#include "services/audit/journal.h"
#include "services/identity/peer.h"
#include "services/identity/peer_rules.h"
#include "services/runtime/clock.h"
#include "services/store/store.h"

namespace comity::identity {

// The agency's partners and their keys over time, and its own. The agency key vouches for every
// record.
//
// Threads: thread-safe.
class Peers {
 public:
  struct Setup {
    const store::Store& store;
    audit::Journal& journal;
    PeerTerms self;  // of this agency: id, name, SPIFFE id, address and the keys it works with
    const sign::SigningKey& agency_key;
    // Keys of this agency that the present one succeeds: records they vouch for are read, and
    // vouched for again with the present one.
    std::vector<sign::PublicKey> former_keys;
    const runtime::Clock& clock;
  };
  // References must outlive the object. At the first start the own key is recorded.
  // Errors: kCorrupt  a record is not vouched for by the agency key; names the agency
  //         kPermissionDenied  the agency key is not the one recorded, nor one that was announced
  static Result<std::unique_ptr<Peers>> Open(Setup setup);
  ~Peers();

  // All that former keys vouched for is vouched for anew, elsewhere too: they count no more from
  // the next start on.
  Status ForgetFormerKeys();

  // Removed ones are found too. Errors: kNotFound  never enrolled
  Result<Peer> Find(const policy::AgencyId& agency) const;
  // By agency; removed ones too, this agency not.
  std::vector<Peer> List() const;
  Peer Self() const;
  std::shared_ptr<const PeerBook> Book() const;  // never null
  policy::KeyHistories Keys() const;
  // The keys by which `agency` may speak now, the newest first; never empty.
  // In:     even_suspended  also of a suspended partner: what answers Hello
  // Errors: kUnauthenticated   not enrolled, or removed
  //         kPermissionDenied  suspended
  Result<std::vector<sign::PublicKey>> SpeakingKeys(const policy::AgencyId& agency,
                                                    bool even_suspended = false) const;

  struct Why {
    policy::PersonId by;
    std::string reason;
  };
  // Each within a unit of work: judges by what the store holds in it, puts and records. Everybody
  // sees it once Refresh() was called after the commit. Errors: those of peer_rules.h
  Status Enrol(store::Transaction& transaction, audit::Recorder& recorder, const PeerTerms& terms,
               const policy::PersonId& by) const;
  Status Rekey(store::Transaction& transaction, audit::Recorder& recorder, const PeerTerms& terms,
               const Rekeying& how, const policy::PersonId& by) const;
  // In: card  TOML: the own agency's with its next key
  Status RekeyOwn(store::Transaction& transaction, audit::Recorder& recorder,
                  const PeerTerms& terms, const Rekeying& how, std::string_view card,
                  const policy::PersonId& by) const;
  Status Suspend(store::Transaction& transaction, audit::Recorder& recorder,
                 const policy::AgencyId& agency, const Why& why) const;
  Status Resume(store::Transaction& transaction, audit::Recorder& recorder,
                const Suspension& suspension, const Why& why) const;
  Status Remove(store::Transaction& transaction, audit::Recorder& recorder,
                const policy::AgencyId& agency, const Why& why) const;
  Status Announce(store::Transaction& transaction, audit::Recorder& recorder,
                  const policy::AgencyId& agency, const PeerAnnouncement& announcement) const;

  // `listener` is called after each Refresh(), by its caller, one at a time. Set before the first
  // act.
  void OnChange(std::function<void()> listener);
  // Reads all again. If it cannot be read, nobody is a partner until it can.
  Status Refresh();
  // False after a Refresh() that failed.
  bool IsReadable() const;

 private:
  struct State;
  explicit Peers(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace comity::identity
