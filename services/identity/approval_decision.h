// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/sign/ed25519.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"

namespace comity::identity {

inline constexpr std::string_view kDecisionPayloadType = "application/vnd.comity.approval.v1+json";
inline constexpr std::size_t kMaxDecision = std::size_t{16} << 10;  // octets of the envelope
inline constexpr std::size_t kMaxDecisionReason = 1000;

// What a person decides about an act. `urgent`: to carry it out alone; uphold and overturn: what a
// reviewer thinks of an act that was carried out so.
enum class DecisionKind : std::uint8_t { kApprove, kReject, kUrgent, kUphold, kOverturn };
std::string_view Name(DecisionKind kind);  // "approve"
// Errors: kInvalidArgument, with the allowed words in the detail
Result<DecisionKind> ParseDecisionKind(std::string_view text);

// One person's decision about exactly one content (docs/formats/approval.md).
struct Decision {
  std::string approval;  // p-<26 characters>
  std::string act;
  Digest sha256;  // of the content
  DecisionKind kind{};
  policy::PersonId person;
  policy::Instant at{};  // when it was signed
  std::string reason;    // approve: may be empty; others: never
  bool operator==(const Decision&) const = default;
};

// Errors: kInvalidArgument  a field is outside its bounds
Result<std::string> SignDecision(const sign::SigningKey& key, const Decision& decision);
// Reads what may be a decision. Nothing is verified yet.
// In:     envelope  untrusted DSSE JSON
// Errors: kInvalidArgument  not such an envelope with exactly one signature
Result<Decision> ParseDecision(std::string_view envelope);
// Errors: as above; kCorrupt  not signed by `key`
Result<Decision> VerifyDecision(std::string_view envelope, const sign::PublicKey& key);

// Errors: kInvalidArgument  it is of another kind than `kind`
Status CheckKind(const Decision& decision, DecisionKind kind);

// True for p-<26 characters of base32>.
bool IsApprovalId(std::string_view text);

}  // namespace comity::identity
