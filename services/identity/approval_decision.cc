// SPDX-License-Identifier: Apache-2.0
#include "services/identity/approval_decision.h"

#include <array>
#include <utility>

#include "crypto/base/canonical_json.h"
#include "crypto/base/encoding.h"
#include "crypto/base/random_id.h"
#include "crypto/sign/dsse.h"
#include "services/identity/json_fields.h"
#include "services/identity/visible_text.h"

namespace comity::identity {
namespace {

constexpr std::size_t kMaxActName = 64;

constexpr std::array<std::pair<DecisionKind, std::string_view>, 5> kKinds = {{
    {DecisionKind::kApprove, "approve"},
    {DecisionKind::kReject, "reject"},
    {DecisionKind::kUrgent, "urgent"},
    {DecisionKind::kUphold, "uphold"},
    {DecisionKind::kOverturn, "overturn"},
}};

Status CheckDecision(const Decision& decision) {
  if (!IsApprovalId(decision.approval)) {
    return Fail(ErrorCode::kInvalidArgument, "decision: an approval's id is p-<26 characters>");
  }
  COMITY_RETURN_IF_ERROR(CheckVisibleText("decision: the act", decision.act, kMaxActName));
  if (decision.reason.empty() && decision.kind == DecisionKind::kApprove) return {};
  return CheckVisibleText("decision: the reason", decision.reason, kMaxDecisionReason);
}

// One moment has one spelling in what is signed.
Result<policy::Instant> ParseTime(std::string_view text) {
  COMITY_ASSIGN_OR_RETURN(const policy::Instant at, policy::ParseInstant(text));
  if (policy::EncodeInstant(at) == text) return at;
  return Fail(ErrorCode::kInvalidArgument, "the time is not in its canonical form");
}

Result<Decision> ParsePayload(std::string_view payload) {
  COMITY_ASSIGN_OR_RETURN(auto fields, JsonFields::Parse(payload, kMaxDecision, "decision"));
  Decision decision;
  COMITY_ASSIGN_OR_RETURN(decision.approval, fields.Text("approval"));
  COMITY_ASSIGN_OR_RETURN(decision.act, fields.Text("act"));
  COMITY_ASSIGN_OR_RETURN(decision.sha256, fields.HexDigest("sha256"));
  COMITY_ASSIGN_OR_RETURN(decision.kind, fields.Parsed("decision", ParseDecisionKind));
  COMITY_ASSIGN_OR_RETURN(decision.person, fields.Parsed("person", policy::PersonId::Parse));
  COMITY_ASSIGN_OR_RETURN(decision.at, fields.Parsed("at", ParseTime));
  COMITY_ASSIGN_OR_RETURN(decision.reason, fields.Text("reason"));
  COMITY_RETURN_IF_ERROR(fields.Finish());
  COMITY_RETURN_IF_ERROR(CheckDecision(decision));
  return decision;
}

Result<sign::DsseEnvelope> ParseEnvelope(std::string_view text) {
  COMITY_ASSIGN_OR_RETURN(sign::DsseEnvelope envelope, sign::ParseDsseJson(text, kMaxDecision));
  if (envelope.payload_type != kDecisionPayloadType || envelope.signatures.size() != 1) {
    return Fail(ErrorCode::kInvalidArgument, "a decision is of type " +
                                                 std::string(kDecisionPayloadType) +
                                                 " and has exactly one signature");
  }
  return envelope;
}

}  // namespace

std::string_view Name(DecisionKind kind) {
  for (const auto& [value, name] : kKinds) {
    if (value == kind) return name;
  }
  return "unknown";
}

Result<DecisionKind> ParseDecisionKind(std::string_view text) {
  for (const auto& [value, name] : kKinds) {
    if (name == text) return value;
  }
  return Fail(ErrorCode::kInvalidArgument,
              "a decision is approve, reject, urgent, uphold or overturn");
}

Result<std::string> SignDecision(const sign::SigningKey& key, const Decision& decision) {
  COMITY_RETURN_IF_ERROR(CheckDecision(decision));
  sign::DsseEnvelope envelope;
  envelope.payload_type = kDecisionPayloadType;
  envelope.payload = ToBytes(EncodeCanonicalJson({{"approval", decision.approval},
                                                  {"act", decision.act},
                                                  {"sha256", EncodeHex(decision.sha256.view())},
                                                  {"decision", Name(decision.kind)},
                                                  {"person", decision.person.text()},
                                                  {"at", policy::EncodeInstant(decision.at)},
                                                  {"reason", decision.reason}}));
  sign::AddSignature(key, envelope);
  return sign::EncodeDsseJson(envelope);
}

Result<Decision> ParseDecision(std::string_view envelope) {
  COMITY_ASSIGN_OR_RETURN(const sign::DsseEnvelope parsed, ParseEnvelope(envelope));
  return ParsePayload(AsText(parsed.payload));
}

Result<Decision> VerifyDecision(std::string_view envelope, const sign::PublicKey& key) {
  COMITY_ASSIGN_OR_RETURN(const sign::DsseEnvelope parsed, ParseEnvelope(envelope));
  COMITY_RETURN_IF_ERROR(sign::VerifySignedBy(parsed, key));
  return ParsePayload(AsText(parsed.payload));
}

Status CheckKind(const Decision& decision, DecisionKind kind) {
  if (decision.kind == kind) return {};
  return Fail(ErrorCode::kInvalidArgument, "the signed decision is " +
                                               std::string(Name(decision.kind)) + ", not " +
                                               std::string(Name(kind)));
}

bool IsApprovalId(std::string_view text) {
  return text.starts_with("p-") && IsRandomId(text.substr(2));
}

}  // namespace comity::identity
