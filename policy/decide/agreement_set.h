// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "crypto/base/result.h"
#include "policy/agreement/status.h"
#include "policy/model/agreement.h"
#include "policy/model/decision.h"

namespace comity::policy {

// One version with what its statements say, worked out once so that a decision is cheap.
struct AgreementVersion {
  Agreement agreement;
  AgreementRef ref;
  StatementState state;
  std::vector<AttachmentKind> missing_attachments;  // demanded by a purpose's regime, not attached
};

// What a set is built from: a document that LoadAgreement accepted and its statements.
struct AgreementInput {
  Agreement agreement;
  std::vector<VerifiedStatement> statements;
};

// Every agreement a gateway knows, as of one moment. Held as shared_ptr<const AgreementSet> and
// replaced as a whole when a document or statement arrives.
//
// Threads: immutable.
class AgreementSet {
 public:
  AgreementSet() = default;  // knows none: everything is denied
  // An open suspension of a version holds for every higher one, too, until it is lifted.
  // Errors: kConflict  two documents with one id and version differ
  static Result<AgreementSet> Build(std::vector<AgreementInput> inputs);

  // The version that decides at `now`: the highest complete one whose effective_from has come; if
  // none has come, the lowest complete one; if none is complete, the highest. Null: id unknown.
  const AgreementVersion* FindCurrent(const AgreementId& id, Instant now) const;
  const AgreementVersion* FindVersion(const AgreementId& id, std::uint32_t version) const;
  // All versions of one agreement, lowest first; empty: id unknown.
  std::span<const AgreementVersion> Versions(const AgreementId& id) const;
  // Ids of the agreements with a permission for `requester` to search `holder`, ordered.
  std::span<const AgreementId> FindBetween(const AgencyId& requester, const AgencyId& holder) const;
  // Ordered by id, then version.
  std::span<const AgreementVersion> all() const { return versions_; }

  // As StatusAt, and kSuperseded for a version below the current one.
  AgreementStatus StatusOf(const AgreementVersion& version, Instant now) const;

 private:
  struct Range {
    std::size_t begin = 0;
    std::size_t end = 0;
  };
  void Index();

  std::vector<AgreementVersion> versions_;
  std::unordered_map<AgreementId, Range> by_id_;
  std::unordered_map<AgencyId, std::unordered_map<AgencyId, std::vector<AgreementId>>> by_pair_;
};

}  // namespace comity::policy
