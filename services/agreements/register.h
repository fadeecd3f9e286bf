// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
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
#include "services/audit/journal.h"
#include "services/runtime/clock.h"
#include "services/store/store.h"

namespace comity::policy {
class AgreementSet;
}

namespace comity::agreements {

// What a Register stands on; all references must outlive it.
struct RegisterSetup {
  store::Store& store;
  audit::Journal& journal;
  policy::AgencyId own;
  const sign::SigningKey& agency_key;                 // countersigns the statements of own people
  std::map<policy::AgencyId, sign::PublicKey> peers;  // pinned agency keys
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
};

struct AgreementView {
  policy::AgreementRef agreement;
  std::string title;
  std::string status;
  std::vector<std::string> missing;  // what it lacks before it is in force, in words
  std::vector<policy::AgencyId> parties;
  policy::Instant effective_from{};
  policy::Instant effective_until{};
  std::vector<StatementView> statements;
  bool against_advice = false;  // in force although a DPO advised against
};

// One version as it is handed to a peer or exported: the exact bytes.
struct AgreementFile {
  policy::AgreementRef agreement;
  std::string document;
  std::vector<std::string> statements;  // DSSE envelopes in the order they were received
};

// The agreements this agency is a party of, and their status from the statements of both sides.
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
  //         kPermissionDenied  own agency or the delivering peer is no party; a party is no pinned
  //                            peer; a party's agency key is not the pinned (or own) key
  //         kConflict          a higher version, or another document of this version, is known
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
  Result<Submitted> SubmitStatement(std::string_view envelope, const Source& source);

  // Never null. Cheap: a copy of one shared pointer under a short lock.
  std::shared_ptr<const policy::AgreementSet> Snapshot() const;

  std::vector<AgreementView> List(policy::Instant now) const;
  // In: version  0: the highest. Errors: kNotFound
  Result<AgreementFile> Get(const policy::AgreementId& id, std::uint32_t version) const;
  // Everything that concerns `peer`, documents in ascending version; of the statements, those of
  // own people (a peer accepts no others). What the peer has already, it answers with
  // known_already.
  std::vector<AgreementFile> PendingFor(const policy::AgencyId& peer) const;

 private:
  struct State;
  explicit Register(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace comity::agreements
