// SPDX-License-Identifier: Apache-2.0
#include "policy/agreement/statement.h"

#include <algorithm>
#include <utility>

#include "crypto/base/quote.h"

namespace comity::policy {
namespace {

// The person who holds a post: the DPO or a signatory.
struct PostHolder {
  const KeyText* key = nullptr;
  bool is_dpo = false;
};

std::optional<PostHolder> FindPost(const Party& party, const std::string& post) {
  if (party.dpo.post == post) return PostHolder{&party.dpo.key, true};
  const auto found =
      std::find_if(party.signatories.begin(), party.signatories.end(),
                   [&](const Signatory& signatory) { return signatory.post == post; });
  if (found == party.signatories.end()) return std::nullopt;
  return PostHolder{&found->key, false};
}

bool MayState(const PostHolder& holder, StatementKind kind) {
  switch (kind) {
    case StatementKind::kAdvice:
      return holder.is_dpo;
    case StatementKind::kSignature:
    case StatementKind::kResumption:
    case StatementKind::kTermination:
      return !holder.is_dpo;
    case StatementKind::kSuspension:
      return true;
  }
  return false;
}

// The key that must have signed, if the document lets `statement`'s post say it.
Result<KeyText> FindKey(const Party& party, const Statement& statement) {
  if (statement.post == kGatewayPost && statement.kind == StatementKind::kSuspension) {
    return party.agency_key;
  }
  const auto holder = FindPost(party, statement.post);
  if (!holder) {
    return Fail(
        ErrorCode::kPermissionDenied,
        "the agreement names no post " + Quote(statement.post) + " of " + party.agency.text());
  }
  if (!MayState(*holder, statement.kind)) {
    return Fail(ErrorCode::kPermissionDenied,
                Quote(statement.post) + " may not make a " + std::string(Name(statement.kind)));
  }
  return *holder->key;
}

}  // namespace

Result<sign::DsseEnvelope> MakeStatement(const sign::SigningKey& person_key,
                                         const Statement& statement) {
  COMITY_RETURN_IF_ERROR(CheckStatement(statement));
  const std::string payload = EncodeStatementPayload(statement);
  if (payload.size() > kMaxStatementPayload) {
    return Fail(ErrorCode::kInvalidArgument, "the statement is too long");
  }
  sign::DsseEnvelope envelope{std::string(kStatementPayloadType), ToBytes(payload), {}};
  sign::AddSignature(person_key, envelope);
  return envelope;
}

sign::DsseEnvelope Countersign(const sign::SigningKey& agency_key,
                               const sign::DsseEnvelope& envelope) {
  sign::DsseEnvelope countersigned = envelope;
  sign::AddSignature(agency_key, countersigned);
  return countersigned;
}

Result<VerifiedStatement> VerifyStatement(const sign::DsseEnvelope& envelope,
                                          const Agreement& agreement,
                                          bool require_countersignature) {
  constexpr std::size_t kMaxSignatures = 2;
  if (envelope.payload_type != kStatementPayloadType ||
      envelope.signatures.size() > kMaxSignatures) {
    return Fail(ErrorCode::kInvalidArgument, "not the envelope of a statement");
  }
  VerifiedStatement verified;
  COMITY_ASSIGN_OR_RETURN(verified.statement, ParseStatementPayload(AsText(envelope.payload)));
  if (verified.statement.agreement != RefOf(agreement)) {
    return Fail(ErrorCode::kConflict, "the statement is about another agreement or version");
  }
  const Party* party = agreement.FindParty(verified.statement.party);
  if (party == nullptr) {
    return Fail(ErrorCode::kPermissionDenied, "the agreement names no such party");
  }
  COMITY_ASSIGN_OR_RETURN(const KeyText person_key, FindKey(*party, verified.statement));
  COMITY_ASSIGN_OR_RETURN(verified.key, sign::ParsePublicKey(person_key));
  COMITY_RETURN_IF_ERROR(sign::VerifySignedBy(envelope, verified.key));
  COMITY_ASSIGN_OR_RETURN(const sign::PublicKey agency_key,
                          sign::ParsePublicKey(party->agency_key));
  const Status countersigned = sign::VerifySignedBy(envelope, agency_key);
  if (require_countersignature) COMITY_RETURN_IF_ERROR(countersigned);
  verified.countersigned = countersigned.has_value();
  verified.id = StatementId(envelope.payload);
  return verified;
}

}  // namespace comity::policy
