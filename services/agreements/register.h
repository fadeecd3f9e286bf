// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/sign/ed25519.h"
#include "policy/model/decision.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "policy/model/key_history.h"
#include "policy/model/terms.h"
#include "services/agreements/catalogue.h"
#include "services/agreements/life.h"
#include "services/audit/journal.h"
#include "services/identity/notices.h"
#include "services/runtime/clock.h"
#include "services/store/store.h"

namespace comity::agreements {

// What a Register stands on; all references must outlive it.
struct RegisterSetup {
  store::Store& store;
  audit::Journal& journal;
  identity::Notices& notices;
  policy::AgencyId own;
  const sign::SigningKey& agency_key;  // countersigns the statements of own people
  // The keys that speak for this agency and its peers, over time (identity::Peers::Keys). Called
  // where something is checked; Refresh() says that it would answer otherwise now.
  std::function<policy::KeyHistories()> keys;
  const runtime::Clock& clock;
};

// Who hands a document or statement in.
struct Source {
  std::optional<policy::AgencyId> peer;  // as the channel names it; absent: own people
  std::string by;                        // own people only: who, for the log
  std::string exchange;                  // peer only: exchange id of the message that brought it
  std::optional<Digest> request;         // peer only: digest of that signed message
};

struct Submitted {
  policy::AgreementRef agreement;
  std::string status;  // as computed after the submission, e.g. "in-force"
  bool known_already = false;
};

struct StatementView {
  Digest id;
  std::string kind;
  policy::AgencyId party;
  std::string post;
  std::string position;  // advice only
  policy::Instant at{};
  std::string barred;  // why it does not count; empty: it does
};

struct AgreementView {
  policy::AgreementRef agreement;
  std::string title;
  std::string status;
  std::vector<std::string> missing;  // what it lacks before it is in force, in words
  std::vector<policy::AgencyId> parties;
  std::vector<policy::PurposeCode> purposes;
  std::vector<policy::ReleaseItem> items;  // that some permission releases
  policy::Instant effective_from{};
  policy::Instant effective_until{};
  policy::Instant review_by{};
  bool reviewed = false;                     // both parties' DPO and a signatory have said so
  std::vector<std::string> missing_reviews;  // in words
  std::optional<policy::Instant> terminates_at;
  std::vector<StatementView> statements;
  bool against_advice = false;      // signed by all although a DPO advised against
  bool conditional_advice = false;  // signed by all although a DPO's advice has conditions
  // What the other party says it computes; absent: it was never reached.
  std::optional<PeerStatus> peer_status;
  bool status_differs = false;  // the two sides say different things
};

// Which agreements are listed; what is absent or empty matches all.
struct ListFilter {
  std::optional<policy::AgreementId> id;
  std::optional<policy::AgencyId> party;
  std::optional<policy::PurposeCode> purpose;
  std::optional<policy::ReleaseItem> item;
  std::optional<policy::Instant> review_before;  // review_by is before it
  std::string status;
};

// One version as it is handed to a peer or exported: the exact bytes.
struct AgreementFile {
  policy::AgreementRef agreement;
  std::string document;
  std::vector<std::string> statements;  // DSSE envelopes in the order they were received
  std::string status;                   // as this gateway computes it now
};

// The agreements this agency is a party of, and their status from the statements of both sides:
// proposed, advised on, signed, in force, suspended, resumed, reviewed, rejected, terminated. DPOs
// and signatories are told of each change by the notices.
//
// Threads: thread-safe.
class Register {
 public:
  static constexpr std::size_t kMaxDocument = std::size_t{256} << 10;
  static constexpr std::size_t kMaxStatement = std::size_t{16} << 10;

  // Loads everything and verifies it again.
  // Errors: kCorrupt  something stored does not verify; names the agreement. Else the store's.
  static Result<std::unique_ptr<Register>> Open(RegisterSetup setup);
  ~Register();

  // Stores a document. On return the snapshot holds it.
  //
  // In:     document  untrusted YAML bytes
  // Errors: kInvalidArgument   larger than kMaxDocument, or faulty: all faults are in the detail
  //         kPermissionDenied  own agency or the delivering peer is no party; a party is no peer
  //                            enrolled here, or its agency key is not a trusted one
  //         kConflict          a higher version, or another document of this version, is known
  //         kExhausted         as many versions are held as may be (CheckPeersVersion)
  Result<Submitted> SubmitDocument(std::string_view document, const Source& source);

  // Stores a statement. One of own people is countersigned with the agency key first; one from a
  // peer must be of that peer's own party and carry its countersignature.
  // On return the snapshot holds it: a suspension bites at the next probe.
  //
  // In:     envelope  untrusted DSSE JSON
  // Errors: kInvalidArgument   larger than kMaxStatement or not a statement
  //         kNotFound          the document is not here: submit it first
  //         kPermissionDenied  of another party than the source's
  //         kCorrupt           a signature is missing or does not verify
  //         kConflict          of own people: the version's state leaves nothing to say
  //                            (CheckTimely)
  //         kExhausted         as many are held as may be, and it stops nothing more (StopsMore)
  Result<Submitted> SubmitStatement(std::string_view envelope, const Source& source);

  // Never null. Cheap: a copy of one shared pointer under a short lock.
  std::shared_ptr<const policy::AgreementSet> Snapshot() const;

  std::vector<AgreementView> List(policy::Instant now, const ListFilter& filter = {}) const;
  // In: version  0: the highest. Errors: kNotFound
  Result<AgreementFile> Get(const policy::AgreementId& id, std::uint32_t version) const;
  // Everything that concerns `peer`, documents in ascending version; of the statements, those of
  // own people (a peer accepts no others). What the peer has already, it answers with
  // known_already.
  std::vector<AgreementFile> PendingFor(const policy::AgencyId& peer) const;

  // The peer says that it computes this status of the version. Unknown versions are ignored.
  // Nothing is decided under the version while the word says that it is stopped
  // (policy::StopsSharing), or is no status.
  //
  // In: status  untrusted, from an authenticated message
  Status LearnPeerStatus(const policy::AgencyId& peer, const policy::AgreementRef& agreement,
                         std::string_view status);
  // The status that the peer last said; empty: none.
  std::string PeerSays(const policy::AgencyId& peer, const policy::AgreementRef& agreement) const;
  // Whether the peer does not say of the version what this gateway computes: it is asked again.
  bool DiffersFrom(const policy::AgencyId& peer, const policy::AgreementRef& agreement) const;

  // The agreements that have ended by `now`, also those that ended long ago: whoever deletes what
  // was got under them does so for each once, and asks again after a restart.
  std::vector<EndedVersion> Ended(policy::Instant now) const;

  // Reminds of reviews, says what has ended or is overdue, and of which agreements the two sides
  // have said different things for kSettleTime; each once. Some times a minute.
  Status Housekeep();
  static constexpr std::chrono::seconds kSettleTime{10};

  // Everything is read and verified again: the keys of a peer were replaced, or it was removed.
  // Errors: as Open; then what was known before stands
  Status Refresh();

 private:
  class State;
  explicit Register(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace comity::agreements
