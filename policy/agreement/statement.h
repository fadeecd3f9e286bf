// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/sign/dsse.h"
#include "crypto/sign/ed25519.h"
#include "policy/model/agreement.h"
#include "policy/model/decision.h"
#include "policy/model/instant.h"
#include "policy/model/key_history.h"
#include "policy/model/terms.h"

namespace comity::policy {

inline constexpr std::string_view kStatementPayloadType =
    "application/vnd.comity.statement.v1+json";
inline constexpr std::size_t kMaxStatementText = 4000;          // octets
inline constexpr std::size_t kMaxStatementPayload = 12 * 1024;  // so that an envelope is <= 16 KiB
// The post under which an agency's own key suspends, without a person.
inline constexpr std::string_view kGatewayPost = "gateway";

enum class StatementKind {
  kSignature,
  kAdvice,
  kSuspension,
  kResumption,
  kTermination,
  kRejection,
  kReview
};
std::string_view Name(StatementKind kind);  // "signature"
// Errors: kInvalidArgument, with the allowed terms in the detail
Result<StatementKind> ParseStatementKind(std::string_view text);

// What one person says about one version of an agreement. docs/formats/agreement.md, "Statements".
struct Statement {
  StatementKind kind{};
  AgreementRef agreement;
  AgencyId party;    // for whom the person speaks
  std::string post;  // the person's post as the document names it, or kGatewayPost
  // When it was made. Decides between pieces of advice and when a termination takes effect; else a
  // statement counts from when it is known.
  Instant at{};
  std::optional<AdvicePosition> position;  // advice: always; others: never
  std::string text;                        // advice, review: never empty; others: may be empty
  std::optional<Digest> lifts;             // resumption: id of the suspension; others: never
  bool operator==(const Statement&) const = default;
};

// Errors: kInvalidArgument  a field is missing, misplaced, too long, or text is not clean UTF-8
Status CheckStatement(const Statement& statement);

// Canonical JSON. The statement must pass CheckStatement.
std::string EncodeStatementPayload(const Statement& statement);
// In:     payload  untrusted, at most kMaxStatementPayload
// Errors: kInvalidArgument  not canonical JSON of exactly these fields
Result<Statement> ParseStatementPayload(std::string_view payload);
// The name of a statement everywhere: SHA-256 of its payload.
Digest StatementId(ByteView payload);

// Errors: kInvalidArgument  CheckStatement's
Result<sign::DsseEnvelope> MakeStatement(const sign::SigningKey& person_key,
                                         const Statement& statement);
// The agency vouches for its own person's key: one more signature on the same payload.
sign::DsseEnvelope Countersign(const sign::SigningKey& agency_key,
                               const sign::DsseEnvelope& envelope);

// Who speaks for a party. kGateway: its agency key alone, without a person.
enum class Speaker { kDpo, kSignatory, kGateway };
// Signature, rejection, resumption and termination: a signatory. Advice: the DPO. Review: either.
// Suspension: all three.
bool MayState(Speaker speaker, StatementKind kind);

// A statement whose signer the document entitles to it.
struct VerifiedStatement {
  Digest id;
  Statement statement;
  sign::PublicKey key;         // of the person, or of the agency for kGatewayPost
  bool countersigned = false;  // by the party's agency key
};

// Whose agency keys count. Without histories (a person's own tools) the document's `agency_key` of
// the party does; a gateway has the keys of all agencies over time, so that statements outlive a
// rotation and those of a compromised key do not count.
struct Vouching {
  bool countersignature_required = true;
  const KeyHistories* histories = nullptr;  // must outlive the call
  // When the statement came: a key counts that spoke then. Absent: one that ever did.
  std::optional<Instant> received_at = std::nullopt;
};

// Checks who said it and whether the document lets that post say it (MayState).
//
// In:     envelope  untrusted; at most 2 signatures: the person's and the agency's
// Errors: kInvalidArgument   not a well-formed statement
//         kConflict          it is about another agreement, version or document
//         kPermissionDenied  the document names no such party or post, or not for this kind
//         kCorrupt           the person's signature, or the asked countersignature, is missing or
//                            wrong, or by a key that does not speak for the agency
// Threads: pure function; safe from any thread.
Result<VerifiedStatement> VerifyStatement(const sign::DsseEnvelope& envelope,
                                          const Agreement& agreement, const Vouching& vouching);

}  // namespace comity::policy
