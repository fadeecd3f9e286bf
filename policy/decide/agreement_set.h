// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "crypto/base/result.h"
#include "policy/agreement/status.h"
#include "policy/model/agreement.h"
#include "policy/model/decision.h"

namespace comity::policy {

// The status that the other party last said it computes; nothing: a word that is no status here.
struct PeerWord {
  std::optional<AgreementStatus> status;
};

// One version with what its statements say, worked out once so that a decision is cheap.
struct AgreementVersion {
  Agreement agreement;
  AgreementRef ref;
  StatementState state;  // with the suspensions of lower versions that hold for this one, too
  // The parties have agreed to it: `state.complete`, or it was before statements were barred. It is
  // never passed over for a lower version again, whatever is said of it afterwards.
  bool agreed = false;
  std::vector<AttachmentKind> missing_attachments;  // demanded by a purpose's regime, not attached
  std::optional<PeerWord> peer_word;                // AgreementInput's
};

// What a set is built from: a document that LoadAgreement accepted and its statements.
struct AgreementInput {
  Agreement agreement;
  std::vector<VerifiedStatement> statements;
  std::optional<PeerWord> peer_word{};  // absent: the other party has said nothing
  // Statements that count no more because the key that vouched for them was in other hands. They
  // bring nothing into force, but no lower version either.
  std::vector<VerifiedStatement> barred_statements{};
  // The document itself is not trusted: nothing is decided by it, nor by a lower version, which it
  // may have superseded. What is suspended in it holds for the higher ones all the same.
  bool barred = false;
};

// Every agreement a gateway knows, as of one moment. Held as shared_ptr<const AgreementSet> and
// replaced as a whole when a document or statement arrives; a copy shares its versions.
//
// Threads: immutable.
class AgreementSet {
 public:
  AgreementSet() = default;  // knows none: everything is denied
  // An open suspension of a version holds for every higher one, too (OpenSuspension says until
  // when).
  // Errors: kConflict  two documents with one id and version differ
  static Result<AgreementSet> Build(std::vector<AgreementInput> inputs);
  // This set with all versions of one agreement replaced.
  // In:     versions  of `id`
  // Errors: as Build
  Result<AgreementSet> With(const AgreementId& id, std::vector<AgreementInput> versions) const;

  // The version that decides at `now`: the highest one agreed whose effective_from has come; if
  // none has come, the lowest one agreed; if none is agreed, the highest. Null: id unknown.
  const AgreementVersion* FindCurrent(const AgreementId& id, Instant now) const;
  const AgreementVersion* FindVersion(const AgreementId& id, std::uint32_t version) const;
  // All versions of one agreement, lowest first; empty: id unknown.
  std::span<const AgreementVersion> Versions(const AgreementId& id) const;
  // Ids of the agreements with a permission for `requester` to search `holder`, ordered.
  std::span<const AgreementId> FindBetween(const AgencyId& requester, const AgencyId& holder) const;
  // Of every agreement, ordered.
  std::span<const AgreementId> ids() const { return ids_; }

  // As StatusAt, and kSuperseded for a version below the current one.
  AgreementStatus StatusOf(const AgreementVersion& version, Instant now) const;

 private:
  using Group = std::vector<AgreementVersion>;  // of one agreement, lowest first
  static Result<Group> MakeGroup(std::vector<AgreementInput> inputs);
  void Put(const AgreementId& id, Group group);
  // Calls visit(ids) for each pair of agencies with a permission in this agreement; pairs repeat.
  template <typename Visit>
  void ForEachPair(const AgreementId& id, Visit visit);

  std::unordered_map<AgreementId, std::shared_ptr<const Group>> by_id_;
  std::vector<AgreementId> ids_;
  std::unordered_map<AgencyId, std::unordered_map<AgencyId, std::vector<AgreementId>>> by_pair_;
};

}  // namespace comity::policy
