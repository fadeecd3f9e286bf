// SPDX-License-Identifier: Apache-2.0
#include "policy/agreement/statement.h"

#include <algorithm>
#include <utility>

#include "crypto/base/quote.h"

namespace comity::policy {
namespace {

// Who holds a post, and the keys of which one must have signed.
struct PostHolder {
  std::vector<KeyText> keys;
  Speaker speaker{};
};

// The keys by which the party's agency speaks.
std::vector<KeyText> AgencyKeys(const Party& party, const Vouching& vouching) {
  if (vouching.histories == nullptr) return {party.agency_key};
  const auto history = vouching.histories->find(party.agency);
  if (history == vouching.histories->end()) return {};
  if (vouching.received_at) return history->second.At(*vouching.received_at);
  std::vector<KeyText> keys;
  for (const KeyPeriod& period : history->second.periods()) keys.push_back(period.key);
  return keys;
}

std::optional<PostHolder> FindPost(const Party& party, const std::string& post,
                                   const Vouching& vouching) {
  if (post == kGatewayPost) return PostHolder{AgencyKeys(party, vouching), Speaker::kGateway};
  if (party.dpo.post == post) return PostHolder{{party.dpo.key}, Speaker::kDpo};
  const auto found =
      std::find_if(party.signatories.begin(), party.signatories.end(),
                   [&](const Signatory& signatory) { return signatory.post == post; });
  if (found == party.signatories.end()) return std::nullopt;
  return PostHolder{{found->key}, Speaker::kSignatory};
}

// The keys of which one must have signed, if the document lets `statement`'s post say it.
Result<std::vector<KeyText>> FindKeys(const Party& party, const Statement& statement,
                                      const Vouching& vouching) {
  auto holder = FindPost(party, statement.post, vouching);
  if (!holder) {
    return Fail(
        ErrorCode::kPermissionDenied,
        "the agreement names no post " + Quote(statement.post) + " of " + party.agency.text());
  }
  if (!MayState(holder->speaker, statement.kind)) {
    return Fail(ErrorCode::kPermissionDenied,
                Quote(statement.post) + " may not make a " + std::string(Name(statement.kind)));
  }
  return std::move(holder->keys);
}

// The one of `keys` that signed. Errors: kCorrupt  none did
Result<sign::PublicKey> FindSigner(const sign::DsseEnvelope& envelope,
                                   const std::vector<KeyText>& keys) {
  for (const KeyText& text : keys) {
    const auto key = sign::ParsePublicKey(text);
    if (key && sign::VerifySignedBy(envelope, *key)) return *key;
  }
  return Fail(ErrorCode::kCorrupt, "no valid signature by a key that must have signed");
}

}  // namespace

bool MayState(Speaker speaker, StatementKind kind) {
  switch (kind) {
    case StatementKind::kAdvice:
      return speaker == Speaker::kDpo;
    case StatementKind::kSignature:
    case StatementKind::kRejection:
    case StatementKind::kResumption:
    case StatementKind::kTermination:
      return speaker == Speaker::kSignatory;
    case StatementKind::kReview:
      return speaker == Speaker::kDpo || speaker == Speaker::kSignatory;
    case StatementKind::kSuspension:
      return true;
  }
  return false;
}

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
                                          const Agreement& agreement, const Vouching& vouching) {
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
  COMITY_ASSIGN_OR_RETURN(const auto keys, FindKeys(*party, verified.statement, vouching));
  COMITY_ASSIGN_OR_RETURN(verified.key, FindSigner(envelope, keys));
  const auto vouched = FindSigner(envelope, AgencyKeys(*party, vouching));
  if (!vouched && vouching.countersignature_required) {
    return Fail(ErrorCode::kCorrupt, "the countersignature of " + party->agency.text() +
                                         " is missing, or by a key that does not speak for it");
  }
  verified.countersigned = vouched.has_value();
  verified.id = StatementId(envelope.payload);
  return verified;
}

}  // namespace comity::policy
