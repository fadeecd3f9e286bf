// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "crypto/base/result.h"
#include "policy/agreement/statement.h"
#include "policy/decide/agreement_set.h"
#include "policy/model/agreement.h"
#include "policy/model/decision.h"
#include "policy/model/instant.h"

namespace comity::agreements {

struct HeldStatement {
  policy::VerifiedStatement verified;
  std::string envelope;  // DSSE JSON, countersigned
  // Why it does not count: its agency's key was found to be in other hands when it came. Empty: it
  // counts.
  std::string barred;
};

// One version with its exact bytes.
struct HeldVersion {
  policy::Agreement agreement;
  policy::AgreementRef ref;
  std::string document;
  std::vector<HeldStatement> statements;  // in the order they were received
  // Why this version cannot be trusted at present (its keys are not trusted ones); empty: it can.
  std::string barred;

  const HeldStatement* Find(const Digest& statement) const;
};

// What the other party last said of a version's status, and when.
struct PeerStatus {
  policy::AgencyId peer;
  std::string status;  // a name of policy::AgreementStatus, or another word of the peer's
  policy::Instant at{};
};
using PeerStatuses = std::map<policy::AgreementRef, PeerStatus>;

// All versions a gateway holds. A value that is cheap to copy: versions are shared.
//
// Threads: thread-compatible.
class Catalogue {
 public:
  using Key = std::pair<policy::AgreementId, std::uint32_t>;
  using Versions = std::map<Key, std::shared_ptr<const HeldVersion>>;

  const Versions& versions() const { return versions_; }
  // In: version  0: the highest. Null: unknown.
  std::shared_ptr<const HeldVersion> Find(const policy::AgreementId& id,
                                          std::uint32_t version) const;
  void Put(HeldVersion version);

  // What decisions are made by: every version that is neither barred nor below a barred version of
  // the same agreement (it may have been superseded by that one).
  Result<policy::AgreementSet> BuildSet(const PeerStatuses& peers) const;
  // The same if `set` was made of what differs in nothing but agreement `id`: the others are
  // shared with it.
  Result<policy::AgreementSet> Rebuild(const policy::AgreementSet& set,
                                       const policy::AgreementId& id,
                                       const PeerStatuses& peers) const;

 private:
  Versions versions_;
};

}  // namespace comity::agreements
